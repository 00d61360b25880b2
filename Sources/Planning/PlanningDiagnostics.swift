import Diagnostics
import MusterModel

extension Diagnostic {
    static func protected(_ address: Address, _ action: Action, _ range: SourceRange?) -> Diagnostic {
        Diagnostic(
            code: "plan.protected", summary: "Protected resource",
            detail:
                "\(address) has prevent_destroy, and the plan would \(action == .delete ? "delete" : "replace") it.",
            at: range,
            hint:
                "Set \"lifecycle: { prevent_destroy: false }\" on it and apply that first; taking the block out is not enough."
        )
    }

    static func importTargetMissing(_ address: Address, _ declaration: ImportDeclaration?) -> Diagnostic {
        Diagnostic(
            code: "plan.import-missing", summary: "Nothing to import",
            detail: "There is no object with the id \"\(declaration?.id.rawValue ?? "")\" to adopt as \(address).",
            at: declaration?.range, hint: "Check the id, the region and the account.")
    }

    static func importNeedsReplacement(
        _ address: Address, _ arguments: [String], _ range: SourceRange?
    ) -> Diagnostic {
        Diagnostic(
            code: "plan.import-mismatch", summary: "The imported object does not match the spec",
            detail:
                "\(address) would have to be replaced right after its import, because of \(arguments.joined(separator: ", ")).",
            at: range, hint: "Write the spec as the object is, import it, and change it afterwards.")
    }

    static func notSelected(_ needed: Address, neededBy address: Address, _ range: SourceRange?) -> Diagnostic {
        Diagnostic(
            code: "plan.not-selected", summary: "A needed resource is left out",
            detail: "\(address) needs \(needed), which does not exist yet and is not part of this run.", at: range,
            hint: "Apply \"\(needed.stack)\" first, or select it too.")
    }

    static func stillUsed(_ address: Address, by users: [Address]) -> Diagnostic {
        Diagnostic(
            code: "plan.still-used", summary: "Still in use",
            detail:
                "\(address) would be deleted, but \(users.map(\.description).joined(separator: ", ")) still refers to it.",
            hint: "Delete or change what refers to it first, or select it too.")
    }

    static func held(_ address: Address, by holder: Address, _ range: SourceRange?) -> Diagnostic {
        Diagnostic(
            code: "plan.held", summary: "It cannot be deleted before its successor is there",
            detail:
                "\(address) must be replaced, and \(holder), which stays, holds it until it can move to the successor.",
            at: range, hint: "Take \"lifecycle: { create_before_destroy: false }\" out of its definition.")
    }

    static func unorderable(_ circle: [String]) -> Diagnostic {
        Diagnostic(
            code: "plan.unorderable", summary: "The changes cannot be put in an order",
            detail: "Each of these waits for the next: \((circle + circle.prefix(1)).joined(separator: " → ")).",
            hint: "Make the change in two applies, for example with --except.")
    }

    static func unknownTypeInState(_ address: Address) -> Diagnostic {
        Diagnostic(
            code: "state.unknown-type", summary: "The state holds a type that this version does not know",
            detail: "\(address) was made by another version of muster.",
            hint: "Use the version of muster that made it, or forget it with \"muster state rm\".")
    }
}
