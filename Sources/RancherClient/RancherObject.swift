package import MusterModel

/// One object as Rancher tells it: the members that every type has, and the others by name.
package struct RancherObject: Sendable, Equatable {
    package let members: [String: Value]

    package init(_ members: [String: Value]) { self.members = members }

    /// nil for JSON that is no object with an id.
    package init?(_ value: Value) {
        guard case .map(let members) = value, members["id"]?.string != nil else { return nil }
        self.members = members
    }

    /// A member; null when it is absent.
    package subscript(_ name: String) -> Value { members[name] ?? .null }
    package func text(_ name: String) -> String? { self[name].string }

    package var id: String { text("id") ?? "" }
    package var state: String { text("state") ?? "" }
    package var name: String? { text("name") }
    package var details: String? { text("description") }

    /// The actions that may be started now.
    package var actions: Set<String> { Set((self["actions"].map ?? [:]).keys) }

    /// True for what is gone for good, though Rancher still tells of it for a while.
    package var isRemoved: Bool {
        if ["removed", "purging", "purged"].contains(state) { return true }
        return text("removed") != nil && state != "removing"
    }

    package var isTransitioning: Bool { text("transitioning") == "yes" }
    /// Why the last process failed; nil when it did not.
    package var failure: String? {
        guard text("transitioning") == "error" || state == "error" || state == "erroring" else { return nil }
        return text("transitioningMessage").flatMap { $0.isEmpty ? nil : $0 } ?? "its state is \"\(state)\""
    }

    /// `activating: Waiting for a host`.
    package var progress: String {
        guard isTransitioning, let message = text("transitioningMessage"), !message.isEmpty, message != "In Progress"
        else { return state }
        return "\(state): \(message)"
    }
}

extension Value {
    /// The member of a map; null for everything else.
    package subscript(_ name: String) -> Value {
        guard case .map(let members) = self else { return .null }
        return members[name] ?? .null
    }
}
