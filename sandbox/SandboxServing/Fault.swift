import AWSClient

/// Something that goes wrong on order.
package struct Fault: Sendable, Equatable {
    package enum Kind: String, Sendable, CaseIterable {
        /// An error of the service, in its own form.
        case error
        /// The connection is reset, without an answer.
        case reset = "reset connection"
        /// The page of a proxy whose back end is away: HTML, not JSON.
        case page = "html page"
        /// Only slow.
        case delay
    }

    package enum Moment: String, Sendable, CaseIterable {
        /// Nothing was done.
        case before
        /// It was done, and the answer is lost.
        case after
    }

    package var kind: Kind
    package var when: Moment
    /// An upper-case method, or `*`.
    package var method: String
    /// A path with its query; `*` stands for any text.
    package var path: String
    /// How often; `nil` until it is cancelled.
    package var times: Int?
    /// Matching requests that pass first.
    package var skip: Int
    package var status: Int
    package var code: String
    /// Seconds of the machine's clock that pass before the answer, or before the connection is reset.
    package var delay: Double

    package init(
        _ kind: Kind, when: Moment = .before, method: String = "*", path: String = "*", times: Int? = 1, skip: Int = 0,
        status: Int = 503, code: String = "ServiceUnavailable", delay: Double = 0
    ) {
        self.kind = kind
        self.when = when
        self.method = method
        self.path = path
        self.times = times
        self.skip = skip
        self.status = status
        self.code = code
        self.delay = delay
    }

    func matches(_ method: String, _ path: String) -> Bool {
        (self.method == "*" || self.method == method) && Self.matches(Array(self.path.utf8)[...], Array(path.utf8)[...])
    }

    private static func matches(_ pattern: ArraySlice<UInt8>, _ text: ArraySlice<UInt8>) -> Bool {
        // The last star may take more bytes: going back to it alone is enough, and linear in practice.
        var (pattern, text) = (pattern, text)
        var retry: (pattern: ArraySlice<UInt8>, text: ArraySlice<UInt8>)?
        while true {
            if pattern.first == UInt8(ascii: "*") {
                pattern = pattern.dropFirst()
                retry = (pattern, text)
            } else if let byte = pattern.first, byte == text.first {
                pattern = pattern.dropFirst()
                text = text.dropFirst()
            } else if pattern.isEmpty, text.isEmpty {
                return true
            } else if let last = retry, !last.text.isEmpty {
                retry?.text = last.text.dropFirst()
                (pattern, text) = (last.pattern, last.text.dropFirst())
            } else {
                return false
            }
        }
    }
}

/// Why an order cannot be followed.
struct FaultOrderError: Error { var reason: String }

extension Fault {
    private static let members = ["code", "delay", "kind", "method", "path", "skip", "status", "times", "when"]

    /// An order from JSON.
    init(_ order: JSONValue) throws(FaultOrderError) {
        self.init(.error)
        guard case .object(let given) = order else { throw FaultOrderError(reason: "an order is an object") }
        for member in given {
            switch (member.name, member.value) {
            case ("kind", let value): kind = try Self.choice(value, "kind")
            case ("when", let value): when = try Self.choice(value, "when")
            case ("method", .string(let text)): method = text
            case ("path", .string(let text)): path = text
            case ("times", .null): times = nil
            case ("times", .integer(let number)) where number > 0: times = Int(number)
            case ("skip", .integer(let number)) where number >= 0: skip = Int(number)
            case ("status", .integer(let number)) where (400...599).contains(number): status = Int(number)
            case ("code", .string(let text)): code = text
            case ("delay", let value):
                guard let seconds = value.double, (0...60).contains(seconds) else {
                    throw FaultOrderError(reason: "delay wants seconds from 0 to 60")
                }
                delay = seconds
            case (let name, _) where Self.members.contains(name): throw FaultOrderError(reason: "\(name) is not valid")
            case (let name, _):
                throw FaultOrderError(
                    reason: "a fault has no \(name); it has \(Self.members.joined(separator: ", "))")
            }
        }
    }

    private static func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ value: JSONValue, _ name: String
    ) throws(FaultOrderError) -> Choice {
        guard let text = value.string, let choice = Choice(rawValue: text) else {
            let all = Choice.allCases.map(\.rawValue).joined(separator: ", ")
            throw FaultOrderError(reason: "\(name) is one of \(all)")
        }
        return choice
    }

    var json: JSONValue {
        [
            "kind": .string(kind.rawValue), "when": .string(when.rawValue), "method": .string(method),
            "path": .string(path), "times": times.map { .integer(Int64($0)) } ?? .null, "skip": .integer(Int64(skip)),
            "status": .integer(Int64(status)), "code": .string(code), "delay": .double(delay),
        ]
    }
}

/// The orders that are open.
struct FaultOrders: Sendable {
    var open: [Fault] = []

    /// The fault for this request, counted down.
    mutating func take(_ method: String, _ path: String) -> Fault? {
        for index in open.indices where open[index].matches(method, path) {
            if open[index].skip > 0 {
                open[index].skip -= 1
                continue
            }
            let fault = open[index]
            if let times = fault.times {
                open[index].times = times - 1
                if times <= 1 { open.remove(at: index) }
            }
            return fault
        }
        return nil
    }
}
