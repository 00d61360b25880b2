import ArgumentParser
import Diagnostics
import FoundationEssentials
import MusterModel
import Reporting

struct RancherCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rancher", abstract: "Look after the hosts of Rancher.",
        subcommands: [RancherHostsCommand.self, RancherReapCommand.self])
}

/// Which hosts a command is about.
struct HostOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "Only the hosts of this environment: its name or its id (may be repeated).", valueName: "name"))
    var environment: [String] = []
}

struct RancherHostsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hosts", abstract: "List the hosts of Rancher and the instances that they are.",
        discussion: """
            A host is tied to an instance by the label that its machine gave it, else by its address, else by its host \
            name. "phantom" is a host that is lost to Rancher and whose instance AWS says is gone; what cannot be told \
            for certain is "unknown". Nothing is changed.
            """)

    @OptionGroup var scope: ScopeOptions
    @OptionGroup var hosts: HostOptions
    @Option(name: .long, help: "How to show it.") var format: StateCommand.Format = .text
    @Flag(name: .long, help: "The same as --format json.") var json = false

    func run() async throws {
        let console = Console(scope)
        try await perform(console) {
            let workbench = try Workbench.make(console, scope)
            let survey = try await workbench.surveyHosts(
                try workbench.load(), environments: hosts.environment, .instances)
            if json || format == .json {
                console.write(HostJSON.encode(survey.report, environments: survey.environments))
            } else {
                console.write(
                    HostText.hosts(
                        survey.report, environments: survey.environments, now: Int(Date().timeIntervalSince1970),
                        options: workbench.textOptions))
            }
            return .success
        }
    }
}

struct RancherReapCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reap", abstract: "Remove the hosts whose instance is gone.",
        discussion: """
            Shows the phantoms and why they are, asks, and removes each: deactivate, remove, purge. A host that is back \
            by then is left alone. Killed or interrupted, it goes on where it was when it is run again.
            """)

    @OptionGroup var scope: ScopeOptions
    @OptionGroup var hosts: HostOptions
    @Flag(name: .long, help: "Do not ask.") var autoApprove = false

    func run() async throws {
        let console = Console(scope)
        try await perform(console) {
            let workbench = try Workbench.make(console, scope)
            let workspace = try workbench.load()
            let survey = try await workbench.surveyHosts(workspace, environments: hosts.environment, .phantoms)
            let phantoms = survey.report.phantoms
            if phantoms.isEmpty {
                console.write(HostText.nothingToReap(survey.report))
                return .success
            }
            console.write(HostText.removals(phantoms, options: workbench.textOptions))
            if !autoApprove { try workbench.approveRemoval() }
            let words = hosts.environment.flatMap { ["--environment", $0] }
            return try await workbench.reap(
                phantoms, workspace,
                command: (["rancher", "reap"] + scope.historyWords + words).joined(separator: " "))
        }
    }
}

extension Workbench {
    fileprivate func approveRemoval() throws(CommandFailure) {
        guard console.isInputTerminal else {
            throw CommandFailure(
                .refused, code: "apply.not-approved", summary: "Nobody approved the removal",
                detail: "There is no terminal to ask at, and no --auto-approve; nothing was changed.")
        }
        let answer = console.ask("\nRemove these hosts? Only \"yes\" is taken as yes: ")
        if answer?.trimmed.lowercased() != "yes" {
            throw CommandFailure(
                .refused, code: "apply.not-approved", summary: "Not approved", detail: "Nothing was changed.")
        }
    }
}
