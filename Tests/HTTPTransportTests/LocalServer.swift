import Dispatch
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A server on 127.0.0.1 whose every answer, and every misbehaviour, a test writes itself.
final class LocalServer: Sendable {
    struct Request: Sendable {
        var head: String
        var body: String

        /// `GET /path HTTP/1.1`.
        var line: String { String(head.prefix { $0 != "\r\n" }) }

        func header(_ name: String) -> String? {
            for line in head.split(separator: "\r\n").dropFirst() {
                let parts = line.split(separator: ":", maxSplits: 1)
                guard parts.first?.lowercased() == name.lowercased() else { continue }
                return parts.count > 1 ? String(parts[1].drop { $0 == " " }) : ""
            }
            return nil
        }
    }

    /// What is left of a connection after a request.
    enum Next { case keep, close, reset }

    struct Connection: Sendable {
        let socket: Int32

        func write(_ text: String) { write(Array(text.utf8)) }

        func write(_ bytes: [UInt8]) {
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = rest.withUnsafeBytes { send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
                guard count > 0 else { return }
                rest = rest.dropFirst(count)
            }
        }

        func answer(_ body: String, status: String = "200 OK", headers: String = "") {
            write("HTTP/1.1 \(status)\r\n\(headers)Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
        }

        /// Blocks until the client closes.
        func waitForEnd() {
            var byte: UInt8 = 0
            while recv(socket, &byte, 1, 0) > 0 {}
        }
    }

    typealias Handler = @Sendable (_ request: Request, _ connection: Connection, _ number: Int) -> Next

    private struct Log {
        var requests: [Request] = []
        var connections = 0
        var open = 0
        var mostOpen = 0
    }

    let port: Int
    private let listener: Int32
    private let log = Mutex(Log())

    var url: String { "http://127.0.0.1:\(port)" }
    var requests: [Request] { log.withLock { $0.requests } }
    var connections: Int { log.withLock { $0.connections } }
    var mostOpenConnections: Int { log.withLock { $0.mostOpen } }

    /// - Parameters:
    ///   - onAccept: asked before anything is read.
    ///   - handler: gets each request; `number` counts them over all connections, from 1.
    init(onAccept: @escaping @Sendable (Connection) -> Next = { _ in .keep }, _ handler: @escaping Handler) throws {
        (listener, port) = try Self.makeListener()
        let listener = listener
        DispatchQueue(label: "server").async { [self] in
            while true {
                let socket = accept(listener, nil, nil)
                guard socket >= 0 else { return }
                var yes: Int32 = 1
                setsockopt(socket, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<Int32>.size))
                DispatchQueue(label: "connection").async { [self] in
                    serve(Connection(socket: socket), onAccept, handler)
                }
            }
        }
    }

    /// A port where nobody listens.
    static func unusedPort() throws -> Int {
        let (socket, port) = try makeListener()
        close(socket)
        return port
    }

    func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    private struct CannotListen: Error {}

    private static func makeListener() throws -> (Int32, Int) {
        #if canImport(Darwin)
            let listener = socket(AF_INET, SOCK_STREAM, 0)
        #else
            let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        #endif
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                guard bind(listener, address, length) == 0, listen(listener, 64) == 0 else { return Int32(-1) }
                return getsockname(listener, address, &length)
            }
        }
        guard status == 0 else { throw CannotListen() }
        return (listener, Int(UInt16(bigEndian: address.sin_port)))
    }

    private func serve(
        _ connection: Connection, _ onAccept: (Connection) -> Next, _ handler: Handler
    ) {
        log.withLock { log in
            log.connections += 1
            log.open += 1
            log.mostOpen = max(log.mostOpen, log.open)
        }
        var next = onAccept(connection)
        var buffer: [UInt8] = []
        while next == .keep, let request = read(connection, &buffer) {
            let number = log.withLock { log in
                log.requests.append(request)
                return log.requests.count
            }
            next = handler(request, connection, number)
        }
        if next == .reset {
            var option = linger(l_onoff: 1, l_linger: 0)
            setsockopt(connection.socket, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
        }
        log.withLock { $0.open -= 1 }
        close(connection.socket)
    }

    private func read(_ connection: Connection, _ buffer: inout [UInt8]) -> Request? {
        func fill() -> Bool {
            var chunk = [UInt8](repeating: 0, count: 65_536)
            let count = recv(connection.socket, &chunk, chunk.count, 0)
            guard count > 0 else { return false }
            buffer += chunk[..<count]
            return true
        }
        let end = Array("\r\n\r\n".utf8)
        var head: Range<Int>?
        while head == nil {
            head = buffer.firstRange(of: end)
            if head == nil, !fill() { return nil }
        }
        guard let head else { return nil }
        var request = Request(head: String(decoding: buffer[..<head.lowerBound], as: UTF8.self), body: "")
        let length = request.header("Content-Length").flatMap { Int($0) } ?? 0
        while buffer.count < head.upperBound + length {
            if !fill() { return nil }
        }
        request.body = String(decoding: buffer[head.upperBound..<head.upperBound + length], as: UTF8.self)
        buffer.removeFirst(head.upperBound + length)
        return request
    }
}
