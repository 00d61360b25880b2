import Diagnostics
package import MusterModel

/// Why a file is not a plan that can be applied.
package enum PlanFileError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Torn, or no JSON at all; where and what.
    case notJSON(detail: String)
    case notAPlan
    case otherVersion(found: Int, supported: Int)
    /// A member is missing or has a value that no plan has; where and what.
    case malformed(path: String, problem: String)
    /// It does not hash to its own id: somebody edited it, or it was damaged.
    case modified

    /// A sentence or two: what is wrong and what to do.
    package var description: String {
        switch self {
        case .notJSON(let detail): "It is not a plan, or was cut off: \(detail). Make a new one with plan --out."
        case .notAPlan: "It is JSON, but not a plan of muster. Plan files are made by plan --out."
        case .otherVersion(let found, let supported):
            "It has format \(found), and this muster reads format \(supported). "
                + (found > supported
                    ? "Apply it with a newer muster, or make a new one." : "Make a new one with plan --out.")
        case .malformed(let path, let problem):
            DisplayText.neutralised("It is damaged: \(path) \(problem). Make a new one with plan --out.")
        case .modified:
            "It was changed after it was made: what it holds does not match its id. Make a new one with plan --out."
        }
    }
}

extension PlanJSON {
    /// Reads what `encode` wrote. Refused are: text that is no JSON or is torn, other documents, other versions, and a
    /// plan that does not hash to its own id or says anything else than it would write itself. White space does not count.
    package static func decode(_ bytes: [UInt8], hash: ([UInt8]) -> String) throws(PlanFileError) -> Plan {
        let document: Value
        do {
            document = try ValueJSON.decode(bytes)
        } catch {
            throw .notJSON(detail: error.description)
        }
        guard case .map(let members) = document, members["kind"] == .string(kind) else { throw .notAPlan }
        guard case .integer(let version)? = members["format_version"] else { throw .notAPlan }
        guard version == formatVersion else { throw .otherVersion(found: version, supported: formatVersion) }
        let plan = try plan(JSONMember(document))
        // Equal plans have equal bytes, so that this finds whatever was added, dropped or changed, wherever it was. A file
        // that was only formatted is compared in its canonical form.
        let own = Document(plan.withoutHiddenValues)
        let canonical = own.bytes
        guard own.identity(hash) == plan.id,
            canonical.elementsEqual(bytes.last == UInt8(ascii: "\n") ? bytes.dropLast() : bytes[...])
                || canonical == ValueJSON.encode(document)
        else { throw .modified }
        return plan
    }

    private static func plan(_ object: JSONMember) throws(PlanFileError) -> Plan {
        let scopes = try object.member("scopes").map { (member) throws(PlanFileError) in try scope(member) }
        return Plan(
            workspace: try object.member("workspace").string(), lineage: try object.member("lineage").string(),
            id: try object.member("id").string(),
            changes: try object.list("changes") { (item) throws(PlanFileError) in try change(item) },
            steps: try object.list("steps") { (item) throws(PlanFileError) in try step(item, scopes: scopes) },
            outputs: try object.list("outputs") { (item) throws(PlanFileError) in try output(item) },
            drift: try object.list("drift") { (item) throws(PlanFileError) in try drift(item) },
            unchangedCount: try object.member("summary").integer("unchanged"),
            reliesOn: try object.list("relies_on") { (item) throws(PlanFileError) in try reliance(item) },
            notes: try object.list("notes") { (item) throws(PlanFileError) in try item.string() },
            isUnrefreshed: try object.flag("unrefreshed"),
            configurations: try object.member("configurations").map { (item) throws(PlanFileError) in
                try configuration(item)
            },
            scopes: scopes)
    }

    private static func scope(_ object: JSONMember) throws(PlanFileError) -> ProviderScope {
        ProviderScope(
            provider: try object.member("provider").string(), account: try object.member("account").string(),
            region: try object.member("region").string(), endpoint: try object.member("endpoint").string())
    }

    private static func configuration(_ object: JSONMember) throws(PlanFileError) -> ProviderConfiguration {
        ProviderConfiguration(
            region: try object.optional("region")?.string(), profile: try object.optional("profile")?.string(),
            assumeRole: try object.optional("assume_role")?.string(),
            account: try object.optional("account")?.string())
    }

    private static func change(_ object: JSONMember) throws(PlanFileError) -> ResourceChange {
        ResourceChange(
            address: try object.member("address").address(), action: try object.member("action").choice(),
            reason: try reason(object),
            why: try object.list("why") { (item) throws(PlanFileError) in
                WhyLink(
                    address: try item.member("address").address(), argument: try item.optional("argument")?.string(),
                    text: try item.member("text").string(), place: try place(item))
            },
            attributes: try object.list("attributes") { (item) throws(PlanFileError) in
                try attribute(item, ("before", "after"))
            },
            id: try object.optional("id").map { (item) throws(PlanFileError) in RemoteID(try item.string()) },
            hazards: try object.list("hazards") { (item) throws(PlanFileError) in
                Hazard(
                    try item.member("kind").choice(), try item.member("address").address(),
                    try item.member("text").string())
            },
            place: try place(object),
            notes: try object.list("notes") { (item) throws(PlanFileError) in try item.string() },
            previousAddress: try object.optional("previous_address")?.address())
    }

    private static func reason(_ object: JSONMember) throws(PlanFileError) -> Reason {
        func address() throws(PlanFileError) -> Address { try object.member("reason_address").address() }
        let code = try object.member("reason").string()
        switch code {
        case "not-in-state": return .notInState
        case "not-in-spec": return .notInSpec
        case "arguments-changed": return .argumentsChanged
        case "cannot-update":
            return .cannotUpdate(
                try object.list("reason_arguments") { (item) throws(PlanFileError) in try item.string() })
        case "gone": return .gone
        case "foreign-child": return .foreignChild(parent: try address())
        case "requested": return .requested
        case "destroy-requested": return .destroyRequested
        case "triggered": return .triggered(by: try address())
        case "import-block": return .importBlock
        case "incomplete": return .incomplete
        case "deposed": return .deposed
        case "removed-block": return .removedBlock
        default: throw try object.member("reason").wrong("is \(code.quoted), which is no reason")
        }
    }

    private static func attribute(
        _ object: JSONMember, _ names: (before: String, after: String)
    ) throws(PlanFileError) -> AttributeChange {
        AttributeChange(
            path: try object.member("path").string(), before: try object.optional(names.before)?.value,
            after: try object.optional(names.after)?.value,
            forcesReplacement: names.before == "before" ? try object.flag("forces_replacement") : false,
            isHidden: try object.flag("hidden"), place: try place(object))
    }

    private static func place(_ object: JSONMember) throws(PlanFileError) -> Place? {
        guard let member = try object.optional("place") else { return nil }
        return Place(
            path: try member.member("path").string(), line: try member.integer("line"),
            column: try member.integer("column"))
    }

    private static func step(
        _ object: JSONMember, scopes: [String: ProviderScope]
    ) throws(PlanFileError) -> Step {
        let address = try object.member("address").address()
        let ownScope = try object.optional("scope").map { (item) throws(PlanFileError) in try scope(item) }
        guard let scope = ownScope ?? scopes[address.stack] else {
            throw object.wrong("lacks \"scope\", and its stack has none")
        }
        let timeouts = try object.optional("timeouts").map { (item) throws(PlanFileError) in
            Timeouts(
                create: try item.integer("create"), update: try item.integer("update"),
                delete: try item.integer("delete"))
        }
        return Step(
            id: try object.integer("id"), address: address, operation: try object.member("operation").choice(),
            target: try object.optional("target").map { (item) throws(PlanFileError) in RemoteID(try item.string()) },
            desired: try object.optional("desired")?.members() ?? [:],
            prior: try object.optional("prior")?.members() ?? [:],
            after: try object.list("after") { (item) throws(PlanFileError) in try item.integer() },
            version: try object.integer("version"), fingerprint: try object.optional("fingerprint")?.string(),
            generation: try object.optional("generation")?.integer() ?? 1, scope: scope,
            timeouts: timeouts ?? Timeouts(), isProtected: try object.optional("protected")?.flag() ?? false,
            dependencies: try object.optional("dependencies")?.elements { (item) throws(PlanFileError) in
                try item.address()
            } ?? [],
            isDeposed: try object.optional("deposed")?.flag() ?? false,
            deposesPrevious: try object.optional("deposes_previous")?.flag() ?? false,
            previousAddress: try object.optional("previous_address")?.address())
    }

    private static func output(_ object: JSONMember) throws(PlanFileError) -> OutputChange {
        OutputChange(
            stack: try object.member("stack").string(), name: try object.member("name").string(),
            before: try object.optional("before")?.value, after: try object.optional("after")?.value,
            isHidden: try object.flag("hidden"))
    }

    private static func drift(_ object: JSONMember) throws(PlanFileError) -> Drift {
        Drift(
            address: try object.member("address").address(), kind: try object.member("kind").choice(),
            id: try object.optional("id").map { (item) throws(PlanFileError) in RemoteID(try item.string()) },
            attributes: try object.list("attributes") { (item) throws(PlanFileError) in
                try attribute(item, ("was", "is"))
            },
            place: try place(object))
    }

    private static func reliance(_ object: JSONMember) throws(PlanFileError) -> Reliance {
        Reliance(
            address: try object.member("address").address(), version: try object.integer("version"),
            fingerprint: try object.member("fingerprint").string())
    }
}

/// A value read from a file, with the place in it for complaints.
private struct JSONMember {
    let value: Value
    /// Where it stands, outermost first; joined only for a complaint.
    private let trail: [String]

    init(_ value: Value, trail: [String] = []) {
        self.value = value
        self.trail = trail
    }

    func wrong(_ problem: String) -> PlanFileError {
        .malformed(path: trail.isEmpty ? "the document" : trail.joined(separator: "."), problem: problem)
    }

    func members() throws(PlanFileError) -> [String: Value] {
        guard case .map(let members) = value else { throw wrong("must be an object") }
        return members
    }

    func optional(_ name: String) throws(PlanFileError) -> JSONMember? {
        try members()[name].map { JSONMember($0, trail: trail + [name]) }
    }

    func member(_ name: String) throws(PlanFileError) -> JSONMember {
        guard let member = try optional(name) else { throw wrong("lacks \"\(name)\"") }
        return member
    }

    func elements<Element>(
        _ body: (JSONMember) throws(PlanFileError) -> Element
    ) throws(PlanFileError) -> [Element] {
        guard case .list(let values) = value else { throw wrong("must be an array") }
        var result: [Element] = []
        result.reserveCapacity(values.count)
        for (index, value) in values.enumerated() {
            result.append(try body(JSONMember(value, trail: trail + ["\(index)"])))
        }
        return result
    }

    func list<Element>(
        _ name: String, _ body: (JSONMember) throws(PlanFileError) -> Element
    ) throws(PlanFileError) -> [Element] { try member(name).elements(body) }

    func map<Element>(
        _ body: (JSONMember) throws(PlanFileError) -> Element
    ) throws(PlanFileError) -> [String: Element] {
        var result: [String: Element] = [:]
        for (name, value) in try members() { result[name] = try body(JSONMember(value, trail: trail + [name])) }
        return result
    }

    func string() throws(PlanFileError) -> String {
        guard case .string(let text) = value else { throw wrong("must be a string") }
        return text
    }

    func integer() throws(PlanFileError) -> Int {
        guard case .integer(let number) = value else { throw wrong("must be an integer") }
        return number
    }

    func integer(_ name: String) throws(PlanFileError) -> Int { try member(name).integer() }

    func flag() throws(PlanFileError) -> Bool {
        guard case .bool(let flag) = value else { throw wrong("must be true or false") }
        return flag
    }

    func flag(_ name: String) throws(PlanFileError) -> Bool { try member(name).flag() }

    func choice<Choice: RawRepresentable>() throws(PlanFileError) -> Choice where Choice.RawValue == String {
        let text = try string()
        guard let choice = Choice(rawValue: text) else { throw wrong("is \(text.quoted), which is none of its words") }
        return choice
    }

    func address() throws(PlanFileError) -> Address {
        let text = try string()
        guard let address = Address(text) else { throw wrong("is \(text.quoted), which is no address") }
        return address
    }
}
