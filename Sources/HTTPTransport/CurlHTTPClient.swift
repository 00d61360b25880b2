// libcurl's multi interface, driven by one thread of our own.
//
// `curl_multi_poll` blocks, so it may not run on Swift's cooperative threads: a thread owns the multi handle and every
// easy handle, and nobody else touches them. Tasks leave transfers in an inbox and wake the thread
// (`curl_multi_wakeup` is the one libcurl call that any thread may make); the thread resumes their continuations. The
// inbox is a `Mutex`, since the thread cannot await an actor. The thread starts with the first request and ends with
// `shutDown()` or with the client.
//
// The connection pool, keep-alive, HTTP/2 multiplexing, the bound on connections for each host, proxies and TLS are
// libcurl's own. Weakness: where a host has reached its bound, waiting requests are served in libcurl's order, and the
// total timeout of a request counts from when it gets its turn.

import CCurl
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Sends requests through libcurl.
package final class CurlHTTPClient: HTTPClient {
    /// What the environment decides; read by the caller, never here.
    package struct Settings: Sendable, Hashable {
        /// A PEM file that replaces the system's certificate authorities.
        package var caBundle: String?
        /// The proxy for `http` URLs.
        package var httpProxy: String?
        /// The proxy for `https` URLs.
        package var httpsProxy: String?
        /// Hosts that are reached directly: comma-separated suffixes or CIDR blocks, `*` for all.
        package var noProxy: String
        /// Further requests wait (or share an HTTP/2 connection).
        package var maxConnectionsPerHost: Int

        package init(
            caBundle: String? = nil, httpProxy: String? = nil, httpsProxy: String? = nil, noProxy: String = "",
            maxConnectionsPerHost: Int = 32
        ) {
            self.caBundle = caBundle
            self.httpProxy = httpProxy
            self.httpsProxy = httpsProxy
            self.noProxy = noProxy
            self.maxConnectionsPerHost = maxConnectionsPerHost
        }
    }

    /// Counts since the client was made.
    package struct Statistics: Sendable, Equatable {
        /// Requests handed in.
        package var requests = 0
        /// Responses that arrived whole.
        package var responses = 0
        package var connectionsOpened = 0
        /// Headers and bodies, as they were on the wire.
        package var bytesSent = 0
        package var bytesReceived = 0
    }

    private let driver: CurlDriver

    package init(_ settings: Settings = Settings()) {
        driver = CurlDriver(settings)
    }

    deinit {
        driver.stop()
    }

    package var statistics: Statistics {
        driver.statistics
    }

    package func send(_ request: HTTPRequest) async throws(HTTPError) -> HTTPResponse {
        let transfer = CurlTransfer(request)
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                driver.submit(transfer, continuation)
            }
        } onCancel: {
            driver.cancel(transfer)
        }
        return try result.get()
    }

    /// Fails what is under way with `HTTPError.cancelled`, closes every connection and waits for the thread's end.
    /// A request after that fails likewise.
    package func shutDown() async {
        await withCheckedContinuation { continuation in
            driver.stop { continuation.resume() }
        }
    }
}

/// The thread, its multi handle and its inbox.
final class CurlDriver: Sendable {
    private struct Handle: @unchecked Sendable {
        let pointer: UnsafeMutableRawPointer
    }

    private struct Inbox {
        enum Phase { case idle, running, stopping, stopped }

        var phase = Phase.idle
        /// Set while the thread lives: waking a multi handle that was freed would be a use after free.
        var multi: Handle?
        var arrivals: [CurlTransfer] = []
        var hasCancellations = false
        var onStopped: [@Sendable () -> Void] = []
        var statistics = CurlHTTPClient.Statistics()
    }

    private let settings: CurlHTTPClient.Settings
    // C calls back on the driver's thread, which cannot await: hence a lock and no actor.
    private let inbox = Mutex(Inbox())

    init(_ settings: CurlHTTPClient.Settings) {
        self.settings = settings
    }

    var statistics: CurlHTTPClient.Statistics {
        inbox.withLock { $0.statistics }
    }

    func submit(_ transfer: CurlTransfer, _ continuation: CurlTransfer.Continuation) {
        transfer.begin(continuation)
        let refusal: HTTPError? = inbox.withLock { inbox in
            switch inbox.phase {
            case .stopping, .stopped: return .cancelled(sent: false)
            case .idle:
                guard start(&inbox) else { return .transport("no thread or no multi handle") }
            case .running: break
            }
            inbox.statistics.requests += 1
            inbox.arrivals.append(transfer)
            wake(inbox)
            return nil
        }
        if let refusal { transfer.finish(.failure(refusal)) }
    }

    func cancel(_ transfer: CurlTransfer) {
        transfer.isCancelled.store(true, ordering: .releasing)
        inbox.withLock { inbox in
            inbox.hasCancellations = true
            wake(inbox)
        }
    }

    func stop(_ onStopped: (@Sendable () -> Void)? = nil) {
        let isStopped = inbox.withLock { inbox in
            switch inbox.phase {
            case .idle: inbox.phase = .stopped
            case .running: inbox.phase = .stopping
            case .stopping, .stopped: break
            }
            guard inbox.phase == .stopping else { return true }
            if let onStopped { inbox.onStopped.append(onStopped) }
            wake(inbox)
            return false
        }
        if isStopped { onStopped?() }
    }

    private func wake(_ inbox: borrowing Inbox) {
        if let multi = inbox.multi { curl_multi_wakeup(multi.pointer) }
    }

    private static let isLibraryReady = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

    private func start(_ inbox: inout Inbox) -> Bool {
        guard Self.isLibraryReady, let multi = curl_multi_init() else { return false }
        // Waiting for a connection that may turn out to multiplex is libcurl's part: CURLOPT_PIPEWAIT.
        _ = muster_curl_multi_set_long(multi, CURLMOPT_PIPELINING, Int(CURLPIPE_MULTIPLEX))
        _ = muster_curl_multi_set_long(multi, CURLMOPT_MAX_HOST_CONNECTIONS, settings.maxConnectionsPerHost)
        _ = muster_curl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, settings.maxConnectionsPerHost * 2)
        inbox.multi = Handle(pointer: multi)
        inbox.phase = .running

        let context = Unmanaged.passRetained(self)
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        defer { pthread_attr_destroy(&attributes) }
        // The signal mask is inherited: SIGINT must reach the thread that waits for it, and a TLS library that writes
        // to a closed socket must not end the process by SIGPIPE.
        var everySignal = sigset_t()
        var before = sigset_t()
        sigfillset(&everySignal)
        pthread_sigmask(SIG_SETMASK, &everySignal, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        #if canImport(Darwin)
            var thread: pthread_t?
        #else
            var thread = pthread_t()
        #endif
        let status = pthread_create(&thread, &attributes, curlThread, context.toOpaque())
        guard status == 0 else {
            context.release()
            curl_multi_cleanup(multi)
            inbox.multi = nil
            inbox.phase = .idle
            return false
        }
        return true
    }

    // MARK: - On the thread

    fileprivate func run() {
        guard let multi = inbox.withLock({ $0.multi })?.pointer else { return }
        var active: [UnsafeMutableRawPointer: CurlTransfer] = [:]
        var spareHandles: [UnsafeMutableRawPointer] = []

        func end(_ easy: UnsafeMutableRawPointer, _ code: CURLcode?) {
            guard let transfer = active.removeValue(forKey: easy) else { return }
            curl_multi_remove_handle(multi, easy)
            let result = transfer.result(of: easy, code)
            count(easy, result)
            transfer.release()
            curl_easy_reset(easy)
            if spareHandles.count < settings.maxConnectionsPerHost {
                spareHandles.append(easy)
            } else {
                curl_easy_cleanup(easy)
            }
            transfer.finish(result)
        }

        while true {
            let (arrivals, hasCancellations, isStopping) = inbox.withLock { inbox in
                defer {
                    inbox.arrivals = []
                    inbox.hasCancellations = false
                }
                return (inbox.arrivals, inbox.hasCancellations, inbox.phase == .stopping)
            }
            for transfer in arrivals {
                if isStopping || transfer.isCancelled.load(ordering: .acquiring) {
                    transfer.finish(.failure(.cancelled(sent: false)))
                    continue
                }
                guard let easy = spareHandles.popLast() ?? curl_easy_init() else {
                    transfer.finish(.failure(.transport("no easy handle")))
                    continue
                }
                if let error = transfer.prepare(easy, settings) {
                    transfer.release()
                    curl_easy_cleanup(easy)
                    transfer.finish(.failure(error))
                    continue
                }
                active[easy] = transfer
                let code = curl_multi_add_handle(multi, easy)
                if code != CURLM_OK { end(easy, CURLE_FAILED_INIT) }
            }
            if hasCancellations || isStopping {
                for (easy, transfer) in active where isStopping || transfer.isCancelled.load(ordering: .acquiring) {
                    end(easy, nil)
                }
            }
            if isStopping { break }

            var running: Int32 = 0
            curl_multi_perform(multi, &running)
            var left: Int32 = 0
            while let message = curl_multi_info_read(multi, &left) {
                guard message.pointee.msg == CURLMSG_DONE, let easy = message.pointee.easy_handle else { continue }
                // The message lives only until the handle is removed.
                end(easy, muster_curl_message_result(message))
            }
            // libcurl shortens this to its own next deadline; arrivals and cancellations wake it.
            curl_multi_poll(multi, nil, 0, 60_000, nil)
        }

        for easy in spareHandles { curl_easy_cleanup(easy) }
        stop(multi)
    }

    /// Ends what came too late, and says that nothing runs any more.
    private func stop(_ multi: UnsafeMutableRawPointer) {
        let (late, onStopped) = inbox.withLock { inbox in
            // Under the lock, so that nobody wakes a freed handle.
            curl_multi_cleanup(multi)
            inbox.multi = nil
            inbox.phase = .stopped
            defer {
                inbox.arrivals = []
                inbox.onStopped = []
            }
            return (inbox.arrivals, inbox.onStopped)
        }
        for transfer in late { transfer.finish(.failure(.cancelled(sent: false))) }
        for notify in onStopped { notify() }
    }

    private func count(_ easy: UnsafeMutableRawPointer, _ result: Result<HTTPResponse, HTTPError>) {
        let opened = curlInfo(easy, CURLINFO_NUM_CONNECTS)
        let sent = curlInfo(easy, CURLINFO_REQUEST_SIZE) + curlInfo(offset: easy, CURLINFO_SIZE_UPLOAD_T)
        let received = curlInfo(easy, CURLINFO_HEADER_SIZE) + curlInfo(offset: easy, CURLINFO_SIZE_DOWNLOAD_T)
        inbox.withLock { inbox in
            if case .success = result { inbox.statistics.responses += 1 }
            inbox.statistics.connectionsOpened += opened
            inbox.statistics.bytesSent += sent
            inbox.statistics.bytesReceived += received
        }
    }
}

#if canImport(Darwin)
    private func curlThread(_ context: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
        Unmanaged<CurlDriver>.fromOpaque(context).takeRetainedValue().run()
        return nil
    }
#else
    private func curlThread(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
        if let context { Unmanaged<CurlDriver>.fromOpaque(context).takeRetainedValue().run() }
        return nil
    }
#endif

func curlInfo(_ easy: UnsafeMutableRawPointer, _ info: CURLINFO) -> Int {
    var value = 0
    _ = muster_curl_get_long(easy, info, &value)
    return value
}

func curlInfo(offset easy: UnsafeMutableRawPointer, _ info: CURLINFO) -> Int {
    var value: curl_off_t = 0
    _ = muster_curl_get_offset(easy, info, &value)
    return Int(value)
}
