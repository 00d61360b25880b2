import MusterModel
import ProviderKit

let dnsScenarios: [WireScenario] = [zoneScenario, privateZoneScenario, recordScenario, recordFormScenario]

private let tags: Value = ["Name": "main"]
private let token = "0123456789abcdef0123456789abcdef"

private func zone(_ id: String, reference: String = "x", isPrivate: Bool = false) -> String {
    "<HostedZone><Id>/hostedzone/\(id)</Id><Name>Example.net.</Name><CallerReference>\(reference)</CallerReference>"
        + "<Config><Comment>main</Comment><PrivateZone>\(isPrivate)</PrivateZone></Config></HostedZone>"
}

private func zones(_ zones: String..., next: String? = nil) -> RecordingAWS.Answer {
    .document(
        "<ListHostedZonesResponse><HostedZones>\(zones.joined())</HostedZones><IsTruncated>\(next != nil)</IsTruncated>"
            + (next.map { "<NextMarker>\($0)</NextMarker>" } ?? "") + "</ListHostedZonesResponse>")
}

private func zoneAnswer(_ name: String, _ id: String, _ more: String = "") -> RecordingAWS.Answer {
    .document(
        "<\(name)>\(zone(id))<DelegationSet><NameServers><NameServer>ns-2.example</NameServer>"
            + "<NameServer>ns-1.example</NameServer></NameServers></DelegationSet>\(more)</\(name)>")
}

private func records(_ records: String...) -> RecordingAWS.Answer {
    .document(
        "<ListResourceRecordSetsResponse><ResourceRecordSets>"
            + records.map { "<ResourceRecordSet>\($0)</ResourceRecordSet>" }.joined()
            + "</ResourceRecordSets><IsTruncated>false</IsTruncated></ListResourceRecordSetsResponse>")
}

private func record(_ name: String, _ type: String, _ values: String..., more: String = "") -> String {
    "<Name>\(name)</Name><Type>\(type)</Type>\(more)<TTL>60</TTL><ResourceRecords>"
        + values.map { "<ResourceRecord><Value>\($0)</Value></ResourceRecord>" }.joined() + "</ResourceRecords>"
}

private let changed = RecordingAWS.Answer.document(
    "<ChangeResourceRecordSetsResponse><ChangeInfo><Id>/change/C1</Id><Status>PENDING</Status></ChangeInfo>"
        + "</ChangeResourceRecordSetsResponse>")

private let zoneScenario = WireScenario(
    type: "aws.hosted_zone",
    answers: [
        "POST /2013-04-01/hostedzone": [
            zoneAnswer("CreateHostedZoneResponse", "Z1"),
            .failure(code: "HostedZoneAlreadyExists", message: "It exists", status: 409),
        ],
        "GET /2013-04-01/hostedzone": [
            zones(zone("Z2"), next: "Z1"), zones(zone("Z1", reference: token)), zones(zone("Z1"), zone("Z2")),
        ],
        "POST /2013-04-01/tags/hostedzone": [
            .document(
                "<ListTagsForResourcesResponse><ResourceTagSets><ResourceTagSet><ResourceId>Z1</ResourceId><Tags><Tag>"
                    + "<Key>Name</Key><Value>main</Value></Tag></Tags></ResourceTagSet></ResourceTagSets>"
                    + "</ListTagsForResourcesResponse>")
        ],
        "GET /2013-04-01/hostedzone/Z1": [zoneAnswer("GetHostedZoneResponse", "Z1")],
        "POST /2013-04-01/hostedzone/Z1": [zoneAnswer("UpdateHostedZoneCommentResponse", "Z1")],
        "POST /2013-04-01/tags/hostedzone/Z1": [.document("<ChangeTagsForResourceResponse/>")],
        "GET /2013-04-01/hostedzone/Z1/rrset": [
            records(
                record("example.net.", "NS", "ns-1.example."),
                record("example.net.", "SOA", "ns-1.example. x 1 2 3 4 5"),
                record("foreign.example.net.", "TXT", "&quot;a&quot;"),
                record("sub.example.net.", "NS", "ns-9.example."))
        ],
        "POST /2013-04-01/hostedzone/Z1/rrset/": [changed],
        "DELETE /2013-04-01/hostedzone/Z1": [
            .document("<DeleteHostedZoneResponse/>"),
            .failure(code: "HostedZoneNotEmpty", message: "It holds records"),
            .failure(code: "NoSuchHostedZone", status: 404),
        ],
    ],
    steps: [
        ("create", .create(["name": "example.net", "comment": "main", "tags": tags])),
        ("an earlier answer was lost", .create(["name": "example.net"])),
        ("find, on the second page", .find(["name": "example.net"])),
        (
            "read with tags",
            .read([
                KnownObject(id: "Z1", arguments: ["name": "example.net"], declared: ["tags"]), KnownObject(id: "Z9"),
            ])
        ),
        ("read for an import: with name servers", .read([KnownObject(id: "Z1")])),
        ("tags and comment", .update("Z1", from: ["tags": ["Old": "1"]], to: ["comment": "other", "tags": tags])),
        ("delete with the records of others", .delete("Z1", last: ["name": "example.net", "force_destroy": true])),
        ("delete what is not empty", .delete("Z1")),
        ("delete what is gone", .delete("Z1")),
        ("import", .importID("/hostedzone/Z1")),
        ("import nonsense", .importID("example.net")),
    ])

private let vpcs =
    "<VPCs><VPC><VPCRegion>us-east-1</VPCRegion><VPCId>vpc-1</VPCId></VPC>"
    + "<VPC><VPCRegion>us-east-1</VPCRegion><VPCId>vpc-2</VPCId></VPC></VPCs>"

private let privateZoneScenario = WireScenario(
    type: "aws.hosted_zone", title: "private",
    answers: [
        "POST /2013-04-01/hostedzone": [zoneAnswer("CreateHostedZoneResponse", "Z1")],
        "GET /2013-04-01/hostedzone": [zones(zone("Z1", isPrivate: true))],
        "GET /2013-04-01/hostedzone/Z1": [zoneAnswer("GetHostedZoneResponse", "Z1", vpcs)],
        "POST /2013-04-01/hostedzone/Z1/associatevpc": [
            .document("<AssociateVPCWithHostedZoneResponse/>"),
            .failure(code: "ConflictingDomainExists", message: "The VPC sees another zone of that name"),
        ],
        "POST /2013-04-01/hostedzone/Z1/disassociatevpc": [.document("<DisassociateVPCFromHostedZoneResponse/>")],
    ],
    steps: [
        (
            "create with the first of its VPCs",
            .create([
                "name": "example.net", "vpc": [["vpc_id": "vpc-1"], ["vpc_id": "vpc-3", "vpc_region": "eu-west-1"]],
            ])
        ),
        (
            "the others, compared with what is there",
            .update(
                "Z1", from: ["name": "example.net"],
                to: ["vpc": [["vpc_id": "vpc-1"], ["vpc_id": "vpc-3", "vpc_region": "eu-west-1"]]])
        ),
        (
            "one that sees another zone of the name",
            .update(
                "Z1", from: [:], to: ["vpc": [["vpc_id": "vpc-1"], ["vpc_id": "vpc-2"], ["vpc_id": "vpc-4"]]])
        ),
        ("read", .read([KnownObject(id: "Z1", arguments: ["name": "example.net"], declared: ["vpc"])])),
    ])

private let web: [String: Value] = [
    "zone_id": "Z1", "name": "www.example.net", "type": "A", "ttl": 60, "records": ["192.0.2.2", "192.0.2.1"],
]

private let recordScenario = WireScenario(
    type: "aws.dns_record",
    answers: [
        "POST /2013-04-01/hostedzone/Z1/rrset/": [
            changed,
            .failure(
                code: "InvalidChangeBatch",
                message:
                    "[Tried to create resource record set [name='www.example.net.', type='A'] but it already exists]"
            ), changed, changed, changed,
            .failure(
                code: "InvalidChangeBatch",
                message:
                    "[Tried to delete resource record set [name='www.example.net.', type='A'] but it was not found]"
            ),
            .failure(code: "PriorRequestNotComplete", message: "later"),
        ],
        "GET /2013-04-01/hostedzone/Z1/rrset": [
            records(record("www.example.net.", "A", "192.0.2.1", "192.0.2.2")),
            records(record("www.example.net.", "A", "192.0.2.66")),
            records(record("www2.example.net.", "A", "192.0.2.1")),
            records(
                record("example.net.", "NS", "ns-1.example."), record("\\052.a_b.example.net.", "A", "192.0.2.1"),
                record("www.example.net.", "A", "192.0.2.1")),
            records(record("www.example.net.", "A", "192.0.2.1"), record("www.example.net.", "AAAA", "2001:db8::1")),
        ],
        "GET /2013-04-01/hostedzone/Z9/rrset": [.failure(code: "NoSuchHostedZone", status: 404)],
    ],
    steps: [
        ("create", .create(web)),
        ("it is there already", .create(web)),
        ("and says the same: ours", .find(web)),
        ("and says something else", .find(web)),
        ("another name follows in the listing", .find(web)),
        (
            "create over what is there",
            .create(web.merging(["allow_overwrite": true, "zone_id": "/hostedzone/Z1"]) { $1 })
        ),
        ("change", .update("Z1_www.example.net_A", from: web, to: web.merging(["ttl": 120]) { $1 })),
        (
            "read by zone; a zone that is gone takes its records along",
            .read([
                KnownObject(id: "Z1_www.example.net_A"), KnownObject(id: "Z1_*.a_b.example.net_A"),
                KnownObject(id: "Z1_gone.example.net_A"), KnownObject(id: "Z9_www.example.net_A"),
            ])
        ),
        ("delete exactly what is there", .delete("Z1_www.example.net_A")),
        ("delete what has just gone", .delete("Z1_www.example.net_A")),
        ("delete in a zone that is gone", .delete("Z9_www.example.net_A")),
        ("import", .importID("Z1_*.A_b.example.net._A_A_b")),
        ("import nonsense", .importID("www.example.net")),
    ])

private let recordFormScenario = WireScenario(
    type: "aws.dns_record", title: "forms",
    answers: [
        "POST /2013-04-01/hostedzone/Z1/rrset/": [changed],
        "GET /2013-04-01/hostedzone/Z1/rrset": [
            records(
                record("t.example.net.", "TXT", "&quot;a \\&quot;b\\&quot; \\\\ \\303\\251&quot; &quot;c&quot;"),
                record("c.example.net.", "CNAME", "Target.example.net."),
                record(
                    "w.example.net.", "A", "192.0.2.1",
                    more: "<SetIdentifier>blue</SetIdentifier><Weight>0</Weight>"),
                "<Name>alias.example.net.</Name><Type>A</Type><AliasTarget><HostedZoneId>Z2</HostedZoneId>"
                    + "<DNSName>lb.example.com.</DNSName><EvaluateTargetHealth>true</EvaluateTargetHealth></AliasTarget>",
                record(
                    "g.example.net.", "A", "192.0.2.1",
                    more:
                        "<SetIdentifier>x</SetIdentifier><GeoProximityLocation><Coordinates><Latitude>49.22</Latitude>"
                        + "<Longitude>-74.01</Longitude></Coordinates></GeoProximityLocation>"))
        ],
    ],
    steps: {
        func created(_ type: Value, _ more: [String: Value]) -> WireScenario.Step {
            .create(["zone_id": "Z1", "name": "x.example.net", "type": type].merging(more) { $1 })
        }
        return [
            ("text", created("TXT", ["records": [#"a "b" \ é"#, #""kept" "as it is""#]])),
            ("a long text", created("TXT", ["records": [.string(String(repeating: "é", count: 130))]])),
            (
                "weighted",
                created(
                    "A",
                    [
                        "records": ["192.0.2.1"], "set_identifier": "blue", "weighted_routing_policy": ["weight": 0],
                        "health_check_id": "check-1",
                    ])
            ),
            (
                "alias",
                created("A", ["alias": ["name": "lb.example.com", "zone_id": "Z2"]])
            ),
            (
                "latency and several answers",
                created(
                    "A",
                    [
                        "records": ["192.0.2.1"], "set_identifier": "x",
                        "latency_routing_policy": ["region": "eu-west-1"],
                        "multivalue_answer_routing_policy": true,
                    ])
            ),
            (
                "failover and place",
                created(
                    "A",
                    [
                        "records": ["192.0.2.1"], "set_identifier": "x", "failover_routing_policy": ["type": "PRIMARY"],
                        "geolocation_routing_policy": ["country": "US", "subdivision": "CA"],
                    ])
            ),
            (
                "distance and network",
                created(
                    "A",
                    [
                        "records": ["192.0.2.1"], "set_identifier": "x",
                        "geoproximity_routing_policy": ["aws_region": "us-east-1", "bias": -5],
                        "cidr_routing_policy": ["collection_id": "c", "location_name": "*"],
                    ])
            ),
            (
                "read, in the words of the spec where they mean the same",
                .read([
                    KnownObject(
                        id: "Z1_t.example.net_TXT", arguments: ["records": [#""a \"b\" \\ " "éc""#]]),
                    KnownObject(id: "Z1_c.example.net_CNAME", arguments: ["records": ["target.example.net"]]),
                    KnownObject(id: "Z1_w.example.net_A_blue"), KnownObject(id: "Z1_alias.example.net_A"),
                    KnownObject(id: "Z1_g.example.net_A_x"),
                ])
            ),
            ("read for an import", .read([KnownObject(id: "Z1_t.example.net_TXT")])),
            ("delete with its policy", .delete("Z1_w.example.net_A_blue")),
            ("delete an alias", .delete("Z1_alias.example.net_A")),
            ("delete with a place", .delete("Z1_g.example.net_A_x")),
        ]
    }())
