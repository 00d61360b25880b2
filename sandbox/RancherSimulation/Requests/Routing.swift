import AWSClient
import HTTPTransport
import SandboxServing
import TextEncodings

// From a request to an answer, in the order in which the server asks: address, credentials, scope, type, method, object.

extension RancherServer {
    mutating func route(_ request: HTTPRequest, from peer: String) -> HTTPResponse {
        var request = request
        let address = RequestAddress(request)
        if let method = address.query.first(where: { $0.name == "_method" })?.value.uppercased(), !method.isEmpty {
            request.method = method
        }
        do throws(APIFailure) {
            return try answer(request, address, peer)
        } catch {
            var answer = response(error.json(id: random.uuid()), status: error.status)
            for (name, value) in error.headers { answer.headers[name] = value }
            return answer
        }
    }

    private mutating func answer(
        _ request: HTTPRequest, _ address: RequestAddress, _ peer: String
    ) throws(APIFailure) -> HTTPResponse {
        let client = request.headers["X-Forwarded-For"]?.split(separator: ",").first.map { $0.filter { $0 != " " } }
        var context = RequestContext(
            method: request.method, api: version.latestAPI, origin: address.origin, query: address.query,
            headers: request.headers, body: request.body, clientAddress: client ?? peer, now: now)
        let first = address.segments.first?.lowercased()
        switch first {
        case "ping", "healthcheck":
            return HTTPResponse(
                status: 200, headers: ["Content-Type": "text/plain; charset=utf-8"], body: Array("pong".utf8))
        case nil: return response(versions(context), status: 200)
        case "v1-catalog" where version.apis.contains(.v2) || version >= ServerVersion(1, 1):
            context.segments = Array(address.segments.dropFirst())
            return try catalogAnswer(&context)
        case "v1-auth" where version.apis.contains(.v2):
            context.segments = Array(address.segments.dropFirst())
            return try externalAuthAnswer(&context)
        default: break
        }
        guard let api = first.flatMap({ APIVersion(rawValue: $0) }), version.apis.contains(api) else {
            throw .notFound
        }
        context.api = api
        context.segments = Array(address.segments.dropFirst())
        if let script = try script(context) { return script }
        takeScope(&context)
        if context.segments.first?.lowercased() == "token" { return try loginAnswer(context) }
        try identify(&context)
        return try answer(context)
    }

    /// `/projects/1a5/hosts`: the environment is the scope, unless what follows is a link of the environment itself.
    private func takeScope(_ context: inout RequestContext) {
        let segments = context.segments
        guard segments.count >= 3, ["projects", "project"].contains(segments[0].lowercased()),
            segments[2].lowercased() != "projectmembers"
        else { return }
        context.scopePath = "/projects/\(segments[1].lowercased())"
        context.segments = Array(segments.dropFirst(2))
    }

    private mutating func answer(_ context: RequestContext) throws(APIFailure) -> HTTPResponse {
        guard let name = context.segments.first else { return answered(root(context), context) }
        if ["schemas", "schema"].contains(name.lowercased()) { return try schemaAnswer(context) }
        let type = try visibleType(name, context)
        if let special = try specialAnswer(type, context) { return special }
        switch context.segments.count {
        case 1: return try answer(type, context)
        case 2: return try answer(type, try object(context.segments[1], type, context), context)
        case 3: return try answer(type, link: context.segments[2], context)
        default: throw .notFound
        }
    }

    /// A type by its singular or plural, if the caller may see it.
    private func visibleType(_ name: String, _ context: RequestContext) throws(APIFailure) -> ObjectType {
        let name = name.lowercased()
        for type in ObjectType.all
        where type.name(in: context.api).lowercased() == name || type.plural(in: context.api).lowercased() == name {
            guard isVisible(type, context) else { continue }
            return type
        }
        throw .notFound
    }

    func isVisible(_ type: ObjectType, _ context: RequestContext) -> Bool {
        type.apis.contains(context.api) && version >= type.since
            && !type.access.rights(of: context.caller.role).isEmpty
    }

    private mutating func answer(_ type: ObjectType, _ context: RequestContext) throws(APIFailure) -> HTTPResponse {
        let rights = type.rights(of: context.caller.role)
        switch context.method {
        case "GET" where rights.contains(.read), "HEAD" where rights.contains(.read):
            return answered(list(type, candidates(type, context), context), context)
        case "POST" where rights.contains(.create):
            return answered(try create(type, try context.input(), context), context, status: 201)
        default: throw .methodNotAllowed
        }
    }

    private mutating func answer(
        _ type: ObjectType, _ entity: Entity, _ context: RequestContext
    ) throws(APIFailure) -> HTTPResponse {
        let rights = type.rights(of: context.caller.role)
        switch context.method {
        case "GET", "HEAD": return answered(representation(entity, context), context)
        case "PUT" where rights.contains(.update):
            return answered(try update(type, entity, try context.input(), context), context)
        case "DELETE" where rights.contains(.delete):
            return answered(try remove(type, entity, context), context)
        case "POST":
            guard let action = context.parameter("action") else { throw .methodNotAllowed }
            let (value, status) = try act(action, type, entity, context)
            return answered(value, context, status: status)
        default: throw .methodNotAllowed
        }
    }

    /// A child link, or a type inside an object: `/accounts/1a6/credentials`.
    private mutating func answer(
        _ type: ObjectType, link name: String, _ context: RequestContext
    ) throws(APIFailure) -> HTTPResponse {
        let entity = try object(context.segments[1], type, context)
        guard let link = links(of: entity, type, context).first(where: { $0.name.lowercased() == name.lowercased() })
        else { throw .notFound }
        switch (link, context.method) {
        case (.parent(_, let target, let field), "GET"):
            guard let table = ObjectType.byName[target]?.table, let found = self.target(entity[field], table) else {
                throw .notFound
            }
            return answered(representation(found, context), context)
        case (.children(_, let target, _), "GET"), (.owned(_, let target), "GET"):
            guard let target = ObjectType.byName[target] else { throw .notFound }
            return answered(list(target, linked(entity, by: link), context), context)
        case (.children(_, let target, let field), "POST"):
            return try createLinked(target, field, entity, context)
        case (.owned(_, let target), "POST"):
            return try createLinked(target, "accountId", entity, context)
        default: throw .methodNotAllowed
        }
    }

    private mutating func createLinked(
        _ target: String, _ field: String, _ entity: Entity, _ context: RequestContext
    ) throws(APIFailure) -> HTTPResponse {
        guard let type = ObjectType.byName[target], type.rights(of: context.caller.role).contains(.create) else {
            throw .methodNotAllowed
        }
        var input = try context.input()
        input[ObjectType.publicField(field, in: context.api)] = .string(entity.id.text(in: context.api))
        return answered(try create(type, input, context), context, status: 201)
    }

    /// An object that the caller may see; 404 otherwise.
    func object(_ text: String, _ type: ObjectType, _ context: RequestContext) throws(APIFailure) -> Entity {
        guard let id = ObjectID(text.lowercased(), in: type.table, api: context.api), let entity = entities[id],
            matches(entity, type), isVisible(entity, context)
        else { throw .notFound }
        return entity
    }

    // MARK: - Answers

    func response(_ value: JSONValue, status: Int) -> HTTPResponse {
        HTTPResponse(
            status: status,
            headers: [
                "Content-Type": "application/json; charset=utf-8", "Vary": "Accept-Encoding, User-Agent",
                "Expires": "Thu, 01 Jan 1970 00:00:00 GMT",
            ], body: value.text(escapingSlashes: true))
    }

    func answered(_ value: JSONValue, _ context: RequestContext, status: Int = 200) -> HTTPResponse {
        var answer = response(value, status: status)
        let caller = context.caller
        answer.headers["X-API-Schemas"] = "\(context.base)/schemas"
        answer.headers["X-API-ACCOUNT-ID"] = ObjectID(.account, caller.scope ?? caller.account).text()
        answer.headers["X-API-USER-ID"] = ObjectID(.account, caller.authenticated).text()
        let account = account(caller.scope ?? caller.account)
        answer.headers["X-API-ACCOUNT-KIND"] = account?["kind"].string
        answer.headers["X-API-ACCOUNT-NAME"] = account?.name.map { PercentEncoding.encode($0) }
        answer.headers["X-Rancher-Version"] = version.text
        answer.headers["X-API-Client-IP"] = context.clientAddress
        return answer
    }

    private func versions(_ context: RequestContext) -> JSONValue {
        let all = version.apis.map { api -> JSONValue in
            let own = "\(context.origin)/\(api.rawValue)"
            return ["id": .string(api.rawValue), "type": "apiVersion", "links": ["self": .string(own)], "actions": [:]]
        }
        let latest = "\(context.origin)/\(version.latestAPI.rawValue)"
        return [
            "type": "collection", "resourceType": "apiVersion",
            "links": ["self": .string("\(context.origin)/"), "latest": .string(latest)], "createTypes": [:],
            "actions": [:], "data": .array(all), "sortLinks": [:], "pagination": .null, "sort": .null, "filters": [:],
            "createDefaults": [:],
        ]
    }

    /// What there is to list.
    private func root(_ context: RequestContext) -> JSONValue {
        var links = [
            JSONValue.Member("self", .string(context.base)), .init("schemas", .string("\(context.base)/schemas")),
        ]
        for type in ObjectType.all where isVisible(type, context) {
            guard type.rights(of: context.caller.role).contains(.read) else { continue }
            links.append(.init(type.plural(in: context.api), .string(context.url(of: type))))
        }
        return [
            "id": .string(context.api.rawValue), "type": "apiVersion", "links": .object(links), "actions": [:],
        ]
    }
}
