import Diagnostics
import Expressions
import MusterModel
import Planning
import ProviderKit
import ResourceGraph
import SpecLoading

/// Reads secrets, in memory and for as long as a command needs them.
struct SecretReader: Sendable {
    let environment: [String: String]
    /// The folder that `file:` paths are relative to.
    let folder: String
    let provider: any Provider

    /// Secrets of this machine; nil when the source is remote or when there is nothing.
    func localText(_ reference: SecretReference) -> String? {
        let (scheme, rest) = SecretReader.split(reference.source)
        switch scheme {
        case "env": return environment[rest]
        case "file":
            guard let bytes = try? LocalFile.read(LocalFile.join(folder, rest), limit: 1 << 20),
                var text = String(validating: bytes, as: UTF8.self)
            else { return nil }
            // An editor ends a file with a newline; a secret does not.
            if text.hasSuffix("\n") { text.removeLast() }
            return text
        default: return nil
        }
    }

    func text(_ reference: SecretReference, _ configuration: ProviderConfiguration) async throws -> String {
        if let text = localText(reference) { return text }
        let (scheme, rest) = SecretReader.split(reference.source)
        switch scheme {
        case "env":
            throw StepFailure(
                .rejected, summary: "A secret is missing",
                detail: "The environment variable \(rest) of the secret \"\(reference.name)\" is not set.",
                hint: "Set it and run again.")
        case "file":
            throw StepFailure(
                .rejected, summary: "A secret is missing",
                detail: "The file \(rest) of the secret \"\(reference.name)\" cannot be read.")
        default:
            return try await provider.secret(reference.source, configuration)
        }
    }

    private static func split(_ source: String) -> (scheme: String, rest: String) {
        guard let colon = source.firstIndex(of: ":") else { return ("", source) }
        return (String(source[..<colon]), String(source[source.index(after: colon)...]))
    }
}

extension Workbench {
    func secretReader(_ workspace: LoadedWorkspace) -> SecretReader {
        SecretReader(
            environment: console.environment, folder: LocalFile.folder(of: workspace.path), provider: provider)
    }

    /// The digests by which a plan compares secrets; the key is made only where there is something to compare.
    func secretDigests(_ linked: Linked, _ snapshot: Snapshot) async throws(CommandFailure) -> SecretDigests {
        var references: Set<SecretReference> = []
        for declaration in linked.spec.declarations {
            for value in declaration.arguments.values where !value.isKnown {
                value.visitDeferred { references.formUnion($0.secrets) }
            }
        }
        let hasSensitive = linked.spec.declarations.contains { declaration in
            catalog[declaration.address.type]?.arguments
                .contains { $0.isSensitive && declaration.arguments[$0.name] != nil } ?? false
        }
        let hasDigests = snapshot.records.values.contains { !$0.digests.isEmpty }
        guard !references.isEmpty || hasSensitive || hasDigests else {
            return SecretDigests(text: { _ in nil }, digest: { _ in "" })
        }
        let key = try DigestKey.load(environment: console.environment)
        let reader = secretReader(linked.workspace)
        let texts = Dictionary(
            references.compactMap { reference in reader.localText(reference).map { (reference, $0) } },
            uniquingKeysWith: { first, _ in first })
        return SecretDigests(text: { texts[$0] }, digest: { key.digest(ValueJSON.text($0)) })
    }
}
