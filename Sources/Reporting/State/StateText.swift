package import MusterModel

/// The state as `muster state list` and `muster state show` print it.
package enum StateText {
    /// A line for each row: address and id, aligned; deposed predecessors after their successor.
    ///
    /// - Parameter isIncluded: which addresses to show.
    package static func list(
        _ snapshot: Snapshot, options: TextOptions = TextOptions(), where isIncluded: (Address) -> Bool = { _ in true }
    ) -> String { "" }

    /// All that is known about one resource.
    package static func show(
        _ record: ResourceRecord, deposed: [ResourceRecord] = [], options: TextOptions = TextOptions()
    ) -> String { "" }
}

/// The same as JSON; each is one line, ended by a line break.
package enum StateJSON {
    package static let formatVersion = 1

    package static func list(
        _ snapshot: Snapshot, where isIncluded: (Address) -> Bool = { _ in true }
    ) -> String { "{}\n" }

    package static func show(_ record: ResourceRecord, deposed: [ResourceRecord] = []) -> String { "{}\n" }
}
