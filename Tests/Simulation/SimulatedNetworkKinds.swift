// Network ACLs, their rules and endpoints. Rows of the table, in EC2's words.

extension SimulatedCatalog {
    static let networkACL = Kind(
        kind: "acl", collection: "networkAclSet.item", single: "networkAcl", place: [], key: "NetworkAclId",
        idField: "NetworkAclId", id: counted("acl-"), needs: [Need("VpcId", "vpc", "InvalidVpcID.NotFound")],
        parts: ["aclrule"], missing: "InvalidNetworkAclID.NotFound", held: "DependencyViolation", tellsRequest: false,
        told: { cloud, object in
            let rules = cloud.seen("aclrule").filter { $0["NetworkAclId"] == object.id }.map { rule -> Flat in
                [
                    "ruleNumber": rule["RuleNumber"], "egress": rule["Egress"], "ruleAction": rule["RuleAction"],
                    "protocol": rule["Protocol"], "cidrBlock": rule["CidrBlock"],
                    "portRange.from": rule["PortRange.From"], "portRange.to": rule["PortRange.To"],
                ].filter { !$0.value.isEmpty }
            }
            return ["networkAclId": object.id, "vpcId": object["VpcId"], "ownerId": SimulatedAWS.account]
                .merging(FlatAnswer.list("entrySet.item", rules)) { $1 }.merging(object.tagSet) { $1 }
        })

    static let networkRule = Kind(
        kind: "aclrule", collection: "none", single: "none", place: ["NetworkAclId", "Egress", "RuleNumber"],
        repetition: .refused("NetworkAclEntryAlreadyExists"),
        id: { _, request in
            "aclrule/\(request["NetworkAclId"]):\(request["Egress"] == "true" ? "egress" : "ingress"):\(request["RuleNumber"])"
        }, needs: [Need("NetworkAclId", "acl", "InvalidNetworkAclID.NotFound")],
        missing: "InvalidNetworkAclEntry.NotFound")

    static let endpoint = Kind(
        kind: "endpoint", collection: "vpcEndpointSet.item", single: "vpcEndpoint", place: [], key: "VpcEndpointId",
        idField: "VpcEndpointId", id: counted("vpce-"),
        needs: [
            Need("VpcId", "vpc", "InvalidVpcID.NotFound"),
            Need("RouteTableId.#", "table", "InvalidRouteTableID.NotFound"),
        ], missing: "InvalidVpcEndpointId.NotFound", takes: 0.2, lingers: true, tellsRequest: false,
        told: { cloud, object in
            let state = object.goneAt != nil ? "deleting" : object.readyAt > cloud.now ? "pending" : "available"
            return [
                "vpcEndpointId": object.id, "vpcId": object["VpcId"], "serviceName": object["ServiceName"],
                "vpcEndpointType": object["VpcEndpointType"], "state": state, "ownerId": SimulatedAWS.account,
            ].merging(FlatAnswer.list("routeTableIdSet.item", texts: object.values("RouteTableId.#"))) { $1 }
                .merging(object.tagSet) { $1 }
        })

    static let networkCalls: [String: Call] = [
        templateCalls,
        life("ec2", networkACL, make: "CreateNetworkAcl", delete: "DeleteNetworkAcl"),
        life(
            "ec2", networkRule, make: "CreateNetworkAclEntry", change: "ReplaceNetworkAclEntry",
            delete: "DeleteNetworkAclEntry"),
        life("ec2", endpoint, make: "CreateVpcEndpoint"),
        [
            // Nothing here has interfaces that are told of.
            "ec2.DescribeNetworkInterfaces": { _, _ in [:] },
            "ec2.DescribeNetworkAcls": { cloud, request in ofEC2(cloud, request, networkACL, ["network-acl-id"]) },
            "ec2.DescribeVpcEndpoints": { cloud, request in ofEC2(cloud, request, endpoint, ["vpc-endpoint-id"]) },
            "ec2.ModifyVpcEndpoint": { cloud, request in
                let object = try cloud.named(endpoint, request)
                var tables = object.values("RouteTableId.#")
                for added in request.list("AddRouteTableId") {
                    _ = try cloud.known(added, "InvalidRouteTableId.NotFound")
                    if tables.contains(added) { throw Refusal("RouteAlreadyExists", "\(added) is there already") }
                    tables.append(added)
                }
                let removed = request.list("RemoveRouteTableId")
                tables.removeAll { removed.contains($0) }
                cloud.change(object.id) { object in
                    object.fields = object.fields.filter { !$0.key.hasPrefix("RouteTableId.") }
                        .merging(FlatAnswer.list("RouteTableId", texts: tables)) { $1 }
                }
                return ["return": "true"]
            },
            "ec2.DeleteVpcEndpoints": { cloud, request in
                let id = request["VpcEndpointId.1"]
                if cloud.current(id) == nil {
                    return FlatAnswer.list(
                        "unsuccessful.item",
                        [["resourceId": id, "error.code": endpoint.missing, "error.message": "not found"]])
                }
                cloud.startRemoving(id)
                return [:]
            },
        ],
    ].reduce(into: [:]) { $0.merge($1) { first, _ in first } }

    /// A listing of EC2 with its filters: ids, tags, the VPC.
    private static func ofEC2(
        _ cloud: SimulatedAWS, _ request: CloudRequest, _ kind: Kind, _ idFilters: Set<String>
    ) -> Flat {
        let items = cloud.seen(kind.kind).filter { object in
            request.filters.allSatisfy { filter in
                if idFilters.contains(filter.name) { return filter.values.contains(object.id) }
                if filter.name == "vpc-id" { return filter.values.contains(object["VpcId"]) }
                if filter.name.hasPrefix("tag:") {
                    return object.tags[String(filter.name.dropFirst(4))].map(filter.values.contains) ?? false
                }
                return false
            }
        }
        return FlatAnswer.list(kind.collection, items.map { kind.told(cloud, $0) })
    }
}
