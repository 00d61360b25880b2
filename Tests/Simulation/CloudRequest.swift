import AWSClient
import HTTPTransport

/// One call as the simulated AWS takes it off the wire.
struct CloudRequest {
    let service: String
    /// `CreateVpc`; for REST services the verb and the path.
    let action: String
    let method: String
    let path: [String]
    /// What it says, by path: `Tags.member.1.Key`. JSON is told in the words of forms.
    let fields: [String: String]
    /// The body of a REST call.
    let body: XMLElement

    init(_ request: HTTPRequest) {
        method = request.method
        let afterScheme = request.url.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: false)
        let hostAndPath = afterScheme.count == 3 ? afterScheme[2] : ""
        let parts = hostAndPath.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let place = (parts.first ?? "").split(separator: "/")
        let host = (place.first ?? "").split(separator: ".")
        service = String((host.first == "api" ? host.dropFirst().first : host.first) ?? "")
        path = place.dropFirst().map(String.init)
        if let target = request.headers["X-Amz-Target"] {
            let document = (try? JSONValue(parsing: request.body)) ?? .null
            fields = FlatAnswer.flat(document)
            action = String(target.split(separator: ".").last ?? "")
            body = .missing
            return
        }
        let isForm = service != "route53"
        fields = CloudRequest.form(isForm ? request.body : Array((parts.count == 2 ? parts[1] : "").utf8))
        action = isForm ? fields["Action"] ?? "" : "\(request.method) \(path.dropFirst().joined(separator: "/"))"
        body = isForm || request.body.isEmpty ? .missing : (try? XMLElement(parsing: request.body)) ?? .missing
    }

    private static func form(_ bytes: [UInt8]) -> [String: String] {
        var fields: [String: String] = [:]
        for pair in bytes.split(separator: UInt8(ascii: "&")) {
            let parts = pair.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            let name = decoded(parts[0])
            fields[name] = parts.count == 2 ? decoded(parts[1]) : ""
        }
        return fields
    }

    private static func decoded(_ bytes: ArraySlice<UInt8>) -> String {
        func digit(_ byte: UInt8) -> UInt8 {
            byte <= UInt8(ascii: "9") ? byte - 48 : (byte | 0x20) - UInt8(ascii: "a") + 10
        }
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var index = bytes.startIndex
        while index < bytes.endIndex {
            let byte = bytes[index]
            if byte == UInt8(ascii: "%"), index + 2 < bytes.endIndex {
                result.append(digit(bytes[index + 1]) << 4 | digit(bytes[index + 2]))
                index += 3
                continue
            }
            result.append(byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
            index += 1
        }
        return String(decoding: result, as: UTF8.self)
    }

    subscript(name: String) -> String { fields[name] ?? "" }
    func optional(_ name: String) -> String? { fields[name] }
    func flag(_ name: String) -> Bool? { fields[name].map { $0 == "true" } }

    /// `Name.1`, `Name.2`, …
    func list(_ name: String) -> [String] {
        var values: [String] = []
        while let value = fields["\(name).\(values.count + 1)"] { values.append(value) }
        return values
    }

    /// How many structures `Name.1.…`, `Name.2.…` there are.
    func count(_ name: String) -> Int {
        var count = 0
        while fields.keys.contains(where: { $0.hasPrefix("\(name).\(count + 1).") }) { count += 1 }
        return count
    }

    /// The values of a parameter in which `#` stands for any number.
    func values(_ pattern: String) -> [String] { FlatAnswer.values(pattern, in: fields) }

    var filters: [(name: String, values: [String])] {
        var filters: [(String, [String])] = []
        while let name = fields["Filter.\(filters.count + 1).Name"] {
            filters.append((name, list("Filter.\(filters.count + 1).Value")))
        }
        return filters
    }

    /// `TagSpecification.1.Tag.…`, the tags of a creation.
    var creationTags: [String: String] { tags("TagSpecification.1.Tag") }

    /// The tags of a creation, however the service spells them.
    var anyTags: [String: String] {
        let spellings = ["Tags.member", "Tags.Tag", "tags.member", "TagSpecification.1.Tag"]
        return spellings.reduce(into: [:]) { $0.merge(tags($1)) { first, _ in first } }
    }

    func tags(_ prefix: String) -> [String: String] {
        var tags: [String: String] = [:]
        var number = 1
        while let key = fields["\(prefix).\(number).Key"] {
            tags[key] = fields["\(prefix).\(number).Value"] ?? ""
            number += 1
        }
        return tags
    }

    /// True when it may change something.
    var isMutating: Bool {
        // Asking for the tags of zones is a POST.
        if service == "route53" { return method != "GET" && !(path.count == 3 && path[1] == "tags") }
        return !["Describe", "Get", "List"].contains { action.hasPrefix($0) }
    }

    /// All that makes two requests the same, apart from signatures.
    var fingerprint: String {
        fields.filter { $0.key != "ClientToken" }.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
            .joined(separator: "&")
    }
}

/// XML as AWS answers it.
enum XML {
    static func tag(_ name: String, _ text: String) -> String { "<\(name)>\(escaped(text))</\(name)>" }
    static func tag(_ name: String, _ flag: Bool) -> String { "<\(name)>\(flag)</\(name)>" }
    /// An element around others.
    static func around(_ name: String, _ content: String) -> String { "<\(name)>\(content)</\(name)>" }
    static func optional(_ name: String, _ text: String?) -> String {
        guard let text, !text.isEmpty else { return "" }
        return tag(name, text)
    }

    static func escaped(_ text: String) -> String {
        guard text.utf8.contains(where: { $0 == 0x26 || $0 == 0x3c || $0 == 0x3e }) else { return text }
        var result = ""
        for character in text {
            switch character {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            default: result.append(character)
            }
        }
        return result
    }
}
