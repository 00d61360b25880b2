import ArgumentParser

/// The command line.
struct Muster: AsyncParsableCommand {
    /// The version that is shown and sent as user agent.
    static let version = "0.1.0"

    static let configuration = CommandConfiguration(
        commandName: "muster",
        abstract: "Plans and applies infrastructure on AWS from YAML specs.",
        discussion: """
            A workspace is a folder with a muster.yaml. "muster plan" shows what would change, "muster apply" changes \
            exactly that, "muster drift" shows what others changed.

            Exit codes: 0 fine · 1 error · 2 changes or drift · 3 refused · 4 credentials · 5 lease held by another \
            run · 64 usage · 129, 130, 143 interrupted.
            """,
        version: version,
        subcommands: [
            InitCommand.self, ValidateCommand.self, PlanCommand.self, ApplyCommand.self, DestroyCommand.self,
            DriftCommand.self, ShowCommand.self, GraphCommand.self, StateCommand.self, ImportCommand.self,
            OutputCommand.self, HistoryCommand.self, SchemaCommand.self, RenderCommand.self, CompletionCommand.self,
            DoctorCommand.self, RancherCommand.self,
        ])

}
