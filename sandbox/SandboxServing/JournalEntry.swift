package import AWSClient

/// One request as it was received.
package struct JournalEntry: Sendable, Equatable {
    /// From 1, since the last reset.
    package var number: Int
    /// Milliseconds since 1970 on the simulated clock.
    package var time: Int64
    package var method: String
    /// Path and query.
    package var path: String
    /// The status that was decided, even if the answer was lost; 0 where nothing was decided.
    package var status: Int
    /// The `code` of an error.
    package var code: String?
    /// Whether the client got the answer.
    package var isAnswered: Bool
    package var fault: String?
    package var accessKey: String?
    package var userAgent: String?
    package var bytes: Int
    /// Which connection it came by; 0 in process.
    package var connection: Int
    /// What the service says of it.
    package var details: [JSONValue.Member]

    package var json: JSONValue {
        let own: [JSONValue.Member] = [
            .init("number", .integer(Int64(number))), .init("time", .integer(time)), .init("method", .string(method)),
            .init("path", .string(path)), .init("status", .integer(Int64(status))), .init("code", .optional(code)),
            .init("answered", .boolean(isAnswered)), .init("fault", .optional(fault)),
            .init("access_key", .optional(accessKey)), .init("user_agent", .optional(userAgent)),
            .init("bytes", .integer(Int64(bytes))), .init("connection", .integer(Int64(connection))),
        ]
        return .object(own + details)
    }
}
