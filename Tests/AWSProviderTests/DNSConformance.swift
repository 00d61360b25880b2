import AWSClient
import MusterModel
import ProviderKit
import Testing

let dnsConformance: [ConformanceRow] = [
    zoneRow, privateZoneRow, recordRow, nameRecordRow, textRecordRow, weightedRecordRow, aliasRecordRow,
    locatedRecordRow,
]

private let tags: Value = ["Name": "conformance", "Team": "a"]
private let otherTags: Value = ["Name": "other"]

extension ConformanceLab {
    fileprivate func zone() async throws -> Value {
        .string(try await make("aws.hosted_zone", ["name": "conformance.example"]))
    }

    /// `UPSERT` by another hand.
    fileprivate func upsert(_ record: AWSInput) async throws {
        let zone = try first("aws.hosted_zone")
        try await call(
            AWSOperation(
                .route53, "ChangeResourceRecordSets",
                [
                    "ChangeBatch": [
                        "Changes": .list([["Action": "UPSERT", "ResourceRecordSet": record]], as: .members("Change"))
                    ]
                ], effect: .idempotent,
                rest: RESTRoute(
                    "POST", "/2013-04-01/hostedzone/\(zone)/rrset/", bodyRoot: "ChangeResourceRecordSetsRequest")))
    }
}

private func values(_ values: String...) -> AWSInput {
    .list(values.map { ["Value": .string($0)] }, as: .members("ResourceRecord"))
}

private let zoneRow = ConformanceRow(
    type: "aws.hosted_zone",
    arguments: { _ in ["name": "zone.example", "comment": "For tests", "force_destroy": true, "tags": tags] },
    changes: { _ in [["comment": ""], ["comment": "Another"], ["tags": otherTags], ["tags": [:]], ["tags": tags]] },
    foreignEdit: { lab, id in
        try await lab.call(
            AWSOperation(
                .route53, "UpdateHostedZoneComment", ["Comment": "foreign"], effect: .idempotent,
                rest: RESTRoute(
                    "POST", "/2013-04-01/hostedzone/\(id.rawValue)", bodyRoot: "UpdateHostedZoneCommentRequest")))
        return ["comment": "foreign"]
    },
    check: { lab, seen in
        #expect(seen.outputs["zone_id"]?.string == seen.id.rawValue)
        // A record of others goes with the zone, since force_destroy is set.
        try await lab.call(
            AWSOperation(
                .route53, "ChangeResourceRecordSets",
                [
                    "ChangeBatch": [
                        "Changes": .list(
                            [
                                [
                                    "Action": "CREATE",
                                    "ResourceRecordSet": [
                                        "Name": "foreign.zone.example", "Type": "A", "TTL": 60,
                                        "ResourceRecords": values("192.0.2.9"),
                                    ],
                                ]
                            ], as: .members("Change"))
                    ]
                ], effect: .idempotent,
                rest: RESTRoute(
                    "POST", "/2013-04-01/hostedzone/\(seen.id.rawValue)/rrset/",
                    bodyRoot: "ChangeResourceRecordSetsRequest")))
    })

private let privateZoneRow = ConformanceRow(
    type: "aws.hosted_zone", title: "private",
    arguments: { lab in
        let first = try await lab.make("aws.vpc", ["cidr_block": "10.60.0.0/16"])
        let second = try await lab.make("aws.vpc", ["cidr_block": "10.61.0.0/16"])
        await lab.note("first", first)
        await lab.note("second", second)
        return ["name": "private.example", "vpc": [["vpc_id": .string(first)], ["vpc_id": .string(second)]]]
    },
    changes: { lab in
        let first = Value.string(try await lab.noted("first"))
        let second = Value.string(try await lab.noted("second"))
        return [["vpc": [["vpc_id": second]]], ["vpc": [["vpc_id": first], ["vpc_id": second]]]]
    })

private let recordRow = ConformanceRow(
    type: "aws.dns_record",
    arguments: { lab in
        [
            "zone_id": try await lab.zone(), "name": "*.A_b.conformance.example", "type": "A", "ttl": 60,
            "records": ["192.0.2.1", "192.0.2.2"],
        ]
    },
    changes: { _ in [["ttl": 120], ["records": ["192.0.2.3"]]] },
    foreignEdit: { lab, _ in
        try await lab.upsert([
            "Name": "*.a_b.conformance.example", "Type": "A", "TTL": 5, "ResourceRecords": values("192.0.2.66"),
        ])
        return ["ttl": 5, "records": ["192.0.2.66"]]
    },
    check: { _, seen in #expect(seen.outputs["fqdn"] == "*.a_b.conformance.example") })

private let nameRecordRow = ConformanceRow(
    type: "aws.dns_record", title: "CNAME",
    arguments: { lab in
        [
            "zone_id": try await lab.zone(), "name": "www.conformance.example.", "type": "CNAME", "ttl": 60,
            "records": ["Target.Conformance.Example."],
        ]
    },
    changes: { _ in [["records": ["target.conformance.example"]], ["records": ["other.example."]]] })

private let textRecordRow = ConformanceRow(
    type: "aws.dns_record", title: "TXT",
    arguments: { lab in
        [
            "zone_id": try await lab.zone(), "name": "_text.conformance.example", "type": "TXT", "ttl": 60,
            "records": [#"v=spf1 "quoted" \ -all"#, .string(String(repeating: "0123456789", count: 40))],
        ]
    },
    changes: { _ in [["records": [#""first" "second""#]], ["records": ["plain"]], ["records": ["é ü"]]] },
    foreignEdit: { lab, _ in
        try await lab.upsert([
            "Name": "_text.conformance.example", "Type": "TXT", "TTL": 60, "ResourceRecords": values(#""foreign""#),
        ])
        return ["records": ["foreign"]]
    })

private let weightedRecordRow = ConformanceRow(
    type: "aws.dns_record", title: "weighted",
    arguments: { lab in
        [
            "zone_id": try await lab.zone(), "name": "api.conformance.example", "type": "A", "ttl": 60,
            "records": ["192.0.2.1"], "set_identifier": "A_blue", "weighted_routing_policy": ["weight": 90],
        ]
    },
    changes: { _ in [["weighted_routing_policy": ["weight": 0]]] })

private let aliasRecordRow = ConformanceRow(
    type: "aws.dns_record", title: "alias",
    arguments: { lab in
        let zone = try await lab.zone()
        _ = try await lab.make(
            "aws.dns_record",
            [
                "zone_id": zone, "name": "target.conformance.example", "type": "A", "ttl": 60,
                "records": ["192.0.2.1"],
            ])
        return [
            "zone_id": zone, "name": "conformance.example", "type": "A",
            "alias": ["name": "Target.conformance.example", "zone_id": zone, "evaluate_target_health": false],
        ]
    },
    changes: { lab in
        let zone = Value.string(try await lab.first("aws.hosted_zone"))
        return [
            ["alias": ["name": "target.conformance.example", "zone_id": zone, "evaluate_target_health": true]]
        ]
    })

private let locatedRecordRow = ConformanceRow(
    type: "aws.dns_record", title: "geolocation",
    arguments: { lab in
        [
            "zone_id": try await lab.zone(), "name": "geo.conformance.example", "type": "A", "ttl": 60,
            "records": ["192.0.2.1"], "set_identifier": "europe", "geolocation_routing_policy": ["continent": "EU"],
        ]
    },
    changes: { _ in [["geolocation_routing_policy": ["country": "DE"]]] })
