import Diagnostics
import MusterModel

/// How a step is told.
enum StepText {
    /// `creating`
    static func doing(_ operation: Step.Operation) -> String {
        switch operation {
        case .create: "creating"
        case .update: "updating"
        case .delete: "deleting"
        case .adopt: "importing"
        case .forget: "forgetting"
        case .move: "moving"
        }
    }

    /// `created`
    static func done(_ operation: Step.Operation) -> String {
        switch operation {
        case .create: "created"
        case .update: "updated"
        case .delete: "deleted"
        case .adopt: "imported"
        case .forget: "forgotten"
        case .move: "moved"
        }
    }

    /// `create`
    static func verb(_ operation: Step.Operation) -> String { operation == .adopt ? "import" : operation.rawValue }

    static func symbol(_ operation: Step.Operation) -> String {
        switch operation {
        case .create: "+"
        case .update: "~"
        case .delete: "-"
        case .adopt, .forget, .move: ">"
        }
    }

    static func style(_ operation: Step.Operation) -> Palette.Style {
        switch operation {
        case .create: .added
        case .update: .changed
        case .delete: .removed
        case .adopt, .forget, .move: .read
        }
    }

    /// `1.2s`, `42s`, `3m05s`, `1h02m`.
    static func duration(_ seconds: Double) -> String {
        guard seconds.isFinite, seconds > 0 else { return "0.0s" }
        if seconds < 9.95 {
            let tenths = Int((seconds * 10).rounded())
            return "\(tenths / 10).\(tenths % 10)s"
        }
        return wholeDuration(seconds)
    }

    /// `1s`, `42s`, `3m05s`, `1h02m`.
    static func wholeDuration(_ seconds: Double) -> String {
        let whole = seconds.isFinite ? Int(min(max(0, seconds.rounded()), 1e9)) : 0
        if whole < 60 { return "\(whole)s" }
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        if whole < 3600 { return "\(whole / 60)m\(two(whole % 60))s" }
        return "\(whole / 3600)h\(two(whole % 3600 / 60))m"
    }

    /// What a failure says, without margins: the summary first.
    static func lines(of failure: StepFailure) -> (summary: String, details: [String]) {
        var details: [String] = []
        let detail = LineDiff.split(failure.detail).map { DisplayText.neutralised($0) }
        if let code = failure.code, !code.isEmpty, let last = detail.last {
            details += detail.dropLast() + ["\(last) (\(DisplayText.neutralised(code)))"]
        } else {
            details += detail
            if let code = failure.code, !code.isEmpty { details.append("code: \(DisplayText.neutralised(code))") }
        }
        if let hint = failure.hint { details.append("hint: \(DisplayText.neutralised(hint))") }
        if let request = failure.requestID { details.append("request id: \(DisplayText.neutralised(request))") }
        return (DisplayText.neutralised(failure.summary), details)
    }
}
