package import MusterModel

/// Which lives there are of which types, and which there cannot be.
package struct LifeTable: Sendable {
    package struct Row: Sendable {
        package let type: ResourceType
        /// The events of its lives.
        package let events: Set<Life.Event>
        /// Events that its schema knows.
        package let possible: Set<Life.Event>

        package var missing: Set<Life.Event> { possible.subtracting(events) }
    }

    package let rows: [Row]

    /// Of every type of the catalog.
    package static let whole: LifeTable = {
        let lives = Dictionary(grouping: Life.all, by: \.type).mapValues { Set($0.map(\.event)) }
        return LifeTable(
            rows: Muster.catalog.resources.map { schema in
                let changes = Set(schema.arguments.map(\.onChange))
                var possible: Set<Life.Event> = [.create, .delete]
                if changes.contains(.update) || changes.contains(.updateWithDowntime) { possible.insert(.update) }
                if changes.contains(.replace) { possible.insert(.replace) }
                return Row(type: schema.type, events: lives[schema.type] ?? [], possible: possible)
            })
    }()

    /// A line a type: `x` is a life, `-` what the type does not know, `MISSING` what nothing stops.
    package var text: String {
        let width = rows.map(\.type.rawValue.count).max() ?? 0
        return rows.map { row in
            let cells = Life.Event.allCases.map { event in
                let mark = row.events.contains(event) ? "x" : row.possible.contains(event) ? "MISSING" : "-"
                return "\(event.rawValue) \(mark)"
            }
            let name = row.type.rawValue
            return name + String(repeating: " ", count: width - name.count) + "  " + cells.joined(separator: "  ")
        }.joined(separator: "\n")
    }
}
