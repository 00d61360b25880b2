import Diagnostics
import MusterModel

/// Why a change happens, in words.
enum CauseText {
    /// What stands in parentheses behind an address; nil when the symbol says it already.
    static func phrase(for change: ResourceChange) -> String? {
        // A replacement has its why-chain.
        if change.action.isReplacement { return nil }
        return switch change.reason {
        case .notInState, .argumentsChanged, .cannotUpdate, .destroyRequested: nil
        case .notInSpec: "no longer in the spec"
        case .gone: "it was deleted outside muster"
        case .foreignChild(let parent): "foreign: \(parent) owns the whole set"
        case .requested: "requested"
        case .triggered(let cause): "triggered by \(cause)"
        case .importBlock: nil
        case .incomplete: "an earlier run did not finish it"
        case .deposed: "its successor exists already"
        case .removedBlock: change.action == .forget ? nil : "declared removed"
        }
    }

    /// The verb of the actions that share the symbol `>`; nil for the others.
    static func verb(for change: ResourceChange) -> String? {
        switch change.action {
        case .adopt: "import"
        case .forget: change.reason == .gone ? "forget" : "forget: the object stays, muster lets go of it"
        case .move: change.previousAddress.map { "move from \($0)" } ?? "move"
        default: nil
        }
    }

    /// The why-chain, from the change back to a line of the spec: a line, or one for each link where that is too long.
    static func lines(for change: ResourceChange, width: Int) -> [DetailLine] {
        let links = links(for: change)
        guard let first = links.first else { return [] }
        let line = "because \(links.joined(separator: " ← "))"
        if line.cellCount <= width { return [DetailLine(role: .remark, text: line)] }
        return [DetailLine(role: .remark, text: "because \(first)")]
            + links.dropFirst().map { DetailLine(role: .remark, depth: 1, text: "← \($0)") }
    }

    static func links(for change: ResourceChange) -> [String] {
        let isReplaced = change.action.isReplacement
        if change.why.isEmpty { return isReplaced ? fallback(for: change) : [] }
        var links = change.why.map { DisplayText.neutralised($0.text) }
        // Of the places on the way only the last is a line that somebody wrote for a reason of their own.
        if let last = change.why.last, let place = last.place {
            let argument = last.argument.flatMap { last.text.contains($0) ? nil : " \(DisplayText.neutralised($0))" }
            links.append(place.short + (argument ?? ""))
        }
        return links
    }

    private static func fallback(for change: ResourceChange) -> [String] {
        let text =
            switch change.reason {
            case .cannotUpdate(let arguments):
                "\(arguments.map { DisplayText.neutralised($0) }.joined(separator: ", ")) cannot be changed in place"
            case .requested: "its replacement was requested"
            case .triggered(let cause): "\(cause) changes"
            case .gone: "it was deleted outside muster"
            case .incomplete: "an earlier run did not finish it"
            default: "it cannot be changed in place"
            }
        let place = change.attributes.first { $0.forcesReplacement }?.place ?? change.place
        return place.map { [text, $0.short] } ?? [text]
    }
}
