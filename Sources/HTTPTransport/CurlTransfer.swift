// One request on its way through libcurl: the options that are set, the callbacks, and what an end means.

import CCurl
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A request, its growing response and the task that waits for it.
///
/// `@unchecked`: after `submit` only the driver's thread touches it, `isCancelled` excepted. The inbox's lock orders
/// the hand-over.
final class CurlTransfer: @unchecked Sendable {
    typealias Continuation = CheckedContinuation<Result<HTTPResponse, HTTPError>, Never>

    let request: HTTPRequest
    let isCancelled = Atomic(false)

    private var continuation: Continuation?
    private var headerList: UnsafeMutablePointer<curl_slist>?
    private var errorText: UnsafeMutablePointer<CChar>?
    private var isRetained = false

    private var bodyBytesTaken = 0
    private var headers = HTTPHeaders()
    private var body: [UInt8] = []
    private var isTooLarge = false

    init(_ request: HTTPRequest) {
        self.request = request
    }

    func begin(_ continuation: Continuation) {
        self.continuation = continuation
    }

    /// Resumes the waiting task; a second call does nothing.
    func finish(_ result: Result<HTTPResponse, HTTPError>) {
        continuation?.resume(returning: result)
        continuation = nil
    }

    // MARK: - Options

    /// Sets every option on a fresh handle.
    func prepare(_ easy: UnsafeMutableRawPointer, _ settings: CurlHTTPClient.Settings) -> HTTPError? {
        guard request.url.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
            return .invalidRequest("the URL is not percent-encoded")
        }
        let isPlain = request.url.hasPrefix("http://")
        guard isPlain || request.url.hasPrefix("https://") else {
            return .invalidRequest("the URL is neither http nor https")
        }
        var failure: CURLcode = CURLE_OK
        func check(_ code: CURLcode) {
            if failure == CURLE_OK { failure = code }
        }
        func set(_ option: CURLoption, _ value: Int) { check(muster_curl_set_long(easy, option, value)) }
        func set(_ option: CURLoption, _ value: String) { check(muster_curl_set_string(easy, option, value)) }

        let text = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))
        text.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        errorText = text
        check(muster_curl_set_pointer(easy, CURLOPT_ERRORBUFFER, text))

        set(CURLOPT_URL, request.url)
        check(muster_curl_allow_only_http(easy))
        set(CURLOPT_PATH_AS_IS, 1)
        set(CURLOPT_FOLLOWLOCATION, 0)
        set(CURLOPT_NOSIGNAL, 1)
        set(CURLOPT_TCP_KEEPALIVE, 1)
        set(CURLOPT_ACCEPT_ENCODING, "gzip, deflate")
        set(CURLOPT_CONNECTTIMEOUT_MS, Self.milliseconds(request.connectTimeout))
        set(CURLOPT_TIMEOUT_MS, Self.milliseconds(request.totalTimeout))
        // Plain HTTP stays HTTP/1.1; over TLS both sides agree (ALPN). A libcurl without HTTP/2 refuses the option.
        if muster_curl_set_long(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_2TLS) == CURLE_OK {
            set(CURLOPT_PIPEWAIT, 1)
        }
        if let caBundle = settings.caBundle {
            set(CURLOPT_CAINFO, caBundle)
            set(CURLOPT_PROXY_CAINFO, caBundle)
        }
        // Both are always set, since libcurl would read the environment for what is not.
        let proxy = isPlain ? settings.httpProxy : settings.httpsProxy
        set(CURLOPT_PROXY, request.bypassesProxy ? "" : proxy ?? "")
        set(CURLOPT_NOPROXY, settings.noProxy)
        set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)

        if let error = setHeaders(easy, check) { return error }
        setBody(easy, set, check)

        let context = Unmanaged.passRetained(self).toOpaque()
        isRetained = true
        check(muster_curl_set_data_function(easy, CURLOPT_WRITEFUNCTION, receiveBody))
        check(muster_curl_set_pointer(easy, CURLOPT_WRITEDATA, context))
        check(muster_curl_set_data_function(easy, CURLOPT_HEADERFUNCTION, receiveHeader))
        check(muster_curl_set_pointer(easy, CURLOPT_HEADERDATA, context))
        check(muster_curl_set_data_function(easy, CURLOPT_READFUNCTION, sendBody))
        check(muster_curl_set_pointer(easy, CURLOPT_READDATA, context))
        check(muster_curl_set_seek_function(easy, seekBody))
        check(muster_curl_set_pointer(easy, CURLOPT_SEEKDATA, context))
        return failure == CURLE_OK ? nil : .transport(String(cString: curl_easy_strerror(failure)))
    }

    private func setHeaders(_ easy: UnsafeMutableRawPointer, _ check: (CURLcode) -> Void) -> HTTPError? {
        // A name without a value removes what libcurl would add by itself: `Expect: 100-continue` costs a round trip,
        // and a form's content type would not be what was signed.
        var lines = ["Expect:"]
        if request.headers["Content-Type"] == nil { lines.append("Content-Type:") }
        for field in request.headers.fields {
            guard Self.isSafe(field) else { return .invalidRequest("the header \(field.name) is malformed") }
            lines.append(field.value.isEmpty ? "\(field.name);" : "\(field.name): \(field.value)")
        }
        for line in lines {
            guard let list = curl_slist_append(headerList, line) else { return .transport("out of memory") }
            headerList = list
        }
        check(muster_curl_set_list(easy, CURLOPT_HTTPHEADER, headerList))
        return nil
    }

    private static func isSafe(_ field: HTTPHeaders.Field) -> Bool {
        !field.name.isEmpty
            && field.name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: ":") }
            && field.value.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f || $0 == 0x09 }
    }

    /// A body always goes through `sendBody`, never as a field that libcurl keeps: when a kept-alive connection dies
    /// before the first byte of an answer, libcurl sends the request once more by itself, and only a body that cannot
    /// be read again stops it. See `seekBody`.
    private func setBody(
        _ easy: UnsafeMutableRawPointer, _ set: (CURLoption, Int) -> Void, _ check: (CURLcode) -> Void
    ) {
        switch (request.method, request.body.isEmpty) {
        case ("GET", true): set(CURLOPT_HTTPGET, 1)
        case ("HEAD", _): set(CURLOPT_NOBODY, 1)
        case ("DELETE", true), ("OPTIONS", true):
            set(CURLOPT_HTTPGET, 1)
            check(muster_curl_set_string(easy, CURLOPT_CUSTOMREQUEST, request.method))
        case ("POST", _):
            set(CURLOPT_POST, 1)
            check(muster_curl_set_offset(easy, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(request.body.count)))
        default:
            set(CURLOPT_POST, 1)
            check(muster_curl_set_offset(easy, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(request.body.count)))
            check(muster_curl_set_string(easy, CURLOPT_CUSTOMREQUEST, request.method))
        }
        guard !request.isRepeatable else { return }
        if request.body.isEmpty {
            // Without a body nothing stops libcurl from repeating: only a new connection is safe.
            set(CURLOPT_FRESH_CONNECT, 1)
        } else {
            // A connection that idled long is more likely to be dead, and then the outcome would be unknown.
            set(CURLOPT_MAXAGE_CONN, 10)
        }
    }

    private static func milliseconds(_ duration: Duration) -> Int {
        let (seconds, attoseconds) = duration.components
        // 0 would mean "no limit" to libcurl.
        return max(1, Int(clamping: seconds) * 1_000 + Int(attoseconds / 1_000_000_000_000_000))
    }

    /// Frees what the options point to; the handle must not be used again before `curl_easy_reset`.
    func release() {
        curl_slist_free_all(headerList)
        headerList = nil
        errorText?.deallocate()
        errorText = nil
        if isRetained { Unmanaged.passUnretained(self).release() }
        isRetained = false
    }

    // MARK: - Callbacks, on the driver's thread

    func take(into buffer: UnsafeMutablePointer<CChar>, _ capacity: Int) -> Int {
        let count = min(capacity, request.body.count - bodyBytesTaken)
        guard count > 0 else { return 0 }
        UnsafeMutableRawBufferPointer(start: buffer, count: count)
            .copyBytes(from: request.body[bodyBytesTaken..<bodyBytesTaken + count])
        bodyBytesTaken += count
        return count
    }

    func rewind(to offset: Int) -> Int32 {
        guard request.isRepeatable, (0...request.body.count).contains(offset) else {
            return Int32(CURL_SEEKFUNC_FAIL)
        }
        bodyBytesTaken = offset
        return Int32(CURL_SEEKFUNC_OK)
    }

    func receive(_ bytes: UnsafeRawBufferPointer) -> Int {
        guard body.count + bytes.count <= request.maxResponseBytes else {
            isTooLarge = true
            return 0  // anything but the count makes libcurl stop
        }
        body.append(contentsOf: bytes)
        return bytes.count
    }

    func receiveHeaderLine(_ bytes: UnsafeRawBufferPointer) -> Int {
        // A new status line opens another response: what came before was informational (1xx).
        if bytes.starts(with: "HTTP/".utf8) {
            headers = HTTPHeaders()
        } else if let colon = bytes.firstIndex(of: UInt8(ascii: ":")) {
            let name = String(decoding: bytes[..<colon], as: UTF8.self)
            let value = bytes[bytes.index(after: colon)...]
            headers.append(name, Self.trimmed(value))
        }
        return bytes.count
    }

    private static func trimmed(_ value: Slice<UnsafeRawBufferPointer>) -> String {
        let isBlank = { (byte: UInt8) in byte == 0x20 || byte == 0x09 || byte == 0x0d || byte == 0x0a }
        guard let first = value.firstIndex(where: { !isBlank($0) }),
            let last = value.lastIndex(where: { !isBlank($0) })
        else { return "" }
        return String(decoding: value[first...last], as: UTF8.self)
    }

    // MARK: - The end

    /// What the end of a transfer means; no code means that it was stopped by us.
    func result(of easy: UnsafeMutableRawPointer, _ code: CURLcode?) -> Result<HTTPResponse, HTTPError> {
        guard let code else { return .failure(.cancelled(sent: wasSent(easy))) }
        if code == CURLE_OK {
            let status = curlInfo(easy, CURLINFO_RESPONSE_CODE)
            guard status >= 100 else { return .failure(.invalidResponse("no status")) }
            return .success(HTTPResponse(status: status, headers: headers, body: body))
        }
        return .failure(failure(easy, code))
    }

    private func failure(_ easy: UnsafeMutableRawPointer, _ code: CURLcode) -> HTTPError {
        let specific = errorText.map { String(cString: $0) } ?? ""
        let detail = specific.isEmpty ? String(cString: curl_easy_strerror(code)) : specific
        switch code {
        // libcurl names an answer without a status line (HTTP/0.9) an unsupported protocol too.
        case CURLE_UNSUPPORTED_PROTOCOL where curlInfo(easy, CURLINFO_REQUEST_SIZE) > 0:
            return .invalidResponse(detail)
        case CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL: return .invalidRequest(detail)
        case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY: return .couldNotResolve(detail)
        case CURLE_COULDNT_CONNECT, CURLE_PROXY: return .couldNotConnect(detail)
        case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE,
            CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_ENGINE_NOTFOUND,
            CURLE_SSL_ENGINE_INITFAILED, CURLE_SSL_INVALIDCERTSTATUS:
            return .tls(detail)
        case CURLE_OPERATION_TIMEDOUT: return .timedOut(sent: wasSent(easy))
        case CURLE_WRITE_ERROR where isTooLarge: return .tooLarge(limit: request.maxResponseBytes)
        case CURLE_WEIRD_SERVER_REPLY, CURLE_BAD_CONTENT_ENCODING:
            return .invalidResponse(detail)
        case CURLE_OUT_OF_MEMORY, CURLE_FAILED_INIT, CURLE_NOT_BUILT_IN, CURLE_BAD_FUNCTION_ARGUMENT:
            return .transport(detail)
        default:
            // The proxy's refusal to connect comes as a receive error in older versions of libcurl.
            let isProxyRefusal = curlInfo(easy, CURLINFO_HTTP_CONNECTCODE) >= 300
            if isProxyRefusal, !wasSent(easy) { return .couldNotConnect(detail) }
            return .connectionLost(sent: wasSent(easy), detail)
        }
    }

    /// Whether the server may have the whole request. An incomplete body cannot be acted upon.
    private func wasSent(_ easy: UnsafeMutableRawPointer) -> Bool {
        guard curlInfo(easy, CURLINFO_REQUEST_SIZE) > 0, bodyBytesTaken == request.body.count else { return false }
        // Behind a proxy the bytes may be those of CONNECT: nothing of ours leaves before the TLS handshake is done.
        let isNewTLS = request.url.hasPrefix("https:") && curlInfo(easy, CURLINFO_NUM_CONNECTS) > 0
        return !isNewTLS || curlInfo(offset: easy, CURLINFO_APPCONNECT_TIME_T) > 0
    }
}

// MARK: - C functions

private func transfer(_ context: UnsafeMutableRawPointer?) -> CurlTransfer? {
    context.map { Unmanaged<CurlTransfer>.fromOpaque($0).takeUnretainedValue() }
}

private func receiveBody(
    _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
) -> Int {
    transfer(context)?.receive(UnsafeRawBufferPointer(start: bytes, count: size * count)) ?? 0
}

private func receiveHeader(
    _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
) -> Int {
    transfer(context)?.receiveHeaderLine(UnsafeRawBufferPointer(start: bytes, count: size * count)) ?? 0
}

private func sendBody(
    _ buffer: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
) -> Int {
    guard let buffer else { return 0 }
    return transfer(context)?.take(into: buffer, size * count) ?? 0
}

private func seekBody(_ context: UnsafeMutableRawPointer?, _ offset: curl_off_t, _ origin: Int32) -> Int32 {
    guard origin == SEEK_SET, let transfer = transfer(context) else { return Int32(CURL_SEEKFUNC_FAIL) }
    return transfer.rewind(to: Int(offset))
}
