// What an answer means. The body decides together with the status: a page of HTML with status 200 is no success, and
// half an XML document is no answer. Pure: bytes in, verdict out.

import HTTPTransport

/// A failed attempt, before anybody decides what to do about it.
struct CallFailure: Error {
    var kind: AWSError.Kind
    var trouble: RetryPolicy.Trouble
    /// The server may have acted on the request.
    var isAmbiguous: Bool
    var code: String?
    var message: String
    var status: Int?
    var requestID: String?
    var extendedRequestID: String?
    /// The server's own wish.
    var retryAfter: Duration?
    /// Where S3 says the bucket is.
    var bucketRegion: String?
    /// By how much the server's clock is ahead.
    var skew: Duration?
}

struct ResponseDecoder {
    let wire: AWSService.WireProtocol
    let effect: AWSEffect
    /// The answer is an object's content: it is not looked into.
    let answersBytes: Bool
    /// When the answer arrived, by our clock.
    let now: Timestamp

    func decode(_ response: HTTPResponse) -> Result<AWSOutput, CallFailure> {
        guard (200..<300).contains(response.status) else { return .failure(failure(response)) }
        let headers = response.headers
        var output = AWSOutput(
            status: response.status, headers: headers, requestID: Self.requestID(headers), body: .empty)
        if answersBytes {
            output.body = .bytes(response.body)
            return .success(output)
        }
        switch wire {
        case .json:
            if response.body.isEmpty {
                output.body = .json(.object([]))
                return .success(output)
            }
            do {
                let document = try JSONValue(parsing: response.body)
                guard case .object = document else { return .failure(unreadable(response, "not a JSON object")) }
                output.body = .json(document)
                return .success(output)
            } catch {
                return .failure(unreadable(response, "\(error.reason) at byte \(error.offset)"))
            }
        case .restXML where response.body.isEmpty: return .success(output)
        case .ec2, .query, .restXML:
            do {
                let root = try XMLElement(parsing: response.body)
                return decodeXML(root, response, output)
            } catch {
                return .failure(unreadable(response, "\(error.reason) at byte \(error.offset)"))
            }
        }
    }

    private func decodeXML(
        _ root: XMLElement, _ response: HTTPResponse, _ output: AWSOutput
    ) -> Result<AWSOutput, CallFailure> {
        var output = output
        let name = root.name
        // Errors have come with status 200 (S3 does so where an operation takes long).
        if Self.errorElement(in: root).exists || name.lowercased() == "html" { return .failure(failure(response)) }
        switch wire {
        case .ec2:
            guard name.hasSuffix("Response") else {
                return .failure(unreadable(response, "the root element is \(name)"))
            }
            output.requestID = root["requestId"].nonEmpty ?? output.requestID
            output.body = .xml(root)
        case .query:
            guard name.hasSuffix("Response") else {
                return .failure(unreadable(response, "the root element is \(name)"))
            }
            output.requestID = root["ResponseMetadata"]["RequestId"].nonEmpty ?? output.requestID
            let result = root.items.first { $0.name.hasSuffix("Result") }
            output.body = .xml(result ?? root)
        case .restXML, .json: output.body = .xml(root)
        }
        return .success(output)
    }

    // MARK: - Errors

    private func failure(_ response: HTTPResponse) -> CallFailure {
        switch wire {
        case .json:
            if let document = try? JSONValue(parsing: response.body), case .object = document {
                return jsonFailure(document, response)
            }
            // A few gateways of AWS put the code into the header alone.
            if response.body.isEmpty, response.headers["x-amzn-errortype"] != nil {
                return jsonFailure(.object([]), response)
            }
        case .ec2, .query, .restXML: break
        }
        // The front of a JSON service (where signatures are checked) may answer in XML all the same.
        if let root = try? XMLElement(parsing: response.body) {
            let error = Self.errorElement(in: root)
            if error.exists, let code = error["Code"].nonEmpty {
                let id = root["RequestId"].nonEmpty ?? root["RequestID"].nonEmpty ?? error["RequestId"].nonEmpty
                return classed(code, error["Message"].text, id, response, region: error["Region"].nonEmpty)
            }
        }
        if response.body.allSatisfy({ $0 == 0x20 || $0 == 0x0a || $0 == 0x0d }) { return bodiless(response) }
        return foreign(response)
    }

    private static func errorElement(in root: XMLElement) -> XMLElement {
        if root.hasName("Error") { return root }
        let single = root["Error"]
        guard root.hasName("ErrorResponse") || root.hasName("Response") else { return .missing }
        return single.exists ? single : root["Errors"]["Error"]
    }

    private func jsonFailure(_ document: JSONValue, _ response: HTTPResponse) -> CallFailure {
        var code = document["__type"].string ?? document["code"].string ?? document["Code"].string ?? ""
        if let header = response.headers["x-amzn-errortype"] { code = header }
        if let hash = code.lastIndex(of: "#") { code = String(code[code.index(after: hash)...]) }
        if let end = code.firstIndex(where: { $0 == ":" || $0 == "," }) { code = String(code[..<end]) }
        let message = document["message"].string ?? document["Message"].string ?? ""
        guard !code.isEmpty else { return foreign(response) }
        return classed(code, message, nil, response, region: nil)
    }

    private func classed(
        _ code: String, _ message: String, _ requestID: String?, _ response: HTTPResponse, region: String?
    ) -> CallFailure {
        let skew = response.headers["Date"].flatMap { Timestamp(httpDate: $0) }.map { $0 - now }
        let kind = AWSError.Kind(code: code, message: message, status: response.status, skew: skew)
        let trouble: RetryPolicy.Trouble =
            switch kind {
            case .throttled: .throttled
            case .contention: .contention
            case .serverFault: .transient
            default: .permanent
            }
        // A refusal is a refusal whatever its status; only a fault leaves the outcome open.
        let isFault = kind == .serverFault || response.status >= 500 && Self.isVague(kind)
        var failure = base(response, kind, trouble, isAmbiguous: isFault)
        failure.code = code
        failure.message = message
        failure.requestID = requestID ?? failure.requestID
        failure.skew = skew
        failure.bucketRegion = failure.bucketRegion ?? region
        return failure
    }

    private static func isVague(_ kind: AWSError.Kind) -> Bool {
        switch kind {
        case .throttled, .contention, .capacity, .quota: false
        default: true
        }
    }

    /// An error without a body: HEAD, and load balancers that give up.
    private func bodiless(_ response: HTTPResponse) -> CallFailure {
        let status = response.status
        guard status >= 400 || status == 301 || status == 307 else { return foreign(response) }
        let kind = AWSError.Kind(code: "", message: "", status: status)
        let trouble: RetryPolicy.Trouble =
            kind == .serverFault ? .transient : kind == .throttled ? .throttled : .permanent
        var failure = base(response, kind, trouble, isAmbiguous: kind == .serverFault)
        failure.message = "the answer has no body"
        return failure
    }

    /// Something that is not AWS answered, or something between us and AWS.
    private func foreign(_ response: HTTPResponse) -> CallFailure {
        let status = response.status
        // A plain 500 page is a crash and stays one; the others are how gateways say "not now".
        let isPassing = [502, 503, 504].contains(status)
        var failure = base(
            response, .notAWS, isPassing ? .transient : .permanent, isAmbiguous: status >= 500 || status < 300)
        let what = Self.looksLikeHTML(response) ? "an HTML page" : "something that is not AWS's protocol"
        let words = Redaction.excerpt(response.body)
        failure.message =
            "the answer is \(what), status \(status)" + (words.isEmpty ? "" : ": \"\(words)\"")
            + "; a proxy, a login page or a wrong endpoint may stand in between"
        return failure
    }

    /// Success by its status, but the body breaks off or is not what the protocol allows.
    private func unreadable(_ response: HTTPResponse, _ reason: String) -> CallFailure {
        if Self.looksLikeHTML(response) { return foreign(response) }
        var failure = base(response, .unreadable, .transient, isAmbiguous: true)
        failure.message = "the answer (status \(response.status)) cannot be read: \(reason)"
        return failure
    }

    private func base(
        _ response: HTTPResponse, _ kind: AWSError.Kind, _ trouble: RetryPolicy.Trouble, isAmbiguous: Bool
    ) -> CallFailure {
        CallFailure(
            kind: kind, trouble: trouble, isAmbiguous: isAmbiguous, message: "", status: response.status,
            requestID: Self.requestID(response.headers), extendedRequestID: response.headers["x-amz-id-2"],
            retryAfter: Self.retryAfter(response.headers), bucketRegion: response.headers["x-amz-bucket-region"])
    }

    private static func looksLikeHTML(_ response: HTTPResponse) -> Bool {
        let start = String(decoding: response.body.prefix(512), as: UTF8.self).lowercased()
        let type = response.headers["Content-Type"]?.lowercased() ?? ""
        return start.contains("<html") || start.contains("<!doctype html") || type.hasPrefix("text/html")
    }

    private static func requestID(_ headers: HTTPHeaders) -> String? {
        headers["x-amzn-requestid"] ?? headers["x-amz-request-id"]
    }

    /// `x-amz-retry-after` in milliseconds, or `Retry-After` in seconds.
    private static func retryAfter(_ headers: HTTPHeaders) -> Duration? {
        if let text = headers["x-amz-retry-after"], let milliseconds = Int(text), milliseconds >= 0 {
            return .milliseconds(min(milliseconds, 3_600_000))
        }
        guard let text = headers["Retry-After"], let seconds = Int(text), seconds >= 0 else { return nil }
        return .seconds(min(seconds, 3_600))
    }
}

extension CallFailure {
    /// No complete answer came.
    init(_ error: HTTPError) {
        let kind: AWSError.Kind
        let trouble: RetryPolicy.Trouble
        switch error {
        case .couldNotResolve, .couldNotConnect, .timedOut(sent: false): (kind, trouble) = (.network, .unreachable)
        case .timedOut, .connectionLost: (kind, trouble) = (.network, .transient)
        case .tls, .transport: (kind, trouble) = (.network, .permanent)
        case .invalidResponse: (kind, trouble) = (.notAWS, .permanent)
        case .tooLarge: (kind, trouble) = (.unreadable, .permanent)
        case .invalidRequest: (kind, trouble) = (.configuration, .permanent)
        case .cancelled: (kind, trouble) = (.cancelled, .permanent)
        }
        self.init(
            kind: kind, trouble: trouble, isAmbiguous: error.mayHaveBeenProcessed, message: error.description)
    }
}
