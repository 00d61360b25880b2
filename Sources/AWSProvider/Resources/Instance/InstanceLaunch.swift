import AWSClient
import MusterModel
import ProviderKit

// The one call that makes an instance.

extension Instance {
    func launchInput(_ desired: Arguments, _ intent: Intent) async throws(ProviderError) -> AWSInput {
        var input: AWSInput = [
            "MinCount": 1, "MaxCount": 1,
            "ClientToken": .string(intent.token),
            "ImageId": .nonEmpty(desired.ami),
            "InstanceType": .nonEmpty(desired.instanceType),
            "LaunchTemplate": .optional(
                desired.launchTemplate.map {
                    [
                        "LaunchTemplateId": .nonEmpty($0.id), "LaunchTemplateName": .nonEmpty($0.name),
                        "Version": .nonEmpty($0.version),
                    ]
                }),
            "KeyName": .nonEmpty(desired.keyName),
            "IamInstanceProfile": ["Name": .nonEmpty(desired.profile)],
            "UserData": try desired.launchUserData(),
            "Monitoring": ["Enabled": desired.isMonitored == true ? true : .absent],
            "EbsOptimized": .optional(desired.isEBSOptimized),
            "DisableApiTermination": .optional(desired.refusesTermination),
            "DisableApiStop": .optional(desired.refusesStop),
            "InstanceInitiatedShutdownBehavior": .nonEmpty(desired.shutdownBehavior),
            "Placement": [
                "AvailabilityZone": .nonEmpty(desired.availabilityZone), "Tenancy": .nonEmpty(desired.tenancy),
                "HostId": .nonEmpty(desired.hostID), "HostResourceGroupArn": .nonEmpty(desired.hostResourceGroupARN),
                "GroupName": .nonEmpty(desired.placementGroup),
                "PartitionNumber": .optional(desired.placementPartition),
            ],
            "HibernationOptions": ["Configured": .optional(desired.canHibernate)],
            "CpuOptions": desired.cpuOptions?.input ?? .absent,
            "EnclaveOptions": ["Enabled": .optional(desired.enclaveOptions?.isEnabled)],
            "CreditSpecification": ["CpuCredits": .nonEmpty(desired.creditSpecification?.cpuCredits)],
            "MetadataOptions": desired.metadataOptions?.input ?? .absent,
            "MaintenanceOptions": ["AutoRecovery": .nonEmpty(desired.maintenanceOptions?.autoRecovery)],
            "PrivateDnsNameOptions": [
                "HostnameType": .nonEmpty(desired.privateDNSNameOptions?.hostnameType),
                "EnableResourceNameDnsARecord": .optional(desired.privateDNSNameOptions?.hasARecord),
                "EnableResourceNameDnsAAAARecord": .optional(desired.privateDNSNameOptions?.hasAAAARecord),
            ],
            "CapacityReservationSpecification": desired.capacityReservation?.input ?? .absent,
            "InstanceMarketOptions": desired.marketOptions?.input ?? .absent,
        ]
        addNetwork(desired, to: &input)
        input["BlockDeviceMapping"] = try await blockDeviceMapping(desired)
        input["TagSpecification"] = tagSpecifications(desired, intent)
        return input
    }

    /// A choice about the public address, and more addresses, can be told of an interface only; then everything about
    /// the network is told of it.
    private func addNetwork(_ desired: Arguments, to input: inout AWSInput) {
        let ipv6 = AWSInput.list((desired.ipv6Addresses ?? []).sorted().map { ["Ipv6Address": .string($0)] })
        if let interfaces = desired.networkInterfaces, !interfaces.isEmpty {
            input["NetworkInterface"] = .list(
                interfaces.sorted { $0.deviceIndex < $1.deviceIndex }.map {
                    [
                        "DeviceIndex": .integer($0.deviceIndex), "NetworkInterfaceId": .string($0.networkInterfaceID),
                        "NetworkCardIndex": .optional($0.networkCardIndex),
                        "DeleteOnTermination": .optional($0.isDeletedOnTermination),
                    ]
                })
            return
        }
        let secondary = (desired.secondaryPrivateIPs ?? []).sorted()
        guard desired.hasPublicIP != nil || desired.hasPrimaryIPv6 == true || !secondary.isEmpty else {
            input["SubnetId"] = .nonEmpty(desired.subnetID)
            input["SecurityGroupId"] = .set(desired.securityGroupIDs)
            input["PrivateIpAddress"] = .nonEmpty(desired.privateIP)
            input["Ipv6AddressCount"] = .optional(desired.ipv6AddressCount.positive)
            input["Ipv6Address"] = ipv6
            return
        }
        var addresses: [AWSInput] = secondary.map { ["PrivateIpAddress": .string($0), "Primary": false] }
        // With a list of addresses the first one must be in it.
        if let first = desired.privateIP.filled, !addresses.isEmpty {
            addresses.insert(["PrivateIpAddress": .string(first), "Primary": true], at: 0)
        }
        input["NetworkInterface"] = [
            [
                "DeviceIndex": 0,
                "SubnetId": .nonEmpty(desired.subnetID),
                "SecurityGroupId": .set(desired.securityGroupIDs),
                "AssociatePublicIpAddress": .optional(desired.hasPublicIP),
                "PrivateIpAddress": addresses.isEmpty ? .nonEmpty(desired.privateIP) : .absent,
                "PrivateIpAddresses": .list(addresses),
                "Ipv6AddressCount": .optional(desired.ipv6AddressCount.positive),
                "Ipv6Addresses": ipv6,
                "PrimaryIpv6": desired.hasPrimaryIPv6 == true ? true : .absent,
                "DeleteOnTermination": true,
            ]
        ]
    }

    private func blockDeviceMapping(_ desired: Arguments) async throws(ProviderError) -> AWSInput {
        var mapping: [AWSInput] = []
        if let root = desired.rootBlockDevice {
            mapping.append(["DeviceName": .string(try await rootDeviceName(desired.ami)), "Ebs": root.input])
        }
        for device in (desired.blockDevices ?? []).sorted(by: { $0.deviceName < $1.deviceName }) {
            var volume = device.input
            volume["SnapshotId"] = .nonEmpty(device.snapshotID)
            mapping.append(["DeviceName": .string(device.deviceName), "Ebs": volume])
        }
        for device in (desired.ephemeralDevices ?? []).sorted(by: { $0.deviceName < $1.deviceName }) {
            mapping.append(
                device.isLeftOut == true
                    // An empty string says that there is no such device.
                    ? ["DeviceName": .string(device.deviceName), "NoDevice": .string("")]
                    : ["DeviceName": .string(device.deviceName), "VirtualName": .nonEmpty(device.virtualName)])
        }
        return .list(mapping)
    }

    private func rootDeviceName(_ image: String?) async throws(ProviderError) -> String {
        guard let image = image.filled else {
            throw ProviderError(
                .invalid, "The root volume can be described only where the image is named.",
                hint: "Set \"ami\" beside \"root_block_device\".")
        }
        // It is the same for as long as there is the image.
        let key = "root device of \(image) in \(aws.client.configuration.region)"
        do throws(ProviderError) {
            return try await aws.constants.answer(to: key) { () async throws(ProviderError) -> String in
                try await rootDeviceNameNow(image)
            }
        } catch {
            await aws.constants.forget(key)
            throw error
        }
    }

    private func rootDeviceNameNow(_ image: String) async throws(ProviderError) -> String {
        let images = try await aws.ec2List("DescribeImages", at: "imagesSet", filter: "image-id", ids: [image])
        guard let found = images.first else {
            throw ProviderError(
                .invalid, "There is no image \(image).", operation: "ec2.DescribeImages",
                hint: "Look for the image's id in this region and account.")
        }
        guard let device = found["rootDeviceName"].nonEmpty else {
            throw ProviderError(
                .invalid, "The image \(image) has no root volume.", operation: "ec2.DescribeImages")
        }
        return device
    }

    private func tagSpecifications(_ desired: Arguments, _ intent: Intent) -> AWSInput {
        guard case .list(var kinds, let form) = aws.tagSpecification("instance", desired.tags, intent),
            let tags = desired.volumeTags, !tags.isEmpty,
            case .list(let volumes, _) = aws.tagSpecification("volume", tags, intent)
        else { return aws.tagSpecification("instance", desired.tags, intent) }
        kinds += volumes
        return .list(kinds, as: form)
    }
}

extension Instance.Arguments {
    /// Base64 as it goes over the wire.
    fileprivate func launchUserData() throws(ProviderError) -> AWSInput {
        if let bytes = try userDataBytes(), !bytes.isEmpty { return .blob(bytes) }
        return .absent
    }

    /// The user data; nil where none are declared.
    func userDataBytes() throws(ProviderError) -> [UInt8]? {
        if let userData { return Array(userData.utf8) }
        guard let userDataBase64 else { return nil }
        return try UserData.bytes(userDataBase64)
    }
}

extension VolumeArguments {
    var input: AWSInput {
        [
            "VolumeSize": .optional(size), "VolumeType": .nonEmpty(type), "Iops": .optional(iops),
            "Throughput": .optional(throughput), "Encrypted": .optional(isEncrypted), "KmsKeyId": .nonEmpty(kmsKeyID),
            "DeleteOnTermination": .boolean(isDeletedOnTermination ?? true),
        ]
    }
}
