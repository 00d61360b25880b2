import Diagnostics
import Expressions
import MusterModel
import YAMLSyntax

/// The fields that every definition has, whatever its section.
enum CommonFields {
    static let maximumCount = 10_000

    static let count = ArgumentSchema(
        "count", .integer, "How many to make of the definition; ${index} counts them from 1. At most \(maximumCount).")
    static let forEach = ArgumentSchema(
        "for_each", .anything,
        "A map, or a list of different strings: one is made for each, with ${each.key} and ${each.value}.")
    static let dependsOn = ArgumentSchema(
        "depends_on", .list(.string),
        "What must exist before: section.name, type/name, stack:type/name, or stack:* for everything of another stack. It makes "
            + "no value unknown.")
    static let lifecycle = ArgumentSchema(
        "lifecycle",
        .object([
            ArgumentSchema(
                "prevent_destroy", .boolean,
                "Refuses every plan that would delete it. Kept in the state, also after the definition is gone."),
            ArgumentSchema(
                "create_before_destroy", .boolean, "Whether a successor is made before the old one is deleted."),
            ArgumentSchema("ignore_changes", .list(.string), "Arguments whose changes are not looked at."),
            ArgumentSchema(
                "replace_triggered_by", .list(.string),
                "It is replaced when one of these changes; written as in depends_on."),
        ]), "How it is replaced and protected.")
    static let timeouts = ArgumentSchema(
        "timeouts",
        .object([
            ArgumentSchema("create", .string, "Until it is ready, such as 90s, 10m or 1h30m."),
            ArgumentSchema("update", .string, "Until a change has taken effect."),
            ArgumentSchema("delete", .string, "Until it is gone."),
        ]), "How long to wait for the cloud.")

    static let namePrefix = ArgumentSchema(
        "name_prefix", .string,
        "In place of a name: the name in the cloud begins so and ends with digits that follow from the address.")

    static let all = [count, forEach, namePrefix, dependsOn, lifecycle, timeouts]
    static let names = all.map(\.name)

    /// The field that names in the cloud what a section or a type makes; nil when it has no name there.
    static func naming(_ fields: [ArgumentSchema], _ principal: ResourceSchema?) -> String? {
        let names = Set(fields.map(\.name))
        if case .unique(let argument, _)? = principal?.naming, names.contains(argument) { return argument }
        return names.contains("name") ? "name" : nil
    }
}

/// Reads the fields that every definition has.
struct CommonFieldReader {
    let reader: SchemaReader
    let names: KnownNames
    private var complaints: Complaints { reader.complaints }

    private let dependsOn = FieldShape(CommonFields.dependsOn)
    private let lifecycle = FieldShape(CommonFields.lifecycle)
    private let timeouts = FieldShape(CommonFields.timeouts)

    init(reader: SchemaReader, names: KnownNames) {
        self.reader = reader
        self.names = names
    }

    func dependencies(_ node: Node?, in scope: Scope) -> [Reference] {
        guard let node, let value = reader.read(node, as: dependsOn, in: scope) else { return [] }
        return references(value, "depends_on", scope)
    }

    /// - Parameter arguments: what `ignore_changes` may name.
    func lifecycle(_ node: Node?, arguments: [String], of title: String, in scope: Scope) -> Lifecycle {
        var result = Lifecycle()
        guard let node, let body = reader.read(node, as: lifecycle, in: scope) else { return result }
        result.preventDestroy = flag(body, "prevent_destroy") ?? false
        result.createBeforeDestroy = flag(body, "create_before_destroy")
        for element in body["ignore_changes"]?.elements ?? [] {
            guard let text = text(element, "ignore_changes") else { continue }
            // A member of an argument, such as tags.Owner, is ignored with its argument's rules.
            let argument = String(text.prefix { $0 != "." && $0 != "[" })
            if arguments.contains(argument) {
                result.ignoreChanges.insert(text)
            } else {
                complaints.report(.unknownIgnored(text, of: title, known: arguments, at: element.range))
            }
        }
        if let list = body["replace_triggered_by"] {
            result.replaceTriggeredBy = references(list, "replace_triggered_by", scope)
        }
        return result
    }

    /// - Parameter usual: what stands where nothing is given.
    func timeouts(_ node: Node?, usual: Timeouts, in scope: Scope) -> Timeouts? {
        guard let node, let body = reader.read(node, as: timeouts, in: scope) else { return nil }
        func seconds(_ name: String, _ usual: Int) -> Int {
            guard let field = body[name], let text = text(field, name) else { return usual }
            if let seconds = DurationText.seconds(text) { return seconds }
            complaints.report(.invalidDuration(text, at: field.range))
            return usual
        }
        return Timeouts(
            create: seconds("create", usual.create), update: seconds("update", usual.update),
            delete: seconds("delete", usual.delete))
    }

    private func flag(_ body: LocatedValue, _ name: String) -> Bool? {
        guard let field = body[name] else { return nil }
        if case .value(.deferred(let deferred), let range) = field {
            complaints.reportUnknown(name, deferred, at: range)
        }
        return field.value.bool
    }

    private func text(_ value: LocatedValue, _ name: String) -> String? {
        if case .value(.deferred(let deferred), let range) = value {
            complaints.reportUnknown(name, deferred, at: range)
        }
        return value.value.string
    }

    private func references(_ list: LocatedValue, _ name: String, _ scope: Scope) -> [Reference] {
        if case .value(.deferred(let deferred), let range) = list {
            complaints.reportUnknown(name, deferred, at: range)
        }
        return (list.elements ?? []).compactMap { element in
            guard let text = text(element, name) else { return nil }
            return reference(text, at: element.range, scope)
        }
    }

    /// `section.name`, `section["name"]`, `type/name`, `stack:type/name` or `stack:*`.
    private func reference(_ text: String, at range: SourceRange, _ scope: Scope) -> Reference? {
        if !text.hasSuffix(":*"), !text.contains("/") || text.contains("[") {
            let (expression, diagnostics) = ExpressionParser.parseExpression(text, stack: scope.stack.name)
            if diagnostics.isEmpty, case .reference(let reference) = expression,
                case .path(let components) = reference.target, case .name(let root)? = components.first
            {
                guard names.sections.contains(root) || names.catalog.providers.contains(root) else {
                    complaints.report(.unknownDependency(text, root, names.sections, at: range))
                    return nil
                }
                return Reference(.path(components), stack: scope.stack.name, range: range)
            }
            // A name with a dash after a dot is clear enough here.
            let root = String(text.prefix { $0 != "." })
            guard root != text, names.sections.contains(root) else {
                complaints.report(.unknownDependency(text, root, names.sections, at: range))
                return nil
            }
        }
        return Reference(.path([.name(text)]), stack: scope.stack.name, range: range)
    }
}

/// Durations as people write them.
enum DurationText {
    /// `90s`, `10m`, `1h30m`: whole numbers with units from large to small; nil for anything else, and for nothing.
    static func seconds(_ text: String) -> Int? {
        var rest = text.utf8[...]
        var total = 0
        var smallest = Int.max
        while !rest.isEmpty {
            let digits = rest.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            rest = rest.dropFirst(digits.count)
            guard !digits.isEmpty, digits.count <= 7, let number = Int(String(decoding: digits, as: UTF8.self)),
                let unit = rest.popFirst()
            else { return nil }
            let factor: Int
            switch unit {
            case UInt8(ascii: "d"): factor = 86_400
            case UInt8(ascii: "h"): factor = 3600
            case UInt8(ascii: "m"): factor = 60
            case UInt8(ascii: "s"): factor = 1
            default: return nil
            }
            guard factor < smallest else { return nil }
            smallest = factor
            total += number * factor
        }
        return total > 0 ? total : nil
    }
}

extension Complaints {
    /// Complains that something must be known before the cloud is asked; silent where the cause was told already.
    func reportUnknown(_ name: String, _ deferred: Deferred, at range: SourceRange) {
        if !isExcused(deferred) { report(.unknownYet(name, deferred, at: range)) }
    }

    /// Whether nothing needs to be said of an unknown value: its cause was told, or it may be known after the lookups.
    func isExcused(_ deferred: Deferred) -> Bool {
        if Poison.isIn(.deferred(deferred)) { return true }
        return isBeforeLookups && deferred.outputs.contains { $0.address.type.rawValue.hasPrefix("lookup.") }
    }
}

extension Diagnostic {
    static func unknownYet(_ name: String, _ deferred: Deferred, at range: SourceRange) -> Diagnostic {
        var causes: [String] = []
        deferred.expression.visit { expression in
            switch expression {
            case .output(let output): causes.append("\(output.output) of \(output.address)")
            case .secret(let secret): causes.append("‹secret:\(secret.name)›")
            case .reference(let reference): causes.append(reference.text)
            default: break
            }
        }
        let hangsOn = causes.isEmpty ? "something" : Set(causes).sorted().joined(separator: ", ")
        return Diagnostic(
            code: "spec.not-known", summary: "Value is not known yet",
            detail: "\(name.quoted) must be known before anything is made, and it hangs on \(hangsOn).", at: range,
            hint: "Use variables, or lookups that have been read.")
    }

    fileprivate static func unknownIgnored(
        _ text: String, of title: String, known: [String], at range: SourceRange
    ) -> Diagnostic {
        Diagnostic(
            code: "spec.unknown-argument", summary: "Unknown argument",
            detail: "\(text.quoted) in \"ignore_changes\" is not an argument of \(title).", at: range,
            hint: Suggestion.hint(for: text, among: known))
    }

    fileprivate static func invalidDuration(_ text: String, at range: SourceRange) -> Diagnostic {
        let hint = Int(text).map { "Write \(max(1, $0))s for seconds." }
        return Diagnostic(
            code: "spec.duration", summary: "Invalid duration", detail: "\(text.quoted) is not a duration.", at: range,
            hint: hint ?? "Write it like 90s, 10m or 1h30m.")
    }

    fileprivate static func unknownDependency(
        _ text: String, _ root: String, _ sections: Set<String>, at range: SourceRange
    ) -> Diagnostic {
        Diagnostic(
            code: "spec.unknown-reference", summary: "Unknown reference",
            detail: "\(text.quoted) names no resource.", at: range,
            hint: Suggestion.hint(for: root, among: sections.sorted())
                ?? "Name a resource as section.name, type/name or stack:type/name.")
    }
}

extension Reference {
    /// As a person would write it.
    var text: String {
        switch target {
        case .named(_, let name): return name
        case .path(let components):
            var text = ""
            for component in components {
                switch component {
                case .index(let index): text += "[\(index)]"
                case .name(let name) where text.isEmpty: text = name
                case .name(let name):
                    let isPlain = name.utf8.allSatisfy {
                        ($0 | 0x20 >= UInt8(ascii: "a") && $0 | 0x20 <= UInt8(ascii: "z")) || $0 == UInt8(ascii: "_")
                            || ($0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9"))
                    }
                    text += isPlain ? ".\(name)" : "[\"\(name)\"]"
                }
            }
            return text
        }
    }
}
