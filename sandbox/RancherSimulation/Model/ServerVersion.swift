/// The version of a Rancher server, such as `v1.6.30`, and what it can do.
package struct ServerVersion: Sendable, Hashable, Comparable {
    package var major: Int
    package var minor: Int
    package var patch: Int

    package init(_ major: Int, _ minor: Int, _ patch: Int = 0) {
        self.major = major
        self.minor = minor
        self.patch = patch
    }

    /// `v1.6.30`, `1.1.4` or `1.2`; 1.0 to 1.6 are known.
    package init?(_ text: String) {
        let parts = text.drop { $0 == "v" }.split(separator: ".", omittingEmptySubsequences: false).map { Int($0) }
        guard (2...3).contains(parts.count), parts[0] == 1, let minor = parts[1], (0...6).contains(minor),
            let patch = parts.count == 3 ? parts[2] : 0, patch >= 0
        else { return nil }
        self.init(1, minor, patch)
    }

    package var text: String { "v\(major).\(minor).\(patch)" }

    package static func < (left: ServerVersion, right: ServerVersion) -> Bool {
        (left.major, left.minor, left.patch) < (right.major, right.minor, right.patch)
    }

    /// The paths it answers at.
    var apis: [APIVersion] { self >= ServerVersion(1, 2) ? [.v1, .v2] : [.v1] }

    var latestAPI: APIVersion { apis.contains(.v2) ? .v2 : .v1 }

    /// The agent that it runs on hosts.
    var agentImage: String {
        let agents: [(ServerVersion, String)] = [
            (ServerVersion(1, 6, 20), "v1.2.11"), (ServerVersion(1, 6, 17), "v1.2.10"),
            (ServerVersion(1, 6, 14), "v1.2.9"), (ServerVersion(1, 6, 10), "v1.2.6"),
            (ServerVersion(1, 5, 10), "v1.2.2"), (ServerVersion(1, 5), "v1.2.1"), (ServerVersion(1, 4), "v1.2.0"),
            (ServerVersion(1, 3), "v1.1.3"), (ServerVersion(1, 2, 2), "v1.1.2"), (ServerVersion(1, 2, 1), "v1.1.1"),
            (ServerVersion(1, 2), "v1.1.0"), (ServerVersion(1, 1), "v1.0.2"), (ServerVersion(1, 0, 1), "v1.0.1"),
        ]
        return "rancher/agent:" + (agents.first { self >= $0.0 }?.1 ?? "v0.11.0")
    }
}
