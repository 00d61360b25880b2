import AWSClient
import MusterModel
import ProviderKit

// What listeners and rules do with a request. Actions run in the order of their list; the last one answers.

struct ListenerAction: ArgumentBlock {
    var type = ""
    var targetGroup: String?
    var forward: Forward?
    var redirect: Redirect?
    var fixedResponse: FixedResponse?
    var oidc: OIDC?
    var cognito: Cognito?

    static let fields: [Field<Self>] = [
        .required(
            "type", \.type,
            constraints: [
                .allowed(["forward", "redirect", "fixed-response", "authenticate-oidc", "authenticate-cognito"])
            ], "What is done."),
        .argument(
            "target_group_arn", \.targetGroup, reference: .targetGroup, constraints: [.conflictsWith(["forward"])],
            "Where requests go, for forward to one group."),
        .argument("forward", \.forward, "Where requests go, for forward by shares."),
        .argument("redirect", \.redirect, "Where clients are sent, for redirect."),
        .argument("fixed_response", \.fixedResponse, "The answer, for fixed-response."),
        .argument("authenticate_oidc", \.oidc, "Who may pass, for authenticate-oidc."),
        .argument("authenticate_cognito", \.cognito, "Who may pass, for authenticate-cognito."),
    ]

    struct Forward: ArgumentBlock {
        var groups: [Share] = []
        var stickiness: Stickiness?

        static let fields: [Field<Self>] = [
            .required(
                "target_group", \.groups, type: .set(.object(Share.fields.map(\.schema)), key: "arn"),
                constraints: [.count(1, 5)], "The groups."),
            .argument(
                "stickiness", \.stickiness, absence: .means(["enabled": false]),
                "Whether a client stays with its group."),
        ]
    }

    struct Share: ArgumentBlock {
        var group = ""
        var weight: Int?

        static let fields: [Field<Self>] = [
            .required("arn", \.group, reference: .targetGroup, "The group."),
            .argument("weight", \.weight, absence: .means(1), constraints: [.range(0, 999)], "Its share; 0 is none."),
        ]
    }

    struct Stickiness: ArgumentBlock {
        var isEnabled: Bool?
        var duration: Int?

        static let fields: [Field<Self>] = [
            .argument("enabled", \.isEnabled, absence: .means(false), "Whether it is so."),
            .argument("duration", \.duration, constraints: [.range(1, 604_800)], "For how many seconds."),
        ]
    }

    struct Redirect: ArgumentBlock {
        var scheme: String?
        var host: String?
        var port: String?
        var path: String?
        var query: String?
        var statusCode = ""

        static let fields: [Field<Self>] = [
            .argument(
                "protocol", \.scheme, absence: .means("#{protocol}"),
                constraints: [.allowed(["HTTP", "HTTPS", "#{protocol}"])], "The protocol."),
            .argument(
                "host", \.host, absence: .means("#{host}"), semantics: .caseInsensitive,
                constraints: [.length(1, 128)], "The host."),
            .argument("port", \.port, absence: .means("#{port}"), "The port."),
            .argument(
                "path", \.path, absence: .means("/#{path}"), constraints: [.length(1, 128)],
                "The path, beginning with /."),
            .argument(
                "query", \.query, absence: .means("#{query}"), constraints: [.length(0, 128)], "The query, without ?."),
            .required(
                "status_code", \.statusCode, constraints: [.allowed(["HTTP_301", "HTTP_302"])],
                "Whether for good (HTTP_301) or for now (HTTP_302)."),
        ]
    }

    struct FixedResponse: ArgumentBlock {
        var contentType: String?
        var body: String?
        var statusCode = ""

        static let fields: [Field<Self>] = [
            .argument(
                "content_type", \.contentType, absence: .means("text/plain"),
                constraints: [
                    .allowed(["text/plain", "text/css", "text/html", "application/javascript", "application/json"])
                ], "What the text is."),
            .argument(
                "message_body", \.body, absence: .means(""), constraints: [.length(0, 1024)], "The text."),
            .required(
                "status_code", \.statusCode, constraints: [.pattern("[245][0-9][0-9]", "2xx, 4xx or 5xx")],
                "The status, such as 404."),
        ]
    }

    struct OIDC: Authenticating {
        var issuer = ""
        var authorizationEndpoint = ""
        var tokenEndpoint = ""
        var userInfoEndpoint = ""
        var clientID = ""
        var session = Session()

        static let fields: [Field<Self>] =
            [
                .required("issuer", \.issuer, "The provider, as it names itself."),
                .required("authorization_endpoint", \.authorizationEndpoint, "Its authorization endpoint."),
                .required("token_endpoint", \.tokenEndpoint, "Its token endpoint."),
                .required("user_info_endpoint", \.userInfoEndpoint, "Its user info endpoint."),
                .required(
                    "client_id", \.clientID, "The client's id; its secret is the argument oidc_client_secret."),
            ] + sessionFields
    }

    struct Cognito: Authenticating {
        var userPoolARN = ""
        var clientID = ""
        var domain = ""
        var session = Session()

        static let fields: [Field<Self>] =
            [
                .required("user_pool_arn", \.userPoolARN, "The user pool."),
                .required("user_pool_client_id", \.clientID, "The pool's client."),
                .required("user_pool_domain", \.domain, "The pool's domain."),
            ] + sessionFields
    }

    /// What both ways of authentication have.
    struct Session: Sendable, Equatable {
        var cookieName: String?
        var scope: String?
        var timeout: Int?
        var onUnauthenticated: String?
        var extraParameters: [String: String]?
    }
}

/// A block of a way of authentication.
protocol Authenticating: ArgumentBlock {
    var session: ListenerAction.Session { get set }
}

extension Authenticating {
    fileprivate static var sessionFields: [Field<Self>] {
        [
            .argument(
                "session_cookie_name", \.session.cookieName, absence: .means("AWSELBAuthSessionCookie"),
                "The cookie that keeps the session."),
            .argument("scope", \.session.scope, absence: .means("openid"), "What is asked for."),
            .argument(
                "session_timeout", \.session.timeout, absence: .means(604_800), constraints: [.range(1, 604_800)],
                "For how many seconds a session lasts."),
            .argument(
                "on_unauthenticated_request", \.session.onUnauthenticated, absence: .means("authenticate"),
                constraints: [.allowed(["authenticate", "allow", "deny"])], "What happens to who is not known."),
            .argument(
                "authentication_request_extra_params", \.session.extraParameters, absence: .means([:]),
                "More parameters of the request, at most ten."),
        ]
    }
}

// MARK: - Wire format

extension ListenerAction {
    /// The secret of an OIDC client, which AWS never tells back.
    enum ClientSecret {
        case new(String)
        /// The one that AWS has already.
        case kept
        case none

        init(old: String?, new: String?, isCreated: Bool) {
            guard let new = new.filled else {
                self = isCreated ? .none : .kept
                return
            }
            self = !isCreated && new == old ? .kept : .new(new)
        }
    }

    static func wire(_ actions: [ListenerAction], secret: ClientSecret) -> AWSInput {
        .list(
            actions.enumerated().map { index, action in
                // A single action needs no order.
                action.wire(order: actions.count > 1 ? index + 1 : nil, secret)
            })
    }

    private func wire(order: Int?, _ secret: ClientSecret) -> AWSInput {
        [
            "Type": .string(type), "Order": .optional(order), "TargetGroupArn": .nonEmpty(targetGroup),
            "ForwardConfig": .optional(
                forward.map { forward in
                    [
                        "TargetGroups": .list(
                            forward.groups.sorted { $0.group < $1.group }.map {
                                ["TargetGroupArn": .string($0.group), "Weight": .integer($0.weight ?? 1)]
                            }),
                        "TargetGroupStickinessConfig": .optional(
                            forward.stickiness.map {
                                [
                                    "Enabled": .boolean($0.isEnabled ?? false),
                                    "DurationSeconds": .optional($0.duration),
                                ]
                            }),
                    ]
                }),
            "RedirectConfig": .optional(
                redirect.map {
                    [
                        "Protocol": .nonEmpty($0.scheme), "Host": .nonEmpty($0.host), "Port": .nonEmpty($0.port),
                        "Path": .nonEmpty($0.path), "Query": .optional($0.query),
                        "StatusCode": .string($0.statusCode),
                    ]
                }),
            "FixedResponseConfig": .optional(
                fixedResponse.map {
                    [
                        "ContentType": .string($0.contentType.filled ?? "text/plain"),
                        "MessageBody": .nonEmpty($0.body), "StatusCode": .string($0.statusCode),
                    ]
                }),
            "AuthenticateOidcConfig": .optional(oidc.map { wire($0, secret) }),
            "AuthenticateCognitoConfig": .optional(
                cognito.map {
                    ListenerAction.wire(
                        [
                            .init("UserPoolArn", .string($0.userPoolARN)),
                            .init("UserPoolClientId", .string($0.clientID)),
                            .init("UserPoolDomain", .string($0.domain)),
                        ], $0.session)
                }),
        ]
    }

    private func wire(_ oidc: OIDC, _ secret: ClientSecret) -> AWSInput {
        var fields: [AWSInput.Field] = [
            .init("Issuer", .string(oidc.issuer)),
            .init("AuthorizationEndpoint", .string(oidc.authorizationEndpoint)),
            .init("TokenEndpoint", .string(oidc.tokenEndpoint)),
            .init("UserInfoEndpoint", .string(oidc.userInfoEndpoint)), .init("ClientId", .string(oidc.clientID)),
        ]
        switch secret {
        case .new(let text): fields.append(.init("ClientSecret", .secret(Secret(text))))
        case .kept: fields.append(.init("UseExistingClientSecret", true))
        case .none: break
        }
        return ListenerAction.wire(fields, oidc.session)
    }

    private static func wire(_ fields: [AWSInput.Field], _ session: Session) -> AWSInput {
        .structure(
            fields + [
                .init("SessionCookieName", .nonEmpty(session.cookieName)), .init("Scope", .nonEmpty(session.scope)),
                .init("SessionTimeout", .optional(session.timeout)),
                .init("OnUnauthenticatedRequest", .nonEmpty(session.onUnauthenticated)),
                .init(
                    "AuthenticationRequestExtraParams",
                    session.extraParameters.map { $0.isEmpty ? .absent : .map($0) } ?? .absent),
            ])
    }

    /// Actions as AWS tells them, in their order.
    static func observed(_ items: [XMLElement]) -> [ListenerAction] {
        items.sorted { ($0["Order"].integer ?? 0) < ($1["Order"].integer ?? 0) }.map(ListenerAction.init)
    }

    private init(_ item: XMLElement) {
        self.init()
        type = item["Type"].text
        let shares = item["ForwardConfig"]["TargetGroups"].items.map {
            Share(group: $0["TargetGroupArn"].text, weight: $0["Weight"].integer ?? 1)
        }
        // AWS tells a single group both ways; several it tells only by their shares.
        targetGroup = item["TargetGroupArn"].nonEmpty ?? (shares.count == 1 ? shares[0].group : "")
        if type == "forward" {
            let sticky = item["ForwardConfig"]["TargetGroupStickinessConfig"]
            forward = Forward(
                groups: shares.isEmpty ? [Share(group: targetGroup ?? "", weight: 1)] : shares,
                stickiness: Stickiness(
                    isEnabled: sticky["Enabled"].boolean ?? false, duration: sticky["DurationSeconds"].integer))
        }
        if item["RedirectConfig"].exists { redirect = Redirect(item["RedirectConfig"]) }
        let answer = item["FixedResponseConfig"]
        if answer.exists {
            fixedResponse = FixedResponse(
                contentType: answer["ContentType"].nonEmpty ?? "text/plain", body: answer["MessageBody"].text,
                statusCode: answer["StatusCode"].text)
        }
        if item["AuthenticateOidcConfig"].exists { oidc = OIDC(item["AuthenticateOidcConfig"]) }
        if item["AuthenticateCognitoConfig"].exists { cognito = Cognito(item["AuthenticateCognitoConfig"]) }
    }
}

extension ListenerAction.Redirect {
    fileprivate init(_ item: XMLElement) {
        scheme = item["Protocol"].nonEmpty ?? "#{protocol}"
        host = item["Host"].nonEmpty ?? "#{host}"
        port = item["Port"].nonEmpty ?? "#{port}"
        path = item["Path"].nonEmpty ?? "/#{path}"
        query = item["Query"].string ?? "#{query}"
        statusCode = item["StatusCode"].text
    }
}

extension ListenerAction.OIDC {
    fileprivate init(_ item: XMLElement) {
        issuer = item["Issuer"].text
        authorizationEndpoint = item["AuthorizationEndpoint"].text
        tokenEndpoint = item["TokenEndpoint"].text
        userInfoEndpoint = item["UserInfoEndpoint"].text
        clientID = item["ClientId"].text
        session = ListenerAction.Session(item)
    }
}

extension ListenerAction.Cognito {
    fileprivate init(_ item: XMLElement) {
        userPoolARN = item["UserPoolArn"].text
        clientID = item["UserPoolClientId"].text
        domain = item["UserPoolDomain"].text
        session = ListenerAction.Session(item)
    }
}

extension ListenerAction.Session {
    fileprivate init(_ item: XMLElement) {
        cookieName = item["SessionCookieName"].nonEmpty ?? "AWSELBAuthSessionCookie"
        scope = item["Scope"].nonEmpty ?? "openid"
        timeout = item["SessionTimeout"].integer ?? 604_800
        onUnauthenticated = item["OnUnauthenticatedRequest"].nonEmpty ?? "authenticate"
        extraParameters = Dictionary(
            item["AuthenticationRequestExtraParams"].entries.map { ($0.key, $0.value.text) },
            uniquingKeysWith: { first, _ in first })
    }
}
