/// Why no complete response arrived.
///
/// `mayHaveBeenProcessed` is what a caller that changes something must look at: when it is false the server cannot
/// have acted on the request, so sending it again is safe.
package enum HTTPError: Error, Sendable, Equatable {
    /// The request could not be expressed (a malformed URL, a line break in a header).
    case invalidRequest(String)
    /// The name of the host, or of the proxy, has no address.
    case couldNotResolve(String)
    /// Nobody answered there, or the proxy refused to connect.
    case couldNotConnect(String)
    /// No trustworthy TLS connection: certificate, host name or protocol.
    case tls(String)
    /// A limit of time passed; `sent` says whether any of the request had left.
    case timedOut(sent: Bool)
    /// The connection broke before the response was complete.
    case connectionLost(sent: Bool, String)
    /// The answer is not HTTP, or its compression is broken.
    case invalidResponse(String)
    /// The body is larger than the request allows.
    case tooLarge(limit: Int)
    /// The task was cancelled, or the client shut down.
    case cancelled(sent: Bool)
    /// libcurl itself failed (memory, a missing feature); nothing was sent.
    case transport(String)

    /// Whether the server may have acted on the request.
    package var mayHaveBeenProcessed: Bool {
        switch self {
        case .invalidRequest, .couldNotResolve, .couldNotConnect, .tls, .transport: false
        case .timedOut(let sent), .connectionLost(let sent, _), .cancelled(let sent): sent
        case .invalidResponse, .tooLarge: true
        }
    }
}

extension HTTPError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .invalidRequest(let detail): "the request is not valid: \(detail)"
        case .couldNotResolve(let detail): "the host name has no address: \(detail)"
        case .couldNotConnect(let detail): "no connection: \(detail)"
        case .tls(let detail): "no secure connection: \(detail)"
        case .timedOut(sent: true): "no answer in time; the request had been sent"
        case .timedOut(sent: false): "no connection in time; nothing had been sent"
        case .connectionLost(sent: true, let detail): "the connection broke after the request was sent: \(detail)"
        case .connectionLost(sent: false, let detail): "the connection broke before the request was sent: \(detail)"
        case .invalidResponse(let detail): "the answer is not valid HTTP: \(detail)"
        case .tooLarge(let limit): "the answer is larger than \(limit) bytes"
        case .cancelled: "cancelled"
        case .transport(let detail): "libcurl failed: \(detail)"
        }
    }
}
