// `make simulate SEED=… RUNS=…`: runs scenarios by chance, one seed after the other, and stops at what breaks a law.

import Foundation
import Simulation

// Dictionaries must have one order, or a seed would not be the same run twice.
if ProcessInfo.processInfo.environment["SWIFT_DETERMINISTIC_HASHING"] != "1" {
    setenv("SWIFT_DETERMINISTIC_HASHING", "1", 1)
    var arguments: [UnsafeMutablePointer<CChar>?] = CommandLine.arguments.map { strdup($0) }
    arguments.append(nil)
    execv("/proc/self/exe", arguments)
}
exit(await SimulateCommand(Array(CommandLine.arguments.dropFirst())).run())
