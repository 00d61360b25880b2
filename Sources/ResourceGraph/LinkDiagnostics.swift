import Diagnostics
import MusterModel

extension Diagnostic {
    static func duplicateAddress(_ first: Declaration, _ second: Declaration) -> Diagnostic {
        Diagnostic(
            code: "spec.duplicate-name", summary: "Duplicate name",
            detail: "\(first.address) is declared twice; one name stands for one resource of its type in a stack.",
            at: second.range,
            related: first.range.map { [.init(range: $0, message: "first declared here")] } ?? [],
            hint: "Rename one of them; the name that the cloud shows can be set with \"name:\".")
    }

    static func dependencyCycle(_ cycle: [Declaration]) -> Diagnostic {
        let names = cycle.map(\.address.description)
        let chain = (names + names.prefix(1)).joined(separator: " → ")
        return Diagnostic(
            code: "spec.cycle", summary: "Dependency cycle",
            detail: "These resources wait for each other, so none can be the first: \(chain).",
            at: cycle.first?.range,
            related: cycle.dropFirst().compactMap { declaration in
                declaration.range.map { .init(range: $0, message: "\(declaration.address) is part of the cycle") }
            },
            hint: "Take one of the references out. Security groups may name each other in their rules.")
    }

    static func unknownName(
        _ name: String, _ what: String, _ candidates: [String], stack: String?, elsewhere: [Address] = [],
        _ reference: Reference
    ) -> Diagnostic {
        let place = stack.map { "in the stack \"\($0)\"" } ?? "in this stack or in those that it uses"
        var hint: String?
        if let closest = Suggestion.closest(to: name, among: candidates) {
            hint = "Did you mean \"\(closest)\"?"
        } else if let other = elsewhere.first {
            hint =
                "The stack \"\(other.stack)\" has one: write \"\(other.stack):\(name)\", or add the stack to \"uses\"."
        } else if !candidates.isEmpty {
            hint = "Known here: \(Set(candidates).sorted().prefix(8).joined(separator: ", "))."
        }
        return Diagnostic(
            code: "spec.unknown-reference", summary: "Unknown reference",
            detail: "There is no \(what) named \"\(name)\" \(place).", at: reference.range, hint: hint)
    }

    static func ambiguousName(
        _ name: String, _ what: String, _ found: [Address], _ reference: Reference
    ) -> Diagnostic {
        Diagnostic(
            code: "spec.ambiguous-reference", summary: "Ambiguous reference",
            detail: "\"\(name)\" is a \(what) in \(found.map { "\"\($0.stack)\"" }.joined(separator: " and ")).",
            at: reference.range,
            hint: "Say which: \(found.map { "\"\($0.stack):\(name)\"" }.joined(separator: " or ")).")
    }

    static func unknownStack(_ stack: String, _ known: [String], _ reference: Reference) -> Diagnostic {
        Diagnostic(
            code: "spec.unknown-stack", summary: "Unknown stack",
            detail: "The workspace has no stack named \"\(stack)\".", at: reference.range,
            hint: Suggestion.closest(to: stack, among: known).map { "Did you mean \"\($0)\"?" }
                ?? "Its stacks are \(known.joined(separator: ", ")).")
    }

    static func unknownType(_ type: String, _ known: [String], _ reference: Reference) -> Diagnostic {
        Diagnostic(
            code: "spec.unknown-type", summary: "Unknown resource type",
            detail: "muster knows no resource type \"\(type)\".", at: reference.range,
            hint: Suggestion.closest(to: type, among: known).map { "Did you mean \"\($0)\"?" })
    }

    static func incompleteReference(_ reference: Reference) -> Diagnostic {
        Diagnostic(
            code: "spec.incomplete-reference", summary: "Incomplete reference",
            detail: "A reference names a section, a resource in it, and one of its outputs.", at: reference.range,
            hint: "Write it like vpc.main.id or security_groups[\"prod-rds\"].id.")
    }

    static func missingOutput(_ address: Address, _ known: [String], _ reference: Reference) -> Diagnostic {
        Diagnostic(
            code: "spec.incomplete-reference", summary: "Incomplete reference",
            detail: "A resource is not a value; say which of the outputs of \(address) is meant.",
            at: reference.range, hint: "It has \(known.joined(separator: ", ")).")
    }

    static func unknownOutput(
        _ name: String, _ address: Address, _ known: [String], _ reference: Reference
    ) -> Diagnostic {
        Diagnostic(
            code: "spec.unknown-output", summary: "Unknown output",
            detail: "\(address.type) has no output or argument named \"\(name)\".", at: reference.range,
            hint: Suggestion.closest(to: name, among: known).map { "Did you mean \"\($0)\"?" }
                ?? "It has \(known.joined(separator: ", ")).")
    }

    static func unknownOutputName(_ name: String, _ known: [String], _ reference: Reference) -> Diagnostic {
        Diagnostic(
            code: "spec.unknown-output", summary: "Unknown output",
            detail: "No stack in reach has an output named \"\(name)\".", at: reference.range,
            hint: Suggestion.closest(to: name, among: known).map { "Did you mean \"\($0)\"?" }
                ?? "Outputs of another stack are reached as outputs[\"stack:name\"].")
    }

    static func outputCycle(_ output: OutputDeclaration, _ reference: Reference) -> Diagnostic {
        Diagnostic(
            code: "spec.cycle", summary: "Outputs refer to each other",
            detail: "The output \"\(output.name)\" of \"\(output.stack)\" refers to itself in the end.",
            at: reference.range ?? output.range)
    }

    static func unknownDependency(_ text: String, _ reference: Reference) -> Diagnostic {
        Diagnostic(
            code: "spec.unknown-reference", summary: "Unknown reference",
            detail: "Nothing is declared as \"\(text)\".", at: reference.range,
            hint: "Name a resource as section.name, type/name or stack:type/name.")
    }
}
