import Testing

@testable import AWSClient

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

@Suite(.timeLimit(.minutes(1))) struct SystemTests {
    private func run(_ arguments: String..., environment: [String: String] = ["PATH": "/usr/bin:/bin"]) async
        -> AWSCollaborators.ProcessResult?
    {
        await SystemProcess.run(arguments, environment: environment)
    }

    private static func temporaryPath(_ name: String) -> String {
        "/tmp/muster-tests-\(getpid())-\(name)"
    }

    @Test("A program's outputs and status come back")
    func process() async {
        let result = await run("sh", "-c", "printf 'a b'; printf e >&2; exit 3")
        #expect(result == .init(exitCode: 3, output: Array("a b".utf8), errorOutput: Array("e".utf8)))
    }

    @Test("Arguments are not interpreted, and the environment is the one that is given")
    func arguments() async {
        let result = await run(
            "sh", "-c", "printf '%s|' \"$@\" \"$X\" \"$HOME\"", "sh", "$HOME; rm", "*", environment: ["X": "y"])
        #expect(result.map { String(decoding: $0.output, as: UTF8.self) } == "$HOME; rm|*|y||")
    }

    @Test("Much output at both ends does not block")
    func muchOutput() async {
        let result = await run("sh", "-c", "head -c 300000 /dev/zero; head -c 300000 /dev/zero >&2")
        #expect(result?.output.count == 300_000 && result?.errorOutput.count == 300_000)
    }

    @Test("A program that is not there, or is killed, says so")
    func failures() async {
        #expect(await run("/nonexistent/program") == nil)
        #expect(await SystemProcess.run([], environment: [:]) == nil)
        #expect(await run("sh", "-c", "kill -KILL $$")?.exitCode == 137)
    }

    @Test("Cancelling the task ends the program")
    func cancellation() async {
        let task = Task { await run("sleep", "600") }
        task.cancel()
        let result = await task.value
        #expect(result == nil || result?.exitCode == 143)
    }

    @Test("A file is read, replaced privately, and missed")
    func files() {
        let path = Self.temporaryPath("file")
        defer { unlink(path) }
        #expect(SystemFiles.read(path) == .absent)
        #expect(SystemFiles.replacePrivately(path, Array("one".utf8)))
        #expect(SystemFiles.replacePrivately(path, Array("two".utf8)))
        #expect(SystemFiles.read(path) == .content(Array("two".utf8)))
        var information = stat()
        #expect(stat(path, &information) == 0 && information.st_mode & 0o777 == 0o600)
        #expect(SystemFiles.read("\(path)/below") == .absent)
        #expect(!SystemFiles.replacePrivately("/nonexistent/file", []))
        guard case .unreadable = SystemFiles.read("/tmp") else {
            Issue.record("a folder was read")
            return
        }
    }
}
