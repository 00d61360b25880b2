import Foundation
import HTTPTransport

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// One connection: requests one after the other, each answered before the next is read.
struct HTTPConnection {
    /// Why a connection ends before its client wants it to.
    enum Ending: Error {
        /// The client is gone, or sent nothing for too long.
        case gone
        /// What came is no HTTP request, or too large: one last answer with this status.
        case refused(Int, String)
    }

    private let socket: Int32
    private let number: Int
    private let limits: HTTPServer.Limits
    private let handler: HTTPServer.Handler
    private var buffer: [UInt8] = []

    init(socket: Int32, number: Int, limits: HTTPServer.Limits, handler: @escaping HTTPServer.Handler) {
        self.socket = socket
        self.number = number
        self.limits = limits
        self.handler = handler
    }

    mutating func serve() {
        defer { close(socket) }
        setOptions()
        do throws(Ending) {
            while let head = try readHead() {
                let request = try readRequest(head)
                let outgoing = handler(.init(request: request, peer: head.peer, connection: number))
                if outgoing.delay > .zero { Thread.sleep(forTimeInterval: Self.seconds(outgoing.delay)) }
                guard let response = outgoing.response else { return reset() }
                try write(response, to: head)
                guard head.isKeptAlive else { return }
            }
        } catch {
            if case .refused(let status, let reason) = error { refuse(status, reason) }
        }
    }

    /// One last answer to what is no request.
    private func refuse(_ status: Int, _ reason: String) {
        var head = HTTPRequestHead()
        head.isKeptAlive = false
        let body = Array("\(reason)\n".utf8)
        let response = HTTPResponse(status: status, headers: ["Content-Type": "text/plain"], body: body)
        // The client may be gone by now.
        try? write(response, to: head)
    }

    private func setOptions() {
        var yes: Int32 = 1
        setsockopt(socket, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<Int32>.size))
        var idle = timeval()
        idle.tv_sec = Int(Self.seconds(limits.idle))
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &idle, socklen_t(MemoryLayout<timeval>.size))
    }

    /// Closes so that the client sees a reset and no orderly end.
    private func reset() {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(socket, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    }

    private static func seconds(_ duration: Duration) -> Double {
        Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
    }

    // MARK: - Reading

    private mutating func fill() throws(Ending) {
        var chunk = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = recv(socket, &chunk, chunk.count, 0)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw .gone }
            buffer += chunk[..<count]
            return
        }
    }

    /// The next head; `nil` if the client closed between two requests.
    private mutating func readHead() throws(Ending) -> HTTPRequestHead? {
        while true {
            // Blank lines before a request are to be ignored.
            while buffer.starts(with: [0x0d, 0x0a]) { buffer.removeFirst(2) }
            if let end = buffer.firstRange(of: [0x0d, 0x0a, 0x0d, 0x0a]) {
                guard end.lowerBound <= limits.headBytes else { throw .refused(431, "the header is too large") }
                let head = try HTTPRequestHead(String(decoding: buffer[..<end.lowerBound], as: UTF8.self))
                buffer.removeFirst(end.upperBound)
                return head
            }
            guard buffer.count <= limits.headBytes else { throw .refused(431, "the header is too large") }
            do throws(Ending) { try fill() } catch {
                if buffer.isEmpty { return nil }
                throw error
            }
        }
    }

    private mutating func readRequest(_ head: HTTPRequestHead) throws(Ending) -> HTTPRequest {
        if head.expectsContinue, head.hasBody { try send(Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)) }
        let body = head.isChunked ? try readChunks() : try read(head.contentLength)
        return HTTPRequest(method: head.method, url: head.url, headers: head.headers, body: body)
    }

    private mutating func read(_ count: Int) throws(Ending) -> [UInt8] {
        guard count <= limits.bodyBytes else { throw .refused(413, "the body is too large") }
        while buffer.count < count { try fill() }
        defer { buffer.removeFirst(count) }
        return Array(buffer[..<count])
    }

    private mutating func readLine() throws(Ending) -> String {
        while true {
            if let end = buffer.firstRange(of: [0x0d, 0x0a]) {
                let line = String(decoding: buffer[..<end.lowerBound], as: UTF8.self)
                buffer.removeFirst(end.upperBound)
                return line
            }
            guard buffer.count <= limits.headBytes else { throw .refused(400, "a line is too long") }
            try fill()
        }
    }

    private mutating func readChunks() throws(Ending) -> [UInt8] {
        var body: [UInt8] = []
        while true {
            let line = try readLine()
            let size = line.prefix { $0 != ";" }.filter { $0 != " " }
            guard !size.isEmpty, size.utf8.count <= 8, size.allSatisfy(\.isHexDigit), let count = Int(size, radix: 16)
            else { throw .refused(400, "a chunk without a size") }
            if count == 0 { break }
            guard body.count + count <= limits.bodyBytes else { throw .refused(413, "the body is too large") }
            body += try read(count)
            guard try readLine().isEmpty else { throw .refused(400, "a chunk of another size") }
        }
        while try !readLine().isEmpty {}
        return body
    }

    // MARK: - Writing

    private func send(_ bytes: [UInt8]) throws(Ending) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Self.systemSend(socket, $0) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw .gone }
            rest = rest.dropFirst(count)
        }
    }

    /// The system's `send`, which the method of that name hides; no signal where the client is gone.
    private static func systemSend(_ socket: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
        #if canImport(Glibc)
            Glibc.send(socket, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
        #elseif canImport(Musl)
            Musl.send(socket, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
        #else
            Darwin.send(socket, bytes.baseAddress, bytes.count, 0)
        #endif
    }

    private func write(_ response: HTTPResponse, to head: HTTPRequestHead) throws(Ending) {
        var text = "HTTP/1.1 \(response.status) \(Self.reason(response.status))\r\n"
        for field in response.headers.fields { text += "\(field.name): \(field.value)\r\n" }
        let hasNoBody = response.status == 204 || response.status == 304
        if !hasNoBody { text += "Content-Length: \(response.body.count)\r\n" }
        text += head.isKeptAlive ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n"
        try send(Array(text.utf8) + (hasNoBody || head.method == "HEAD" ? [] : response.body))
    }

    private static func reason(_ status: Int) -> String {
        let reasons = [
            200: "OK", 201: "Created", 202: "Accepted", 204: "No Content", 400: "Bad Request", 401: "Unauthorized",
            403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed", 409: "Conflict", 413: "Content Too Large",
            422: "Unprocessable Entity", 429: "Too Many Requests", 431: "Request Header Fields Too Large",
            500: "Internal Server Error", 501: "Not Implemented", 502: "Bad Gateway", 503: "Service Unavailable",
            504: "Gateway Timeout", 505: "HTTP Version Not Supported",
        ]
        return reasons[status] ?? "Unknown"
    }
}
