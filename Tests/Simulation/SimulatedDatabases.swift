// RDS and ElastiCache, topics, repositories, certificates. Rows of the table.

extension SimulatedCatalog {
    static let databaseSubnets = Kind(
        kind: "dbsubnets", collection: "DBSubnetGroups.DBSubnetGroup", single: "DBSubnetGroup",
        place: ["DBSubnetGroupName"], repetition: .refused("DBSubnetGroupAlreadyExists"),
        needs: [Need("SubnetIds.SubnetIdentifier.#", "subnet", "InvalidSubnet.NotFound")],
        missing: "DBSubnetGroupNotFoundFault", held: "InvalidDBSubnetGroupStateFault",
        told: { _, object in
            let subnets = object.values("SubnetIds.SubnetIdentifier.#").map { ["SubnetIdentifier": $0] }
            return FlatAnswer.list("Subnets.Subnet", subnets).merging(["DBSubnetGroupArn": object["-arn"]]) { $1 }
        })

    static let parameterGroup = Kind(
        kind: "dbparameters", collection: "DBParameterGroups.DBParameterGroup", single: "DBParameterGroup",
        place: ["DBParameterGroupName"], repetition: .refused("DBParameterGroupAlreadyExists"),
        missing: "DBParameterGroupNotFound", held: "InvalidDBParameterGroupState",
        told: { _, object in ["DBParameterGroupArn": object["-arn"]] })

    static let database = Kind(
        kind: "database", collection: "DBInstances.DBInstance", single: "DBInstance", place: ["DBInstanceIdentifier"],
        repetition: .refused("DBInstanceAlreadyExists"), key: "DBInstanceIdentifier", idField: "DbiResourceId",
        id: { cloud, _ in
            let digits = cloud.newID("").uppercased()
            return "db-" + String(repeating: "A", count: 26 - digits.count) + digits
        },
        needs: [
            Need("DBSubnetGroupName", "dbsubnets", "DBSubnetGroupName", "DBSubnetGroupNotFoundFault"),
            Need("DBParameterGroupName", "dbparameters", "DBParameterGroupName", "DBParameterGroupNotFound"),
            Need("VpcSecurityGroupIds.VpcSecurityGroupId.#", "group", "InvalidGroup.NotFound"),
        ], missing: "DBInstanceNotFound", takes: 1, lingers: true, secrets: ["MasterUserPassword"],
        told: { cloud, object in
            var told: Flat = [
                "DBInstanceArn": object["-arn"],
                "Endpoint.Address": "\(object["DBInstanceIdentifier"]).rds.amazonaws.com",
                "Endpoint.Port": object["Port"].isEmpty ? "3306" : object["Port"],
                "DBSubnetGroup.DBSubnetGroupName": object["DBSubnetGroupName"],
                "DBParameterGroups.DBParameterGroup.1.DBParameterGroupName": object["DBParameterGroupName"],
                "DBInstanceStatus": cloud.state(object, ready: "available", changing: "modifying"),
            ]
            let groups = object.values("VpcSecurityGroupIds.VpcSecurityGroupId.#")
                .map { ["VpcSecurityGroupId": $0, "Status": "active"] }
            told.merge(FlatAnswer.list("VpcSecurityGroups.VpcSecurityGroupMembership", groups)) { $1 }
            return told.merging(FlatAnswer.tags("TagList.Tag", object.tags)) { $1 }
        })

    static let databaseCalls: [String: Call] = [
        life(
            "rds", databaseSubnets, make: "CreateDBSubnetGroup", change: "ModifyDBSubnetGroup",
            delete: "DeleteDBSubnetGroup"),
        life("rds", parameterGroup, make: "CreateDBParameterGroup", delete: "DeleteDBParameterGroup"),
        life("rds", database, make: "CreateDBInstance", delete: "DeleteDBInstance"),
        resourceTagCalls("rds", "DBInstanceNotFound"),
        [
            "rds.ModifyDBInstance": { cloud, request in
                try cloud.refuseUnlessReady(database, request, "InvalidDBInstanceState")
                return try cloud.change(database, request)
            },
            "rds.DescribeDBSubnetGroups": { cloud, request in
                try cloud.tell(
                    databaseSubnets, request, by: ["DBSubnetGroupName": "DBSubnetGroupName"], isStrict: true)
            },
            "rds.DescribeDBParameterGroups": { cloud, request in
                try cloud.tell(
                    parameterGroup, request, by: ["DBParameterGroupName": "DBParameterGroupName"], isStrict: true)
            },
            "rds.DescribeDBInstances": { cloud, request in
                if request.optional("DBInstanceIdentifier") != nil {
                    return try cloud.tell(
                        database, request, by: ["DBInstanceIdentifier": "DBInstanceIdentifier"], isStrict: true)
                }
                return try cloud.tell(database, request, by: ["Filters.Filter.1.Values.Value.#": "DbiResourceId"])
            },
            "rds.DescribeDBParameters": { cloud, request in
                let group = try cloud.seen(parameterGroup, request)
                var set = group.fields.filter { $0.key.hasPrefix("-parameter:") }.sorted { $0.key < $1.key }.map {
                    [
                        "ParameterName": String($0.key.dropFirst(11)), "ParameterValue": $0.value,
                        "ApplyMethod": "immediate", "ApplyType": "dynamic",
                    ]
                }
                // What the engine has, without being set.
                if request.optional("Source") == nil, group["-parameter:max_connections"].isEmpty {
                    set.append(["ParameterName": "max_connections", "ApplyType": "dynamic"])
                }
                return FlatAnswer.list("Parameters.Parameter", set)
            },
            "rds.ModifyDBParameterGroup": { cloud, request in
                try cloud.setParameters(request) { request["\($0).ParameterValue"] }
            },
            "rds.ResetDBParameterGroup": { cloud, request in
                try cloud.setParameters(request) { _ in nil }
            },
        ],
    ].reduce(into: [:]) { $0.merge($1) { first, _ in first } }

    private static func resourceTagCalls(_ service: String, _ code: String) -> [String: Call] {
        [
            "\(service).ListTagsForResource": { cloud, request in
                FlatAnswer.tags("TagList.Tag", try cloud.taggable(request["ResourceName"], code).tags)
            },
            "\(service).AddTagsToResource": { cloud, request in
                try cloud.addTags(request["ResourceName"], request, code)
            },
            "\(service).RemoveTagsFromResource": { cloud, request in
                try cloud.removeTags(request["ResourceName"], request.list("TagKeys.member"), code)
            },
        ]
    }

    // MARK: - Caches

    static let cacheSubnets = Kind(
        kind: "cachesubnets", collection: "CacheSubnetGroups.CacheSubnetGroup", single: "CacheSubnetGroup",
        place: ["CacheSubnetGroupName"], repetition: .refused("CacheSubnetGroupAlreadyExists"),
        needs: [Need("SubnetIds.SubnetIdentifier.#", "subnet", "InvalidSubnet.NotFound")],
        missing: "CacheSubnetGroupNotFoundFault", held: "CacheSubnetGroupInUse",
        told: { _, object in
            let subnets = object.values("SubnetIds.SubnetIdentifier.#").map { ["SubnetIdentifier": $0] }
            return FlatAnswer.list("Subnets.Subnet", subnets).merging(["ARN": object["-arn"]]) { $1 }
        })

    static let replicationGroup = Kind(
        kind: "replicationgroup", collection: "ReplicationGroups.ReplicationGroup", single: "ReplicationGroup",
        place: ["ReplicationGroupId"], repetition: .refused("ReplicationGroupAlreadyExists"),
        needs: [
            Need("CacheSubnetGroupName", "cachesubnets", "CacheSubnetGroupName", "CacheSubnetGroupNotFoundFault"),
            Need("SecurityGroupIds.SecurityGroupId.#", "group", "InvalidGroup.NotFound"),
        ], missing: "ReplicationGroupNotFoundFault", takes: 1, lingers: true, secrets: ["AuthToken"],
        told: { cloud, object in
            let name = object["ReplicationGroupId"]
            let node = "NodeGroups.NodeGroup.1"
            return [
                "ARN": object["-arn"], "Description": object["ReplicationGroupDescription"],
                "Status": cloud.state(object, ready: "available", changing: "modifying"),
                "MemberClusters.ClusterId.1": "\(name)-001", "\(node).NodeGroupId": "0001",
                "\(node).PrimaryEndpoint.Address": "\(name).cache.amazonaws.com",
                "\(node).PrimaryEndpoint.Port": "6379",
                "\(node).NodeGroupMembers.NodeGroupMember.1.CacheClusterId": "\(name)-001",
            ]
        })

    static let cacheCalls: [String: Call] = [
        life(
            "elasticache", cacheSubnets, make: "CreateCacheSubnetGroup", change: "ModifyCacheSubnetGroup",
            delete: "DeleteCacheSubnetGroup"),
        life("elasticache", replicationGroup, make: "CreateReplicationGroup", delete: "DeleteReplicationGroup"),
        resourceTagCalls("elasticache", "CacheClusterNotFound"),
        [
            "elasticache.ModifyReplicationGroup": { cloud, request in
                try cloud.refuseUnlessReady(replicationGroup, request, "InvalidReplicationGroupState")
                return try cloud.change(replicationGroup, request)
            },
            "elasticache.DescribeCacheSubnetGroups": { cloud, request in
                try cloud.tell(
                    cacheSubnets, request, by: ["CacheSubnetGroupName": "CacheSubnetGroupName"], isStrict: true)
            },
            "elasticache.DescribeReplicationGroups": { cloud, request in
                try cloud.tell(
                    replicationGroup, request, by: ["ReplicationGroupId": "ReplicationGroupId"], isStrict: true)
            },
            "elasticache.DescribeCacheClusters": { cloud, _ in
                let nodes = cloud.seen("replicationgroup").filter { $0["-isMade"] == "true" || $0.readyAt <= cloud.now }
                    .map {
                        [
                            "CacheClusterId": "\($0["ReplicationGroupId"])-001",
                            "ReplicationGroupId": $0["ReplicationGroupId"], "Engine": $0["Engine"],
                            "EngineVersion": "7.1.0", "CacheSubnetGroupName": $0["CacheSubnetGroupName"],
                        ]
                    }
                return FlatAnswer.list("CacheClusters.CacheCluster", nodes)
            },
        ],
    ].reduce(into: [:]) { $0.merge($1) { first, _ in first } }

    // MARK: - Topics, repositories, certificates

    static let topic = Kind(
        kind: "topic", collection: "Topics.member", single: "", place: ["Name"],
        repetition: .sameAgain("InvalidParameter"), key: "TopicArn", idField: "TopicArn",
        id: { _, request in "arn:aws:sns:\(SimulatedAWS.arnStart):\(request["Name"])" }, missing: "NotFound",
        isDeletedOnce: false)

    static let messageCalls: [String: Call] = [
        life("sns", topic, make: "CreateTopic", delete: "DeleteTopic"),
        tagCalls("sns", "ResourceArn", "ResourceNotFound"),
        [
            "sns.ListTopics": { cloud, request in try cloud.tell(topic, request) },
            "sns.GetTopicAttributes": { cloud, request in
                let topic = try cloud.seen(topic, request)
                var set = topic.fields.filter { $0.key.hasPrefix("-attribute:") }
                    .map { ["key": String($0.key.dropFirst(11)), "value": $0.value] }
                for number in 1..<9 where !topic["Attributes.entry.\(number).key"].isEmpty {
                    let key = topic["Attributes.entry.\(number).key"]
                    if set.contains(where: { $0["key"] == key }) { continue }
                    set.append(["key": key, "value": topic["Attributes.entry.\(number).value"]])
                }
                set.append(["key": "Owner", "value": SimulatedAWS.account])
                return FlatAnswer.list("Attributes.entry", set)
            },
            "sns.SetTopicAttributes": { cloud, request in
                let topic = try cloud.named(topic, request)
                cloud.change(topic.id) { $0["-attribute:\(request["AttributeName"])"] = request["AttributeValue"] }
                return [:]
            },
        ],
    ].reduce(into: [:]) { $0.merge($1) { first, _ in first } }

    static let repository = Kind(
        kind: "repository", collection: "repositories.member", single: "repository", place: ["repositoryName"],
        repetition: .refused("RepositoryAlreadyExistsException"), missing: "RepositoryNotFoundException",
        told: { _, object in
            [
                "repositoryArn": object["-arn"], "registryId": "r\(SimulatedAWS.account)",
                "repositoryUri": "\(SimulatedAWS.account).dkr.ecr/\(object["repositoryName"])",
            ]
        })

    static let repositoryCalls: [String: Call] = [
        life(
            "ecr", repository, make: "CreateRepository", change: "PutImageTagMutability", delete: "DeleteRepository"),
        life("ecr", repository, change: "PutImageScanningConfiguration"),
        tagCalls(
            "ecr", "resourceArn", "RepositoryNotFoundException", tags: "tags.member", keys: "tagKeys.member"),
        [
            "ecr.DescribeRepositories": { cloud, request in
                try cloud.tell(
                    repository, request, by: ["repositoryNames.member.#": "repositoryName"], isStrict: true)
            }
        ],
    ].reduce(into: [:]) { $0.merge($1) { first, _ in first } }

    static let certificate = Kind(
        kind: "certificate", collection: "CertificateSummaryList.member", single: "", place: [], key: "CertificateArn",
        idField: "CertificateArn", id: counted("arn:aws:acm:\(SimulatedAWS.arnStart):certificate/"),
        missing: "ResourceNotFoundException", held: "ResourceInUseException", takes: 0.1,
        told: { cloud, object in
            let option = "DomainValidationOptions.member.1"
            return [
                "Type": "AMAZON_ISSUED", "Status": object.readyAt > cloud.now ? "PENDING_VALIDATION" : "ISSUED",
                "KeyAlgorithm": "RSA-2048", "\(option).DomainName": object["DomainName"],
                "\(option).ValidationMethod": "DNS", "\(option).ResourceRecord.Name": "_x.\(object["DomainName"]).",
                "\(option).ResourceRecord.Type": "CNAME", "\(option).ResourceRecord.Value": "_y.acm-validations.aws.",
            ]
        })

    static let certificateCalls: [String: Call] = [
        life("acm", certificate, make: "RequestCertificate", delete: "DeleteCertificate"),
        [
            "acm.ListCertificates": { cloud, request in try cloud.tell(certificate, request) },
            "acm.DescribeCertificate": { cloud, request in
                let object = try cloud.seen(certificate, request)
                return FlatAnswer.at("Certificate", object.said.merging(certificate.told(cloud, object)) { $1 })
            },
            "acm.ListTagsForCertificate": { cloud, request in
                FlatAnswer.tags("Tags.member", try cloud.seen(certificate, request).tags)
            },
            "acm.AddTagsToCertificate": { cloud, request in
                try cloud.addTags(request["CertificateArn"], request, certificate.missing)
            },
            "acm.RemoveTagsFromCertificate": { cloud, request in
                try cloud.removeTags(
                    request["CertificateArn"], request.values("Tags.member.#.Key"), certificate.missing)
            },
            "tagging.GetResources": { cloud, request in
                let found = request.values("ResourceARNList.member.#").compactMap { arn -> Flat? in
                    guard let object = try? cloud.taggable(arn, "") else { return nil }
                    return FlatAnswer.tags("Tags.member", object.tags).merging(["ResourceARN": arn]) { $1 }
                }
                return FlatAnswer.list("ResourceTagMappingList.member", found)
            },
        ],
    ].reduce(into: [:]) { $0.merge($1) { first, _ in first } }
}

extension SimulatedAWS {
    /// Of what is made slowly and changed slowly.
    fileprivate func state(_ object: CloudObject, ready: String, changing: String) -> String {
        if object.goneAt != nil { return "deleting" }
        if object.readyAt <= now { return ready }
        return object["-isMade"] == "true" ? changing : "creating"
    }

    fileprivate func refuseUnlessReady(
        _ kind: SimulatedKind, _ request: CloudRequest, _ code: String
    ) throws(Refusal) {
        let object = try named(kind, request)
        if object.readyAt > now { throw Refusal(code, "\(object.id) is not available") }
        change(object.id) { $0["-isMade"] = "true" }
    }

    fileprivate func setParameters(
        _ request: CloudRequest, _ value: (String) -> String?
    ) throws(Refusal) -> Flat {
        let group = try named(SimulatedCatalog.parameterGroup, request)
        change(group.id) { group in
            for number in 1...max(1, request.count("Parameters.Parameter")) {
                let path = "Parameters.Parameter.\(number)"
                group.fields["-parameter:\(request["\(path).ParameterName"])"] = value(path)
            }
        }
        return [:]
    }
}
