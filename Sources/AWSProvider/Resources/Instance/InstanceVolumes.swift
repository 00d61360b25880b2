import AWSClient
import MusterModel
import ProviderKit

// Changes of an instance's volumes: AWS makes them while the instance runs, and takes its time.

extension InstanceChanges {
    func changeVolumes() async throws(ProviderError) {
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
    func checkSizes() throws(ProviderError) {
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
