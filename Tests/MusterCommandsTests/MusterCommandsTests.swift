import AWSClient
import Diagnostics
import MusterModel
import Testing

@testable import MusterCommands

@Suite struct SpecLinesTests {
    private let schema = ResourceSchema(
        type: "aws.vpc", summary: "",
        arguments: [
            ArgumentSchema("cidr_block", .string, ""),
            ArgumentSchema("tenancy", .string, absence: .means("default"), ""),
            ArgumentSchema("policy", .anything, ""),
            ArgumentSchema("tags", .map(.string), semantics: .tags, ""),
        ], outputs: [], importSyntax: "vpc-…")

    @Test("The lines say what is set and is not a default, and leave muster's own tags out")
    func lines() {
        let text = SpecLines.yaml(
            schema, name: "main",
            [
                "cidr_block": "10.0.0.0/16", "tenancy": "default", "policy": ["Version": "2012-10-17"],
                "tags": ["Name": "main", "muster:intent": "abc", "a b": "yes: no"],
            ])
        #expect(
            text == """
                resources:
                  aws.vpc:
                    main:
                      cidr_block: "10.0.0.0/16"
                      policy: {"Version":"2012-10-17"}
                      tags:
                        Name: "main"
                        "a b": "yes: no"

                """)
    }

    @Test("An object without arguments is an empty definition")
    func empty() {
        #expect(SpecLines.yaml(schema, name: "x/y", [:]) == "resources:\n  aws.vpc:\n    \"x/y\": {}\n")
    }
}

@Suite struct DurationTests {
    @Test(
        "Times are written with units",
        arguments: [("90s", 90), ("10m", 600), ("1h30m", 5400), ("0s", 0)])
    func good(text: String, seconds: Int) { #expect(Duration(written: text) == .seconds(seconds)) }

    @Test("What is no time is refused", arguments: ["", "10", "m", "10x", "-5s", "1.5h"])
    func bad(text: String) { #expect(Duration(written: text) == nil) }
}

@Suite struct DigestKeyTests {
    @Test("A digest tells its key and hides its text")
    func digest() {
        let first = DigestKey(bytes: Array(repeating: 1, count: 32))
        let second = DigestKey(bytes: Array(repeating: 2, count: 32))
        #expect(first.digest("x") == first.digest("x"))
        #expect(first.digest("x") != first.digest("y"))
        #expect(first.digest("x") != second.digest("x"))
        #expect(first.digest("x").hasPrefix(first.identifier + ":"))
        #expect(first.identifier != second.identifier)
    }

    @Test("The key is made once, for its owner alone, and read again")
    func file() throws {
        let path = "\(try temporaryFolder())/keys/digest.key"
        let made = try DigestKey.load(environment: ["MUSTER_KEY_FILE": path])
        let read = try DigestKey.load(environment: ["MUSTER_KEY_FILE": path])
        #expect(made.identifier == read.identifier)
        try LocalFile.write(path, [1, 2, 3])
        #expect(throws: CommandFailure.self) { try DigestKey.load(environment: ["MUSTER_KEY_FILE": path]) }
    }
}

@Suite struct LookupLockTests {
    private let scope = ProviderScope(provider: "aws", account: "1", region: "us-east-1", endpoint: "aws")
    private func request(_ name: String) -> LookupRequest {
        LookupRequest(
            address: Address(stack: "s", type: "lookup.amis", name: "base"), kind: "amis",
            arguments: ["name": .string(name)])
    }

    @Test("An answer is kept for its question, account and region, and for no other")
    func roundTrip() throws {
        let path = "\(try temporaryFolder())/muster.lock"
        var lock = try LookupLock.read(path)
        lock.remember(["id": "ami-1"], to: request("a*"), in: scope)
        #expect(lock.isChanged)
        try lock.write()
        let again = try LookupLock.read(path)
        #expect(again.answer(to: request("a*"), in: scope) == ["id": "ami-1"])
        #expect(again.answer(to: request("b*"), in: scope) == nil)
        var elsewhere = scope
        elsewhere.region = "eu-west-1"
        #expect(again.answer(to: request("a*"), in: elsewhere) == nil)
    }

    @Test("A damaged lock is an error, not an empty one")
    func damaged() throws {
        let path = "\(try temporaryFolder())/muster.lock"
        try LocalFile.write(path, Array("{\"version\":1".utf8))
        #expect(throws: CommandFailure.self) { try LookupLock.read(path) }
    }
}

@Suite struct ChildProcessTests {
    @Test("Output, errors and exit code come back; a program that is not there gives nothing")
    func run() async {
        let result = await ChildProcess.run(["sh", "-c", "echo out; echo err >&2; exit 3"])
        #expect(result?.exitCode == 3)
        #expect(result.map { String(decoding: $0.output, as: UTF8.self) } == "out\n")
        #expect(result.map { String(decoding: $0.errorOutput, as: UTF8.self) } == "err\n")
        #expect(await ChildProcess.run(["/nonexistent/program"]) == nil)
    }

    @Test("More than a pipe holds, on both sides, does not block")
    func large() async {
        let result = await ChildProcess.run([
            "sh", "-c", "head -c 300000 /dev/zero; head -c 300000 /dev/zero >&2",
        ])
        #expect(result?.output.count == 300_000)
        #expect(result?.errorOutput.count == 300_000)
    }
}

private func temporaryFolder() throws -> String {
    let path = "\(ProcessEnvironment.current["TMPDIR"] ?? "/tmp")/muster-test-\(RandomToken.make())"
    try LocalFile.makeFolder(path)
    return path
}
