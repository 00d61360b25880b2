import TextEncodings

/// Which of its two interfaces a server is talked to by.
package enum RancherAPI: String, Sendable, Hashable {
    /// Rancher 1.2 and later.
    case v2Beta = "v2-beta"
    /// All of Rancher 1.x; spoken to older servers.
    case v1
}

/// Where a collection lies: on the server, or in one of its environments.
package struct RancherPath: Sendable, Hashable {
    /// The plural, such as `registrationTokens`; Rancher does not mind the case.
    package var collection: String
    /// The environment's id, such as `1a5`.
    package var environment: String?
    /// An object, or the object's collections.
    package var rest: [String]

    package init(_ collection: String, in environment: String? = nil, _ rest: String...) {
        self.collection = collection
        self.environment = environment
        self.rest = rest
    }

    package func appending(_ part: String) -> RancherPath {
        var path = self
        path.rest.append(part)
        return path
    }

    /// `projects/1a5/stacks/1st7`, each part percent-encoded.
    var text: String {
        let scope = environment.map { ["projects", $0] } ?? []
        return (scope + [collection] + rest).map(RancherPath.encoded).joined(separator: "/")
    }

    /// Ids and templates have `:`, `!` and `*` in them.
    static func encoded(_ part: String) -> String { PercentEncoding.encode(part, keeping: "!:*") }
}
