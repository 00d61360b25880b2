import AWSClient
import AWSProvider
import MusterModel
import ProviderKit
import Testing

let loadBalancingConformance: [ConformanceRow] = [
    balancerRow, networkBalancerRow, targetGroupRow, networkTargetGroupRow, functionTargetGroupRow, gatewayGroupRow,
    attachmentRow, addressAttachmentRow, listenerRow, secureListenerRow, authenticatingListenerRow, tcpListenerRow,
    listenerCertificateRow, ruleRow, conditionsRow, certificateRow, importedCertificateRow,
]

private let tags: Value = ["Name": "conformance", "Team": "a"]
private let otherTags: Value = ["Name": "other"]
private let refusal: Value = [["type": "fixed-response", "fixed_response": ["status_code": "404"]]]

extension ConformanceLab {
    /// Two subnets in two zones of a VPC with a gateway.
    fileprivate func subnets() async throws -> [Value] {
        let vpc = try await make("aws.vpc", ["cidr_block": "10.60.0.0/16"])
        _ = try await make("aws.internet_gateway", ["vpc_id": .string(vpc)])
        var subnets: [Value] = []
        for (number, zone) in ["us-east-1a", "us-east-1b"].enumerated() {
            let arguments: [String: Value] = [
                "vpc_id": .string(vpc), "cidr_block": .string("10.60.\(number).0/24"),
                "availability_zone": .string(zone),
            ]
            subnets.append(.string(try await make("aws.subnet", arguments)))
        }
        return subnets
    }

    fileprivate func vpc() throws -> Value { .string(try first("aws.vpc")) }

    fileprivate func group(_ name: String) async throws -> Value {
        .string(try await make("aws.security_group", ["vpc_id": try vpc(), "name": .string(name)]))
    }

    fileprivate func balancer(_ name: String, type: String = "application") async throws -> Value {
        let subnets = try await subnets()
        return .string(
            try await make(
                "aws.load_balancer",
                ["name": .string(name), "load_balancer_type": .string(type), "subnets": .list(subnets)]))
    }

    fileprivate func targetGroup(
        _ name: String, type: String = "instance", scheme: String = "HTTP"
    ) async throws -> Value {
        .string(
            try await make(
                "aws.target_group",
                [
                    "name": .string(name), "port": 8080, "protocol": .string(scheme), "vpc_id": try vpc(),
                    "target_type": .string(type),
                ]))
    }

    fileprivate func listener(_ name: String) async throws -> Value {
        .string(
            try await make(
                "aws.listener",
                [
                    "load_balancer_arn": try await balancer(name), "port": 443, "protocol": "HTTPS",
                    "certificate_arn": try await certificate(), "default_action": refusal,
                ]))
    }

    /// The certificate that the sandbox has from the start.
    fileprivate func certificate() async throws -> Value {
        let session = try await provider.session(for: ProviderConfiguration(), expecting: [:])
        return try #require(try await session.lookup("certificates", ["domain": "rancher.tastycidr.net"])["arn"])
    }

    /// Another one, imported.
    fileprivate func otherCertificate() async throws -> Value {
        .string(
            try await make(
                "aws.acm_certificate",
                ["certificate_body": .string(firstPEM.certificate), "private_key": .string(firstPEM.key)]))
    }

    fileprivate func instance(_ subnet: Value) async throws -> Value {
        .string(
            try await make(
                "aws.instance", ["ami": "ami-0f8bce65", "instance_type": "m5.large", "subnet_id": subnet]))
    }
}

private let balancerRow = ConformanceRow(
    type: "aws.load_balancer",
    arguments: { lab in
        let subnets = try await lab.subnets()
        let first = try await lab.group("conformance-alb")
        await lab.note("second", try await lab.group("conformance-alb-2").string ?? "")
        return [
            "name": "conformance-alb", "internal": false, "load_balancer_type": "application",
            "subnets": .list(subnets), "security_groups": [first], "ip_address_type": "ipv4",
            "enable_deletion_protection": true, "enable_cross_zone_load_balancing": true, "enable_zonal_shift": false,
            "idle_timeout": 900, "client_keep_alive": 3600, "enable_http2": false, "drop_invalid_header_fields": true,
            "preserve_host_header": true, "enable_tls_version_and_cipher_suite_headers": true,
            "enable_xff_client_port": true, "xff_header_processing_mode": "preserve",
            "desync_mitigation_mode": "strictest", "enable_waf_fail_open": true,
            "access_logs": ["bucket": "logs", "enabled": true, "prefix": "alb"],
            "connection_logs": ["bucket": "logs", "enabled": true],
            "minimum_load_balancer_capacity": ["capacity_units": 200], "tags": tags,
        ]
    },
    changes: { lab in
        let second = try await lab.noted("second")
        return [
            ["security_groups": [.string(second)]], ["idle_timeout": 60], ["enable_http2": true],
            ["drop_invalid_header_fields": false], ["preserve_host_header": false],
            ["enable_tls_version_and_cipher_suite_headers": false], ["enable_xff_client_port": false],
            ["xff_header_processing_mode": "append"], ["desync_mitigation_mode": "defensive"],
            ["enable_waf_fail_open": false], ["client_keep_alive": 120], ["enable_zonal_shift": true],
            ["access_logs": ["bucket": "logs", "enabled": false, "prefix": ""]],
            ["connection_logs": ["enabled": false]],
            ["minimum_load_balancer_capacity": ["capacity_units": 0]], ["tags": otherTags],
        ]
    },
    foreignEdit: { lab, id in
        try await lab.call(
            "ModifyLoadBalancerAttributes",
            [
                "LoadBalancerArn": .string(id.rawValue),
                "Attributes": [["Key": "idle_timeout.timeout_seconds", "Value": "7"]],
            ], service: .elbv2)
        return ["idle_timeout": 7]
    },
    check: { _, seen in
        #expect(seen.outputs["dns_name"]?.string?.hasSuffix(".us-east-1.elb.amazonaws.com") == true)
        #expect(seen.outputs["arn_suffix"]?.string?.hasPrefix("app/conformance-alb/") == true)
    })

private let networkBalancerRow = ConformanceRow(
    type: "aws.load_balancer", title: "network, with addresses",
    arguments: { lab in
        let subnets = try await lab.subnets()
        let address = try await lab.make("aws.eip", ["domain": "vpc"])
        let first = try await lab.group("conformance-nlb")
        await lab.note("subnet", subnets[1].string ?? "")
        return [
            "name": "conformance-nlb", "load_balancer_type": "network",
            "subnet_mapping": [["subnet_id": subnets[0], "allocation_id": .string(address)]],
            "security_groups": [first], "enforce_security_group_inbound_rules_on_private_link_traffic": "off",
            "ipam_pools": ["ipv4_ipam_pool_id": "ipam-pool-1"],
            "dns_record_client_routing_policy": "availability_zone_affinity",
            "enable_cross_zone_load_balancing": true, "tags": tags,
        ]
    },
    changes: { lab in
        let address = try await lab.first("aws.eip")
        let subnet = try await lab.first("aws.subnet")
        return [
            ["enforce_security_group_inbound_rules_on_private_link_traffic": "on"],
            ["ipam_pools": ["ipv4_ipam_pool_id": "ipam-pool-2"]],
            ["dns_record_client_routing_policy": "any_availability_zone"],
            ["enable_cross_zone_load_balancing": false],
            [
                "subnet_mapping": [
                    ["subnet_id": .string(subnet), "allocation_id": .string(address)],
                    ["subnet_id": .string(try await lab.noted("subnet"))],
                ]
            ],
        ]
    })

private let targetGroupRow = ConformanceRow(
    type: "aws.target_group",
    arguments: { lab in
        _ = try await lab.subnets()
        return [
            "name": "conformance-tg", "port": 8080, "protocol": "HTTP", "protocol_version": "HTTP1",
            "vpc_id": try await lab.vpc(), "target_type": "instance", "ip_address_type": "ipv4",
            "health_check": [
                "path": "/ping", "interval": 10, "timeout": 5, "healthy_threshold": 2, "unhealthy_threshold": 2,
                "matcher": "200-299",
            ], "deregistration_delay": 30, "slow_start": 60, "load_balancing_algorithm_type": "round_robin",
            "load_balancing_anomaly_mitigation": "off", "load_balancing_cross_zone_enabled": "true",
            "stickiness": ["type": "lb_cookie", "cookie_duration": 600],
            "target_group_health": [
                "dns_failover": ["minimum_healthy_targets_count": "2"],
                "unhealthy_state_routing": ["minimum_healthy_targets_percentage": "50"],
            ], "tags": tags,
        ]
    },
    changes: { _ in
        [
            ["health_check": ["path": "/healthz", "interval": 30, "enabled": true, "port": "8081"]],
            ["deregistration_delay": 300], ["slow_start": 0],
            ["load_balancing_algorithm_type": "weighted_random", "load_balancing_anomaly_mitigation": "on"],
            ["load_balancing_cross_zone_enabled": "use_load_balancer_configuration"],
            ["stickiness": ["type": "app_cookie", "cookie_duration": 60, "cookie_name": "SESSION"]],
            ["stickiness": ["type": "lb_cookie", "enabled": false]],
            [
                "target_group_health": [
                    "dns_failover": ["minimum_healthy_targets_count": "1"],
                    "unhealthy_state_routing": ["minimum_healthy_targets_percentage": "off"],
                ]
            ], ["tags": otherTags],
        ]
    },
    foreignEdit: { lab, id in
        try await lab.call(
            "ModifyTargetGroup", ["TargetGroupArn": .string(id.rawValue), "HealthCheckPath": "/foreign"],
            service: .elbv2)
        return ["health_check": ["path": "/foreign", "port": "8081"]]
    })

private let networkTargetGroupRow = ConformanceRow(
    type: "aws.target_group", title: "network",
    arguments: { lab in
        _ = try await lab.subnets()
        return [
            "name": "conformance-tcp", "port": 6443, "protocol": "TCP", "vpc_id": try await lab.vpc(),
            "target_type": "ip", "connection_termination": true, "preserve_client_ip": false,
            "proxy_protocol_v2": true,
            "target_health_state": [
                "enable_unhealthy_connection_termination": false, "unhealthy_draining_interval": 60,
            ], "health_check": ["protocol": "HTTP", "path": "/ping"],
        ]
    },
    changes: { _ in
        [
            ["connection_termination": false], ["preserve_client_ip": true], ["proxy_protocol_v2": false],
            [
                "target_health_state": [
                    "enable_unhealthy_connection_termination": true, "unhealthy_draining_interval": 0,
                ]
            ], ["health_check": ["protocol": "TCP"]],
        ]
    })

private let functionTargetGroupRow = ConformanceRow(
    type: "aws.target_group", title: "function",
    arguments: { _ in
        ["name": "conformance-function", "target_type": "lambda", "lambda_multi_value_headers_enabled": true]
    }, changes: { _ in [["lambda_multi_value_headers_enabled": false]] })

private let gatewayGroupRow = ConformanceRow(
    type: "aws.target_group", title: "gateway",
    arguments: { lab in
        _ = try await lab.subnets()
        return [
            "name": "conformance-geneve", "port": 6081, "protocol": "GENEVE", "vpc_id": try await lab.vpc(),
            "target_failover": ["on_deregistration": "rebalance", "on_unhealthy": "rebalance"],
        ]
    },
    changes: { _ in
        [["target_failover": ["on_deregistration": "no_rebalance", "on_unhealthy": "no_rebalance"]]]
    })

private let attachmentRow = ConformanceRow(
    type: "aws.target_group_attachment", title: "healthy",
    arguments: { lab in
        let balancer = try await lab.balancer("conformance-attachment")
        let group = try await lab.targetGroup("conformance-attachment")
        _ = try await lab.make(
            "aws.listener",
            [
                "load_balancer_arn": balancer, "port": 80, "protocol": "HTTP",
                "default_action": [["type": "forward", "target_group_arn": group]],
            ])
        let subnet = try await lab.first("aws.subnet")
        return [
            "target_group_arn": group, "target_id": try await lab.instance(.string(subnet)), "wait_for_healthy": true,
        ]
    }, changes: { _ in [["wait_for_healthy": false]] })

private let addressAttachmentRow = ConformanceRow(
    type: "aws.target_group_attachment", title: "address and port",
    arguments: { lab in
        _ = try await lab.subnets()
        return [
            "target_group_arn": try await lab.targetGroup("conformance-address", type: "ip"),
            "target_id": "10.60.0.9", "port": 9090, "availability_zone": "us-east-1a",
        ]
    })

private let listenerRow = ConformanceRow(
    type: "aws.listener",
    arguments: { lab in
        let balancer = try await lab.balancer("conformance-listener")
        await lab.note("blue", try await lab.targetGroup("conformance-blue").string ?? "")
        await lab.note("green", try await lab.targetGroup("conformance-green").string ?? "")
        return [
            "load_balancer_arn": balancer, "port": 80, "protocol": "HTTP",
            "default_action": [
                ["type": "redirect", "redirect": ["protocol": "HTTPS", "port": "443", "status_code": "HTTP_301"]]
            ],
            "routing_http_response_server_enabled": false,
            "routing_http_response_strict_transport_security_header_value": "max-age=31536000",
            "routing_http_response_access_control_allow_origin_header_value": "https://a.example",
            "tags": tags,
        ]
    },
    changes: { lab in
        let blue = Value.string(try await lab.noted("blue"))
        let green = Value.string(try await lab.noted("green"))
        let shares: Value = [["arn": blue, "weight": 90], ["arn": green, "weight": 10]]
        return [
            ["default_action": [["type": "forward", "target_group_arn": blue]]],
            ["default_action": [["type": "forward", "forward": ["target_group": shares]]]],
            [
                "default_action": [
                    [
                        "type": "forward",
                        "forward": [
                            "target_group": [["arn": green]], "stickiness": ["enabled": true, "duration": 600],
                        ],
                    ]
                ]
            ],
            ["default_action": refusal],
            [
                "default_action": [
                    [
                        "type": "fixed-response",
                        "fixed_response": [
                            "content_type": "text/html", "message_body": "<p>Later</p>", "status_code": "503",
                        ],
                    ]
                ]
            ], ["port": 81], ["routing_http_response_server_enabled": true],
            ["routing_http_response_strict_transport_security_header_value": ""], ["tags": otherTags],
        ]
    },
    foreignEdit: { lab, id in
        try await lab.call(
            "ModifyListener", ["ListenerArn": .string(id.rawValue), "Port": 82], service: .elbv2)
        return ["port": 82]
    })

private let secureListenerRow = ConformanceRow(
    type: "aws.listener", title: "HTTPS",
    arguments: { lab in
        let balancer = try await lab.balancer("conformance-secure")
        await lab.note("other", try await lab.otherCertificate().string ?? "")
        return [
            "load_balancer_arn": balancer, "port": 443, "protocol": "HTTPS",
            "certificate_arn": try await lab.certificate(), "ssl_policy": "ELBSecurityPolicy-TLS13-1-2-2021-06",
            "default_action": refusal,
            "mutual_authentication": [
                "mode": "verify",
                "trust_store_arn": "arn:aws:elasticloadbalancing:us-east-1:123456789012:truststore/a/1",
                "ignore_client_certificate_expiry": true, "advertise_trust_store_ca_names": "on",
            ],
            "routing_http_request_x_amzn_tls_version_header_name": "X-TLS", "tags": tags,
        ]
    },
    changes: { lab in
        [
            ["certificate_arn": .string(try await lab.noted("other"))], ["ssl_policy": "ELBSecurityPolicy-2016-08"],
            ["mutual_authentication": ["mode": "passthrough"]], ["mutual_authentication": ["mode": "off"]],
            ["routing_http_request_x_amzn_tls_version_header_name": "X-Amzn-Tls-Version"],
        ]
    })

private let oidc: Value = [
    "issuer": "https://id.example", "authorization_endpoint": "https://id.example/auth",
    "token_endpoint": "https://id.example/token", "user_info_endpoint": "https://id.example/me", "client_id": "muster",
    "session_timeout": 3600, "authentication_request_extra_params": ["prompt": "login"],
]

private let cognito: Value = [
    "user_pool_arn": "arn:aws:cognito-idp:us-east-1:123456789012:userpool/us-east-1_a", "user_pool_client_id": "c",
    "user_pool_domain": "muster", "on_unauthenticated_request": "deny",
]

private let authenticatingListenerRow = ConformanceRow(
    type: "aws.listener", title: "authentication",
    arguments: { lab in
        [
            "load_balancer_arn": try await lab.balancer("conformance-oidc"), "port": 443, "protocol": "HTTPS",
            "certificate_arn": try await lab.certificate(), "oidc_client_secret": "first",
            "default_action": [
                ["type": "authenticate-oidc", "authenticate_oidc": oidc],
                ["type": "fixed-response", "fixed_response": ["status_code": "200"]],
            ],
        ]
    },
    changes: { _ in
        [
            ["oidc_client_secret": "second"],
            [
                "default_action": [
                    ["type": "authenticate-cognito", "authenticate_cognito": cognito],
                    ["type": "fixed-response", "fixed_response": ["status_code": "200"]],
                ]
            ],
        ]
    })

private let tcpListenerRow = ConformanceRow(
    type: "aws.listener", title: "TLS of a network load balancer",
    arguments: { lab in
        let balancer = try await lab.balancer("conformance-tls", type: "network")
        let group = try await lab.targetGroup("conformance-tls", scheme: "TCP")
        return [
            "load_balancer_arn": balancer, "port": 443, "protocol": "TLS",
            "certificate_arn": try await lab.certificate(), "alpn_policy": "HTTP2Preferred",
            "tcp_idle_timeout_seconds": 600, "default_action": [["type": "forward", "target_group_arn": group]],
        ]
    },
    changes: { _ in [["alpn_policy": "HTTP2Optional"], ["alpn_policy": "None"], ["tcp_idle_timeout_seconds": 350]] })

private let listenerCertificateRow = ConformanceRow(
    type: "aws.listener_certificate",
    arguments: { lab in
        let listener = try await lab.listener("conformance-certificate")
        return ["listener_arn": listener, "certificate_arn": try await lab.otherCertificate()]
    })

private let ruleRow = ConformanceRow(
    type: "aws.listener_rule",
    arguments: { lab in
        let listener = try await lab.listener("conformance-rule")
        await lab.note("group", try await lab.targetGroup("conformance-rule").string ?? "")
        return [
            "listener_arn": listener, "priority": 100,
            "condition": [["path_pattern": ["values": ["/api/*", "/v1/*"]]]], "action": refusal, "tags": tags,
        ]
    },
    changes: { lab in
        let group = Value.string(try await lab.noted("group"))
        return [
            ["priority": 90], ["action": [["type": "forward", "target_group_arn": group]]],
            ["condition": [["host_header": ["values": ["a.example"]]], ["source_ip": ["values": ["10.0.0.0/8"]]]]],
            ["tags": otherTags],
        ]
    },
    foreignEdit: { lab, id in
        try await lab.call(
            "SetRulePriorities",
            ["RulePriorities": [["RuleArn": .string(id.rawValue), "Priority": 7]]], service: .elbv2)
        return ["priority": 7]
    })

private let conditionsRow = ConformanceRow(
    type: "aws.listener_rule", title: "every condition, authenticated",
    arguments: { lab in
        [
            "listener_arn": try await lab.listener("conformance-conditions"), "priority": 1,
            "condition": [
                ["http_header": ["http_header_name": "X-Team", "values": ["a"]]],
                ["http_request_method": ["values": ["GET"]]],
                ["query_string": [["key": "version", "value": "v1"], ["value": "*debug*"]]],
            ],
            "action": [
                ["type": "authenticate-oidc", "authenticate_oidc": oidc],
                ["type": "redirect", "redirect": ["host": "b.example", "status_code": "HTTP_302"]],
            ], "oidc_client_secret": "first",
        ]
    },
    changes: { _ in [["oidc_client_secret": "second"], ["action": refusal]] })

private let certificateRow = ConformanceRow(
    type: "aws.acm_certificate",
    arguments: { _ in
        [
            "domain_name": "conformance.tastycidr.net", "subject_alternative_names": ["*.conformance.tastycidr.net"],
            "validation_method": "DNS", "key_algorithm": "EC_prime256v1",
            "options": ["certificate_transparency_logging_preference": "DISABLED"], "tags": tags,
        ]
    },
    changes: { _ in
        [["options": ["certificate_transparency_logging_preference": "ENABLED"]], ["tags": otherTags]]
    },
    foreignEdit: { lab, id in
        try await lab.call(
            "UpdateCertificateOptions",
            [
                "CertificateArn": .string(id.rawValue),
                "Options": ["CertificateTransparencyLoggingPreference": "DISABLED"],
            ], service: .acm)
        return ["options": ["certificate_transparency_logging_preference": "DISABLED"]]
    },
    check: { _, seen in
        let records = seen.outputs["domain_validation_options"]?.list ?? []
        #expect(records.count == 1)
        #expect(records.first?.map?["resource_record_type"] == "CNAME")
    })

private let importedCertificateRow = ConformanceRow(
    type: "aws.acm_certificate", title: "imported",
    arguments: { _ in
        [
            "certificate_body": .string(firstPEM.certificate), "private_key": .string(firstPEM.key), "tags": tags,
        ]
    },
    changes: { _ in
        [
            ["certificate_body": .string(secondPEM.certificate), "private_key": .string(secondPEM.key)],
            ["certificate_chain": .string(firstPEM.certificate)], ["tags": otherTags],
        ]
    })

// Certificates of their own making, for `a.example` and `b.example`; they guard nothing.

private let firstPEM = (
    certificate: """
    -----BEGIN CERTIFICATE-----
    MIIBKjCB0KADAgECAhRQkLbj68DC5Xjj/UjGINPAWb/mZjAKBggqhkjOPQQDAjAU
    MRIwEAYDVQQDDAlhLmV4YW1wbGUwIBcNMjYwMTAxMDAwMDAwWhgPMjA2NjAxMDEw
    MDAwMDBaMBQxEjAQBgNVBAMMCWEuZXhhbXBsZTBZMBMGByqGSM49AgEGCCqGSM49
    AwEHA0IABB7srvnqvdmcJkPfTZExCNU2VAS6pCnrgbwPkSKjqabusgHILTpDxlxb
    B0+A5Hr+31mQXkuivdkfGA+xAgXZ81AwCgYIKoZIzj0EAwIDSQAwRgIhAIvLYR8Q
    XOj1NIf5mkQ1e9cHqMh+ZzTl2cPF0UP76GATAiEA7eXJmIYlgHyejZuJI65/ztI7
    NmMB1avm8riexAjUdqw=
    -----END CERTIFICATE-----

    """,
    key: """
    -----BEGIN PRIVATE KEY-----
    MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgpaWhNQ2lCeLH8rRO
    TKosL/0nnoCkKviqWGJTS8MOdSOhRANCAAQe7K756r3ZnCZD302RMQjVNlQEuqQp
    64G8D5Eio6mm7rIByC06Q8ZcWwdPgOR6/t9ZkF5Lor3ZHxgPsQIF2fNQ
    -----END PRIVATE KEY-----

    """
)

private let secondPEM = (
    certificate: """
    -----BEGIN CERTIFICATE-----
    MIIBKDCB0KADAgECAhQv6TMqTPFtr9KHWQ3BBmm8ZBwdkjAKBggqhkjOPQQDAjAU
    MRIwEAYDVQQDDAliLmV4YW1wbGUwIBcNMjYwMTAxMDAwMDAwWhgPMjA2NjAxMDEw
    MDAwMDBaMBQxEjAQBgNVBAMMCWIuZXhhbXBsZTBZMBMGByqGSM49AgEGCCqGSM49
    AwEHA0IABCYTnHrXCVmn9HGs4zNe5Gqz3tFpmr2UdGKMk07L+iMn+1MgQXvcoZMY
    5NYAgILqHoaAVSKK+p4nQKlTXm62Ot4wCgYIKoZIzj0EAwIDRwAwRAIgdWCQhkam
    6sHfYLB7k+RhfpBxibbNJnvByBtV2fak1ZYCICwdm3DYI2lnYMqMxWdUPvcbMUfE
    xwW8XvPfB+iwsQoR
    -----END CERTIFICATE-----

    """,
    key: """
    -----BEGIN PRIVATE KEY-----
    MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgOQCntOQmKmbwHylQ
    VWIuw2B5BwLVfKTVIRZKUwAL752hRANCAAQmE5x61wlZp/RxrOMzXuRqs97RaZq9
    lHRijJNOy/ojJ/tTIEF73KGTGOTWAICC6h6GgFUiivqeJ0CpU15utjre
    -----END PRIVATE KEY-----

    """
)
