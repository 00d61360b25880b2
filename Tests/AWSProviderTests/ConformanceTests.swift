import AWSProvider
import MusterModel
import ProviderKit
import Testing

@Suite(.serialized, .enabled(if: conformanceEndpoint != nil, "MUSTER_TEST_ENDPOINT names no emulator"))
struct ConformanceTests {
    private static let rows: [ConformanceRow] =
        [
            networkConformance, computeConformance, identityConformance, dnsConformance, messagingConformance,
            dataConformance,
            loadBalancingConformance, fleetConformance,
        ]
        .flatMap(\.self).filter { row in conformanceChoice.map { row.type.rawValue.contains($0) } ?? true }

    @Test("Each type can be made, found, read, changed, repaired and deleted", arguments: rows)
    func conformance(of row: ConformanceRow) async throws {
        let lab = ConformanceLab(endpoint: try #require(conformanceEndpoint))
        do {
            try await row.run(in: lab)
        } catch {
            Issue.record(error)
        }
        try await lab.tearDown()
    }

    @Test("Lookups find what the sandbox has from the start")
    func lookups() async throws {
        let lab = ConformanceLab(endpoint: try #require(conformanceEndpoint))
        let session = try await lab.provider.session(for: ProviderConfiguration(), expecting: [:])
        let newest = try await session.lookup(
            "amis",
            [
                "owners": ["self"], "name": "packer-prod-rancher-containerhost_*", "virtualization_type": "hvm",
                "most_recent": true,
            ])
        #expect(newest["name"] == "packer-prod-rancher-containerhost_2026-11-01")
        let parameter = try await session.lookup("ssm_parameters", ["name": "/muster/ami/base"])
        #expect(parameter["value"] == newest["id"])
        await #expect {
            _ = try await session.lookup("amis", ["owners": ["self"], "name": "packer-*"])
        } throws: {
            ($0 as? ProviderError)?.message.contains("there are 2") == true
        }
        let zone = try await session.lookup("hosted_zones", ["name": "tastycidr.net"])
        #expect(zone["name"] == "tastycidr.net" && zone["name_servers"]?.list?.isEmpty == false)
        let vpc = try await session.lookup("vpcs", ["default": true])
        let subnet = try await session.lookup(
            "subnets", ["vpc_id": vpc["id"] ?? .null, "availability_zone": "us-east-1a"])
        #expect(subnet["vpc_id"] == vpc["id"] && subnet["default_for_az"] == true)
        let group = try await session.lookup("security_groups", ["vpc_id": vpc["id"] ?? .null, "name": "default"])
        #expect(group["vpc_id"] == vpc["id"])
        let zones = try await session.lookup("availability_zones", [:])
        #expect(zones["names"]?.list?.first == "us-east-1a")
        #expect(zones["names"]?.list?.count == zones["zone_ids"]?.list?.count)
        #expect(try await session.lookup("caller_identity", [:])["account_id"] == "123456789012")
    }
}
