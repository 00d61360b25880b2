import Diagnostics
package import MusterModel

/// A cloud-config of RancherOS in the making: what the user wrote, and what muster adds.
package struct CloudConfig: Sendable {
    package private(set) var tree: LocatedValue
    private let range: SourceRange

    /// - Parameter tree: What the user wrote, read by `CloudConfigSchema`; a map.
    package init(_ tree: LocatedValue) {
        self.tree = tree
        range = tree.range
    }

    /// The user data.
    package func userData() -> Text { "#cloud-config\n" + YAMLTree.written(tree) }

    /// Adds a script that runs at each boot, after what the user wrote.
    mutating func addScript(_ path: String, _ content: Text) {
        addFile(path, permissions: "0700", content)
        append(.list([leaf(.string(path))], range), at: ["runcmd"])
    }

    mutating func addFile(_ path: String, permissions: String, _ content: Text) {
        append(
            map([
                ("path", .string(path)), ("permissions", .string(permissions)), ("owner", "root:root"),
                ("content", content.value),
            ]), at: ["write_files"])
    }

    /// Sets a value, where the user has not set it.
    package mutating func set(_ value: Value, at path: [String]) {
        tree = tree.changing(path[...], range) { $0 ?? leaf(value) }
    }

    /// Adds an element to a list.
    mutating func append(_ value: Value, at path: [String]) { append(leaf(value), at: path) }

    private mutating func append(_ element: LocatedValue, at path: [String]) {
        tree = tree.changing(path[...], range) { .list(($0?.elements ?? []) + [element], range) }
    }

    private func leaf(_ value: Value) -> LocatedValue { .value(value, range) }

    private func map(_ members: [(String, Value)]) -> LocatedValue {
        .map(members.map { .init(key: $0.0, keyRange: range, value: leaf($0.1)) }, range)
    }
}

extension LocatedValue {
    /// The same with the member at a path made anew; maps on the way are made where they are missing.
    fileprivate func changing(
        _ path: ArraySlice<String>, _ place: SourceRange, _ change: (LocatedValue?) -> LocatedValue
    ) -> LocatedValue {
        guard let key = path.first else { return change(self) }
        let old = self[key]
        let new =
            path.count == 1
            ? change(old) : (old ?? .map([], place)).changing(path.dropFirst(), place, change)
        var members = entries ?? []
        if let position = members.lastIndex(where: { $0.key == key }) {
            members[position] = Entry(key: key, keyRange: members[position].keyRange, value: new)
        } else {
            members.append(Entry(key: key, keyRange: place, value: new))
        }
        return .map(members, range)
    }
}
