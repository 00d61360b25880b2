import AWSClient
import MusterModel
import ProviderKit
import Testing

let fleetConformance: [ConformanceRow] = [
    templateRow, plainTemplateRow, configurationRow, groupRow, mixedGroupRow, configuredGroupRow, refreshRow,
    hookRow, actionRow, simplePolicyRow, stepPolicyRow, trackingPolicyRow, alarmRow, queryAlarmRow,
]

private let tags: Value = ["Team": "a", "Usage": "celery"]
private let otherTags: Value = ["Usage": "crawling"]
private let image: Value = "ami-0f8bce65"
private let otherImage: Value = "ami-0c02fb55956c7d316"

extension ConformanceLab {
    fileprivate func subnet() async throws -> String {
        let vpc = try await make("aws.vpc", ["cidr_block": "10.60.0.0/16"])
        return try await make(
            "aws.subnet",
            ["vpc_id": .string(vpc), "cidr_block": "10.60.1.0/24", "availability_zone": "us-east-1a"])
    }

    fileprivate func group(_ name: String) async throws -> String {
        try await make("aws.security_group", ["vpc_id": .string(try first("aws.vpc")), "name": .string(name)])
    }

    fileprivate func template(_ name: String, _ type: Value = "t3.micro") async throws -> String {
        try await make(
            "aws.launch_template", ["name": .string(name), "image_id": image, "instance_type": type])
    }

    /// A group of one instance, for what belongs to groups.
    fileprivate func fleet(_ name: String) async throws -> String {
        let subnet = try await subnet()
        let template = try await template(name)
        return try await make(
            "aws.autoscaling_group",
            [
                "name": .string(name), "min_size": 0, "max_size": 3, "vpc_zone_identifier": [.string(subnet)],
                "launch_template": ["id": .string(template), "version": "1"],
            ])
    }

    fileprivate func autoscaling(_ name: String, _ input: AWSInput) async throws {
        try await call(name, input, service: .autoscaling)
    }
}

private let templateRow = ConformanceRow(
    type: "aws.launch_template", title: "everything",
    arguments: { lab in
        _ = try await lab.subnet()
        let group = try await lab.group("conformance-template")
        await lab.note("second", try await lab.group("conformance-template-2"))
        return [
            "name": "conformance", "description": "the first", "image_id": image, "instance_type": "m5.large",
            "key_name": "operator", "iam_instance_profile": "nobody", "vpc_security_group_ids": [.string(group)],
            "user_data": "#cloud-config\npackages: [docker.io]\n# é\n", "monitoring": true, "ebs_optimized": true,
            "disable_api_termination": true, "disable_api_stop": true,
            "instance_initiated_shutdown_behavior": "terminate",
            "block_device_mappings": [
                [
                    "device_name": "/dev/sda1",
                    "ebs": [
                        "volume_size": 20, "volume_type": "gp3", "encrypted": true, "iops": 3000, "throughput": 125,
                        "delete_on_termination": true,
                    ],
                ],
                ["device_name": "/dev/sdb", "virtual_name": "ephemeral0"],
                ["device_name": "/dev/sdc", "no_device": true],
            ],
            "metadata_options": ["http_tokens": "required", "http_put_response_hop_limit": 2],
            "placement": ["tenancy": "default"], "credit_specification": ["cpu_credits": "standard"],
            "cpu_options": ["core_count": 1, "threads_per_core": 2], "enclave_options": ["enabled": false],
            "hibernation_options": ["configured": false], "maintenance_options": ["auto_recovery": "disabled"],
            "private_dns_name_options": [
                "hostname_type": "ip-name", "enable_resource_name_dns_a_record": true,
            ],
            "capacity_reservation_specification": ["capacity_reservation_preference": "none"],
            "instance_market_options": [
                "market_type": "spot",
                "spot_options": ["max_price": "0.05", "spot_instance_type": "one-time"],
            ],
            "tag_specifications": [["resource_type": "instance", "tags": ["Name": "node"]]], "tags": tags,
        ]
    },
    changes: { lab in
        let second = try await lab.noted("second")
        return [
            ["description": "the second", "instance_type": "m5.xlarge"], ["image_id": otherImage],
            ["vpc_security_group_ids": [.string(second)]], ["user_data": "#!/bin/sh\n"],
            ["monitoring": false, "ebs_optimized": false], ["disable_api_termination": false],
            ["disable_api_stop": false], ["instance_initiated_shutdown_behavior": "stop"],
            ["iam_instance_profile": "arn:aws:iam::123456789012:instance-profile/nobody"], ["key_name": ""],
            [
                "block_device_mappings": [
                    ["device_name": "/dev/sda1", "ebs": ["volume_size": 30, "volume_type": "gp3"]]
                ]
            ],
            ["metadata_options": ["http_tokens": "optional", "instance_metadata_tags": "enabled"]],
            ["placement": ["tenancy": "dedicated", "group_name": "spread"]],
            ["credit_specification": ["cpu_credits": "unlimited"]],
            ["maintenance_options": ["auto_recovery": "default"]],
            ["private_dns_name_options": ["hostname_type": "resource-name"]],
            ["capacity_reservation_specification": ["capacity_reservation_preference": "open"]],
            ["instance_market_options": .null], ["cpu_options": .null, "hibernation_options": .null],
            [
                "tag_specifications": [
                    ["resource_type": "instance", "tags": ["Name": "other"]],
                    ["resource_type": "volume", "tags": ["Name": "disk"]],
                ]
            ], ["update_default_version": true], ["description": "", "enclave_options": .null], ["tags": otherTags],
        ]
    },
    foreignEdit: { lab, id in
        try await lab.call(
            "CreateLaunchTemplateVersion",
            [
                "LaunchTemplateId": .string(id.rawValue), "SourceVersion": "$Latest",
                "LaunchTemplateData": ["InstanceType": "c5.large"],
            ])
        return ["instance_type": "c5.large", "update_default_version": false]
    },
    check: { _, seen in
        #expect(seen.outputs["latest_version"] == "1" && seen.outputs["default_version"] == "1")
        #expect(seen.outputs["arn"]?.string?.contains(":launch-template/lt-") == true)
    })

private let plainTemplateRow = ConformanceRow(
    type: "aws.launch_template", title: "interfaces, bytes",
    arguments: { lab in
        let subnet = try await lab.subnet()
        let group = try await lab.group("conformance-interfaces")
        return [
            "name": "conformance-2", "image_id": image, "instance_type": "c5n.large", "user_data_base64": "AAEC\n/w==",
            "network_interfaces": [
                [
                    "device_index": 0, "associate_public_ip_address": true, "delete_on_termination": true,
                    "security_groups": [.string(group)], "subnet_id": .string(subnet), "description": "first",
                    "ipv4_address_count": 1, "network_card_index": 0,
                ]
            ],
            "license_specification": [
                ["license_configuration_arn": "arn:aws:license-manager:us-east-1:123456789012:license-configuration:l"]
            ],
        ]
    },
    changes: { _ in
        [
            ["user_data_base64": "AAECAw=="],
            [
                "network_interfaces": [
                    [
                        "device_index": 0, "associate_public_ip_address": false,
                        "ipv4_addresses": ["10.60.1.10", "10.60.1.11"], "ipv6_address_count": 1,
                        "interface_type": "interface", "primary_ipv6": true,
                        "connection_tracking_specification": ["tcp_established_timeout": 600],
                        "ena_srd_specification": [
                            "ena_srd_enabled": true, "ena_srd_udp_specification": ["ena_srd_udp_enabled": true],
                        ],
                    ]
                ]
            ], ["license_specification": []], ["default_version": "2"],
        ]
    })

private let configurationRow = ConformanceRow(
    type: "aws.launch_configuration",
    arguments: { lab in
        _ = try await lab.subnet()
        let group = try await lab.group("conformance-configuration")
        _ = try await lab.make("aws.key_pair", ["key_name": "conformance-lc", "public_key": .string(ed25519)])
        return [
            "name": "conformance", "image_id": image, "instance_type": "m5.large", "key_name": "conformance-lc",
            "security_groups": [.string(group)], "associate_public_ip_address": false,
            "user_data": "#!/bin/sh\n", "enable_monitoring": false, "ebs_optimized": true,
            "placement_tenancy": "default",
            "metadata_options": ["http_tokens": "required", "http_put_response_hop_limit": 2],
            "root_block_device": ["volume_size": 20, "volume_type": "gp2"],
            "ebs_block_device": [["device_name": "/dev/sdf", "volume_size": 10, "volume_type": "gp2"]],
            "ephemeral_block_device": [["device_name": "/dev/sdb", "virtual_name": "ephemeral0"]],
        ]
    },
    check: { _, seen in #expect(seen.outputs["arn"]?.string?.isEmpty == false) })

private let groupRow = ConformanceRow(
    type: "aws.autoscaling_group",
    arguments: { lab in
        let subnet = try await lab.subnet()
        let template = try await lab.template("conformance-group")
        await lab.note("template", template)
        let targets = AWSInput.string("conformance-group")
        let made = try await lab.call(
            "CreateTargetGroup",
            [
                "Name": targets, "Protocol": "HTTP", "Port": 80,
                "VpcId": .string(try await lab.first("aws.vpc")),
            ], service: .elbv2)
        await lab.note("targets", made.xml["TargetGroups"].items.first?["TargetGroupArn"].text ?? "")
        return [
            "name": "conformance", "min_size": 1, "max_size": 3, "desired_capacity": 2,
            "vpc_zone_identifier": [.string(subnet)],
            "launch_template": ["id": .string(template), "version": "1"],
            "health_check_type": "EC2", "health_check_grace_period": 60, "default_cooldown": 120,
            "default_instance_warmup": 30, "max_instance_lifetime": 86_400,
            "termination_policies": ["OldestInstance", "Default"], "suspended_processes": ["AZRebalance"],
            "enabled_metrics": ["GroupMinSize", "GroupMaxSize"], "capacity_rebalance": true,
            "protect_from_scale_in": true,
            "instance_maintenance_policy": ["min_healthy_percentage": 90, "max_healthy_percentage": 110],
            "availability_zone_distribution": ["capacity_distribution_strategy": "balanced-only"],
            "warm_pool": [
                "pool_state": "Stopped", "min_size": 0, "instance_reuse_policy": ["reuse_on_scale_in": true],
            ],
            "initial_lifecycle_hook": [
                [
                    "name": "greet", "lifecycle_transition": "autoscaling:EC2_INSTANCE_LAUNCHING",
                    "heartbeat_timeout": 60,
                ]
            ],
            "tag": [["key": "Kind", "value": "fleet", "propagate_at_launch": false]], "tags": tags,
        ]
    },
    changes: { lab in
        let template = try await lab.noted("template")
        return [
            ["min_size": 0, "max_size": 4, "desired_capacity": 3], ["health_check_type": "ELB"],
            ["health_check_grace_period": 90, "default_cooldown": 60], ["default_instance_warmup": -1],
            ["max_instance_lifetime": 0], ["termination_policies": ["Default"]],
            ["suspended_processes": ["Launch", "AlarmNotification"]], ["suspended_processes": []],
            ["enabled_metrics": ["GroupMinSize"]], ["enabled_metrics": []],
            ["capacity_rebalance": false, "protect_from_scale_in": false],
            ["instance_maintenance_policy": ["min_healthy_percentage": 100, "max_healthy_percentage": 200]],
            ["instance_maintenance_policy": .null],
            ["availability_zone_distribution": ["capacity_distribution_strategy": "balanced-best-effort"]],
            ["capacity_reservation_specification": ["capacity_reservation_preference": "none"]],
            ["target_group_arns": [.string(try await lab.noted("targets"))]], ["target_group_arns": []],
            ["warm_pool": ["pool_state": "Running", "min_size": 0]], ["warm_pool": .null],
            ["launch_template": ["id": .string(template), "version": "$Latest"]], ["placement_group": "spread"],
            ["placement_group": ""],
            ["tag": [["key": "Kind", "value": "fleet"], ["key": "More", "value": "", "propagate_at_launch": false]]],
            ["tag": []], ["tags": otherTags],
        ]
    },
    foreignEdit: { lab, id in
        try await lab.autoscaling(
            "UpdateAutoScalingGroup", ["AutoScalingGroupName": .string(id.rawValue), "MaxSize": 9])
        try await lab.autoscaling(
            "SuspendProcesses",
            ["AutoScalingGroupName": .string(id.rawValue), "ScalingProcesses": ["ReplaceUnhealthy"]])
        return ["max_size": 9, "suspended_processes": ["ReplaceUnhealthy"]]
    },
    check: { _, seen in #expect(seen.outputs["arn"]?.string?.isEmpty == false) })

private let mixedGroupRow = ConformanceRow(
    type: "aws.autoscaling_group", title: "mixed instances",
    arguments: { lab in
        let subnet = try await lab.subnet()
        let template = try await lab.template("conformance-mixed")
        await lab.note("template", template)
        return [
            "name": "conformance-mixed", "min_size": 0, "max_size": 3, "desired_capacity": 1, "force_delete": true,
            "vpc_zone_identifier": [.string(subnet)],
            "mixed_instances_policy": [
                "launch_template": [
                    "launch_template_specification": ["launch_template_id": .string(template), "version": "1"],
                    "override": [
                        ["instance_type": "t3.small", "weighted_capacity": "1"], ["instance_type": "t3.micro"],
                    ],
                ],
                "instances_distribution": [
                    "on_demand_base_capacity": 1, "on_demand_percentage_above_base_capacity": 50,
                ],
            ],
        ]
    },
    changes: { lab in
        let template = try await lab.noted("template")
        return [
            [
                "mixed_instances_policy": [
                    "launch_template": [
                        "launch_template_specification": [
                            "launch_template_id": .string(template), "version": "$Latest",
                        ], "override": [["instance_type": "t3.micro"]],
                    ],
                    "instances_distribution": ["on_demand_percentage_above_base_capacity": 100],
                ]
            ],
            ["mixed_instances_policy": .null, "launch_template": ["id": .string(template), "version": "1"]],
        ]
    })

private let configuredGroupRow = ConformanceRow(
    type: "aws.autoscaling_group", title: "launch configuration, renewed",
    arguments: { lab in
        let subnet = try await lab.subnet()
        for name in ["conformance-old", "conformance-new"] {
            _ = try await lab.make(
                "aws.launch_configuration",
                ["name": .string(name), "image_id": image, "instance_type": "t3.micro"])
        }
        return [
            "name": "conformance-configured", "min_size": 1, "max_size": 2, "force_delete": true,
            "vpc_zone_identifier": [.string(subnet)], "launch_configuration": "conformance-old",
            "instance_refresh": ["preferences": ["min_healthy_percentage": 50, "instance_warmup": 0]],
        ]
    },
    changes: { _ in [["launch_configuration": "conformance-new"]] })

private let refreshRow = ConformanceRow(
    type: "aws.autoscaling_group", title: "instance refresh",
    arguments: { lab in
        let subnet = try await lab.subnet()
        let template = try await lab.template("conformance-refresh")
        await lab.note("template", template)
        try await lab.call(
            "CreateLaunchTemplateVersion",
            [
                "LaunchTemplateId": .string(template), "SourceVersion": "1",
                "LaunchTemplateData": ["InstanceType": "t3.small"],
            ])
        return [
            "name": "conformance-refresh", "min_size": 2, "max_size": 4, "force_delete": true,
            "vpc_zone_identifier": [.string(subnet)],
            "launch_template": ["id": .string(template), "version": "1"],
            "instance_refresh": [
                "triggers": ["tags"], "strategy": "Rolling",
                "preferences": [
                    "min_healthy_percentage": 50, "skip_matching": true, "checkpoint_percentages": ["100"],
                ],
            ], "tags": tags,
        ]
    },
    changes: { lab in
        let template = try await lab.noted("template")
        return [["launch_template": ["id": .string(template), "version": "2"]], ["tags": otherTags]]
    },
    check: { _, seen in #expect(seen.arguments["desired_capacity"] == 2) })

private let hookRow = ConformanceRow(
    type: "aws.lifecycle_hook",
    arguments: { lab in
        [
            "name": "leave", "autoscaling_group_name": .string(try await lab.fleet("conformance-hook")),
            "lifecycle_transition": "autoscaling:EC2_INSTANCE_TERMINATING", "heartbeat_timeout": 120,
            "default_result": "CONTINUE", "notification_metadata": "{}",
        ]
    },
    changes: { lab in
        let topic = try await lab.make("aws.sns_topic", ["name": "conformance-hook"])
        return [
            ["heartbeat_timeout": 300], ["default_result": "ABANDON"], ["notification_metadata": "{\"a\": 1}"],
            [
                "notification_target_arn": .string(topic),
                "role_arn": "arn:aws:iam::123456789012:role/conformance",
            ], ["lifecycle_transition": "autoscaling:EC2_INSTANCE_LAUNCHING"],
            ["notification_target_arn": "", "role_arn": ""], ["notification_metadata": ""],
        ]
    },
    foreignEdit: { lab, _ in
        try await lab.autoscaling(
            "PutLifecycleHook",
            [
                "AutoScalingGroupName": "conformance-hook", "LifecycleHookName": "leave", "HeartbeatTimeout": 600,
            ])
        return ["heartbeat_timeout": 600]
    })

private let actionRow = ConformanceRow(
    type: "aws.scheduled_action",
    arguments: { lab in
        [
            "scheduled_action_name": "morning",
            "autoscaling_group_name": .string(try await lab.fleet("conformance-action")), "min_size": 1, "max_size": 3,
            "desired_capacity": 2, "recurrence": "0 7 * * 1-5", "time_zone": "Europe/Berlin",
            "start_time": "2099-01-01T00:00:00Z", "end_time": "2099-12-01T00:00:00Z",
        ]
    },
    changes: { _ in
        [
            ["min_size": 2], ["max_size": 2], ["desired_capacity": .null], ["recurrence": "0 8 * * *"],
            ["time_zone": ""], ["start_time": "2099-02-01T01:00:00+01:00"], ["end_time": ""],
            ["end_time": "2099-11-01T00:00:00Z"],
        ]
    },
    foreignEdit: { lab, _ in
        try await lab.autoscaling(
            "PutScheduledUpdateGroupAction",
            [
                "AutoScalingGroupName": "conformance-action", "ScheduledActionName": "morning",
                "Recurrence": "5 8 * * *",
            ])
        return ["recurrence": "5 8 * * *"]
    })

private let simplePolicyRow = ConformanceRow(
    type: "aws.scaling_policy", title: "simple",
    arguments: { lab in
        [
            "name": "up", "autoscaling_group_name": .string(try await lab.fleet("conformance-simple")),
            "adjustment_type": "ChangeInCapacity", "scaling_adjustment": 2, "cooldown": 300,
        ]
    },
    changes: { _ in
        [
            ["scaling_adjustment": 3], ["cooldown": .null],
            ["adjustment_type": "PercentChangeInCapacity", "min_adjustment_magnitude": 2],
            ["min_adjustment_magnitude": .null], ["enabled": false],
        ]
    },
    foreignEdit: { lab, _ in
        try await lab.autoscaling(
            "PutScalingPolicy",
            [
                "AutoScalingGroupName": "conformance-simple", "PolicyName": "up",
                "AdjustmentType": "ExactCapacity", "ScalingAdjustment": 1,
            ])
        return ["adjustment_type": "ExactCapacity", "scaling_adjustment": 1]
    },
    check: { _, seen in #expect(seen.outputs["arn"]?.string?.isEmpty == false) })

private let stepPolicyRow = ConformanceRow(
    type: "aws.scaling_policy", title: "steps",
    arguments: { lab in
        [
            "name": "steps", "autoscaling_group_name": .string(try await lab.fleet("conformance-steps")),
            "policy_type": "StepScaling", "adjustment_type": "ChangeInCapacity", "metric_aggregation_type": "Maximum",
            "estimated_instance_warmup": 60,
            "step_adjustment": [
                ["metric_interval_lower_bound": 0, "metric_interval_upper_bound": 10, "scaling_adjustment": 1],
                ["metric_interval_lower_bound": 10, "scaling_adjustment": 3],
            ],
        ]
    },
    changes: { _ in
        [
            ["step_adjustment": [["metric_interval_lower_bound": .number(0.5), "scaling_adjustment": 1]]],
            ["metric_aggregation_type": "Average"], ["estimated_instance_warmup": 90],
            [
                "policy_type": "SimpleScaling", "step_adjustment": [], "estimated_instance_warmup": .null,
                "metric_aggregation_type": .null, "scaling_adjustment": 1,
            ],
        ]
    })

private let trackingPolicyRow = ConformanceRow(
    type: "aws.scaling_policy", title: "target tracking",
    arguments: { lab in
        [
            "name": "cpu", "autoscaling_group_name": .string(try await lab.fleet("conformance-tracking")),
            "policy_type": "TargetTrackingScaling", "estimated_instance_warmup": 60,
            "target_tracking_configuration": [
                "target_value": .number(60.5),
                "predefined_metric_specification": ["predefined_metric_type": "ASGAverageCPUUtilization"],
            ],
        ]
    },
    changes: { _ in
        [
            [
                "target_tracking_configuration": [
                    "target_value": 70, "disable_scale_in": true,
                    "predefined_metric_specification": [
                        "predefined_metric_type": "ALBRequestCountPerTarget",
                        "resource_label": "app/front/1234567890abcdef/targetgroup/front/1234567890abcdef",
                    ],
                ]
            ],
            [
                "target_tracking_configuration": [
                    "target_value": 10,
                    "customized_metric_specification": [
                        "metric_name": "QueueLength", "namespace": "Celery", "statistic": "Average", "unit": "Count",
                        "metric_dimension": [["name": "Queue", "value": "default"]],
                    ],
                ]
            ],
            [
                "target_tracking_configuration": [
                    "target_value": 10,
                    "customized_metric_specification": [
                        "metrics": [
                            [
                                "id": "m1", "return_data": false,
                                "metric_stat": [
                                    "metric": [
                                        "metric_name": "QueueLength", "namespace": "Celery",
                                        "dimensions": [["name": "Queue", "value": "default"]],
                                    ], "stat": "Sum",
                                ],
                            ],
                            ["id": "e1", "expression": "m1 / 10", "label": "a tenth"],
                        ]
                    ],
                ]
            ],
        ]
    },
    check: { _, seen in #expect(seen.outputs["alarms"]?.list?.count == 2) })

private let alarmRow = ConformanceRow(
    type: "aws.cloudwatch_alarm",
    arguments: { lab in
        let group = try await lab.fleet("conformance-alarm")
        let policy = try await lab.make(
            "aws.scaling_policy",
            [
                "name": "up", "autoscaling_group_name": .string(group), "adjustment_type": "ChangeInCapacity",
                "scaling_adjustment": 1,
            ])
        let seen = try await lab.read("aws.scaling_policy", RemoteID(policy))
        await lab.note("policy", seen?.outputs["arn"]?.string ?? "")
        return [
            "alarm_name": "conformance", "comparison_operator": "GreaterThanOrEqualToThreshold",
            "evaluation_periods": 3, "datapoints_to_alarm": 2, "threshold": 70, "metric_name": "CPUUtilization",
            "namespace": "AWS/EC2", "dimensions": ["AutoScalingGroupName": .string(group)], "period": 60,
            "statistic": "Average", "unit": "Percent", "alarm_description": "busy",
            "alarm_actions": [.string(try await lab.noted("policy"))], "treat_missing_data": "notBreaching",
            "tags": tags,
        ]
    },
    changes: { lab in
        let topic = try await lab.make("aws.sns_topic", ["name": "conformance-alarm"])
        return [
            ["threshold": .number(70.5)], ["comparison_operator": "LessThanThreshold"], ["evaluation_periods": 4],
            ["datapoints_to_alarm": .null], ["period": 120], ["statistic": "Maximum"],
            [
                "statistic": "", "extended_statistic": "p99.9", "evaluate_low_sample_count_percentiles": "ignore",
            ], ["extended_statistic": "", "evaluate_low_sample_count_percentiles": "", "statistic": "Sum"],
            ["unit": ""], ["dimensions": ["InstanceId": "i-1"]], ["metric_name": "NetworkIn", "namespace": "AWS/X"],
            ["alarm_description": ""], ["actions_enabled": false], ["treat_missing_data": "missing"],
            ["ok_actions": [.string(topic)], "insufficient_data_actions": [.string(topic)]],
            ["alarm_actions": [], "ok_actions": []], ["tags": otherTags],
        ]
    },
    foreignEdit: { lab, _ in
        try await lab.call(
            "PutMetricAlarm",
            [
                "AlarmName": "conformance", "ComparisonOperator": "GreaterThanThreshold", "EvaluationPeriods": 1,
                "Threshold": 5.0, "MetricName": "NetworkIn", "Namespace": "AWS/X", "Period": 60,
                "Statistic": "Sum",
            ], service: .cloudwatch)
        return ["threshold": 5, "comparison_operator": "GreaterThanThreshold"]
    },
    check: { _, seen in #expect(seen.outputs["arn"]?.string?.hasSuffix(":alarm:conformance") == true) })

private let queryAlarmRow = ConformanceRow(
    type: "aws.cloudwatch_alarm", title: "queries",
    arguments: { _ in
        [
            "alarm_name": "conformance-queries", "comparison_operator": "GreaterThanThreshold",
            "evaluation_periods": 1, "threshold": .number(0.1),
            "metric_query": [
                ["id": "rate", "expression": "errors / requests", "label": "rate", "return_data": true],
                [
                    "id": "errors",
                    "metric": [
                        "metric_name": "Errors", "namespace": "App", "period": 60, "stat": "Sum", "unit": "Count",
                        "dimensions": ["App": "web"],
                    ],
                ],
                [
                    "id": "requests",
                    "metric": ["metric_name": "Requests", "namespace": "App", "period": 60, "stat": "Sum"],
                ],
            ],
        ]
    },
    changes: { _ in
        [
            [
                "metric_query": [
                    ["id": "band", "expression": "ANOMALY_DETECTION_BAND(m)", "return_data": true],
                    [
                        "id": "m", "return_data": true,
                        "metric": ["metric_name": "Errors", "namespace": "App", "period": 60, "stat": "Sum"],
                    ],
                ], "comparison_operator": "GreaterThanUpperThreshold", "threshold": .null,
                "threshold_metric_id": "band",
            ]
        ]
    })
