import ArgumentParser
import Diagnostics
import StateStorage

/// What the process tells its caller.
enum ExitStatus: Int32 {
    case success = 0
    case failure = 1
    case changes = 2
    case refused = 3
    case credentials = 4
    case leaseHeld = 5
    case hungUp = 129
    case interrupted = 130
    case terminated = 143
}

/// Ends a command: what went wrong is said already, or is in the diagnostics.
struct CommandFailure: Error {
    var status: ExitStatus
    var diagnostics: [Diagnostic]
    /// The lease of another run that was in the way.
    var lease: Lease?

    init(_ status: ExitStatus, _ diagnostics: [Diagnostic] = []) {
        self.status = status
        self.diagnostics = diagnostics
    }

    init(_ status: ExitStatus = .failure, code: String, summary: String, detail: String, hint: String? = nil) {
        self.init(status, [Diagnostic(code: code, summary: summary, detail: detail, hint: hint)])
    }
}
