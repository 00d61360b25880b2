import HTTPTransport

extension RancherServer {
    /// Types that have a way of their own; `nil` where the general one goes.
    mutating func specialAnswer(_ type: ObjectType, _ context: RequestContext) throws(APIFailure) -> HTTPResponse? {
        let isList = context.segments.count == 1
        switch (type.name, context.method) {
        case ("setting", "GET"): return try settingAnswer(context)
        case ("setting", _): return try settingChange(context)
        case ("project", "GET") where isList: return answered(projectList(context), context)
        case ("project", "DELETE") where !isList:
            let project = try object(context.segments[1], type, context)
            return answered(try removeProject(project, context), context)
        case ("register", "GET") where isList: return answered(registrations(context), context)
        case ("identity", "GET") where isList: return answered(identities(context), context)
        case ("localAuthConfig", "GET") where isList: return answered(localAuthentication(context), context)
        case ("localAuthConfig", "POST") where isList:
            return answered(try setLocalAuthentication(context), context, status: 201)
        case ("githubconfig", "GET") where isList: return answered(githubAnswer(context), context)
        case ("githubconfig", "POST") where isList: return answered(try setGitHub(context), context, status: 201)
        case ("identity", _), ("localAuthConfig", _), ("githubconfig", _): throw .methodNotAllowed
        default: return nil
        }
    }
}
