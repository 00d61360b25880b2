import AWSClient
import HTTPTransport
import SandboxServing
import TextEncodings

/// Who sends a request.
struct Caller: Sendable {
    /// The account that it acts as.
    var account: Int
    var role: Role
    /// The environment in which it acts, by its account number.
    var scope: Int?
    /// The account whose credentials were given.
    var authenticated: Int
}

/// One request, understood as far as its address goes.
struct RequestContext: Sendable {
    var method: String
    var api: APIVersion
    /// `http://host:8080`, as the client sees the server.
    var origin: String
    /// `/projects/1a5` where the path says so.
    var scopePath = ""
    /// What follows version and scope, in lower case where it is a type.
    var segments: [String] = []
    var query: [(name: String, value: String)] = []
    var headers: HTTPHeaders
    var body: [UInt8]
    var clientAddress: String
    var now: Int64
    var caller = Caller(account: 1, role: .admin, scope: nil, authenticated: 1)

    /// `http://host:8080/v2-beta/projects/1a5`.
    var base: String { "\(origin)/\(api.rawValue)\(scopePath)" }

    func parameter(_ name: String) -> String? { query.first { $0.name == name }?.value }

    func url(of type: ObjectType) -> String { "\(base)/\(type.plural(in: api).lowercased())" }

    func url(of entity: Entity, _ type: ObjectType) -> String { "\(url(of: type))/\(entity.id.text(in: api))" }

    /// The input: the body's members, then the query's.
    func input() throws(APIFailure) -> [String: JSONValue] {
        var members: [String: JSONValue] = [:]
        for item in query where !item.name.hasPrefix("_") && item.name != "action" && item.name != "projectId" {
            members[item.name] = .string(item.value)
        }
        guard !body.isEmpty else { return members }
        guard let value = try? JSONValue(parsing: body) else { throw .invalidBody }
        switch value {
        case .object(let given):
            for member in given { members[member.name] = member.value }
            return members
        case .null: return members
        case .boolean, .integer, .double, .string, .array: throw .invalidBody
        }
    }
}

/// Takes a URL apart.
struct RequestAddress {
    var origin: String
    /// Percent-decoded, without empty ones.
    var segments: [String]
    var query: [(name: String, value: String)]

    init(_ request: HTTPRequest) {
        let url = request.url
        let scheme = url.hasPrefix("https://") ? "https" : "http"
        var rest = url[...]
        if let mark = url.firstRange(of: "://") { rest = url[mark.upperBound...] }
        let host = rest.prefix { $0 != "/" && $0 != "?" }
        rest = rest.dropFirst(host.count)
        let path = rest.prefix { $0 != "?" }
        let query = rest.dropFirst(path.count).dropFirst()
        segments = path.split(separator: "/").map { PercentEncoding.decodedText($0) }
        self.query = query.split(separator: "&").map { item in
            let name = item.prefix { $0 != "=" }
            let value = item.dropFirst(name.count).dropFirst()
            return (Self.decoded(name), Self.decoded(value))
        }
        origin = Self.origin(scheme: scheme, host: String(host), request.headers)
    }

    private static func decoded(_ text: Substring) -> String {
        PercentEncoding.decodedText(String(text.map { $0 == "+" ? " " : $0 }))
    }

    /// What a proxy says of itself counts, unless it is garbage.
    private static func origin(scheme: String, host: String, _ headers: HTTPHeaders) -> String {
        func first(_ name: String) -> String? {
            guard let value = headers[name]?.split(separator: ",").first?.drop(while: { $0 == " " }) else { return nil }
            return value.isEmpty ? nil : String(value)
        }
        var scheme = scheme
        if let forwarded = first("X-Forwarded-Proto")?.lowercased(), ["http", "https"].contains(forwarded) {
            scheme = forwarded
        }
        var host = host
        if let forwarded = first("X-Forwarded-Host"),
            forwarded.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "/") })
        {
            host = forwarded
        }
        if let port = first("X-Forwarded-Port").flatMap({ UInt16($0) }), port > 0 {
            let name = host.prefix { $0 != ":" }
            let isUsual = scheme == "https" && port == 443 || scheme == "http" && port == 80
            host = isUsual ? String(name) : "\(name):\(port)"
        }
        return "\(scheme)://\(host)"
    }
}
