package import HTTPTransport

/// A successful answer.
package struct AWSOutput: Sendable {
    package enum Body: Sendable {
        case xml(XMLElement)
        case json(JSONValue)
        case empty
        /// An S3 object.
        case bytes([UInt8])
    }

    package var status: Int
    package var headers: HTTPHeaders
    package var requestID: String?
    package var body: Body

    package init(status: Int = 200, headers: HTTPHeaders = [:], requestID: String? = nil, body: Body) {
        self.status = status
        self.headers = headers
        self.requestID = requestID
        self.body = body
    }

    /// The element that holds the result's members (of query services: inside `<…Result>`). Missing unless XML came.
    package var xml: XMLElement {
        guard case .xml(let element) = body else { return .missing }
        return element
    }

    /// The document; `.null` unless JSON came.
    package var json: JSONValue {
        guard case .json(let value) = body else { return .null }
        return value
    }

    /// The bytes of an S3 object.
    package var bytes: [UInt8] {
        guard case .bytes(let bytes) = body else { return [] }
        return bytes
    }

    /// The text at a path of member names, in either kind of document; `nil` where there is none or it is empty.
    package func text(at path: [String]) -> String? {
        switch body {
        case .xml(let element): return path.reduce(element) { $0[$1] }.nonEmpty
        case .json(let value):
            let value = path.reduce(value) { $0[$1] }
            if let boolean = value.boolean { return boolean ? "true" : "false" }
            let text = value.string ?? value.integer.map { String($0) }
            return text == "" ? nil : text
        case .empty, .bytes: return nil
        }
    }
}
