package import AWSClient
package import HTTPTransport
import SandboxServing

/// A Rancher 1.x server in memory: a pure state machine of requests and time.
package struct RancherServer: SimulatedService {
    /// What a server is started with.
    package struct Configuration: Sendable {
        package var version = ServerVersion(1, 6, 30)
        /// How long a plain process takes, in milliseconds of the simulated clock; others take multiples of it.
        package var delay: Int64 = 200
        /// How long a new object is seen `inactive` before it goes on to `active` by itself: 0 hides it, as mostly.
        package var chainDelay: Int64 = 0
        /// The period of the monitor that purges what is removed, and the longest time that it waits before.
        package var purgeTick: Int64 = 60_000
        package var purgeWait: Int64 = 600_000
        /// Until an agent that is silent is `reconnecting`, and from then until it is `disconnected`.
        package var silence: Int64 = 30_000
        package var disconnection: Int64 = 180_000
        /// Seeds ids of tokens, keys and uuids: the same after every reset.
        package var seed: UInt64 = 1
        /// A key of the administrator that is there from the start; a real server has none.
        package var key: Key? = .sandbox
        /// How long a new server refuses to answer after its start.
        package var startup: Int64 = 0

        package struct Key: Sendable {
            package var access: String
            package var secret: String

            package init(access: String, secret: String) {
                self.access = access
                self.secret = secret
            }

            /// What `sandbox/env` exports.
            package static let sandbox = Key(
                access: "5A4DB0B0CA77E0000001", secret: "sandboxKeyOfTheAdministratorAccount11111")
        }

        package init() {}
    }

    let configuration: Configuration
    var now: Int64 = 0
    var startedAt: Int64 = 0
    var entities: [ObjectID: Entity] = [:]
    /// The numbers of a table, ascending.
    var numbers: [Table: [Int]] = [:]
    var lastNumber: [Table: Int] = [:]
    var agenda = Agenda()
    /// For requests; what time alone does draws from `chance(of:)`.
    var random: SeededRandom
    var settings: [String: String] = [:]
    var catalog = TemplateCatalog.library
    /// Logins: token → account and end.
    var sessions: [String: (account: Int, until: Int64)] = [:]
    var githubConfiguration: [String: JSONValue] = [:]
    var hasBegun = false

    package init(_ configuration: Configuration = Configuration()) {
        self.configuration = configuration
        random = SeededRandom(seed: configuration.seed)
    }

    var version: ServerVersion { configuration.version }

    // MARK: - SimulatedService

    package mutating func reset(at now: Int64) {
        self = RancherServer(configuration)
        begin(at: now)
    }

    package mutating func advance(to now: Int64) {
        if !hasBegun { begin(at: now) }
        while let (due, event) = agenda.next(until: now) {
            self.now = max(self.now, due)
            perform(event)
        }
        self.now = max(self.now, now)
    }

    package mutating func answer(_ request: HTTPRequest, from peer: String, at now: Int64) -> HTTPResponse {
        advance(to: now)
        if now < startedAt + configuration.startup {
            return HTTPResponse(status: 503, headers: ["Content-Type": "text/plain"], body: Array("starting".utf8))
        }
        return route(request, from: peer)
    }

    package func failure(status: Int, code: String) -> HTTPResponse {
        let failure = APIFailure(status, code, message: code)
        return response(failure.json(id: "00000000-0000-4000-8000-000000000000"), status: status)
    }

    package func summary(of request: HTTPRequest) -> [JSONValue.Member] {
        let address = RequestAddress(request)
        var segments = address.segments.dropFirst().map { $0 }
        var project: String?
        if segments.count >= 3, segments[0].lowercased() == "projects" {
            project = segments[1]
            segments.removeFirst(2)
        }
        return [
            .init("project", .optional(project ?? address.query.first { $0.name == "projectId" }?.value)),
            .init("resource", .optional(segments.first?.lowercased())),
            .init("id", .optional(segments.count > 1 ? segments[1] : nil)),
            .init("action", .optional(address.query.first { $0.name == "action" }?.value)),
        ]
    }

    // MARK: - Objects

    func type(of entity: Entity) -> ObjectType { ObjectType.byName[entity.type] ?? .unknown }

    func entity(_ id: ObjectID?) -> Entity? { id.flatMap { entities[$0] } }

    /// All of a table, by id.
    func all(_ table: Table) -> [Entity] { (numbers[table] ?? []).compactMap { entities[ObjectID(table, $0)] } }

    /// Those that are not removed.
    func living(_ table: Table) -> [Entity] { all(table).filter { $0.removed == nil } }

    func account(_ number: Int) -> Entity? { entities[ObjectID(.account, number)] }

    /// The object that a reference names.
    func target(_ value: JSONValue, _ table: Table) -> Entity? {
        value.string.flatMap { ObjectID($0, in: table) }.flatMap { entities[$0] }
    }

    @discardableResult
    mutating func insert(
        _ type: ObjectType, owner: Int?, state: String, _ fields: [String: JSONValue] = [:], uuid: String? = nil
    ) -> ObjectID {
        let number = (lastNumber[type.table] ?? 0) + 1
        lastNumber[type.table] = number
        numbers[type.table, default: []].append(number)
        let id = ObjectID(type.table, number)
        var chance = chance(of: id)
        let uuid = uuid ?? chance.uuid()
        entities[id] = Entity(
            id: id, type: type.name, owner: owner, state: state, fields: fields, uuid: uuid, created: now)
        return id
    }

    /// Random numbers of one object: what time does in between does not change them.
    func chance(of id: ObjectID) -> SeededRandom {
        let table = UInt64(Table.allCases.firstIndex(of: id.table) ?? 0)
        return SeededRandom(seed: configuration.seed &* 0x2545_F491_4F6C_DD1D ^ table << 48 ^ UInt64(id.number) << 8)
    }

    mutating func delete(_ id: ObjectID) {
        entities[id] = nil
        numbers[id.table]?.removeAll { $0 == id.number }
    }

    mutating func set(_ id: ObjectID, _ field: String, _ value: JSONValue) { entities[id]?.fields[field] = value }
}
