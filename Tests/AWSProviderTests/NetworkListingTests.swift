import MusterModel
import ProviderKit
import Testing

@Suite struct NetworkListingTests {
    private static let oneRule = RecordingAWS.Answer.body(
        "<securityGroupRuleSet><item><securityGroupRuleId>sgr-1</securityGroupRuleId><groupId>sg-1</groupId>"
            + "<isEgress>false</isEgress><ipProtocol>tcp</ipProtocol></item></securityGroupRuleSet>")

    @Test("Tables, routes and associations share one listing")
    func routeTables() async throws {
        let aws = RecordingAWS(["DescribeRouteTables": [.body("<routeTableSet/>")]])
        let session = try await aws.session()
        for (type, id) in [
            ("aws.route_table", "rtb-1"), ("aws.route", "rtb-1_0.0.0.0/0"),
            ("aws.route_table_association", "subnet-1"),
        ] as [(ResourceType, RemoteID)] {
            let handler = try #require(session.handler(for: type))
            #expect(try await handler.read([KnownObject(id: id)]).isEmpty)
        }
        _ = try await session.handler(for: "aws.route")?.list(in: .children(of: ["rtb-1"]))
        #expect(await aws.calls == ["DescribeRouteTables"])
    }

    @Test("ACLs and their rules share one listing")
    func networkACLs() async throws {
        let aws = RecordingAWS(["DescribeNetworkAcls": [.body("<networkAclSet/>")]])
        let session = try await aws.session()
        _ = try await session.handler(for: "aws.network_acl")?.read([KnownObject(id: "acl-1")])
        _ = try await session.handler(for: "aws.network_acl_rule")?.read([KnownObject(id: "acl-1:egress:1")])
        _ = try await session.handler(for: "aws.network_acl_rule")?.list(in: .children(of: ["acl-1"]))
        #expect(await aws.calls == ["DescribeNetworkAcls"])
    }

    @Test("Reading rules and listing the children of groups share one listing")
    func rulesAndChildren() async throws {
        let aws = RecordingAWS(["DescribeSecurityGroupRules": [Self.oneRule]])
        let known = KnownObject(id: "sgr-1", arguments: ["security_group_id": "sg-1"])
        let session = try await aws.session(expecting: [
            "aws.security_group": [KnownObject(id: "sg-1"), KnownObject(id: "sg-2")],
            "aws.security_group_rule": [known],
        ])
        let handler = try #require(session.handler(for: "aws.security_group_rule"))
        #expect(try await handler.read([known]).count == 1)
        #expect(try await handler.list(in: .children(of: ["sg-1"])).count == 1)
        #expect(try await handler.list(in: .children(of: ["sg-2"])).isEmpty)
        #expect(await aws.calls == ["DescribeSecurityGroupRules"])
    }

    @Test("Above 200 groups the listings are read whole, in pages")
    func manyGroups() async throws {
        let page = RecordingAWS.Answer.body(
            "<securityGroupInfo><item><groupId>sg-3</groupId></item></securityGroupInfo><nextToken>2</nextToken>")
        let last = RecordingAWS.Answer.body(
            "<securityGroupInfo><item><groupId>sg-200</groupId></item></securityGroupInfo>")
        let aws = RecordingAWS(["DescribeSecurityGroups": [page, last], "DescribeSecurityGroupRules": [Self.oneRule]])
        let groups = (0...200).map { KnownObject(id: RemoteID("sg-\($0)")) }
        let session = try await aws.session(expecting: ["aws.security_group": groups])
        let found = try await session.handler(for: "aws.security_group")?.read(groups)
        #expect(found.map { Set($0.keys) } == ["sg-3", "sg-200"])
        _ = try await session.handler(for: "aws.security_group_rule")?.list(in: .children(of: ["sg-1"]))
        let transcript = await aws.takeTranscript()
        #expect(!transcript.contains("Filter"))
        #expect(await aws.calls == ["DescribeSecurityGroups", "DescribeSecurityGroups", "DescribeSecurityGroupRules"])
    }

    @Test("A group that is gone does not hide the rules of the others")
    func goneGroup() async throws {
        let aws = RecordingAWS([
            "DescribeSecurityGroupRules": [.failure(code: "InvalidGroup.NotFound"), Self.oneRule]
        ])
        let handler = try await aws.handler(for: "aws.security_group_rule")
        let found = try await handler.read([KnownObject(id: "sgr-1", arguments: ["security_group_id": "sg-1"])])
        #expect(found.count == 1)
    }

    @Test(
        "What exists already is told as such, whatever the type",
        arguments: [
            ("aws.security_group_rule", "AuthorizeSecurityGroupIngress", "InvalidPermission.Duplicate"),
            ("aws.route", "CreateRoute", "RouteAlreadyExists"),
            ("aws.network_acl_rule", "CreateNetworkAclEntry", "NetworkAclEntryAlreadyExists"),
            ("aws.route_table_association", "AssociateRouteTable", "Resource.AlreadyAssociated"),
            ("aws.security_group", "CreateSecurityGroup", "InvalidGroup.Duplicate"),
            ("aws.subnet", "CreateSubnet", "InvalidSubnet.Conflict"),
        ])
    func alreadyExists(_ type: String, _ operation: String, _ code: String) async throws {
        let aws = RecordingAWS([operation: [.failure(code: code)]])
        let handler = try await aws.handler(for: ResourceType(rawValue: type))
        await #expect {
            _ = try await handler.create([:], intent: .test)
        } throws: {
            ($0 as? ProviderError)?.kind == .alreadyExists
        }
    }

    @Test(
        "What a creation refers to may not be visible yet",
        arguments: [
            ("aws.route", "CreateRoute", "InvalidNatGatewayID.NotFound"),
            ("aws.route", "CreateRoute", "InvalidGatewayID.NotFound"),
            ("aws.nat_gateway", "CreateNatGateway", "InvalidAllocationID.NotFound"),
            ("aws.nat_gateway", "CreateNatGateway", "NatGatewayNotFound"),
            ("aws.security_group_rule", "AuthorizeSecurityGroupIngress", "InvalidGroup.NotFound"),
            ("aws.security_group", "CreateSecurityGroup", "InvalidVpcID.NotFound"),
            ("aws.vpc_endpoint", "CreateVpcEndpoint", "InvalidRouteTableId.NotFound"),
        ])
    func notYetVisible(_ type: String, _ operation: String, _ code: String) async throws {
        let aws = RecordingAWS([operation: [.failure(code: code)]])
        let handler = try await aws.handler(for: ResourceType(rawValue: type))
        await #expect {
            _ = try await handler.create([:], intent: .test)
        } throws: {
            ($0 as? ProviderError)?.kind == .notYetVisible
        }
    }
}
