// What a layer does not do, as data: the names by which code would do it, and the files that may.

/// Something that only some files may do.
struct Habit: Sendable {
    let name: String
    /// The ways to do it, each as consecutive tokens.
    let phrases: [[String]]

    private init(_ name: String, _ phrases: [String]) {
        self.name = name
        self.phrases = phrases.map { $0.split(separator: " ").map(String.init) }
    }

    static let printing = Habit(
        "prints",
        [
            "print (", "debugPrint (", "dump (", "readLine (", "putchar (", "puts (", "fputs (", "printf (",
            "fprintf (",
            "vprintf (", "stdout", "stderr", "STDOUT_FILENO", "STDERR_FILENO",
        ])
    static let environment = Habit(
        "reads its environment",
        [
            "ProcessInfo", "CommandLine", "getenv", "secure_getenv", "setenv", "putenv", "environ", "gethostname",
            "getpid",
        ])
    static let clock = Habit(
        "reads a clock",
        [
            "Date ( )", "Date . now", "Date . init ( )", "ContinuousClock ( )", "ContinuousClock . now",
            "SuspendingClock ( )", "SuspendingClock . now", "DispatchTime . now", "DispatchWallTime . now",
            "clock_gettime (", "gettimeofday (", "time ( nil )", "Task . sleep", "usleep (", "nanosleep (", "sleep (",
            "Timer",
        ])
    static let files = Habit(
        "touches files",
        [
            "FileHandle", "FileManager", "fopen (", "Data ( contentsOf", "String ( contentsOf",
            "contentsOfFile",
            "mmap (", "unlink (", "rename (",
        ])
    static let randomness = Habit(
        "draws random numbers",
        ["SystemRandomNumberGenerator", "UUID ( )", "arc4random", "random (", "getrandom (", "shuffled ( )"])
    static let processes = Habit(
        "starts processes or threads",
        [
            "Process ( )", "posix_spawn (", "posix_spawnp (", "fork (", "execve (", "system (", "popen (",
            "pthread_create (", "Thread",
            "Task . detached",
        ])
    static let exiting = Habit(
        "ends the process", ["exit (", "_exit (", "abort (", "fatalError (", "preconditionFailure ("])

    /// What no layer of the core does.
    static let forbiddenInCore = [printing, environment, clock, files, randomness, processes, exiting]
    /// What no layer but MusterCommands does.
    static let forbiddenBelowCommands = [printing, environment, clock, processes, exiting]

    static func forbidden(in layer: String) -> [Habit] {
        if layer == "MusterCommands" || layer == "muster" { return [] }
        return Layer.core.contains(layer) ? forbiddenInCore : forbiddenBelowCommands
    }

    /// Files that do it all the same, each with its reason. One that no longer does is complained about.
    static let exceptions: [Exception] = [
        Exception(
            path: "Sources/StateStorage/ProcessIdentity.swift", phrase: "getpid",
            reason: "A lease names the process that holds it."),
        Exception(
            path: "Sources/HTTPTransport/CurlHTTPClient.swift", phrase: "pthread_create (",
            reason: "`curl_multi_poll` blocks, so a thread of its own drives libcurl."),
    ]

    struct Exception: Sendable, Hashable {
        let path: String
        let phrase: String
        let reason: String
    }
}

/// Finds what a source does that its layer must not do.
func offences(of source: SwiftSource, in layer: String, path: String) -> [Offence] {
    Habit.forbidden(in: layer).flatMap { habit in
        habit.phrases.flatMap { phrase in
            source.occurrences(of: phrase).map {
                Offence(path: path, line: $0.line, phrase: phrase.joined(separator: " "), habit: habit.name)
            }
        }
    }
}

struct Offence: Sendable, Hashable, CustomStringConvertible {
    let path: String
    let line: Int
    let phrase: String
    let habit: String

    var description: String { "\(path):\(line): \(phrase): only MusterCommands \(habit)" }
}
