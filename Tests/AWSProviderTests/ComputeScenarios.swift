import MusterModel
import ProviderKit

let computeScenarios: [WireScenario] = [
    instanceLaunchScenario, instanceReadScenario, instanceChangeScenario, instanceRestartScenario, volumeScenario,
    keyPairScenario,
]

private let tags: Value = ["Name": "node"]
private let tagSet = "<tagSet><item><key>Name</key><value>node</value></item></tagSet>"
private let markedTagSet =
    "<tagSet><item><key>Name</key><value>node</value></item>"
    + "<item><key>muster:restart</key><value>x</value></item></tagSet>"

private func set(_ name: String, _ items: String...) -> RecordingAWS.Answer {
    .body("<\(name)>\(items.map { "<item>\($0)</item>" }.joined())</\(name)>")
}

/// An instance as it is listed.
private func instance(
    _ id: String, _ state: String, type: String = "m5.large", tags: String = tagSet, more: String = ""
) -> String {
    "<instanceId>\(id)</instanceId><imageId>ami-1</imageId><instanceState><name>\(state)</name></instanceState>"
        + "<privateDnsName>ip-10-0-0-5.ec2.internal</privateDnsName><dnsName/><keyName>operator</keyName>"
        + "<instanceType>\(type)</instanceType><placement><availabilityZone>us-east-1a</availabilityZone>"
        + "<groupName/><tenancy>default</tenancy></placement><monitoring><state>pending</state></monitoring>"
        + "<subnetId>subnet-1</subnetId><vpcId>vpc-1</vpcId><privateIpAddress>10.0.0.5</privateIpAddress>"
        + "<sourceDestCheck>true</sourceDestCheck><groupSet><item><groupId>sg-2</groupId></item>"
        + "<item><groupId>sg-1</groupId></item></groupSet><rootDeviceName>/dev/sda1</rootDeviceName>"
        + "<blockDeviceMapping><item><deviceName>/dev/sda1</deviceName><ebs><volumeId>vol-1</volumeId>"
        + "<deleteOnTermination>true</deleteOnTermination></ebs></item><item><deviceName>/dev/sdf</deviceName><ebs>"
        + "<volumeId>vol-2</volumeId><deleteOnTermination>false</deleteOnTermination></ebs></item>"
        + "<item><deviceName>/dev/sdz</deviceName><ebs><volumeId>vol-9</volumeId></ebs></item></blockDeviceMapping>"
        + "<iamInstanceProfile><arn>arn:aws:iam::123456789012:instance-profile/a/node</arn></iamInstanceProfile>"
        + "<networkInterfaceSet><item><networkInterfaceId>eni-1</networkInterfaceId><attachment><deviceIndex>0"
        + "</deviceIndex></attachment><privateIpAddressesSet><item><privateIpAddress>10.0.0.5</privateIpAddress>"
        + "<primary>true</primary></item><item><privateIpAddress>10.0.0.6</privateIpAddress><primary>false</primary>"
        + "</item></privateIpAddressesSet><ipv6AddressesSet><item><ipv6Address>2600:1f18::5</ipv6Address></item>"
        + "</ipv6AddressesSet></item></networkInterfaceSet><ebsOptimized>false</ebsOptimized>"
        + "<cpuOptions><coreCount>1</coreCount><threadsPerCore>2</threadsPerCore></cpuOptions>"
        + "<metadataOptions><state>applied</state><httpTokens>required</httpTokens>"
        + "<httpPutResponseHopLimit>2</httpPutResponseHopLimit><httpEndpoint>enabled</httpEndpoint></metadataOptions>"
        + "<maintenanceOptions><autoRecovery>default</autoRecovery></maintenanceOptions>\(tags)\(more)"
}

private func reservations(_ instances: String...) -> RecordingAWS.Answer {
    .body(
        "<reservationSet><item><ownerId>123456789012</ownerId><instancesSet>"
            + instances.map { "<item>\($0)</item>" }.joined() + "</instancesSet></item></reservationSet>")
}

private func attribute(_ name: String, _ value: String) -> RecordingAWS.Answer {
    .body("<instanceId>i-1</instanceId><\(name)><value>\(value)</value></\(name)>")
}

private func volume(_ id: String, _ size: Int, tags: String = tagSet) -> String {
    "<volumeId>\(id)</volumeId><size>\(size)</size><volumeType>gp3</volumeType><iops>3000</iops>"
        + "<throughput>125</throughput><encrypted>true</encrypted>"
        + "<kmsKeyId>arn:aws:kms:us-east-1:123456789012:key/1234</kmsKeyId><snapshotId>snap-1</snapshotId>\(tags)"
}

// MARK: Launch

private let launched: RecordingAWS.Answer = .body(
    "<ownerId>123456789012</ownerId><instancesSet><item>\(instance("i-1", "pending"))</item></instancesSet>")

private let instanceLaunchScenario = WireScenario(
    type: "aws.instance",
    answers: [
        "DescribeImages": [
            set("imagesSet", "<imageId>ami-1</imageId><rootDeviceName>/dev/sda1</rootDeviceName>"), set("imagesSet"),
        ],
        "RunInstances": [
            launched, launched, launched,
            .failure(code: "InvalidAMIID.NotFound", message: "The image id '[ami-1]' does not exist"),
            .failure(
                code: "InvalidParameterValue",
                message:
                    "Value (node) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name"
            ), .failure(code: "InvalidSubnetID.NotFound", message: "The subnet ID 'subnet-1' does not exist"),
            .failure(code: "InsufficientInstanceCapacity", message: "none left"),
        ],
        "DescribeInstances": [
            reservations(), reservations(instance("i-1", "pending")),
            reservations(instance("i-1", "terminated")), reservations(),
        ],
    ],
    steps: [
        (
            "create, as a control node is",
            .create([
                "ami": "ami-1", "instance_type": "m5.large", "subnet_id": "subnet-1",
                "vpc_security_group_ids": ["sg-2", "sg-1"], "key_name": "operator", "iam_instance_profile": "node",
                "user_data": "#cloud-config\n", "user_data_replace_on_change": true, "monitoring": true,
                "source_dest_check": false, "disable_api_termination": true, "disable_api_stop": false,
                "instance_initiated_shutdown_behavior": "stop", "ebs_optimized": true, "tenancy": "default",
                "metadata_options": ["http_tokens": "required", "http_put_response_hop_limit": 2],
                "credit_specification": ["cpu_credits": "unlimited"],
                "root_block_device": ["volume_size": 40, "volume_type": "gp3", "encrypted": true],
                "ebs_block_device": [
                    ["device_name": "/dev/sdg", "snapshot_id": "snap-1"],
                    ["device_name": "/dev/sdf", "volume_size": 10, "delete_on_termination": false],
                ],
                "ephemeral_block_device": [
                    ["device_name": "/dev/sdc", "no_device": true],
                    ["device_name": "/dev/sdb", "virtual_name": "ephemeral0"],
                ],
                "volume_tags": ["Volume": "yes"], "tags": tags,
            ])
        ),
        (
            "create with everything about addresses on the interface",
            .create([
                "ami": "ami-1", "instance_type": "m5.large", "subnet_id": "subnet-1",
                "vpc_security_group_ids": ["sg-1"], "associate_public_ip_address": false, "private_ip": "10.0.0.5",
                "secondary_private_ips": ["10.0.0.6"], "ipv6_address_count": 1, "enable_primary_ipv6": true,
                "placement_group": "spread", "placement_partition_number": 2, "hibernation": true,
                "cpu_options": ["core_count": 1, "threads_per_core": 1], "enclave_options": ["enabled": true],
                "maintenance_options": ["auto_recovery": "disabled"],
                "private_dns_name_options": ["hostname_type": "resource-name"],
                "capacity_reservation_specification": ["capacity_reservation_preference": "none"],
                "instance_market_options": ["market_type": "spot", "spot_options": ["max_price": "0.05"]],
                "user_data_base64": "AAEC\n/w==",
            ])
        ),
        (
            "create from a template with interfaces that exist",
            .create([
                "launch_template": ["name": "node", "version": "$Latest"],
                "network_interface": [
                    ["device_index": 1, "network_interface_id": "eni-2"],
                    ["device_index": 0, "network_interface_id": "eni-1", "delete_on_termination": false],
                ],
            ])
        ),
        ("an image that does not exist will not turn up", .create(["ami": "ami-1"])),
        ("a profile that does not exist may turn up", .create(["ami": "ami-1", "iam_instance_profile": "node"])),
        ("a subnet too", .create(["ami": "ami-1", "subnet_id": "subnet-1"])),
        ("no room just now", .create(["ami": "ami-1"])),
        (
            "a root volume of an image that does not exist",
            .create(["ami": "ami-2", "root_block_device": ["volume_size": 8]])
        ),
        ("a root volume of no image", .create(["root_block_device": ["volume_size": 8]])),
        ("user data that are no base64", .create(["ami": "ami-1", "user_data_base64": "é"])),
        ("find by the tag, when the token is not known", .find(["ami": "ami-1"])),
        ("what has ended is not found", .find(["ami": "ami-1"])),
    ])

// MARK: Read

private let instanceReadScenario = WireScenario(
    type: "aws.instance", title: "read",
    answers: [
        "DescribeInstances": [
            reservations(
                instance("i-1", "running"), instance("i-2", "stopped"), instance("i-3", "stopping"),
                instance("i-4", "shutting-down"),
                instance(
                    "i-5", "shutting-down",
                    more: "<stateReason><code>Client.VolumeLimitExceeded</code>"
                        + "<message>Volume limit exceeded</message></stateReason>"), instance("i-6", "terminated"),
                instance("i-7", "stopped", tags: markedTagSet))
        ],
        "DescribeInstanceAttribute": [
            attribute("userData", "I2Nsb3VkLWNvbmZpZwrDqQo="), attribute("disableApiTermination", "true"),
            attribute("disableApiStop", "false"), attribute("instanceInitiatedShutdownBehavior", "stop"),
        ],
        "DescribeVolumes": [set("volumeSet", volume("vol-1", 40), volume("vol-2", 10), volume("vol-9", 1))],
        "DescribeInstanceCreditSpecifications": [
            set(
                "instanceCreditSpecificationSet", "<instanceId>i-1</instanceId><cpuCredits>unlimited</cpuCredits>")
        ],
    ],
    steps: [
        (
            "states; nothing declared costs a call of its own",
            .read(["i-1", "i-2", "i-3", "i-4", "i-5", "i-6", "i-7", "i-8"].map { KnownObject(id: $0) })
        ),
        (
            "user data, of the attributes",
            .read([KnownObject(id: "i-1", declared: ["user_data"])])
        ),
        (
            "protection against termination", .read([KnownObject(id: "i-1", declared: ["disable_api_termination"])])
        ),
        ("protection against stops", .read([KnownObject(id: "i-1", declared: ["disable_api_stop"])])),
        (
            "shutdown", .read([KnownObject(id: "i-1", declared: ["instance_initiated_shutdown_behavior"])])
        ),
        (
            "volumes: those that were declared, and the key as it was written",
            .read([
                KnownObject(
                    id: "i-1",
                    arguments: [
                        "root_block_device": ["kms_key_id": "1234"],
                        "ebs_block_device": [["device_name": "/dev/sdf", "kms_key_id": "alias/disks"]],
                        "volume_tags": ["Name": "old"],
                    ], declared: ["root_block_device", "ebs_block_device", "volume_tags"])
            ])
        ),
        ("credits", .read([KnownObject(id: "i-1", declared: ["credit_specification"])])),
        ("what is there", .list),
        ("import", .importID(" i-0a1b ")),
        ("import nonsense", .importID("node")),
    ])

// MARK: Changes

private let instanceChangeScenario = WireScenario(
    type: "aws.instance", title: "change",
    answers: [
        "ModifyInstanceAttribute": [.done], "MonitorInstances": [.done], "UnmonitorInstances": [.done],
        "ModifyInstanceMetadataOptions": [.done], "ModifyInstanceMaintenanceOptions": [.done],
        "ModifyPrivateDnsNameOptions": [.done], "CreateTags": [.done], "DeleteTags": [.done],
        "ModifyInstanceCreditSpecification": [
            .body("<successfulInstanceCreditSpecificationSet/>"),
            .body(
                "<unsuccessfulInstanceCreditSpecificationSet><item><instanceId>i-1</instanceId><error>"
                    + "<code>InstanceCreditSpecification.NotSupported</code><message>m5.large has none</message>"
                    + "</error></item></unsuccessfulInstanceCreditSpecificationSet>"),
        ],
        "DescribeInstances": [reservations(instance("i-1", "running"))],
        "AssignPrivateIpAddresses": [.done], "UnassignPrivateIpAddresses": [.done], "AssignIpv6Addresses": [.done],
        "UnassignIpv6Addresses": [.done],
        "DescribeIamInstanceProfileAssociations": [
            set(
                "iamInstanceProfileAssociationSet",
                "<associationId>iip-assoc-1</associationId><iamInstanceProfile>"
                    + "<arn>arn:aws:iam::123456789012:instance-profile/a/node</arn></iamInstanceProfile>")
        ],
        "ReplaceIamInstanceProfileAssociation": [.done], "DisassociateIamInstanceProfile": [.done],
        "TerminateInstances": [
            .done,
            .failure(
                code: "OperationNotPermitted", message: "The instance 'i-1' may not be terminated."),
            .failure(code: "InvalidInstanceID.NotFound"),
        ],
    ],
    steps: [
        (
            "one attribute a call",
            .update(
                "i-1", from: ["vpc_security_group_ids": ["sg-1"], "monitoring": true],
                to: [
                    "vpc_security_group_ids": ["sg-2", "sg-1"], "source_dest_check": false,
                    "disable_api_termination": true, "disable_api_stop": true,
                    "instance_initiated_shutdown_behavior": "terminate", "monitoring": false, "tags": tags,
                ])
        ),
        (
            "what stands in blocks, whole blocks of what is declared",
            .update(
                "i-1", from: ["metadata_options": ["http_tokens": "optional", "http_endpoint": "enabled"]],
                to: [
                    "metadata_options": ["http_tokens": "required"],
                    "maintenance_options": ["auto_recovery": "disabled"],
                    "private_dns_name_options": ["enable_resource_name_dns_a_record": true],
                    "credit_specification": ["cpu_credits": "standard"],
                ])
        ),
        (
            "credits that the type does not have",
            .update("i-1", from: [:], to: ["credit_specification": ["cpu_credits": "standard"]])
        ),
        (
            "members that are not declared are no difference",
            .update(
                "i-1", from: ["metadata_options": ["http_tokens": "required", "http_endpoint": "enabled"]],
                to: ["metadata_options": ["http_tokens": "required"]])
        ),
        (
            "addresses, compared with what is there",
            .update(
                "i-1", from: [:],
                to: ["secondary_private_ips": ["10.0.0.7"], "ipv6_addresses": ["2600:1f18:0::5", "2600:1f18::6"]])
        ),
        ("no IPv6 addresses", .update("i-1", from: ["ipv6_address_count": 1], to: ["ipv6_address_count": 0])),
        (
            "another profile",
            .update("i-1", from: ["iam_instance_profile": "node"], to: ["iam_instance_profile": "other"])
        ),
        (
            "the profile is there already",
            .update("i-1", from: ["iam_instance_profile": ""], to: ["iam_instance_profile": "node"])
        ),
        ("no profile", .update("i-1", from: ["iam_instance_profile": "node"], to: ["iam_instance_profile": ""])),
        (
            "nothing to do",
            .update("i-1", from: ["instance_type": "m5.large"], to: ["instance_type": "m5.large"])
        ),
        ("delete", .delete("i-1")),
        ("delete what is protected", .delete("i-1")),
        ("delete what is gone", .delete("i-1")),
    ])

// MARK: Stop, change, start

private let instanceRestartScenario = WireScenario(
    type: "aws.instance", title: "restart",
    answers: [
        "DescribeInstances": [
            reservations(instance("i-1", "running")),
            reservations(instance("i-1", "stopping", tags: markedTagSet)),
            reservations(instance("i-1", "stopped", tags: markedTagSet)),
            reservations(instance("i-1", "pending", type: "m5.xlarge")),
            // Stopped by somebody.
            reservations(instance("i-1", "stopped")),
            // A run died after the start, and one before it.
            reservations(instance("i-1", "running", type: "m5.xlarge", tags: markedTagSet)),
            reservations(instance("i-1", "running", type: "m5.xlarge")),
            reservations(instance("i-1", "stopped", type: "m5.xlarge", tags: markedTagSet)),
            reservations(instance("i-1", "pending", type: "m5.xlarge")),
            // Refused.
            reservations(instance("i-1", "running")), reservations(instance("i-1", "running")),
            reservations(instance("i-1", "pending")), reservations(instance("i-1", "shutting-down")),
        ],
        "DescribeInstanceAttribute": [attribute("userData", "b2xk")],
        "CreateTags": [.done], "DeleteTags": [.done],
        "StopInstances": [
            .done, .failure(code: "OperationNotPermitted", message: "The instance 'i-1' may not be stopped."), .done,
        ], "StartInstances": [.done],
        "ModifyInstanceAttribute": [.done],
    ],
    steps: {
        let old: [String: Value] = ["instance_type": "m5.large", "user_data": "old"]
        let new: [String: Value] = ["instance_type": "m5.xlarge", "user_data": "new", "ebs_optimized": true]
        let type: [String: Value] = ["instance_type": "m5.xlarge"]
        return [
            ("running: it is marked and stopped", .update("i-1", from: old, to: new)),
            ("stopping: later", .update("i-1", from: old, to: new)),
            ("stopped: changed, started, the mark taken away", .update("i-1", from: old, to: new)),
            ("stopped by somebody: changed, and stopped still", .update("i-1", from: old, to: type)),
            ("started, and the mark left over", .update("i-1", from: old, to: type)),
            ("changed, and not started", .update("i-1", from: old, to: type)),
            ("a protection against stops", .update("i-1", from: old, to: type)),
            (
                "a protection that this change takes away",
                .update(
                    "i-1", from: ["instance_type": "m5.large", "disable_api_stop": true],
                    to: ["instance_type": "m5.xlarge", "disable_api_stop": false])
            ),
            ("on its way up: later", .update("i-1", from: old, to: type)),
            ("on its way out", .update("i-1", from: old, to: type)),
        ]
    }())

// MARK: Volumes

private let volumeScenario = WireScenario(
    type: "aws.instance", title: "volumes",
    answers: [
        "DescribeInstances": [reservations(instance("i-1", "running"))],
        "DescribeVolumes": [set("volumeSet", volume("vol-1", 40))],
        "DescribeVolumesModifications": [
            set("volumeModificationSet"),
            set(
                "volumeModificationSet",
                "<volumeId>vol-1</volumeId><modificationState>modifying</modificationState><targetSize>80</targetSize>"
            ),
            set(
                "volumeModificationSet",
                "<volumeId>vol-1</volumeId><modificationState>optimizing</modificationState>"),
        ],
        "ModifyVolume": [.done], "ModifyInstanceAttribute": [.done], "CreateTags": [.done], "DeleteTags": [.done],
    ],
    steps: [
        (
            "grow",
            .update(
                "i-1", from: ["root_block_device": ["volume_size": 40]],
                to: ["root_block_device": ["volume_size": 80, "iops": 4000, "delete_on_termination": false]])
        ),
        (
            "still growing",
            .update(
                "i-1", from: ["root_block_device": ["volume_size": 40]],
                to: ["root_block_device": ["volume_size": 80]])
        ),
        (
            "shrink: before anything else",
            .update(
                "i-1", from: ["root_block_device": ["volume_size": 40]],
                to: ["root_block_device": ["volume_size": 20], "instance_type": "m5.xlarge", "tags": tags])
        ),
        (
            "two volumes at a time",
            .update(
                "i-1",
                from: [
                    "root_block_device": ["volume_size": 40],
                    "ebs_block_device": [["device_name": "/dev/sdf", "volume_size": 40]],
                ],
                to: [
                    "root_block_device": ["volume_size": 80],
                    "ebs_block_device": [["device_name": "/dev/sdf", "volume_size": 80]],
                ])
        ),
        (
            "a device that is not there any more",
            .update(
                "i-1", from: ["ebs_block_device": [["device_name": "/dev/sdx", "volume_size": 1]]],
                to: ["ebs_block_device": [["device_name": "/dev/sdx", "volume_size": 2]]])
        ),
        (
            "tags of every volume that is ours",
            .update(
                "i-1",
                from: ["ebs_block_device": [["device_name": "/dev/sdf"]], "volume_tags": ["Old": "1", "Same": "1"]],
                to: ["ebs_block_device": [["device_name": "/dev/sdf"]], "volume_tags": ["New": "1", "Same": "1"]])
        ),
    ])

// MARK: Key pair

private let keyPair =
    "<keyPairId>key-1</keyPairId><keyName>operator</keyName><keyType>ed25519</keyType>"
    + "<keyFingerprint>abc=</keyFingerprint><publicKey>ssh-ed25519 AAAA operator</publicKey>"

private let keyPairScenario = WireScenario(
    type: "aws.key_pair",
    answers: [
        "ImportKeyPair": [
            .body("<keyName>operator</keyName><keyPairId>key-1</keyPairId><keyFingerprint>abc=</keyFingerprint>"),
            .failure(code: "InvalidKeyPair.Duplicate", message: "The keypair 'operator' already exists."),
            .failure(code: "InvalidKey.Format", message: "Key is not in valid OpenSSH public key format"),
        ],
        "DescribeKeyPairs": [
            set("keySet", keyPair + tagSet), set("keySet", keyPair + tagSet), set("keySet"),
            set("keySet", keyPair + tagSet), set("keySet"),
        ],
        "CreateTags": [.done], "DeleteTags": [.done], "DeleteKeyPair": [.failure(code: "InvalidKeyPair.NotFound")],
    ],
    steps: [
        ("create", .create(["key_name": "operator", "public_key": "ssh-ed25519 AAAA me@home\n", "tags": tags])),
        ("the name is taken", .create(["key_name": "operator", "public_key": "ssh-ed25519 AAAA"])),
        ("a key that is none", .create(["key_name": "operator", "public_key": "hello"])),
        ("whose it is", .find(["key_name": "operator"])),
        ("read", .read([KnownObject(id: "operator"), KnownObject(id: "other")])),
        ("not found", .find(["key_name": "operator"])),
        ("tags", .update("operator", from: ["tags": ["Old": "1"]], to: ["tags": tags])),
        ("tags of what is gone", .update("operator", from: ["tags": ["Old": "1"]], to: ["tags": tags])),
        ("delete what is gone", .delete("operator")),
    ])
