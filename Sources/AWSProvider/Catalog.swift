import MusterModel
import ProviderKit

/// Every type and lookup of the provider, in the order of the reference page. A test finds a file missing from it.
enum Catalog {
    private static let resourceEntries: [ResourceEntry] = [
        ResourceEntry("aws.vpc", VPC.init),
        ResourceEntry("aws.subnet", Subnet.init),
        ResourceEntry("aws.internet_gateway", InternetGateway.init),
        ResourceEntry("aws.nat_gateway", NATGateway.init),
        ResourceEntry("aws.eip", ElasticIP.init),
        ResourceEntry("aws.route_table", RouteTable.init),
        ResourceEntry("aws.route", Route.init),
        ResourceEntry("aws.route_table_association", RouteTableAssociation.init),
        ResourceEntry("aws.network_acl", NetworkACL.init),
        ResourceEntry("aws.network_acl_rule", NetworkACLRule.init),
        ResourceEntry("aws.vpc_endpoint", VPCEndpoint.init),
        ResourceEntry("aws.security_group", SecurityGroup.init),
        ResourceEntry("aws.security_group_rule", SecurityGroupRule.init),
        ResourceEntry("aws.key_pair", KeyPair.init),
        ResourceEntry("aws.instance", Instance.init),
        ResourceEntry("aws.launch_template", LaunchTemplate.init),
        ResourceEntry("aws.launch_configuration", LaunchConfiguration.init),
        ResourceEntry("aws.autoscaling_group", AutoscalingGroup.init),
        ResourceEntry("aws.lifecycle_hook", LifecycleHook.init),
        ResourceEntry("aws.scheduled_action", ScheduledAction.init),
        ResourceEntry("aws.scaling_policy", ScalingPolicy.init),
        ResourceEntry("aws.cloudwatch_alarm", CloudWatchAlarm.init),
        ResourceEntry("aws.iam_role", IAMRole.init),
        ResourceEntry("aws.iam_role_policy", IAMRolePolicy.init),
        ResourceEntry("aws.iam_role_policy_attachment", IAMRolePolicyAttachment.init),
        ResourceEntry("aws.iam_instance_profile", IAMInstanceProfile.init),
        ResourceEntry("aws.hosted_zone", HostedZone.init),
        ResourceEntry("aws.dns_record", DNSRecord.init),
        ResourceEntry("aws.sns_topic", SNSTopic.init),
        ResourceEntry("aws.ecr_repository", ECRRepository.init),
        ResourceEntry("aws.db_instance", DBInstance.init),
        ResourceEntry("aws.db_subnet_group", DBSubnetGroup.init),
        ResourceEntry("aws.db_parameter_group", DBParameterGroup.init),
        ResourceEntry("aws.elasticache_replication_group", ReplicationGroup.init),
        ResourceEntry("aws.elasticache_subnet_group", ElastiCacheSubnetGroup.init),
        ResourceEntry("aws.load_balancer", LoadBalancer.init),
        ResourceEntry("aws.target_group", TargetGroup.init),
        ResourceEntry("aws.target_group_attachment", TargetGroupAttachment.init),
        ResourceEntry("aws.listener", Listener.init),
        ResourceEntry("aws.listener_certificate", ListenerCertificate.init),
        ResourceEntry("aws.listener_rule", ListenerRule.init),
        ResourceEntry("aws.acm_certificate", ACMCertificate.init),
    ]

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

    static let schemas = MusterModel.Catalog(
        resourceEntries.map { MusterModel.Catalog.Entry($0.type, schema: $0.schema) },
        lookups: { lookupEntries.map(\.schema) })

    private static let resourceIndex: [ResourceType: ResourceEntry] = Dictionary(
        resourceEntries.map { ($0.type, $0) }, uniquingKeysWith: { first, _ in first })
    private static let lookupIndex: [String: LookupEntry] = Dictionary(
        lookupEntries.map { ($0.schema.kind, $0) }, uniquingKeysWith: { first, _ in first })

    static func handler(for type: ResourceType, in session: AWSSession) -> (any ResourceHandler)? {
        resourceIndex[type]?.handler(session)
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

private struct ResourceEntry: Sendable {
    let type: ResourceType
    let schema: @Sendable () -> ResourceSchema
    let handler: @Sendable (AWSSession) -> any ResourceHandler

    /// - Parameter type: as the schema says it, which is not made for its name alone.
    init<Resource: ManagedResource>(
        _ type: ResourceType, _ make: @escaping @Sendable (AWSSession) -> Resource
    ) {
        self.type = type
        schema = { Resource.schema.resource }
        handler = { TypedHandler(make($0)) }
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
