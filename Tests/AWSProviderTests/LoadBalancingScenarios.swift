import MusterModel
import ProviderKit

let loadBalancingScenarios: [WireScenario] = [
    balancerScenario, guardedBalancerScenario, targetGroupScenario, attachmentScenario, listenerScenario,
    refusedListenerScenario, listenerCertificateScenario, ruleScenario, priorityScenario, certificateScenario,
    importedScenario,
]

private let tags: Value = ["Name": "web"]
private let prefix = "arn:aws:elasticloadbalancing:us-east-1:123456789012"
private let balancerARN = "\(prefix):loadbalancer/app/web/1"
private let groupARN = "\(prefix):targetgroup/web/2"
private let listenerARN = "\(prefix):listener/app/web/1/3"
private let ruleARN = "\(prefix):listener-rule/app/web/1/3/4"
private let otherRuleARN = "\(prefix):listener-rule/app/web/1/3/5"
private let certificateARN = "arn:aws:acm:us-east-1:123456789012:certificate/6"
private let intentTag = "<member><Key>muster:intent</Key><Value>0123456789abcdef0123456789abcdef</Value></member>"

private func list(_ name: String, _ items: String..., next: String? = nil) -> RecordingAWS.Answer {
    .body(
        "<\(name)>\(items.map { "<member>\($0)</member>" }.joined())</\(name)>"
            + (next.map { "<NextMarker>\($0)</NextMarker>" } ?? ""))
}

private func told(_ arn: String, _ tags: String = intentTag) -> RecordingAWS.Answer {
    list("TagDescriptions", "<ResourceArn>\(arn)</ResourceArn><Tags>\(tags)</Tags>")
}

private func attributes(_ attributes: KeyValuePairs<String, String>) -> RecordingAWS.Answer {
    let items = attributes.map { "<member><Key>\($0.key)</Key><Value>\($0.value)</Value></member>" }
    return .body("<Attributes>\(items.joined())</Attributes>")
}

private let nameTag =
    "<member><Key>Name</Key><Value>web</Value></member><member><Key>aws:x</Key><Value>y</Value></member>"

private func known(_ arn: String, _ arguments: [String: Value] = [:], _ declared: Set<String> = []) -> KnownObject {
    KnownObject(id: RemoteID(arn), arguments: arguments, declared: declared)
}

// MARK: Load balancers

private let balancer =
    "<LoadBalancerArn>\(balancerARN)</LoadBalancerArn><DNSName>Web-1.us-east-1.elb.amazonaws.com</DNSName>"
    + "<CanonicalHostedZoneId>Z35SXDOTRQ7X7K</CanonicalHostedZoneId><LoadBalancerName>web</LoadBalancerName>"
    + "<Scheme>internet-facing</Scheme><VpcId>vpc-1</VpcId><State><Code>active</Code></State><Type>application</Type>"
    + "<AvailabilityZones><member><ZoneName>us-east-1b</ZoneName><SubnetId>subnet-2</SubnetId></member><member>"
    + "<ZoneName>us-east-1a</ZoneName><SubnetId>subnet-1</SubnetId></member></AvailabilityZones>"
    + "<SecurityGroups><member>sg-1</member></SecurityGroups><IpAddressType>ipv4</IpAddressType>"

private let balancerScenario = WireScenario(
    type: "aws.load_balancer",
    answers: [
        "CreateLoadBalancer": [list("LoadBalancers", balancer.replacing("active", with: "provisioning"))],
        "DescribeLoadBalancers": [
            list("LoadBalancers", balancer), list("LoadBalancers", balancer.replacing("/1<", with: "/9<"), next: "2"),
            list("LoadBalancers", balancer), list("LoadBalancers", balancer),
            .failure(code: "LoadBalancerNotFound"),
        ],
        "DescribeTags": [
            told(balancerARN), told(balancerARN), told(balancerARN, nameTag), told(balancerARN, nameTag),
        ],
        "DescribeLoadBalancerAttributes": [
            attributes([
                "idle_timeout.timeout_seconds": "900", "routing.http2.enabled": "true",
                "access_logs.s3.enabled": "true", "access_logs.s3.bucket": "logs",
                "deletion_protection.enabled": "true",
            ])
        ],
        "DescribeCapacityReservation": [.body("")],
        "ModifyLoadBalancerAttributes": [.body("")], "SetSubnets": [.body("")], "SetSecurityGroups": [.body("")],
        "SetIpAddressType": [.body("")], "ModifyIpPools": [.body("")], "ModifyCapacityReservation": [.body("")],
        "AddTags": [.body("")], "RemoveTags": [.body("")], "DeleteLoadBalancer": [.body("")],
    ],
    steps: [
        ("find", .find(["name": "web"])),
        (
            "create",
            .create([
                "name": "web", "internal": true, "subnets": ["subnet-2", "subnet-1"], "security_groups": ["sg-1"],
                "ip_address_type": "ipv4", "idle_timeout": 900, "tags": tags,
            ])
        ),
        (
            "create for the network what somebody else made just so",
            .create([
                "name": "tcp", "load_balancer_type": "network",
                "subnet_mapping": [["subnet_id": "subnet-1", "allocation_id": "eipalloc-1"]],
                "ipam_pools": ["ipv4_ipam_pool_id": "ipam-pool-1"],
            ])
        ),
        ("read, with nothing that costs a call", .read([known(balancerARN)])),
        (
            "read with attributes, capacity and tags",
            .read(
                [
                    known(balancerARN, [:], ["idle_timeout", "access_logs", "minimum_load_balancer_capacity", "tags"]),
                    known("\(prefix):loadbalancer/app/gone/1", [:], ["tags"]),
                ],
                expecting: [
                    "aws.target_group": [known(groupARN, [:], ["tags"])],
                    "aws.listener": [known(listenerARN, [:], [])],
                ])
        ),
        (
            "update",
            .update(
                RemoteID(balancerARN),
                from: [
                    "subnets": ["subnet-1", "subnet-2"], "security_groups": ["sg-1"], "idle_timeout": 60,
                    "enable_http2": true, "access_logs": ["bucket": "logs", "enabled": true],
                    "ip_address_type": "ipv4", "tags": ["Name": "web", "Old": "x"],
                ],
                to: [
                    "subnets": ["subnet-2", "subnet-3"], "security_groups": ["sg-2"], "idle_timeout": 900,
                    "enable_http2": true, "access_logs": ["enabled": false], "ip_address_type": "dualstack",
                    "minimum_load_balancer_capacity": ["capacity_units": 100],
                    "ipam_pools": ["ipv4_ipam_pool_id": "ipam-pool-1"], "tags": ["Name": "other"],
                ])
        ),
        (
            "update what is left",
            .update(
                RemoteID(balancerARN),
                from: [
                    "ipam_pools": ["ipv4_ipam_pool_id": "ipam-pool-1"],
                    "minimum_load_balancer_capacity": ["capacity_units": 100], "security_groups": ["sg-1"],
                    "subnet_mapping": [["subnet_id": "subnet-1"]],
                ],
                to: [
                    "minimum_load_balancer_capacity": ["capacity_units": 0],
                    "enforce_security_group_inbound_rules_on_private_link_traffic": "off", "security_groups": ["sg-1"],
                    "subnet_mapping": [["subnet_id": "subnet-1"], ["subnet_id": "subnet-2"]],
                ])
        ),
        (
            "no change",
            .update(RemoteID(balancerARN), from: ["name": "web", "tags": tags], to: ["name": "web", "tags": tags])
        ),
        ("delete", .delete(RemoteID(balancerARN))),
        ("import", .importID(balancerARN)), ("import of something else", .importID("web")),
        ("find nothing", .find(["name": "web"])),
    ])

private let guardedBalancerScenario = WireScenario(
    type: "aws.load_balancer", title: "guarded",
    answers: [
        "ModifyLoadBalancerAttributes": [.body("")],
        "DeleteLoadBalancer": [
            .body(""),
            .failure(
                code: "OperationNotPermitted",
                message: "Load balancer '\(balancerARN)' cannot be deleted because deletion protection is enabled"),
        ],
    ],
    steps: [
        (
            "the guard of the spec is taken off",
            .delete(RemoteID(balancerARN), last: ["enable_deletion_protection": true])
        ),
        ("the guard of somebody else is not", .delete(RemoteID(balancerARN))),
    ])

// MARK: Target groups

private let group =
    "<TargetGroupArn>\(groupARN)</TargetGroupArn><TargetGroupName>web</TargetGroupName><Protocol>HTTP</Protocol>"
    + "<Port>8080</Port><VpcId>vpc-1</VpcId><HealthCheckProtocol>HTTP</HealthCheckProtocol>"
    + "<HealthCheckPort>traffic-port</HealthCheckPort><HealthCheckEnabled>true</HealthCheckEnabled>"
    + "<HealthCheckIntervalSeconds>10</HealthCheckIntervalSeconds><HealthCheckTimeoutSeconds>5</HealthCheckTimeoutSeconds>"
    + "<HealthyThresholdCount>2</HealthyThresholdCount><UnhealthyThresholdCount>2</UnhealthyThresholdCount>"
    + "<HealthCheckPath>/ping</HealthCheckPath><Matcher><HttpCode>200</HttpCode></Matcher>"
    + "<LoadBalancerArns><member>\(balancerARN)</member></LoadBalancerArns><TargetType>instance</TargetType>"
    + "<ProtocolVersion>HTTP1</ProtocolVersion><IpAddressType>ipv4</IpAddressType>"

private let targetGroupScenario = WireScenario(
    type: "aws.target_group",
    answers: [
        "CreateTargetGroup": [list("TargetGroups", group)],
        "DescribeTargetGroups": [list("TargetGroups", group)],
        "DescribeTags": [
            told(groupARN), told(groupARN, nameTag), told(groupARN, nameTag),
            .failure(code: "TargetGroupNotFound", message: "gone"), told(groupARN, ""),
            .failure(code: "TargetGroupNotFound", message: "gone"),
        ],
        "DescribeTargetGroupAttributes": [
            attributes([
                "deregistration_delay.timeout_seconds": "30", "stickiness.enabled": "true",
                "stickiness.type": "app_cookie",
                "stickiness.app_cookie.cookie_name": "SESSION", "stickiness.app_cookie.duration_seconds": "60",
                "target_group_health.dns_failover.minimum_healthy_targets.count": "2",
            ])
        ],
        "ModifyTargetGroup": [.body("")], "ModifyTargetGroupAttributes": [.body("")],
        "DeleteTargetGroup": [
            .body(""),
            .failure(
                code: "ResourceInUse", message: "Target group '\(groupARN)' is currently in use by a listener or a rule"
            ),
        ],
        "DescribeListeners": [
            list("Listeners", listener)
        ],
        "DescribeRules": [
            list("Rules", rule(ruleARN, "100"), rule(otherRuleARN, "200", group: "other"), rule("x", "default"))
        ],
    ],
    steps: [
        (
            "create",
            .create([
                "name": "web", "port": 8080, "protocol": "HTTP", "vpc_id": "vpc-1",
                "health_check": ["path": "/ping", "interval": 10, "matcher": "200-299"], "deregistration_delay": 30,
                "tags": tags,
            ])
        ),
        (
            "create for gRPC, which somebody else did before",
            .create([
                "name": "grpc", "port": 8080, "protocol": "HTTP", "protocol_version": "GRPC", "vpc_id": "vpc-1",
                "health_check": ["matcher": "0-99"],
            ])
        ),
        ("find somebody else's", .find(["name": "web"])),
        (
            "read; the tags of one that is gone hide no others",
            .read(
                [known(groupARN, [:], ["deregistration_delay", "tags"])],
                expecting: ["aws.listener": [known(listenerARN, [:], ["tags"])]])
        ),
        (
            "update",
            .update(
                RemoteID(groupARN),
                from: ["health_check": ["path": "/"], "slow_start": 0, "stickiness": ["enabled": false]],
                to: [
                    "health_check": ["path": "/ping", "port": "8081"], "slow_start": 60,
                    "stickiness": ["type": "lb_cookie", "cookie_duration": 600],
                    "target_group_health": ["dns_failover": ["minimum_healthy_targets_count": "2"]],
                ])
        ),
        ("delete", .delete(RemoteID(groupARN))), ("delete what is used: by whom is said", .delete(RemoteID(groupARN))),
        ("import", .importID("web")),
    ])

private func health(_ id: String, _ port: Int, _ state: String, _ reason: String = "") -> String {
    "<Target><Id>\(id)</Id><Port>\(port)</Port></Target><TargetHealth><State>\(state)</State>"
        + "<Reason>\(reason)</Reason><Description>it is \(state)</Description></TargetHealth>"
}

private let attachmentScenario = WireScenario(
    type: "aws.target_group_attachment",
    answers: [
        "RegisterTargets": [.body(""), .failure(code: "TargetGroupNotFound", message: "Target groups not found")],
        "DescribeTargetHealth": [
            list(
                "TargetHealthDescriptions", health("i-1", 8080, "unhealthy", "Target.FailedHealthChecks"),
                health("i-1", 9090, "healthy"), health("i-2", 8080, "draining", "Target.DeregistrationInProgress"),
                health("i-3", 8080, "unused", "Target.NotInUse")), .failure(code: "TargetGroupNotFound"),
        ],
        "DescribeTargetGroups": [list("TargetGroups", group)],
        "DeregisterTargets": [
            .body(""), .failure(code: "InvalidTarget", message: "not registered"),
            .failure(code: "TargetGroupNotFound", message: "Target groups not found"),
        ],
    ],
    steps: [
        ("create", .create(["target_group_arn": .string(groupARN), "target_id": "i-1"])),
        (
            "create in a group that is not visible yet",
            .create(["target_group_arn": .string(groupARN), "target_id": "i-1", "port": 9090, "wait_for_healthy": true])
        ),
        (
            "read: each as it waits, of two ports the group's own",
            .read([
                known("\(groupARN),i-1", ["wait_for_healthy": true]), known("\(groupARN),i-1,9090"),
                known("\(groupARN),i-2"), known("\(groupARN),i-3", ["wait_for_healthy": true]),
                known("\(groupARN),i-4"),
            ])
        ),
        ("read of a group that is gone", .read([known("\(groupARN),i-1")])),
        ("delete", .delete(RemoteID("\(groupARN),i-1,9090"))),
        ("delete an unknown one", .delete(RemoteID("\(groupARN),i-9"))),
        ("delete in a group that is gone", .delete(RemoteID("\(groupARN),i-1"))),
        ("import", .importID("\(groupARN),i-1,9090")), ("import of half", .importID("i-1")),
    ])

// MARK: Listeners

private let listener =
    "<ListenerArn>\(listenerARN)</ListenerArn><LoadBalancerArn>\(balancerARN)</LoadBalancerArn><Port>443</Port>"
    + "<Protocol>HTTPS</Protocol><Certificates><member><CertificateArn>\(certificateARN)</CertificateArn></member>"
    + "</Certificates><SslPolicy>ELBSecurityPolicy-2016-08</SslPolicy><DefaultActions><member><Type>forward</Type>"
    + "<TargetGroupArn>\(groupARN)</TargetGroupArn><Order>2</Order><ForwardConfig><TargetGroups><member><TargetGroupArn>"
    + "\(groupARN)</TargetGroupArn><Weight>1</Weight></member></TargetGroups><TargetGroupStickinessConfig><Enabled>false"
    + "</Enabled></TargetGroupStickinessConfig></ForwardConfig></member><member><Type>authenticate-oidc</Type><Order>1"
    + "</Order><AuthenticateOidcConfig><Issuer>https://id.example</Issuer><ClientId>muster</ClientId><SessionTimeout>3600"
    + "</SessionTimeout></AuthenticateOidcConfig></member></DefaultActions>"

private let oidc: Value = [
    "issuer": "https://id.example", "authorization_endpoint": "https://id.example/auth",
    "token_endpoint": "https://id.example/token", "user_info_endpoint": "https://id.example/me", "client_id": "muster",
]

private let listenerScenario = WireScenario(
    type: "aws.listener",
    answers: [
        "CreateListener": [list("Listeners", listener)], "ModifyListener": [list("Listeners", listener)],
        "DescribeListeners": [
            list("Listeners", listener), list("Listeners", listener), .failure(code: "LoadBalancerNotFound"),
        ],
        "DescribeTags": [told(listenerARN)],
        "DescribeListenerAttributes": [attributes(["routing.http.response.server.enabled": "false"])],
        "ModifyListenerAttributes": [.body("")],
        "DeleteListener": [.body(""), .failure(code: "ListenerNotFound")],
    ],
    steps: [
        (
            "create",
            .create([
                "load_balancer_arn": .string(balancerARN), "port": 443, "protocol": "HTTPS",
                "certificate_arn": .string(certificateARN), "oidc_client_secret": "geheim",
                "default_action": [
                    ["type": "authenticate-oidc", "authenticate_oidc": oidc],
                    [
                        "type": "forward",
                        "forward": [
                            "target_group": [["arn": .string(groupARN), "weight": 90], ["arn": "b", "weight": 10]]
                        ],
                    ],
                ], "tags": tags,
            ])
        ),
        (
            "create a redirect",
            .create([
                "load_balancer_arn": .string(balancerARN), "port": 80, "protocol": "HTTP",
                "default_action": [
                    ["type": "redirect", "redirect": ["protocol": "HTTPS", "port": "443", "status_code": "HTTP_301"]]
                ],
            ])
        ),
        ("find", .find(["load_balancer_arn": .string(balancerARN), "port": 443])),
        ("read", .read([known(listenerARN, [:], ["routing_http_response_server_enabled"])])),
        ("read of a load balancer that is gone", .read([known(listenerARN)])),
        (
            "update what differs",
            .update(
                RemoteID(listenerARN),
                from: [
                    "port": 443, "protocol": "HTTPS", "certificate_arn": .string(certificateARN),
                    "oidc_client_secret": "geheim",
                    "default_action": [["type": "authenticate-oidc", "authenticate_oidc": oidc]],
                ],
                to: [
                    "port": 443, "protocol": "HTTPS", "certificate_arn": .string("\(certificateARN)7"),
                    "oidc_client_secret": "geheim",
                    "default_action": [
                        ["type": "authenticate-oidc", "authenticate_oidc": oidc],
                        [
                            "type": "fixed-response",
                            "fixed_response": ["status_code": "404", "message_body": "nothing"],
                        ],
                    ], "mutual_authentication": ["mode": "passthrough"],
                    "routing_http_response_server_enabled": false,
                ])
        ),
        (
            "a new secret",
            .update(
                RemoteID(listenerARN),
                from: ["default_action": [["type": "authenticate-oidc", "authenticate_oidc": oidc]]],
                to: [
                    "default_action": [["type": "authenticate-oidc", "authenticate_oidc": oidc]],
                    "oidc_client_secret": "neu",
                ])
        ),
        ("delete", .delete(RemoteID(listenerARN))), ("delete again", .delete(RemoteID(listenerARN))),
    ])

private let refusedListenerScenario = WireScenario(
    type: "aws.listener", title: "refused",
    answers: [
        "CreateListener": [
            .failure(code: "UnsupportedCertificate", message: "The certificate must be issued"),
            .failure(code: "UnsupportedCertificate", message: "The certificate must be issued"),
            .failure(
                code: "TargetGroupAssociationLimit",
                message: "The following target groups cannot be associated with more than one load balancer: x"),
            .failure(code: "CertificateNotFound", message: "Certificate not found"),
        ],
        "DescribeCertificate": [
            .document(#"{"Certificate":{"Status":"PENDING_VALIDATION"}}"#),
            .document(#"{"Certificate":{"Status":"ISSUED"}}"#),
        ],
    ],
    steps: [
        ("a certificate that is on its way is waited for", .create(secureListener)),
        ("one that will not do is not", .create(secureListener)),
        ("a group that another one has", .create(secureListener)),
        ("a certificate that was issued a moment ago", .create(secureListener)),
    ])

private let secureListener: [String: Value] = [
    "load_balancer_arn": .string(balancerARN), "port": 443, "protocol": "HTTPS",
    "certificate_arn": .string(certificateARN),
    "default_action": [["type": "forward", "target_group_arn": .string(groupARN)]],
]

private let listenerCertificateScenario = WireScenario(
    type: "aws.listener_certificate",
    answers: [
        "AddListenerCertificates": [.body("")],
        "DescribeListenerCertificates": [
            list(
                "Certificates", "<CertificateArn>own</CertificateArn><IsDefault>true</IsDefault>",
                "<CertificateArn>\(certificateARN)</CertificateArn><IsDefault>false</IsDefault>"),
            .failure(code: "ListenerNotFound"),
        ],
        "RemoveListenerCertificates": [.body(""), .failure(code: "ListenerNotFound")],
    ],
    steps: [
        ("create", .create(["listener_arn": .string(listenerARN), "certificate_arn": .string(certificateARN)])),
        ("children, without the listener's own", .children(of: [RemoteID(listenerARN)])),
        ("read of a listener that is gone", .read([known("\(listenerARN),\(certificateARN)")])),
        ("delete", .delete(RemoteID("\(listenerARN),\(certificateARN)"))),
        ("delete again", .delete(RemoteID("\(listenerARN),\(certificateARN)"))),
        ("import", .importID("\(listenerARN),\(certificateARN)")), ("import of half", .importID(certificateARN)),
    ])

// MARK: Rules

private func rule(_ arn: String, _ priority: String, group: String = groupARN) -> String {
    "<RuleArn>\(arn)</RuleArn><Priority>\(priority)</Priority><Conditions><member><Field>path-pattern</Field><Values>"
        + "<member>/b</member><member>/a</member></Values><PathPatternConfig><Values><member>/b</member>"
        + "<member>/a</member></Values></PathPatternConfig></member></Conditions><Actions><member><Type>forward</Type>"
        + "<TargetGroupArn>\(group)</TargetGroupArn><Order>1</Order></member></Actions><IsDefault>false</IsDefault>"
}

private let forward: Value = [["type": "forward", "target_group_arn": .string(groupARN)]]

private let ruleScenario = WireScenario(
    type: "aws.listener_rule",
    answers: [
        "CreateRule": [
            list("Rules", rule(ruleARN, "100")),
            .failure(code: "PriorityInUse", message: "The specified priority '100' is in use"),
        ],
        "DescribeRules": [
            list("Rules", rule(ruleARN, "100"), rule("\(ruleARN)0", "default"))
        ], "DescribeTags": [told(ruleARN)], "ModifyRule": [list("Rules", rule(ruleARN, "100"))],
        "SetRulePriorities": [list("Rules", rule(ruleARN, "100"))],
        "DeleteRule": [.body(""), .failure(code: "RuleNotFound")],
    ],
    steps: [
        (
            "create with every kind of condition",
            .create([
                "listener_arn": .string(listenerARN), "priority": 100, "action": forward, "tags": tags,
                "condition": [
                    ["host_header": ["values": ["b.example", "a.example"]]], ["path_pattern": ["values": ["/a"]]],
                    ["http_request_method": ["values": ["GET"]]], ["source_ip": ["values": ["10.0.0.0/8"]]],
                    ["http_header": ["http_header_name": "X-A", "values": ["1"]]],
                    ["query_string": [["key": "v", "value": "2"], ["value": "*"]]],
                ],
            ])
        ),
        (
            "a priority that is taken",
            .create([
                "listener_arn": .string(listenerARN), "priority": 100, "action": forward,
                "condition": [["path_pattern": ["values": ["/a"]]]],
            ])
        ),
        ("find", .find(["listener_arn": .string(listenerARN), "priority": 100])),
        ("children, without the default action", .children(of: [RemoteID(listenerARN)])),
        (
            "update",
            .update(
                RemoteID(ruleARN),
                from: ["priority": 100, "action": forward, "condition": [["path_pattern": ["values": ["/a"]]]]],
                to: ["priority": 90, "action": forward, "condition": [["path_pattern": ["values": ["/b"]]]]])
        ),
        ("delete", .delete(RemoteID(ruleARN))), ("delete again", .delete(RemoteID(ruleARN))),
    ])

private let priorityScenario = WireScenario(
    type: "aws.listener_rule", title: "priorities",
    answers: [
        "SetRulePriorities": [
            .failure(code: "PriorityInUse", message: "in use"), list("Rules"),
            .failure(code: "PriorityInUse", message: "in use"), .failure(code: "PriorityInUse", message: "in use"),
        ],
        "DescribeRules": [
            list("Rules", rule(ruleARN, "100"), rule(otherRuleARN, "90")),
            list("Rules", rule(ruleARN, "50000"), rule(otherRuleARN, "90")),
        ],
        "DescribeTags": [
            told(otherRuleARN, "<member><Key>muster:intent</Key><Value>x</Value></member>"),
            told(otherRuleARN, "<member><Key>muster:intent</Key><Value>x</Value></member>"), told(otherRuleARN, ""),
        ],
    ],
    steps: [
        (
            "one of ours has it: stepped aside, and waited",
            .update(RemoteID(ruleARN), from: ["priority": 100], to: ["priority": 90])
        ),
        ("aside already", .update(RemoteID(ruleARN), from: ["priority": 100], to: ["priority": 90])),
        ("a foreign one has it", .update(RemoteID(ruleARN), from: ["priority": 100], to: ["priority": 90])),
    ])

// MARK: Certificates

private func summary(_ status: String, _ type: String = "AMAZON_ISSUED") -> String {
    #"{"CertificateArn":"\#(certificateARN)","DomainName":"a.example","SubjectAlternativeNameSummaries":["a.example","#
        + #""*.A.example"],"Status":"\#(status)","Type":"\#(type)","KeyAlgorithm":"EC-prime256v1","NotBefore":1767225600,"#
        + #""NotAfter":1798761600}"#
}

private func summaries(_ items: String...) -> RecordingAWS.Answer {
    .document(#"{"CertificateSummaryList":[\#(items.joined(separator: ","))]}"#)
}

private func details(_ record: String) -> RecordingAWS.Answer {
    .document(
        #"{"Certificate":{"CertificateArn":"\#(certificateARN)","DomainName":"a.example","SubjectAlternativeNames":"#
            + #"["a.example","*.a.example"],"Status":"PENDING_VALIDATION","Type":"AMAZON_ISSUED","#
            + #""DomainValidationOptions":[{"DomainName":"*.a.example","ValidationMethod":"DNS"\#(record)},"#
            + #"{"DomainName":"a.example","ValidationMethod":"DNS"\#(record)}],"#
            + #""Options":{"CertificateTransparencyLoggingPreference":"ENABLED","Export":"DISABLED"}}}"#)
}

private let record = #","ResourceRecord":{"Name":"_1.a.example.","Type":"CNAME","Value":"_2.acm-validations.aws."}"#

private let certificateScenario = WireScenario(
    type: "aws.acm_certificate",
    answers: [
        "RequestCertificate": [.document(#"{"CertificateArn":"\#(certificateARN)"}"#)],
        "ListCertificates": [
            summaries(summary("PENDING_VALIDATION")), summaries(summary("PENDING_VALIDATION")),
            summaries(summary("PENDING_VALIDATION")), summaries(summary("ISSUED")), summaries(),
        ],
        "DescribeCertificate": [
            details(""), details(record),
            .document(
                #"{"Certificate":{"Status":"ISSUED","InUseBy":["\#(balancerARN)","arn:aws:cloudfront::1:distribution/a"]}}"#
            ),
        ],
        "ListTagsForCertificate": [
            .document(#"{"Tags":[{"Key":"muster:intent","Value":"0123456789abcdef0123456789abcdef"}]}"#)
        ],
        "GetResources": [
            .document(
                #"{"PaginationToken":"","ResourceTagMappingList":[{"ResourceARN":"\#(certificateARN)","#
                    + #""Tags":[{"Key":"Name","Value":"web"}]}]}"#)
        ],
        "UpdateCertificateOptions": [.document("{}")], "AddTagsToCertificate": [.document("{}")],
        "RemoveTagsFromCertificate": [.document("{}")],
        "DeleteCertificate": [
            .document("{}"), .failure(code: "ResourceInUseException", message: "Certificate is in use"),
        ],
        "DescribeListeners": [list("Listeners", listener)],
    ],
    steps: [
        (
            "create",
            .create([
                "domain_name": "a.example", "subject_alternative_names": ["*.a.example"],
                "key_algorithm": "EC_prime256v1",
                "options": ["certificate_transparency_logging_preference": "DISABLED"], "tags": tags,
            ])
        ),
        ("find", .find(["domain_name": "A.example."])),
        ("a moment after the request there is no record", .read([known(certificateARN)])),
        ("read while it is being validated", .read([known(certificateARN)])),
        (
            "read when it is issued",
            .read([known(certificateARN, ["tags": tags, "subject_alternative_names": ["a.example"]], ["tags"])])
        ),
        ("read of one that is gone", .read([known(certificateARN)])),
        (
            "update",
            .update(
                RemoteID(certificateARN),
                from: ["options": ["certificate_transparency_logging_preference": "ENABLED"], "tags": tags],
                to: [
                    "options": ["certificate_transparency_logging_preference": "DISABLED"], "tags": ["Team": "a"],
                ])
        ),
        ("delete", .delete(RemoteID(certificateARN))),
        ("delete what is used: by whom is said", .delete(RemoteID(certificateARN))),
        ("import", .importID(certificateARN)), ("import of something else", .importID("a.example")),
    ])

private let importedScenario = WireScenario(
    type: "aws.acm_certificate", title: "imported",
    answers: [
        "ImportCertificate": [.document(#"{"CertificateArn":"\#(certificateARN)"}"#)],
        "ListCertificates": [summaries(summary("ISSUED", "IMPORTED"))],
        "GetCertificate": [.document(#"{"Certificate":"one\r\ntwo"}"#), .document(#"{"Certificate":"other"}"#)],
        "DescribeCertificate": [
            .document(#"{"Certificate":{"CertificateArn":"\#(certificateARN)","Type":"IMPORTED","Status":"ISSUED"}}"#)
        ],
    ],
    steps: [
        ("create", .create(["certificate_body": "one\ntwo\n", "private_key": "key", "tags": tags])),
        (
            "read: line ends do not count",
            .read([known(certificateARN, ["certificate_body": "one\ntwo\n"], ["certificate_body"])])
        ),
        (
            "read: another one does",
            .read([known(certificateARN, ["certificate_body": "one\ntwo\n"], ["certificate_body"])])
        ),
        (
            "another body, under the same ARN",
            .update(
                RemoteID(certificateARN), from: ["certificate_body": "one"],
                to: ["certificate_body": "other", "private_key": "key", "certificate_chain": "chain"])
        ),
    ])
