import Foundation
import MusterModel
import ProviderKit
import StateStorage
import Synchronization
import Testing

@testable import Applying

private let plain = "hunter2-hunter2"

/// Expects that no file of the world's folder holds the secret, in any companion or backup.
private func expectNoSecret(_ world: World, _ texts: [String] = [], sourceLocation: SourceLocation = #_sourceLocation) {
    let needles = [plain, Data(plain.utf8).base64EncodedString(), String(plain.dropLast(2))]
    let files = (try? FileManager.default.contentsOfDirectory(atPath: world.folder)) ?? []
    #expect(!files.isEmpty, sourceLocation: sourceLocation)
    for file in files {
        let data = FileManager.default.contents(atPath: world.folder + "/" + file) ?? Data()
        for needle in needles {
            #expect(data.range(of: Data(needle.utf8)) == nil, "\(file)", sourceLocation: sourceLocation)
        }
    }
    for text in texts + world.events.map({ "\($0)" }) {
        #expect(!text.contains(plain), sourceLocation: sourceLocation)
    }
}

@Test("A secret reaches the cloud and never the state, the events or the outcome")
func secretsStayOut() async throws {
    let world = try World()
    let main = network("main")
    let arguments: [String: Value] = [
        "text": secret(prefix: "password="), "password": .string("literal-secret"), "tags": ["Name": "a"],
    ]
    let outcome = try await world.apply(
        plan(
            [create(main, arguments), create(simRecord("www"), ["text": output(main, "text")], after: [0])],
            outputs: [
                OutputChange(stack: "vpc", name: "text", before: nil, after: output(main, "text"), isHidden: true)
            ]))
    guard case .done(let report) = outcome else {
        Issue.record("\(outcome)")
        return
    }
    #expect(
        world.cloud.objects.map { $0.arguments["text"] } == [
            .string("password=\(plain)"), .string("password=\(plain)"),
        ])
    #expect(world.cloud.objects.first?.arguments["password"] == "literal-secret")

    let record = try #require(try await world.snapshot().records[main])
    #expect(record.arguments == ["name": "main", "text": secret(prefix: "password="), "tags": ["Name": "a"]])
    #expect(Set(record.digests.keys) == ["text", "password"])
    // The cloud tells the secret back in an output.
    #expect(record.outputs.keys.sorted() == ["arn", "id"])
    #expect(report.outputs["vpc"]?["text"] == secret(prefix: "password="))
    expectNoSecret(world, ["\(report)"])
    let bytes = FileManager.default.contents(atPath: world.statePath) ?? Data()
    #expect(bytes.range(of: Data("literal-secret".utf8)) == nil)
}

@Test("A secret that an error quotes is taken out of it")
func errors() async throws {
    let world = try World()
    world.cloud.fail(.create, .throttled, message: "Too often: \(plain)")
    world.cloud.fail(.create, .invalid, message: "The password \(plain) is too short.")
    let outcome = try await world.apply(plan([create(network("main"), ["text": secret()])]))
    #expect(outcome.report?.failures.first?.failure.detail.contains("‹secret:db› is too short") == true)
    expectNoSecret(world, ["\(outcome)"])
}

@Test("A secret that an error quotes in base64 is taken out of it too", arguments: ["", "x", "xy", "xyz"])
func encodedErrors(before: String) async throws {
    let world = try World()
    let encoded = Data("\(before)\(plain)\n".utf8).base64EncodedString()
    world.cloud.fail(.create, .invalid, message: "Invalid user data: \(encoded)")
    let outcome = try await world.apply(plan([create(network("main"), ["text": secret()])]))
    let detail = try #require(outcome.report?.failures.first?.failure.detail)
    #expect(detail.contains("‹secret:db›"))
    #expect(!detail.contains(encoded.dropFirst(8).dropLast(8)), "\(detail)")
}

@Test(
    "However an error writes a secret, it is taken out",
    arguments: [
        #"pass"word\4711&<x>"#, "pass%22word%5C4711%26%3Cx%3E", #"pass\"word\\4711&<x>"#,
        "pass&quot;word\\4711&amp;&lt;x&gt;",
    ])
func writtenErrors(form: String) async throws {
    let world = try World()
    world.secrets.withLock { $0["db"] = #"pass"word\4711&<x>"# }
    world.cloud.fail(.create, .invalid, message: "Refused: \(form).")
    let outcome = try await world.apply(plan([create(network("main"), ["text": secret()])]))
    let detail = try #require(outcome.report?.failures.first?.failure.detail)
    #expect(detail.contains("Refused: ‹secret:db›."), "\(detail)")
}

@Test("A dead run leaves no secret in its intent, and what it made is found without it")
func intents() async throws {
    let world = try World()
    let main = network("main")
    let storage = ObservedStorage(
        base: try world.storage(), clock: world.clock, death: .init(atWrite: 3, isAfter: true))
    _ = try? await world.apply(plan([create(main, ["text": secret()])]), storage: storage)
    let intent = try #require(try await world.storage().openIntents().first)
    #expect(intent.arguments["text"] == secret())
    #expect(intent.digests["text"] != nil)
    expectNoSecret(world)
    world.clock.advance(by: .seconds(61))
    #expect(try await world.settle().map(\.isSettled) == [true])
    expectNoSecret(world)
}

@Test("A secret that does not change is no change, and is not read for what does not need it")
func unchanged() async throws {
    let world = try World()
    let main = network("main")
    _ = try await world.expectDone(plan([create(main, ["text": secret()])]))
    let record = try #require(try await world.snapshot().records[main])
    var update = step(
        .update, record, world.cloud, desired: ["name": "main", "text": secret(), "tags": ["Name": "b"]])
    update.prior["text"] = secret()
    world.cloud.forgetCalls()
    _ = try await world.expectDone(plan("p2", [update]))
    #expect(world.cloud.mutations.count == 1)
    world.secrets.withLock { $0 = [:] }
    let now = try #require(try await world.snapshot().records[main])
    _ = try await world.expectDone(plan("p3", [step(.delete, now, world.cloud)]))
    expectNoSecret(world)
}

@Test("A secret that cannot be read stops its branch before anything is sent")
func unreadable() async throws {
    let world = try World()
    world.secrets.withLock { $0 = [:] }
    let outcome = try await world.apply(plan([create(network("main"), ["text": secret()]), create(network("b"))]))
    let failure = try #require(outcome.report?.failures.first?.failure)
    #expect(failure.summary == "A secret could not be read")
    #expect(failure.detail.contains("env:db") && failure.detail.contains("it is not set"))
    #expect(world.cloud.mutations.map(\.subject) == ["b"])
    #expect(try await world.storage().openIntents().isEmpty)
}
