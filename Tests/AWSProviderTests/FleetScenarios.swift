import MusterModel
import ProviderKit

let fleetScenarios: [WireScenario] = [
    templateScenario, groupScenario, refreshScenario, markedRefreshScenario, statusScenario, drainScenario,
    configurationScenario, hookScenario, actionScenario, policyScenario, alarmScenario,
]

private let tags: Value = ["Usage": "celery"]

private func list(_ name: String, _ items: String...) -> RecordingAWS.Answer {
    .body("<\(name)>\(items.map { "<member>\($0)</member>" }.joined())</\(name)>")
}

private func set(_ name: String, _ items: String...) -> RecordingAWS.Answer {
    .body("<\(name)>\(items.map { "<item>\($0)</item>" }.joined())</\(name)>")
}

// MARK: Templates

private func template(_ latest: Int, _ usual: Int) -> String {
    "<launchTemplateId>lt-1</launchTemplateId><launchTemplateName>celery</launchTemplateName>"
        + "<createdBy>arn:aws:iam::123456789012:root</createdBy><latestVersionNumber>\(latest)</latestVersionNumber>"
        + "<defaultVersionNumber>\(usual)</defaultVersionNumber><tagSet><item><key>Usage</key><value>celery</value></item>"
        + "<item><key>muster:intent</key><value>\(Intent.test.token)</value></item></tagSet>"
}

private func version(_ number: Int, _ type: String, _ more: String = "") -> String {
    "<launchTemplateId>lt-1</launchTemplateId><versionNumber>\(number)</versionNumber><launchTemplateData>"
        + "<imageId>ami-1</imageId><instanceType>\(type)</instanceType>\(more)</launchTemplateData>"
}

private let templateScenario = WireScenario(
    type: "aws.launch_template",
    answers: [
        "CreateLaunchTemplate": [
            .body("<launchTemplate>\(template(1, 1))</launchTemplate>"),
            .failure(
                code: "InvalidLaunchTemplateName.AlreadyExistsException",
                message: "Launch template name already in use."
            ),
        ],
        "DescribeLaunchTemplates": [
            set("launchTemplates", template(1, 1)), set("launchTemplates", template(2, 1)),
            set("launchTemplates", template(2, 2)), set("launchTemplates"),
        ],
        "DescribeLaunchTemplateVersions": [
            set(
                "launchTemplateVersionSet",
                version(
                    1, "m5.large",
                    "<userData>I2Nsb3VkLWNvbmZpZwo=</userData><metadataOptions><state>applied</state>"
                        + "<httpTokens>required</httpTokens><httpEndpoint>enabled</httpEndpoint></metadataOptions>")),
            set("launchTemplateVersionSet", version(1, "m5.large")),
            set("launchTemplateVersionSet", version(2, "m5.xlarge")),
        ],
        "CreateLaunchTemplateVersion": [.done], "ModifyLaunchTemplate": [.done], "CreateTags": [.done],
        "DeleteTags": [.done], "DeleteLaunchTemplate": [.failure(code: "InvalidLaunchTemplateId.NotFound")],
    ],
    steps: [
        (
            "create",
            .create([
                "name": "celery", "image_id": "ami-1", "instance_type": "m5.large", "user_data": "#cloud-config\n",
                "iam_instance_profile": "celery", "vpc_security_group_ids": ["sg-2", "sg-1"],
                "block_device_mappings": [
                    ["device_name": "/dev/sdb", "virtual_name": "ephemeral0"],
                    ["device_name": "/dev/sda1", "ebs": ["volume_size": 40, "delete_on_termination": true]],
                    ["device_name": "/dev/sdc", "no_device": true],
                ], "tags": tags,
            ])
        ),
        ("the name is taken", .create(["name": "celery", "image_id": "ami-1"])),
        ("user data that are no base64", .create(["name": "celery", "user_data_base64": "é"])),
        ("read: unset members are told, those that AWS adds are not compared", .read([KnownObject(id: "lt-1")])),
        (
            "another type: the next version, with a token that follows from both",
            .update(
                "lt-1", from: ["name": "celery", "image_id": "ami-1", "instance_type": "m5.large"],
                to: ["name": "celery", "image_id": "ami-1", "instance_type": "m5.xlarge"])
        ),
        (
            "the same again, when it is there: no version, and the default follows",
            .update(
                "lt-1", from: ["name": "celery", "image_id": "ami-1", "instance_type": "m5.large"],
                to: [
                    "name": "celery", "image_id": "ami-1", "instance_type": "m5.xlarge",
                    "update_default_version": true,
                ])
        ),
        (
            "tags alone",
            .update("lt-1", from: ["name": "celery", "tags": ["Old": "1"]], to: ["name": "celery", "tags": tags])
        ), ("not found", .find(["name": "celery"])), ("delete what is gone", .delete("lt-1")),
        ("import", .importID("sg-1")),
    ])

// MARK: Groups

private func member(_ type: String, _ version: Int, _ state: String = "InService") -> String {
    "<member><InstanceId>i-\(version)</InstanceId><LifecycleState>\(state)</LifecycleState>"
        + "<HealthStatus>Healthy</HealthStatus><LaunchTemplate><LaunchTemplateId>lt-1</LaunchTemplateId>"
        + "<Version>\(version)</Version></LaunchTemplate></member>"
}

private func group(
    version: Int = 1, instances: String = member("m5.large", 1), desired: Int = 1, more: String = "",
    launch: String? = nil, tags: String = ""
) -> RecordingAWS.Answer {
    let launch =
        launch
        ?? "<LaunchTemplate><LaunchTemplateId>lt-1</LaunchTemplateId><LaunchTemplateName>celery</LaunchTemplateName>"
        + "<Version>\(version)</Version></LaunchTemplate>"
    return .body(
        "<AutoScalingGroups><member><AutoScalingGroupName>celery</AutoScalingGroupName>"
            + "<AutoScalingGroupARN>arn:celery</AutoScalingGroupARN>\(launch)<MinSize>1</MinSize><MaxSize>3</MaxSize>"
            + "<DesiredCapacity>\(desired)</DesiredCapacity><DefaultCooldown>300</DefaultCooldown>"
            + "<AvailabilityZones><member>us-east-1a</member></AvailabilityZones>"
            + "<HealthCheckType>EC2</HealthCheckType><HealthCheckGracePeriod>0</HealthCheckGracePeriod>"
            + "<Instances>\(instances)</Instances><VPCZoneIdentifier>subnet-2,subnet-1</VPCZoneIdentifier>"
            + "<TerminationPolicies><member>Default</member></TerminationPolicies><Tags>\(tags)"
            + "<member><Key>Usage</Key><Value>celery</Value><PropagateAtLaunch>true</PropagateAtLaunch></member>"
            + "<member><Key>muster:intent</Key><Value>\(Intent.test.token)</Value>"
            + "<PropagateAtLaunch>false</PropagateAtLaunch></member></Tags>\(more)</member></AutoScalingGroups>")
}

private let noGroup: RecordingAWS.Answer = .body("<AutoScalingGroups/>")
private let base: [String: Value] = [
    "name": "celery", "min_size": 1, "max_size": 3, "vpc_zone_identifier": ["subnet-2", "subnet-1"],
    "launch_template": ["id": "lt-1", "version": "1"], "tags": tags,
]

private func with(_ more: [String: Value]) -> [String: Value] { base.merging(more) { _, new in new } }

private let groupScenario = WireScenario(
    type: "aws.autoscaling_group",
    answers: [
        "CreateAutoScalingGroup": [
            .done, .failure(code: "AlreadyExists", message: "A group with the name celery already exists"),
        ],
        "DescribeAutoScalingGroups": [
            group(more: "<Status>Delete in progress</Status>"), group(),
            group(
                tags: "<member><Key>Kind</Key><Value>fleet</Value><PropagateAtLaunch>false</PropagateAtLaunch></member>"
                    + "<member><Key>Theirs</Key><Value>x</Value><PropagateAtLaunch>false</PropagateAtLaunch></member>"),
            group(),
        ],
        "UpdateAutoScalingGroup": [.done], "CreateOrUpdateTags": [.done], "DeleteTags": [.done],
        "AttachLoadBalancerTargetGroups": [.done], "SuspendProcesses": [.done], "EnableMetricsCollection": [.done],
        "PutWarmPool": [.done],
    ],
    steps: [
        (
            "create",
            .create(
                with([
                    "desired_capacity": 2, "target_group_arns": ["arn:b", "arn:a"], "max_instance_lifetime": 86_400,
                    "instance_maintenance_policy": ["min_healthy_percentage": 90, "max_healthy_percentage": 120],
                    "initial_lifecycle_hook": [
                        ["name": "greet", "lifecycle_transition": "autoscaling:EC2_INSTANCE_LAUNCHING"]
                    ], "tag": [["key": "Kind", "value": "fleet", "propagate_at_launch": false]],
                    "force_delete": true, "instance_refresh": [:],
                ]))
        ),
        ("the name is taken", .create(base)),
        ("one that is going is not found", .find(base)), ("ours", .find(base)),
        (
            "read: single tags that are recorded, and those that instances get",
            .read([
                KnownObject(
                    id: "celery",
                    arguments: ["name": "celery", "min_size": 1, "max_size": 3, "tag": [["key": "Kind"]]],
                    declared: ["name"])
            ])
        ),
        (
            "everything that has a call of its own",
            .update(
                "celery", from: base,
                to: with([
                    "max_size": 4, "placement_group": "spread", "target_group_arns": ["arn:a"],
                    "suspended_processes": ["Launch"], "enabled_metrics": ["GroupMinSize"],
                    "warm_pool": ["pool_state": "Stopped"], "tags": ["Usage": "other"],
                    "tag": [["key": "Kind", "value": "fleet", "propagate_at_launch": false]],
                ]))
        ),
        (
            "capacity is sent only when it is another number",
            .update("celery", from: with(["desired_capacity": 2]), to: with(["desired_capacity": 2, "min_size": 0]))
        ),
        (
            "another launch without a refresh: the group alone",
            .update("celery", from: base, to: with(["launch_template": ["id": "lt-1", "version": "2"]]))
        ),
    ])

// MARK: Refreshes

private func refresh(_ id: String, _ status: String, version: Int?, _ more: String = "") -> RecordingAWS.Answer {
    let desired =
        version.map {
            "<DesiredConfiguration><LaunchTemplate><LaunchTemplateId>lt-1</LaunchTemplateId><Version>\($0)</Version>"
                + "</LaunchTemplate></DesiredConfiguration>"
        } ?? ""
    return list(
        "InstanceRefreshes", "<InstanceRefreshId>\(id)</InstanceRefreshId><Status>\(status)</Status>\(desired)\(more)")
}

private let noRefresh: RecordingAWS.Answer = .body("<InstanceRefreshes/>")
private let newer: Value = ["id": "lt-1", "version": "2"]
private let renewing: Value = ["preferences": ["min_healthy_percentage": 80]]

private let refreshScenario = WireScenario(
    type: "aws.autoscaling_group", title: "refresh",
    answers: [
        "DescribeAutoScalingGroups": [
            group(), group(), group(), group(), group(), group(), group(instances: "", desired: 0),
        ],
        "DescribeInstanceRefreshes": [
            noRefresh, refresh("r-1", "Pending", version: 2),
            refresh("r-1", "InProgress", version: 2, "<PercentageComplete>40</PercentageComplete>"),
            refresh("r-1", "InProgress", version: 2, "<PercentageComplete>40</PercentageComplete>"),
            refresh("r-1", "InProgress", version: 3), refresh("r-1", "RollbackInProgress", version: 2),
        ],
        "StartInstanceRefresh": [.body("<InstanceRefreshId>r-1</InstanceRefreshId>")],
        "CancelInstanceRefresh": [.done], "UpdateAutoScalingGroup": [.done],
    ],
    steps: [
        (
            "the refresh brings the launch",
            .update("celery", from: base, to: with(["launch_template": newer, "instance_refresh": renewing]))
        ),
        (
            "one that brings it is under way: it is waited for",
            .update("celery", from: base, to: with(["launch_template": newer, "instance_refresh": renewing]))
        ),
        (
            "one that brings something else is cancelled first",
            .update("celery", from: base, to: with(["launch_template": newer, "instance_refresh": renewing]))
        ),
        (
            "one that is rolled back ends first",
            .update("celery", from: base, to: with(["launch_template": newer, "instance_refresh": renewing]))
        ),
        (
            "an empty group has nothing to renew",
            .update("celery", from: base, to: with(["launch_template": newer, "instance_refresh": renewing]))
        ),
    ])

private let configured = "<LaunchConfigurationName>old</LaunchConfigurationName>"
private let mark =
    "<member><Key>muster:refresh</Key><Value>r-1</Value><PropagateAtLaunch>false</PropagateAtLaunch></member>"

private let markedRefreshScenario: WireScenario = {
    let old = with(["launch_template": .null, "launch_configuration": "old"])
    let new = with(["launch_template": .null, "launch_configuration": "new", "instance_refresh": [:]])
    return WireScenario(
        type: "aws.autoscaling_group", title: "refresh-configuration",
        answers: [
            "DescribeAutoScalingGroups": [
                group(launch: configured), group(launch: configured), group(launch: configured, tags: mark),
                group(launch: configured, tags: mark), group(launch: configured),
            ],
            "DescribeInstanceRefreshes": [
                refresh("r-1", "Successful", version: nil), refresh("r-1", "Successful", version: nil),
                refresh("r-2", "Pending", version: nil),
            ],
            "StartInstanceRefresh": [.body("<InstanceRefreshId>r-2</InstanceRefreshId>")],
            "UpdateAutoScalingGroup": [.done], "CreateOrUpdateTags": [.done], "DeleteTags": [.done],
        ],
        steps: [
            ("marked, given, started, unmarked", .update("celery", from: old, to: new)),
            (
                "interrupted in between: nothing is said of the launch",
                .read([KnownObject(id: "celery", arguments: old, declared: ["name"])])
            ),
            ("begun anew, when the refresh runs already: unmarked", .update("celery", from: old, to: new)),
        ])
}()

private let statusScenario: WireScenario = {
    let wanted = with(["launch_template": newer, "instance_refresh": renewing])
    let look = WireScenario.Step.read([KnownObject(id: "celery", arguments: wanted)])
    return WireScenario(
        type: "aws.autoscaling_group", title: "status",
        answers: [
            "DescribeAutoScalingGroups": [
                group(), group(), group(), group(), group(), group(version: 2), group(version: 2, desired: 3),
                group(version: 2, desired: 3),
            ],
            "DescribeInstanceRefreshes": [
                refresh(
                    "r-1", "InProgress", version: 2,
                    "<PercentageComplete>40</PercentageComplete><StatusReason>Waiting for instances.</StatusReason>"),
                refresh("r-1", "Baking", version: 2, "<PercentageComplete>100</PercentageComplete>"),
                refresh(
                    "r-1", "RollbackInProgress", version: 2,
                    "<RollbackDetails><RollbackReason>Too many failures.</RollbackReason></RollbackDetails>"),
                refresh(
                    "r-1", "RollbackSuccessful", version: 2,
                    "<RollbackDetails><RollbackReason>Too many failures.</RollbackReason></RollbackDetails>"),
                refresh("r-1", "Failed", version: 3), refresh("r-1", "Successful", version: 2),
            ],
            "DescribeScalingActivities": [
                list(
                    "Activities",
                    "<StatusCode>Failed</StatusCode><StatusMessage>We do not have enough capacity.</StatusMessage>"),
                list("Activities", "<StatusCode>Successful</StatusCode>"),
            ],
        ],
        steps: [
            ("under way", look), ("baking", look), ("rolling back", look), ("rolled back", look),
            ("one that was to bring something else", look), ("done", look), ("not enough in service, and why", look),
            ("not enough in service", look),
        ])
}()

private let drainScenario = WireScenario(
    type: "aws.autoscaling_group", title: "delete",
    answers: [
        "DescribeAutoScalingGroups": [
            group(),
            group(
                more: "<WarmPoolConfiguration><PoolState>Stopped</PoolState></WarmPoolConfiguration>"),
            group(
                instances:
                    "<member><InstanceId>i-1</InstanceId><ProtectedFromScaleIn>true</ProtectedFromScaleIn></member>",
                more: "<SuspendedProcesses><member><ProcessName>Terminate</ProcessName></member></SuspendedProcesses>"),
            group(instances: ""), group(more: "<Status>Delete in progress</Status>"), noGroup,
        ],
        "DeleteAutoScalingGroup": [.done], "UpdateAutoScalingGroup": [.done], "DeleteWarmPool": [.done],
        "SetInstanceProtection": [.done], "ResumeProcesses": [.done],
    ],
    steps: [
        ("at once", .delete("celery", last: with(["force_delete": true]))),
        ("first the warm pool", .delete("celery", last: base)),
        ("then it runs empty", .delete("celery", last: base)), ("then it goes", .delete("celery", last: base)),
        ("it is going", .delete("celery", last: base)), ("it is gone", .delete("celery", last: base)),
    ])

// MARK: Launch configurations

private let configurationScenario = WireScenario(
    type: "aws.launch_configuration",
    answers: [
        "DescribeImages": [set("imagesSet", "<imageId>ami-1</imageId><rootDeviceName>/dev/sda1</rootDeviceName>")],
        "CreateLaunchConfiguration": [
            .done,
            .failure(code: "ValidationError", message: "Invalid IamInstanceProfile: celery"),
        ],
        "DescribeLaunchConfigurations": [
            list(
                "LaunchConfigurations",
                "<LaunchConfigurationName>celery</LaunchConfigurationName><ImageId>ami-1</ImageId>"
                    + "<InstanceType>m5.large</InstanceType><UserData>I2Nsb3VkLWNvbmZpZwo=</UserData>"
                    + "<InstanceMonitoring><Enabled>true</Enabled></InstanceMonitoring>"
                    + "<BlockDeviceMappings><member><DeviceName>/dev/sda1</DeviceName><Ebs><VolumeSize>40</VolumeSize></Ebs>"
                    + "</member><member><DeviceName>/dev/sdb</DeviceName><VirtualName>ephemeral0</VirtualName></member>"
                    + "</BlockDeviceMappings>")
        ],
        "DeleteLaunchConfiguration": [
            .failure(code: "ResourceInUse", message: "attached to AutoScalingGroup celery"),
            .failure(code: "ValidationError", message: "Launch configuration name not found"),
        ],
    ],
    steps: [
        (
            "create",
            .create([
                "name": "celery", "image_id": "ami-1", "instance_type": "m5.large", "user_data": "#cloud-config\n",
                "root_block_device": ["volume_size": 40],
                "ephemeral_block_device": [["device_name": "/dev/sdb", "virtual_name": "ephemeral0"]],
            ])
        ),
        (
            "a profile that does not exist may turn up",
            .create([
                "name": "celery", "image_id": "ami-1", "instance_type": "m5.large", "iam_instance_profile": "celery",
            ])
        ),
        ("read", .read([KnownObject(id: "celery", declared: ["root_block_device"])])),
        (
            "what says the same is ours",
            .find([
                "name": "celery", "image_id": "ami-1", "instance_type": "m5.large", "user_data": "#cloud-config\n",
                "ephemeral_block_device": [["device_name": "/dev/sdb", "virtual_name": "ephemeral0"]],
                "root_block_device": ["volume_size": 40],
            ])
        ),
        (
            "what says something else is not",
            .find(["name": "celery", "image_id": "ami-2", "instance_type": "m5.large"])
        ),
        ("in use", .delete("celery")), ("delete what is gone", .delete("celery")),
    ])

// MARK: What belongs to groups

private let hook =
    "<LifecycleHookName>leave</LifecycleHookName><AutoScalingGroupName>celery</AutoScalingGroupName>"
    + "<LifecycleTransition>autoscaling:EC2_INSTANCE_TERMINATING</LifecycleTransition><DefaultResult>ABANDON</DefaultResult>"
    + "<HeartbeatTimeout>60</HeartbeatTimeout><GlobalTimeout>6000</GlobalTimeout>"

private let hookScenario: WireScenario = {
    let wanted: [String: Value] = [
        "name": "leave", "autoscaling_group_name": "celery", "heartbeat_timeout": 60,
        "lifecycle_transition": "autoscaling:EC2_INSTANCE_TERMINATING",
    ]
    return WireScenario(
        type: "aws.lifecycle_hook",
        answers: [
            "DescribeLifecycleHooks": [
                .body("<LifecycleHooks/>"), list("LifecycleHooks", hook), list("LifecycleHooks", hook),
                list("LifecycleHooks", hook),
                .failure(code: "ValidationError", message: "AutoScalingGroup name not found"),
            ],
            "PutLifecycleHook": [.done],
            "DeleteLifecycleHook": [.failure(code: "ValidationError", message: "No Lifecycle Hook found")],
        ],
        steps: [
            ("create", .create(wanted)), ("the group has brought it", .create(wanted)),
            ("somebody else's", .create(wanted.merging(["heartbeat_timeout": 90]) { _, new in new })),
            ("read, one call a group", .read([KnownObject(id: "celery:leave"), KnownObject(id: "celery:other")])),
            ("the group is gone", .children(of: ["celery"])),
            ("a target taken away", .update("celery:leave", from: wanted, to: wanted)),
            ("delete what is gone", .delete("celery:leave")), ("import", .importID("celery")),
        ])
}()

private let actionScenario: WireScenario = {
    let action =
        "<AutoScalingGroupName>celery</AutoScalingGroupName><ScheduledActionName>morning</ScheduledActionName>"
        + "<Recurrence>0 7 * * *</Recurrence><MinSize>3</MinSize><StartTime>2030-01-02T07:00:00Z</StartTime>"
    let wanted: [String: Value] = [
        "scheduled_action_name": "morning", "autoscaling_group_name": "celery", "min_size": 3,
        "recurrence": "0 7 * * *", "start_time": "2030-01-01T08:00:00+01:00",
    ]
    return WireScenario(
        type: "aws.scheduled_action",
        answers: [
            "DescribeScheduledActions": [
                .body("<ScheduledUpdateGroupActions/>"), list("ScheduledUpdateGroupActions", action),
            ], "PutScheduledUpdateGroupAction": [.done], "DeleteScheduledAction": [.done],
        ],
        steps: [
            ("create", .create(wanted)),
            (
                "read: AWS has moved the start on",
                .read([KnownObject(id: "celery:morning", arguments: wanted)])
            ),
            (
                "another size: the start is not sent again",
                .update("celery:morning", from: wanted, to: wanted.merging(["min_size": 4]) { _, new in new })
            ),
            (
                "a size taken out goes with the action only",
                .update(
                    "celery:morning", from: wanted,
                    to: wanted.merging(["min_size": .null, "max_size": 5]) { _, new in new })
            ), ("of certain groups", .children(of: ["other"])),
        ])
}()

private let policyScenario: WireScenario = {
    let policy =
        "<AutoScalingGroupName>celery</AutoScalingGroupName><PolicyName>up</PolicyName><PolicyARN>arn:up</PolicyARN>"
        + "<PolicyType>SimpleScaling</PolicyType><AdjustmentType>ChangeInCapacity</AdjustmentType>"
        + "<ScalingAdjustment>2</ScalingAdjustment><Alarms><member><AlarmName>celery-up</AlarmName></member></Alarms>"
    let wanted: [String: Value] = [
        "name": "up", "autoscaling_group_name": "celery", "adjustment_type": "ChangeInCapacity",
        "scaling_adjustment": 2,
    ]
    return WireScenario(
        type: "aws.scaling_policy",
        answers: [
            "DescribePolicies": [.body("<ScalingPolicies/>"), list("ScalingPolicies", policy)],
            "PutScalingPolicy": [.body("<PolicyARN>arn:up</PolicyARN><Alarms/>")],
            "DeletePolicy": [.failure(code: "ValidationError", message: "Scaling policy up not found.")],
        ],
        steps: [
            ("create", .create(wanted)),
            ("what says the same is ours", .create(wanted)),
            ("somebody else's", .create(wanted.merging(["scaling_adjustment": 3]) { _, new in new })),
            ("read", .read([KnownObject(id: "celery:up")])),
            (
                "steps",
                .update(
                    "celery:up", from: wanted,
                    to: [
                        "name": "up", "autoscaling_group_name": "celery", "adjustment_type": "ChangeInCapacity",
                        "policy_type": "StepScaling",
                        "step_adjustment": [
                            ["metric_interval_lower_bound": 10, "scaling_adjustment": 2],
                            [
                                "metric_interval_lower_bound": 0, "metric_interval_upper_bound": 10,
                                "scaling_adjustment": 1,
                            ],
                        ],
                    ])
            ), ("delete what is gone", .delete("celery:up")),
        ])
}()

private let alarmScenario: WireScenario = {
    let alarm =
        "<AlarmName>busy</AlarmName><AlarmArn>arn:aws:cloudwatch:us-east-1:123456789012:alarm:busy</AlarmArn>"
        + "<MetricName>CPUUtilization</MetricName><Namespace>AWS/EC2</Namespace><Period>60</Period>"
        + "<Statistic>Average</Statistic><EvaluationPeriods>2</EvaluationPeriods><Threshold>70.0</Threshold>"
        + "<ComparisonOperator>GreaterThanThreshold</ComparisonOperator><ActionsEnabled>true</ActionsEnabled>"
        + "<StateValue>ALARM</StateValue><Dimensions><member><Name>AutoScalingGroupName</Name><Value>celery</Value>"
        + "</member></Dimensions>"
    let wanted: [String: Value] = [
        "alarm_name": "busy", "metric_name": "CPUUtilization", "namespace": "AWS/EC2", "period": 60,
        "statistic": "Average", "evaluation_periods": 2, "threshold": 70, "comparison_operator": "GreaterThanThreshold",
        "dimensions": ["AutoScalingGroupName": "celery"], "tags": tags,
    ]
    return WireScenario(
        type: "aws.cloudwatch_alarm",
        answers: [
            "DescribeAlarms": [.body("<MetricAlarms/>"), list("MetricAlarms", alarm)],
            "ListTagsForResource": [
                .body("<Tags><member><Key>muster:intent</Key><Value>another</Value></member></Tags>"),
                .body("<Tags><member><Key>muster:intent</Key><Value>\(Intent.test.token)</Value></member></Tags>"),
            ],
            "GetResources": [
                .document(
                    #"{"ResourceTagMappingList":[{"ResourceARN":"arn:aws:cloudwatch:us-east-1:123456789012:alarm:busy","#
                        + #""Tags":[{"Key":"Usage","Value":"celery"}]}]}"#)
            ],
            "PutMetricAlarm": [.done], "TagResource": [.done], "UntagResource": [.done],
            "DeleteAlarms": [.failure(code: "ResourceNotFound", message: "gone", status: 404)],
        ],
        steps: [
            ("create", .create(wanted)), ("somebody else's", .create(wanted)),
            ("ours, from a lost answer", .create(wanted)),
            ("read", .read([KnownObject(id: "busy", arguments: wanted, declared: ["tags"])])),
            (
                "another threshold: everything is said again, and no tags",
                .update("busy", from: wanted, to: wanted.merging(["threshold": 80]) { _, new in new })
            ),
            (
                "tags alone",
                .update("busy", from: wanted, to: wanted.merging(["tags": ["More": "1"]]) { _, new in new })
            ), ("delete what is gone", .delete("busy")),
        ])
}()
