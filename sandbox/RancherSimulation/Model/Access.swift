/// What a request may be, by who sends it.
enum Role: String, Sendable, CaseIterable {
    /// A key of an environment.
    case project
    case owner, member, restricted, readonly
    case user, admin, service
    /// The agent of a host.
    case agent
    /// A registration token: it registers, and nothing else.
    case token

    var isAdministrative: Bool { self == .admin || self == .service }
    /// Whether it acts inside one environment.
    var isScoped: Bool {
        switch self {
        case .project, .owner, .member, .restricted, .readonly: true
        case .user, .admin, .service, .agent, .token: false
        }
    }
}

/// Create, read, update, delete.
struct Rights: OptionSet, Sendable {
    let rawValue: Int
    static let create = Rights(rawValue: 1)
    static let read = Rights(rawValue: 2)
    static let update = Rights(rawValue: 4)
    static let delete = Rights(rawValue: 8)

    init(rawValue: Int) { self.rawValue = rawValue }

    /// `crud`, or some of its letters.
    init(_ letters: String) {
        self = []
        if letters.contains("c") { insert(.create) }
        if letters.contains("r") { insert(.read) }
        if letters.contains("u") { insert(.update) }
        if letters.contains("d") { insert(.delete) }
    }
}

/// The rights of each role to a type; a role without any does not see the type.
struct Access: Sendable {
    var scoped: String
    var user: String
    var admin: String
    var service: String
    var restricted: String
    var readonly: String
    var agent = ""
    var token = ""

    /// Managed inside an environment, listed everywhere.
    static let inEnvironment = Access(
        scoped: "crud", user: "r", admin: "r", service: "crud", restricted: "crud", readonly: "r")
    static let readOnly = Access(scoped: "r", user: "r", admin: "r", service: "r", restricted: "r", readonly: "r")

    func rights(of role: Role) -> Rights {
        switch role {
        case .project, .owner, .member: Rights(scoped)
        case .user: Rights(user)
        case .admin: Rights(admin)
        case .service: Rights(service)
        case .restricted: Rights(restricted)
        case .readonly: Rights(readonly)
        case .agent: Rights(agent)
        case .token: Rights(token)
        }
    }
}
