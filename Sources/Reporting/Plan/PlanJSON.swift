package import MusterModel

/// A plan as canonical JSON: what `plan --format json` prints and what `plan --out` writes.
///
/// The same plan gives the same bytes, and the bytes give the plan back. Members are sorted by name; one that would say
/// nothing (an absent place, a default of a step) is left out. Some members only repeat others in a form that is easier to
/// use (`summary`, `hazards`, the parts of an address); reading checks that they agree. The document is written piece by
/// piece, so that a plan of any size needs little more room than its text.
package enum PlanJSON {
    /// Grows when the format changes in a way that an older muster cannot read.
    package static let formatVersion = 1
    static let kind = "muster-plan"

    /// The plan with its id: `hash` over all the rest. Values that must not be shown are removed from it first, so that
    /// what is applied from memory is what would be applied from the file.
    package static func identify(_ plan: Plan, hash: ([UInt8]) -> String) -> Plan {
        var plan = plan.withoutHiddenValues
        plan.id = Document(plan).identity(hash)
        return plan
    }

    /// The whole document, one line, ended by a line break.
    package static func encode(_ plan: Plan) -> String { Document(plan.withoutHiddenValues).text }

    /// The plan as `identify` gives it, and its document: both for the price of one.
    package static func identifyAndEncode(_ plan: Plan, hash: ([UInt8]) -> String) -> (plan: Plan, text: String) {
        var plan = plan.withoutHiddenValues
        var document = Document(plan)
        plan.id = document.identity(hash)
        document.setID(plan.id)
        return (plan, document.text)
    }

    /// Canonical bytes, without the line break. The id is not part of what it is a digest of.
    struct Document {
        /// The document with an empty id.
        private let nameless: [UInt8]
        /// Where the id stands in it.
        private let place: Int
        private var id: String

        var bytes: [UInt8] { bytes(endedBy: []) }
        var text: String { String(decoding: bytes(endedBy: [UInt8(ascii: "\n")]), as: UTF8.self) }

        mutating func setID(_ id: String) { self.id = id }

        /// The id that the document should have.
        func identity(_ hash: ([UInt8]) -> String) -> String { hash(nameless) }

        private func bytes(endedBy end: [UInt8]) -> [UInt8] {
            let quoted = ValueJSON.encode(.string(id))
            var bytes: [UInt8] = []
            bytes.reserveCapacity(nameless.count + quoted.count + end.count)
            bytes += nameless[..<place]
            bytes += quoted[1..<(quoted.count - 1)]
            bytes += nameless[place...]
            bytes += end
            return bytes
        }

        init(_ plan: Plan) {
            var json = JSONWriter()
            var place = 0
            json.object { json in
                json.member("changes", plan.changes) { $1.write(to: &$0) }
                json.member("configurations", value: .map(plan.configurations.mapValues { $0.reportValue }))
                json.member("drift", plan.drift) { $1.write(to: &$0, keepsDeferred: true) }
                json.member("format_version", formatVersion)
                json.member("hazards", plan.hazards) { $1.write(to: &$0) }
                json.member("id", "")
                place = json.bytes.count - 1
                json.member("kind", kind)
                json.member("lineage", plan.lineage)
                json.member("notes", plan.notes)
                json.member("outputs", plan.outputs) { $1.write(to: &$0) }
                json.member("relies_on", plan.reliesOn) { $1.write(to: &$0) }
                json.member("scopes", value: .map(plan.scopes.mapValues { $0.reportValue }))
                json.member("steps", plan.steps) { $1.write(to: &$0, stackScope: plan.scopes[$1.address.stack]) }
                json.member("summary", value: PlanSummary(plan).reportValue(unchanged: plan.unchangedCount))
                json.member("unrefreshed", plan.isUnrefreshed)
                json.member("workspace", plan.workspace)
            }
            nameless = json.bytes
            self.place = place
            id = plan.id
        }
    }
}

// MARK: - Pieces

extension PlanSummary {
    fileprivate func reportValue(unchanged: Int) -> Value {
        [
            "add": .integer(add), "change": .integer(change), "destroy": .integer(destroy),
            "replace": .integer(replace), "import": .integer(adopt), "move": .integer(move),
            "forget": .integer(forget), "read": .integer(read), "outputs": .integer(outputs),
            "unchanged": .integer(unchanged),
        ]
    }
}

extension ProviderConfiguration {
    fileprivate var reportValue: Value {
        .object([
            "region": region.map { .string($0) }, "profile": profile.map { .string($0) },
            "assume_role": assumeRole.map { .string($0) }, "account": account.map { .string($0) },
        ])
    }
}

extension Reason {
    /// The name of the reason; what it names besides stands in members of its own.
    var code: String {
        switch self {
        case .notInState: "not-in-state"
        case .notInSpec: "not-in-spec"
        case .argumentsChanged: "arguments-changed"
        case .cannotUpdate: "cannot-update"
        case .gone: "gone"
        case .foreignChild: "foreign-child"
        case .requested: "requested"
        case .destroyRequested: "destroy-requested"
        case .triggered: "triggered"
        case .importBlock: "import-block"
        case .incomplete: "incomplete"
        case .deposed: "deposed"
        case .removedBlock: "removed-block"
        }
    }

    var arguments: [String]? {
        if case .cannotUpdate(let arguments) = self { arguments } else { nil }
    }

    var address: Address? {
        switch self {
        case .foreignChild(let address), .triggered(let address): address
        default: nil
        }
    }
}

extension ResourceChange {
    fileprivate func write(to json: inout JSONWriter) {
        json.object { json in
            json.member("action", action.rawValue)
            json.member("address", address.description)
            json.member("attributes", attributes) { $1.write(to: &$0) }
            json.member("hazards", hazards) { $1.write(to: &$0) }
            json.member("id", id?.rawValue)
            json.member("name", address.name)
            json.member("notes", notes)
            json.member("place", place)
            json.member("previous_address", previousAddress?.description)
            json.member("reason", reason.code)
            json.member("reason_address", reason.address?.description)
            if let arguments = reason.arguments { json.member("reason_arguments", arguments) }
            json.member("stack", address.stack)
            json.member("type", address.type.rawValue)
            json.member("why", why) { $1.write(to: &$0) }
        }
    }
}

extension WhyLink {
    fileprivate func write(to json: inout JSONWriter) {
        json.object { json in
            json.member("address", address.description)
            json.member("argument", argument)
            json.member("place", place)
            json.member("text", text)
        }
    }
}

extension AttributeChange {
    fileprivate func write(to json: inout JSONWriter) {
        json.object { json in
            json.member("after", value: after)
            json.member("before", value: before)
            json.member("forces_replacement", forcesReplacement)
            json.member("hidden", isHidden)
            json.member("known_after_apply", after?.namesOutput ?? false)
            json.member("path", path)
            json.member("place", place)
        }
    }
}

extension Value {
    /// Whether any part waits for an output.
    var namesOutput: Bool {
        var names = false
        visitDeferred { names = names || !$0.outputs.isEmpty }
        return names
    }
}

extension OutputChange {
    fileprivate func write(to json: inout JSONWriter) {
        json.object { json in
            json.member("after", value: after)
            json.member("before", value: before)
            json.member("hidden", isHidden)
            json.member("name", name)
            json.member("stack", stack)
        }
    }
}

extension Reliance {
    fileprivate func write(to json: inout JSONWriter) {
        json.object { json in
            json.member("address", address.description)
            json.member("fingerprint", fingerprint)
            json.member("version", version)
        }
    }
}

extension Step {
    /// - Parameter stackScope: the scope of the step's stack, which the step does not repeat.
    fileprivate func write(to json: inout JSONWriter, stackScope: ProviderScope?) {
        func flag(_ value: Bool) -> Bool? { value ? true : nil }
        json.object { json in
            json.member("address", address.description)
            json.member("after", after) { $0.write($1) }
            if !dependencies.isEmpty { json.member("dependencies", dependencies.lazy.map(\.description)) }
            json.member("deposed", flag(isDeposed))
            json.member("deposes_previous", flag(deposesPrevious))
            if !desired.isEmpty { json.member("desired", value: .map(desired)) }
            json.member("fingerprint", fingerprint)
            json.member("generation", generation == 1 ? nil : generation)
            json.member("id", id)
            json.member("operation", operation.rawValue)
            json.member("previous_address", previousAddress?.description)
            if !prior.isEmpty { json.member("prior", value: .map(prior)) }
            json.member("protected", flag(isProtected))
            if scope != stackScope { json.member("scope", value: scope.reportValue) }
            json.member("target", target?.rawValue)
            if timeouts != Timeouts() { json.member("timeouts") { timeouts.write(to: &$0) } }
            json.member("version", version)
        }
    }
}

extension Timeouts {
    fileprivate func write(to json: inout JSONWriter) {
        json.object { json in
            json.member("create", create)
            json.member("delete", delete)
            json.member("update", update)
        }
    }
}
