import AWSClient
import MusterModel
import ProviderKit
import TextEncodings

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

    func current() async throws(ProviderError) -> ListedInstance {
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
    func modify(_ name: String, _ value: AWSInput) async throws(ProviderError) {
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
}

extension ArgumentBlock {
    /// Whether a member that is set here has another value there; members that are not set do not count.
    func differs(from other: Self?) -> Bool {
        let before = other?.members ?? [:]
        return members.contains { before[$0.key] != $0.value }
    }
}
