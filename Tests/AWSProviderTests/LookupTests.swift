import AWSProvider
import MusterModel
import ProviderKit
import TestSupport
import Testing

/// Questions of one kind, and what AWS answers.
struct LookupScenario: Sendable, CustomTestStringConvertible {
    var kind: String
    var answers: [String: [RecordingAWS.Answer]]
    var questions: [(String, [String: Value])]

    var testDescription: String { kind }
}

@Suite struct LookupTests {
    @Test("Each lookup asks AWS for what it can filter, and tells one answer or what is wrong", arguments: scenarios)
    func wire(_ scenario: LookupScenario) async throws {
        let aws = RecordingAWS(scenario.answers)
        var text = ""
        for (title, arguments) in scenario.questions {
            let session = try await aws.session()
            var outcome = ""
            do {
                for (name, value) in try await session.lookup(scenario.kind, arguments).sorted(by: { $0.key < $1.key })
                {
                    outcome += "  -> \(name): \(value.shown)\n"
                }
            } catch {
                outcome = "=> \(error.kind.rawValue): \(error.message)\n"
                if let hint = error.hint { outcome += "   hint: \(hint)\n" }
            }
            text += "## \(title)\n" + (await aws.takeTranscript()) + outcome + "\n"
        }
        expectGolden(text, named: "Lookups/\(scenario.kind).txt")
    }

    @Test("Every kind has a scenario, and its choices are pinned where AWS may choose otherwise tomorrow")
    func kinds() {
        let lookups = RecordingAWS().provider.lookups
        #expect(Set(lookups.map(\.kind)) == Set(Self.scenarios.map(\.kind)))
        #expect(lookups.filter(\.isPinned).map(\.kind).sorted() == ["amis", "certificates", "ssm_parameters"])
    }

    @Test("An unknown kind is an error")
    func unknown() async throws {
        let session = try await RecordingAWS().session()
        await #expect(throws: ProviderError.self) { try await session.lookup("moons", [:]) }
    }

    // MARK: Scenarios

    private static func set(_ name: String, _ items: String...) -> RecordingAWS.Answer {
        .body("<\(name)>\(items.map { "<item>\($0)</item>" }.joined())</\(name)>")
    }

    private static let tagSet = "<tagSet><item><key>Name</key><value>main</value></item></tagSet>"

    private static func image(_ id: String, _ date: String) -> String {
        "<imageId>\(id)</imageId><name>packer-\(id)</name><creationDate>\(date)</creationDate>"
            + "<imageOwnerId>123456789012</imageOwnerId><architecture>x86_64</architecture>"
            + "<virtualizationType>hvm</virtualizationType><rootDeviceName>/dev/sda1</rootDeviceName>"
            + "<rootDeviceType>ebs</rootDeviceType><blockDeviceMapping><item><deviceName>/dev/sda1</deviceName>"
            + "<ebs><snapshotId>snap-1</snapshotId></ebs></item></blockDeviceMapping>\(tagSet)"
    }

    private static func zone(_ id: String, isPrivate: Bool) -> String {
        "<HostedZone><Id>/hostedzone/\(id)</Id><Name>example.net.</Name><Config><Comment>c</Comment>"
            + "<PrivateZone>\(isPrivate)</PrivateZone></Config></HostedZone>"
    }

    private static func zoneDetails(_ id: String, _ vpc: String) -> RecordingAWS.Answer {
        .document(
            "<GetHostedZoneResponse>\(zone(id, isPrivate: true))<VPCs><VPC><VPCId>\(vpc)</VPCId></VPC></VPCs>"
                + "</GetHostedZoneResponse>")
    }

    private static let oldAndNew = set(
        "imagesSet", image("ami-1", "2026-10-01T00:00:00.000Z"), image("ami-3", "2026-11-01T00:00:00.000Z"),
        image("ami-2", "2026-11-01T00:00:00.000Z"))

    private static func database(_ name: String, _ team: String) -> String {
        "<DBInstanceIdentifier>\(name)</DBInstanceIdentifier><DBInstanceArn>arn:\(name)</DBInstanceArn>"
            + "<DbiResourceId>db-1</DbiResourceId><Engine>mysql</Engine><EngineVersion>8.0.42</EngineVersion>"
            + "<Endpoint><Address>\(name).rds.amazonaws.com</Address><Port>3306</Port><HostedZoneId>Z1</HostedZoneId>"
            + "</Endpoint><AllocatedStorage>20</AllocatedStorage><MultiAZ>true</MultiAZ><VpcSecurityGroups>"
            + "<VpcSecurityGroupMembership><VpcSecurityGroupId>sg-1</VpcSecurityGroupId></VpcSecurityGroupMembership>"
            + "</VpcSecurityGroups><TagList><Tag><Key>Team</Key><Value>\(team)</Value></Tag></TagList>"
    }

    private static func databases(_ items: String...) -> RecordingAWS.Answer {
        .body("<DBInstances>\(items.map { "<DBInstance>\($0)</DBInstance>" }.joined())</DBInstances>")
    }

    private static let scenarios: [LookupScenario] = [
        LookupScenario(
            kind: "databases",
            answers: [
                "DescribeDBInstances": [
                    databases(database("prod", "a")), databases(database("prod", "a"), database("dev", "b")),
                    databases(database("prod", "a"), database("dev", "b")), databases(),
                ]
            ],
            questions: [
                ("by name", ["identifier": "Prod"]), ("by tag", ["engine": "mysql", "tags": ["Team": "b"]]),
                ("several", [:]), ("none", ["identifier": "nobody"]),
            ]),
        LookupScenario(
            kind: "amis",
            answers: [
                "DescribeImages": [
                    oldAndNew, oldAndNew, set("imagesSet"),
                    set("imagesSet", image("ami-1", "2026-10-01T00:00:00.000Z")),
                ]
            ],
            questions: [
                (
                    "the newest, and of two of a moment always the same",
                    [
                        "owners": ["self"], "name": "packer-*", "virtualization_type": "hvm",
                        "architecture": "x86_64", "root_device_type": "ebs", "most_recent": true,
                    ]
                ),
                ("several", ["owners": ["self", "amazon"], "name": "packer-*"]),
                (
                    "none",
                    [
                        "owners": ["123456789012"], "tags": ["Usage": "node"],
                        "filters": ["is-public": ["false"], "block-device-mapping.encrypted": ["true", "false"]],
                        "most_recent": true, "include_deprecated": true,
                    ]
                ),
                ("one", ["owners": ["self"]]),
                ("something else than text", ["owners": "self"]),
            ]),
        LookupScenario(
            kind: "availability_zones",
            answers: [
                "DescribeAvailabilityZones": [
                    set(
                        "availabilityZoneInfo", "<zoneName>us-east-1b</zoneName><zoneId>use1-az1</zoneId>",
                        "<zoneName>us-east-1a</zoneName><zoneId>use1-az6</zoneId>",
                        "<zoneName>us-east-1e</zoneName><zoneId>use1-az3</zoneId>")
                ]
            ],
            questions: [
                ("all", [:]),
                ("some", ["state": "impaired", "zone_type": "local-zone", "exclude_names": ["us-east-1e"]]),
            ]),
        LookupScenario(
            kind: "hosted_zones",
            answers: [
                "GET /2013-04-01/hostedzone": [
                    .document(
                        "<ListHostedZonesResponse><HostedZones>\(zone("Z1", isPrivate: false))"
                            + "\(zone("Z2", isPrivate: true))\(zone("Z3", isPrivate: true))</HostedZones>"
                            + "<IsTruncated>false</IsTruncated></ListHostedZonesResponse>")
                ],
                "GET /2013-04-01/hostedzone/Z1": [
                    .document(
                        "<GetHostedZoneResponse>\(zone("Z1", isPrivate: false))<DelegationSet><NameServers>"
                            + "<NameServer>ns-2.example</NameServer><NameServer>ns-1.example</NameServer></NameServers>"
                            + "</DelegationSet></GetHostedZoneResponse>")
                ],
                "GET /2013-04-01/hostedzone/Z2": [zoneDetails("Z2", "vpc-2")],
                "GET /2013-04-01/hostedzone/Z3": [zoneDetails("Z3", "vpc-3")],
                "POST /2013-04-01/tags/hostedzone": [
                    .document(
                        "<ListTagsForResourcesResponse><ResourceTagSets><ResourceTagSet><ResourceId>Z2</ResourceId>"
                            + "<Tags><Tag><Key>Name</Key><Value>main</Value></Tag></Tags></ResourceTagSet>"
                            + "</ResourceTagSets></ListTagsForResourcesResponse>")
                ],
            ],
            questions: [
                ("several", ["name": "Example.net."]),
                ("the public one", ["name": "example.net", "private_zone": false]),
                ("by its VPC", ["name": "example.net", "vpc_id": "vpc-3"]),
                ("by its tags", ["name": "example.net", "tags": ["Name": "main"]]),
                ("by its id", ["id": "Z1"]),
                ("none", ["name": "example.org"]),
            ]),
        LookupScenario(
            kind: "vpcs",
            answers: [
                "DescribeVpcs": [
                    set(
                        "vpcSet",
                        "<vpcId>vpc-1</vpcId><cidrBlock>10.0.0.0/16</cidrBlock><isDefault>true</isDefault>"
                            + "<ownerId>123456789012</ownerId><instanceTenancy>default</instanceTenancy>\(tagSet)"),
                    set("vpcSet"), set("vpcSet", "<vpcId>vpc-1</vpcId>", "<vpcId>vpc-2</vpcId>"),
                ]
            ],
            questions: [
                (
                    "by everything",
                    [
                        "id": "vpc-1", "default": true, "cidr_block": "10.0.0.1/16", "name": "main",
                        "tags": ["Team": "a"],
                    ]
                ),
                ("none", ["name": "other"]), ("several", [:]),
            ]),
        LookupScenario(
            kind: "subnets",
            answers: [
                "DescribeSubnets": [
                    set(
                        "subnetSet",
                        "<subnetId>subnet-1</subnetId><vpcId>vpc-1</vpcId><cidrBlock>10.0.1.0/24</cidrBlock>"
                            + "<availabilityZone>us-east-1a</availabilityZone>"
                            + "<availabilityZoneId>use1-az1</availabilityZoneId>"
                            + "<availableIpAddressCount>251</availableIpAddressCount>"
                            + "<ownerId>123456789012</ownerId>\(tagSet)"),
                    set("subnetSet"),
                ]
            ],
            questions: [
                (
                    "by everything",
                    [
                        "id": "subnet-1", "vpc_id": "vpc-1", "availability_zone": "us-east-1a",
                        "cidr_block": "10.0.1.0/24", "default_for_az": false, "name": "main", "tags": ["Team": "a"],
                    ]
                ),
                ("none", ["name": "other"]),
            ]),
        LookupScenario(
            kind: "security_groups",
            answers: [
                "DescribeSecurityGroups": [
                    set(
                        "securityGroupInfo",
                        "<groupId>sg-1</groupId><groupName>default</groupName><vpcId>vpc-1</vpcId>"
                            + "<groupDescription>the VPC's own</groupDescription><ownerId>123456789012</ownerId>"),
                    set("securityGroupInfo"),
                ]
            ],
            questions: [
                ("by everything", ["id": "sg-1", "name": "default", "vpc_id": "vpc-1", "tags": ["Team": "a"]]),
                ("none", ["name": "other"]),
            ]),
        LookupScenario(
            kind: "load_balancers",
            answers: [
                "DescribeLoadBalancers": [
                    .body(
                        "<LoadBalancers><member><LoadBalancerArn>arn:aws:elasticloadbalancing:us-east-1:1:"
                            + "loadbalancer/app/web/1</LoadBalancerArn><LoadBalancerName>web</LoadBalancerName>"
                            + "<DNSName>Web-1.elb.example</DNSName><CanonicalHostedZoneId>Z1</CanonicalHostedZoneId>"
                            + "<Scheme>internal</Scheme><VpcId>vpc-1</VpcId><Type>application</Type></member><member>"
                            + "<LoadBalancerArn>arn:2</LoadBalancerArn><LoadBalancerName>api</LoadBalancerName></member>"
                            + "</LoadBalancers>")
                ],
                "DescribeTags": [
                    .body(
                        "<TagDescriptions><member><ResourceArn>arn:2</ResourceArn><Tags><member><Key>Name</Key>"
                            + "<Value>main</Value></member></Tags></member></TagDescriptions>")
                ],
            ],
            questions: [
                ("by its name", ["name": "web"]), ("by its tags", ["tags": ["Name": "main"]]), ("several", [:]),
                ("none", ["name": "other"]),
            ]),
        LookupScenario(
            kind: "certificates",
            answers: [
                "ListCertificates": [
                    .document(
                        #"{"CertificateSummaryList":[{"CertificateArn":"arn:1","DomainName":"a.example","Status":"ISSUED","#
                            + #""Type":"AMAZON_ISSUED","KeyAlgorithm":"RSA-2048","NotAfter":1798761600,"#
                            + #""SubjectAlternativeNameSummaries":["www.a.example","a.example"]},"#
                            + #"{"CertificateArn":"arn:2","DomainName":"a.example","Status":"ISSUED","Type":"IMPORTED","#
                            + #""KeyAlgorithm":"RSA-2048","NotAfter":1767225600},"#
                            + #"{"CertificateArn":"arn:3","DomainName":"a.example","Status":"EXPIRED"}]}"#)
                ],
                "ListTagsForCertificate": [
                    .document(#"{"Tags":[]}"#), .document(#"{"Tags":[{"Key":"Name","Value":"main"}]}"#),
                ],
            ],
            questions: [
                ("the one that is good for longest", ["domain": "A.example", "most_recent": true]),
                ("several", ["domain": "a.example"]),
                ("by its type", ["domain": "a.example", "types": ["IMPORTED"], "key_types": ["RSA_2048"]]),
                ("by its tags", ["domain": "a.example", "tags": ["Name": "main"]]),
                ("none in this state", ["domain": "a.example", "statuses": ["PENDING_VALIDATION"]]),
            ]),
        LookupScenario(
            kind: "caller_identity",
            answers: [
                "GetCallerIdentity": [
                    .body(
                        "<Account>123456789012</Account><Arn>arn:aws:iam::123456789012:user/x</Arn>"
                            + "<UserId>AIDA1</UserId>")
                ]
            ], questions: [("who", [:])]),
        LookupScenario(
            kind: "ssm_parameters",
            answers: [
                "GetParameter": [
                    .document(
                        #"{"Parameter":{"Name":"/a","Type":"String","Value":"ami-1","Version":3,"#
                            + #""ARN":"arn:aws:ssm:us-east-1:123456789012:parameter/a"}}"#),
                    .document(#"{"Parameter":{"Name":"/a","Type":"SecureString","Value":"AQIC","Version":1}}"#),
                    .failure(code: "ParameterNotFound"),
                ]
            ],
            questions: [("text", ["name": "/a"]), ("a secret", ["name": "/a"]), ("none", ["name": "/a"])]),
    ]
}
