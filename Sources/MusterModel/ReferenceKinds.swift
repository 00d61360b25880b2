// The table of reference kinds: where a bare name is looked for, what is a literal and what is reserved.

extension ReferenceKind {
    package static let vpc = ReferenceKind(
        "VPC", [Target("aws.vpc", "id"), Target("lookup.vpcs", "id")], literals: ["vpc-"])
    package static let subnet = ReferenceKind(
        "subnet", [Target("aws.subnet", "id"), Target("lookup.subnets", "id")], literals: ["subnet-"])
    package static let internetGateway = ReferenceKind(
        "internet gateway", [Target("aws.internet_gateway", "id")], literals: ["igw-"])
    package static let natGateway = ReferenceKind("NAT gateway", [Target("aws.nat_gateway", "id")], literals: ["nat-"])
    package static let elasticIP = ReferenceKind("elastic IP", [Target("aws.eip", "id")], literals: ["eipalloc-"])
    package static let routeTable = ReferenceKind("route table", [Target("aws.route_table", "id")], literals: ["rtb-"])
    package static let networkACL = ReferenceKind("network ACL", [Target("aws.network_acl", "id")], literals: ["acl-"])
    package static let vpcEndpoint = ReferenceKind(
        "VPC endpoint", [Target("aws.vpc_endpoint", "id")], literals: ["vpce-"])
    package static let securityGroup = ReferenceKind(
        "security group", [Target("aws.security_group", "id"), Target("lookup.security_groups", "id")],
        literals: ["sg-"])
    /// What a rule may name as its other side.
    package static let ruleSource = ReferenceKind(
        "security group, CIDR or prefix list",
        [Target("aws.security_group", "id"), Target("lookup.security_groups", "id")], literals: ["sg-", "pl-"],
        allowsCIDR: true, reserved: ["self", "any"])
    package static let keyPair = ReferenceKind("key pair", [Target("aws.key_pair", "id")])
    package static let instance = ReferenceKind("instance", [Target("aws.instance", "id")], literals: ["i-"])
    package static let iamRole = ReferenceKind("IAM role", [Target("aws.iam_role", "name")])
    package static let instanceProfile = ReferenceKind(
        "instance profile", [Target("aws.iam_instance_profile", "name")])
    package static let hostedZone = ReferenceKind(
        "hosted zone", [Target("aws.hosted_zone", "id"), Target("lookup.hosted_zones", "id")], literals: ["Z"])
    package static let image = ReferenceKind("image", [Target("lookup.amis", "id")], literals: ["ami-"])
    package static let snsTopic = ReferenceKind("SNS topic", [Target("aws.sns_topic", "arn")], literals: ["arn:"])
    package static let database = ReferenceKind(
        "database", [Target("aws.db_instance", "identifier"), Target("lookup.databases", "identifier")],
        literals: ["arn:"])
    /// Where a database is reached.
    package static let databaseAddress = ReferenceKind(
        "database", [Target("aws.db_instance", "address"), Target("lookup.databases", "address")])
    package static let dbSubnetGroup = ReferenceKind(
        "DB subnet group", [Target("aws.db_subnet_group", "name")], reserved: ["default"])
    package static let dbParameterGroup = ReferenceKind(
        "DB parameter group", [Target("aws.db_parameter_group", "name")], literals: ["default."])
    package static let loadBalancer = ReferenceKind(
        "load balancer", [Target("aws.load_balancer", "id"), Target("lookup.load_balancers", "arn")])
    package static let targetGroup = ReferenceKind(
        "target group", [Target("aws.target_group", "id")])
    /// What a target group may send to: an instance or a load balancer by name, or an id, an IPv4 address or an ARN.
    package static let target = ReferenceKind(
        "target", [Target("aws.instance", "id"), Target("aws.load_balancer", "id")],
        literals: ["i-"] + (0...9).map { String($0) })
    package static let listener = ReferenceKind("listener", [Target("aws.listener", "id")])
    package static let certificate = ReferenceKind(
        "certificate", [Target("aws.acm_certificate", "id"), Target("lookup.certificates", "arn")])
    package static let launchTemplate = ReferenceKind(
        "launch template", [Target("aws.launch_template", "id")], literals: ["lt-"])
    package static let launchConfiguration = ReferenceKind(
        "launch configuration", [Target("aws.launch_configuration", "id")])
    package static let autoscalingGroup = ReferenceKind(
        "autoscaling group", [Target("aws.autoscaling_group", "id")])
    /// What an alarm sets off.
    package static let alarmAction = ReferenceKind(
        "scaling policy or topic", [Target("aws.scaling_policy", "arn"), Target("aws.sns_topic", "arn")],
        literals: ["arn:"])
    package static let metricAlarm = ReferenceKind("alarm", [Target("aws.cloudwatch_alarm", "id")])
    /// The root device of an image that is named by a lookup.
    package static let imageRootDevice = ReferenceKind("image", [Target("lookup.amis", "root_device_name")])
    package static let cacheSubnetGroup = ReferenceKind(
        "cache subnet group", [Target("aws.elasticache_subnet_group", "name")], reserved: ["default"])
    package static let rancherServer = ReferenceKind(
        "Rancher server", [Target("rancher.server", "url")], literals: ["http://", "https://"])
    package static let rancherEnvironment = ReferenceKind(
        "Rancher environment", [Target("rancher.environment", "id")], literals: ["1a"])
    /// What a machine joins: the token of the environment says where it keeps the registration URL. One without a token is
    /// found too, so that lowering can say what it lacks.
    package static let rancherJoined = ReferenceKind(
        "Rancher environment",
        [Target("rancher.registration_token", "secret_to"), Target("rancher.environment", "id")])
    /// Whose API key it is: an environment or an account.
    package static let rancherKeyOwner = ReferenceKind(
        "Rancher environment or service account",
        [Target("rancher.environment", "id"), Target("rancher.service_account", "id")], literals: ["1a"])
    package static let rancherRegistry = ReferenceKind(
        "registry", [Target("rancher.registry", "id")], literals: ["1sp"])
    package static let rancherStack = ReferenceKind(
        "Rancher stack", [Target("rancher.stack", "id")], literals: ["1st", "1e"])
}
