import ArgumentParser

/// What the executable calls, and nothing else.
package enum CommandLineEntry {
    /// Runs the command that the process was started with, and ends the process with its exit code.
    package static func run() async { await Muster.main() }
}
