/// The address of a Rancher server without what clients add to it: no version, no environment, no slash at the end.
package struct RancherServerURL: Sendable, Hashable, CustomStringConvertible {
    package let text: String

    /// nil for what is no `http` or `https` address of a server.
    ///
    /// `https://host/v1/projects/1a5/schemas` and `HTTPS://Host/` are the same server as `https://host`.
    package init?(_ text: String) {
        guard let scheme = ["https://", "http://"].first(where: { text.lowercased().hasPrefix($0) }) else { return nil }
        var rest = text.dropFirst(scheme.count)
        if let end = rest.firstIndex(where: { $0 == "?" || $0 == "#" }) { rest = rest[..<end] }
        let host = rest.prefix { $0 != "/" }
        guard !host.isEmpty, !host.contains("@"), host.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else { return nil }
        var folders = rest.dropFirst(host.count).split(separator: "/")
        if let version = folders.firstIndex(where: { ["v1", "v2-beta"].contains($0.lowercased()) }) {
            folders.removeSubrange(version...)
        }
        self.text = scheme + host.lowercased() + folders.map { "/" + $0 }.joined()
    }

    package var description: String { text }
}
