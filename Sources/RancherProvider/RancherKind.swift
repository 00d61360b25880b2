import RancherClient

/// What Rancher calls the objects of a type, and how they go.
struct RancherKind: Sendable {
    /// The collection in v2-beta.
    var collection: String
    /// The collection in v1, where it is another one; nil: v1 does not have it.
    var oldCollection: String?
    /// True when it must be deactivated before it is removed.
    var isDeactivatedFirst: Bool
    /// True when it has an action `remove` and no DELETE.
    var isRemovedByAction = false

    init(
        _ collection: String, v1 oldCollection: String?, isDeactivatedFirst: Bool = false,
        isRemovedByAction: Bool = false
    ) {
        self.collection = collection
        self.oldCollection = oldCollection
        self.isDeactivatedFirst = isDeactivatedFirst
        self.isRemovedByAction = isRemovedByAction
    }

    static let project = RancherKind("projects", v1: "projects")
    static let registrationToken = RancherKind(
        "registrationTokens", v1: "registrationTokens", isDeactivatedFirst: true, isRemovedByAction: true)
    static let apiKey = RancherKind("apiKeys", v1: "apiKeys", isDeactivatedFirst: true)
    static let account = RancherKind("accounts", v1: "accounts", isDeactivatedFirst: true)
    static let registry = RancherKind("registries", v1: "registries", isDeactivatedFirst: true)
    static let registryCredential = RancherKind(
        "registryCredentials", v1: "registryCredentials", isDeactivatedFirst: true)
    static let stack = RancherKind("stacks", v1: "environments")
    static let service = RancherKind("services", v1: "services")
    static let certificate = RancherKind("certificates", v1: "certificates")
    static let secret = RancherKind("secrets", v1: nil)
    static let setting = RancherKind("settings", v1: "settings")
    static let host = RancherKind("hosts", v1: "hosts", isDeactivatedFirst: true)
    static let projectTemplate = RancherKind("projectTemplates", v1: nil)
}
