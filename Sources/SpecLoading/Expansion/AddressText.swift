import Diagnostics
import MusterModel

/// Addresses as specs write them: `type/name` in this stack, `stack:type/name`, or `section.name`.
struct AddressText {
    let catalog: Catalog
    let principalTypes: [String: ResourceType]
    let stack: String
    let stacks: [String]

    /// - Parameter mustExist: false for a stack that may be gone by now.
    func address(
        _ text: String, at range: SourceRange, mustExist: Bool, _ complaints: Complaints
    ) -> Address? {
        guard let address = parsed(text) else {
            complaints.report(.invalidAddress(text, stack, at: range))
            return nil
        }
        guard catalog[address.type] != nil else {
            let known = catalog.types.map(\.rawValue)
            complaints.report(.unknownResourceType(address.type.rawValue, known: known, at: range))
            return nil
        }
        if mustExist, !stacks.contains(address.stack) {
            complaints.report(.unknownStack(address.stack, known: stacks, at: range))
            return nil
        }
        return address
    }

    private func parsed(_ text: String) -> Address? {
        let head = text.prefix { $0 != "/" }
        if head.count < text.count {
            // A type before the first slash: the colons behind it belong to the name.
            if !head.contains(":"), let local = Address("-:\(text)"), local.type.rawValue.contains(".") {
                return Address(stack: stack, type: local.type, name: local.name)
            }
            return Address(text)
        }
        let section = text.prefix { $0 != "." && $0 != "[" }
        guard let type = principalTypes[String(section)] else { return nil }
        var name = text.dropFirst(section.count)
        if name.hasPrefix("."), name.count > 1 {
            return Address(stack: stack, type: type, name: String(name.dropFirst()))
        }
        for quote in ["\"", "'"] where name.hasPrefix("[" + quote) && name.hasSuffix(quote + "]") && name.count > 4 {
            name = name.dropFirst(2).dropLast(2)
            return Address(stack: stack, type: type, name: String(name))
        }
        return nil
    }
}

extension Diagnostic {
    fileprivate static func invalidAddress(_ text: String, _ stack: String, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            code: "spec.invalid-address", summary: "Invalid address",
            detail: "\(text.quoted) is not an address.", at: range,
            hint: "Write it like aws.vpc/main, or \(stack):aws.vpc/main for one of another stack.")
    }

    static func unknownResourceType(_ type: String, known: [String], at range: SourceRange) -> Diagnostic {
        let full = known.first { $0.hasSuffix(".\(type)") }
        let hint = full.map { "Did you mean \($0.quoted)?" } ?? Suggestion.hint(for: type, among: known)
        return Diagnostic(
            code: "spec.unknown-type", summary: "Unknown resource type",
            detail: "This version of muster knows no resource type \(type.quoted).", at: range, hint: hint)
    }

    static func unknownStack(_ stack: String, known: [String], at range: SourceRange?) -> Diagnostic {
        Diagnostic(
            code: "spec.unknown-stack", summary: "Unknown stack",
            detail: "The workspace has no stack named \(stack.quoted).", at: range,
            hint: Suggestion.hint(for: stack, among: known)
                ?? (known.isEmpty ? nil : "Its stacks are \(known.prefix(16).joined(separator: ", "))."))
    }
}
