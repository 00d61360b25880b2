import Diagnostics
import MusterModel

/// Functions that read files of the workspace, through the reader that the evaluator was given.
enum FileFunctions {
    static let all = [
        FunctionDefinition(
            "file", [.init("path", .string)], .string,
            "The text of a file of the workspace, as it is; the path is relative to the workspace's folder.",
            [.init("file(\"motd\")", "\"Hello $${name}\"", files: ["motd": "Hello ${name}"])], .file),
        FunctionDefinition(
            "template", [.init("path", .string), .init("vars", .map)], .string,
            "The text of a file of the workspace with its ${…} filled in; the names in them are the keys of the map.",
            [
                .init(
                    "template(\"motd\", { name: \"Ada\" })", "\"Hello Ada\"",
                    files: ["motd": "Hello ${name}"])
            ], .template),
    ]

    static func read(_ path: String, with reader: FileReader?) throws(EvaluationFailure) -> String {
        guard !path.isEmpty, !path.utf8.contains(0), !path.hasPrefix("/"), !path.hasPrefix("~"),
            !path.split(separator: "/").contains("..")
        else {
            throw EvaluationFailure(
                code: "expression.path", summary: "Path leaves the workspace",
                detail: "\(path.quoted) is not a path inside the workspace.",
                hint: "Write a path relative to the folder of muster.yaml, without \"..\".")
        }
        guard let reader else {
            throw EvaluationFailure(
                code: "expression.file", summary: "File cannot be read",
                detail: "\(path.quoted) cannot be read here: files are read only while the spec is loaded.",
                hint: "Its path must not depend on what is known only after apply.")
        }
        do {
            return try reader(path)
        } catch {
            throw EvaluationFailure(
                code: "expression.file", summary: "File cannot be read", detail: "\(path.quoted): \(error)")
        }
    }

    /// The text of a template file; open where a variable is not known yet.
    static func fill(
        _ path: String, with variables: [String: Value], in evaluation: Evaluation
    ) throws(EvaluationFailure) -> Reduced {
        guard evaluation.templateDepth < Evaluation.maximumTemplateDepth else {
            throw EvaluationFailure(
                code: "expression.too-large", summary: "Expression too large",
                detail: "Templates may use each other \(Evaluation.maximumTemplateDepth) levels deep, and "
                    + "\(path.quoted) is used deeper.",
                hint: "A template must not use itself.")
        }
        let file = SourceFile(path: path, text: try read(path, with: evaluation.readFile))
        let text = String(decoding: file.text, as: UTF8.self)
        let (tree, diagnostics) = ExpressionParser.parseTemplate(text, stack: "") {
            file.range($0.lowerBound, $0.upperBound)
        }
        if let first = diagnostics.first {
            throw EvaluationFailure(
                code: first.code, summary: first.summary, detail: first.detail, hint: first.hint, range: first.range)
        }
        var inner = evaluation
        inner.templateDepth += 1
        inner.isTolerant = false
        // A file that is one hole and nothing else is a text all the same.
        return try inner.reduce(.template([tree])) { (leaf) throws(EvaluationFailure) -> Value? in
            guard case .reference(let reference) = leaf else { return nil }
            guard case .path(let components) = reference.target, case .name(let root)? = components.first else {
                return nil
            }
            guard let value = variables[root] else { throw .unknownVariable(root, variables, reference) }
            return try Evaluator.part(of: value, at: components.dropFirst())
        }
    }
}

extension EvaluationFailure {
    fileprivate static func unknownVariable(
        _ name: String, _ variables: [String: Value], _ reference: Reference
    ) -> EvaluationFailure {
        EvaluationFailure(
            code: "expression.unknown-variable", summary: "Unknown name in a template",
            detail: "The map given to template() has no \(name.quoted).",
            hint: Suggestion.hint(for: name, among: variables.keys)
                ?? "Write $${ for the two characters ${, as a shell script has them.", range: reference.range)
    }
}
