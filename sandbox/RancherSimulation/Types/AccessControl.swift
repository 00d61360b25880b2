import AWSClient
import HTTPTransport
import SandboxServing

// Access control: local logins, GitHub, the token of a session, who one is.

extension ObjectType {
    private static let modes = ["unrestricted", "restricted", "required"]

    static let localAuthConfig = ObjectType(
        name: "localAuthConfig", table: .genericObject,
        fields: [
            Field("username", .string, [.create, .required], lengths: 1...255),
            Field("password", .password, [.create, .required], lengths: 1...255),
            Field("name", .string, [.create, .nullable], preset: "admin"),
            Field("accessMode", .choice, [.create], preset: "unrestricted", options: modes),
            Field("enabled", .boolean, [.create]),
        ], processes: [],
        access: Access(scoped: "", user: "", admin: "cr", service: "cr", restricted: "", readonly: ""))

    /// Served by the server itself up to 1.1; its schema stays later.
    static let githubConfig = ObjectType(
        name: "githubconfig", table: .genericObject,
        fields: [
            Field("enabled", .boolean, [.create, .update]),
            Field("accessMode", .choice, [.create, .update, .required], preset: "unrestricted", options: modes),
            Field("clientId", .string, [.create, .update, .nullable]),
            Field("clientSecret", .password, [.create, .update, .nullable]),
            Field("hostname", .string, [.create, .update, .nullable]),
            Field("scheme", .string, [.create, .update, .nullable], preset: "https://"),
            Field("allowedIdentities", .array(.json), [.create, .update, .nullable]),
        ], processes: [],
        access: Access(scoped: "", user: "", admin: "cru", service: "cru", restricted: "", readonly: ""), apis: [.v1])

    static let identity = ObjectType(
        name: "identity", table: .genericObject,
        fields: [
            Field("externalId", .string), Field("externalIdType", .string), Field("login", .string),
            Field("name", .string), Field("profilePicture", .string), Field("profileUrl", .string),
            Field("role", .string), Field("projectId", .reference("project")),
        ], processes: [], access: .readOnly)
}

extension RancherServer {
    // MARK: - Local logins

    func localAuthentication(_ context: RequestContext) -> JSONValue {
        let login = living(.credential).first { $0.type == "password" && $0.owner == 1 }
        let isOn = isSecured && setting("api.auth.provider.configured") == "localauthconfig"
        let own: JSONValue = [
            "id": .null, "type": "localAuthConfig", "links": ["self": .string(context.url(of: .localAuthConfig))],
            "actions": [:], "baseType": "localAuthConfig", "name": account(1)?["name"] ?? .null,
            "accessMode": .optional(setting("api.auth.access.mode")), "enabled": .boolean(isOn), "password": .null,
            "username": login?["publicValue"] ?? .null,
        ]
        return collection(.localAuthConfig, [own], context, isPlain: true)
    }

    mutating func setLocalAuthentication(_ context: RequestContext) throws(APIFailure) -> JSONValue {
        let input = try validated(try context.input(), creating: .localAuthConfig, context)
        guard input["enabled"]?.boolean == true else {
            settings["api.security.enabled"] = "false"
            settings["api.auth.provider.configured"] = "none"
            return localAuthentication(context)["data"].items.first ?? .null
        }
        let (user, password) = (input["username"]?.text ?? "", input["password"]?.text ?? "")
        if let login = living(.credential).first(where: { $0.type == "password" && $0["publicValue"].string == user }) {
            guard login.owner == 1 else {
                throw APIFailure(409, "UsernameIsTaken", message: "The username is taken")
            }
            guard login["secretValue"].string == password else {
                throw APIFailure(401, "IncorrectPassword", message: "The password is incorrect")
            }
        } else {
            insert(
                .password, owner: 1, state: "active",
                ["publicValue": .string(user), "secretValue": .string(password), "kind": "password"])
        }
        set(ObjectID(.account, 1), "name", input["name"] ?? "admin")
        settings["api.security.enabled"] = "true"
        settings["api.auth.provider.configured"] = "localauthconfig"
        settings["api.auth.access.mode"] = input["accessMode"]?.text
        return localAuthentication(context)["data"].items.first ?? .null
    }

    // MARK: - GitHub

    private func githubFields(isSecretShown: Bool = false) -> JSONValue {
        var fields = githubConfiguration
        if !isSecretShown { fields["clientSecret"] = .null }
        for name in ["clientId", "clientSecret", "hostname"] where fields[name] == nil { fields[name] = .null }
        if fields["scheme"] == nil { fields["scheme"] = "https://" }
        return .sorted(fields)
    }

    private var isGitHubOn: Bool { isSecured && setting("api.auth.provider.configured") == "githubconfig" }

    /// `/v1/githubconfigs`, up to 1.1.
    func githubAnswer(_ context: RequestContext) -> JSONValue {
        let own: [JSONValue.Member] = [
            .init("id", .null), .init("type", "githubconfig"),
            .init("links", ["self": .string(context.url(of: .githubConfig))]), .init("actions", [:]),
            .init("enabled", .boolean(isGitHubOn)), .init("accessMode", .optional(setting("api.auth.access.mode"))),
            .init("allowedIdentities", allowedIdentities),
        ]
        return collection(
            .githubConfig, [.object(own + githubFields().members)], context, isPlain: true)
    }

    private var allowedIdentities: JSONValue {
        let text = setting("api.auth.allowed.identities") ?? ""
        return (try? JSONValue(parsing: Array(text.utf8))) ?? []
    }

    mutating func setGitHub(_ context: RequestContext) throws(APIFailure) -> JSONValue {
        let input = try validated(try context.input(), creating: .githubConfig, context)
        keepGitHub(
            .sorted(input), isEnabled: input["enabled"]?.boolean == true, mode: input["accessMode"]?.text,
            allowed: input["allowedIdentities"] ?? [])
        return githubAnswer(context)["data"].items.first ?? .null
    }

    private mutating func keepGitHub(_ fields: JSONValue, isEnabled: Bool, mode: String?, allowed: JSONValue) {
        for name in ["clientId", "clientSecret", "hostname", "scheme"] where !fields[name].isNull {
            githubConfiguration[name] = fields[name]
        }
        settings["api.auth.access.mode"] = mode ?? "unrestricted"
        settings["api.auth.allowed.identities"] = String(decoding: allowed.text(), as: UTF8.self)
        if isEnabled {
            settings["api.security.enabled"] = "true"
            settings["api.auth.provider.configured"] = "githubconfig"
        } else if isGitHubOn {
            settings["api.security.enabled"] = "false"
            settings["api.auth.provider.configured"] = "none"
        }
    }

    /// `/v1-auth/config`, since 1.2: another service on the same port, whose errors have their status as text.
    mutating func externalAuthAnswer(_ context: inout RequestContext) throws(APIFailure) -> HTTPResponse {
        do {
            try identify(&context)
            guard context.caller.role == .admin else { throw APIFailure.unauthorizedByAuthService }
        } catch { return authServiceError(401, "Unauthorized") }
        guard context.segments.first?.lowercased() == "config", context.segments.count == 1 else {
            return authServiceError(404, "Not found")
        }
        switch context.method {
        case "GET": return answered(externalConfiguration(context), context)
        case "POST":
            let input: [String: JSONValue]
            do { input = try context.input() } catch { return authServiceError(400, "Bad Request") }
            guard input["provider"]?.string == "githubconfig" else {
                return authServiceError(400, "Invalid provider")
            }
            let github = input["githubConfig"] ?? .null
            if input["enabled"]?.boolean == true, github["clientId"].text.isEmpty,
                githubConfiguration["clientId"] == nil
            {
                return authServiceError(400, "clientId is required")
            }
            keepGitHub(
                github, isEnabled: input["enabled"]?.boolean == true, mode: input["accessMode"]?.string,
                allowed: input["allowedIdentities"] ?? [])
            return answered(externalConfiguration(context), context)
        default: return authServiceError(405, "Method not allowed")
        }
    }

    private func externalConfiguration(_ context: RequestContext) -> JSONValue {
        [
            "type": "config", "links": ["self": .string("\(context.origin)/v1-auth/config")], "actions": [:],
            "provider": .optional(isGitHubOn || !githubConfiguration.isEmpty ? "githubconfig" : ""),
            "enabled": .boolean(isGitHubOn), "accessMode": .optional(setting("api.auth.access.mode")),
            "allowedIdentities": allowedIdentities, "githubConfig": githubFields(),
        ]
    }

    private func authServiceError(_ status: Int, _ message: String) -> HTTPResponse {
        response(
            [
                "type": "error", "status": .string(String(status)), "code": .string(String(status)),
                "message": .string(message),
            ],
            status: status)
    }

    // MARK: - Sessions

    /// `/v1/token`: a login for a token of 16 hours.
    mutating func loginAnswer(_ context: RequestContext) throws(APIFailure) -> HTTPResponse {
        switch context.method {
        case "GET": return response(.object(securityMembers), status: 200)
        case "DELETE":
            if let header = context.headers["Authorization"], header.lowercased().hasPrefix("bearer ") {
                sessions[String(header.dropFirst(7))] = nil
            }
            return HTTPResponse(status: 204)
        case "POST": break
        default: throw .methodNotAllowed
        }
        guard isSecured, setting("api.auth.provider.configured") == "localauthconfig" else {
            throw APIFailure(500, "NoAuthProvider", message: "No auth provider is configured")
        }
        let code = try context.input()["code"]?.string ?? ""
        let parts = code.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let login = living(.credential).first {
            $0.type == "password" && $0.isActive && parts.count == 2 && $0["publicValue"].string == parts[0]
                && $0["secretValue"].string == parts[1]
        }
        guard let owner = login?.owner, let account = account(owner), isUsable(account) else {
            throw unauthorized(context)
        }
        let token = "\(random.text(36, from: "0123456789abcdefghijklmnopqrstuvwxyz")).\(random.secretValue())"
        sessions[token] = (owner, now + 16 * 3_600_000)
        let members: [JSONValue.Member] = [
            .init("type", "token"), .init("jwt", .string(token)), .init("user", account["name"]),
            .init("userIdentity", identityJSON(account)), .init("userType", account["kind"]),
            .init("accountId", .string(account.id.text())),
        ]
        return response(.object(members + securityMembers), status: 201)
    }

    private var securityMembers: [JSONValue.Member] {
        [
            .init("security", .boolean(isSecured)), .init("enabled", .boolean(isSecured)),
            .init("authProvider", .optional(setting("api.auth.provider.configured"))),
        ]
    }

    func identities(_ context: RequestContext) -> JSONValue {
        let own = account(context.caller.authenticated)
        let name = context.parameter("name")?.lowercased()
        let found =
            name.map { name in
                living(.account).filter { $0.type == "account" && $0.name?.lowercased() == name }
            } ?? own.map { [$0] } ?? []
        return collection(.identity, found.map { identityJSON($0) }, context, isPlain: true)
    }

    private func identityJSON(_ account: Entity) -> JSONValue {
        let id = account.id.text()
        return [
            "id": .string("1i!rancher_id:\(id)"), "type": "identity", "links": [:], "actions": [:],
            "externalId": .string(id), "externalIdType": "rancher_id", "login": account["name"],
            "name": account["name"], "profilePicture": .null, "profileUrl": .null, "role": .null, "projectId": .null,
        ]
    }
}

extension APIFailure {
    static let unauthorizedByAuthService = APIFailure(401, "Unauthorized")
}
