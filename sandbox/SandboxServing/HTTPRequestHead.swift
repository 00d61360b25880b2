import HTTPTransport

/// The request line and the header fields, and what follows from them.
struct HTTPRequestHead {
    var method = "GET"
    /// Absolute, with the host that the client named.
    var url = ""
    var headers = HTTPHeaders()
    var contentLength = 0
    var isChunked = false
    var isKeptAlive = true
    var expectsContinue = false
    /// Only this machine reaches the server.
    let peer = "127.0.0.1"

    var hasBody: Bool { isChunked || contentLength > 0 }

    init() {}

    init(_ text: String) throws(HTTPConnection.Ending) {
        var lines = text.split(separator: "\r\n", omittingEmptySubsequences: false)[...]
        let words = (lines.popFirst() ?? "").split(separator: " ", omittingEmptySubsequences: false)
        guard words.count == 3, Self.isToken(words[0]), words[2].hasPrefix("HTTP/") else {
            throw .refused(400, "no request line")
        }
        guard words[2] == "HTTP/1.1" || words[2] == "HTTP/1.0" else { throw .refused(505, "want HTTP/1.1") }
        method = String(words[0])
        for line in lines {
            // A folded line, or a space before the colon, is how requests are smuggled.
            guard let colon = line.firstIndex(of: ":"), Self.isToken(line[..<colon]) else {
                throw .refused(400, "a malformed header field")
            }
            let value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
            headers.append(String(line[..<colon]), Self.withoutTrailingBlanks(value))
        }
        try readFraming(isOld: words[2] == "HTTP/1.0")
        url = try Self.absolute(String(words[1]), host: headers["Host"], isOld: words[2] == "HTTP/1.0")
    }

    private mutating func readFraming(isOld: Bool) throws(HTTPConnection.Ending) {
        let lengths = Set(headers.fields.filter { $0.name.lowercased() == "content-length" }.map(\.value))
        if let coding = headers["Transfer-Encoding"] {
            guard coding.lowercased() == "chunked", lengths.isEmpty else {
                throw .refused(400, "an unknown or ambiguous length")
            }
            isChunked = true
        } else if let length = lengths.first {
            guard lengths.count == 1, !length.isEmpty, length.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
                let number = Int(length)
            else { throw .refused(400, "an unknown or ambiguous length") }
            contentLength = number
        }
        let connection = (headers["Connection"] ?? "").lowercased()
        isKeptAlive = isOld ? connection.contains("keep-alive") : !connection.contains("close")
        expectsContinue = headers["Expect"]?.lowercased() == "100-continue"
    }

    private static func absolute(
        _ target: String, host: String?, isOld: Bool
    ) throws(HTTPConnection.Ending) -> String {
        if target.hasPrefix("http://") || target.hasPrefix("https://") { return target }
        guard target.hasPrefix("/"), target.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
            throw .refused(400, "no valid target")
        }
        guard let host = host ?? (isOld ? "127.0.0.1" : nil),
            host.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "/") })
        else { throw .refused(400, "no valid Host") }
        return "http://\(host)\(target)"
    }

    private static func isToken(_ text: Substring) -> Bool {
        let marks = Set("!#$%&'*+-.^_`|~".utf8)
        return !text.isEmpty
            && text.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
                default: marks.contains(byte)
                }
            }
    }

    private static func withoutTrailingBlanks(_ text: Substring) -> String {
        var text = text
        while text.last == " " || text.last == "\t" { text.removeLast() }
        return String(text)
    }
}
