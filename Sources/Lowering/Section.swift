import Diagnostics
import MusterModel

/// One section of a spec. One section is one file.
protocol Section: SendableMetatype {
    static var schema: SectionSchema { get }
    /// What one definition stands for. The definition has passed the schema; what a schema cannot say is checked here.
    ///
    /// - Parameter region: of the definition's stack, where the workspace says it.
    static func lower(_ definition: Definition, region: String?) -> LoweringResult
}

/// What lowering made so far, and what it has to complain about.
struct LoweringResult {
    var declarations: [Declaration] = []
    var diagnostics: [Diagnostic] = []
    /// Records that belong into the hosted zone with the longest matching name.
    private(set) var zoneSearches: [ZoneSearch] = []

    /// A record, by its position among the declarations, whose hosted zone is still to be found.
    struct ZoneSearch {
        var position: Int
        /// The place that made the record.
        var range: SourceRange
    }

    /// Machines that must reach each other, to be looked at when all security groups are known.
    private(set) var portChecks: [PortCheck] = []

    mutating func check(_ check: PortCheck) { portChecks.append(check) }

    /// Machines that fetch the URL at which they join Rancher, to be looked at when all tokens are known.
    private(set) var tokenChecks: [TokenCheck] = []

    mutating func check(_ check: TokenCheck) { tokenChecks.append(check) }

    mutating func append(_ draft: Draft) { declarations.append(draft.declaration) }

    mutating func append(_ draft: Draft, seekingZoneAt range: SourceRange) {
        zoneSearches.append(ZoneSearch(position: declarations.count, range: range))
        append(draft)
    }

    mutating func append(_ other: LoweringResult) {
        zoneSearches += other.zoneSearches.map {
            ZoneSearch(position: $0.position + declarations.count, range: $0.range)
        }
        portChecks += other.portChecks
        tokenChecks += other.tokenChecks
        declarations += other.declarations
        diagnostics += other.diagnostics
    }
}
