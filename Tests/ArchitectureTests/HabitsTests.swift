import Testing

@Suite("What layers do not do")
struct HabitsTests {
    private func allOffences() throws -> [Offence] {
        try Repository.files(under: "Sources").flatMap {
            offences(of: SwiftSource($0.text), in: $0.target, path: $0.path)
        }
    }

    private func isExcused(_ offence: Offence, by exception: Habit.Exception) -> Bool {
        exception.path == offence.path && exception.phrase == offence.phrase
    }

    @Test("The core does no I/O, and only MusterCommands prints, reads the environment and the clock")
    func holds() throws {
        let found = try allOffences().filter { offence in
            !Habit.exceptions.contains { isExcused(offence, by: $0) }
        }
        #expect(found.map(\.description) == [])
    }

    @Test("No exception has outlived its reason, and none is in the core")
    func exceptionsAreUsed() throws {
        let found = try allOffences()
        let unused = Habit.exceptions.filter { exception in !found.contains { isExcused($0, by: exception) } }
        #expect(unused == [])
        for exception in Habit.exceptions {
            let layer = exception.path.split(separator: "/").dropFirst().first.map(String.init) ?? ""
            #expect(!Layer.core.contains(layer), "\(exception.path)")
        }
    }

    @Test(
        "A planted offence is found",
        arguments: [
            "print(plan)", "debugPrint(plan)", "Swift.print(plan)", "let names = ProcessInfo.processInfo.environment",
            "getenv(name)", "_ = environ", "let now = Date()", "let now = Date.now", "let now = Date . now",
            "try await Task.sleep(for: .seconds(1))", "let start = ContinuousClock.now", "FileHandle.standardError",
            "FileManager.default", "let text = \"\\(ProcessInfo.processInfo.hostName)\"", "let id = UUID()",
            "let key = SystemRandomNumberGenerator()", "for argument in CommandLine.arguments {}", "fatalError(\"no\")",
            "let x = y /* fine */ + Date()", "fputs(text, stderr)",
        ])
    func planted(_ text: String) {
        #expect(!offences(of: SwiftSource(text), in: "Planning", path: "X.swift").isEmpty)
    }

    @Test(
        "What only looks like an offence is none",
        arguments: [
            "// print(plan)", "/// `Date()` is never called.", "let text = \"print(plan) getenv environ\"",
            "console.print(plan)", "func print(_ text: String) {}", "init(stdout: Bool) {}", "struct Update {}",
            "let environment: [String: String]", "clock.sleep(for: delay)", "Int.random(in: 0..<9, using: &generator)",
            "Date(timeIntervalSince1970: 0)", "let blueprint = print",
        ])
    func lookalikes(_ text: String) {
        #expect(offences(of: SwiftSource(text), in: "Planning", path: "X.swift").isEmpty)
    }

    @Test("Commands may do it all")
    func commands() {
        #expect(offences(of: SwiftSource("print(Date())"), in: "MusterCommands", path: "X.swift").isEmpty)
    }

    @Test("An offence says where it is")
    func place() {
        let found = offences(
            of: SwiftSource("let a = 1\n\n    print(a)"), in: "Planning", path: "Sources/Planning/X.swift")
        #expect(found.map(\.description) == ["Sources/Planning/X.swift:3: print (: only MusterCommands prints"])
    }
}
