import AWSClient
import SandboxServing

/// What the server knows of a type: its schema, its states, who may do what, and what is special about it.
struct ObjectType: Sendable {
    /// Something that a request may ask of an object besides its processes; answered at once.
    struct Command: Sendable {
        typealias Body =
            @Sendable (
                _ server: inout RancherServer, _ id: ObjectID, _ input: [String: JSONValue], _ context: RequestContext
            ) throws(APIFailure) -> JSONValue

        var name: String
        var states: Set<String>
        var input: String?
        var output: String
        var since = ServerVersion(1, 0)
        var status = 200
        var body: Body
    }

    /// A way from an object to others.
    enum Link: Sendable {
        /// All of a type whose field names this object.
        case children(String, type: String, by: String)
        /// All of a type that belong to this account.
        case owned(String, type: String)
        /// The one that a field names.
        case parent(String, type: String, by: String)
        /// An address of its own.
        case page(String)

        var name: String {
            switch self {
            case .children(let name, _, _), .owned(let name, _), .parent(let name, _, _), .page(let name): name
            }
        }
    }

    /// The name in v2.
    var name: String
    var v1Name: String?
    var baseName: String?
    var table: Table
    var fields: [Field]
    var processes: [Process]
    var access: Access
    var links: [Link] = []
    /// What the input of a process's action is, by the action's name.
    var inputs: [String: String] = [:]
    var commands: [Command] = []
    /// Whether creation goes on to activation by itself.
    var activatesItself = false
    /// Methods that no role has.
    var missing: Rights = []
    var apis: [APIVersion] = [.v1, .v2]
    var since = ServerVersion(1, 0)
    var hooks = Hooks()

    var base: String { baseName ?? name }

    func name(in api: APIVersion) -> String { api == .v1 ? v1Name ?? name : name }
    func base(in api: APIVersion) -> String { Self.publicName(of: base, in: api) }
    func plural(in api: APIVersion) -> String { Self.plural(of: name(in: api)) }

    static func plural(of name: String) -> String {
        if name.hasSuffix("y"), !name.hasSuffix("ey"), !name.hasSuffix("ay") { return name.dropLast() + "ies" }
        return name.hasSuffix("s") ? name + "es" : name + "s"
    }

    func rights(of role: Role) -> Rights { access.rights(of: role).subtracting(missing) }

    func process(_ name: String) -> Process? { processes.first { $0.name == name } }
    func field(_ name: String) -> Field? { fields.first { $0.name == name } }

    func fields(in api: APIVersion, of version: ServerVersion) -> [Field] {
        fields.filter { $0.apis.contains(api) && version >= $0.since }
    }

    /// `stack` is `environment` in v1; the others have one name.
    static func publicName(of type: String, in api: APIVersion) -> String {
        guard api == .v1 else { return type }
        return byName[type]?.v1Name ?? type
    }

    /// `stackId` is `environmentId` in v1.
    static func publicField(_ name: String, in api: APIVersion) -> String {
        api == .v1 && name == "stackId" ? "environmentId" : name
    }
}

/// What is special about a type, each called at one moment.
struct Hooks: Sendable {
    /// Completes and checks an object that is about to be made.
    var prepare: (@Sendable (inout RancherServer, inout Draft, RequestContext) throws(APIFailure) -> Void)?
    /// It was made.
    var made: (@Sendable (inout RancherServer, ObjectID, Draft) -> Void)?
    /// Completes and checks a change.
    var change:
        (
            @Sendable (inout RancherServer, Entity, inout [String: JSONValue], RequestContext) throws(APIFailure)
                -> Void
        )?
    /// Whether a process may be asked for, beyond its states. Throws what is answered instead.
    var permit: (@Sendable (RancherServer, Entity, _ process: String, RequestContext) throws(APIFailure) -> Void)?
    /// A process begins that was asked for with an input.
    var begin:
        (
            @Sendable (inout RancherServer, ObjectID, _ process: String, _ input: [String: JSONValue], RequestContext)
                throws(APIFailure) -> Void
        )?
    /// A process has come to its end.
    var finished: (@Sendable (inout RancherServer, ObjectID, _ process: String) -> Void)?
    /// A moment has come that the type asked for.
    var moment: (@Sendable (inout RancherServer, ObjectID, _ name: String) -> Void)?
    /// Fields that are not kept but derived.
    var derive: (@Sendable (RancherServer, Entity, RequestContext) -> [String: JSONValue])?
    /// Whether an action that the state allows is offered to this caller.
    var offers: (@Sendable (RancherServer, Entity, _ action: String, RequestContext) -> Bool)?
}

/// An object that is about to be made.
struct Draft: Sendable {
    var fields: [String: JSONValue]
    var owner: Int?
    /// Only in the answer to the request.
    var revealed: [String: JSONValue] = [:]
    var uuid: String?
}
