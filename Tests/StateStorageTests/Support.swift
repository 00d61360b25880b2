import Foundation
import MusterModel
import StateStorage
import Testing

/// A folder of its own for one test, removed when the test ends.
final class Scratch: Sendable {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appending(path: "muster-test-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    var state: String { path + "/muster.db" }
    var files: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted() }
    func bytes(_ name: String = "muster.db") -> Data? { FileManager.default.contents(atPath: path + "/" + name) }

    func writer(at now: @escaping @Sendable () -> Date = { noon }, facts: FileFacts = .live) throws
        -> SQLiteStateStorage
    {
        try .forWriting(path: state, workspace: "test", now: now, makeToken: { token() }, facts: facts)
    }

    func reader(facts: FileFacts = .live) throws -> SQLiteStateStorage {
        try .forReading(path: state, now: { noon }, makeToken: { token() }, facts: facts)
    }
}

let noon = Date(timeIntervalSince1970: 1_767_268_800)
let scope = ProviderScope(provider: "aws", account: "123456789012", region: "us-east-1", endpoint: "aws")

func token() -> String { UUID().uuidString.replacing("-", with: "").lowercased() }

func address(_ name: String, stack: String = "vpc", type: ResourceType = "aws.vpc") -> Address {
    Address(stack: stack, type: type, name: name)
}

func record(
    _ address: Address, id: RemoteID = "vpc-1", arguments: [String: Value] = ["cidr_block": "10.0.0.0/16"],
    dependencies: [Address] = []
) -> ResourceRecord {
    ResourceRecord(
        address: address, id: id, scope: scope, arguments: arguments, outputs: ["id": .string(id.rawValue)],
        dependencies: dependencies)
}

func intent(
    _ run: Int64, _ address: Address, _ operation: JournaledIntent.Operation = .create, step: Int = 0,
    version: Int = 0, target: RemoteID? = nil, isDeposed: Bool = false, deposesPrevious: Bool = false,
    fence: Fence? = nil
) -> JournaledIntent {
    JournaledIntent(
        run: run, step: step, address: address, operation: operation, target: target, scope: scope, token: token(),
        arguments: ["cidr_block": "10.0.0.0/16"], expectedVersion: version, isDeposed: isDeposed,
        deposesPrevious: deposesPrevious, dependencies: [address], fence: fence)
}

let runStart = RunStart(plan: "p1", who: "ann", host: "desk", pid: 7, gitCommit: "abc", holder: "h1")

extension StateStorage {
    /// A create with its intent and its result.
    @discardableResult
    func create(
        _ record: ResourceRecord, run: Int64, step: Int = 0, version: Int = 0, deposesPrevious: Bool = false
    ) async throws -> Int {
        let id = try await recordIntent(
            intent(run, record.address, step: step, version: version, deposesPrevious: deposesPrevious))
        return try await complete(
            intent: id, .created(record, deposesPrevious: deposesPrevious), result: StepResult(.done))
    }
}

/// Runs the body and returns the kind of the state error that it throws.
func failure(_ body: () async throws -> Void) async -> StateError.Kind? {
    do {
        try await body()
        return nil
    } catch let error as StateError {
        #expect(!error.summary.isEmpty && !error.detail.isEmpty && !error.hint.isEmpty)
        return error.kind
    } catch {
        Issue.record("Unexpected error: \(error)")
        return nil
    }
}
