import ArgumentParser
import Diagnostics
import SpecLoading

/// What every command accepts: where the workspace is, which values its variables have, how to talk.
struct ScopeOptions: ParsableArguments {
    @Option(
        name: [.customShort("C"), .customLong("directory")],
        help: ArgumentHelp(
            "The workspace's folder; else the current folder, else ./specs, whichever has a muster.yaml.",
            valueName: "dir"))
    var directory: String?

    @Option(
        name: .long,
        help: ArgumentHelp("Only these stacks (repeat the option, or separate by commas).", valueName: "name"))
    var stack: [String] = []

    @Option(
        name: .customLong("var"),
        help: ArgumentHelp("Gives a variable its value: name=value.", valueName: "name=value"))
    var variables: [String] = []

    @Option(name: .customLong("var-file"), help: ArgumentHelp("A YAML file with values.", valueName: "file"))
    var variableFiles: [String] = []

    @Flag(name: .shortAndLong, help: "Say each request that is sent.")
    var verbose = false

    @Flag(name: .long, help: "No colours and no moving display.")
    var plain = false

    var stacks: Set<String>? {
        let names = stack.flatMap { $0.split(separator: ",").map(String.init) }
        return names.isEmpty ? nil : Set(names)
    }

    /// What the history keeps of them: no values, since somebody may put a secret there after all.
    var historyWords: [String] {
        stack.flatMap { ["--stack", $0] } + variableFiles.flatMap { ["--var-file", $0] }
            + variables.flatMap { ["--var", $0.prefix { $0 != "=" } + "=…"] }
    }

    /// `--var`, split at the first `=`.
    func givenVariables() throws(CommandFailure) -> [LoadRequest.GivenVariable] {
        var given: [LoadRequest.GivenVariable] = []
        for text in variables {
            guard let equals = text.firstIndex(of: "="), equals != text.startIndex else {
                throw CommandFailure(
                    code: "usage.variable", summary: "A value without a name",
                    detail: "--var wants name=value, and got \(text.quoted).")
            }
            given.append(
                LoadRequest.GivenVariable(
                    name: String(text[..<equals]), text: String(text[text.index(after: equals)...])))
        }
        return given
    }
}

/// Which resources a plan is about.
struct SelectionOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp("Only this resource and what it depends on (may be repeated).", valueName: "address"))
    var only: [String] = []

    @Option(name: .long, help: ArgumentHelp("Everything but this resource (may be repeated).", valueName: "address"))
    var except: [String] = []

    var historyWords: [String] { only.flatMap { ["--only", $0] } + except.flatMap { ["--except", $0] } }
}

extension ParsableCommand {
    /// Runs the body of a command: what fails is said on stderr, and the exit status is the kind of failure.
    func perform(_ console: Console, _ body: () async throws -> ExitStatus) async throws {
        do {
            let status = try await body()
            if status != .success { throw ExitCode(status.rawValue) }
        } catch let failure as CommandFailure {
            console.report(failure.diagnostics)
            throw ExitCode(failure.status.rawValue)
        }
    }
}
