import AWSClient
import HTTPTransport
import TextEncodings

// EC2: networks, groups, addresses, keys.

extension SimulatedAWS {
    func ec2(_ request: CloudRequest) throws(Refusal) -> String {
        let content: String
        switch request.action {
        case "CreateVpc": content = try createVPC(request)
        case "DescribeVpcs": content = listing(request, "vpcSet", "vpc", vpcXML)
        case "DescribeVpcAttribute": content = try vpcAttribute(request)
        case "ModifyVpcAttribute": content = try modifyVPC(request)
        case "DeleteVpc": content = try deleteVPC(request)
        case "CreateSubnet": content = try createSubnet(request)
        case "DescribeSubnets": content = listing(request, "subnetSet", "subnet", subnetXML)
        case "ModifySubnetAttribute": content = try modifySubnet(request)
        case "DeleteSubnet": content = try deleteSubnet(request)
        case "CreateInternetGateway": content = createGateway(request)
        case "DescribeInternetGateways": content = listing(request, "internetGatewaySet", "gateway", gatewayXML)
        case "AttachInternetGateway": content = try attachGateway(request)
        case "DetachInternetGateway": content = try detachGateway(request)
        case "DeleteInternetGateway": content = try deleteGateway(request)
        case "CreateRouteTable": content = try createTable(request)
        case "DescribeRouteTables": content = listing(request, "routeTableSet", "table", tableXML)
        case "DeleteRouteTable": content = try deleteTable(request)
        case "CreateRoute": content = try createRoute(request)
        case "ReplaceRoute": content = try replaceRoute(request)
        case "DeleteRoute": content = try deleteRoute(request)
        case "AssociateRouteTable": content = try associateTable(request)
        case "ReplaceRouteTableAssociation": content = try replaceAssociation(request)
        case "DisassociateRouteTable": content = try disassociateTable(request)
        case "CreateSecurityGroup": content = try createGroup(request)
        case "DescribeSecurityGroups": content = listing(request, "securityGroupInfo", "group", groupXML)
        case "DeleteSecurityGroup": content = try deleteGroup(request)
        case "AuthorizeSecurityGroupIngress": content = try authorize(request, isEgress: false)
        case "AuthorizeSecurityGroupEgress": content = try authorize(request, isEgress: true)
        case "DescribeSecurityGroupRules": content = listing(request, "securityGroupRuleSet", "rule", ruleXML)
        case "ModifySecurityGroupRules": content = try modifyRule(request)
        case "RevokeSecurityGroupIngress", "RevokeSecurityGroupEgress": content = try revoke(request)
        case "AllocateAddress": content = allocateAddress(request)
        case "DescribeAddresses": content = listing(request, "addressesSet", "address", addressXML)
        case "DisassociateAddress":
            // Only gateways hold addresses here, and those do not let go.
            throw Refusal("OperationNotPermitted", "The association belongs to a NAT gateway")
        case "ReleaseAddress": content = try releaseAddress(request)
        case "CreateNatGateway": content = try createNAT(request)
        case "DescribeNatGateways": content = listing(request, "natGatewaySet", "nat", natXML)
        case "DeleteNatGateway": content = try deleteNAT(request)
        case "ImportKeyPair": content = try importKey(request)
        case "DescribeKeyPairs": content = listing(request, "keySet", "key", keyXML)
        case "DeleteKeyPair": content = deleteKey(request)
        case "CreateTags": content = try createTags(request)
        case "DeleteTags": content = try deleteTags(request)
        default: content = try instances(request)
        }
        return "<\(request.action)Response><requestId>r</requestId>\(content)</\(request.action)Response>"
    }

    var done: String { "<return>true</return>" }

    func takesTime(_ share: Double = 1) -> Duration { making * share }

    /// Members that pass every filter. A filter's name is the field's name.
    func listing(
        _ request: CloudRequest, _ name: String, _ kind: String, _ xml: (CloudObject) -> String
    ) -> String {
        let filters = request.filters
        let items = seen(kind).filter { object in
            filters.allSatisfy { filter in
                if filter.name.hasPrefix("association.") {
                    return seen("association").contains {
                        $0["table"] == object.id
                            && filter.values.contains(
                                filter.name.hasSuffix("subnet-id")
                                    ? $0["subnet-id"]
                                    : filter.name.hasSuffix("gateway-id") ? $0["gateway-id"] : $0.id)
                    }
                }
                let value =
                    filter.name.hasPrefix("tag:")
                    ? object.tags[String(filter.name.dropFirst(4))] : object.fields[filter.name]
                return value.map { filter.values.contains($0) } ?? false
            }
        }
        return XML.around(name, items.map { XML.around("item", xml($0)) }.joined())
    }

    func tagXML(_ object: CloudObject) -> String {
        XML.around(
            "tagSet",
            object.tags.sorted { $0.key < $1.key }
                .map { XML.around("item", XML.tag("key", $0.key) + XML.tag("value", $0.value)) }.joined())
    }

    private func createTags(_ request: CloudRequest) throws(Refusal) -> String {
        for id in request.list("ResourceId") {
            let object = try known(tagged(id), "InvalidID")
            change(object.id) { $0.tags.merge(request.tags("Tag")) { $1 } }
        }
        return done
    }

    private func deleteTags(_ request: CloudRequest) throws(Refusal) -> String {
        for id in request.list("ResourceId") {
            let object = try known(tagged(id), "InvalidID")
            change(object.id) { for key in request.tags("Tag").keys { $0.tags[key] = nil } }
        }
        return done
    }

    /// Keys are tagged by an id that is not their name.
    private func tagged(_ id: String) -> String { objects("key").first { $0["key-pair-id"] == id }?.id ?? id }

    private func refuse(_ code: String, _ message: String, if isRefused: Bool) throws(Refusal) {
        if isRefused { throw Refusal(code, message) }
    }

    private func dependents(_ field: String, _ id: String, except kinds: Set<String> = []) -> Bool {
        objects.contains { $0[field] == id && $0.id != id && !$0.isBuiltIn && !kinds.contains($0.kind) }
    }

    // MARK: VPC

    private func createVPC(_ request: CloudRequest) throws(Refusal) -> String {
        let id = newID("vpc-")
        let object = add(
            "vpc", id: id,
            [
                "vpc-id": id, "cidr": request["CidrBlock"], "enableDnsSupport": "true",
                "enableDnsHostnames": "false", "enableNetworkAddressUsageMetrics": "false",
            ], tags: request.creationTags, takes: takesTime(0.1))
        // What comes with it.
        let group = newID("sg-")
        add(
            "group", id: group,
            ["group-id": group, "group-name": "default", "vpc-id": id, "description": "default VPC security group"],
            isBuiltIn: true)
        return XML.around("vpc", vpcXML(object))
    }

    private func vpcXML(_ vpc: CloudObject) -> String {
        XML.tag("vpcId", vpc.id) + XML.tag("state", vpc.readyAt > now ? "pending" : "available")
            + XML.tag("cidrBlock", vpc["cidr"]) + XML.tag("ownerId", SimulatedAWS.account)
            + XML.tag("dhcpOptionsId", "dopt-1") + XML.tag("instanceTenancy", "default") + tagXML(vpc)
    }

    private func vpcAttribute(_ request: CloudRequest) throws(Refusal) -> String {
        guard let vpc = seen(id: request["VpcId"]) else { throw Refusal("InvalidVpcID.NotFound", "no such VPC") }
        let name = request["Attribute"]
        return XML.tag("vpcId", vpc.id) + XML.around(name, XML.tag("value", vpc[name]))
    }

    private func modifyVPC(_ request: CloudRequest) throws(Refusal) -> String {
        let vpc = try known(request["VpcId"], "InvalidVpcID.NotFound")
        for (wire, field) in [
            ("EnableDnsSupport", "enableDnsSupport"), ("EnableDnsHostnames", "enableDnsHostnames"),
            ("EnableNetworkAddressUsageMetrics", "enableNetworkAddressUsageMetrics"),
        ] {
            if let value = request.optional("\(wire).Value") { change(vpc.id) { $0[field] = value } }
        }
        return done
    }

    private func deleteVPC(_ request: CloudRequest) throws(Refusal) -> String {
        let vpc = try known(request["VpcId"], "InvalidVpcID.NotFound")
        try refuse(
            "DependencyViolation", "The vpc '\(vpc.id)' has dependencies",
            if: dependents("vpc-id", vpc.id) || isHeld(vpc))
        for object in objects where object["vpc-id"] == vpc.id && object.isBuiltIn { remove(object.id) }
        remove(vpc.id)
        return done
    }

    // MARK: Subnet

    private func createSubnet(_ request: CloudRequest) throws(Refusal) -> String {
        let vpc = try known(request["VpcId"], "InvalidVpcID.NotFound")
        let isTaken = objects("subnet").contains {
            $0["vpc-id"] == vpc.id && $0["cidr-block"] == request["CidrBlock"]
        }
        try refuse("InvalidSubnet.Conflict", "The CIDR conflicts with another subnet", if: isTaken)
        let id = newID("subnet-")
        let zone = request["AvailabilityZone"].isEmpty ? "us-east-1a" : request["AvailabilityZone"]
        let object = add(
            "subnet", id: id,
            [
                "subnet-id": id, "vpc-id": vpc.id, "cidr-block": request["CidrBlock"], "zone": zone,
                "MapPublicIpOnLaunch": "false",
            ], tags: request.creationTags, takes: takesTime(0.1))
        return XML.around("subnet", subnetXML(object))
    }

    private func subnetXML(_ subnet: CloudObject) -> String {
        XML.tag("subnetId", subnet.id) + XML.tag("state", subnet.readyAt > now ? "pending" : "available")
            + XML.tag("vpcId", subnet["vpc-id"]) + XML.tag("cidrBlock", subnet["cidr-block"])
            + XML.tag("availabilityZone", subnet["zone"]) + XML.tag("availabilityZoneId", "use1-az1")
            + XML.tag("mapPublicIpOnLaunch", subnet["MapPublicIpOnLaunch"])
            + XML.tag("ownerId", SimulatedAWS.account)
            + XML.tag("subnetArn", "arn:aws:ec2:us-east-1:\(SimulatedAWS.account):subnet/\(subnet.id)")
            + tagXML(subnet)
    }

    private func modifySubnet(_ request: CloudRequest) throws(Refusal) -> String {
        let subnet = try known(request["SubnetId"], "InvalidSubnetID.NotFound")
        if let value = request.optional("MapPublicIpOnLaunch.Value") {
            change(subnet.id) { $0["MapPublicIpOnLaunch"] = value }
        }
        return done
    }

    private func deleteSubnet(_ request: CloudRequest) throws(Refusal) -> String {
        let subnet = try known(request["SubnetId"], "InvalidSubnetID.NotFound")
        try refuse(
            "DependencyViolation", "The subnet has dependencies",
            if: dependents("subnet-id", subnet.id, except: ["association"]) || isHeld(subnet))
        for association in objects("association") where association["subnet-id"] == subnet.id {
            remove(association.id)
        }
        remove(subnet.id)
        return done
    }

    // MARK: Internet gateway

    private func createGateway(_ request: CloudRequest) -> String {
        let id = newID("igw-")
        let object = add(
            "gateway", id: id, ["internet-gateway-id": id, "attached": ""], tags: request.creationTags)
        return XML.around("internetGateway", gatewayXML(object))
    }

    private func gatewayXML(_ gateway: CloudObject) -> String {
        let vpc = gateway["attached"]
        let attachment =
            vpc.isEmpty ? "" : XML.around("item", XML.tag("vpcId", vpc) + XML.tag("state", "available"))
        return XML.tag("internetGatewayId", gateway.id) + XML.tag("ownerId", SimulatedAWS.account)
            + XML.around("attachmentSet", attachment) + tagXML(gateway)
    }

    private func attachGateway(_ request: CloudRequest) throws(Refusal) -> String {
        let gateway = try known(request["InternetGatewayId"], "InvalidInternetGatewayID.NotFound")
        let vpc = try known(request["VpcId"], "InvalidVpcID.NotFound")
        try refuse(
            "Resource.AlreadyAssociated", "\(gateway.id) is already attached",
            if: !gateway["attached"].isEmpty)
        try refuse(
            "InvalidParameterValue", "Network \(vpc.id) already has an internet gateway attached",
            if: objects("gateway").contains { $0["attached"] == vpc.id })
        change(gateway.id) {
            $0["attached"] = vpc.id
            $0["vpc-id"] = vpc.id
        }
        return done
    }

    private func detachGateway(_ request: CloudRequest) throws(Refusal) -> String {
        let gateway = try known(request["InternetGatewayId"], "InvalidInternetGatewayID.NotFound")
        try refuse("Gateway.NotAttached", "not attached", if: gateway["attached"] != request["VpcId"])
        let isMapped = objects.contains { object in
            object.kind == "nat"
                && current(object["subnet-id"])?["vpc-id"] == gateway["attached"]
        }
        try refuse("DependencyViolation", "Network has some mapped public address(es)", if: isMapped)
        change(gateway.id) {
            $0["attached"] = ""
            $0["vpc-id"] = ""
        }
        return done
    }

    private func deleteGateway(_ request: CloudRequest) throws(Refusal) -> String {
        let gateway = try known(request["InternetGatewayId"], "InvalidInternetGatewayID.NotFound")
        try refuse(
            "DependencyViolation", "The internetGateway has dependencies", if: !gateway["attached"].isEmpty)
        remove(gateway.id)
        return done
    }

    // MARK: Route table

    private func createTable(_ request: CloudRequest) throws(Refusal) -> String {
        if let made = try made(by: request["ClientToken"], request) { return XML.around("routeTable", tableXML(made)) }
        let vpc = try known(request["VpcId"], "InvalidVpcID.NotFound")
        let id = newID("rtb-")
        let object = add(
            "table", id: id, ["route-table-id": id, "vpc-id": vpc.id], tags: request.creationTags)
        add(
            "route", id: "route/\(id)/\(vpc["cidr"])",
            ["table": id, "destination": vpc["cidr"], "gatewayId": "local", "origin": "CreateRouteTable"],
            isBuiltIn: true)
        remember(request["ClientToken"], id, request)
        return XML.around("routeTable", tableXML(object))
    }

    private func tableXML(_ table: CloudObject) -> String {
        let routes = seen("route").filter { $0["table"] == table.id }.map { route in
            XML.around(
                "item",
                XML.tag("destinationCidrBlock", route["destination"])
                    + XML.optional("gatewayId", route["gatewayId"])
                    + XML.optional("natGatewayId", route["natGatewayId"])
                    + XML.tag("origin", route["origin"]) + XML.tag("state", "active"))
        }
        let associations = seen("association").filter { $0["table"] == table.id }.map { association in
            XML.around(
                "item",
                XML.tag("routeTableAssociationId", association.id) + XML.tag("routeTableId", table.id)
                    + XML.tag("subnetId", association["subnet-id"]) + XML.tag("main", false)
                    + XML.around("associationState", XML.tag("state", "associated")))
        }
        return XML.tag("routeTableId", table.id) + XML.tag("vpcId", table["vpc-id"])
            + XML.tag("ownerId", SimulatedAWS.account) + XML.around("routeSet", routes.joined())
            + XML.around("associationSet", associations.joined()) + tagXML(table)
    }

    private func deleteTable(_ request: CloudRequest) throws(Refusal) -> String {
        let table = try known(request["RouteTableId"], "InvalidRouteTableID.NotFound")
        try refuse(
            "DependencyViolation", "The routeTable has dependencies",
            if: objects("association").contains { $0["table"] == table.id })
        for route in objects("route") where route["table"] == table.id { remove(route.id) }
        remove(table.id)
        return done
    }

    private func routeID(_ request: CloudRequest) -> String {
        "route/\(request["RouteTableId"])/\(request["DestinationCidrBlock"])"
    }

    private func routeTarget(_ request: CloudRequest) throws(Refusal) -> [String: String] {
        if let nat = request.optional("NatGatewayId") {
            _ = try known(nat, "InvalidNatGatewayID.NotFound")
            return ["natGatewayId": nat, "gatewayId": ""]
        }
        let id = request["GatewayId"]
        let gateway = try known(id, "InvalidGatewayID.NotFound")
        let table = try present(request["RouteTableId"], "InvalidRouteTableID.NotFound")
        try refuse(
            "InvalidParameterValue", "route table \(table.id) and network gateway \(id) belong to different networks",
            if: gateway["attached"] != table["vpc-id"])
        return ["gatewayId": id, "natGatewayId": ""]
    }

    private func createRoute(_ request: CloudRequest) throws(Refusal) -> String {
        let table = try known(request["RouteTableId"], "InvalidRouteTableID.NotFound")
        let target = try routeTarget(request)
        if let route = current(routeID(request)) {
            // The same again is fine; another target is not.
            let isSame = target.allSatisfy { route[$0.key] == $0.value }
            try refuse("RouteAlreadyExists", "The route already exists", if: !isSame)
            noteRepeat(route.id)
            return done
        }
        add(
            "route", id: routeID(request),
            [
                "table": table.id, "destination": request["DestinationCidrBlock"], "origin": "CreateRoute",
            ].merging(target) { $1 })
        return done
    }

    private func replaceRoute(_ request: CloudRequest) throws(Refusal) -> String {
        let route = try present(routeID(request), "InvalidParameterValue")
        let target = try routeTarget(request)
        change(route.id) { $0.fields.merge(target) { $1 } }
        return done
    }

    private func deleteRoute(_ request: CloudRequest) throws(Refusal) -> String {
        _ = try present(request["RouteTableId"], "InvalidRouteTableID.NotFound")
        let route = try present(routeID(request), "InvalidRoute.NotFound")
        remove(route.id)
        return done
    }

    private func associateTable(_ request: CloudRequest) throws(Refusal) -> String {
        let table = try known(request["RouteTableId"], "InvalidRouteTableID.NotFound")
        let subnet = try known(request["SubnetId"], "InvalidSubnetID.NotFound")
        if let present = objects("association").first(where: { $0["subnet-id"] == subnet.id }) {
            try refuse(
                "Resource.AlreadyAssociated", "the specified association for subnet \(subnet.id) conflicts",
                if: present["table"] != table.id)
            noteRepeat(present.id)
            return XML.tag("associationId", present.id)
        }
        let id = newID("rtbassoc-")
        add("association", id: id, ["table": table.id, "subnet-id": subnet.id])
        return XML.tag("associationId", id)
    }

    private func replaceAssociation(_ request: CloudRequest) throws(Refusal) -> String {
        let association = try present(request["AssociationId"], "InvalidAssociationID.NotFound")
        let table = try known(request["RouteTableId"], "InvalidRouteTableID.NotFound")
        let id = newID("rtbassoc-")
        let isForeign = association.isForeign
        remove(association.id)
        add("association", id: id, ["table": table.id, "subnet-id": association["subnet-id"]])
        change(id) { $0.isForeign = isForeign }
        return XML.tag("newAssociationId", id)
    }

    private func disassociateTable(_ request: CloudRequest) throws(Refusal) -> String {
        let association = try known(request["AssociationId"], "InvalidAssociationID.NotFound")
        remove(association.id)
        return done
    }

    // MARK: Security groups

    private func createGroup(_ request: CloudRequest) throws(Refusal) -> String {
        let vpc = try known(request["VpcId"], "InvalidVpcID.NotFound")
        let isTaken = objects("group").contains {
            $0["vpc-id"] == vpc.id && $0["group-name"] == request["GroupName"]
        }
        try refuse(
            "InvalidGroup.Duplicate", "The security group '\(request["GroupName"])' already exists for VPC '\(vpc.id)'",
            if: isTaken)
        let id = newID("sg-")
        add(
            "group", id: id,
            [
                "group-id": id, "group-name": request["GroupName"], "vpc-id": vpc.id,
                "description": request["GroupDescription"],
            ], tags: request.creationTags)
        let rule = newID("sgr-")
        add(
            "rule", id: rule,
            ["group-id": id, "security-group-rule-id": rule, "egress": "true", "protocol": "-1", "cidr": "0.0.0.0/0"],
            isBuiltIn: true)
        return XML.tag("groupId", id)
            + XML.tag("securityGroupArn", "arn:aws:ec2:us-east-1:\(SimulatedAWS.account):security-group/\(id)")
    }

    private func groupXML(_ group: CloudObject) -> String {
        XML.tag("groupId", group.id) + XML.tag("groupName", group["group-name"])
            + XML.tag("groupDescription", group["description"]) + XML.tag("vpcId", group["vpc-id"])
            + XML.tag("ownerId", SimulatedAWS.account)
            + XML.tag("securityGroupArn", "arn:aws:ec2:us-east-1:\(SimulatedAWS.account):security-group/\(group.id)")
            + tagXML(group)
    }

    private func deleteGroup(_ request: CloudRequest) throws(Refusal) -> String {
        let group = try known(request["GroupId"], "InvalidGroup.NotFound")
        let isUsed = objects.contains { object in
            object.kind == "rule" && object["source"] == group.id && object["group-id"] != group.id
                || object.kind == "instance"
                    && object["groups"].split(separator: ",").contains { $0 == group.id }
        }
        try refuse("DependencyViolation", "resource \(group.id) has a dependent object", if: isUsed || isHeld(group))
        for rule in objects("rule") where rule["group-id"] == group.id { remove(rule.id) }
        remove(group.id)
        return done
    }

    private func ruleFields(_ request: CloudRequest, _ prefix: String) -> [String: String] {
        let permission = prefix.hasPrefix("IpPermissions")
        return [
            "protocol": request["\(prefix).IpProtocol"], "from": request["\(prefix).FromPort"],
            "to": request["\(prefix).ToPort"],
            "cidr": request[permission ? "\(prefix).IpRanges.1.CidrIp" : "\(prefix).CidrIpv4"],
            "source": request[permission ? "\(prefix).Groups.1.GroupId" : "\(prefix).ReferencedGroupId"],
            "text": request[permission ? "\(prefix).IpRanges.1.Description" : "\(prefix).Description"]
                + (permission ? request["\(prefix).Groups.1.Description"] : ""),
        ]
    }

    static let ruleKey = ["group-id", "egress", "protocol", "from", "to", "cidr", "source"]

    private func isDuplicate(_ fields: [String: String], except id: String = "") -> Bool {
        objects("rule").contains { rule in
            rule.id != id && SimulatedAWS.ruleKey.allSatisfy { rule[$0] == fields[$0] ?? "" }
        }
    }

    /// All rules of the call or none.
    private func authorize(_ request: CloudRequest, isEgress: Bool) throws(Refusal) -> String {
        let group = try known(request["GroupId"], "InvalidGroup.NotFound")
        var wanted: [[String: String]] = []
        while !request["IpPermissions.\(wanted.count + 1).IpProtocol"].isEmpty {
            var fields = ruleFields(request, "IpPermissions.\(wanted.count + 1)")
            if let source = fields["source"], !source.isEmpty { _ = try known(source, "InvalidGroup.NotFound") }
            fields["group-id"] = group.id
            fields["egress"] = isEgress ? "true" : "false"
            try refuse("InvalidPermission.Duplicate", "the specified rule already exists", if: isDuplicate(fields))
            let isTwice = wanted.contains { other in SimulatedAWS.ruleKey.allSatisfy { other[$0] == fields[$0] } }
            try refuse("InvalidParameterValue", "The same permission must not appear multiple times", if: isTwice)
            wanted.append(fields)
        }
        let rules = wanted.map { fields in
            let id = newID("sgr-")
            return add(
                "rule", id: id, fields.merging(["security-group-rule-id": id]) { $1 }, tags: request.creationTags)
        }
        // The order of an answer means nothing.
        return done
            + XML.around("securityGroupRuleSet", rules.reversed().map { XML.around("item", ruleXML($0)) }.joined())
    }

    private func ruleXML(_ rule: CloudObject) -> String {
        let source = rule["source"]
        let reference =
            source.isEmpty
            ? ""
            : XML.around("referencedGroupInfo", XML.tag("groupId", source) + XML.tag("userId", SimulatedAWS.account))
        return XML.tag("securityGroupRuleId", rule.id) + XML.tag("groupId", rule["group-id"])
            + XML.tag("groupOwnerId", SimulatedAWS.account) + XML.tag("isEgress", rule["egress"])
            + XML.tag("ipProtocol", rule["protocol"])
            + XML.tag("fromPort", rule["from"].isEmpty ? "-1" : rule["from"])
            + XML.tag("toPort", rule["to"].isEmpty ? "-1" : rule["to"])
            + XML.optional("cidrIpv4", rule["cidr"]) + reference
            + XML.optional("description", rule["text"]) + tagXML(rule)
    }

    private func modifyRule(_ request: CloudRequest) throws(Refusal) -> String {
        let rule = try known(
            request["SecurityGroupRule.1.SecurityGroupRuleId"], "InvalidSecurityGroupRuleId.NotFound")
        var fields = rule.fields
        fields.merge(ruleFields(request, "SecurityGroupRule.1.SecurityGroupRule")) { $1 }
        if let source = fields["source"], !source.isEmpty { _ = try known(source, "InvalidGroup.NotFound") }
        try refuse(
            "InvalidPermission.Duplicate", "the specified rule already exists", if: isDuplicate(fields, except: rule.id)
        )
        change(rule.id) { $0.fields = fields }
        return done
    }

    private func revoke(_ request: CloudRequest) throws(Refusal) -> String {
        _ = try present(request["GroupId"], "InvalidGroup.NotFound")
        let ids = request.list("SecurityGroupRuleId")
        for id in ids { _ = try present(id, "InvalidSecurityGroupRuleId.NotFound") }
        for id in ids { remove(id) }
        return done
    }

    // MARK: Addresses and NAT gateways

    private func allocateAddress(_ request: CloudRequest) -> String {
        let id = newID("eipalloc-")
        let object = add(
            "address", id: id,
            [
                "allocation-id": id, "ip": "198.51.100.\(id.utf8.reduce(0) { $0 &+ Int($1) } % 250)",
                "border": request.optional("NetworkBorderGroup") ?? SimulatedAWS.region,
            ],
            tags: request.creationTags)
        return addressXML(object)
    }

    private func addressXML(_ address: CloudObject) -> String {
        let nat = seen("nat").first { $0["allocation-id"] == address.id && ($0.goneAt ?? $0.readyAt) != now }
        return XML.tag("allocationId", address.id) + XML.tag("domain", "vpc")
            + XML.tag("publicIp", address["ip"]) + XML.tag("networkBorderGroup", address["border"])
            + XML.optional("associationId", nat.map { "eipassoc-" + $0.id })
            + XML.optional("networkInterfaceId", nat.map { "eni-" + $0.id }) + tagXML(address)
    }

    private func releaseAddress(_ request: CloudRequest) throws(Refusal) -> String {
        let address = try known(request["AllocationId"], "InvalidAllocationID.NotFound")
        try refuse(
            "InvalidIPAddress.InUse", "The address is in use",
            if: objects("nat").contains { $0["allocation-id"] == address.id })
        remove(address.id)
        return done
    }

    private func createNAT(_ request: CloudRequest) throws(Refusal) -> String {
        if let made = try made(by: request["ClientToken"], request) { return XML.around("natGateway", natXML(made)) }
        let subnet = try known(request["SubnetId"], "InvalidSubnetID.NotFound")
        let address = try known(request["AllocationId"], "InvalidAllocationID.NotFound")
        try refuse(
            "Resource.AlreadyAssociated", "\(address.id) is already associated",
            if: objects("nat").contains { $0["allocation-id"] == address.id })
        let id = newID("nat-")
        let object = add(
            "nat", id: id,
            [
                "nat-gateway-id": id, "subnet-id": subnet.id, "allocation-id": address.id,
                "ip": address["ip"],
            ], tags: request.creationTags, takes: takesTime())
        remember(request["ClientToken"], id, request)
        return XML.around("natGateway", natXML(object))
    }

    private func natXML(_ nat: CloudObject) -> String {
        let state =
            nat.goneAt.map { $0 <= now ? "deleted" : "deleting" } ?? (nat.readyAt > now ? "pending" : "available")
        return XML.tag("natGatewayId", nat.id) + XML.tag("subnetId", nat["subnet-id"])
            + XML.tag("state", state) + XML.tag("connectivityType", "public")
            + XML.around(
                "natGatewayAddressSet",
                XML.around(
                    "item",
                    XML.tag("allocationId", nat["allocation-id"]) + XML.tag("isPrimary", true)
                        + XML.tag("privateIp", "10.0.0.9") + XML.tag("publicIp", nat["ip"])
                        + XML.tag("networkInterfaceId", "eni-" + nat.id)
                        + XML.tag("associationId", "eipassoc-" + nat.id))) + tagXML(nat)
    }

    private func deleteNAT(_ request: CloudRequest) throws(Refusal) -> String {
        let nat = try known(request["NatGatewayId"], "NatGatewayNotFound")
        startRemoving(nat.id, lingers: .seconds(3600))
        return XML.tag("natGatewayId", nat.id)
    }

    // MARK: Keys

    private func importKey(_ request: CloudRequest) throws(Refusal) -> String {
        let name = request["KeyName"]
        try refuse(
            "InvalidKeyPair.Duplicate", "The keypair already exists", if: current("key-pair/\(name)") != nil)
        let material = String(decoding: Base64.decode(request["PublicKeyMaterial"]) ?? [], as: UTF8.self)
        let object = add(
            "key", id: "key-pair/\(name)", ["key-name": name, "key-pair-id": newID("key-"), "material": material],
            tags: request.creationTags)
        return keyXML(object)
    }

    private func keyXML(_ key: CloudObject) -> String {
        XML.tag("keyName", key["key-name"]) + XML.tag("keyPairId", key["key-pair-id"])
            + XML.tag("keyFingerprint", "aa:bb") + XML.tag("keyType", "ed25519")
            + XML.tag("publicKey", key["material"]) + tagXML(key)
    }

    private func deleteKey(_ request: CloudRequest) -> String {
        remove("key-pair/\(request["KeyName"])")
        return done
    }
}
