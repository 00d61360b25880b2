import Synchronization
import Testing

@testable import HTTPTransport

@Suite(.timeLimit(.minutes(1))) struct CurlHTTPClientTests {
    private let client = CurlHTTPClient()

    private func failure(_ request: HTTPRequest, _ client: CurlHTTPClient? = nil) async -> HTTPError? {
        do {
            _ = try await (client ?? self.client).send(request)
            return nil
        } catch {
            return error
        }
    }

    // MARK: - What goes out and comes back

    @Test("A connection is kept and used again, and counted once")
    func keepAlive() async throws {
        let server = try LocalServer { _, connection, number in
            connection.answer("answer \(number)")
            return .keep
        }
        defer { server.stop() }
        for number in 1...5 {
            let response = try await client.send(HTTPRequest(method: "POST", url: server.url, body: [65]))
            #expect(
                response
                    == HTTPResponse(
                        status: 200, headers: ["Content-Length": "8"], body: Array("answer \(number)".utf8)))
        }
        #expect(server.connections == 1)
        let statistics = client.statistics
        #expect(statistics.requests == 5 && statistics.responses == 5 && statistics.connectionsOpened == 1)
        #expect(statistics.bytesSent > 5 * 50 && statistics.bytesReceived > 5 * 30)
    }

    @Test("Path, headers and body arrive as they were given, and nothing that would be signed is added")
    func requestOnTheWire() async throws {
        let server = try LocalServer { _, connection, _ in
            connection.answer("")
            return .keep
        }
        defer { server.stop() }
        let body = String(repeating: "0123456789", count: 200_000)
        _ = try await client.send(
            HTTPRequest(
                method: "POST", url: "\(server.url)/a/../b//c%20d/?x=%2F&y=", headers: ["X-Empty": "", "x-Case": "v"],
                body: Array(body.utf8)))
        let request = try #require(server.requests.first)
        #expect(request.line == "POST /a/../b//c%20d/?x=%2F&y= HTTP/1.1")
        #expect(request.body == body)
        #expect(request.header("X-Empty") == "")
        #expect(request.head.contains("\r\nx-Case: v"))
        #expect(request.header("Expect") == nil && request.header("Content-Type") == nil)
        #expect(request.header("Content-Length") == "2000000")
        #expect(request.header("Host") == "127.0.0.1:\(server.port)")
    }

    @Test(
        "Each method has its form on the wire",
        arguments: [
            ("GET", "", nil), ("DELETE", "", nil), ("HEAD", "", nil), ("PUT", "x", "1"), ("PUT", "", "0"),
            ("POST", "", "0"), ("DELETE", "x", "1"),
        ] as [(String, String, String?)])
    func methods(_ method: String, _ body: String, _ length: String?) async throws {
        let server = try LocalServer { request, connection, _ in
            connection.write("HTTP/1.1 204 No Content\r\n\r\n")
            return .keep
        }
        defer { server.stop() }
        let response = try await client.send(HTTPRequest(method: method, url: server.url, body: Array(body.utf8)))
        #expect(response.status == 204)
        let request = try #require(server.requests.first)
        #expect(request.line == "\(method) / HTTP/1.1")
        #expect(request.header("Content-Length") == length)
        #expect(request.body == body)
    }

    @Test("Headers are found without regard to case; those of interim answers are dropped")
    func responseHeaders() async throws {
        let server = try LocalServer { _, connection, _ in
            connection.write("HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\n")
            connection.answer("", headers: "X-Amzn-RequestId:  abc \r\nSet-Cookie: a\r\nSet-Cookie: b\r\n")
            return .keep
        }
        defer { server.stop() }
        let headers = try await client.send(HTTPRequest(url: server.url)).headers
        #expect(headers["x-amzn-requestid"] == "abc")
        #expect(headers["X-Early"] == nil)
        #expect(headers.fields.filter { $0.name == "Set-Cookie" }.map(\.value) == ["a", "b"])
    }

    @Test("A redirect is an answer like any other")
    func redirect() async throws {
        let server = try LocalServer { _, connection, _ in
            connection.answer("", status: "302 Found", headers: "Location: /elsewhere\r\n")
            return .keep
        }
        defer { server.stop() }
        #expect(try await client.send(HTTPRequest(url: server.url)).status == 302)
        #expect(server.requests.count == 1)
    }

    @Test("A page of HTML is handed on as it is")
    func html() async throws {
        let page = "<!DOCTYPE html><html><body>Sign in to the network</body></html>"
        let server = try LocalServer { _, connection, _ in
            connection.answer(page, headers: "Content-Type: text/html\r\n")
            return .keep
        }
        defer { server.stop() }
        #expect(try await client.send(HTTPRequest(url: server.url)).body == Array(page.utf8))
    }

    @Test("A compressed answer is unpacked")
    func gzip() async throws {
        // printf 'hello hello hello hello' | gzip -n
        let packed: [UInt8] = [
            0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03, 0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0x57, 0xc8, 0x40,
            0x27, 0x01, 0xe3, 0x51, 0x3d, 0x8d, 0x17, 0x00, 0x00, 0x00,
        ]
        let server = try LocalServer { request, connection, _ in
            connection.write("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: \(packed.count)\r\n\r\n")
            connection.write(packed)
            return .keep
        }
        defer { server.stop() }
        let response = try await client.send(HTTPRequest(url: server.url))
        #expect(String(decoding: response.body, as: UTF8.self) == "hello hello hello hello")
        #expect(server.requests.first?.header("Accept-Encoding")?.contains("gzip") == true)
    }

    @Test("Many requests at once share a bounded number of connections")
    func boundedConnections() async throws {
        let server = try LocalServer { request, connection, _ in
            connection.answer(request.line)
            return .keep
        }
        defer { server.stop() }
        let client = CurlHTTPClient(CurlHTTPClient.Settings(maxConnectionsPerHost: 3))
        let url = server.url
        let statuses = await withTaskGroup(of: Int?.self) { group in
            for number in 0..<100 {
                group.addTask { try? await client.send(HTTPRequest(url: "\(url)/\(number)")).status }
            }
            return await group.reduce(into: [Int?]()) { $0.append($1) }
        }
        #expect(statuses.count == 100 && statuses.allSatisfy { $0 == 200 })
        #expect(Set(server.requests.map(\.line)).count == 100)
        #expect(server.mostOpenConnections <= 3)
    }

    // MARK: - What goes wrong, and whether the server may have acted

    @Test("Nobody listens: nothing was sent")
    func refused() async throws {
        let error = await failure(HTTPRequest(method: "POST", url: "http://127.0.0.1:\(try LocalServer.unusedPort())"))
        guard case .couldNotConnect? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(error?.mayHaveBeenProcessed == false)
    }

    @Test("An unknown host: nothing was sent")
    func unresolved() async throws {
        let error = await failure(HTTPRequest(method: "POST", url: "http://host.invalid/"))
        guard case .couldNotResolve? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(error?.mayHaveBeenProcessed == false)
    }

    @Test("A connection that breaks after the request was read leaves its outcome open", arguments: [true, false])
    func lostAfterSend(_ isReset: Bool) async throws {
        let server = try LocalServer { _, _, _ in isReset ? .reset : .close }
        defer { server.stop() }
        let error = await failure(HTTPRequest(method: "POST", url: server.url, body: [65]))
        guard case .connectionLost(sent: true, _)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(server.requests.count == 1)
    }

    @Test("An answer that is cut short is no answer")
    func truncated() async throws {
        let server = try LocalServer { _, connection, _ in
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this")
            return .close
        }
        defer { server.stop() }
        let error = await failure(HTTPRequest(method: "POST", url: server.url, body: [65]))
        guard case .connectionLost(sent: true, _)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test("A connection that breaks during the TLS handshake: nothing was sent")
    func lostInHandshake() async throws {
        let server = try LocalServer(onAccept: { _ in .close }, { _, _, _ in .close })
        defer { server.stop() }
        let error = await failure(HTTPRequest(method: "POST", url: "https://127.0.0.1:\(server.port)/", body: [65]))
        #expect(error?.mayHaveBeenProcessed == false)
        #expect(server.requests.isEmpty)
    }

    /// The connection is fine for one request and dies under the second.
    private func dyingServer() throws -> LocalServer {
        try LocalServer { _, connection, number in
            guard number != 2 else { return .close }
            connection.answer("answer \(number)")
            return .keep
        }
    }

    @Test("A request that must not be repeated is not repeated when its kept-alive connection dies")
    func noSilentRepetition() async throws {
        let server = try dyingServer()
        defer { server.stop() }
        let request = HTTPRequest(method: "POST", url: server.url, body: Array("Action=CreateVpc".utf8))
        _ = try await client.send(request)
        let error = await failure(request)
        guard case .connectionLost(sent: true, _)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(server.requests.count == 2)
    }

    @Test("A request without a body that must not be repeated gets a connection of its own")
    func noSilentRepetitionWithoutBody() async throws {
        let server = try dyingServer()
        defer { server.stop() }
        let request = HTTPRequest(method: "DELETE", url: server.url, isRepeatable: false)
        _ = try await client.send(request)
        #expect(await failure(request)?.mayHaveBeenProcessed == true)
        #expect(server.requests.count == 2)
    }

    @Test("A repeatable request survives the death of its kept-alive connection", arguments: ["GET", "POST"])
    func repetition(_ method: String) async throws {
        let server = try dyingServer()
        defer { server.stop() }
        let request = HTTPRequest(
            method: method, url: server.url, body: method == "GET" ? [] : Array("Action=DescribeVpcs".utf8),
            isRepeatable: true)
        _ = try await client.send(request)
        let second = try await client.send(request)
        #expect(String(decoding: second.body, as: UTF8.self) == "answer 3")
        #expect(
            server.requests.map(\.body) == Array(repeating: String(decoding: request.body, as: UTF8.self), count: 3))
    }

    @Test("A slow answer: the request had been sent")
    func slow() async throws {
        let server = try LocalServer { _, connection, _ in
            connection.waitForEnd()
            return .close
        }
        defer { server.stop() }
        let request = HTTPRequest(method: "POST", url: server.url, body: [65], totalTimeout: .milliseconds(200))
        #expect(await failure(request) == .timedOut(sent: true))
    }

    @Test("A TLS handshake that never ends: nothing was sent")
    func slowHandshake() async throws {
        let server = try LocalServer(
            onAccept: { connection in
                connection.waitForEnd()
                return .close
            }, { _, _, _ in .close })
        defer { server.stop() }
        let request = HTTPRequest(
            method: "POST", url: "https://127.0.0.1:\(server.port)", body: [65], connectTimeout: .milliseconds(200))
        #expect(await failure(request) == .timedOut(sent: false))
    }

    @Test("A larger answer than allowed is refused, however it is packed")
    func tooLarge() async throws {
        let server = try LocalServer { _, connection, _ in
            connection.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            for _ in 0..<200 { connection.write("400\r\n\(String(repeating: "x", count: 1_024))\r\n") }
            return .close
        }
        defer { server.stop() }
        let error = await failure(HTTPRequest(url: server.url, maxResponseBytes: 10_000))
        #expect(error == .tooLarge(limit: 10_000))
        #expect(error?.mayHaveBeenProcessed == true)
    }

    @Test("What does not speak HTTP is recognised", arguments: ["SSH-2.0-OpenSSH\r\n", "\u{0}\u{1}\u{2}", ""])
    func notHTTP(_ greeting: String) async throws {
        let server = try LocalServer { _, connection, _ in
            connection.write(greeting)
            return .close
        }
        defer { server.stop() }
        #expect(await failure(HTTPRequest(method: "POST", url: server.url, body: [65]))?.mayHaveBeenProcessed == true)
    }

    @Test(
        "A header that would split the request is refused before anything is sent",
        arguments: [
            HTTPHeaders.Field("X-Token", "a\r\nX-Evil: 1"), HTTPHeaders.Field("X Token", "a"),
            HTTPHeaders.Field("", "a"), HTTPHeaders.Field("X:", "a"),
        ])
    func headerInjection(_ field: HTTPHeaders.Field) async throws {
        let server = try LocalServer { _, _, _ in .close }
        defer { server.stop() }
        let error = await failure(HTTPRequest(url: server.url, headers: HTTPHeaders([field])))
        guard case .invalidRequest? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(server.connections == 0)
    }

    @Test(
        "Only http and https are spoken, and URLs are percent-encoded",
        arguments: [
            "file:///etc/passwd", "ftp://127.0.0.1/", "http://127.0.0.1/a b", "http://127.0.0.1/ä", "", "http://",
        ])
    func badURL(_ url: String) async {
        guard case .invalidRequest? = await failure(HTTPRequest(url: url)) else {
            Issue.record("not refused")
            return
        }
    }

    // MARK: - Ends

    @Test("Cancelling the task ends the transfer")
    func cancellation() async throws {
        let (arrived, arrival) = AsyncStream.makeStream(of: Void.self)
        let server = try LocalServer { _, connection, _ in
            arrival.yield()
            connection.waitForEnd()
            arrival.finish()
            return .close
        }
        defer { server.stop() }
        let task = Task { await failure(HTTPRequest(method: "POST", url: server.url, body: [65])) }
        var arrivals = arrived.makeAsyncIterator()
        await arrivals.next()
        task.cancel()
        #expect(await task.value == .cancelled(sent: true))
        // The server sees the connection's end.
        #expect(await arrivals.next() == nil)
    }

    @Test("A task that is cancelled already sends nothing")
    func cancelledBefore() async throws {
        let server = try LocalServer { _, _, _ in .close }
        defer { server.stop() }
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return await failure(HTTPRequest(url: server.url))
        }
        #expect(await task.value == .cancelled(sent: false))
        #expect(server.requests.isEmpty)
    }

    @Test("Shutting down ends what is under way and refuses what comes later")
    func shutDown() async throws {
        let (arrived, arrival) = AsyncStream.makeStream(of: Void.self)
        let server = try LocalServer { _, connection, _ in
            arrival.yield()
            connection.waitForEnd()
            return .close
        }
        defer { server.stop() }
        let task = Task { await failure(HTTPRequest(method: "POST", url: server.url, body: [65])) }
        var arrivals = arrived.makeAsyncIterator()
        await arrivals.next()
        await client.shutDown()
        await client.shutDown()
        #expect(await task.value == .cancelled(sent: true))
        #expect(await failure(HTTPRequest(url: server.url)) == .cancelled(sent: false))
    }

    @Test("A client that was never used shuts down too")
    func shutDownUnused() async {
        await client.shutDown()
        #expect(client.statistics == CurlHTTPClient.Statistics())
    }

    // MARK: - Proxies

    @Test("A plain request goes through the proxy, unless the host or the request is exempt")
    func proxy() async throws {
        let proxy = try LocalServer { request, connection, _ in
            connection.answer("from the proxy")
            return .keep
        }
        let server = try LocalServer { request, connection, _ in
            connection.answer("from the server")
            return .keep
        }
        defer {
            proxy.stop()
            server.stop()
        }
        func body(noProxy: String, bypasses: Bool) async throws -> String {
            let client = CurlHTTPClient(CurlHTTPClient.Settings(httpProxy: proxy.url, noProxy: noProxy))
            let request = HTTPRequest(url: "\(server.url)/path", bypassesProxy: bypasses)
            return String(decoding: try await client.send(request).body, as: UTF8.self)
        }
        #expect(try await body(noProxy: "", bypasses: false) == "from the proxy")
        #expect(proxy.requests.first?.line == "GET \(server.url)/path HTTP/1.1")
        #expect(try await body(noProxy: "example.com,127.0.0.1", bypasses: false) == "from the server")
        #expect(try await body(noProxy: "*", bypasses: false) == "from the server")
        #expect(try await body(noProxy: "", bypasses: true) == "from the server")
        #expect(proxy.requests.count == 1)
    }

    @Test("A proxy that refuses to connect: nothing was sent")
    func proxyRefusal() async throws {
        let proxy = try LocalServer { request, connection, _ in
            connection.answer("", status: "407 Proxy Authentication Required")
            return .close
        }
        defer { proxy.stop() }
        let client = CurlHTTPClient(CurlHTTPClient.Settings(httpsProxy: proxy.url))
        let error = await failure(HTTPRequest(method: "POST", url: "https://example.invalid/", body: [65]), client)
        guard case .couldNotConnect(let detail)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(detail.contains("407"))
        #expect(error?.mayHaveBeenProcessed == false)
        #expect(proxy.requests.first?.line == "CONNECT example.invalid:443 HTTP/1.1")
    }

    @Test("A missing CA bundle is a TLS error")
    func missingBundle() async throws {
        let server = try LocalServer { _, _, _ in .close }
        defer { server.stop() }
        let client = CurlHTTPClient(CurlHTTPClient.Settings(caBundle: "/nonexistent/ca.pem"))
        let error = await failure(HTTPRequest(url: "https://127.0.0.1:\(server.port)/"), client)
        guard case .tls? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }
}
