// Load balancers, target groups, listeners and what hangs on them, as rows of the table.

extension SimulatedCatalog {
    private static let arn = "arn:aws:elasticloadbalancing:\(SimulatedAWS.arnStart)"
    private static let service = "elasticloadbalancing"

    static let loadBalancer = Kind(
        kind: "balancer", collection: "LoadBalancers.member", place: ["Name"],
        repetition: .sameAgain("DuplicateLoadBalancerName"), key: "LoadBalancerArn", idField: "LoadBalancerArn",
        id: { $0.newID("\(arn):loadbalancer/app/\($1["Name"])/") },
        needs: [
            Need("Subnets.member.#", "subnet", "SubnetNotFound"),
            Need("SecurityGroups.member.#", "group", "InvalidSecurityGroup.NotFound"),
        ], parts: ["listener"], missing: "LoadBalancerNotFound", isDeletedOnce: false, takes: 1,
        told: { cloud, object in
            let subnets = object.values("Subnets.member.#").map { ["SubnetId": $0] }
            return [
                "LoadBalancerName": object["Name"], "DNSName": "\(object["Name"])-1.us-east-1.elb.amazonaws.com",
                "CanonicalHostedZoneId": "Z35SXDOTRQ7X7K", "IpAddressType": "ipv4",
                "State.Code": object.readyAt > cloud.now ? "provisioning" : "active",
            ].merging(FlatAnswer.list("AvailabilityZones.member", subnets)) { $1 }
        })

    static let targetGroup = Kind(
        kind: "targetgroup", collection: "TargetGroups.member", place: ["Name"],
        repetition: .sameAgain("DuplicateTargetGroupName"), key: "TargetGroupArn", idField: "TargetGroupArn",
        id: { $0.newID("\(arn):targetgroup/\($1["Name"])/") }, needs: [Need("VpcId", "vpc", "InvalidVpc.NotFound")],
        parts: ["target"], missing: "TargetGroupNotFound", isDeletedOnce: false,
        told: { _, object in ["TargetGroupName": object["Name"], "ProtocolVersion": "HTTP1"] })

    static let target = Kind(
        kind: "target", collection: "TargetHealthDescriptions.member", place: [],
        needs: [
            Need("TargetGroupArn", "targetgroup", "TargetGroupNotFound"),
            Need("Targets.member.#.Id", "instance", "InvalidTarget"),
        ])

    static let listener = Kind(
        kind: "listener", collection: "Listeners.member", place: ["LoadBalancerArn", "Port"],
        repetition: .sameAgain("DuplicateListener"), key: "ListenerArn", idField: "ListenerArn",
        id: { $0.newID($1["LoadBalancerArn"].replacing(":loadbalancer/", with: ":listener/") + "/") },
        needs: [
            Need("LoadBalancerArn", "balancer", "LoadBalancerNotFound"),
            Need("DefaultActions.member.#.TargetGroupArn", "targetgroup", "TargetGroupNotFound"),
            Need("Certificates.member.#.CertificateArn", "certificate", "CertificateNotFound"),
        ], parts: ["listenerrule", "listenercertificate"], missing: "ListenerNotFound", isDeletedOnce: false)

    static let listenerCertificate = Kind(
        kind: "listenercertificate", collection: "Certificates.member",
        place: ["ListenerArn", "Certificates.member.1.CertificateArn"], repetition: .overwrites,
        id: { "listenercertificate/\($1["ListenerArn"]),\($1["Certificates.member.1.CertificateArn"])" },
        needs: [
            Need("ListenerArn", "listener", "ListenerNotFound"),
            Need("Certificates.member.#.CertificateArn", "certificate", "CertificateNotFound"),
        ], isDeletedOnce: false)

    static let listenerRule = Kind(
        kind: "listenerrule", collection: "Rules.member", place: ["ListenerArn", "Priority"],
        repetition: .refused("PriorityInUse"), key: "RuleArn", idField: "RuleArn",
        id: { $0.newID($1["ListenerArn"].replacing(":listener/", with: ":listener-rule/") + "/") },
        needs: [
            Need("ListenerArn", "listener", "ListenerNotFound"),
            Need("Actions.member.#.TargetGroupArn", "targetgroup", "TargetGroupNotFound"),
        ], missing: "RuleNotFound", isDeletedOnce: false)

    static let balancingCalls: [String: Call] = [
        life(
            service, loadBalancer, make: "CreateLoadBalancer", change: "SetSubnets", delete: "DeleteLoadBalancer"),
        life(service, loadBalancer, change: "SetSecurityGroups"),
        life(
            service, targetGroup, make: "CreateTargetGroup", change: "ModifyTargetGroup", delete: "DeleteTargetGroup"),
        life(service, listener, make: "CreateListener", change: "ModifyListener", delete: "DeleteListener"),
        life(service, listenerRule, make: "CreateRule", change: "ModifyRule", delete: "DeleteRule"),
        life(
            service, listenerCertificate, make: "AddListenerCertificates", delete: "RemoveListenerCertificates"),
        attributes("LoadBalancer", loadBalancer), attributes("TargetGroup", targetGroup),
        attributes("Listener", listener),
        [
            "\(service).DescribeLoadBalancers": { cloud, request in
                try cloud.tell(loadBalancer, request, by: ["Names.member.#": "Name"], isStrict: true)
            },
            "\(service).DescribeTargetGroups": { cloud, request in
                try cloud.tell(targetGroup, request, by: ["Names.member.#": "Name"], isStrict: true)
            },
            "\(service).DescribeListeners": { cloud, request in
                try cloud.tell(listener, request, under: listener.needs[0])
            },
            "\(service).DescribeRules": { cloud, request in
                try cloud.tell(listenerRule, request, under: listenerRule.needs[0])
            },
            "\(service).DescribeListenerCertificates": { cloud, request in
                let own = try cloud.seen(listener, request)
                let first = own.values("Certificates.member.#.CertificateArn")
                    .map { ["CertificateArn": $0, "IsDefault": "true"] }
                let more = cloud.seen("listenercertificate").filter { $0["ListenerArn"] == own.id }
                    .map { ["CertificateArn": $0["Certificates.member.1.CertificateArn"], "IsDefault": "false"] }
                return FlatAnswer.list("Certificates.member", first + more)
            },
            "\(service).SetRulePriorities": { cloud, request in
                let rule = try cloud.taggable(request["RulePriorities.member.1.RuleArn"], "RuleNotFound")
                let priority = request["RulePriorities.member.1.Priority"]
                let isTaken = cloud.objects("listenerrule").contains {
                    $0.id != rule.id && $0["ListenerArn"] == rule["ListenerArn"] && $0["Priority"] == priority
                }
                if isTaken { throw Refusal("PriorityInUse", "Priority '\(priority)' is currently in use") }
                cloud.change(rule.id) { $0["Priority"] = priority }
                return [:]
            },
            "\(service).DescribeTags": { cloud, request in
                let answers = try request.values("ResourceArns.member.#").map { arn in
                    let object = try cloud.taggable(arn, "LoadBalancerNotFound")
                    return FlatAnswer.tags("Tags.member", object.tags).merging(["ResourceArn": arn]) { $1 }
                }
                return FlatAnswer.list("TagDescriptions.member", answers)
            },
            "\(service).AddTags": { cloud, request in
                try cloud.addTags(request["ResourceArns.member.1"], request, "LoadBalancerNotFound")
            },
            "\(service).RemoveTags": { cloud, request in
                try cloud.removeTags(
                    request["ResourceArns.member.1"], request.list("TagKeys.member"), "LoadBalancerNotFound")
            },
        ],
    ].reduce(into: [:]) { $0.merge($1) { first, _ in first } }

    /// Settings that have calls of their own.
    private static func attributes(_ name: String, _ kind: Kind) -> [String: Call] {
        [
            "\(service).Describe\(name)Attributes": { cloud, request in
                let object = try cloud.seen(kind, request)
                let set = object.fields.filter { $0.key.hasPrefix("-attribute:") }.sorted { $0.key < $1.key }
                    .map { ["Key": String($0.key.dropFirst(11)), "Value": $0.value] }
                return FlatAnswer.list("Attributes.member", set)
            },
            "\(service).Modify\(name)Attributes": { cloud, request in
                let object = try cloud.named(kind, request)
                for number in 1...max(1, request.count("Attributes.member")) {
                    let key = request["Attributes.member.\(number).Key"]
                    cloud.change(object.id) { $0["-attribute:\(key)"] = request["Attributes.member.\(number).Value"] }
                }
                return [:]
            },
        ]
    }

    // MARK: - Targets

    static let targetCalls: [String: Call] = [
        "\(service).RegisterTargets": { cloud, request in
            let id = targetID(request)
            if let there = cloud.current(id) {
                if there.goneAt == nil { cloud.noteRepeat(id) }
                cloud.change(there.id) {
                    $0.goneAt = nil
                    $0.forgottenAt = nil
                }
                return [:]
            }
            try cloud.check(target, request)
            cloud.add("target", id: id, request.fields.filter { $0.key.hasPrefix("Target") })
            return [:]
        },
        "\(service).DeregisterTargets": { cloud, request in
            _ = try cloud.seen(targetGroup, request)
            cloud.startRemoving(targetID(request))
            return [:]
        },
        "\(service).DescribeTargetHealth": { cloud, request in
            let group = try cloud.seen(targetGroup, request)
            let targets = cloud.seen("target").filter { $0["TargetGroupArn"] == group.id }.map {
                let port = $0["Targets.member.1.Port"]
                return [
                    "Target.Id": $0["Targets.member.1.Id"], "Target.Port": port.isEmpty ? group["Port"] : port,
                    "TargetHealth.State": $0.goneAt == nil ? "healthy" : "draining",
                ]
            }
            return FlatAnswer.list("TargetHealthDescriptions.member", targets)
        },
    ]

    private static func targetID(_ request: CloudRequest) -> String {
        let port = request["Targets.member.1.Port"]
        return "target/\(request["TargetGroupArn"]),\(request["Targets.member.1.Id"])"
            + (port.isEmpty ? "" : ",\(port)")
    }
}
