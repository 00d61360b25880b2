import Diagnostics
import Expressions
import MusterModel
import Reporting

/// Plans in files: the canonical JSON, checked against its own digest when it is read.
enum PlanFile {
    /// - Parameter document: a plan as canonical JSON.
    static func write(_ document: String, to path: String) throws(CommandFailure) {
        do {
            try LocalFile.write(path, Array(document.utf8), mode: 0o600)
        } catch {
            throw CommandFailure(
                code: "plan.unwritable", summary: "The plan cannot be kept", detail: "\(path): \(error.message).")
        }
    }

    static func read(_ path: String) throws(CommandFailure) -> Plan {
        let bytes: [UInt8]
        do {
            bytes = try LocalFile.read(path, limit: 1 << 30)
        } catch {
            throw CommandFailure(
                code: "plan.unreadable", summary: "The plan file cannot be read", detail: "\(path): \(error.message).")
        }
        do {
            return try PlanJSON.decode(bytes, hash: Digest.sha256)
        } catch {
            throw CommandFailure(
                code: "plan.file", summary: "The plan file cannot be used",
                detail: "\(path.quoted): \(error.description)")
        }
    }
}
