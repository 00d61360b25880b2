import HTTPTransport
import MusterModel

/// A failed call, classed once for everything above.
package struct SpotError: Error, Sendable, Equatable {
    package enum Kind: Sendable, Equatable {
        case notFound
        case alreadyExists
        /// Something else is being done with it.
        case conflict
        case throttled
        case notPermitted
        case badCredentials
        case invalid
        /// The service failed, and nothing happened.
        case unavailable
        case unreachable
        case network
        case outcomeUnknown
        /// The answer does not come from Spot.
        case notSpot
    }

    package var kind: Kind
    /// A sentence.
    package var message: String
    /// `POST /aws/ec2/group`.
    package var operation: String
    /// Spot's word for it, such as `VALIDATION_ERROR`.
    package var code: String?
    package var status: Int?
    /// The id that Spot gave the request.
    package var requestID: String?
    /// How long the service asks to wait.
    package var wait: Duration?

    package init(
        _ kind: Kind, _ message: String, operation: String, code: String? = nil, status: Int? = nil,
        requestID: String? = nil, wait: Duration? = nil
    ) {
        self.kind = kind
        self.message = message
        self.operation = operation
        self.code = code
        self.status = status
        self.requestID = requestID
        self.wait = wait
    }
}

extension SpotError {
    init(_ error: HTTPError, operation: String, endpoint: SpotEndpoint, isMutating: Bool) {
        let kind: Kind
        switch error {
        case .couldNotConnect, .couldNotResolve, .timedOut(sent: false): kind = .unreachable
        case .cancelled(sent: false): kind = .network
        default: kind = isMutating && error.mayHaveBeenProcessed ? .outcomeUnknown : .network
        }
        self.init(kind, "\(endpoint) could not be asked: \(error).", operation: operation)
    }

    /// An answer that is no success.
    init(_ response: HTTPResponse, body: Value?, operation: String, endpoint: SpotEndpoint, isMutating: Bool) {
        let status = response.status
        guard let body, case .map = body["response"] else {
            self = .foreign(response, operation: operation, endpoint: endpoint, isMutating: isMutating)
            return
        }
        let errors = body["response"]["errors"].list ?? []
        let code = errors.first?["code"].string
        self.init(
            Kind(status: status, code: code, isMutating: isMutating), SpotError.sentence(errors, status: status),
            operation: operation, code: code, status: status, requestID: body["request"]["id"].string,
            wait: SpotError.wait(response.headers["Retry-After"]))
    }

    /// An answer that somebody between here and Spot gave.
    static func foreign(
        _ response: HTTPResponse, operation: String, endpoint: SpotEndpoint, isMutating: Bool
    ) -> SpotError {
        let status = response.status
        if status == 429 {
            return SpotError(
                .throttled, "\(endpoint) asks for fewer requests.", operation: operation, status: status,
                wait: wait(response.headers["Retry-After"]))
        }
        if status >= 500 {
            // A balancer without anybody behind it answers 503; otherwise the service may have had the request.
            return SpotError(
                isMutating && status != 503 ? .outcomeUnknown : .unavailable,
                "What stands before \(endpoint) answers \(status).", operation: operation, status: status)
        }
        if let target = response.headers["Location"], (300..<400).contains(status) {
            let place = SpotEndpoint(String(target.prefix { $0 != "?" && $0 != "#" }))?.text ?? "another page"
            return SpotError(
                .notSpot, "\(endpoint) sends to \(place) instead.", operation: operation, status: status)
        }
        let words = Redaction.excerpt(response.body)
        let said = words.isEmpty ? "with nothing in it" : "that says: \(words)"
        return SpotError(
            .notSpot, "What \(endpoint) answers (\(status)) does not come from Spot: a page \(said)",
            operation: operation, status: status)
    }

    /// All that is wrong, each with its field.
    private static func sentence(_ errors: [Value], status: Int) -> String {
        let sentences = errors.compactMap { error -> String? in
            guard let text = error["message"].string ?? error["code"].string, !text.isEmpty else { return nil }
            return error["field"].string.map { "\($0): \(text)" } ?? text
        }
        return sentences.isEmpty ? "Spot answers \(status)." : "Spot says: \(sentences.joined(separator: "; "))."
    }

    /// Seconds; a date is not waited for.
    private static func wait(_ header: String?) -> Duration? {
        header.flatMap { Int($0) }.flatMap { $0 > 0 ? .seconds($0) : nil }
    }
}

extension SpotError.Kind {
    init(status: Int, code: String?, isMutating: Bool) {
        let code = code ?? ""
        // Which status stands beside the code for a group that is gone is not documented.
        if status < 500, code.hasSuffix("DOESNT_EXIST") || code.hasSuffix("DOES_NOT_EXIST") || code == "NOT_FOUND" {
            self = .notFound
            return
        }
        switch status {
        case 401: self = .badCredentials
        case 403: self = .notPermitted
        case 404: self = .notFound
        case 409: self = code.contains("EXIST") ? .alreadyExists : .conflict
        case 429: self = .throttled
        case 503: self = .unavailable
        case 500...: self = isMutating ? .outcomeUnknown : .unavailable
        default: self = .invalid
        }
    }
}
