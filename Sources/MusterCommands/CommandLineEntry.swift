import ArgumentParser
import Diagnostics

/// What the executable calls, and nothing else.
package enum CommandLineEntry {
    /// Runs the command that the process was started with, and ends the process with its exit code.
    package static func run() async {
        ProcessStart.prepare()
        if let word = CommandLine.arguments.dropFirst().first, let meant = commandMeant(by: word) {
            Muster.exit(
                withError: ValidationError("There is no command \(word.quoted). Did you mean \(meant.quoted)?"))
        }
        await Muster.main()
    }

    /// The command that somebody most likely meant by a word that is none.
    static func commandMeant(by word: String) -> String? {
        let names = Muster.configuration.subcommands.compactMap { $0.configuration.commandName } + ["help"]
        if word.hasPrefix("-") || names.contains(word) { return nil }
        return Suggestion.closest(to: word, among: names)
    }
}
