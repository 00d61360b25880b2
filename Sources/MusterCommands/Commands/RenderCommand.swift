import ArgumentParser
import Diagnostics
import Expressions
import Lowering
import MusterModel
import ResourceGraph
import SpecLoading
import StateStorage
import UserData

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

struct RenderCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "render", abstract: "Write what machines outside of AWS boot with.",
        subcommands: [RenderHostCommand.self])
}

struct RenderHostCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "host", abstract: "Write the config drive of a host of the section \"hosts\".",
        discussion: """
            DIR gets openstack/latest/user_data and meta_data.json and, for a host that joins Rancher, the three files of \
            its identity under var/lib/rancher/state. An identity that is there is kept, so that the machine stays the \
            same host. Where genisoimage, mkisofs or xorriso is installed, DIR.iso is the drive, labelled config-2.

            All of it may hold secrets: nobody else may read it.
            """)

    @OptionGroup var scope: ScopeOptions
    @Argument(help: "The host: its name, or stack:name.") var name: String
    @Option(name: .long, help: ArgumentHelp("The folder to write.", valueName: "dir")) var configDrive: String

    func run() async throws {
        let console = Console(scope)
        try await perform(console) {
            let workbench = try Workbench.make(console, scope)
            let workspace = try workbench.load()
            let draft = try workbench.link(workspace, lookups: nil)
            let definition = try workbench.host(name, in: workspace)
            let folder =
                configDrive.count > 1 && configDrive.hasSuffix("/") ? String(configDrive.dropLast()) : configDrive
            var drive = ConfigDrive(folder: folder)
            if Lowering.joinsRancher(definition) { try drive.identify() }
            let rendered = try await workbench.render(definition, drive.identity, workspace)
            console.report(draft.warnings)
            try drive.write(rendered.userData, hostName: rendered.hostName)
            var text = "Wrote \(folder)/openstack/latest/user_data.\n"
            if drive.identity != nil {
                text += drive.isNew ? "The host has a new identity.\n" : "The host keeps its identity.\n"
            }
            switch try await drive.makeImage() {
            case .some(let image): text += "Wrote \(image), labelled config-2.\n"
            case .none: console.talk("No image: none of \(ConfigDrive.tools.joined(separator: ", ")) is installed.\n")
            }
            console.write(text)
            return .success
        }
    }
}

extension Workbench {
    /// The definition of a host, by its name.
    func host(_ text: String, in workspace: LoadedWorkspace) throws(CommandFailure) -> Definition {
        let hosts = expand(workspace).0.definitions.filter { $0.section == "hosts" }
        let found = hosts.filter { host in
            (host.name == text || "\(host.stack):\(host.name)" == text) && options.stacks?.contains(host.stack) ?? true
        }
        if let host = found.first, found.count == 1 { return host }
        throw CommandFailure(
            code: "usage.host", summary: found.isEmpty ? "Unknown host" : "Ambiguous host",
            detail: found.isEmpty
                ? "The section \"hosts\" has no \(text.quoted)."
                : "\(text.quoted) is a host of \(found.map(\.stack).joined(separator: " and ")).",
            hint: found.isEmpty
                ? Suggestion.hint(for: text, among: hosts.map(\.name))
                    ?? (hosts.isEmpty ? nil : "There are \(hosts.map(\.name).sorted().joined(separator: ", ")).")
                : "Write stack:name.")
    }

    /// What the host boots with, as it is now: outputs are those of the state, secrets are read.
    func render(
        _ definition: Definition, _ identity: RancherOSAgent.Identity?, _ workspace: LoadedWorkspace
    ) async throws(CommandFailure) -> (userData: String, hostName: String) {
        guard let host = Lowering.render(host: definition, identity: identity) else {
            throw CommandFailure(.failure, [])
        }
        // Linked like outputs of the stack, which is where its names are looked for.
        let names = ["user_data of \(definition.name)", "hostname of \(definition.name)"]
        let wanted = zip(names, [host.userData, host.hostName]).map { name, value in
            OutputDeclaration(stack: definition.stack, name: name, value: value, range: host.range)
        }
        let linked = try link(workspace, lookups: nil, adding: wanted)
        let values = names.map { name in
            linked.spec.outputs.first { $0.stack == definition.stack && $0.name == name }?.value ?? .null
        }
        let snapshot = try await readState(workspace).snapshot
        var texts: [String] = []
        for value in values { texts.append(try await text(of: value, snapshot, definition, workspace)) }
        return (texts[0], texts[1])
    }

    private func text(
        of value: Value, _ snapshot: Snapshot, _ definition: Definition, _ workspace: LoadedWorkspace
    ) async throws(CommandFailure) -> String {
        if let text = value.scalarText { return text }
        let reader = secretReader(workspace)
        var secrets: [SecretReference: String] = [:]
        for secret in value.secrets {
            do {
                let configuration = workspace.configurations[definition.stack] ?? ProviderConfiguration()
                secrets[secret] = try await reader.text(secret, configuration)
            } catch {
                throw CommandFailure(
                    code: "secret.unreadable", summary: "A secret cannot be read",
                    detail: "\(secret.source) of the secret \(secret.name.quoted): \(error)")
            }
        }
        let evaluated: Value
        do throws(EvaluationFailure) {
            evaluated = try value.replacingDeferred { (deferred) throws(EvaluationFailure) -> Value in
                try Evaluator.evaluate(deferred.expression) { (leaf) throws(EvaluationFailure) -> Value? in
                    switch leaf {
                    case .output(let reference):
                        let record = snapshot.records[reference.address]
                        return record?.outputs[reference.output] ?? record?.arguments[reference.output]
                    case .secret(let secret): return secrets[secret].map(Value.string)
                    default: return nil
                    }
                }
            }
        } catch {
            throw CommandFailure(.failure, [error.diagnostic(at: definition.range)])
        }
        if let text = evaluated.scalarText { return text }
        let missing = evaluated.deferred?.outputs.map { "\($0.address).\($0.output)" } ?? []
        throw CommandFailure(
            .failure,
            [
                Diagnostic(
                    code: "render.not-known", summary: "Not known yet",
                    detail: "The host needs what the state does not have: \(missing.joined(separator: ", ")).",
                    at: definition.range, hint: "Apply first.")
            ])
    }
}
