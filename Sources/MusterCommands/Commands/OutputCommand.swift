import ArgumentParser
import Diagnostics
import MusterModel
import Reporting

struct OutputCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "output", abstract: "Show the outputs of the stacks, as last applied.",
        discussion: "Secrets are shown by name, never by value.")

    enum Format: String, ExpressibleByArgument, CaseIterable { case text, json }

    @OptionGroup var scope: ScopeOptions
    @Argument(help: "One output: its name, or stack:name.") var name: String?
    @Option(name: .long, help: "How to show it.") var format: Format = .text
    @Flag(name: .long, help: "Only the text of the one output, for scripts.") var raw = false

    func run() async throws {
        let console = Console(scope)
        try await perform(console) {
            let workbench = try Workbench.make(console, scope)
            let snapshot = try await workbench.readState(try workbench.load()).snapshot
            var outputs = snapshot.outputs.filter { scope.stacks?.contains($0.key) ?? true }
            if let name {
                outputs = try select(name, outputs)
                if raw {
                    let value = outputs.values.first?.values.first ?? .null
                    guard let text = OutputText.raw(value) else {
                        throw CommandFailure(
                            code: "output.raw", summary: "Not a plain value",
                            detail: "\(name.quoted) is \(value.kindName), which has no raw form.",
                            hint: "Use --format json.")
                    }
                    console.write(text)
                    return .success
                }
            }
            switch format {
            case .text: console.write(OutputText.render(outputs, options: workbench.textOptions))
            case .json: console.write(OutputJSON.encode(outputs))
            }
            return .success
        }
    }

    private func select(
        _ text: String, _ outputs: [String: [String: Value]]
    ) throws(CommandFailure) -> [String: [String: Value]] {
        let parts = text.split(separator: ":", maxSplits: 1).map(String.init)
        let name = parts.last ?? text
        let found = outputs.filter { (parts.count < 2 || $0.key == parts[0]) && $0.value[name] != nil }
        if found.count == 1 { return found.mapValues { $0.filter { $0.key == name } } }
        throw CommandFailure(
            code: "output.unknown", summary: found.isEmpty ? "Unknown output" : "Ambiguous output",
            detail: found.isEmpty
                ? "No output \(text.quoted) was applied."
                : "\(text.quoted) is an output of \(found.keys.sorted().joined(separator: " and ")).",
            hint: found.isEmpty
                ? Suggestion.hint(for: name, among: outputs.values.flatMap(\.keys)) : "Write stack:name.")
    }
}
