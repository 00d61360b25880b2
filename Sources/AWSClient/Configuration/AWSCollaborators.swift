/// Everything of the outside world that this target uses, handed in: it reads no environment, clock or file by itself.
package struct AWSCollaborators: Sendable {
    package enum FileContent: Sendable, Equatable {
        case absent
        case content([UInt8])
        /// It is there, but could not be read, and why.
        case unreadable(String)
    }

    package struct ProcessResult: Sendable, Equatable {
        package var exitCode: Int32
        package var output: [UInt8]
        package var errorOutput: [UInt8]

        package init(exitCode: Int32, output: [UInt8] = [], errorOutput: [UInt8] = []) {
            self.exitCode = exitCode
            self.output = output
            self.errorOutput = errorOutput
        }
    }

    package var environment: [String: String]
    /// `nil` where it is not known: then the shared files are not looked for.
    package var homeDirectory: String?
    /// Reads a file of at most some megabytes.
    package var readFile: @Sendable (_ path: String) async -> FileContent
    /// Replaces a file atomically, readable by its owner only (0600); false if it could not.
    package var writeFile: @Sendable (_ path: String, _ content: [UInt8]) async -> Bool
    /// Runs a program without a shell and waits for its end; `nil` if it could not be started.
    package var runProcess: @Sendable (_ arguments: [String]) async -> ProcessResult?
    /// Asks a person for the code of an MFA device; `nil` where nobody can be asked.
    package var askMFACode: (@Sendable (_ serialNumber: String) async -> String?)?
    /// The wall clock: signatures, expirations.
    package var now: @Sendable () -> Timestamp
    /// A clock that never jumps: durations, rates.
    package var elapsed: @Sendable () -> Duration
    /// Throws when the task is cancelled.
    package var sleep: @Sendable (Duration) async throws -> Void
    /// In 0..<1.
    package var random: @Sendable () -> Double

    package init(
        environment: [String: String], homeDirectory: String?,
        readFile: @escaping @Sendable (_ path: String) async -> FileContent,
        writeFile: @escaping @Sendable (_ path: String, _ content: [UInt8]) async -> Bool = { _, _ in false },
        runProcess: @escaping @Sendable (_ arguments: [String]) async -> ProcessResult? = { _ in nil },
        askMFACode: (@Sendable (_ serialNumber: String) async -> String?)? = nil,
        now: @escaping @Sendable () -> Timestamp, elapsed: @escaping @Sendable () -> Duration,
        sleep: @escaping @Sendable (Duration) async throws -> Void, random: @escaping @Sendable () -> Double
    ) {
        self.environment = environment
        self.homeDirectory = homeDirectory
        self.readFile = readFile
        self.writeFile = writeFile
        self.runProcess = runProcess
        self.askMFACode = askMFACode
        self.now = now
        self.elapsed = elapsed
        self.sleep = sleep
        self.random = random
    }
}
