// Requests and responses as plain values, behind a protocol of one function, so that a test replaces the network with
// a closure. This target knows no cloud, reads no environment and prints nothing.

/// Sends HTTP requests. Conformers follow no redirects and never decide about retries.
package protocol HTTPClient: Sendable {
    /// Sends one request and returns the whole response, whatever its status.
    ///
    /// - Throws: `HTTPError` when no complete response arrived; it says whether the server may have acted.
    func send(_ request: HTTPRequest) async throws(HTTPError) -> HTTPResponse
}

/// One request, complete: nothing is added on the way but what HTTP needs (`Host`, `Content-Length`, `Accept`).
package struct HTTPRequest: Sendable, Equatable {
    /// An upper-case method, such as `POST`.
    package var method: String
    /// An absolute `http` or `https` URL, percent-encoded; it goes out byte for byte (`..` is not resolved).
    package var url: String
    package var headers: HTTPHeaders
    package var body: [UInt8]
    /// The longest time to a connection, TLS included.
    package var connectTimeout: Duration
    /// The longest time from the start to the last byte of the answer.
    package var totalTimeout: Duration
    /// A larger body (after decompression) is refused with `HTTPError.tooLarge`.
    package var maxResponseBytes: Int
    /// Whether the transport may send it again by itself when a kept-alive connection dies under it.
    package var isRepeatable: Bool
    /// Goes straight to the host even where a proxy is configured (link-local metadata services).
    package var bypassesProxy: Bool

    package init(
        method: String = "GET", url: String, headers: HTTPHeaders = [:], body: [UInt8] = [],
        connectTimeout: Duration = .seconds(10), totalTimeout: Duration = .seconds(60),
        maxResponseBytes: Int = 128 << 20, isRepeatable: Bool? = nil, bypassesProxy: Bool = false
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.connectTimeout = connectTimeout
        self.totalTimeout = totalTimeout
        self.maxResponseBytes = maxResponseBytes
        self.isRepeatable = isRepeatable ?? (method != "POST" && method != "PATCH")
        self.bypassesProxy = bypassesProxy
    }
}

/// A complete response; `body` is already decompressed.
package struct HTTPResponse: Sendable, Equatable {
    package var status: Int
    package var headers: HTTPHeaders
    package var body: [UInt8]

    package init(status: Int, headers: HTTPHeaders = [:], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }
}

/// Header fields in their order; names compare without case.
package struct HTTPHeaders: Sendable, Equatable, ExpressibleByDictionaryLiteral {
    package struct Field: Sendable, Equatable {
        package var name: String
        package var value: String

        package init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }

        package static func == (left: Field, right: Field) -> Bool {
            left.value == right.value && HTTPHeaders.isSameName(left.name, right.name)
        }
    }

    package private(set) var fields: [Field]

    package init(_ fields: [Field] = []) {
        self.fields = fields
    }

    package init(dictionaryLiteral elements: (String, String)...) {
        fields = elements.map { Field($0, $1) }
    }

    /// The first value of that name; setting replaces every field of that name, `nil` removes them.
    package subscript(name: String) -> String? {
        get { fields.first { Self.isSameName($0.name, name) }?.value }
        set {
            let index = fields.firstIndex { Self.isSameName($0.name, name) }
            fields.removeAll { Self.isSameName($0.name, name) }
            guard let newValue else { return }
            fields.insert(Field(name, newValue), at: index ?? fields.endIndex)
        }
    }

    /// Adds a field behind the others, keeping those of the same name.
    package mutating func append(_ name: String, _ value: String) {
        fields.append(Field(name, value))
    }

    static func isSameName(_ left: String, _ right: String) -> Bool {
        left.utf8.count == right.utf8.count
            && zip(left.utf8, right.utf8).allSatisfy { lowercased($0) == lowercased($1) }
    }

    private static func lowercased(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }
}
