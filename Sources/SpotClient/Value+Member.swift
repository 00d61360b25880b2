package import MusterModel

extension Value {
    /// The member of a map; null for everything else.
    package subscript(_ name: String) -> Value {
        guard case .map(let members) = self else { return .null }
        return members[name] ?? .null
    }
}
