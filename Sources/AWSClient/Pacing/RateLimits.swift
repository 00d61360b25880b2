// AWS's published request limits, as data. A limit is a bucket that holds `capacity` requests and refills at a rate;
// they are kept per account and region. What is not published is not limited before the first throttle.

/// One bucket a call draws from.
struct RateLimit: Equatable {
    /// Calls with the same name share the bucket.
    var bucket: String
    var capacity: Double
    var refillPerSecond: Double
    /// How much this call takes.
    var cost = 1.0
}

enum PublishedRateLimits {
    static func limits(for operation: AWSOperation) -> [RateLimit] {
        switch operation.service {
        case .ec2: ec2(operation)
        case .elbv2: elbv2(operation.name)
        case .route53: [RateLimit(bucket: "route53", capacity: 5, refillPerSecond: 5)]
        case .acm: perAction(operation, acm)
        case .cloudwatch: perAction(operation, cloudwatch)
        case .autoscaling: perAction(operation, autoscaling)
        case .ssm where operation.name.hasPrefix("GetParameter"):
            [RateLimit(bucket: "ssm.GetParameter", capacity: 40, refillPerSecond: 40)]
        case .sts: [RateLimit(bucket: "sts", capacity: 600, refillPerSecond: 600)]
        default: []
        }
    }

    private static func perAction(_ operation: AWSOperation, _ rates: [String: Double]) -> [RateLimit] {
        guard let rate = rates[operation.name] else { return [] }
        let bucket = "\(operation.service.name).\(operation.name)"
        return [RateLimit(bucket: bucket, capacity: max(1, rate), refillPerSecond: rate)]
    }

    private static let acm: [String: Double] = [
        "ListCertificates": 1, "DescribeCertificate": 10, "ListTagsForCertificate": 10, "RequestCertificate": 5,
        "DeleteCertificate": 10, "AddTagsToCertificate": 5,
    ]
    private static let cloudwatch: [String: Double] = ["PutMetricAlarm": 3, "DescribeAlarms": 9, "DeleteAlarms": 3]
    private static let autoscaling: [String: Double] = ["CreateAutoScalingGroup": 5, "UpdateAutoScalingGroup": 5]

    private static func elbv2(_ name: String) -> [RateLimit] {
        switch name {
        case "CreateLoadBalancer", "SetSubnets":
            [RateLimit(bucket: "elbv2.\(name)", capacity: 10, refillPerSecond: 0.2)]
        case "RegisterTargets", "DeregisterTargets":
            [RateLimit(bucket: "elbv2.registration", capacity: 20, refillPerSecond: 4)]
        case _ where name.hasPrefix("Describe"):
            [RateLimit(bucket: "elbv2.read", capacity: 40, refillPerSecond: 10)]
        default:
            [RateLimit(bucket: "elbv2.write", capacity: 20, refillPerSecond: 3)]
        }
    }

    // MARK: - EC2: a bucket for each action

    private static let wideDescribes: Set<String> = [
        "DescribeInstances", "DescribeInstanceStatus", "DescribeNetworkInterfaces", "DescribeSecurityGroups",
        "DescribeSnapshots", "DescribeSpotInstanceRequests", "DescribeVolumes",
    ]

    private static let ec2Actions: [String: (capacity: Double, refill: Double)] = [
        "RunInstances": (5, 2), "StartInstances": (5, 2),
        "TerminateInstances": (100, 5), "CreateVolume": (100, 5), "DeleteVolume": (100, 5),
        "CreateNetworkInterface": (100, 5), "CreateLaunchTemplateVersion": (100, 5), "ModifyLaunchTemplate": (100, 5),
        "ModifyInstanceMetadataOptions": (100, 5), "AssociateIamInstanceProfile": (100, 5),
        "DisassociateIamInstanceProfile": (100, 5),
        "CreateTags": (100, 10), "DeleteTags": (100, 10),
        "CreateNatGateway": (10, 1), "DeleteNatGateway": (10, 1),
        "CreateVpcEndpoint": (4, 0.3), "ModifyVpcEndpoint": (4, 0.3), "DeleteVpcEndpoints": (4, 0.3),
    ]

    /// Buckets that count instances, not requests.
    private static let ec2Instances: [String: (capacity: Double, refill: Double)] = [
        "RunInstances": (1_000, 2), "StartInstances": (1_000, 2), "TerminateInstances": (1_000, 20),
        "StopInstances": (1_000, 20),
    ]

    private static func ec2(_ operation: AWSOperation) -> [RateLimit] {
        let name = operation.name
        let input = operation.input
        var rate: (capacity: Double, refill: Double)
        if let known = ec2Actions[name] {
            rate = known
        } else if AWSEffect(operationName: name) == .read {
            let isNarrow = input["Filter"] != nil || input["MaxResults"] != nil
            rate = wideDescribes.contains(name) && !isNarrow ? (50, 10) : (100, 20)
        } else {
            rate = (50, 5)
        }
        var limits = [RateLimit(bucket: "ec2.\(name)", capacity: rate.capacity, refillPerSecond: rate.refill)]
        if let resource = ec2Instances[name] {
            var count = 1
            if case .integer(let maximum)? = input["MaxCount"] { count = maximum }
            if case .list(let ids, _)? = input["InstanceId"] { count = ids.count }
            limits.append(
                RateLimit(
                    bucket: "ec2.\(name)/instances", capacity: resource.capacity, refillPerSecond: resource.refill,
                    cost: Double(max(1, count))))
        }
        return limits
    }
}
