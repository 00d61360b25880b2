import AWSClient
import MusterModel
import ProviderKit

// Groups and rules are many, so they are asked for by id as long as one call can carry the ids. All rules of all groups
// come in one listing, whoever asks: reading rules and listing a group's children share it.

extension AWSSession {
    /// The security groups of this session, and those asked for.
    func securityGroups(_ ids: some Sequence<RemoteID>) async throws(ProviderError) -> [XMLElement] {
        try await ec2List(
            "DescribeSecurityGroups", at: "securityGroupInfo", filter: "group-id",
            ids: expectedIDs("aws.security_group", and: ids))
    }

    /// The rules of this session's groups, and of those asked for.
    func securityGroupRules(of groups: Set<String>) async throws(ProviderError) -> [XMLElement] {
        var groups = groups
        for group in expecting["aws.security_group"] ?? [] { groups.insert(group.id.rawValue) }
        for rule in expecting["aws.security_group_rule"] ?? [] {
            if let group = rule.arguments["security_group_id"]?.string { groups.insert(group) }
        }
        do throws(ProviderError) {
            return try await ec2List(
                "DescribeSecurityGroupRules", at: "securityGroupRuleSet", filter: "group-id", ids: groups)
        } catch {
            // One group that is gone must not hide the rules of the others.
            guard error.kind == .notFound else { throw error }
            return try await ec2List("DescribeSecurityGroupRules", at: "securityGroupRuleSet")
        }
    }
}
