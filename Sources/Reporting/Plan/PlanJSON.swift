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

    /// Canonical bytes, without the line break, in two parts: between them stands the id, which is not part of what it is
    /// a digest of.
    struct Document {
        private let beforeID: [UInt8]
        private var id: [UInt8]
        private let afterID: [UInt8]

        var bytes: [UInt8] { beforeID + id + afterID }
        var text: String { String(decoding: bytes, as: UTF8.self) + "\n" }

        mutating func setID(_ id: String) { self.id = ValueJSON.encode(.string(id)) }

        /// The id that the document should have.
        func identity(_ hash: ([UInt8]) -> String) -> String { hash(beforeID + ValueJSON.encode("") + afterID) }

        init(_ plan: Plan) {
            var object = ObjectWriter()
            // In the order of their names.
            object.list("changes", plan.changes) { $0.reportValue }
            object.member("configurations", .map(plan.configurations.mapValues { $0.reportValue }))
            object.list("drift", plan.drift) { $0.reportValue(keepsDeferred: true) }
            object.member("format_version", .integer(formatVersion))
            object.list("hazards", plan.hazards) { $0.reportValue }
            object.key("id")
            beforeID = object.take()
            id = ValueJSON.encode(.string(plan.id))
            object.member("kind", .string(kind))
            object.member("lineage", .string(plan.lineage))
            object.member("notes", .strings(plan.notes))
            object.list("outputs", plan.outputs) { $0.reportValue }
            object.list("relies_on", plan.reliesOn) { $0.reportValue }
            object.member("scopes", .map(plan.scopes.mapValues { $0.reportValue }))
            object.list("steps", plan.steps) { $0.reportValue(stackScope: plan.scopes[$0.address.stack]) }
            object.member("summary", PlanSummary(plan).reportValue(unchanged: plan.unchangedCount))
            object.member("unrefreshed", .bool(plan.isUnrefreshed))
            object.member("workspace", .string(plan.workspace))
            object.close()
            afterID = object.take()
        }
    }

    private struct ObjectWriter {
        private var bytes: [UInt8] = []
        private var isFirst = true

        mutating func member(_ name: String, _ value: Value) {
            key(name)
            bytes += ValueJSON.encode(value)
        }

        mutating func list<Element>(_ name: String, _ elements: [Element], _ value: (Element) -> Value) {
            key(name)
            bytes.append(UInt8(ascii: "["))
            for (offset, element) in elements.enumerated() {
                if offset > 0 { bytes.append(UInt8(ascii: ",")) }
                bytes += ValueJSON.encode(value(element))
            }
            bytes.append(UInt8(ascii: "]"))
        }

        mutating func key(_ name: String) {
            bytes.append(isFirst ? UInt8(ascii: "{") : UInt8(ascii: ","))
            isFirst = false
            bytes += ValueJSON.encode(.string(name))
            bytes.append(UInt8(ascii: ":"))
        }

        mutating func close() { bytes.append(UInt8(ascii: "}")) }

        /// What was written since the last call.
        mutating func take() -> [UInt8] {
            defer { bytes = [] }
            return bytes
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
    fileprivate var reportValue: Value {
        .object(
            address.reportMembers.merging([
                "action": .string(action.rawValue), "reason": .string(reason.code),
                "reason_arguments": reason.arguments.map { .strings($0) },
                "reason_address": reason.address.map { .string($0.description) },
                "why": .list(why.map(\.reportValue)), "attributes": .list(attributes.map(\.planValue)),
                "id": id.map { .string($0.rawValue) }, "hazards": .list(hazards.map(\.reportValue)),
                "place": place?.reportValue, "notes": .strings(notes),
                "previous_address": previousAddress.map { .string($0.description) },
            ]) { _, new in new })
    }
}

extension WhyLink {
    fileprivate var reportValue: Value {
        .object([
            "address": .string(address.description), "argument": argument.map { .string($0) }, "text": .string(text),
            "place": place?.reportValue,
        ])
    }
}

extension AttributeChange {
    fileprivate var planValue: Value {
        guard case .map(var members) = reportValue(("before", "after"), keepsDeferred: true) else { return .null }
        members["forces_replacement"] = .bool(forcesReplacement)
        members["known_after_apply"] = .bool(after.map { $0.namesOutput } ?? false)
        return .map(members)
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
    fileprivate var reportValue: Value {
        .object([
            "stack": .string(stack), "name": .string(name), "before": before, "after": after,
            "hidden": .bool(isHidden),
        ])
    }
}

extension Reliance {
    fileprivate var reportValue: Value {
        [
            "address": .string(address.description), "version": .integer(version),
            "fingerprint": .string(fingerprint),
        ]
    }
}

extension Step {
    /// - Parameter stackScope: the scope of the step's stack, which the step does not repeat.
    fileprivate func reportValue(stackScope: ProviderScope?) -> Value {
        func flag(_ value: Bool) -> Value? { value ? .bool(true) : nil }
        let usual = Timeouts()
        return .object([
            "id": .integer(id), "address": .string(address.description), "operation": .string(operation.rawValue),
            "target": target.map { .string($0.rawValue) }, "desired": desired.isEmpty ? Value?.none : .map(desired),
            "prior": prior.isEmpty ? Value?.none : .map(prior),
            "after": .list(after.map { .integer($0) }), "version": .integer(version),
            "fingerprint": fingerprint.map { .string($0) },
            "generation": generation == 1 ? Value?.none : .integer(generation),
            "scope": scope == stackScope ? Value?.none : scope.reportValue,
            "timeouts": timeouts == usual
                ? Value?.none
                : [
                    "create": .integer(timeouts.create), "update": .integer(timeouts.update),
                    "delete": .integer(timeouts.delete),
                ],
            "protected": flag(isProtected),
            "dependencies": dependencies.isEmpty ? Value?.none : .strings(dependencies.map(\.description)),
            "deposed": flag(isDeposed), "deposes_previous": flag(deposesPrevious),
            "previous_address": previousAddress.map { .string($0.description) },
        ])
    }
}
