import MusterModel
import ProviderKit

/// Every type and lookup of the provider, in the order of the reference page. A test finds a file missing from it.
enum Catalog {
    private static let types = HandlerTable<AWSSession>([
        .init("aws.vpc", VPC.init),
        .init("aws.subnet", Subnet.init),
        .init("aws.internet_gateway", InternetGateway.init),
        .init("aws.nat_gateway", NATGateway.init),
        .init("aws.eip", ElasticIP.init),
        .init("aws.route_table", RouteTable.init),
        .init("aws.route", Route.init),
        .init("aws.route_table_association", RouteTableAssociation.init),
        .init("aws.network_acl", NetworkACL.init),
        .init("aws.network_acl_rule", NetworkACLRule.init),
        .init("aws.vpc_endpoint", VPCEndpoint.init),
        .init("aws.security_group", SecurityGroup.init),
        .init("aws.security_group_rule", SecurityGroupRule.init),
        .init("aws.key_pair", KeyPair.init),
        .init("aws.instance", Instance.init),
        .init("aws.launch_template", LaunchTemplate.init),
        .init("aws.launch_configuration", LaunchConfiguration.init),
        .init("aws.autoscaling_group", AutoscalingGroup.init),
        .init("aws.lifecycle_hook", LifecycleHook.init),
        .init("aws.scheduled_action", ScheduledAction.init),
        .init("aws.scaling_policy", ScalingPolicy.init),
        .init("aws.cloudwatch_alarm", CloudWatchAlarm.init),
        .init("aws.iam_role", IAMRole.init),
        .init("aws.iam_role_policy", IAMRolePolicy.init),
        .init("aws.iam_role_policy_attachment", IAMRolePolicyAttachment.init),
        .init("aws.iam_instance_profile", IAMInstanceProfile.init),
        .init("aws.hosted_zone", HostedZone.init),
        .init("aws.dns_record", DNSRecord.init),
        .init("aws.sns_topic", SNSTopic.init),
        .init("aws.ecr_repository", ECRRepository.init),
        .init("aws.db_instance", DBInstance.init),
        .init("aws.db_subnet_group", DBSubnetGroup.init),
        .init("aws.db_parameter_group", DBParameterGroup.init),
        .init("aws.elasticache_replication_group", ReplicationGroup.init),
        .init("aws.elasticache_subnet_group", ElastiCacheSubnetGroup.init),
        .init("aws.load_balancer", LoadBalancer.init),
        .init("aws.target_group", TargetGroup.init),
        .init("aws.target_group_attachment", TargetGroupAttachment.init),
        .init("aws.listener", Listener.init),
        .init("aws.listener_certificate", ListenerCertificate.init),
        .init("aws.listener_rule", ListenerRule.init),
        .init("aws.acm_certificate", ACMCertificate.init),
    ])

    private static let lookupEntries: [LookupEntry] = [
        LookupEntry(AMILookup.init),
        LookupEntry(AvailabilityZonesLookup.init),
        LookupEntry(HostedZoneLookup.init),
        LookupEntry(VPCLookup.init),
        LookupEntry(SubnetLookup.init),
        LookupEntry(SecurityGroupLookup.init),
        LookupEntry(LoadBalancerLookup.init),
        LookupEntry(CertificateLookup.init),
        LookupEntry(DatabaseLookup.init),
        LookupEntry(CallerIdentityLookup.init),
        LookupEntry(SSMParameterLookup.init),
    ]

    static let schemas = MusterModel.Catalog(types.schemas, lookups: { lookupEntries.map(\.schema) })

    private static let lookupIndex: [String: LookupEntry] = Dictionary(
        lookupEntries.map { ($0.schema.kind, $0) }, uniquingKeysWith: { first, _ in first })

    static func handler(for type: ResourceType, in session: AWSSession) -> (any ResourceHandler)? {
        types.handler(for: type, in: session)
    }

    static func lookup(
        _ kind: String, _ arguments: [String: Value], in session: AWSSession
    ) async throws(ProviderError) -> [String: Value] {
        guard let entry = lookupIndex[kind] else {
            throw ProviderError(.invalid, "There is no lookup \"\(kind)\".")
        }
        return try await entry.find(session, arguments)
    }
}

private struct LookupEntry: Sendable {
    let schema: LookupSchema
    let find: @Sendable (AWSSession, [String: Value]) async throws(ProviderError) -> [String: Value]

    init<Kind: Lookup>(_ make: @escaping @Sendable (AWSSession) -> Kind) {
        schema = Kind.schema
        find = { (session, arguments) async throws(ProviderError) -> [String: Value] in
            try await make(session).find(values: arguments)
        }
    }
}
