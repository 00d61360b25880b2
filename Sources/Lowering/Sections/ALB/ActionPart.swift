import Diagnostics
import MusterModel

/// Lowers what a listener or a rule does with a request, from the short forms or from the verbatim one.
struct ActionLowering {
    /// The short forms of the action that answers.
    static let answers = ["forward", "redirect", "fixed_response"]

    static let fields: [ArgumentSchema] = [
        ArgumentSchema(
            "forward", .anything, constraints: [.conflictsWith(["redirect", "fixed_response"])],
            "The target group; or several, as a list of maps with target_group and weight; or a map with target_groups "
                + "and stickiness."),
        ArgumentSchema(
            "redirect", .anything, constraints: [.conflictsWith(["fixed_response"])],
            "`https`: the same over HTTPS, for good; or a map with protocol, host, port, path, query and status_code."),
        ArgumentSchema(
            "fixed_response", .anything, "A status; or a map with status_code, content_type and message_body."),
        ArgumentSchema(
            "authenticate_oidc", .anything,
            "Who may pass: issuer, the endpoints, client_id, client_secret and the session."),
        ArgumentSchema("authenticate_cognito", .anything, "Who may pass: the user pool, its client and domain."),
    ]

    private let definition: Definition
    private(set) var result = LoweringResult()
    /// The secret of `authenticate_oidc`, which is an argument of its own.
    private(set) var clientSecret: LocatedValue?

    init(_ definition: Definition) { self.definition = definition }

    /// The actions with the place of the one that answers; nil after a complaint.
    ///
    /// - Parameter verbatim: the field with the actions as AWS has them.
    mutating func lower(_ body: LocatedValue, verbatim: String) -> (Value, SourceRange)? {
        if let list = body[verbatim] {
            let elements = list.elements?.map {
                result.read($0, as: ActionLowering.actionFields, of: verbatim, stack: definition.stack).value
            }
            return (elements.map { .list($0) } ?? list.value, list.range)
        }
        var actions: [Value] = []
        if let form = body["authenticate_oidc"] { actions.append(authenticate(form)) }
        if let form = body["authenticate_cognito"] {
            let cognito = result.read(
                form, as: ActionLowering.cognitoFields, of: "authenticate_cognito", stack: definition.stack)
            actions.append(.map(["type": "authenticate-cognito", "authenticate_cognito": cognito.value]))
        }
        if let form = body["forward"] {
            actions.append(forward(form))
            return (.list(actions), form.range)
        }
        if let form = body["redirect"] {
            actions.append(.map(["type": "redirect", "redirect": redirect(form)]))
            return (.list(actions), form.range)
        }
        if let form = body["fixed_response"] {
            actions.append(.map(["type": "fixed-response", "fixed_response": fixedResponse(form)]))
            return (.list(actions), form.range)
        }
        result.diagnostics.append(.noAction(verbatim, at: body.range))
        return nil
    }

    // MARK: Forward

    private mutating func forward(_ form: LocatedValue) -> Value {
        switch form.value {
        case .string, .deferred: return .map(["type": "forward", "target_group_arn": group(form)])
        case .list: return .map(["type": "forward", "forward": .map(["target_group": shares(form)])])
        default:
            let body = result.read(
                form, as: ActionLowering.forwardFields, of: "forward", stack: definition.stack,
                forms: "a target group, a list of them or a map")
            var members: [String: Value] = [:]
            if let groups = body["target_groups"] ?? body["target_group"] { members["target_group"] = shares(groups) }
            if let stickiness = body["stickiness"] { members["stickiness"] = stickiness.value.withoutNulls }
            return .map(["type": "forward", "forward": .map(members)])
        }
    }

    private mutating func shares(_ list: LocatedValue) -> Value {
        guard let elements = list.elements else { return list.value }
        return .list(
            elements.map { element in
                switch element.value {
                case .string, .deferred: return .map(["arn": group(element)])
                default:
                    let body = result.read(
                        element, as: ActionLowering.shareFields, of: "forward", stack: definition.stack)
                    guard let name = body["target_group"] ?? body["arn"] else {
                        result.diagnostics.append(.noTargetGroup(at: element.range))
                        return .map([:])
                    }
                    var share: [String: Value] = ["arn": name.value]
                    if let weight = body["weight"] { share["weight"] = weight.value }
                    return .map(share)
                }
            })
    }

    private func group(_ value: LocatedValue) -> Value {
        guard let text = value.value.string, !text.hasPrefix("arn:") else { return value.value }
        return .named(.targetGroup, text, stack: definition.stack, at: value.range)
    }

    // MARK: Redirect, answer, authentication

    private mutating func redirect(_ form: LocatedValue) -> Value {
        if form.value == "https" {
            return .map(["protocol": "HTTPS", "port": "443", "status_code": "HTTP_301"])
        }
        let body = result.read(
            form, as: ActionLowering.redirectFields, of: "redirect", stack: definition.stack,
            forms: "\"https\" or a map")
        var members = body.value.withoutNulls.map ?? [:]
        switch members["status_code"]?.string {
        case nil: members["status_code"] = "HTTP_301"
        case "301", "302": members["status_code"] = members["status_code"]?.string.map { .string("HTTP_\($0)") }
        default: break
        }
        return .map(members)
    }

    private mutating func fixedResponse(_ form: LocatedValue) -> Value {
        switch form.value {
        case .integer(let status): return .map(["status_code": .string(String(status))])
        case .string, .deferred: return .map(["status_code": form.value])
        default:
            return result.read(
                form, as: ActionLowering.responseFields, of: "fixed_response", stack: definition.stack,
                forms: "a status or a map"
            ).value.withoutNulls
        }
    }

    private mutating func authenticate(_ form: LocatedValue) -> Value {
        let body = result.read(
            form, as: ActionLowering.oidcFields, of: "authenticate_oidc", stack: definition.stack)
        clientSecret = body["client_secret"]
        var members = body.value.withoutNulls.map ?? [:]
        members["client_secret"] = nil
        return .map(["type": "authenticate-oidc", "authenticate_oidc": .map(members)])
    }

    // MARK: Fields

    private static let stickinessFields: [ArgumentSchema] = [
        ArgumentSchema("enabled", .boolean, "Whether it is so."),
        ArgumentSchema("duration", .integer, constraints: [.range(1, 604_800)], "For how many seconds."),
    ]

    private static let forwardFields: [ArgumentSchema] = [
        ArgumentSchema("target_groups", .anything, "The groups."),
        ArgumentSchema("target_group", .anything, "The same."),
        ArgumentSchema("stickiness", .object(stickinessFields), "Whether a client stays with its group."),
    ]

    private static let shareFields: [ArgumentSchema] = [
        ArgumentSchema("target_group", .string, reference: .targetGroup, "The group."),
        ArgumentSchema("arn", .string, reference: .targetGroup, "The same."),
        ArgumentSchema("weight", .integer, constraints: [.range(0, 999)], "Its share."),
    ]

    private static let redirectFields: [ArgumentSchema] = [
        ArgumentSchema(
            "protocol", .string, constraints: [.allowed(["HTTP", "HTTPS", "#{protocol}"])], "The protocol."),
        ArgumentSchema("host", .string, "The host."), ArgumentSchema("port", .string, "The port."),
        ArgumentSchema("path", .string, "The path."), ArgumentSchema("query", .string, "The query."),
        ArgumentSchema(
            "status_code", .string, constraints: [.allowed(["HTTP_301", "HTTP_302", "301", "302"])],
            "HTTP_301 if it is left out."),
    ]

    private static let responseFields: [ArgumentSchema] = [
        ArgumentSchema("status_code", .string, isRequired: true, "The status."),
        ArgumentSchema(
            "content_type", .string,
            constraints: [
                .allowed(["text/plain", "text/css", "text/html", "application/javascript", "application/json"])
            ], "What the text is."),
        ArgumentSchema("message_body", .string, "The text."),
    ]

    private static let sessionFields: [ArgumentSchema] = [
        ArgumentSchema("session_cookie_name", .string, "The cookie that keeps the session."),
        ArgumentSchema("scope", .string, "What is asked for."),
        ArgumentSchema("session_timeout", .integer, "For how many seconds a session lasts."),
        ArgumentSchema(
            "on_unauthenticated_request", .string, constraints: [.allowed(["authenticate", "allow", "deny"])],
            "What happens to who is not known."),
        ArgumentSchema("authentication_request_extra_params", .map(.string), "More parameters of the request."),
    ]

    private static let oidcFields: [ArgumentSchema] =
        ["issuer", "authorization_endpoint", "token_endpoint", "user_info_endpoint", "client_id"].map {
            ArgumentSchema($0, .string, isRequired: true, "Of the provider.")
        } + [ArgumentSchema("client_secret", .string, isSensitive: true, "The client's secret.")] + sessionFields

    private static let cognitoFields: [ArgumentSchema] =
        ["user_pool_arn", "user_pool_client_id", "user_pool_domain"].map {
            ArgumentSchema($0, .string, isRequired: true, "Of the user pool.")
        } + sessionFields

    /// One action as AWS has it.
    private static let actionFields: [ArgumentSchema] = [
        ArgumentSchema(
            "type", .string, isRequired: true,
            constraints: [
                .allowed(["forward", "redirect", "fixed-response", "authenticate-oidc", "authenticate-cognito"])
            ], "What is done."),
        ArgumentSchema("target_group_arn", .string, reference: .targetGroup, "The target group."),
        ArgumentSchema(
            "forward",
            .object([
                ArgumentSchema(
                    "target_group",
                    .list(
                        .object([
                            ArgumentSchema("arn", .string, isRequired: true, reference: .targetGroup, "The group."),
                            ArgumentSchema("weight", .integer, "Its share."),
                        ])), isRequired: true, "The groups."),
                ArgumentSchema("stickiness", .object(stickinessFields), "Whether a client stays with its group."),
            ]), "Several groups."),
        ArgumentSchema("redirect", .object(redirectFields), "Where clients are sent."),
        ArgumentSchema("fixed_response", .object(responseFields), "The answer."),
        ArgumentSchema(
            "authenticate_oidc", .object(oidcFields.filter { $0.name != "client_secret" }), "Who may pass."),
        ArgumentSchema("authenticate_cognito", .object(cognitoFields), "Who may pass."),
    ]
}

extension Diagnostic {
    fileprivate static func noAction(_ verbatim: String, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            code: "spec.missing-argument", summary: "Missing argument",
            detail: "It does not say what is done with a request.", at: range,
            hint: "Say \"forward\", \"redirect\", \"fixed_response\" or \(verbatim.quoted).")
    }

    fileprivate static func noTargetGroup(at range: SourceRange) -> Diagnostic {
        Diagnostic(
            code: "spec.missing-argument", summary: "Missing argument", detail: "forward needs \"target_group\".",
            at: range)
    }
}
