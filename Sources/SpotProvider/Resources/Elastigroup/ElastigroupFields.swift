import MusterModel
import ProviderKit

// The arguments of an elastigroup, each with its place in requests and answers.

extension Elastigroup {
    /// The arguments by their names. They have no members of their own: nothing here but their schema tells them apart.
    struct Arguments: ArgumentBlock {
        var name = ""
        var description: String?
        var tags: [String: String]?
        private var values: [String: Value] = [:]

        init() {}

        subscript(_ name: String) -> Value? {
            get { values[name] }
            set { values[name] = newValue }
        }

        static let fields: [Field<Self>] =
            [
                .required("name", \.name, constraints: [.length(1, 255)], "Its name. muster makes no two of a name."),
                .argument(
                    "description", \.description, absence: .means(""),
                    constraints: [.length(0, IntentMark.longestDescription)],
                    "What it is for. muster adds a mark to it, by which it knows what it made."),
            ] + places.map(\.field) + choices + [.tags(\.tags)]

        /// What only requests say.
        private static let choices: [Field<Self>] = [
            .argument(
                "auto_apply_tags", \.["auto_apply_tags"], type: .boolean, onChange: .local,
                "Whether a change of tags reaches instances that run."),
            .argument(
                "should_resume_stateful", \.["should_resume_stateful"], type: .boolean, onChange: .local,
                "Whether a change resumes instances that are paused, of a stateful group."),
            .argument(
                "stateful_deallocation", \.["stateful_deallocation"],
                type: .object(ElastigroupBlocks.statefulDeallocation), onChange: .local,
                deletesDataBy: "should_delete_volumes",
                "What of a stateful group's instances is deleted with it."),
        ]
    }

    /// An argument that is told as it is sent.
    struct Place: Sendable {
        let field: Field<Arguments>
        let path: [String]
        /// False for what the service may not tell as it was given: it is compared with the state alone.
        let isTold: Bool

        var schema: ArgumentSchema { field.schema }
    }

    static let launchPath = ["compute", "launchSpecification"]
    static let rancherPath = ["thirdPartiesIntegration", "rancher"]

    private static func place(
        _ name: String, _ path: [String], _ type: ValueType, isRequired: Bool = false,
        absence: ArgumentSchema.Absence = .unmanaged, onChange: ArgumentSchema.ChangeBehavior = .update,
        reference: ReferenceKind? = nil, constraints: [Constraint] = [], isSensitive: Bool = false,
        isTold: Bool = true, semantics: Semantics = .exact, _ documentation: String
    ) -> Place {
        Place(
            field: .argument(
                name, \.[name], type: type, isRequired: isRequired, absence: absence, onChange: onChange,
                semantics: semantics, reference: reference, constraints: constraints, isSensitive: isSensitive,
                isReadable: !isSensitive, documentation), path: path, isTold: isTold && !isSensitive)
    }

    private static func launch(
        _ name: String, _ wire: String, _ type: ValueType, isRequired: Bool = false,
        absence: ArgumentSchema.Absence = .unmanaged, reference: ReferenceKind? = nil, constraints: [Constraint] = [],
        isTold: Bool = true, semantics: Semantics = .exact, _ documentation: String
    ) -> Place {
        place(
            name, launchPath + [wire], type, isRequired: isRequired, absence: absence, reference: reference,
            constraints: constraints, isTold: isTold, semantics: semantics, documentation)
    }

    static let places: [Place] = groupPlaces + launchPlaces + otherPlaces

    private static let groupPlaces: [Place] = [
        place("region", ["region"], .string, onChange: .replace, "The region; wanted with `subnet_ids`."),
        place("capacity", ["capacity"], .object(ElastigroupBlocks.capacity), isRequired: true, "How many instances."),
        place("strategy", ["strategy"], .object(ElastigroupBlocks.strategy), "Which instances, and for how long."),
        place(
            "product", ["compute", "product"], .string, isRequired: true, onChange: .replace,
            constraints: [
                .allowed(
                    ["Linux/UNIX", "SUSE Linux", "Windows", "Red Hat Enterprise Linux"].flatMap {
                        [$0, "\($0) (Amazon VPC)"]
                    })
            ], "The operating system, as it is paid for."),
        place(
            "instance_types", ["compute", "instanceTypes"], .object(ElastigroupBlocks.instanceTypes), isRequired: true,
            "The types of instances."),
        place(
            "availability_zones", ["compute", "availabilityZones"],
            .set(.object(ElastigroupBlocks.zone), key: "name"), absence: .means([]),
            constraints: [.exactlyOne(["availability_zones", "subnet_ids"])], "Zones, each with its subnets."),
        place(
            "subnet_ids", ["compute", "subnetIds"], .set(.string), absence: .means([]), reference: .subnet,
            "The subnets in which instances stand."),
        place(
            "preferred_availability_zones", ["compute", "preferredAvailabilityZones"], .set(.string),
            absence: .means([]), "The zones that are tried first."),
        place(
            "elastic_ips", ["compute", "elasticIps"], .set(.string), absence: .means([]), reference: .elasticIP,
            "Elastic IPs that instances get."),
    ]

    private static let launchPlaces: [Place] = [
        launch("image_id", "imageId", .string, isRequired: true, reference: .image, "The image."),
        launch("key_name", "keyPair", .string, reference: .keyPair, "The key pair for the first login."),
        launch(
            "security_group_ids", "securityGroupIds", .set(.string), isRequired: true, reference: .securityGroup,
            constraints: [.count(1, 64)], "Groups that guard them."),
        launch(
            "user_data", "userData", .string, absence: .means(""),
            constraints: [.length(0, 16_384), .conflictsWith(["user_data_base64"])], isTold: false,
            semantics: .multilineText,
            "What instances are given to run at their first boot, at most 16 KB; muster encodes it. Those that run already keep "
                + "what they have."),
        launch(
            "user_data_base64", "userData", .string, absence: .means(""), constraints: [.conflictsWith(["user_data"])],
            isTold: false, "The same in base64, for what is no text."),
        launch(
            "shutdown_script", "shutdownScript", .string, absence: .means(""), isTold: false,
            semantics: .multilineText, "What an agent of Spot runs on an instance that is to end; muster encodes it."),
        launch(
            "iam_instance_profile", "iamRole", .string, absence: .means(""), reference: .instanceProfile,
            "The rights of what runs on them: the name or the ARN of an instance profile."),
        launch("monitoring", "monitoring", .boolean, "Whether metrics come every minute."),
        launch("ebs_optimized", "ebsOptimized", .boolean, "Whether volumes have bandwidth of their own."),
        launch(
            "tenancy", "tenancy", .string, constraints: [.allowed(["default", "dedicated", "host"])],
            "Whether the machines are shared."),
        launch(
            "health_check_type", "healthCheckType", .string,
            "Who finds instances healthy, such as EC2, ELB or TARGET_GROUP."),
        launch(
            "health_check_grace_period", "healthCheckGracePeriod", .integer, constraints: [.range(0, 86_400)],
            "Seconds in which a new instance is not judged."),
        launch(
            "health_check_unhealthy_duration_before_replacement", "healthCheckUnhealthyDurationBeforeReplacement",
            .integer, constraints: [.range(0, 86_400)], "Seconds after which an unhealthy instance is replaced."),
        place(
            "load_balancers", launchPath + ["loadBalancersConfig", "loadBalancers"],
            .set(.object(ElastigroupBlocks.balancer)), absence: .means([]),
            "Target groups and classic load balancers that instances join."),
        launch(
            "block_device_mappings", "blockDeviceMappings",
            .set(.object(ElastigroupBlocks.blockDevice), key: "device_name"), absence: .means([]), "Volumes."),
        launch(
            "network_interfaces", "networkInterfaces",
            .set(.object(ElastigroupBlocks.networkInterface), key: "device_index"), absence: .means([]),
            "Network interfaces, for what subnets and groups do not say."),
        place(
            "cpu_credits", launchPath + ["creditSpecification", "cpuCredits"], .string,
            constraints: [.allowed(["standard", "unlimited"])], "Whether burstable machines may borrow processor time."),
    ]

    private static let policies = ValueType.set(.object(ElastigroupBlocks.scalingPolicy), key: "policy_name")

    private static let otherPlaces: [Place] = [
        place("scaling_up", ["scaling", "up"], policies, absence: .means([]), "Policies that make the group larger."),
        place("scaling_down", ["scaling", "down"], policies, absence: .means([]), "Policies that make it smaller."),
        place("scaling_target", ["scaling", "target"], policies, absence: .means([]), "Policies that hold a metric."),
        place(
            "scheduled_tasks", ["scheduling", "tasks"], .list(.object(ElastigroupBlocks.scheduledTask)),
            absence: .means([]), "What is done at its time."),
        place(
            "rancher", rancherPath, .object(ElastigroupBlocks.rancher), absence: .means(.null),
            "The Rancher that instances are hosts of: the service takes a host out there before it ends the instance."),
        place(
            "rancher_access_key", rancherPath + ["accessKey"], .string,
            "The access key of an API key of the environment. Keys of an account do not work."),
        place(
            "rancher_secret_key", rancherPath + ["secretKey"], .string, isSensitive: true,
            "Its secret key, from a secret."),
    ]
}
