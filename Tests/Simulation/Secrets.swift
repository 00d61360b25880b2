import FoundationEssentials
import MusterModel

/// The secrets of simulated specs: a text that may stand in no state, plan, log or error.
enum Secrets {
    private static let canary = "c4n4ry"

    /// What a certificate's key is read from begins like this.
    static let keyPrefix = "PEM_"

    static func text(of reference: SecretReference) -> String {
        let text = "\(canary)-\(reference.source)"
        return reference.source.hasPrefix("env:\(keyPrefix)") ? "-----BEGIN PRIVATE KEY-----\n\(text)" : text
    }

    /// Not the text: a plain hash is enough where nobody guesses.
    static let digest: @Sendable (Value) -> String = { value in
        let hash = ValueJSON.text(value).utf8.reduce(UInt64(0xcbf2_9ce4_8422_2325)) {
            ($0 ^ UInt64($1)) &* 0x100_0000_01b3
        }
        return "sim:" + String(hash, radix: 16)
    }

    static func isTold(in text: String) -> Bool { text.contains(canary) }

    /// Every file of a folder.
    ///
    /// - Parameter others: texts beside those of the specs.
    static func isTold(inFolder folder: String, others: Set<String> = []) -> Bool {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return files.contains { name in
            guard let bytes = FileManager.default.contents(atPath: folder + "/" + name) else { return false }
            return ([canary] + others).contains { bytes.firstRange(of: Data($0.utf8)) != nil }
        }
    }

    /// What is shown and saved of a plan.
    static func look(for plan: Plan, _ spec: Spec, _ machine: Machine) {
        guard spec.resources.contains(where: { $0.arguments.values.contains { $0.isTainted } }) else { return }
        if isTold(in: "\(plan)") { machine.leaks.append("A plan tells a secret.") }
    }
}
