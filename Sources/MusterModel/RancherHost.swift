/// A host of a Rancher environment, as its server tells of it.
package struct RancherHost: Sendable, Hashable {
    package var environment: HostEnvironment
    package var id: String
    package var name: String?
    package var hostname: String?
    /// Rancher's word for it.
    package var state: String
    /// What the server knows of the agent; nil where it does not tell.
    package var agentState: String?
    /// Where other hosts reach it.
    package var address: String?
    package var labels: [String: String]
    /// In seconds since 1970.
    package var created: Int?

    package init(
        environment: HostEnvironment, id: String, name: String? = nil, hostname: String? = nil, state: String,
        agentState: String? = nil, address: String? = nil, labels: [String: String] = [:], created: Int? = nil
    ) {
        self.environment = environment
        self.id = id
        self.name = name
        self.hostname = hostname
        self.state = state
        self.agentState = agentState
        self.address = address
        self.labels = labels
        self.created = created
    }

    /// The label by which a machine that muster made tells which instance it is.
    package static let instanceLabel = "instance-id"
    /// Those by which it tells where the instance is.
    package static let accountLabel = "instance-account"
    package static let subnetLabel = "instance-subnet"
    package static let ownLabels: Set<String> = [instanceLabel, accountLabel, subnetLabel]
    private static let instanceLabels = [instanceLabel, "spotinst.instanceId"]

    /// The instance that a label names.
    package var instanceID: String? {
        RancherHost.instanceLabels.lazy.compactMap { labels[$0] }.first { label in
            label.hasPrefix("i-") && label.utf8.count > 2
                && label.utf8.dropFirst(2).allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
        }
    }

    /// Where that instance is, or was.
    package var place: HostPlace? {
        guard let account = labels[RancherHost.accountLabel], let subnet = labels[RancherHost.subnetLabel],
            !account.isEmpty, subnet.hasPrefix("subnet-")
        else { return nil }
        return HostPlace(account: account, subnet: subnet)
    }

    /// What people call it.
    package var shownName: String { [name, hostname].lazy.compactMap { $0 }.first { !$0.isEmpty } ?? id }

    /// Where the server tells the agent's state in the host's place, `state` has it.
    private var agent: String? { agentState ?? (RancherHost.agentWords.contains(state) ? state : nil) }
    private static let agentWords: Set<String> = [
        "reconnecting", "reconnected", "finishing-reconnect", "disconnecting", "disconnected",
    ]

    /// How the agent stands to the server.
    package enum Connection: Sendable, Hashable {
        /// It answers, or nothing says that it does not.
        case there
        /// It missed some answers a moment ago, and may be back in the next.
        case wavering
        /// The server has given up waiting for it.
        case lost
    }

    package var connection: Connection {
        switch agent {
        case "disconnected": .lost
        // Servers before 1.2 say no more than this, however long it lasts.
        case "reconnecting" where !environment.tellsLoss: .lost
        case "reconnecting", "disconnecting": .wavering
        default: .there
        }
    }

    /// Whether it is on its way out already.
    package var isLeaving: Bool { ["removing", "removed", "purging", "purged"].contains(state) }
}

/// A subnet, with the account whose instances in it are meant: others may share it.
package struct HostPlace: Sendable, Hashable {
    package var account: String
    package var subnet: String

    package init(account: String, subnet: String) {
        self.account = account
        self.subnet = subnet
    }
}

/// A Rancher environment whose hosts are looked at.
package struct HostEnvironment: Sendable, Hashable {
    /// The server's URL.
    package var server: String
    package var id: String
    package var name: String
    /// The resource that makes it; nil: nobody here manages it.
    package var address: Address?
    /// The stack it is looked at for; nil: none.
    package var stack: String?
    /// Whether its server says `disconnected` of an agent that is gone, as servers from 1.2 on do.
    package var tellsLoss: Bool

    package init(
        server: String, id: String, name: String, address: Address? = nil, stack: String? = nil, tellsLoss: Bool = true
    ) {
        self.server = server
        self.id = id
        self.name = name
        self.address = address
        self.stack = stack
        self.tellsLoss = tellsLoss
    }
}

/// An instance that may be a host.
package struct Machine: Sendable, Hashable {
    package var id: String
    /// AWS's word for it; nil: AWS does not know the instance any more.
    package var state: String?
    package var addresses: [String]
    package var hostName: String?
    /// In seconds since 1970.
    package var launched: Int?
    /// The fleet or node that it belongs to.
    package var owner: Address?
    package var region: String

    package init(
        id: String, state: String?, addresses: [String] = [], hostName: String? = nil, launched: Int? = nil,
        owner: Address? = nil, region: String = ""
    ) {
        self.id = id
        self.state = state
        self.addresses = addresses
        self.hostName = hostName
        self.launched = launched
        self.owner = owner
        self.region = region
    }

    /// Gone for good: what is stopped may start again, and what shuts down is still leaving.
    package var isGone: Bool { state == nil || state == "terminated" }
}

/// What became of a host.
package struct HostFinding: Sendable, Hashable {
    package enum Verdict: String, Sendable, Hashable, CaseIterable {
        /// It is an instance that is there, and its agent answers.
        case joined
        /// It is an instance that is there, and its agent does not answer.
        case silent
        /// Its instance is gone for good, and nothing answers.
        case phantom
        /// Somebody is taking it out already.
        case leaving
        /// Nothing says for certain what it is.
        case unknown
    }

    /// By what a host is known to be an instance.
    package enum Tie: String, Sendable, Hashable, CaseIterable {
        case label = "instance-label"
        case address = "agent-address"
        case name = "host-name"
    }

    package var host: RancherHost
    package var verdict: Verdict
    package var tie: Tie?
    /// The instance that it is, or was.
    package var instanceID: String?
    package var machine: Machine?
    /// Why, as a clause.
    package var why: String

    package init(
        _ host: RancherHost, _ verdict: Verdict, tie: Tie? = nil, instanceID: String? = nil, machine: Machine? = nil,
        why: String
    ) {
        self.host = host
        self.verdict = verdict
        self.tie = tie
        self.instanceID = instanceID
        self.machine = machine
        self.why = why
    }
}

/// Hosts held against instances.
package struct HostReport: Sendable, Hashable {
    /// By server, environment and host.
    package var findings: [HostFinding]
    /// Instances that should be hosts and are not.
    package var absent: [Machine]

    package init(findings: [HostFinding] = [], absent: [Machine] = []) {
        self.findings = findings
        self.absent = absent
    }

    package var phantoms: [HostFinding] { findings.filter { $0.verdict == .phantom } }
}
