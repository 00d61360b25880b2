import AWSClient
package import MusterModel
package import ProviderKit

// Instances beside the resources that make them: those of a group, those that somebody else names.

extension AWSProvider {
    /// The instances of groups, those with these ids, and those that have one of these addresses; each once.
    ///
    /// What AWS does not list is not among them.
    ///
    /// - Parameter groups: names of groups, with what their instances belong to.
    package func machines(
        of groups: [String: Address], ids: [String: Address?], addresses: Set<String>,
        _ configuration: ProviderConfiguration
    ) async throws(ProviderError) -> [Machine] {
        let session = AWSSession(client: try await client(for: configuration), expecting: [:])
        var owners = ids
        if !groups.isEmpty {
            let listed = try await session.autoscalingGroups(groups.keys.map { RemoteID($0) })
            for (name, group) in listed {
                guard let owner = groups[name] else { continue }
                for item in group["Instances"].items { owners[item["InstanceId"].text] = owner }
            }
        }
        var listed = ListedInstance.all(
            in: try await session.ec2List(
                "DescribeInstances", at: "reservationSet", filter: "instance-id", ids: Set(owners.keys)))
        for filter in ["private-ip-address", "ip-address"] {
            listed += ListedInstance.all(
                in: try await session.ec2List(
                    "DescribeInstances", at: "reservationSet", filter: filter, ids: addresses))
        }
        // What is listed whole has others too.
        var machines: [String: Machine] = [:]
        for instance in listed {
            let machine = instance.machine(owners[instance.id] ?? nil, in: session.client.configuration.region)
            if owners[instance.id] != nil || !addresses.isDisjoint(with: machine.addresses) {
                machines[machine.id] = machine
            }
        }
        return machines.values.sorted { $0.id < $1.id }
    }

    /// Which of these subnets there are.
    package func subnets(
        _ ids: Set<String>, _ configuration: ProviderConfiguration
    ) async throws(ProviderError) -> Set<String> {
        let session = AWSSession(client: try await client(for: configuration), expecting: [:])
        let listed = try await session.ec2List("DescribeSubnets", at: "subnetSet", filter: "subnet-id", ids: ids)
        return Set(listed.map { $0["subnetId"].text }).intersection(ids)
    }
}

extension ListedInstance {
    fileprivate func machine(_ owner: Address?, in region: String) -> Machine {
        var addresses = [item["privateIpAddress"].nonEmpty, item["ipAddress"].nonEmpty].compactMap { $0 }
        addresses += secondaryPrivateIPs
        return Machine(
            id: id, state: state, addresses: addresses, hostName: item["privateDnsName"].nonEmpty,
            launched: item["launchTime"].nonEmpty.flatMap { Timestamp(iso8601: $0) }
                .map { Int($0.millisecondsSinceEpoch / 1000) }, owner: owner,
            region: region)
    }
}
