import AWSClient
import MusterModel
import ProviderKit
import Testing

let computeConformance: [ConformanceRow] = [instanceRow, guardedInstanceRow, publicInstanceRow, volumesRow, keyPairRow]

private let tags: Value = ["Name": "conformance", "Team": "a"]
private let otherTags: Value = ["Name": "other"]
/// An image of the sandbox whose root device is `/dev/sda1`.
private let image: Value = "ami-0f8bce65"

extension ConformanceLab {
    fileprivate func subnet() async throws -> String {
        let vpc = try await make("aws.vpc", ["cidr_block": "10.50.0.0/16"])
        return try await make(
            "aws.subnet",
            ["vpc_id": .string(vpc), "cidr_block": "10.50.1.0/24", "availability_zone": "us-east-1a"])
    }

    fileprivate func group(_ name: String) async throws -> String {
        try await make("aws.security_group", ["vpc_id": .string(try first("aws.vpc")), "name": .string(name)])
    }

    fileprivate func profile(_ name: String) async throws -> Value {
        let role = try await make(
            "aws.iam_role", ["name": .string(name), "assume_role_policy": .string(trustPolicy)])
        _ = try await make("aws.iam_instance_profile", ["name": .string(name), "role": .string(role)])
        return .string(name)
    }

    /// `ModifyInstanceAttribute` by another hand.
    fileprivate func modify(_ id: RemoteID, _ name: String, _ value: AWSInput) async throws {
        try await call("ModifyInstanceAttribute", ["InstanceId": .string(id.rawValue), name: value])
    }
}

let trustPolicy =
    #"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"#
    + #""Action":"sts:AssumeRole"}]}"#

private let instanceRow = ConformanceRow(
    type: "aws.instance",
    arguments: { lab in
        let subnet = try await lab.subnet()
        let first = try await lab.group("conformance-instance")
        await lab.note("second", try await lab.group("conformance-instance-2"))
        _ = try await lab.make("aws.key_pair", ["key_name": "conformance-instance", "public_key": .string(ed25519)])
        return [
            "ami": image, "instance_type": "m5.large", "subnet_id": .string(subnet), "private_ip": "10.50.1.10",
            "key_name": "conformance-instance", "vpc_security_group_ids": [.string(first)],
            "iam_instance_profile": try await lab.profile("conformance-instance"), "source_dest_check": false,
            "monitoring": true, "ebs_optimized": true, "instance_initiated_shutdown_behavior": "terminate",
            "user_data": "#cloud-config\npackages: [docker.io]\n# é\n", "user_data_replace_on_change": true,
            "metadata_options": ["http_tokens": "required", "http_put_response_hop_limit": 2],
            "maintenance_options": ["auto_recovery": "disabled"],
            "private_dns_name_options": ["hostname_type": "ip-name", "enable_resource_name_dns_a_record": false],
            "root_block_device": ["volume_size": 20, "volume_type": "gp3", "encrypted": true],
            "ephemeral_block_device": [["device_name": "/dev/sdb", "virtual_name": "ephemeral0"]],
            "volume_tags": ["Volume": "yes"], "tags": tags,
        ]
    },
    changes: { lab in
        let second = try await lab.noted("second")
        let first = try await lab.first("aws.security_group")
        return [
            ["vpc_security_group_ids": [.string(first), .string(second)]], ["source_dest_check": true],
            ["monitoring": false], ["instance_initiated_shutdown_behavior": "stop"],
            ["metadata_options": ["http_tokens": "optional", "instance_metadata_tags": "enabled"]],
            ["maintenance_options": ["auto_recovery": "default"]],
            ["private_dns_name_options": ["hostname_type": "ip-name", "enable_resource_name_dns_a_record": true]],
            [
                "private_dns_name_options": [
                    "hostname_type": "resource-name", "enable_resource_name_dns_a_record": true,
                ]
            ],
            ["secondary_private_ips": ["10.50.1.21", "10.50.1.22"]],
            ["iam_instance_profile": ""], ["iam_instance_profile": "conformance-instance"],
            ["iam_instance_profile": try await lab.profile("conformance-instance-2")],
            ["instance_type": "m5.xlarge"], ["user_data": "#!/bin/sh\n"],
            ["instance_type": "m5.large", "user_data": "#!/bin/sh\ntrue\n", "ebs_optimized": false],
            ["volume_tags": ["Volume": "no", "More": "1"]], ["tags": otherTags],
        ]
    },
    foreignEdit: { lab, id in
        try await lab.modify(id, "SourceDestCheck", ["Value": false])
        try await lab.modify(id, "GroupId", [.string(try await lab.first("aws.security_group"))])
        return [
            "source_dest_check": false,
            "vpc_security_group_ids": [.string(try await lab.first("aws.security_group"))],
        ]
    },
    check: { _, seen in
        for output in ["arn", "private_dns", "primary_network_interface_id", "availability_zone", "vpc_id"] {
            #expect(seen.outputs[output]?.string?.isEmpty == false, "\(output)")
        }
        #expect(seen.outputs["private_ip"] == "10.50.1.10")
        #expect(seen.outputs["instance_state"] == "running")
    })

private let guardedInstanceRow = ConformanceRow(
    type: "aws.instance", title: "guarded, burstable",
    arguments: { lab in
        [
            "ami": image, "instance_type": "t3.micro", "subnet_id": .string(try await lab.subnet()),
            "disable_api_termination": true, "disable_api_stop": true,
            "credit_specification": ["cpu_credits": "unlimited"], "user_data_base64": "AAEC\n/w==",
        ]
    },
    changes: { _ in
        [
            ["credit_specification": ["cpu_credits": "standard"]], ["disable_api_termination": false],
            // The stop that another type needs is allowed in the same change.
            ["disable_api_stop": false, "instance_type": "t3.small"], ["user_data_base64": "AAECAw=="],
        ]
    },
    foreignEdit: { lab, id in
        try await lab.modify(id, "DisableApiStop", ["Value": true])
        return ["disable_api_stop": true]
    })

private let publicInstanceRow = ConformanceRow(
    type: "aws.instance", title: "public address",
    arguments: { lab in
        let subnet = try await lab.subnet()
        _ = try await lab.make("aws.internet_gateway", ["vpc_id": .string(try await lab.first("aws.vpc"))])
        return [
            "ami": image, "instance_type": "t3.micro", "subnet_id": .string(subnet),
            "associate_public_ip_address": true, "private_ip": "10.50.1.11",
            "vpc_security_group_ids": [.string(try await lab.group("conformance-public"))],
        ]
    },
    changes: { _ in [["secondary_private_ips": ["10.50.1.12"]], ["secondary_private_ips": []]] },
    check: { _, seen in #expect(seen.outputs["public_ip"]?.string?.isEmpty == false) })

private let volumesRow = ConformanceRow(
    type: "aws.instance", title: "volumes",
    arguments: { lab in
        [
            "ami": image, "instance_type": "t3.micro", "subnet_id": .string(try await lab.subnet()),
            "root_block_device": ["volume_size": 20, "delete_on_termination": true],
            "ebs_block_device": [
                ["device_name": "/dev/sdf", "volume_size": 10, "volume_type": "gp3", "iops": 3000, "throughput": 125],
                ["device_name": "/dev/sdg", "volume_size": 5, "volume_type": "gp2", "encrypted": true],
            ],
            "volume_tags": ["Team": "a"],
        ]
    },
    changes: { _ in
        [
            ["root_block_device": ["volume_size": 30, "delete_on_termination": true]],
            [
                "ebs_block_device": [
                    [
                        "device_name": "/dev/sdf", "volume_size": 20, "volume_type": "gp3", "iops": 4000,
                        "throughput": 250, "delete_on_termination": true,
                    ],
                    ["device_name": "/dev/sdg", "volume_size": 5, "volume_type": "gp3", "encrypted": true],
                ]
            ],
            ["volume_tags": ["Team": "b"]],
        ]
    },
    foreignEdit: { lab, id in
        let seen = try await lab.call(
            "DescribeVolumes", ["Filter": [["Name": "attachment.instance-id", "Value": [.string(id.rawValue)]]]])
        let volumes = seen.xml["volumeSet"].items.map { $0["volumeId"].text }
        try await lab.call("DeleteTags", ["ResourceId": .strings(volumes.prefix(1)), "Tag": [["Key": "Team"]]])
        try await lab.modify(
            id, "BlockDeviceMapping", [["DeviceName": "/dev/sdg", "Ebs": ["DeleteOnTermination": false]]])
        return ["volume_tags": [:]]
    })

let ed25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKXlJ0DOMYqoXtGuYt+7gcOqNWHkPsH0UC9EjgNGoTDi somebody@home"

private let keyPairRow = ConformanceRow(
    type: "aws.key_pair",
    arguments: { _ in ["key_name": "conformance", "public_key": .string(ed25519), "tags": tags] },
    changes: { _ in [["tags": otherTags], ["tags": [:]]] },
    check: { _, seen in
        #expect(seen.outputs["key_type"] == "ed25519")
        #expect(seen.outputs["fingerprint"]?.string?.isEmpty == false)
    })
