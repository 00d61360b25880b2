import AWSClient
import SandboxServing

/// One object of the server.
struct Entity: Sendable {
    let id: ObjectID
    /// The name of its type in v2.
    let type: String
    /// The number of the account that it belongs to.
    var owner: Int?
    var state: String
    var fields: [String: JSONValue]
    let uuid: String
    let created: Int64
    var removed: Int64?
    var removeTime: Int64?
    /// Counts processes, so that the end of one that was overtaken does nothing.
    var generation = 0
    /// What the last process failed with.
    var failure: String?

    var name: String? { fields["name"]?.string }
    var isActive: Bool { state == "active" }
    /// Whether it is in the state of a running process.
    var isTransitioning: Bool {
        let settled: Set<String> = ["canceled-upgrade"]
        return state.hasSuffix("ing") || state.hasPrefix("updating-") || state.hasPrefix("finishing-")
            || state == "rolling-back" || state.hasSuffix("-upgrade") && !settled.contains(state)
    }

    subscript(field: String) -> JSONValue {
        get { fields[field] ?? .null }
        set { fields[field] = newValue }
    }
}
