package import MusterModel
import TextEncodings

/// A machine that joins an environment of Rancher when it starts, and leaves it when it goes for good.
///
/// Two scripts and something that calls them: a unit of systemd, or an init script for images that are older. Both are
/// called again at every start and stop. So joining does nothing where the agent is already there, and leaving knows a
/// restart from a farewell. A machine that left and starts again joins as a new host.
package struct RancherAgent: Sendable {
    /// Which address other hosts reach this one by.
    package enum Address: Sendable, Hashable {
        case privateIP, publicIP
        /// What the server sees.
        case detected
        case given(Value)
    }

    /// What calls the scripts.
    package enum Init: String, Sendable, Hashable, CaseIterable { case systemd, sysv }

    package var image: Value
    package var version: AgentVersion
    /// It holds a token: whoever knows it can add hosts.
    package var registrationURL: HostSecret
    /// In the order of the spec.
    package var labels: [(key: String, value: Value)] = []
    package var address = Address.privateIP
    package var fingerprint: Value?
    package var initSystem = Init.systemd
    /// What runs before the machine joins, as a shell reads it.
    package var before: Value?
    package var leave: Leave?
    package var region: String?
    /// Whether it is an instance of an elastigroup, which Spot takes out of Rancher before it ends it.
    package var isInElastigroup = false

    /// How a machine takes itself out of Rancher.
    package struct Leave: Sendable {
        package var accessKey: HostSecret
        package var secretKey: HostSecret
        /// Where the API is; nil: where the registration URL leads.
        package var url: Value?
        package var certificateAuthority: String?
        package var limits = Limits()
        package var reports: [Report] = []

        package init(accessKey: HostSecret, secretKey: HostSecret) {
            self.accessKey = accessKey
            self.secretKey = secretKey
        }
    }

    /// In seconds.
    package struct Limits: Sendable, Hashable {
        package var deactivate = 60
        package var evacuate = 120
        package var remove = 120
        package var purge = 60

        package init() {}
        var total: Int { deactivate + evacuate + remove + purge }
    }

    /// Who is told when leaving fails.
    package struct Report: Sendable, Hashable {
        package enum Kind: String, Sendable, Hashable, CaseIterable { case pagerduty, slack, webhook }
        package var kind: Kind
        package var secret: HostSecret

        package init(_ kind: Kind, _ secret: HostSecret) {
            self.kind = kind
            self.secret = secret
        }
    }

    /// The label by which the leave script, and a person, tell which instance a host is.
    package static let instanceLabel = RancherHost.instanceLabel
    /// The label by which Spot tells that.
    package static let elastigroupLabel = "spotinst.instanceId"

    package init(image: Value, version: AgentVersion, registrationURL: HostSecret) {
        self.image = image
        self.version = version
        self.registrationURL = registrationURL
    }

    // MARK: Rendering

    static let joinPath = "/usr/local/sbin/muster-rancher-join"
    static let leavePath = "/usr/local/sbin/muster-rancher-leave"
    static let folder = "/etc/muster"

    /// A script for the first boot: it writes the others and starts them.
    package func userData() -> Text {
        var text: Text = """
            #!/bin/sh
            # Written by muster. Joins Rancher now and at every start\(leave == nil ? "" : ", leaves it at shutdown").
            set -eu
            umask 077
            mkdir -p \(Self.folder) /var/lib/muster /usr/local/sbin

            """
        text += Shell.file(Self.joinPath, mode: "0700", join())
        if leave != nil { text += Shell.file(Self.leavePath, mode: "0700", farewell()) }
        if let before { text += "\n(\n\(raw: before)\n)\n" }
        text += service()
        return text
    }

    /// The script that joins.
    package func join() -> Text {
        var text: Text = """
            #!/bin/sh
            # Joins Rancher. Does nothing where the agent is already there.
            set -eu
            umask 077
            \(Snippets.die)\(Snippets.metadata)\(Self.waitForDocker)\(secretFunctions())\(url)
            image=\(shell: image)
            host=$(meta instance-id) || die "the metadata service does not say which instance this is"
            echo "$host" >\(Self.folder)/host

            """
        text += credentials()
        text += """

            # A host that left cannot come back as the one that it was.
            if [ -e /var/lib/muster/left ]; then
                docker rm -f rancher-agent >/dev/null 2>&1 || true
                rm -rf /var/lib/rancher/state
                rm -f /var/lib/muster/left
            fi
            if docker inspect rancher-agent >/dev/null 2>&1; then exit 0; fi

            """
        text += agentAddress()
        text += Self.place.asText
        text += "labels=\(labelWords())\n"
        text += "\(run(url: "\"$url\"", image: "\"$image\"", labels: "\"$labels\""))\n"
        return text
    }

    /// Sets `url`.
    private var url: Text {
        if case .inline(let value) = registrationURL { return "url=\(shell: value)" }
        let read = registrationURL.read(into: "url", or: "the registration URL cannot be read")
        return read + "case $url in */scripts/*) ;; *) die \"what is kept as the registration URL is none\" ;; esac"
    }

    static let waitForDocker = """
        tries=0
        until docker info >/dev/null 2>&1; do
            tries=$((tries + 1))
            [ "$tries" -lt 150 ] || die "docker does not answer"
            sleep 2
        done

        """

    func agentAddress() -> Text {
        switch address {
        case .privateIP: "address=$(meta local-ipv4) || die \"the metadata service tells no private address\"\n"
        case .publicIP: "address=$(meta public-ipv4) || die \"this instance has no public address\"\n"
        case .detected: Text()
        case .given(let value): "address=\(shell: value)\n"
        }
    }

    /// `CATTLE_HOST_LABELS` is a query string.
    ///
    /// - Parameter hasPlace: whether `place` stands before it.
    func labelWords(hasPlace: Bool = true) -> Text {
        var text = Text()
        for (key, value) in labels { text += "'\(PercentEncoding.encode(key))=\(Text(query: value))&'" }
        let more = isInElastigroup ? "&\(Self.elastigroupLabel)=$host" : ""
        return text + "\"\(Self.instanceLabel)=$host\(more)\(hasPlace ? "$place" : "")\""
    }

    /// Where the instance is: without it nobody can tell later that AWS does not list it because it is gone.
    static let place = """
        place=
        if mac=$(meta mac 2>/dev/null); then \\
            place="&\(RancherHost.accountLabel)=$(meta "network/interfaces/macs/$mac/owner-id" 2>/dev/null)&\(RancherHost.subnetLabel)=$(meta "network/interfaces/macs/$mac/subnet-id" 2>/dev/null)" || place=; fi

        """

    /// The command of the server's own "add host" page for this version of the agent.
    func run(url: Text, image: Text, labels: Text) -> Text {
        var words: [Text] = ["docker run", version.stays ? "--rm" : "-d", "--privileged"]
        if let fingerprint { words.append("-e CA_FINGERPRINT=\(shell: fingerprint)") }
        if case .detected = address {} else { words.append("-e CATTLE_AGENT_IP=\"$address\"") }
        words.append("-e CATTLE_HOST_LABELS=\(labels)")
        words.append("-v /var/run/docker.sock:/var/run/docker.sock")
        if version.keepsState { words.append("-v /var/lib/rancher:/var/lib/rancher") }
        var text = words[0] + " " + words[1] + " " + words[2]
        for word in words.dropFirst(3) { text += " \\\n    \(word)" }
        return text + " \\\n    \(image) \(url)"
    }
}

/// The version of an agent's image, as far as the way to start it depends on it.
package struct AgentVersion: Sendable, Hashable, Comparable {
    package var major: Int
    package var minor: Int
    package var patch: Int

    package init(_ major: Int, _ minor: Int, _ patch: Int) {
        self.major = major
        self.minor = minor
        self.patch = patch
    }

    /// `v1.2.11` or `1.2.11`.
    package init?(_ text: some StringProtocol) {
        let parts = text.drop { $0 == "v" }.split(separator: ".", omittingEmptySubsequences: false)
        let numbers = parts.compactMap { part in part.utf8.allSatisfy { (48...57).contains($0) } ? Int(part) : nil }
        guard parts.count == 3, numbers.count == 3 else { return nil }
        self.init(numbers[0], numbers[1], numbers[2])
    }

    /// The version that the tag of an image says.
    package init?(image: String) {
        guard let name = image.split(separator: "/").last, let colon = name.lastIndex(of: ":") else { return nil }
        self.init(name[name.index(after: colon)...])
    }

    package static func < (left: Self, right: Self) -> Bool {
        (left.major, left.minor, left.patch) < (right.major, right.minor, right.patch)
    }

    /// The container that starts the agent ends by itself.
    var stays: Bool { self >= AgentVersion(1, 2, 2) }
    /// The identity of the host is kept on the host.
    var keepsState: Bool { self >= AgentVersion(0, 9, 2) }
}
