import MusterModel

/// How a resource of a type is declared in simulated specs: what it needs, what it says, what can be changed about it.
struct Recipe: Sendable {
    /// A value that another resource has.
    struct Need: Sendable {
        /// Where it stands: `subnets[]` is a list, `launch_template.id` a block.
        let argument: String
        let type: ResourceType
        let output: String

        init(_ argument: String, _ type: ResourceType, _ output: String = "id") {
            self.argument = argument
            self.type = type
            self.output = output
        }
    }

    typealias Arguments = [String: Value]

    let type: ResourceType
    var stack = "app"
    var weight = 1
    /// No more than so many in a spec.
    var limit = Int.max
    var needs: [Need] = []
    /// The need that says in which environment it is: where that one is.
    var placedBy: String?
    var hasTags = true
    /// What it says, given its name and a number that nothing else has.
    let says: @Sendable (_ name: String, _ number: Int) -> Arguments
    /// nil: nothing but its tags can be changed in place.
    var updated: (@Sendable (inout Arguments, Int) -> Void)?
    /// nil: only with something that it needs.
    var replaced: (@Sendable (inout Arguments, Int) -> Void)?

    static func of(_ type: ResourceType) -> Recipe? { index[type] }
    private static let index = Dictionary(uniqueKeysWithValues: all.map { ($0.type, $0) })

    /// Where the value of a need stands.
    func value(_ need: Need, _ address: Address, in arguments: inout Arguments) {
        let value = output(address, need.output)
        let parts = need.argument.split(separator: ".").map(String.init)
        if parts.count == 2 {
            var block = arguments[parts[0]]?.map ?? [:]
            block[parts[1]] = value
            arguments[parts[0]] = .map(block)
        } else if need.argument.hasSuffix("[]") {
            arguments[String(need.argument.dropLast(2))] = .list([value])
        } else {
            arguments[need.argument] = value
        }
    }

    // MARK: - All of them

    static let all: [Recipe] = networks + balancing + fleets + data + messages + rancher

    private static let networks: [Recipe] = [
        Recipe(
            type: "aws.network_acl", needs: [Need("vpc_id", "aws.vpc")], says: { _, _ in [:] }),
        Recipe(
            type: "aws.network_acl_rule", needs: [Need("network_acl_id", "aws.network_acl")], hasTags: false,
            says: { _, number in
                [
                    "rule_number": .integer(number % 30_000 + 1), "rule_action": "allow", "protocol": "tcp",
                    "cidr_block": "10.0.0.0/8", "from_port": 80, "to_port": 80,
                ]
            }, updated: { $0["to_port"] = .integer(80 + $1 % 1000) },
            replaced: { $0["rule_number"] = .integer($1 % 30_000 + 1) }),
        Recipe(
            type: "aws.vpc_endpoint", needs: [Need("vpc_id", "aws.vpc"), Need("route_table_ids[]", "aws.route_table")],
            says: { _, _ in ["service_name": "com.amazonaws.us-east-1.s3"] },
            replaced: {
                $0["service_name"] = .string("com.amazonaws.us-east-1.\($1 % 2 == 0 ? "dynamodb" : "s3express")")
            }),
    ]

    private static func hyphenated(_ name: String) -> Value { .string(name.replacing("_", with: "-")) }
    private static func answer(_ status: String) -> Value {
        .list([.map(["type": "fixed-response", "fixed_response": .map(["status_code": .string(status)])])])
    }

    private static let balancing: [Recipe] = [
        Recipe(
            type: "aws.load_balancer", weight: 2, needs: [Need("subnets[]", "aws.subnet")],
            says: { name, _ in ["name": hyphenated(name), "internal": true] },
            updated: { $0["idle_timeout"] = .integer(60 + $1 % 1000) },
            replaced: { arguments, _ in arguments["internal"] = .bool(arguments["internal"] != true) }),
        Recipe(
            type: "aws.target_group", weight: 2, needs: [Need("vpc_id", "aws.vpc")],
            says: { name, _ in ["name": hyphenated(name), "port": 80, "protocol": "HTTP"] },
            updated: { $0["deregistration_delay"] = .integer($1 % 1000) },
            replaced: { $0["port"] = .integer(1000 + $1 % 1000) }),
        Recipe(
            type: "aws.target_group_attachment",
            needs: [Need("target_group_arn", "aws.target_group"), Need("target_id", "aws.instance")], hasTags: false,
            says: { _, number in ["port": .integer(2000 + number % 10_000)] },
            replaced: { $0["port"] = .integer(2000 + $1 % 10_000) }),
        Recipe(
            type: "aws.listener", weight: 2, needs: [Need("load_balancer_arn", "aws.load_balancer")],
            says: { _, number in
                ["port": .integer(3000 + number % 10_000), "protocol": "HTTP", "default_action": answer("404")]
            }, updated: { $0["default_action"] = answer(String(400 + $1 % 100)) }),
        Recipe(
            type: "aws.listener_certificate",
            needs: [Need("listener_arn", "aws.listener"), Need("certificate_arn", "aws.acm_certificate")],
            hasTags: false, says: { _, _ in [:] }),
        Recipe(
            type: "aws.listener_rule", needs: [Need("listener_arn", "aws.listener")],
            says: { _, number in
                [
                    "priority": .integer(number % 40_000 + 1), "action": answer("403"),
                    "condition": .list([.map(["path_pattern": .map(["values": .list(["/a"])])])]),
                ]
            },
            updated: {
                if $1 % 2 == 0 {
                    $0["action"] = answer(String(500 + $1 % 100))
                } else {
                    $0["priority"] = .integer($1 % 40_000 + 1)
                }
            }),
        Recipe(
            type: "aws.acm_certificate",
            says: { name, _ in ["domain_name": .string("\(name.filter { $0 != "_" }).example.com")] },
            replaced: { $0["domain_name"] = .string("c\($1).example.com") }),
    ]

    private static let fleets: [Recipe] = [
        Recipe(
            type: "aws.launch_configuration", hasTags: false,
            says: { name, _ in ["name": .string(name), "image_id": "ami-1", "instance_type": "t3.small"] },
            replaced: { $0["image_id"] = .string("ami-\($1)") }),
        Recipe(
            type: "aws.launch_template", weight: 2,
            says: { name, _ in ["name": .string(name), "image_id": "ami-1", "instance_type": "t3.small"] },
            updated: { $0["image_id"] = .string("ami-\($1)") }, replaced: { $0["name"] = .string("template\($1)") }),
        Recipe(
            type: "aws.autoscaling_group", weight: 2,
            needs: [
                Need("vpc_zone_identifier[]", "aws.subnet"), Need("launch_template.id", "aws.launch_template"),
                Need("launch_template.version", "aws.launch_template", "latest_version"),
            ], says: { name, _ in ["name": .string(name), "min_size": 1, "max_size": 3] },
            updated: { $0["max_size"] = .integer(3 + $1 % 100) }, replaced: { $0["name"] = .string("group\($1)") }),
        Recipe(
            type: "aws.lifecycle_hook", needs: [Need("autoscaling_group_name", "aws.autoscaling_group")],
            hasTags: false,
            says: { name, _ in
                ["name": .string(name), "lifecycle_transition": "autoscaling:EC2_INSTANCE_TERMINATING"]
            }, updated: { $0["heartbeat_timeout"] = .integer(60 + $1 % 1000) },
            replaced: { $0["name"] = .string("hook\($1)") }),
        Recipe(
            type: "aws.scheduled_action", needs: [Need("autoscaling_group_name", "aws.autoscaling_group")],
            hasTags: false,
            says: { name, _ in
                ["scheduled_action_name": .string(name), "min_size": 1, "recurrence": "0 7 * * 1-5"]
            }, updated: { $0["min_size"] = .integer($1 % 1000) },
            replaced: { $0["scheduled_action_name"] = .string("action\($1)") }),
        Recipe(
            type: "aws.scaling_policy", needs: [Need("autoscaling_group_name", "aws.autoscaling_group")],
            hasTags: false,
            says: { name, _ in
                ["name": .string(name), "adjustment_type": "ChangeInCapacity", "scaling_adjustment": 1]
            }, updated: { $0["scaling_adjustment"] = .integer(1 + $1 % 100) },
            replaced: { $0["name"] = .string("policy\($1)") }),
        Recipe(
            type: "aws.cloudwatch_alarm",
            says: { name, _ in
                [
                    "alarm_name": .string(name), "comparison_operator": "GreaterThanThreshold", "evaluation_periods": 2,
                    "metric_name": "CPUUtilization", "namespace": "AWS/EC2", "period": 60, "statistic": "Average",
                    "threshold": 70,
                ]
            }, updated: { $0["period"] = .integer(60 * (1 + $1 % 100)) },
            replaced: { $0["alarm_name"] = .string("alarm\($1)") }),
    ]

    /// A secret that only its source has.
    static func secret(_ number: Int) -> Value {
        .deferred(Deferred(.secret(SecretReference(name: "password", source: "env:PASSWORD_\(number)"))))
    }

    private static let data: [Recipe] = [
        Recipe(
            type: "aws.db_subnet_group", needs: [Need("subnet_ids[]", "aws.subnet")],
            says: { name, _ in ["name": .string(name)] }, updated: { $0["description"] = .string("text \($1)") },
            replaced: { $0["name"] = .string("subnets\($1)") }),
        Recipe(
            type: "aws.db_parameter_group", says: { name, _ in ["name": .string(name), "family": "mysql8.0"] },
            updated: {
                $0["parameter"] = .list([.map(["name": "max_connections", "value": .string(String(100 + $1))])])
            }, replaced: { $0["family"] = .string("mysql8.\($1 % 90 + 1)") }),
        Recipe(
            type: "aws.db_instance", weight: 2,
            needs: [Need("db_subnet_group_name", "aws.db_subnet_group")],
            says: { name, number in
                [
                    "identifier": hyphenated(name), "engine": "mysql", "instance_class": "db.t3.small",
                    "allocated_storage": 20, "username": "admin", "password": secret(number),
                    "skip_final_snapshot": true, "apply_immediately": true,
                ]
            },
            updated: {
                $0["password"] = secret($1)
                if $1 % 2 == 0 { $0["backup_retention_period"] = .integer(1 + $1 % 30) }
            }, replaced: { $0["username"] = .string("admin\($1)") }),
        Recipe(
            type: "aws.elasticache_subnet_group", needs: [Need("subnet_ids[]", "aws.subnet")],
            says: { name, _ in ["name": hyphenated(name)] },
            updated: { $0["description"] = .string("text \($1)") },
            replaced: { $0["name"] = .string("cachesubnets\($1)") }),
        Recipe(
            type: "aws.elasticache_replication_group", weight: 2,
            needs: [Need("subnet_group_name", "aws.elasticache_subnet_group")],
            says: { name, number in
                [
                    "replication_group_id": hyphenated(name.replacing("elasticache_replication_", with: "")),
                    "description": "one", "engine": "redis", "node_type": "cache.t3.small", "num_cache_clusters": 1,
                    "auth_token": secret(number), "transit_encryption_enabled": true, "apply_immediately": true,
                ]
            },
            updated: {
                $0["auth_token"] = secret($1)
            }, replaced: { $0["replication_group_id"] = .string("cache-\($1)") }),
    ]

    private static let messages: [Recipe] = [
        Recipe(
            type: "aws.sns_topic", says: { name, _ in ["name": .string(name)] },
            updated: { $0["display_name"] = .string("text \($1)") }, replaced: { $0["name"] = .string("topic\($1)") }),
        Recipe(
            type: "aws.ecr_repository", says: { name, _ in ["name": .string(name)] },
            updated: { arguments, _ in
                let isFixed = arguments["image_tag_mutability"] == "IMMUTABLE"
                arguments["image_tag_mutability"] = isFixed ? "MUTABLE" : "IMMUTABLE"
            }, replaced: { $0["name"] = .string("repository\($1)") }),
    ]
}
