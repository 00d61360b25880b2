import MusterModel

/// A token, and the account that it is to be used for.
package struct SpotCredentials: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    /// `act-…`.
    package let account: String
    private let token: String

    package init(token: String, account: String) {
        self.token = token
        self.account = account
    }

    var header: String { "Bearer \(token)" }

    /// A text of somebody else, in which the token must not stand.
    func removed(from text: String) -> String {
        text.split(separator: token, omittingEmptySubsequences: false).joined(separator: "•••")
    }

    package var description: String { "\(account):•••" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: ["account": account]) }
}

/// What `~/.spotinst/credentials` says: lines of `name = value`, in or before the section `default`, or JSON with the same
/// names.
package struct SpotCredentialsFile: Sendable, Equatable {
    package private(set) var token: String?
    package private(set) var account: String?

    package init(_ text: String) {
        if let values = try? ValueJSON.decodePlain(text).map {
            token = values["token"]?.string
            account = values["account"]?.string
            return
        }
        var isDefault = true
        for line in text.split(whereSeparator: \.isNewline) {
            let line = SpotCredentialsFile.trimmed(line)
            if line.hasPrefix("[") {
                isDefault = line == "[default]"
            } else if isDefault, let mark = line.firstIndex(of: "="), !line.hasPrefix("#"), !line.hasPrefix(";") {
                let value = SpotCredentialsFile.trimmed(line[line.index(after: mark)...])
                switch SpotCredentialsFile.trimmed(line[..<mark]) {
                case "token": token = String(value)
                case "account": account = String(value)
                default: break
                }
            }
        }
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text.drop { $0.isWhitespace }
        while text.last?.isWhitespace == true { text.removeLast() }
        return text
    }
}

/// Where the service answers: `https://api.spotinst.io`, or what stands in its place.
package struct SpotEndpoint: Sendable, Hashable, CustomStringConvertible {
    package let text: String

    package static let service = SpotEndpoint(known: "https://api.spotinst.io")

    private init(known text: String) { self.text = text }

    /// nil for what is no `http` or `https` address.
    package init?(_ text: String) {
        guard let scheme = ["https://", "http://"].first(where: { text.lowercased().hasPrefix($0) }) else { return nil }
        let rest = text.dropFirst(scheme.count)
        let host = rest.prefix { $0 != "/" }
        let isPlain = rest.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f } && !rest.contains { "?#@".contains($0) }
        guard !host.isEmpty, isPlain else { return nil }
        let folders = rest.dropFirst(host.count).split(separator: "/")
        self.text = scheme + host.lowercased() + folders.map { "/" + $0 }.joined()
    }

    package var description: String { text }
}
