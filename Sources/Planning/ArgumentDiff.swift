import Diagnostics
package import MusterModel

/// The difference between what is wanted of a resource and what is there.
struct ArgumentDiff {
    /// Each difference, down to the member that differs.
    var changes: [AttributeChange] = []
    /// The top-level arguments that differ, sorted.
    var changed: [String] = []
    /// Those of them that the cloud cannot change.
    var replacing: [String] = []
    /// Secrets whose digest could not be made, so that the value is taken as unchanged.
    var unreadable: Set<SecretReference> = []

    /// True when nothing differs.
    var isEmpty: Bool { changed.isEmpty }
}

/// Digests of values that must not be kept: keyed, so that a guess cannot be checked without the key.
package struct SecretDigests: Sendable {
    /// The text of a secret; nil when it cannot be read now.
    package let text: @Sendable (SecretReference) -> String?
    /// A keyed digest of a value.
    package let digest: @Sendable (Value) -> String

    package init(
        text: @escaping @Sendable (SecretReference) -> String?, digest: @escaping @Sendable (Value) -> String
    ) {
        self.text = text
        self.digest = digest
    }

    /// Digests begin with the name of their key and a colon; those of different keys say nothing of each other.
    static func haveSameKey(_ first: String, _ second: String) -> Bool {
        first.prefix { $0 != ":" } == second.prefix { $0 != ":" }
    }
}

/// Compares the three sides of one resource: the spec, the state and the cloud.
struct DiffMaker {
    let schema: ResourceSchema
    let secrets: SecretDigests
    let ignored: Set<String>
    /// Where an argument stands in the spec.
    let place: (String) -> Place?

    /// - Parameters:
    ///   - desired: The declared arguments, evaluated as far as possible.
    ///   - live: What the cloud shows; nil when it was not asked.
    ///   - record: The row of the state; nil for an object that is being adopted.
    func diff(desired: [String: Value], live: [String: Value]?, record: ResourceRecord?) -> ArgumentDiff {
        var result = ArgumentDiff()
        let forcing = forcingNames(desired)
        for argument in schema.arguments where !ignored.contains(argument.name) {
            compare(
                forcing.isEmpty ? argument : asChanged(argument, forcing), desired: desired, live: live,
                record: record, into: &result)
        }
        result.changed.sort()
        result.replacing.sort()
        return result
    }

    /// `X_replace_on_change: true`, which only muster knows, makes a change of `X` and of `X_…` a replacement.
    private func forcingNames(_ desired: [String: Value]) -> [String] {
        desired.compactMap { name, value in
            guard value == .bool(true), name.hasSuffix(DiffMaker.choiceSuffix),
                schema.argument(name)?.onChange == .local
            else { return nil }
            return String(name.dropLast(DiffMaker.choiceSuffix.count))
        }
    }

    private func asChanged(_ argument: ArgumentSchema, _ forcing: [String]) -> ArgumentSchema {
        guard argument.onChange == .update || argument.onChange == .updateWithDowntime,
            forcing.contains(where: { argument.name == $0 || argument.name.hasPrefix($0 + "_") })
        else { return argument }
        var forced = argument
        forced.onChange = .replace
        return forced
    }

    private static let choiceSuffix = "_replace_on_change"

    private func compare(
        _ argument: ArgumentSchema, desired: [String: Value], live: [String: Value]?, record: ResourceRecord?,
        into result: inout ArgumentDiff
    ) {
        let name = argument.name
        if argument.onChange == .creationOnly { return }
        if argument.semantics == .tags {
            compareTags(argument, desired: desired[name], live: live?[name], record: record, into: &result)
            return
        }
        guard let wanted = ValueComparison.wanted(desired[name], argument) else { return }
        let recorded = record?.arguments[name]
        let isDeclared = desired[name] != nil && desired[name] != .null

        if wanted.isTainted || argument.isSensitive {
            compareHidden(argument, wanted, live: live?[name], record: record, isDeclared: isDeclared, into: &result)
            return
        }
        let current: Value?
        if argument.onChange == .local || !argument.isReadable {
            current = recorded
        } else {
            current = live?[name] ?? recorded
        }
        guard let current else {
            // Never told, never recorded: only a declared value is worth a call, and a default is what it is.
            if isDeclared, record != nil || argument.isReadable || live == nil {
                add(argument, before: nil, after: wanted, into: &result)
            }
            return
        }
        if !wanted.isKnown {
            if wanted != current { add(argument, before: current, after: wanted, into: &result) }
            return
        }
        if ValueComparison.areEqual(wanted, current, argument) { return }
        addNested(argument, path: name, before: current, after: wanted, top: name, into: &result)
    }

    /// Keys that are neither declared nor recorded belong to others.
    private func compareTags(
        _ argument: ArgumentSchema, desired: Value?, live: Value?, record: ResourceRecord?,
        into result: inout ArgumentDiff
    ) {
        let wanted = desired?.map ?? [:]
        if let desired, desired.map == nil, !desired.isKnown {
            add(argument, before: live ?? record?.arguments[argument.name], after: desired, into: &result)
            return
        }
        let recorded = record?.arguments[argument.name]?.map ?? [:]
        let current = (live ?? record?.arguments[argument.name])?.map ?? [:]
        var differs = false
        for key in Set(wanted.keys).union(recorded.keys).sorted() {
            let after = wanted[key].flatMap { $0 == .null ? nil : $0 }
            let before = current[key]
            if after == before { continue }
            differs = true
            result.changes.append(
                AttributeChange(
                    path: "\(argument.name).\(key)", before: before, after: after,
                    forcesReplacement: argument.onChange == .replace, isHidden: after?.isTainted ?? false,
                    place: place(argument.name)))
        }
        if differs { note(argument, into: &result) }
    }

    /// Values that must not be shown are compared by their keyed digests.
    private func compareHidden(
        _ argument: ArgumentSchema, _ wanted: Value, live: Value?, record: ResourceRecord?, isDeclared: Bool,
        into result: inout ArgumentDiff
    ) {
        let recorded = record?.digests[argument.name]
        var missing: Set<SecretReference> = []
        var isUnknown = false
        let plain = wanted.replacingDeferred { deferred in
            if !deferred.outputs.isEmpty { isUnknown = true }
            for secret in deferred.secrets where secrets.text(secret) == nil { missing.insert(secret) }
            return .deferred(deferred)
        }
        if !missing.isEmpty {
            result.unreadable.formUnion(missing)
            if recorded != nil, record?.arguments[argument.name] == wanted { return }
            if recorded != nil, !isUnknown { return }
        }
        var digest: String?
        if missing.isEmpty, !isUnknown {
            let text = secrets.text
            if let value = try? PlanEvaluator.evaluate(
                plain,
                resolve: { leaf in
                    if case .secret(let reference) = leaf { return text(reference).map(Value.string) }
                    return nil
                }), value.isKnown
            {
                digest = secrets.digest(value)
            }
        }
        if let digest {
            let current = live.map { secrets.digest($0) } ?? recorded
            if digest == current { return }
            if let current, !SecretDigests.haveSameKey(digest, current) {
                // Made elsewhere, with another key: nobody can tell here.
                wanted.visitDeferred { result.unreadable.formUnion($0.secrets) }
                return
            }
            if current == nil, !isDeclared { return }
        }
        result.changes.append(
            AttributeChange(
                path: argument.name, before: record?.arguments[argument.name].map { $0.isTainted ? $0 : .null },
                after: wanted.isTainted ? wanted : .null, forcesReplacement: argument.onChange == .replace,
                isHidden: true, place: place(argument.name)))
        note(argument, into: &result)
    }

    private func add(
        _ argument: ArgumentSchema, before: Value?, after: Value?, into result: inout ArgumentDiff
    ) {
        result.changes.append(
            AttributeChange(
                path: argument.name, before: before, after: after, forcesReplacement: argument.onChange == .replace,
                place: place(argument.name)))
        note(argument, into: &result)
    }

    private func note(_ argument: ArgumentSchema, into result: inout ArgumentDiff) {
        result.changed.append(argument.name)
        if argument.onChange == .replace { result.replacing.append(argument.name) }
    }

    /// Descends into objects, so that one changed member shows as one line.
    private func addNested(
        _ argument: ArgumentSchema, path: String, before: Value, after: Value, top: String,
        into result: inout ArgumentDiff
    ) {
        var forcesReplacement = argument.onChange == .replace
        descend(argument, path: path, before: before, after: after, place: place(top), into: &result.changes) {
            forcesReplacement = forcesReplacement || $0
        }
        result.changed.append(top)
        if forcesReplacement { result.replacing.append(top) }
    }

    private func descend(
        _ argument: ArgumentSchema, path: String, before: Value, after: Value, place: Place?,
        into changes: inout [AttributeChange], forces: (Bool) -> Void
    ) {
        switch (argument.type, before, after) {
        case (.object(let fields), .map(let before), .map(let after)):
            for field in fields {
                guard let wanted = ValueComparison.wanted(after[field.name], field) else { continue }
                let current = before[field.name] ?? .null
                if ValueComparison.areEqual(wanted, current, field) { continue }
                descend(
                    field, path: "\(path).\(field.name)", before: current, after: wanted, place: place,
                    into: &changes, forces: forces)
            }
        case (.set(.object(let fields), let key?), .list(let before), .list(let after)):
            let old = Dictionary(before.map { ($0.map?[key] ?? .null, $0) }, uniquingKeysWith: { first, _ in first })
            let new = Dictionary(after.map { ($0.map?[key] ?? .null, $0) }, uniquingKeysWith: { first, _ in first })
            let element = ArgumentSchema(argument.name, .object(fields), onChange: argument.onChange, "")
            // A key that cannot change says that elements neither come nor go while the object lives.
            let isFixed =
                argument.onChange == .replace || fields.first { $0.name == key }?.onChange == .replace
            for member in Set(old.keys).union(new.keys).sorted(by: { ValueJSON.text($0) < ValueJSON.text($1) }) {
                let label = "\(path)[\(member.string ?? ValueJSON.text(member))]"
                if let before = old[member], let after = new[member] {
                    if ValueComparison.areEqual(after, before, element) { continue }
                    descend(
                        element, path: label, before: before, after: after, place: place, into: &changes,
                        forces: forces)
                } else {
                    changes.append(
                        AttributeChange(
                            path: label, before: old[member], after: new[member], forcesReplacement: isFixed,
                            place: place))
                    forces(isFixed)
                }
            }
        default:
            changes.append(
                AttributeChange(
                    path: path, before: before, after: after, forcesReplacement: argument.onChange == .replace,
                    place: place))
            forces(argument.onChange == .replace)
        }
    }
}
