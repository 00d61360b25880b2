import AWSClient
import MusterModel
import ProviderKit

/// One update of an instance. Each change is idempotent, and the whole may be begun anew after any of them.
///
/// Calls: `ModifyInstanceAttribute` (one attribute a call), `MonitorInstances`, `UnmonitorInstances`,
/// `ModifyInstanceMetadataOptions`, `ModifyInstanceMaintenanceOptions`, `ModifyInstanceCreditSpecification`,
/// `ModifyPrivateDnsNameOptions`, `ModifyInstanceCapacityReservationAttributes`,
/// `DescribeIamInstanceProfileAssociations` with `Associate…`, `Replace…` and `DisassociateIamInstanceProfile`,
/// `AssignPrivateIpAddresses`, `UnassignPrivateIpAddresses`, `AssignIpv6Addresses`, `UnassignIpv6Addresses`,
/// `DescribeVolumes`, `DescribeVolumesModifications`, `ModifyVolume`, `StopInstances`, `StartInstances`, `CreateTags`,
/// `DeleteTags`.
struct InstanceChanges {
    let aws: AWSSession
    let id: RemoteID
    let old: Instance.Arguments
    let new: Instance.Arguments

    /// What the instance is afterwards, where its outputs may have changed; nil otherwise.
    func make() async throws(ProviderError) -> Observed<Instance>? {
        try checkSizes()
        let hasRestarted = try await changeStopped()
        try await changeProtection()
        try await changeNetwork()
        try await changeBehavior()
        try await changeProfile()
        try await changeVolumes()
        try await aws.updateTags(id, from: old.tags, to: new.tags)
        return hasRestarted ? try await current().observed(in: aws) : nil
    }

    private func current() async throws(ProviderError) -> ListedInstance {
        let reservations = try await aws.ec2Now(
            "DescribeInstances", at: "reservationSet", [("instance-id", [id.rawValue])])
        guard let instance = ListedInstance.all(in: reservations).first, !instance.isGone,
            instance.state != "shutting-down"
        else {
            throw ProviderError(.notFound, "There is no instance \(id).", operation: "ec2.DescribeInstances")
        }
        return instance
    }

    /// `ModifyInstanceAttribute` with one attribute.
    private func modify(_ name: String, _ value: AWSInput) async throws(ProviderError) {
        _ = try await aws.ec2Change("ModifyInstanceAttribute", ["InstanceId": .string(id.rawValue), name: value])
    }

    // MARK: - What wants the instance stopped

    /// A change that AWS makes to stopped instances only.
    private enum StoppedChange {
        case type(String)
        case isEBSOptimized(Bool)
        case userData([UInt8])
        case hostnameType(String)
        case capacityReservation(CapacityReservation)
    }

    /// True when the instance has been started again.
    private func changeStopped() async throws(ProviderError) -> Bool {
        let wanted = try stoppedChanges()
        if wanted.isEmpty { return false }
        let instance = try await current()
        var missing: [StoppedChange] = []
        for change in wanted where try await !isMade(change, instance) { missing.append(change) }

        if missing.isEmpty {
            guard instance.isMarkedForRestart else { return false }
            if instance.state == "stopped" || instance.state == "stopping" { try await start() }
            try await unmark()
            return true
        }
        switch instance.state {
        case "stopped":
            for change in missing { try await make(change) }
            guard instance.isMarkedForRestart else { return false }
            try await start()
            try await unmark()
            return true
        case "running":
            // A protection that this update lifts must not stand in its way.
            if new.refusesStop == false, old.refusesStop != false { try await changeProtection() }
            try await mark()
            do throws(ProviderError) {
                _ = try await aws.ec2Change("StopInstances", ["InstanceId": [.string(id.rawValue)]])
            } catch {
                if error.kind != .inUse || error.code == "OperationNotPermitted" { try await unmark() }
                throw error.ofProtection("Set disable_api_stop to false and apply that first, or replace the instance.")
            }
            throw ProviderError(.inUse, "The instance is stopping, so that it can be changed.")
        default:
            throw ProviderError(.inUse, "The instance is \(instance.state), and can be changed once it is stopped.")
        }
    }

    private func stoppedChanges() throws(ProviderError) -> [StoppedChange] {
        var changes: [StoppedChange] = []
        if let type = new.instanceType.filled, type != old.instanceType { changes.append(.type(type)) }
        if let flag = new.isEBSOptimized, flag != old.isEBSOptimized { changes.append(.isEBSOptimized(flag)) }
        if new.userData != old.userData || new.userDataBase64 != old.userDataBase64,
            let bytes = try new.userDataBytes()
        {
            changes.append(.userData(bytes))
        }
        if let type = new.privateDNSNameOptions?.hostnameType, type != old.privateDNSNameOptions?.hostnameType {
            changes.append(.hostnameType(type))
        }
        if let reservation = new.capacityReservation, reservation.differs(from: old.capacityReservation) {
            changes.append(.capacityReservation(reservation))
        }
        return changes
    }

    private func isMade(_ change: StoppedChange, _ instance: ListedInstance) async throws(ProviderError) -> Bool {
        switch change {
        case .type(let type): return instance.item["instanceType"].text == type
        case .isEBSOptimized(let flag): return instance.item["ebsOptimized"].boolean == flag
        case .userData(let bytes):
            let text = try await aws.instanceAttribute(.userData, of: id) ?? ""
            return Base64.decode(text) == bytes
        case .hostnameType(let type):
            return instance.item["privateDnsNameOptions"]["hostnameType"].text == type
        case .capacityReservation(let reservation): return !reservation.differs(from: instance.capacityReservation)
        }
    }

    private func make(_ change: StoppedChange) async throws(ProviderError) {
        switch change {
        case .type(let type): try await modify("InstanceType", ["Value": .string(type)])
        case .isEBSOptimized(let flag): try await modify("EbsOptimized", ["Value": .boolean(flag)])
        case .userData(let bytes): try await modify("UserData", ["Value": .blob(bytes)])
        case .hostnameType(let type):
            _ = try await aws.ec2Change(
                "ModifyPrivateDnsNameOptions",
                ["InstanceId": .string(id.rawValue), "PrivateDnsHostnameType": .string(type)])
        case .capacityReservation(let reservation):
            _ = try await aws.ec2Change(
                "ModifyInstanceCapacityReservationAttributes",
                ["InstanceId": .string(id.rawValue), "CapacityReservationSpecification": reservation.input])
        }
    }

    private func start() async throws(ProviderError) {
        _ = try await aws.ec2Change("StartInstances", ["InstanceId": [.string(id.rawValue)]])
    }

    private func mark() async throws(ProviderError) {
        try await aws.updateTags(
            id, from: nil, to: [ListedInstance.restartTag: "stopped for a change, to be started again"])
    }

    private func unmark() async throws(ProviderError) {
        try await aws.updateTags(id, from: [ListedInstance.restartTag: ""], to: nil)
    }

    // MARK: - What changes while it runs

    private func changeProtection() async throws(ProviderError) {
        if let flag = new.refusesStop, flag != old.refusesStop {
            try await modify("DisableApiStop", ["Value": .boolean(flag)])
        }
        if let flag = new.refusesTermination, flag != old.refusesTermination {
            try await modify("DisableApiTermination", ["Value": .boolean(flag)])
        }
        if let behavior = new.shutdownBehavior.filled, behavior != old.shutdownBehavior {
            try await modify("InstanceInitiatedShutdownBehavior", ["Value": .string(behavior)])
        }
    }

    private func changeNetwork() async throws(ProviderError) {
        let groups = setDifference(old.securityGroupIDs, new.securityGroupIDs)
        if !groups.added.isEmpty || !groups.removed.isEmpty, let all = new.securityGroupIDs, !all.isEmpty {
            try await modify("GroupId", .set(all))
        }
        if let flag = new.checksSourceAndDestination, flag != old.checksSourceAndDestination ?? true {
            try await modify("SourceDestCheck", ["Value": .boolean(flag)])
        }
        let secondary = setDifference(old.secondaryPrivateIPs, new.secondaryPrivateIPs)
        let ipv6 = setDifference(
            old.ipv6Addresses?.map(canonicalAddress), new.ipv6Addresses?.map(canonicalAddress))
        let isCountChanged = new.ipv6AddressCount.map { $0 != old.ipv6AddressCount } ?? false
        let lists = secondary.added + secondary.removed + ipv6.added + ipv6.removed
        if !lists.isEmpty || isCountChanged { try await changeAddresses(of: try await current()) }
    }

    /// Compares with what is there now, since adding an address twice is an error.
    private func changeAddresses(of instance: ListedInstance) async throws(ProviderError) {
        let interface = AWSInput.string(instance.interface["networkInterfaceId"].text)
        let private4 = setDifference(instance.secondaryPrivateIPs, new.secondaryPrivateIPs)
        if !private4.removed.isEmpty {
            try await aws.ec2Undo(
                "UnassignPrivateIpAddresses",
                ["NetworkInterfaceId": interface, "PrivateIpAddress": .strings(private4.removed)])
        }
        if !private4.added.isEmpty {
            _ = try await aws.ec2Change(
                "AssignPrivateIpAddresses",
                [
                    "NetworkInterfaceId": interface, "PrivateIpAddress": .strings(private4.added),
                    "AllowReassignment": false,
                ])
        }
        let live = instance.ipv6Addresses.map(canonicalAddress)
        var change = setDifference(live, new.ipv6Addresses?.map(canonicalAddress))
        var count = 0
        if let wanted = new.ipv6AddressCount {
            count = max(0, wanted - live.count)
            change.removed = Array(instance.ipv6Addresses.dropFirst(wanted))
        }
        if !change.removed.isEmpty {
            try await aws.ec2Undo(
                "UnassignIpv6Addresses",
                ["NetworkInterfaceId": interface, "Ipv6Addresses": .strings(change.removed)])
        }
        if count > 0 || !change.added.isEmpty {
            _ = try await aws.ec2Change(
                "AssignIpv6Addresses",
                [
                    "NetworkInterfaceId": interface,
                    "Ipv6Addresses": .set(change.added),
                    "Ipv6AddressCount": count > 0 ? .integer(count) : .absent,
                ])
        }
    }

    private func changeBehavior() async throws(ProviderError) {
        let instance = AWSInput.string(id.rawValue)
        if let flag = new.isMonitored, flag != old.isMonitored {
            _ = try await aws.ec2Change(flag ? "MonitorInstances" : "UnmonitorInstances", ["InstanceId": [instance]])
        }
        if let options = new.metadataOptions, options.differs(from: old.metadataOptions) {
            var input = options.input
            input["InstanceId"] = instance
            _ = try await aws.ec2Change("ModifyInstanceMetadataOptions", input)
        }
        if let options = new.maintenanceOptions, options.differs(from: old.maintenanceOptions) {
            _ = try await aws.ec2Change(
                "ModifyInstanceMaintenanceOptions",
                ["InstanceId": instance, "AutoRecovery": .nonEmpty(options.autoRecovery)])
        }
        if let credits = new.creditSpecification?.cpuCredits, credits != old.creditSpecification?.cpuCredits {
            try await changeCredits(credits)
        }
        guard let names = new.privateDNSNameOptions else { return }
        let isARecordChanged = names.hasARecord.map { $0 != old.privateDNSNameOptions?.hasARecord } ?? false
        let isAAAARecordChanged = names.hasAAAARecord.map { $0 != old.privateDNSNameOptions?.hasAAAARecord } ?? false
        if isARecordChanged || isAAAARecordChanged {
            _ = try await aws.ec2Change(
                "ModifyPrivateDnsNameOptions",
                [
                    "InstanceId": instance, "EnableResourceNameDnsARecord": .optional(names.hasARecord),
                    "EnableResourceNameDnsAAAARecord": .optional(names.hasAAAARecord),
                ])
        }
    }

    /// The answer is a success even where the instance was refused: its own list says so.
    private func changeCredits(_ credits: String) async throws(ProviderError) {
        let operation = "ModifyInstanceCreditSpecification"
        let answer = try await aws.call(
            .ec2, operation,
            ["InstanceCreditSpecification": [["InstanceId": .string(id.rawValue), "CpuCredits": .string(credits)]]],
            effect: .idempotent)
        guard let refused = answer.xml["unsuccessfulInstanceCreditSpecificationSet"].items.first else { return }
        throw ProviderError(
            code: refused["error"]["code"].text, message: refused["error"]["message"].text,
            operation: "ec2.\(operation)", requestID: answer.requestID)
    }

    // MARK: Profile

    private func changeProfile() async throws(ProviderError) {
        guard let wanted = new.profile, wanted != old.profile ?? "" else { return }
        let associations = try await aws.ec2Now(
            "DescribeIamInstanceProfileAssociations", at: "iamInstanceProfileAssociationSet",
            [("instance-id", [id.rawValue]), ("state", ["associating", "associated"])])
        let present = associations.first
        let name = present?["iamInstanceProfile"]["arn"].text.split(separator: "/").last.map(String.init) ?? ""
        if name == wanted { return }
        let profile: AWSInput = ["Name": .string(wanted)]
        guard let association = present?["associationId"].nonEmpty else {
            _ = try await aws.ec2Change(
                "AssociateIamInstanceProfile", ["InstanceId": .string(id.rawValue), "IamInstanceProfile": profile])
            return
        }
        let isStopped = try await current().state == "stopped"
        if wanted.isEmpty || isStopped {
            try await aws.ec2Undo("DisassociateIamInstanceProfile", ["AssociationId": .string(association)])
            if wanted.isEmpty { return }
            _ = try await aws.ec2Change(
                "AssociateIamInstanceProfile", ["InstanceId": .string(id.rawValue), "IamInstanceProfile": profile])
        } else {
            _ = try await aws.ec2Change(
                "ReplaceIamInstanceProfileAssociation",
                ["AssociationId": .string(association), "IamInstanceProfile": profile])
        }
    }

    // MARK: Volumes

    private func changeVolumes() async throws(ProviderError) {
        let isRootChanged = new.rootBlockDevice?.withDefaults.differs(from: old.rootBlockDevice) ?? false
        let changed = (new.blockDevices ?? []).filter { device in
            guard let before = old.blockDevices?.first(where: { $0.deviceName == device.deviceName }) else {
                return false
            }
            return device.withDefaults.differs(from: before)
        }
        let areTagsChanged = (old.volumeTags ?? [:]) != (new.volumeTags ?? [:])
        guard isRootChanged || !changed.isEmpty || areTagsChanged else { return }
        let instance = try await current()
        var changing: [String] = []
        if isRootChanged, let root = new.rootBlockDevice,
            try await isChanging(root, named: instance.rootDeviceName, of: instance)
        {
            changing.append(instance.rootDeviceName)
        }
        for device in changed where try await isChanging(device, named: device.deviceName, of: instance) {
            changing.append(device.deviceName)
        }
        if areTagsChanged {
            let ours = Set((new.blockDevices ?? old.blockDevices ?? []).map(\.deviceName) + [instance.rootDeviceName])
            for device in instance.devices where ours.contains(device.name) {
                try await aws.updateTags(RemoteID(device.volumeID), from: old.volumeTags, to: new.volumeTags)
            }
        }
        if !changing.isEmpty {
            // Until then the listing tells the old values.
            throw ProviderError(.inUse, "The volumes at \(changing.joined(separator: ", ")) are being modified.")
        }
    }

    /// Begins what is not begun; false when the volume is as it should be.
    private func isChanging(
        _ wanted: some VolumeArguments, named name: String, of instance: ListedInstance
    ) async throws(ProviderError) -> Bool {
        guard let device = instance.devices.first(where: { $0.name == name }) else {
            throw ProviderError(
                .invalid, "The instance has no volume at \(name) any more.",
                hint: "Attach the volume again, or replace the instance.")
        }
        let flag = wanted.isDeletedOnTermination ?? true
        if flag != device.isDeletedOnTermination {
            try await modify(
                "BlockDeviceMapping",
                [["DeviceName": .string(name), "Ebs": ["DeleteOnTermination": .boolean(flag)]]])
        }
        let volume = try await VolumeState.now(device.volumeID, aws)
        let input = try volume.change(to: wanted, named: name)
        if let input, !volume.isChanging { _ = try await aws.ec2Change("ModifyVolume", input) }
        return input != nil || volume.isChanging
    }

    /// Before anything is changed: a volume that would have to shrink.
    private func checkSizes() throws(ProviderError) {
        if let size = new.rootBlockDevice?.size, let before = old.rootBlockDevice?.size, size < before {
            throw .shrunken("root volume", from: before, to: size)
        }
        for device in new.blockDevices ?? [] {
            let before = old.blockDevices?.first { $0.deviceName == device.deviceName }?.size
            if let before, let size = device.size, size < before {
                throw .shrunken("volume at \(device.deviceName)", from: before, to: size)
            }
        }
    }
}

/// A volume with the change that AWS may be making to it.
private struct VolumeState {
    let id: String
    var size: Int?
    var type: String?
    var iops: Int?
    var throughput: Int?
    /// True until the new values are in force.
    var isChanging: Bool

    static func now(_ id: String, _ aws: AWSSession) async throws(ProviderError) -> VolumeState {
        let volumes = try await aws.ec2Now("DescribeVolumes", at: "volumeSet", [("volume-id", [id])])
        guard let volume = volumes.first else {
            throw ProviderError(.notFound, "There is no volume \(id).", operation: "ec2.DescribeVolumes")
        }
        let modifications = try await aws.ec2Now(
            "DescribeVolumesModifications", at: "volumeModificationSet", [("volume-id", [id])], pageSize: 500)
        let changing = modifications.first { $0["modificationState"].text == "modifying" }
        return VolumeState(
            id: id, size: changing?["targetSize"].integer ?? volume["size"].integer,
            type: changing?["targetVolumeType"].nonEmpty ?? volume["volumeType"].nonEmpty,
            iops: changing?["targetIops"].integer ?? volume["iops"].integer,
            throughput: changing?["targetThroughput"].integer ?? volume["throughput"].integer,
            isChanging: changing != nil)
    }

    /// `ModifyVolume` for what differs; nil when nothing does.
    func change(to wanted: some VolumeArguments, named name: String) throws(ProviderError) -> AWSInput? {
        if let bigger = wanted.size, let size, bigger < size {
            throw .shrunken("volume at \(name)", from: size, to: bigger)
        }
        var input: AWSInput = ["VolumeId": .string(id)]
        var differs = false
        func note(_ name: String, _ wanted: Int?, _ live: Int?) {
            guard let wanted, wanted != live else { return }
            input[name] = .integer(wanted)
            differs = true
        }
        note("Size", wanted.size, size)
        if let newType = wanted.type.filled, newType != type {
            input["VolumeType"] = .string(newType)
            differs = true
        }
        note("Iops", wanted.iops, iops)
        note("Throughput", wanted.throughput, throughput)
        // `nil` alone would be an empty input.
        return differs ? .some(input) : .none
    }
}

extension ProviderError {
    fileprivate static func shrunken(_ volume: String, from size: Int, to wanted: Int) -> ProviderError {
        ProviderError(
            .invalid, "The \(volume) has \(size) GiB and cannot shrink to \(wanted) GiB; volumes only grow.",
            hint: "Write \(size) or more, or replace the instance.")
    }
}

extension VolumeArguments {
    /// With what leaving a member out means.
    fileprivate var withDefaults: Self {
        var volume = self
        volume.isDeletedOnTermination = isDeletedOnTermination ?? true
        return volume
    }
}

extension ArgumentBlock {
    /// Whether a member that is set here has another value there; members that are not set do not count.
    fileprivate func differs(from other: Self?) -> Bool {
        let before = other?.members ?? [:]
        return members.contains { before[$0.key] != $0.value }
    }
}
