import Diagnostics
import Expressions
import MusterModel

// Names in expressions. What this stack alone decides (variables, `each`, results of lookups) gets its value here; what
// names a resource or an output stays a reference, for linking to resolve.

/// Resolves the names of one expression.
final class Resolver {
    private let scope: Scope
    /// True when the result of a lookup was used.
    private(set) var didUseResults = false

    init(_ scope: Scope) { self.scope = scope }

    /// What a leaf of an expression stands for; nil when that is not known, or when more of the name must follow.
    func resolve(_ leaf: Expression) throws(EvaluationFailure) -> Value? {
        guard case .reference(let reference) = leaf, case .path(let components) = reference.target,
            case .name(let root)? = components.first
        else { return nil }
        try checkReach(root, reference)
        let rest = components.dropFirst()
        switch root {
        case "var":
            guard case .name(let name)? = rest.first else { return nil }
            return try part(of: try variable(name, reference), rest.dropFirst(), reference)
        case "each":
            guard let each = scope.each else {
                throw .outsideExpansion("each", isCounted: scope.index != nil, reference)
            }
            switch rest.first {
            case .name("key")?: return .string(each.key)
            case .name("value")?: return try part(of: each.value, rest.dropFirst(), reference)
            case .name(let name)?: throw .unknownMember(name, of: "each", known: ["key", "value"], reference)
            case .index?, nil: throw .incomplete("each", known: ["key", "value"], reference)
            }
        case "index":
            guard let index = scope.index else { throw .outsideExpansion("index", isCounted: false, reference) }
            return .integer(index)
        case "stack": return try fact("stack", stackFacts, rest, reference)
        case "workspace": return try fact("workspace", ["name": scope.stack.workspace], rest, reference)
        case "lookups", "lookup": return try lookup(rest, reference)
        default:
            let names = scope.stack.names
            guard names.isRoot(root) else { throw .unknownRoot(root, names, scope.stack.variables.names, reference) }
            return .deferred(
                Deferred(.reference(Reference(reference.target, stack: scope.stack.name, range: reference.range))))
        }
    }

    /// Complains about a name that stands for nothing, without evaluating it.
    func check(_ reference: Reference) throws(EvaluationFailure) {
        guard case .path(let components) = reference.target, case .name(let root)? = components.first else { return }
        try checkReach(root, reference)
        switch root {
        case "var":
            if components.count > 1, case .name(let name) = components[1], !scope.stack.variables.names.contains(name) {
                throw .unknownVariable(name, known: scope.stack.variables.names, reference)
            }
        case "each", "index", "stack", "workspace": break
        case "lookups", "lookup": _ = try lookup(components.dropFirst(), reference)
        default:
            if !scope.stack.names.isRoot(root) {
                throw .unknownRoot(root, scope.stack.names, scope.stack.variables.names, reference)
            }
        }
    }

    private func checkReach(_ root: String, _ reference: Reference) throws(EvaluationFailure) {
        switch scope.reach {
        case .everything: return
        case .nothing(let what): throw .outOfReach("\(what) takes no expressions", hint: nil, reference)
        case .variables(let what):
            if ["var", "stack", "workspace"].contains(root) { return }
            // A name that would be unknown anywhere is better called so.
            guard root == "each" || root == "index" || scope.stack.names.isRoot(root) else {
                throw .unknownRoot(root, scope.stack.names, scope.stack.variables.names, reference)
            }
            throw .outOfReach(
                "\(what) may use var, stack and workspace only", hint: "It is needed before anything else is read.",
                reference)
        }
    }

    private func part(
        of value: Value, _ components: ArraySlice<Reference.Component>, _ reference: Reference
    ) throws(EvaluationFailure) -> Value {
        if components.isEmpty { return value }
        do {
            return try Evaluator.part(of: value, at: components)
        } catch {
            var failure = error
            failure.range = failure.range ?? reference.range
            throw failure
        }
    }

    private func variable(_ name: String, _ reference: Reference) throws(EvaluationFailure) -> Value {
        if let value = scope.stack.variables.value(of: name, askedBy: reference) { return value }
        throw .unknownVariable(name, known: scope.stack.variables.names, reference)
    }

    private var stackFacts: [String: String?] {
        ["name": scope.stack.name, "region": scope.stack.region, "account": scope.stack.account]
    }

    private func fact(
        _ root: String, _ facts: [String: String?], _ rest: ArraySlice<Reference.Component>, _ reference: Reference
    ) throws(EvaluationFailure) -> Value {
        let known = facts.keys.sorted()
        guard case .name(let name)? = rest.first, rest.count == 1 else {
            throw .incomplete(root, known: known, reference)
        }
        guard let fact = facts[name] else { throw .unknownMember(name, of: root, known: known, reference) }
        guard let fact else { throw .unsetFact(name, stack: scope.stack.name, reference) }
        return .string(fact)
    }

    // MARK: Lookups

    private func lookup(
        _ components: ArraySlice<Reference.Component>, _ reference: Reference
    ) throws(EvaluationFailure) -> Value? {
        var rest = components
        let names = scope.stack.names
        guard case .name(let kind)? = rest.popFirst() else { return nil }
        guard let schema = names.catalog.lookup(kind) else {
            throw .unknownMember(kind, of: "lookups", known: names.catalog.lookups.map(\.kind), reference)
        }
        guard case .name(let text)? = rest.popFirst() else { return nil }
        let address = try lookupAddress(kind, text, reference)
        guard case .name(let output)? = rest.popFirst() else { return nil }
        guard schema.outputs.contains(where: { $0.name == output }) else {
            throw .unknownMember(
                output, of: "lookups.\(kind)[\(text.quoted)]", known: schema.outputs.map(\.name), reference)
        }
        let value: Value
        if let results = names.results[address] {
            value = results[output] ?? .null
            didUseResults = true
        } else {
            value = .deferred(Deferred(.output(OutputReference(address, output))))
        }
        return try part(of: value, rest, reference)
    }

    /// The lookup of a name in this stack, in one that it uses, or in the one that is named.
    private func lookupAddress(
        _ kind: String, _ text: String, _ reference: Reference
    ) throws(EvaluationFailure) -> Address {
        let names = scope.stack.names
        let type = ResourceType(rawValue: "lookup.\(kind)")
        var stacks = [scope.stack.name] + scope.stack.uses
        var name = text
        if let colon = text.firstIndex(of: ":") {
            stacks = [String(text[..<colon])]
            name = String(text[text.index(after: colon)...])
            if !names.stacks.contains(stacks[0]) { throw .unknownStack(stacks[0], names.stacks, reference) }
        }
        let found = stacks.map { Address(stack: $0, type: type, name: name) }.filter(names.lookups.contains)
        if found.count > 1, found[0].stack != scope.stack.name { throw .ambiguousLookup(name, found, reference) }
        if let address = found.first { return address }
        let known = names.lookups.filter { $0.type == type && stacks.contains($0.stack) }.map(\.name)
        let place =
            stacks.first == scope.stack.name ? "this stack or in those that it uses" : "the stack \(stacks[0].quoted)"
        throw .unknownLookup(name, kind: kind, place: place, known: known, reference)
    }
}

extension KnownNames {
    func isRoot(_ name: String) -> Bool {
        sections.contains(name) || KnownNames.roots.contains(name) || name == "lookup"
    }
}

extension EvaluationFailure {
    fileprivate static func unknownVariable(
        _ name: String, known: [String], _ reference: Reference
    ) -> EvaluationFailure {
        EvaluationFailure(
            code: "spec.unknown-variable", summary: "Unknown variable",
            detail: "There is no variable named \(name.quoted).",
            hint: Suggestion.hint(for: name, among: known) ?? "Declare it under \"variables\".", range: reference.range)
    }

    fileprivate static func unknownRoot(
        _ root: String, _ names: KnownNames, _ variables: [String], _ reference: Reference
    ) -> EvaluationFailure {
        var hint: String?
        if variables.contains(root) {
            hint = "Did you mean \"var.\(root)\"?"
        } else if names.plannedSections.contains(root) {
            hint = "This version of muster does not know the section \(root.quoted) yet."
        } else {
            hint =
                Suggestion.hint(for: root, among: KnownNames.roots + names.sections.sorted())
                ?? Suggestion.closest(to: root, among: variables).map { "Did you mean \"var.\($0)\"?" }
        }
        return EvaluationFailure(
            code: "spec.unknown-reference", summary: "Unknown reference",
            detail: "\(root.quoted) is not the beginning of any reference.",
            hint: hint ?? "References begin with \(KnownNames.roots.joined(separator: ", ")) or a section.",
            range: reference.range)
    }

    fileprivate static func unknownMember(
        _ name: String, of what: String, known: [String], _ reference: Reference
    ) -> EvaluationFailure {
        EvaluationFailure(
            code: "spec.unknown-reference", summary: "Unknown reference",
            detail: "\(what) has no \(name.quoted).",
            hint: Suggestion.hint(for: name, among: known) ?? "It has \(known.joined(separator: ", ")).",
            range: reference.range)
    }

    fileprivate static func incomplete(
        _ root: String, known: [String], _ reference: Reference
    ) -> EvaluationFailure {
        EvaluationFailure(
            code: "spec.incomplete-reference", summary: "Incomplete reference",
            detail: "\(root.quoted) alone is not a value.",
            hint: "Write \(known.map { "\(root).\($0)" }.joined(separator: " or ")).", range: reference.range)
    }

    fileprivate static func outsideExpansion(
        _ root: String, isCounted: Bool, _ reference: Reference
    ) -> EvaluationFailure {
        let key = root == "each" ? "\"for_each\"" : "\"count\" or \"for_each\""
        return EvaluationFailure(
            code: "spec.outside-expansion", summary: "Not in an expanded definition",
            detail: "\(root.quoted) has a meaning only in a definition with \(key).",
            hint: isCounted ? "With \"count\" there is index, from 1." : nil, range: reference.range)
    }

    fileprivate static func unsetFact(_ name: String, stack: String, _ reference: Reference) -> EvaluationFailure {
        EvaluationFailure(
            code: "spec.unknown-reference", summary: "Unknown reference",
            detail: "The \(name) of the stack \(stack.quoted) is not known.",
            hint: "Set \"\(name)\" in the workspace file.", range: reference.range)
    }

    fileprivate static func outOfReach(
        _ detail: String, hint: String?, _ reference: Reference
    ) -> EvaluationFailure {
        EvaluationFailure(
            code: "spec.out-of-reach", summary: "Reference not possible here", detail: "\(detail).", hint: hint,
            range: reference.range)
    }

    fileprivate static func unknownLookup(
        _ name: String, kind: String, place: String, known: [String], _ reference: Reference
    ) -> EvaluationFailure {
        EvaluationFailure(
            code: "spec.unknown-reference", summary: "Unknown reference",
            detail: "There is no lookup of \(kind) named \(name.quoted) in \(place).",
            hint: Suggestion.hint(for: name, among: known)
                ?? (known.isEmpty ? nil : "Known here: \(known.sorted().prefix(8).joined(separator: ", "))."),
            range: reference.range)
    }

    fileprivate static func unknownStack(
        _ name: String, _ known: [String], _ reference: Reference
    ) -> EvaluationFailure {
        let complaint = Diagnostic.unknownStack(name, known: known, at: nil)
        return EvaluationFailure(
            code: complaint.code, summary: complaint.summary, detail: complaint.detail, hint: complaint.hint,
            range: reference.range)
    }

    fileprivate static func ambiguousLookup(
        _ name: String, _ found: [Address], _ reference: Reference
    ) -> EvaluationFailure {
        EvaluationFailure(
            code: "spec.ambiguous-reference", summary: "Ambiguous reference",
            detail: "\(name.quoted) is a lookup in \(found.map(\.stack.quoted).joined(separator: " and ")).",
            hint: "Say which: \(found.map { "\($0.stack):\(name)".quoted }.joined(separator: " or ")).",
            range: reference.range)
    }
}
