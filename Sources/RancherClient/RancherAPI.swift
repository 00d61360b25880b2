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

    static func encoded(_ part: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        for byte in part.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x5f, 0x7e, 0x21, 0x3a, 0x2a: bytes.append(byte)
            default: bytes += [0x25, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
