import Diagnostics
import Expressions
import MusterModel
import YAMLSyntax

/// The expressions of all files: each text is parsed once per place, however often it is evaluated.
final class Templates {
    /// What a text came to.
    struct Evaluated {
        let value: Value
        /// True when the outcome of a lookup went into it: then it is no name of the spec.
        let namesOutputs: Bool
    }

    private struct Place: Hashable {
        let file: SourceFile
        let start: Int
    }

    private struct Template {
        let expression: Expression
        /// The names in it, where evaluation may pass some of them by: they are checked all the same.
        let namesToCheck: [Reference]
    }

    /// What no stack has part in: texts that are no expressions.
    private let complaints: Complaints
    private let files: FileStore
    /// The folder that `file()` starts from: any path in it.
    private let folder: String
    /// nil for a text that could not be parsed.
    private var parsed: [Place: Template?] = [:]

    /// - Parameter workspace: the path of the workspace file; `file()` reads relative to its folder.
    init(_ files: FileStore, workspace: String, _ complaints: Complaints) {
        self.files = files
        folder = workspace
        self.complaints = complaints
    }

    static func mayHoldExpression(_ text: String) -> Bool { text.utf8.contains(UInt8(ascii: "$")) }

    /// The value of a scalar's text; `Poison` after a complaint.
    func evaluate(_ node: YAMLNode, _ scalar: YAMLScalar, in scope: Scope, _ complaints: Complaints) -> Evaluated {
        evaluate(scalar.text, at: node.range, in: scope, complaints) { node.range(ofText: $0) }
    }

    /// The text of a mapping's key; nil after a complaint.
    func key(_ text: String, _ range: SourceRange, in scope: Scope, _ complaints: Complaints) -> String? {
        if !Templates.mayHoldExpression(text) { return text }
        let isVerbatim = range.end - range.start == text.utf8.count
        let value = evaluate(text, at: range, in: scope, complaints) { isVerbatim ? range.part($0) : range }.value
        if let key = ScalarText.text(value) { return key }
        if case .deferred(let deferred) = value, complaints.isExcused(deferred) { return nil }
        if !Poison.isIn(value) { complaints.report(.unknownKey(text, value, at: range)) }
        return nil
    }

    private func evaluate(
        _ text: String, at range: SourceRange, in scope: Scope, _ complaints: Complaints,
        place: @escaping (Range<Int>) -> SourceRange
    ) -> Evaluated {
        guard let template = template(text, at: range, place) else {
            return Evaluated(value: Poison.value, namesOutputs: false)
        }
        let resolver = Resolver(scope)
        do {
            for reference in template.namesToCheck { try resolver.check(reference) }
            let value = try Evaluator.evaluate(
                template.expression,
                readFile: { [files, folder] in try files.text(at: FileStore.resolve($0, from: folder)) },
                resolve: resolver.resolve)
            if let reference = value.openReference {
                complaints.report(.incompleteReference(reference, at: range))
                return Evaluated(value: Poison.value, namesOutputs: false)
            }
            return Evaluated(value: value, namesOutputs: resolver.didUseResults)
        } catch {
            complaints.report(error.diagnostic(at: range))
            // Evaluation ends at the first failure; other names may be wrong too.
            for reference in template.expression.references {
                do { try resolver.check(reference) } catch { complaints.report(error.diagnostic(at: range)) }
            }
            return Evaluated(value: Poison.value, namesOutputs: false)
        }
    }

    private func template(
        _ text: String, at range: SourceRange, _ place: @escaping (Range<Int>) -> SourceRange
    ) -> Template? {
        let key = Place(file: range.file, start: range.start)
        if let known = parsed[key] { return known }
        let (expression, diagnostics) = ExpressionParser.parseTemplate(text, stack: "", place: place)
        complaints.report(diagnostics)
        let template =
            diagnostics.hasErrors
            ? nil : Template(expression: expression, namesToCheck: expression.isLazy ? expression.references : [])
        parsed[key] = .some(template)
        return template
    }
}

extension Expression {
    /// True when evaluation may leave a part out.
    fileprivate var isLazy: Bool {
        var isLazy = false
        visit {
            switch $0 {
            case .call, .binary(.and, _, _), .binary(.or, _, _): isLazy = true
            default: break
            }
        }
        return isLazy
    }

    fileprivate var references: [Reference] {
        var references: [Reference] = []
        visit { if case .reference(let reference) = $0 { references.append(reference) } }
        return references
    }
}

extension Value {
    /// A reference that resolving left as it was parsed, without a stack: what must follow it is missing.
    fileprivate var openReference: Reference? {
        if isKnown { return nil }
        var found: Reference?
        visitDeferred { deferred in
            deferred.expression.visit {
                if case .reference(let reference) = $0, reference.stack.isEmpty, $0 != Poison.expression {
                    found = reference
                }
            }
        }
        return found
    }
}

extension Diagnostic {
    fileprivate static func incompleteReference(_ reference: Reference, at range: SourceRange) -> Diagnostic {
        let example = reference.text.hasPrefix("lookup") ? "lookups.amis.base.id" : "var.name"
        return Diagnostic(
            code: "spec.incomplete-reference", summary: "Incomplete reference",
            detail: "\(reference.text.quoted) alone is not a value, and what follows it must be known now.",
            at: reference.range ?? range, hint: "Write it like \(example).")
    }

    static func unknownKey(_ text: String, _ value: Value, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            code: "spec.not-known", summary: "Value is not known yet",
            detail: "The key \(text.quoted) comes to \(value.kindName), but a key must be text that is known now.",
            at: range, hint: "Use variables only.")
    }
}
