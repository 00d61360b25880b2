import HTTPTransport
import MusterModel

/// A failed call, classed once for everything above.
package struct RancherError: Error, Sendable, Equatable {
    package enum Kind: Sendable, Equatable {
        case notFound
        /// A name, an address or a key is taken.
        case alreadyExists
        /// The object's state does not allow it now.
        case wrongState
        case throttled
        case notPermitted
        case badCredentials
        case invalid
        /// The server does not answer yet, or failed, and nothing happened.
        case unavailable
        /// Nobody answers at the address: the server may still be starting.
        case unreachable
        case network
        case outcomeUnknown
        /// The answer does not come from Rancher.
        case notRancher
    }

    package var kind: Kind
    /// A sentence.
    package var message: String
    /// `POST /v2-beta/projects`.
    package var operation: String
    /// Rancher's word for it, such as `NotUnique`.
    package var code: String?
    package var status: Int?
    /// The field that a validation complains about.
    package var field: String?
    /// The id that Rancher gave the error.
    package var id: String?

    package init(
        _ kind: Kind, _ message: String, operation: String, code: String? = nil, status: Int? = nil,
        field: String? = nil, id: String? = nil
    ) {
        self.kind = kind
        self.message = message
        self.operation = operation
        self.code = code
        self.status = status
        self.field = field
        self.id = id
    }
}

extension RancherError {
    init(_ error: HTTPError, operation: String, server: RancherServerURL, isMutating: Bool) {
        let kind: Kind
        switch error {
        case .couldNotConnect, .couldNotResolve, .timedOut(sent: false): kind = .unreachable
        case .cancelled(sent: false): kind = .network
        default: kind = isMutating && error.mayHaveBeenProcessed ? .outcomeUnknown : .network
        }
        self.init(kind, "\(server) could not be asked: \(error).", operation: operation)
    }

    /// An answer that is no success.
    init(_ response: HTTPResponse, body: Value?, operation: String, server: RancherServerURL, isMutating: Bool) {
        let status = response.status
        guard let body, body["type"].string == "error" || body["code"].string != nil else {
            self = .foreign(response, operation: operation, server: server, isMutating: isMutating)
            return
        }
        let code = body["code"].string
        let field = body["fieldName"].string
        self.init(
            Kind(status: status, code: code, isMutating: isMutating),
            RancherError.sentence(status: status, code: code, field: field, body), operation: operation, code: code,
            status: status, field: field, id: body["id"].string)
    }

    /// An answer that somebody between here and Rancher gave, or a server that is not up yet.
    static func foreign(
        _ response: HTTPResponse, operation: String, server: RancherServerURL, isMutating: Bool
    ) -> RancherError {
        let status = response.status
        if [502, 503, 504].contains(status) {
            // A balancer without a healthy node answers 503; after the other two the node may have had the request.
            let isUnknown = isMutating && status != 503
            return RancherError(
                isUnknown ? .outcomeUnknown : .unavailable,
                "\(server) is not up: what stands before it answers \(status).", operation: operation, status: status)
        }
        if let target = response.headers["Location"], (300..<400).contains(status) {
            return RancherError(
                .notRancher, "\(server) sends to \(RancherServerURL(target)?.text ?? "another page") instead.",
                operation: operation, status: status)
        }
        let words = Redaction.excerpt(response.body)
        let said = words.isEmpty ? "with nothing in it" : "that says: \(words)"
        return RancherError(
            .notRancher, "What \(server) answers (\(status)) does not come from Rancher: a page \(said)",
            operation: operation, status: status)
    }

    private static func sentence(status: Int, code: String?, field: String?, _ body: Value) -> String {
        let told = [body["message"].string, body["detail"].string].compactMap { $0 }.filter { !$0.isEmpty }
        let said = told.isEmpty ? "" : " (\(told.joined(separator: ": ")))"
        let name = field.map { "\"\($0)\"" } ?? "a field"
        switch code {
        case "MissingRequired", "NotNullable": return "Rancher wants \(name), which is missing\(said)."
        case "NotUnique": return "\(name) has a value that is taken already\(said)."
        case "ServerAddressUsed": return "The environment has a registry with this address already\(said)."
        case "InvalidReference": return "\(name) names something that is not there\(said)."
        case "InvalidCharacters": return "\(name) has a character that Rancher does not take there\(said)."
        case "InvalidOption": return "\(name) has a value that Rancher does not know\(said)."
        case "InvalidFormat", "InvalidDateFormat", "InvalidBase64": return "\(name) is not in the right form\(said)."
        case "MinLengthExceeded": return "\(name) is too short\(said)."
        case "MaxLengthExceeded": return "\(name) is too long\(said)."
        case "MinLimitExceeded": return "\(name) is too small\(said)."
        case "MaxLimitExceeded": return "\(name) is too large\(said)."
        case "ActionNotAvailable": return "The object's state does not allow this action\(said)."
        case "Unauthorized": return "Rancher does not accept the API key\(said)."
        case "Forbidden": return "The API key may not do this, or there is no such environment\(said)."
        default: return "Rancher says \(code ?? String(status))\(said)."
        }
    }
}

extension RancherError.Kind {
    init(status: Int, code: String?, isMutating: Bool) {
        switch code {
        case "NotUnique", "ServerAddressUsed", "UsernameIsTaken": self = .alreadyExists
        case "ActionNotAvailable", "Conflict": self = .wrongState
        case "MultipleKeys": self = .badCredentials
        default:
            switch status {
            case 401: self = .badCredentials
            case 403: self = .notPermitted
            case 404: self = .notFound
            case 405, 409: self = .wrongState
            case 429: self = .throttled
            case 503: self = .unavailable
            case 500...: self = isMutating ? .outcomeUnknown : .unavailable
            default: self = .invalid
            }
        }
    }
}
