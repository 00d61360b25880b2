import AWSClient
import MusterModel
import ProviderKit
import TextEncodings

// How AWS's answers about instances are read.

/// An instance as `DescribeInstances` and `RunInstances` tell of it.
struct ListedInstance {
    /// The tag of an instance that an update has stopped and will start again.
    static let restartTag = "muster:restart"

    let item: XMLElement
    /// The account; of the reservation around it.
    let owner: String?

    static func all(in reservations: [XMLElement]) -> [ListedInstance] {
        reservations.flatMap { reservation in
            reservation["instancesSet"].items.map {
                ListedInstance(item: $0, owner: reservation["ownerId"].nonEmpty)
            }
        }
    }

    var id: String { item["instanceId"].text }
    var state: String { item["instanceState"]["name"].text }
    /// AWS lists a terminated instance for about an hour.
    var isGone: Bool { state == "terminated" }
    var isMarkedForRestart: Bool { item.tags[ListedInstance.restartTag] != nil }

    var interface: XMLElement {
        let interfaces = item["networkInterfaceSet"].items
        return interfaces.first { $0["attachment"]["deviceIndex"].integer == 0 } ?? interfaces.first ?? .missing
    }

    var secondaryPrivateIPs: [String] {
        interface["privateIpAddressesSet"].items.filter { $0["primary"].boolean == false }
            .map { $0["privateIpAddress"].text }.sorted()
    }

    var ipv6Addresses: [String] { interface["ipv6AddressesSet"].items.map { $0["ipv6Address"].text }.sorted() }

    /// The name of a profile is the last part of its ARN.
    var profile: String {
        item["iamInstanceProfile"]["arn"].text.split(separator: "/").last.map(String.init) ?? ""
    }

    /// Devices with volumes, by name.
    var devices: [(name: String, volumeID: String, isDeletedOnTermination: Bool?)] {
        item["blockDeviceMapping"].items.map {
            ($0["deviceName"].text, $0["ebs"]["volumeId"].text, $0["ebs"]["deleteOnTermination"].boolean)
        }
    }

    var rootDeviceName: String { item["rootDeviceName"].text }

    var status: Observation.Status {
        switch state {
        case "pending", "stopping": .pending(state)
        case "shutting-down": failureToLaunch.map { .failed($0) } ?? .deleting(state)
        default: .ready
        }
    }

    /// Why AWS ends an instance that nobody asked to end.
    private var failureToLaunch: String? {
        let reason = item["stateReason"]
        let code = reason["code"].text
        let isFailure = [
            "Server.InternalError", "Server.InsufficientInstanceCapacity", "Client.InternalError",
            "Client.InvalidSnapshot.NotFound", "Client.VolumeLimitExceeded",
        ].contains(code)
        return isFailure ? reason["message"].nonEmpty ?? code : nil
    }
}

/// What other calls than the listing told of an instance.
struct InstanceDetails {
    var known: Known<Instance>?
    /// By id; nil when they were not asked for.
    var volumes: [String: XMLElement]?
    var credits: String?
    var attributes: [InstanceAttribute: String] = [:]
}

extension ListedInstance {
    func observed(in aws: AWSSession, with details: InstanceDetails = InstanceDetails()) -> Observed<Instance> {
        var arguments = Instance.Arguments()
        readPlace(&arguments)
        // In the words of the spec, where they mean the same.
        let written = details.known?.arguments.ipv6Addresses ?? []
        arguments.ipv6Addresses = ipv6Addresses.map { live in
            written.first { canonicalAddress($0) == canonicalAddress(live) } ?? live
        }
        readBehavior(&arguments)
        readAttributes(details, &arguments)
        readVolumes(details, &arguments)
        if let credits = details.credits { arguments.creditSpecification = CreditSpecification(cpuCredits: credits) }
        arguments.tags = item.tags
        if isMarkedForRestart {
            // In the middle of a change: see the top of Instance.swift.
            arguments.instanceType = nil
            arguments.userData = nil
            arguments.userDataBase64 = nil
            arguments.isEBSOptimized = nil
            arguments.privateDNSNameOptions = nil
            arguments.capacityReservation = nil
        }
        return Observed(id: RemoteID(id), arguments: arguments, outputs: outputs(in: aws), status: status)
    }

    private func outputs(in aws: AWSSession) -> Instance.Outputs {
        var outputs = Instance.Outputs()
        outputs.arn = owner.map { aws.ec2ARN("instance/\(id)", account: $0) }
        outputs.state = state
        outputs.availabilityZone = item["placement"]["availabilityZone"].nonEmpty
        outputs.subnetID = item["subnetId"].nonEmpty
        outputs.vpcID = item["vpcId"].nonEmpty
        outputs.networkInterfaceID = interface["networkInterfaceId"].nonEmpty
        outputs.privateIP = item["privateIpAddress"].nonEmpty
        outputs.privateDNS = item["privateDnsName"].nonEmpty
        outputs.publicIP = item["ipAddress"].text
        outputs.publicDNS = item["dnsName"].text
        outputs.lifecycle = item["instanceLifecycle"].text
        outputs.outpostARN = item["outpostArn"].text
        outputs.spotRequestID = item["spotInstanceRequestId"].text
        return outputs
    }

    private func readPlace(_ arguments: inout Instance.Arguments) {
        let placement = item["placement"]
        arguments.ami = item["imageId"].text
        arguments.instanceType = item["instanceType"].text
        arguments.keyName = item["keyName"].text
        arguments.subnetID = item["subnetId"].text
        arguments.availabilityZone = placement["availabilityZone"].text
        arguments.tenancy = placement["tenancy"].nonEmpty ?? "default"
        arguments.hostID = placement["hostId"].text
        arguments.hostResourceGroupARN = placement["hostResourceGroupArn"].text
        arguments.placementGroup = placement["groupName"].text
        arguments.placementPartition = placement["partitionNumber"].integer
        arguments.securityGroupIDs = item["groupSet"].items.map { $0["groupId"].text }.sorted()
        arguments.privateIP = item["privateIpAddress"].text
        arguments.secondaryPrivateIPs = secondaryPrivateIPs
        arguments.ipv6AddressCount = ipv6Addresses.count
        arguments.profile = profile
    }

    private func readBehavior(_ arguments: inout Instance.Arguments) {
        arguments.checksSourceAndDestination = item["sourceDestCheck"].boolean
        arguments.isMonitored = ["enabled", "pending"].contains(item["monitoring"]["state"].text)
        arguments.isEBSOptimized = item["ebsOptimized"].boolean
        arguments.canHibernate = item["hibernationOptions"]["configured"].boolean
        arguments.enclaveOptions = item["enclaveOptions"]["enabled"].boolean.map { EnclaveOptions(isEnabled: $0) }
        let cpu = item["cpuOptions"]
        if cpu.exists {
            arguments.cpuOptions = CPUOptions(
                coreCount: cpu["coreCount"].integer, threadsPerCore: cpu["threadsPerCore"].integer,
                amdSEVSNP: cpu["amdSevSnp"].nonEmpty ?? "disabled")
        }
        let metadata = item["metadataOptions"]
        if metadata.exists {
            arguments.metadataOptions = MetadataOptions(
                endpoint: metadata["httpEndpoint"].nonEmpty, tokens: metadata["httpTokens"].nonEmpty,
                hopLimit: metadata["httpPutResponseHopLimit"].integer, ipv6: metadata["httpProtocolIpv6"].nonEmpty,
                tags: metadata["instanceMetadataTags"].nonEmpty)
        }
        arguments.maintenanceOptions = item["maintenanceOptions"]["autoRecovery"].nonEmpty
            .map { MaintenanceOptions(autoRecovery: $0) }
        let names = item["privateDnsNameOptions"]
        if names.exists {
            arguments.privateDNSNameOptions = PrivateDNSNameOptions(
                hostnameType: names["hostnameType"].nonEmpty,
                hasARecord: names["enableResourceNameDnsARecord"].boolean ?? false,
                hasAAAARecord: names["enableResourceNameDnsAAAARecord"].boolean ?? false)
        }
        arguments.capacityReservation = capacityReservation
    }

    var capacityReservation: CapacityReservation? {
        let reservation = item["capacityReservationSpecification"]
        guard reservation.exists else { return nil }
        let target = reservation["capacityReservationTarget"]
        return CapacityReservation(
            preference: reservation["capacityReservationPreference"].nonEmpty,
            target: target.exists
                ? .init(
                    id: target["capacityReservationId"].nonEmpty,
                    groupARN: target["capacityReservationResourceGroupArn"].nonEmpty) : nil)
    }

    private func readAttributes(_ details: InstanceDetails, _ arguments: inout Instance.Arguments) {
        arguments.refusesTermination = details.attributes[.refusesTermination].map { $0 == "true" }
        arguments.refusesStop = details.attributes[.refusesStop].map { $0 == "true" }
        arguments.shutdownBehavior = details.attributes[.shutdownBehavior]
        guard let text = details.attributes[.userData] else { return }
        let bytes = Base64.decode(text) ?? []
        let declared = details.known?.declared ?? []
        if declared.contains("user_data") {
            arguments.userData = UserData.text(bytes)
        }
        if declared.contains("user_data_base64") {
            arguments.userDataBase64 = UserData.base64(bytes, as: details.known?.arguments.userDataBase64)
        }
    }

    private func readVolumes(_ details: InstanceDetails, _ arguments: inout Instance.Arguments) {
        guard let volumes = details.volumes else { return }
        let recorded = details.known?.arguments
        let ours = Set((recorded?.blockDevices ?? []).map(\.deviceName))
        var others: [BlockDevice] = []
        var tags: [[String: String]] = []
        for device in devices {
            guard let volume = volumes[device.volumeID] else { continue }
            if device.name == rootDeviceName {
                var root = RootBlockDevice()
                root.read(volume, device.isDeletedOnTermination, recorded: recorded?.rootBlockDevice)
                arguments.rootBlockDevice = root
            } else if ours.isEmpty || ours.contains(device.name) {
                // Those that somebody attached later are none of ours.
                var other = BlockDevice(deviceName: device.name, snapshotID: volume["snapshotId"].text)
                other.read(
                    volume, device.isDeletedOnTermination,
                    recorded: recorded?.blockDevices?.first { $0.deviceName == device.name })
                others.append(other)
            } else {
                continue
            }
            tags.append(volume.tags)
        }
        arguments.blockDevices = others.sorted { $0.deviceName < $1.deviceName }
        // What every volume has: a tag that one of them lacks is missing. Keys of others are not told at all, so that no
        // change removes them.
        let keys = recorded?.volumeTags ?? [:]
        arguments.volumeTags = (tags.first ?? [:]).filter { tag in
            keys[tag.key] != nil && tags.allSatisfy { $0[tag.key] == tag.value }
        }
    }
}

extension VolumeArguments {
    fileprivate mutating func read(_ volume: XMLElement, _ isDeletedOnTermination: Bool?, recorded: Self?) {
        size = volume["size"].integer
        type = volume["volumeType"].nonEmpty
        iops = volume["iops"].integer
        throughput = volume["throughput"].integer
        isEncrypted = volume["encrypted"].boolean
        kmsKeyID = keyAsWritten(volume["kmsKeyId"].text, recorded: recorded?.kmsKeyID)
        self.isDeletedOnTermination = isDeletedOnTermination
    }
}
