// Which host of Rancher is which instance, and which of them is a phantom: the host of a machine that is gone.
//
// A host that is taken for a phantom is removed, and with it whatever runs there. So it must be lost to its server, and AWS
// must say that its instance is gone. That AWS does not list an instance says that only where the instance was surely one
// of the place that was asked: another region, or another account, knows nothing of it either. An address proves no place,
// since default networks are the same everywhere.

package import MusterModel

package struct HostMatching: Sendable {
    /// All instances that may be one of the hosts, wherever they are: those of fleets and nodes, and whatever AWS says of
    /// the instances and addresses that the hosts name. One that AWS does not know must have been in a place that was
    /// asked.
    package var machines: [Machine]
    /// Whose account and region were asked about instances: then what is not listed is gone.
    package var places: Set<HostPlace>
    /// Whether there was anybody to ask about instances.
    package var isAsked: Bool
    /// Fleets and nodes whose machines are to join.
    package var joining: Set<Address>

    package init(
        machines: [Machine] = [], places: Set<HostPlace> = [], isAsked: Bool = true, joining: Set<Address> = []
    ) {
        self.machines = machines
        self.places = places
        self.isAsked = isAsked
        self.joining = joining
    }

    package func report(on hosts: [RancherHost]) -> HostReport {
        let index = Index(self, hosts)
        let sorted = hosts.sorted(by: HostMatching.isBefore)
        let findings = sorted.map { host in finding(host, index) }
        let present = Set(findings.compactMap { $0.machine?.id })
        let joined = Set(findings.compactMap { $0.verdict == .joined ? $0.machine?.owner : nil })
        let absent = index.machines.filter { machine in
            guard let owner = machine.owner, ["pending", "running"].contains(machine.state) else { return false }
            return !present.contains(machine.id) && (joining.contains(owner) || joined.contains(owner))
        }
        return HostReport(
            findings: findings,
            absent: absent.sorted { ($0.owner?.description ?? "", $0.id) < ($1.owner?.description ?? "", $1.id) })
    }

    /// By place, and in it `1h9` before `1h10`.
    private static func isBefore(_ one: RancherHost, _ other: RancherHost) -> Bool {
        let places = [one, other].map { ($0.environment.server, $0.environment.name, $0.environment.id) }
        if places[0] != places[1] { return places[0] < places[1] }
        return (one.id.utf8.count, one.id) < (other.id.utf8.count, other.id)
    }

    // MARK: One host

    private func finding(_ host: RancherHost, _ index: Index) -> HostFinding {
        var finding = tied(host, index)
        if host.isLeaving {
            finding.verdict = .leaving
            finding.why = "Rancher is taking it out"
        }
        return finding
    }

    private func tied(_ host: RancherHost, _ index: Index) -> HostFinding {
        if let id = host.instanceID { return labelled(host, id, index) }
        if let machine = index.living(at: host.address) { return present(host, machine, .address) }
        if let machine = index.living(named: host.hostname) { return present(host, machine, .name) }
        if let machine = index.gone(at: host.address) {
            // Others elsewhere may have the same address: it proves nothing.
            return HostFinding(
                host, .unknown, tie: .address, instanceID: machine.id, machine: machine,
                why: "\(machine.id), which is gone, had its address, and nothing else says that it was this host")
        }
        return HostFinding(
            host, .unknown,
            why: host.connection == .there
                ? "no instance of this workspace has its address or its name"
                : "nothing says which instance it was")
    }

    private func labelled(_ host: RancherHost, _ id: String, _ index: Index) -> HostFinding {
        if let machine = index.machine(id), !machine.isGone { return present(host, machine, .label) }
        // A machine that keeps Rancher's state through a rebuild stays the same host with its first labels.
        let heirs = index.heirs(of: host)
        if let heir = heirs.first {
            if host.connection == .there, heirs.count == 1 { return present(host, heir, .address) }
            return HostFinding(
                host, .unknown, instanceID: id,
                why: "its label says \(id), which is gone, and \(heir.id) has its address")
        }
        return gone(host, id, index.machine(id), .label)
    }

    private func present(_ host: RancherHost, _ machine: Machine, _ tie: HostFinding.Tie) -> HostFinding {
        let isThere = host.connection == .there
        let state = machine.state ?? ""
        var why = isThere ? "its agent answers" : "its agent does not answer"
        if state != "running" { why += ", and the instance is \"\(state)\"" }
        return HostFinding(
            host, isThere ? .joined : .silent, tie: tie, instanceID: machine.id, machine: machine, why: why)
    }

    /// The instance is not there: for certain, or only as far as was seen.
    ///
    /// - Parameter machine: what is known of it from where it was.
    private func gone(_ host: RancherHost, _ id: String, _ machine: Machine?, _ tie: HostFinding.Tie) -> HostFinding {
        var finding = HostFinding(host, .unknown, tie: tie, instanceID: id, machine: machine, why: "")
        if !isAsked {
            finding.why = "there is no account to ask about \(id)"
        } else if machine == nil, !(host.place.map(places.contains) ?? false) {
            finding.why = "AWS does not list \(id), and nothing says that it was in a place that was asked"
        } else {
            let fate = "\(id) \(machine?.state == nil ? "is gone from AWS" : "is terminated")"
            switch host.connection {
            case .there: finding.why = "\(fate), and yet its agent answers"
            case .wavering: finding.why = "\(fate), and its agent went away only a moment ago"
            case .lost:
                finding.verdict = .phantom
                finding.why = "\(fate), and its agent is away"
            }
        }
        return finding
    }
}

extension HostMatching {
    /// The machines by what a host may say of them.
    private struct Index {
        private var byID: [String: Machine] = [:]
        private var livingByAddress: [String: [Machine]] = [:]
        private var goneByAddress: [String: [Machine]] = [:]
        private var livingByName: [String: [Machine]] = [:]
        /// Instances that have a host which names them.
        private var named: Set<String> = []

        init(_ matching: HostMatching, _ hosts: [RancherHost]) {
            for machine in matching.machines {
                // Two places may be asked about one instance; the one that has it is right.
                if let known = byID[machine.id], machine.isGone || !known.isGone { continue }
                byID[machine.id] = machine
            }
            for machine in byID.values {
                for address in Set(machine.addresses) {
                    if machine.isGone {
                        goneByAddress[address, default: []].append(machine)
                    } else {
                        livingByAddress[address, default: []].append(machine)
                    }
                }
                guard !machine.isGone, let name = machine.hostName, !name.isEmpty else { continue }
                for form in Set([name, String(name.prefix { $0 != "." })]) {
                    livingByName[form.lowercased(), default: []].append(machine)
                }
            }
            named = Set(hosts.compactMap(\.instanceID))
        }

        var machines: [Machine] { Array(byID.values) }
        func machine(_ id: String) -> Machine? { byID[id] }

        func living(at address: String?) -> Machine? { only(address.flatMap { livingByAddress[$0] }) }
        func living(named name: String?) -> Machine? { only(name.flatMap { livingByName[$0.lowercased()] }) }
        /// AWS forgets the address of what is terminated; the state may know it.
        func gone(at address: String?) -> Machine? {
            guard let address, livingByAddress[address] == nil else { return nil }
            return only(goneByAddress[address])
        }

        /// The instances that have a host's address now and no host of their own.
        func heirs(of host: RancherHost) -> [Machine] {
            let machines = host.address.flatMap { livingByAddress[$0] } ?? []
            return machines.filter { !named.contains($0.id) }.sorted { $0.id < $1.id }
        }

        private func only(_ machines: [Machine]?) -> Machine? { machines?.count == 1 ? machines?.first : nil }
    }
}
