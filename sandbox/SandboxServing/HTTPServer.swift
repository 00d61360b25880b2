// HTTP/1.1 over sockets, on 127.0.0.1 alone: kept-alive connections, a thread each, bodies by length or in chunks,
// `Expect: 100-continue`, limits on everything a client sends.
//
// A server library would do more than is wanted and cannot do what is: answers that are lost and connections that are
// reset at a chosen moment. A thread that blocks is enough for a sandbox; past `maxConnections` new ones are refused.

package import HTTPTransport
import Foundation
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Listens on 127.0.0.1 until `stop()`.
package final class HTTPServer: Sendable {
    package struct Limits: Sendable {
        package var headBytes = 64 << 10
        package var bodyBytes = 16 << 20
        package var connections = 512
        /// How long an idle connection is kept.
        package var idle: Duration = .seconds(120)

        package init() {}
    }

    package struct CannotListen: Error, CustomStringConvertible {
        package var description: String
    }

    package struct Incoming: Sendable {
        package var request: HTTPRequest
        package var peer: String
        package var connection: Int
    }

    /// What is sent back; without a response the connection is reset.
    package struct Outgoing: Sendable {
        package var response: HTTPResponse?
        package var delay: Duration

        package init(_ response: HTTPResponse?, delay: Duration = .zero) {
            self.response = response
            self.delay = delay
        }
    }

    package typealias Handler = @Sendable (Incoming) -> Outgoing

    package let port: Int
    private let listener: Int32
    private let limits: Limits
    private let handler: Handler
    private let connections = Mutex((open: 0, ever: 0))

    /// - Parameter port: 0 takes a free one.
    package init(port: Int, limits: Limits = Limits(), handler: @escaping Handler) throws(CannotListen) {
        self.limits = limits
        self.handler = handler
        (listener, self.port) = try Self.listen(on: port)
    }

    /// Accepts connections on a thread of its own.
    package func start() {
        Thread.detachNewThread { [self] in
            while true {
                let socket = accept(listener, nil, nil)
                if socket < 0 {
                    if errno == EINTR || errno == ECONNABORTED { continue }
                    if errno == EMFILE || errno == ENFILE {
                        Thread.sleep(forTimeInterval: 0.05)
                        continue
                    }
                    return
                }
                let number: Int? = connections.withLock { connections in
                    guard connections.open < limits.connections else { return nil }
                    connections.open += 1
                    connections.ever += 1
                    return connections.ever
                }
                guard let number else {
                    close(socket)
                    continue
                }
                Thread.detachNewThread { [self] in
                    var connection = HTTPConnection(
                        socket: socket, number: number, limits: limits, handler: handler)
                    connection.serve()
                    connections.withLock { $0.open -= 1 }
                }
            }
        }
    }

    /// Accepts nothing more; what is under way is answered.
    package func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    private static func listen(on port: Int) throws(CannotListen) -> (Int32, Int) {
        func failure(_ what: String) -> CannotListen {
            let reason = strerror(errno).map { String(cString: $0) } ?? "error \(errno)"
            return CannotListen(description: "cannot listen on 127.0.0.1:\(port): \(what): \(reason)")
        }
        guard let number = UInt16(exactly: port) else {
            throw CannotListen(description: "cannot listen on port \(port): no such port")
        }
        #if canImport(Darwin)
            let listener = socket(AF_INET, SOCK_STREAM, 0)
        #else
            let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        #endif
        guard listener >= 0 else { throw failure("socket") }
        var yes: Int32 = 1
        setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = number.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        var failed: CannotListen?
        withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                if bind(listener, address, length) != 0 {
                    failed = failure("bind")
                } else if Self.systemListen(listener) != 0 {
                    failed = failure("listen")
                } else if getsockname(listener, address, &length) != 0 {
                    failed = failure("getsockname")
                }
            }
        }
        if let failed {
            close(listener)
            throw failed
        }
        return (listener, Int(UInt16(bigEndian: address.sin_port)))
    }

    /// The system's `listen`, which the method of that name hides.
    private static func systemListen(_ socket: Int32) -> Int32 {
        #if canImport(Glibc)
            Glibc.listen(socket, 256)
        #elseif canImport(Musl)
            Musl.listen(socket, 256)
        #else
            Darwin.listen(socket, 256)
        #endif
    }
}
