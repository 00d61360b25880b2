import Diagnostics
import MusterModel

/// `spot`: elastigroups, each one resource.
///
/// What instances are stands under `launch`, as it does for fleets; the forms of user data are those of fleets too, but for
/// the label by which Spot finds the host of an instance, which every agent gets here.
enum SpotSection: Section {
    static let schema = SectionSchema(
        name: "spot", summary: "An elastigroup of Spot: spot instances, and on-demand ones where there are none.",
        fields: verbatim + places + [
            ArgumentSchema("launch", .object(launchFields), isRequired: true, "What instances are like."),
            ArgumentSchema(
                "target_groups", .list(.string), reference: .targetGroup, "The target groups that instances join."),
            ArgumentSchema("load_balancers", .list(.string), "Classic load balancers that they join, by name."),
            ArgumentSchema(
                "scaling",
                .object([
                    ArgumentSchema("up", policies, "Policies that make the group larger, by name."),
                    ArgumentSchema("down", policies, "Policies that make it smaller, by name."),
                    ArgumentSchema("target", policies, "Policies that hold a metric, by name."),
                ]), "All scaling policies of the group."),
            ArgumentSchema(
                "rancher", .object(rancherFields),
                "The Rancher that instances are hosts of: Spot takes a host out there before it ends the instance."),
            SectionFields.name("The group's name; the key if it is left out."),
            SectionFields.tags("its instances"),
            UserDataFields.rancherAgent, UserDataFields.rancherOS, UserDataFields.swarmNode,
        ],
        principalTypes: ["spot.elastigroup"],
        example: """
            spot:
              prod-workers:
                capacity: { minimum: 1, maximum: 8, target: 2 }
                strategy: { risk: 100, availability_vs_cost: balanced, fallback_to_od: true, draining_timeout: 120 }
                product: Linux/UNIX
                instance_types: { on_demand: m5.large, spot: [m5.large, m4.large] }
                region: us-east-1
                subnets: [prod-a, prod-b]
                launch:
                  ami: ami-0f8bce65
                  key_name: operator
                  security_groups: [prod-rancher]
                  iam_instance_profile: prod-worker
                  root_volume: { device_name: /dev/sda1, size: 40, type: gp3 }
                rancher_agent:
                  registration_url: https://rancher.tastycidr.net/v1/projects/1a5/scripts/TOKEN
                  labels: { role: worker }
                rancher:
                  master_host: https://rancher.tastycidr.net/v1
                  access_key: 0123456789ABCDEF0123
                  secret_key: ${var.rancher_secret_key}
                scaling:
                  up:
                    busy: { metric_name: CPUUtilization, namespace: AWS/EC2, statistic: average, unit: percent, threshold: 70, adjustment: 2, cooldown: 300 }
                scheduled_tasks:
                  - { task_type: scale, cron_expression: "0 7 * * 1-5", scale_target_capacity: 3 }
                tags: { Usage: worker }
            variables:
              rancher_secret_key: { type: string, secret: env:SPOT_RANCHER_SECRET_KEY }
            """)

    // MARK: Fields

    /// The arguments of `spot.elastigroup` that are written as they are.
    static let verbatim: [ArgumentSchema] = [
        ArgumentSchema("description", .string, constraints: [.length(0, 960)], "What it is for."),
        ArgumentSchema("capacity", .object(SpotFields.capacity), isRequired: true, "How many instances."),
        ArgumentSchema("strategy", .object(SpotFields.strategy), "Which instances, and for how long."),
        ArgumentSchema(
            "instance_types", .object(SpotFields.instanceTypes), isRequired: true, "The types of instances."),
        ArgumentSchema(
            "preferred_availability_zones", .set(.string), "The zones that are tried first."),
        ArgumentSchema("elastic_ips", .set(.string), reference: .elasticIP, "Elastic IPs that instances get."),
        ArgumentSchema(
            "health_check_type", .string, "Who finds instances healthy, such as EC2, ELB or TARGET_GROUP."),
        ArgumentSchema(
            "health_check_grace_period", .integer, constraints: [.range(0, 86_400)],
            "Seconds in which a new instance is not judged."),
        ArgumentSchema(
            "health_check_unhealthy_duration_before_replacement", .integer, constraints: [.range(0, 86_400)],
            "Seconds after which an unhealthy instance is replaced."),
        ArgumentSchema("scheduled_tasks", .list(.object(SpotFields.scheduledTask)), "What is done at its time."),
        ArgumentSchema("auto_apply_tags", .boolean, "Whether a change of tags reaches instances that run."),
        ArgumentSchema(
            "should_resume_stateful", .boolean,
            "Whether a change resumes instances that are paused, of a stateful group."),
        ArgumentSchema(
            "stateful_deallocation",
            .object([
                ArgumentSchema("should_delete_images", .boolean, "Whether images go."),
                ArgumentSchema("should_delete_network_interfaces", .boolean, "Whether network interfaces go."),
                ArgumentSchema("should_delete_volumes", .boolean, "Whether volumes go."),
                ArgumentSchema("should_delete_snapshots", .boolean, "Whether snapshots go."),
            ]), "What of a stateful group's instances is deleted with it."),
    ]

    private static let places: [ArgumentSchema] = [
        ArgumentSchema(
            "product", .string,
            constraints: [
                .allowed(
                    ["Linux/UNIX", "SUSE Linux", "Windows", "Red Hat Enterprise Linux"].flatMap {
                        [$0, "\($0) (Amazon VPC)"]
                    })
            ], "The operating system, as it is paid for; Linux/UNIX if it is left out."),
        ArgumentSchema("region", .string, "The region; that of the stack if it is left out."),
        ArgumentSchema(
            "subnets", .list(.string), reference: .subnet,
            constraints: [.exactlyOne(["subnets", "availability_zones"]), .count(1, 64)],
            "The subnets in which instances stand."),
        ArgumentSchema(
            "availability_zones",
            .map(
                .object([
                    ArgumentSchema("subnets", .list(.string), reference: .subnet, "The subnets in it."),
                    ArgumentSchema("placement_group_name", .string, "The placement group in it."),
                ])), "Zones by name, each with its subnets."),
    ]

    private static let policies = ValueType.map(.object(SpotFields.scalingPolicy))

    /// The arguments that `launch` says as they are.
    static let launchVerbatim: [ArgumentSchema] = [
        ArgumentSchema("key_name", .string, reference: .keyPair, "The key pair for the first login."),
        ArgumentSchema(
            "iam_instance_profile", .string, reference: .instanceProfile, "The rights of what runs on them."),
        ArgumentSchema(
            "user_data", .string, semantics: .multilineText,
            "What instances are given to run at their first boot. Those that run already keep what they have."),
        ArgumentSchema(
            "user_data_base64", .string, constraints: [.conflictsWith(["user_data"])],
            "The same in base64, for what is no text."),
        ArgumentSchema(
            "shutdown_script", .string, semantics: .multilineText,
            "What an agent of Spot runs on an instance that is to end."),
        SectionFields.monitoring, SectionFields.ebsOptimized,
        ArgumentSchema(
            "tenancy", .string, constraints: [.allowed(["default", "dedicated", "host"])],
            "Whether the machines are shared."),
        ArgumentSchema(
            "cpu_credits", .string, constraints: [.allowed(["standard", "unlimited"])],
            "Whether burstable machines may borrow processor time."),
        ArgumentSchema(
            "network_interfaces", .set(.object(SpotFields.networkInterface), key: "device_index"),
            "Network interfaces, for what subnets and groups do not say."),
    ]

    private static let launchFields: [ArgumentSchema] =
        [
            ArgumentSchema(
                "ami", .string, isRequired: true, reference: .image, "The image, by id or by the name of a lookup."),
            ArgumentSchema(
                "security_groups", .list(.string), isRequired: true, reference: .securityGroup,
                constraints: [.count(1, 64)], "Groups that guard them."),
        ] + launchVerbatim
        + LaunchPart.volumes(ephemeral: SectionFields.ephemeralDevice.filter { $0.name != "no_device" })

    private static let rancherFields: [ArgumentSchema] = [
        ArgumentSchema(
            "master_host", .string, isRequired: true,
            "The API of Rancher with its version, such as https://rancher.tastycidr.net/v1."),
        ArgumentSchema(
            "access_key", .string, isRequired: true,
            "The access key of an API key of the environment. Keys of an account do not work."),
        ArgumentSchema("secret_key", .string, isRequired: true, isSensitive: true, "Its secret key, from a secret."),
        ArgumentSchema(
            "version", .string, constraints: [.allowed(["1", "2"])], "Which Rancher it is; 1 if it is left out."),
    ]

    // MARK: Lowering

    static func lower(_ definition: Definition, region: String?) -> LoweringResult {
        let body = definition.body
        var result = LoweringResult()
        var group = Draft(
            principal: "spot.elastigroup", of: definition,
            renamed: ["subnets": "subnet_ids", "target_groups": "load_balancers"])
        group.set("name", definition.remoteName.value, at: body["name"]?.range)
        group.copy(verbatim, from: body)
        group.set("product", body["product"]?.value ?? "Linux/UNIX", at: body["product"]?.range)
        if let region = body["region"]?.value ?? region.map({ .string($0) }) {
            group.set("region", region, at: body["region"]?.range)
        }
        group.set("subnet_ids", body["subnets"])
        setZones(body["availability_zones"], of: &group)
        result.lowerLaunch(definition, of: &group, region: region)
        setBalancers(body, of: &group)
        for direction in ["up", "down", "target"] {
            setPolicies(body["scaling"]?[direction], "scaling_\(direction)", &group)
        }
        result.setRancher(body["rancher"], of: &group)
        result.checkCapacity(body["capacity"])
        result.checkForms(definition)
        group.setTags(
            body["tags"], name: definition.nameTag, inherited: definition.inheritedTags, &result.diagnostics)
        result.append(group)
        return result
    }

    private static func setZones(_ zones: LocatedValue?, of group: inout Draft) {
        guard let zones else { return }
        let values = (zones.entries ?? []).map { entry -> Value in
            var zone: [String: Value] = ["name": .string(entry.key)]
            zone["subnet_ids"] = entry.value["subnets"]?.value
            zone["placement_group_name"] = entry.value["placement_group_name"]?.value
            return .map(zone)
        }
        group.set("availability_zones", .list(values), at: zones.range)
    }

    private static func setBalancers(_ body: LocatedValue, of group: inout Draft) {
        let groups = (body["target_groups"]?.elements ?? []).map { element -> Value in
            ["arn": element.value, "type": "TARGET_GROUP"]
        }
        let classic = (body["load_balancers"]?.elements ?? []).map { element -> Value in
            ["name": element.value, "type": "CLASSIC"]
        }
        if let place = body["target_groups"] ?? body["load_balancers"] {
            group.set("load_balancers", .list(groups + classic), at: place.range)
        }
    }

    private static func setPolicies(_ policies: LocatedValue?, _ argument: String, _ group: inout Draft) {
        guard let policies else { return }
        let values = (policies.entries ?? []).filter { $0.value.value != .null }.map { entry -> Value in
            var policy = entry.value.value.withoutNulls.map ?? [:]
            policy["policy_name"] = .string(entry.key)
            if case .map(let dimensions)? = policy["dimensions"] {
                policy["dimensions"] = .list(
                    dimensions.sorted { $0.key < $1.key }.map { ["name": .string($0.key), "value": $0.value] })
            }
            return .map(policy)
        }
        group.set(argument, .list(values), at: policies.range)
    }
}

extension LoweringResult {
    fileprivate mutating func lowerLaunch(_ definition: Definition, of group: inout Draft, region: String?) {
        guard let launch = definition.body["launch"] else { return }
        group.copy(SpotSection.launchVerbatim, from: launch)
        group.set("image_id", launch["ami"])
        group.set("security_group_ids", launch["security_groups"])
        checkSize(launch["user_data"])
        if let rendered = userData(definition, region: region) {
            group.set(rendered.argument, rendered.value, at: rendered.range)
        }
        let devices = blockDevices(launch)
        if !devices.isEmpty {
            let place = launch["root_volume"] ?? launch["ebs_block_devices"] ?? launch["ephemeral_block_devices"]
            group.set("block_device_mappings", .list(devices), at: place?.range)
        }
    }

    fileprivate mutating func setRancher(_ form: LocatedValue?, of group: inout Draft) {
        guard let form, let host = form["master_host"] else { return }
        checkMasterHost(host)
        var rancher: [String: Value] = ["master_host": host.value]
        rancher["version"] = form["version"]?.value
        group.set("rancher", .map(rancher), at: form.range)
        group.set("rancher_access_key", form["access_key"])
        group.set("rancher_secret_key", form["secret_key"])
    }

    private mutating func checkMasterHost(_ host: LocatedValue) {
        guard let text = host.value.string else { return }
        let isHTTP = text.hasPrefix("http://") || text.hasPrefix("https://")
        let path = text.split(separator: "/").dropFirst(2)
        if isHTTP, path.contains(where: { ["v1", "v2-beta"].contains($0) }) { return }
        diagnostics.append(.masterHost(text, at: host.range))
    }

    fileprivate mutating func checkCapacity(_ capacity: LocatedValue?) {
        guard let capacity, let minimum = capacity["minimum"]?.value.integer,
            let maximum = capacity["maximum"]?.value.integer
        else { return }
        if minimum > maximum {
            diagnostics.append(
                .capacity("\"minimum\" is \(minimum), which is more than the maximum \(maximum).", at: capacity.range))
        } else if let target = capacity["target"], let number = target.value.integer,
            !(minimum...maximum).contains(number)
        {
            diagnostics.append(
                .capacity("\"target\" is \(number), which is not from \(minimum) to \(maximum).", at: target.range))
        }
    }
}

extension Diagnostic {
    fileprivate static func capacity(_ detail: String, at range: SourceRange) -> Diagnostic {
        Diagnostic(code: "spec.capacity", summary: "Capacity out of bounds", detail: detail, at: range)
    }

    fileprivate static func masterHost(_ text: String, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            code: "spec.master-host", summary: "Not the API of a Rancher server",
            detail: "\(text.quoted) names no version of the API.", at: range,
            hint: "It looks like https://rancher.example.com:8080/v1.")
    }
}
