import MusterModel
import ProviderKit

/// Every type and lookup of the provider, in the order of the reference page. A test finds a file missing from it.
enum Catalog {
    private static let resourceEntries: [ResourceEntry] = [
        ResourceEntry(VPC.init),
        ResourceEntry(Subnet.init),
        ResourceEntry(InternetGateway.init),
        ResourceEntry(NATGateway.init),
        ResourceEntry(ElasticIP.init),
        ResourceEntry(RouteTable.init),
        ResourceEntry(Route.init),
        ResourceEntry(RouteTableAssociation.init),
        ResourceEntry(NetworkACL.init),
        ResourceEntry(NetworkACLRule.init),
        ResourceEntry(VPCEndpoint.init),
        ResourceEntry(SecurityGroup.init),
        ResourceEntry(SecurityGroupRule.init),
        ResourceEntry(KeyPair.init),
        ResourceEntry(Instance.init),
        ResourceEntry(LaunchTemplate.init),
        ResourceEntry(LaunchConfiguration.init),
        ResourceEntry(AutoscalingGroup.init),
        ResourceEntry(LifecycleHook.init),
        ResourceEntry(ScheduledAction.init),
        ResourceEntry(ScalingPolicy.init),
        ResourceEntry(CloudWatchAlarm.init),
        ResourceEntry(IAMRole.init),
        ResourceEntry(IAMRolePolicy.init),
        ResourceEntry(IAMRolePolicyAttachment.init),
        ResourceEntry(IAMInstanceProfile.init),
        ResourceEntry(HostedZone.init),
        ResourceEntry(DNSRecord.init),
        ResourceEntry(SNSTopic.init),
        ResourceEntry(ECRRepository.init),
        ResourceEntry(DBInstance.init),
        ResourceEntry(DBSubnetGroup.init),
        ResourceEntry(DBParameterGroup.init),
        ResourceEntry(ReplicationGroup.init),
        ResourceEntry(ElastiCacheSubnetGroup.init),
        ResourceEntry(LoadBalancer.init),
        ResourceEntry(TargetGroup.init),
        ResourceEntry(TargetGroupAttachment.init),
        ResourceEntry(Listener.init),
        ResourceEntry(ListenerCertificate.init),
        ResourceEntry(ListenerRule.init),
        ResourceEntry(ACMCertificate.init),
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

    static let resources: [ResourceSchema] = resourceEntries.map(\.schema)
    static let lookups: [LookupSchema] = lookupEntries.map(\.schema)

    private static let resourceIndex: [ResourceType: ResourceEntry] = Dictionary(
        resourceEntries.map { ($0.schema.type, $0) }, uniquingKeysWith: { first, _ in first })
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
    let schema: ResourceSchema
    let handler: @Sendable (AWSSession) -> any ResourceHandler

    init<Resource: ManagedResource>(_ make: @escaping @Sendable (AWSSession) -> Resource) {
        schema = Resource.schema.resource
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
