package import MusterModel

/// Whether two values of an argument mean the same, by the argument's type and semantics.
package enum ValueComparison {
    /// - Parameters:
    ///   - desired: What the spec wants. Members of objects that it leaves out are not compared unless they have a
    ///     default.
    ///   - live: What is there.
    package static func areEqual(_ desired: Value, _ live: Value, _ schema: ArgumentSchema) -> Bool {
        areEqual(desired, live, type: schema.type, semantics: schema.semantics)
    }

    static func areEqual(_ desired: Value, _ live: Value, type: ValueType, semantics: Semantics) -> Bool {
        if desired == live { return true }
        if isUnset(desired), isUnset(live) { return true }
        switch (type, desired, live) {
        case (.object(let fields), .map(let desired), .map(let live)):
            return fields.allSatisfy { field in
                guard let wanted = wanted(desired[field.name], field) else { return true }
                return areEqual(wanted, live[field.name] ?? .null, field)
            }
        case (.list(let element), .list(let desired), .list(let live)):
            return desired.count == live.count
                && zip(desired, live).allSatisfy { areEqual($0, $1, type: element, semantics: semantics) }
        case (.set(let element, _), .list(let desired), .list(let live)):
            return haveSameElements(desired, live, type: element, semantics: semantics)
        case (.map(let element), .map(let desired), .map(let live)):
            return desired.count == live.count
                && desired.allSatisfy { key, value in
                    live[key].map { areEqual(value, $0, type: element, semantics: semantics) } ?? false
                }
        case (.anything, _, _):
            return canonical(desired, semantics) == canonical(live, semantics)
        case (_, .string(let desired), .string(let live)) where semantics == .versionPrefix:
            return desired == live || live.hasPrefix(desired + ".")
        default:
            return canonical(desired, semantics) == canonical(live, semantics)
        }
    }

    /// What leaving a member out means; nil: it is not compared.
    static func wanted(_ value: Value?, _ field: ArgumentSchema) -> Value? {
        if let value, value != .null { return value }
        if case .means(let value) = field.absence { return value }
        return nil
    }

    /// Null, "", [] and {} all mean that nothing is set.
    static func isUnset(_ value: Value) -> Bool {
        switch value {
        case .null: true
        case .string(let text): text.isEmpty
        case .list(let values): values.isEmpty
        case .map(let values): values.isEmpty
        default: false
        }
    }

    private static func haveSameElements(
        _ desired: [Value], _ live: [Value], type: ValueType, semantics: Semantics
    ) -> Bool {
        guard desired.count == live.count else { return false }
        if case .object = type {
            // Objects may be declared in part, so that no canonical form tells them apart; such sets are small.
            var rest = live
            for wanted in desired {
                guard
                    let match = rest.firstIndex(where: { areEqual(wanted, $0, type: type, semantics: semantics) })
                else { return false }
                rest.remove(at: match)
            }
            return true
        }
        var counts: [Value: Int] = [:]
        for value in desired { counts[canonical(value, semantics), default: 0] += 1 }
        for value in live { counts[canonical(value, semantics), default: 0] -= 1 }
        return counts.values.allSatisfy { $0 == 0 }
    }

    /// A form in which two scalars are equal exactly when they mean the same.
    package static func canonical(_ value: Value, _ semantics: Semantics) -> Value {
        switch (semantics, value) {
        case (.caseInsensitive, .string(let text)): return .string(text.lowercased())
        case (.cidr, .string(let text)):
            return .string(IPNetwork(text)?.canonical.description ?? text.lowercased())
        case (.dnsName, .string(let text)): return .string(canonicalName(text))
        case (.ipProtocol, .string(let text)): return .string(protocolNumber(text))
        case (.ipProtocol, .integer(let number)): return .string(String(number))
        case (.publicKey, .string(let text)):
            return .string(
                text.split(whereSeparator: { $0.isWhitespace }).prefix(2).joined(separator: " "))
        case (.multilineText, .string(let text)): return .string(text)
        case (.policyDocument, _): return PolicyDocument.canonical(value)
        case (_, .number(let number)) where number == number.rounded() && abs(number) < 1e15:
            return .integer(Int(number))
        default: return value
        }
    }

    private static func canonicalName(_ text: String) -> String {
        var name = text.lowercased()
        if name.hasSuffix("."), name.utf8.count > 1 { name.removeLast() }
        if name.hasPrefix("\\052") { name = "*" + name.dropFirst(4) }
        return name
    }

    /// IANA protocol numbers, as far as EC2 has names for them.
    private static func protocolNumber(_ text: String) -> String {
        switch text.lowercased() {
        case "tcp": "6"
        case "udp": "17"
        case "icmp": "1"
        case "icmpv6": "58"
        case "all", "any", "-1": "-1"
        default: text.lowercased()
        }
    }
}

/// IAM policy documents in one form: order-free lists, one element is no list, key case of the statements kept.
enum PolicyDocument {
    static func canonical(_ value: Value) -> Value {
        switch value {
        case .string(let text):
            guard let parsed = try? ValueJSON.decodePlain(text) else { return value }
            return canonical(parsed)
        case .map(let members):
            return .map(
                members.reduce(into: [:]) { result, member in
                    result[member.key] =
                        orderFreeKeys.contains(member.key)
                        ? elementSet(member.value)
                        : member.key == "Principal" || member.key == "NotPrincipal"
                            ? principal(member.value)
                            : member.key == "Condition" ? condition(member.value) : member.value
                })
        default: return value
        }
    }

    private static let orderFreeKeys: Set<String> = ["Action", "NotAction", "Resource", "NotResource", "Statement"]

    private static func elementSet(_ value: Value) -> Value {
        guard case .list(let values) = value else { return elementSet(.list([value])) }
        return .list(values.map(canonical).sorted { ValueJSON.text($0) < ValueJSON.text($1) })
    }

    /// `"*"` is anybody of AWS, and an account's number is its root.
    private static func principal(_ value: Value) -> Value {
        guard case .map(let members) = value else {
            return value == "*" ? .map(["AWS": elementSet(value)]) : value
        }
        return .map(members.mapValues { elementSet($0.accountsAsRoots) })
    }

    private static func condition(_ value: Value) -> Value {
        guard case .map(let operators) = value else { return value }
        return .map(
            operators.mapValues { keys in
                guard case .map(let keys) = keys else { return keys }
                return .map(keys.mapValues { elementSet($0.scalarsAsText) })
            })
    }
}

extension Value {
    /// `123456789012` is `arn:aws:iam::123456789012:root`.
    fileprivate var accountsAsRoots: Value {
        switch self {
        case .string(let text) where text.utf8.count == 12 && text.utf8.allSatisfy({ (0x30...0x39).contains($0) }):
            .string("arn:aws:iam::\(text):root")
        case .list(let values): .list(values.map(\.accountsAsRoots))
        default: self
        }
    }

    /// IAM compares condition values as text: `true` is `"true"`.
    fileprivate var scalarsAsText: Value {
        switch self {
        case .bool(let flag): .string(flag ? "true" : "false")
        case .integer(let number): .string(String(number))
        case .list(let values): .list(values.map(\.scalarsAsText))
        default: self
        }
    }
}
