import Expressions
import MusterModel
import TextEncodings

/// What this run knows of the state: the rows as they were and as its own steps left them. Deferred values are
/// evaluated against it.
actor Ledger {
    private var records: [Address: ResourceRecord]
    private var versions: [Address: Int]
    /// When this run made the object of an address.
    private var births: [Address: Duration] = [:]
    /// Steps of this run that are over, and whether they came to their end.
    private var ended: [Int: Bool] = [:]
    private var secrets: [SecretReference: String] = [:]
    private let resolveSecret: @Sendable (SecretReference) async throws -> String

    init(_ snapshot: Snapshot, resolveSecret: @escaping @Sendable (SecretReference) async throws -> String) {
        records = snapshot.records
        versions = snapshot.versions
        self.resolveSecret = resolveSecret
    }

    func record(_ address: Address) -> ResourceRecord? { records[address] }
    func records(of type: ResourceType) -> [ResourceRecord] { records.values.filter { $0.address.type == type } }
    func version(_ address: Address) -> Int { versions[address] ?? 0 }

    func note(_ record: ResourceRecord, version: Int) {
        var record = record
        record.version = version
        records[record.address] = record
        versions[record.address] = version
    }

    func noteBirth(_ address: Address, at time: Duration) { births[address] = time }
    func noteEnded(_ step: Int, isDone: Bool) { ended[step] = isDone }
    /// The steps that are over, and whether they came to their end.
    var endedSteps: [Int: Bool] { ended }
    func birth(_ address: Address) -> Duration? { births[address] }

    func noteGone(_ address: Address, version: Int) {
        records[address] = nil
        versions[address] = version
    }

    // MARK: Values

    /// Arguments in the two forms that they have from here on.
    struct Evaluated: Sendable {
        /// As they are sent: everything is known. Never written anywhere.
        var sent: [String: Value]
        /// As they are kept: outputs are folded in, secrets stay names.
        var kept: [String: Value]
    }

    func evaluate(_ arguments: [String: Value]) async throws(StepFailure) -> Evaluated {
        var kept: [String: Value] = [:]
        for (name, value) in arguments {
            kept[name] = value.isKnown ? value : try evaluate(value, name: name, withSecrets: false)
        }
        var needed: Set<SecretReference> = []
        for value in kept.values { value.visitDeferred { needed.formUnion($0.secrets) } }
        for secret in needed.sorted() where secrets[secret] == nil {
            do {
                secrets[secret] = try await resolveSecret(secret)
            } catch {
                throw .unreadableSecret(secret, error)
            }
        }
        var sent = kept
        for (name, value) in kept where !value.isKnown {
            sent[name] = try evaluate(value, name: name, withSecrets: true)
            if let rest = sent[name], !rest.isKnown { throw .notKnown(name, rest) }
        }
        return Evaluated(sent: sent, kept: kept)
    }

    /// As far as it is known, without secrets.
    func evaluate(output value: Value) -> Value? { try? evaluate(value, name: "", withSecrets: false) }

    private func evaluate(_ value: Value, name: String, withSecrets: Bool) throws(StepFailure) -> Value {
        do throws(EvaluationFailure) {
            return try value.replacingDeferred { (deferred) throws(EvaluationFailure) -> Value in
                try Evaluator.evaluate(deferred.expression) { (leaf) throws(EvaluationFailure) -> Value? in
                    switch leaf {
                    case .output(let reference): output(reference)
                    case .secret(let reference): withSecrets ? secrets[reference].map(Value.string) : nil
                    default: nil
                    }
                }
            }
        } catch {
            throw .notEvaluated(name, error)
        }
    }

    /// An output, or the argument of that name, as the plan sees it too.
    private func output(_ reference: OutputReference) -> Value? {
        guard let record = records[reference.address] else { return nil }
        return record.outputs[reference.output] ?? record.arguments[reference.output]
    }

    /// The text without any secret that this run has read.
    func redacted(_ text: String) -> String {
        var text = text
        for (reference, secret) in secrets where secret.count > 3 {
            for form in Ledger.forms(of: secret) where text.contains(form) {
                text = text.replacing(form, with: "‹secret:\(reference.name)›")
            }
        }
        return text
    }

    /// A secret in the ways in which an error may quote it: as it is, in base64, and each as JSON, XML and forms write it.
    private static func forms(of secret: String) -> [String] {
        var forms: [String] = []
        for text in [secret] + base64Forms(of: secret) {
            let written = [text, PercentEncoding.encode(text), jsonEscaped(text), xmlEscaped(text)]
            for form in written where !forms.contains(form) { forms.append(form) }
        }
        // One that holds another goes first, so that nothing of it stays.
        return forms.sorted { $0.utf8.count > $1.utf8.count }
    }

    private static func jsonEscaped(_ text: String) -> String {
        text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
            .replacing("\t", with: "\\t").replacing("\r", with: "\\r")
    }

    private static func xmlEscaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
            .replacing("\"", with: "&quot;")
    }

    /// What stays the same of a text in base64, whatever stands before and after it: user data are sent so, and errors
    /// quote what was sent.
    private static func base64Forms(of text: String) -> [String] {
        let bytes = Array(text.utf8)
        guard bytes.count >= 8 else { return [] }
        return (0..<3).map { offset in
            let rest = bytes.dropFirst(offset)
            return Base64.encode(rest.dropLast(rest.count % 3))
        }
    }

    func redacted(_ failure: StepFailure) -> StepFailure {
        var failure = failure
        failure.detail = redacted(failure.detail)
        failure.hint = failure.hint.map(redacted)
        return failure
    }

    /// The outputs without those in which the cloud tells a secret back.
    func withoutSecrets(_ outputs: [String: Value]) -> [String: Value] {
        if secrets.isEmpty { return outputs }
        return outputs.filter { !holdsSecret($0.value) }
    }

    private func holdsSecret(_ value: Value) -> Bool {
        switch value {
        case .string(let text): secrets.values.contains { $0.count > 3 && text.contains($0) }
        case .list(let values): values.contains(where: holdsSecret)
        case .map(let values): values.values.contains(where: holdsSecret)
        default: false
        }
    }
}
