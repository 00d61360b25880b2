import ArgumentParser
import Diagnostics
import MusterModel
import Reporting
import SpecLoading
import StateStorage

struct StateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "state", abstract: "Look at the state, or correct it by hand.",
        subcommands: [List.self, Show.self, Move.self, Remove.self])

    enum Format: String, ExpressibleByArgument, CaseIterable { case text, json }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "list", abstract: "List the resources.")
        @OptionGroup var scope: ScopeOptions
        @Argument(help: "Only addresses that contain this text.") var pattern: String?
        @Option(name: .long, help: "How to show it.") var format: Format = .text

        func run() async throws {
            let console = Console(scope)
            try await perform(console) {
                let workbench = try Workbench.make(console, scope)
                let snapshot = try await workbench.readState(try workbench.loadForState()).snapshot
                let isIncluded = { (address: Address) in
                    (scope.stacks?.contains(address.stack) ?? true)
                        && (pattern.map { address.description.contains($0) } ?? true)
                }
                switch format {
                case .text:
                    console.write(StateText.list(snapshot, options: workbench.textOptions, where: isIncluded))
                case .json: console.write(StateJSON.list(snapshot, where: isIncluded))
                }
                return .success
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "show", abstract: "Show one resource.")
        @OptionGroup var scope: ScopeOptions
        @Argument(help: "The address.") var address: String
        @Option(name: .long, help: "How to show it.") var format: Format = .text

        func run() async throws {
            let console = Console(scope)
            try await perform(console) {
                try await Workbench.make(console, scope).showResource(address, isJSON: format == .json)
                return .success
            }
        }
    }

    struct Move: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "mv", abstract: "Give a resource another address.",
            discussion: "Nothing is sent. A backup of the state is made first.")
        @OptionGroup var scope: ScopeOptions
        @Argument(help: "The present address.") var from: String
        @Argument(help: "The new address.") var to: String

        func run() async throws {
            let console = Console(scope)
            try await perform(console) {
                let workbench = try Workbench.make(console, scope)
                let workspace = try workbench.load()
                let old = try await workbench.recordedAddress(from, workspace)
                guard let new = Address(to) else { throw CommandFailure.malformedAddress(to) }
                guard new.type == old.type else {
                    throw CommandFailure(
                        code: "usage.address", summary: "Another type",
                        detail: "\(old) is a \(old.type), and \(new) would be a \(new.type).")
                }
                let backup = try await workbench.editState(workspace) { storage throws(StateError) in
                    try await storage.move(old, to: new)
                }
                console.write("\(old) is now \(new). The state before is kept in \(backup).\n")
                return .success
            }
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "rm", abstract: "Forget a resource; the object itself stays.",
            discussion: "Nothing is sent. A backup of the state is made first.")
        @OptionGroup var scope: ScopeOptions
        @Argument(help: "The addresses.") var addresses: [String]

        func run() async throws {
            let console = Console(scope)
            try await perform(console) {
                let workbench = try Workbench.make(console, scope)
                let workspace = try workbench.load()
                var known: [Address] = []
                for text in addresses { known.append(try await workbench.recordedAddress(text, workspace)) }
                let forgotten = known
                let backup = try await workbench.editState(workspace) { storage throws(StateError) in
                    try await storage.forget(forgotten)
                }
                for address in forgotten { console.write("\(address) is forgotten.\n") }
                console.write("The state before is kept in \(backup).\n")
                return .success
            }
        }
    }
}

extension CommandFailure {
    static func malformedAddress(_ text: String) -> CommandFailure {
        CommandFailure(
            code: "usage.address", summary: "Not an address", detail: "\(text.quoted) is not an address.",
            hint: "An address is written as stack:type/name, such as prod/vpc:aws.subnet/prod-a.")
    }
}

extension Workbench {
    /// The address of a row of the state, from its full or short form.
    func recordedAddress(_ text: String, _ workspace: LoadedWorkspace) async throws(CommandFailure) -> Address {
        let snapshot = try await readState(workspace).snapshot
        if let address = Address(text), snapshot.records[address] != nil { return address }
        let matching = snapshot.records.keys.filter { $0.name == text || "\($0.type)/\($0.name)" == text }
        if matching.count == 1, let address = matching.first { return address }
        throw CommandFailure(
            code: "state.unknown-address", summary: "Unknown address",
            detail: matching.isEmpty
                ? "The state has no resource \(text.quoted)."
                : "\(text.quoted) may be \(matching.sorted().map(\.description).joined(separator: " or ")).",
            hint: Suggestion.hint(for: text, among: snapshot.records.keys.map(\.description))
                ?? "\"muster state list\" shows what there is.")
    }

    func showResource(_ text: String, isJSON: Bool) async throws(CommandFailure) {
        let workspace = try loadForState()
        let address = try await recordedAddress(text, workspace)
        let snapshot = try await readState(workspace).snapshot
        guard let record = snapshot.records[address] else { return }
        let deposed = snapshot.deposed[address] ?? []
        let history = try await history(of: address, workspace)
        console.write(
            isJSON
                ? StateJSON.show(record, deposed: deposed, history: history)
                : StateText.show(record, deposed: deposed, history: history, options: textOptions))
    }
}
