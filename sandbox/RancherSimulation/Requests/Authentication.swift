import AWSClient
import HTTPTransport
import SandboxServing
import TextEncodings

// Who sends a request, and in which environment.

extension RancherServer {
    var isSecured: Bool { settings["api.security.enabled"] == "true" }

    /// Settles who the caller is and where; 401 and 403.
    func identify(_ context: inout RequestContext) throws(APIFailure) {
        if var caller = credentials(context) {
            if caller.role == .project { caller.scope = caller.account }
            context.caller = caller
        } else if isSecured || context.headers["X-ENFORCE-AUTHENTICATION"]?.lowercased() == "true" {
            throw unauthorized(context)
        } else {
            context.caller = Caller(account: 1, role: .admin, scope: nil, authenticated: 1)
        }
        try enterScope(&context)
    }

    func unauthorized(_ context: RequestContext) -> APIFailure {
        var failure = APIFailure(401, "Unauthorized", message: "Unauthorized")
        let isUpgrade = context.headers["Connection"]?.lowercased().contains("upgrade") == true
        if context.headers["X-API-No-Challenge"]?.lowercased() != "true", !isUpgrade {
            let realm = "Enter API access key and secret key as username and password"
            failure.headers = [("WWW-Authenticate", "Basic realm=\"\(realm)\"")]
        }
        return failure
    }

    private func credentials(_ context: RequestContext) -> Caller? {
        guard let header = context.headers["Authorization"] else { return session(cookie(context)) }
        if header.lowercased().hasPrefix("bearer ") { return session(String(header.dropFirst(7))) }
        guard header.lowercased().hasPrefix("basic "), let bytes = Base64.decode(header.dropFirst(6)) else {
            return nil
        }
        let text = String(decoding: bytes, as: UTF8.self)
        guard let colon = text.firstIndex(of: ":") else { return nil }
        let (user, password) = (String(text[..<colon]), String(text[text.index(after: colon)...]))
        if user == "registrationToken" {
            guard let token = registrationToken(password), let owner = token.owner else { return nil }
            return Caller(account: owner, role: .token, scope: owner, authenticated: owner)
        }
        let kinds: Set<String> = ["apiKey", "agentApiKey", "password"]
        guard
            let key = living(.credential).first(where: {
                kinds.contains($0.type) && $0.isActive && $0["publicValue"].string == user
            }), key["secretValue"].string == password, let owner = key.owner
        else { return nil }
        return caller(owner)
    }

    private func cookie(_ context: RequestContext) -> String {
        for part in (context.headers["Cookie"] ?? "").split(separator: ";") {
            let text = part.drop { $0 == " " }
            if text.hasPrefix("token=") { return String(text.dropFirst(6)) }
        }
        return ""
    }

    private func session(_ token: String) -> Caller? {
        guard let session = sessions[token], session.until > now else { return nil }
        return caller(session.account)
    }

    /// An account as a caller, if it is in use.
    private func caller(_ number: Int) -> Caller? {
        guard let account = account(number), isUsable(account) else { return nil }
        let role: Role
        switch account["kind"].text {
        case "admin", "superadmin": role = .admin
        case "service": role = .service
        case "project": role = .project
        case "agent", "registeredAgent": role = .agent
        default: role = .user
        }
        return Caller(account: number, role: role, scope: nil, authenticated: number)
    }

    func isUsable(_ account: Entity) -> Bool {
        ["active", "upgrading", "updating-active"].contains(account.state) && account.removed == nil
    }

    private func enterScope(_ context: inout RequestContext) throws(APIFailure) {
        let named =
            context.scopePath.isEmpty
            ? context.headers["X-API-Project-Id"] ?? context.parameter("projectId")
            : context.scopePath.split(separator: "/").last.map(String.init)
        guard let named, !named.isEmpty else { return }
        let caller = context.caller
        guard let id = ObjectID(named.lowercased(), in: .account), let project = entities[id],
            project.type == "project", isUsable(project)
        else { throw .forbidden }
        switch caller.role {
        case .project, .token, .agent:
            guard caller.account == id.number || caller.scope == id.number else { throw .forbidden }
            context.caller.scope = id.number
        case .admin, .service:
            context.caller.scope = id.number
            context.caller.role = .owner
        case .user, .owner, .member, .restricted, .readonly:
            guard let role = memberRole(of: caller.account, in: id.number) else { throw .forbidden }
            context.caller.scope = id.number
            context.caller.role = role
        }
    }

    /// The best role that an account has in an environment.
    func memberRole(of account: Int, in project: Int) -> Role? {
        let own = identities(of: account)
        let roles = members(of: project).filter { member in
            own.contains { $0 == (member["externalIdType"].text, member["externalId"].text) }
        }.compactMap { Role(rawValue: $0["role"].text) }
        return [Role.owner, .member, .restricted, .readonly].first { roles.contains($0) }
    }

    /// By what an account can be a member: its id, and what an external provider calls it.
    private func identities(of number: Int) -> [(String, String)] {
        var all = [("rancher_id", ObjectID(.account, number).text())]
        if let account = account(number), let id = account["externalId"].string,
            let type = account["externalIdType"].string
        {
            all.append((type, id))
        }
        return all
    }

    // MARK: - What is visible

    func matches(_ entity: Entity, _ type: ObjectType) -> Bool {
        entity.type == type.name
            || ObjectType.byName[entity.type]?.base == type.name && type.base == type.name
    }

    /// Whether the caller may know that an object exists.
    func isVisible(_ entity: Entity, _ context: RequestContext) -> Bool {
        let caller = context.caller
        switch entity.type {
        case "project": return isVisibleProject(entity, caller)
        case "account":
            return caller.role.isAdministrative || entity.id.number == caller.authenticated
        case "projectTemplate" where entity["isPublic"].boolean == true: return true
        default: break
        }
        if let scope = caller.scope {
            if caller.role == .token { return entity.type == "register" && entity.owner == scope }
            // A person sees the own keys from everywhere.
            return entity.owner == scope
        }
        guard let owner = entity.owner else { return caller.role.isAdministrative }
        if caller.role.isAdministrative || owner == caller.account { return true }
        if caller.role == .agent {
            return account(caller.account)?["agentResourcesAccountId"].string == ObjectID(.account, owner).text()
        }
        return memberRole(of: caller.account, in: owner) != nil
    }

    func isVisibleProject(_ project: Entity, _ caller: Caller) -> Bool {
        if let scope = caller.scope { return project.id.number == scope }
        return caller.role.isAdministrative || memberRole(of: caller.account, in: project.id.number) != nil
    }

    /// Whether the caller may manage an environment itself.
    func isOwner(of project: Entity, _ caller: Caller) -> Bool {
        switch caller.role {
        case .admin, .service, .owner: true
        case .user: memberRole(of: caller.account, in: project.id.number) == .owner
        case .project, .member, .restricted, .readonly, .agent, .token: false
        }
    }
}
