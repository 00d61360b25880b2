import Diagnostics
import MusterModel

/// The rules of AWS for tags, and how the tags of workspace and stack come under a resource's own.
enum Tags {
    /// AWS allows 50, and one is muster's mark of the creation.
    static let maximumCount = 49

    static func check(_ tags: LocatedValue) -> [Diagnostic] {
        (tags.entries ?? []).flatMap { check(key: $0.key, $0.value.value, at: $0.keyRange, $0.value.range) }
    }

    fileprivate static func check(
        key: String, _ value: Value, at keyRange: SourceRange, _ valueRange: SourceRange
    ) -> [Diagnostic] {
        var diagnostics: [Diagnostic] = []
        if key.isEmpty || key.hasMoreCharacters(than: 128) {
            diagnostics.append(
                .tagRule("The key of a tag has 1 to 128 characters; \(key.quoted) has \(key.count).", at: keyRange))
        }
        if key.begins(with: "aws:") {
            diagnostics.append(
                .tagRule("\(key.quoted) begins with \"aws:\", which AWS keeps for itself.", at: keyRange))
        }
        if key.begins(with: "muster:") {
            diagnostics.append(
                .tagRule("\(key.quoted) begins with \"muster:\", which muster keeps for its own marks.", at: keyRange))
        }
        if case .string(let text) = value, text.hasMoreCharacters(than: 256) {
            diagnostics.append(
                .tagRule(
                    "The value of a tag has at most 256 characters; that of \(key.quoted) has \(text.count).",
                    at: valueRange))
        }
        return diagnostics
    }

    /// Puts inherited tags under the declaration's own; a null among its own removes an inherited one.
    static func merge(
        _ inherited: [String: Value], into declaration: inout Declaration, isTaggable: Bool
    ) -> [Diagnostic] {
        let own = declaration.arguments["tags"]
        if isTaggable, !inherited.isEmpty || own != nil {
            declaration.arguments["tags"] = merged(inherited, own ?? .map([:]))
        }
        guard case .map(let tags)? = declaration.arguments["tags"], tags.count > maximumCount else { return [] }
        return [
            .tagRule(
                "\(declaration.address) has \(tags.count) tags with those of its workspace and stack; AWS allows 50, "
                    + "and one is muster's own.", at: declaration.argumentRanges["tags"] ?? declaration.range)
        ]
    }

    /// The second under the first, without what is null at the end.
    static func merged(_ inherited: [String: Value], _ own: Value) -> Value {
        switch own {
        case .map(let own):
            .map(withoutNulls(inherited.isEmpty ? own : inherited.merging(own) { _, own in own }))
        case .deferred(let own) where !inherited.isEmpty:
            .deferred(Deferred(.call("merge", [.literal(.map(inherited)), own.expression])))
        default: own
        }
    }

    private static func withoutNulls(_ tags: [String: Value]) -> [String: Value] {
        tags.values.contains(.null) ? tags.filter { $0.value != .null } : tags
    }
}

/// Tags of workspaces and stacks, which are checked once per stack and not once per resource.
struct InheritedTags {
    private var checkedStacks: Set<String> = []

    mutating func check(_ definition: Definition) -> [Diagnostic] {
        guard checkedStacks.insert(definition.stack).inserted else { return [] }
        return definition.inheritedTags.sorted { $0.key < $1.key }.flatMap {
            Tags.check(key: $0.key, $0.value, at: definition.range, definition.range).map {
                var diagnostic = $0
                diagnostic.detail += " It is a tag of the stack \(definition.stack.quoted) or of the workspace."
                return diagnostic
            }
        }
    }
}

extension String {
    /// Counted as AWS counts: in code points, of which a text has no more than bytes.
    fileprivate func hasMoreCharacters(than maximum: Int) -> Bool {
        utf8.count > maximum && unicodeScalars.count > maximum
    }

    /// Whether the text begins with a word of lower-case ASCII letters, in any case.
    fileprivate func begins(with word: StaticString) -> Bool {
        word.withUTF8Buffer { word in
            utf8.lazy.map { $0 | ((0x41...0x5A).contains($0) ? 0x20 : 0) }.starts(with: word)
        }
    }
}

extension Diagnostic {
    fileprivate static func tagRule(_ detail: String, at range: SourceRange?) -> Diagnostic {
        Diagnostic(code: "spec.tag", summary: "Tag not allowed", detail: detail, at: range)
    }
}
