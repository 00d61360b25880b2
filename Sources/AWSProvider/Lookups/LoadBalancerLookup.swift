import AWSClient
import MusterModel
import ProviderKit

/// A load balancer that is not managed here.
///
/// Calls: `DescribeLoadBalancers`; `DescribeTags` where tags are asked for.
struct LoadBalancerLookup: Lookup {
    struct Arguments: ArgumentBlock {
        var name: String?
        var arn: String?
        var tags: [String: String]?

        static let fields: [Field<Self>] = [
            .argument("name", \.name, "The name."),
            .argument("arn", \.arn, "The ARN."),
            .argument("tags", \.tags, "Tags that it has."),
        ]
    }

    struct Outputs: ArgumentBlock {
        var arn: String?
        var arnSuffix: String?
        var name: String?
        var kind: String?
        var isInternal: Bool?
        var dnsName: String?
        var zoneID: String?
        var vpcID: String?
        var subnets: [String]?
        var securityGroups: [String]?
        var ipAddressType: String?

        static let fields: [Field<Self>] = [
            .output("arn", \.arn, "The ARN."),
            .output("arn_suffix", \.arnSuffix, "`app/NAME/ID`, as metrics name it."),
            .output("name", \.name, "The name."),
            .output("load_balancer_type", \.kind, "`application`, `network` or `gateway`."),
            .output("internal", \.isInternal, "Whether it has private addresses only."),
            .output("dns_name", \.dnsName, "The name that AWS gave, in lower case."),
            .output("zone_id", \.zoneID, "The hosted zone that an alias to it names."),
            .output("vpc_id", \.vpcID, "The VPC that it stands in."),
            .output("subnets", \.subnets, "Its subnets, sorted."),
            .output("security_groups", \.securityGroups, "The groups that guard it, sorted."),
            .output("ip_address_type", \.ipAddressType, "The kind of its addresses."),
        ]
    }

    static let schema = makeSchema("load_balancers", "A load balancer that is not managed here.")

    let aws: AWSSession

    func find(_ arguments: Arguments) async throws(ProviderError) -> Outputs {
        var found = try await aws.loadBalancers().filter { item in
            (arguments.name.filled.map { $0 == item["LoadBalancerName"].text } ?? true)
                && (arguments.arn.filled.map { $0 == item["LoadBalancerArn"].text } ?? true)
        }
        if let tags = arguments.tags, !tags.isEmpty {
            let all = try await aws.elbTags(found.map { $0["LoadBalancerArn"].text })
            found = found.filter { item in
                tags.allSatisfy { all[item["LoadBalancerArn"].text]?[$0.key] == $0.value }
            }
        }
        return outputs(
            try one(
                of: found,
                asked: [("name", arguments.name), ("arn", arguments.arn), ("tags", conditions(arguments.tags))],
                narrow: "Narrow it with \"name\", \"tags\" or \"arn\".",
                describe: { "\($0["LoadBalancerName"].text) (\($0["LoadBalancerArn"].text))" }))
    }

    // MARK: - Wire format

    private func outputs(_ item: XMLElement) -> Outputs {
        var outputs = Outputs()
        let arn = item["LoadBalancerArn"].text
        outputs.arn = arn
        outputs.arnSuffix = ELBName.suffix(arn)
        outputs.name = item["LoadBalancerName"].text
        outputs.kind = item["Type"].text
        outputs.isInternal = item["Scheme"].text == "internal"
        outputs.dnsName = item["DNSName"].text.lowercased()
        outputs.zoneID = item["CanonicalHostedZoneId"].text
        outputs.vpcID = item["VpcId"].text
        outputs.subnets = item["AvailabilityZones"].items.map { $0["SubnetId"].text }.sorted()
        outputs.securityGroups = item["SecurityGroups"].texts.sorted()
        outputs.ipAddressType = item["IpAddressType"].text
        return outputs
    }
}
