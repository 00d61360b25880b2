// What every type must do against something that behaves like AWS: made, found, read, changed, changed by others, deleted.
// `MUSTER_TEST_ENDPOINT` names the emulator (see sandbox/); without it these tests are skipped.

import AWSClient
import AWSProvider
import Foundation
import HTTPTransport
import MusterModel
import Planning
import ProviderKit
import Testing

let conformanceEndpoint = ProcessInfo.processInfo.environment["MUSTER_TEST_ENDPOINT"]
/// Part of the names of the types to look at alone, such as `listener`; without it all are looked at.
let conformanceChoice = ProcessInfo.processInfo.environment["MUSTER_TEST_ROWS"]

/// One type's way through the suite.
struct ConformanceRow: Sendable, CustomTestStringConvertible {
    var type: ResourceType
    /// What tells rows of one type apart.
    var title = ""
    /// Makes what the object needs and tells its arguments.
    var arguments: @Sendable (ConformanceLab) async throws -> [String: Value]
    /// Each is an update in place, on top of those before.
    var changes: @Sendable (ConformanceLab) async throws -> [[String: Value]] = { _ in [] }
    /// Changes the object behind muster's back and tells what must then be seen.
    var foreignEdit: (@Sendable (ConformanceLab, RemoteID) async throws -> [String: Value])?
    /// What is to be checked of a finished object beyond its arguments.
    var check: (@Sendable (ConformanceLab, Observation) async throws -> Void)?

    var testDescription: String { title.isEmpty ? type.rawValue : "\(type) (\(title))" }
}

/// A place in the emulator: it makes what rows need and removes it afterwards.
actor ConformanceLab {
    nonisolated let provider: AWSProvider
    private let factory: AWSClientFactory
    private enum Made {
        case object(ResourceType, RemoteID, [String: Value])
        /// Something that is no type of ours, and the call that removes it.
        case other(String, AWSInput)
    }

    private var made: [Made] = []
    /// For arguments that a row's closures share.
    private var notes: [String: String] = [:]

    init(endpoint: String) {
        let clock = ContinuousClock()
        let start = clock.now
        let collaborators = AWSCollaborators(
            environment: [
                "AWS_ACCESS_KEY_ID": "AKIAMUSTERSANDBOX", "AWS_SECRET_ACCESS_KEY": "sandbox-secret",
                "AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL": endpoint, "AWS_EC2_METADATA_DISABLED": "true",
            ], homeDirectory: nil, readFile: { _ in .absent },
            now: { Timestamp(millisecondsSinceEpoch: Int64(Date().timeIntervalSince1970 * 1000)) },
            elapsed: { clock.now - start }, sleep: { try await Task.sleep(for: $0) },
            random: { Double.random(in: 0..<1) })
        factory = AWSClientFactory(
            collaborators: collaborators, version: "test", makeHTTPClient: { CurlHTTPClient($0) })
        provider = AWSProvider(factory: factory)
    }

    nonisolated func handler(for type: ResourceType) async throws -> any ResourceHandler {
        let session = try await provider.session(for: ProviderConfiguration(), expecting: [:])
        return try #require(session.handler(for: type))
    }

    /// Makes an object that a row needs, waits for it, and removes it at the end.
    func make(_ type: ResourceType, _ arguments: [String: Value]) async throws -> String {
        let id = try await create(type, arguments, intent: .random(type))
        made.append(.object(type, id, arguments))
        return id.rawValue
    }

    /// The id of the first object that was made of a type.
    func first(_ type: ResourceType) throws -> String {
        for case .object(type, let id, _) in made { return id.rawValue }
        throw LabFailure("no \(type) was made")
    }

    func note(_ name: String, _ value: String) { notes[name] = value }
    func noted(_ name: String) throws -> String { try #require(notes[name]) }

    /// A call by another hand.
    @discardableResult
    func call(_ name: String, _ input: AWSInput, service: AWSService = .ec2) async throws -> AWSOutput {
        let client = try await factory.client(for: AWSAccessSettings())
        return try await client.call(AWSOperation(service, name, input))
    }

    /// A call in full, for services that are not called by the operation's name alone.
    @discardableResult
    func call(_ operation: AWSOperation) async throws -> AWSOutput {
        try await factory.client(for: AWSAccessSettings()).call(operation)
    }

    /// A call that removes, at the end, what was made by a call.
    func cleanUp(_ name: String, _ input: AWSInput) { made.append(.other(name, input)) }

    func create(_ type: ResourceType, _ desired: [String: Value], intent: Intent) async throws -> RemoteID {
        let handler = try await handler(for: type)
        let carried = ConformanceLab.carried(desired, by: handler.schema)
        // As the applier does: the creating call may look at everything.
        let made = try await patiently { try await handler.create(desired, intent: intent) }
        let id = made.id
        let first = carried.filter { !made.owed.contains($0.key) }
        if first.count < desired.count {
            // What cannot be set while the object is on its way is set when it is ready.
            try await patiently { _ = try await handler.update(id, from: first, to: desired) }
        }
        _ = try await ready(type, id, declared: Set(desired.keys), known: desired)
        return id
    }

    /// The arguments that the creating call carries.
    static func carried(_ desired: [String: Value], by schema: ResourceSchema) -> [String: Value] {
        desired.filter { schema.argument($0.key)?.isSetAfterCreate != true }
    }

    /// What is seen once the object is neither pending nor missing.
    func ready(
        _ type: ResourceType, _ id: RemoteID, declared: Set<String>, known: [String: Value]
    ) async throws -> Observation {
        var last = "not there"
        for _ in 0..<120 {
            if let seen = try await read(type, id, declared: declared, known: known) {
                if seen.status == .ready { return seen }
                if case .failed(let reason) = seen.status { throw LabFailure("\(type) \(id) failed: \(reason)") }
                last = "\(seen.status)"
            }
            try await Task.sleep(for: .milliseconds(250))
        }
        throw LabFailure("\(type) \(id) is still \(last)")
    }

    func read(
        _ type: ResourceType, _ id: RemoteID, declared: Set<String> = [], known: [String: Value] = [:]
    ) async throws -> Observation? {
        try await handler(for: type).read([KnownObject(id: id, arguments: known, declared: declared)])[id]
    }

    /// Deletes, and waits until the object is gone.
    func remove(_ type: ResourceType, _ id: RemoteID, last: [String: Value]) async throws {
        let handler = try await handler(for: type)
        try await patiently { try await handler.delete(id, last: last) }
        for _ in 0..<120 {
            guard try await read(type, id, known: last) != nil else { return }
            try await Task.sleep(for: .milliseconds(250))
        }
        throw LabFailure("\(type) \(id) is still there")
    }

    /// Removes everything that was made, last made first.
    func tearDown() async throws {
        while let last = made.popLast() {
            switch last {
            case .object(let type, let id, let arguments): try await remove(type, id, last: arguments)
            case .other(let name, let input): try await patiently { _ = try await call(name, input) }
            }
        }
    }

    /// Waits for what passes: things not visible yet, or still held by what is being deleted.
    func patiently<Result: Sendable>(_ body: () async throws -> Result) async throws -> Result {
        for _ in 0..<80 {
            do {
                return try await body()
            } catch let error as ProviderError where [.notYetVisible, .inUse, .throttled].contains(error.kind) {
                try await Task.sleep(for: .milliseconds(250))
            } catch let error as AWSError where [.notFound, .inUse, .throttled].contains(error.kind) {
                try await Task.sleep(for: .milliseconds(250))
            }
        }
        return try await body()
    }
}

struct LabFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

extension Intent {
    static func random(_ type: ResourceType) -> Intent {
        let token = (0..<32).map { _ in String(Int.random(in: 0..<16), radix: 16) }.joined()
        return Intent(token: token, address: Address(stack: "test", type: type, name: "conformance"))
    }
}

// MARK: - The way of one row

extension ConformanceRow {
    func run(in lab: ConformanceLab) async throws {
        let handler = try await lab.handler(for: type)
        let intent = Intent.random(type)
        var desired = try await arguments(lab)
        #expect(try await handler.find(desired, intent: intent) == nil, "found before it was made")

        let id = try await lab.create(type, desired, intent: intent)
        var seen = try await look(id, desired, lab, "after creation")
        try await check?(lab, seen)
        let found = try #require(try await lab.handler(for: type).find(desired, intent: intent))
        #expect(found.observation.id == id)
        #expect(found.isOurs)

        // What a crash makes happen twice.
        let first = ConformanceLab.carried(desired, by: handler.schema)
        if first.count < desired.count {
            _ = try await lab.patiently { try await handler.update(id, from: first, to: desired) }
        }
        _ = try await handler.update(id, from: old(seen, desired), to: desired)
        seen = try await look(id, desired, lab, "after the same update")

        for change in try await changes(lab) {
            let wanted = desired.merging(change) { _, new in new }
            let from = old(seen, desired)
            let changed = try await lab.patiently { try await handler.update(id, from: from, to: wanted) }
            desired = wanted
            seen = try await look(id, desired, lab, "after \(change)")
            if let changed { #expect(Set(changed.outputs.keys).isSubset(of: seen.outputs.keys)) }
            for (name, value) in changed?.outputs ?? [:] where value != seen.outputs[name] {
                guard handler.schema.output(name)?.changesWith.isEmpty == false else { continue }
                // Outputs that the update told must be those that are read.
                if case .pending = changed?.status { continue }
                #expect(value == seen.outputs[name], "output \(name) after \(change)")
            }
        }
        try await checkForeignEdit(id, desired, seen, lab)
        try await checkListings(id, desired, lab)

        try await lab.remove(type, id, last: old(seen, desired))
        try await handler.delete(id, last: old(seen, desired))
        #expect(try await lab.handler(for: type).find(desired, intent: intent) == nil, "found after it was deleted")
    }

    private func checkForeignEdit(
        _ id: RemoteID, _ desired: [String: Value], _ before: Observation, _ lab: ConformanceLab
    ) async throws {
        guard let foreignEdit else { return }
        let expected = try await foreignEdit(lab, id)
        var seen = before
        for _ in 0..<20 {
            seen = try await lab.ready(type, id, declared: Set(desired.keys), known: desired)
            if differences(expected, seen).isEmpty { break }
            try await Task.sleep(for: .milliseconds(250))
        }
        #expect(differences(expected, seen) == [], "the foreign edit is not seen")
        #expect(differences(desired, seen) != [], "the foreign edit is no drift")
        let handler = try await lab.handler(for: type)
        let from = old(seen, desired)
        _ = try await lab.patiently { try await handler.update(id, from: from, to: desired) }
        _ = try await look(id, desired, lab, "after the repair")
    }

    private func checkListings(_ id: RemoteID, _ desired: [String: Value], _ lab: ConformanceLab) async throws {
        let handler = try await lab.handler(for: type)
        #expect(try await handler.list(in: .everything).contains { $0.id == id }, "not in the listing")
        if let parent = handler.schema.parentArgument, let parentID = desired[parent]?.string {
            let children = try await handler.list(in: .children(of: [RemoteID(parentID)]))
            #expect(children.contains { $0.id == id }, "not among the children")
            #expect(children.allSatisfy { $0.arguments[parent] == desired[parent] })
        }
        #expect(try await handler.importID(id.rawValue) == id)
        #expect(try await lab.read(type, id) != nil, "an import does not find it")
    }

    /// Waits until the object is ready and shows what is wanted.
    private func look(
        _ id: RemoteID, _ desired: [String: Value], _ lab: ConformanceLab, _ when: String
    ) async throws -> Observation {
        var seen = try await lab.ready(type, id, declared: Set(desired.keys), known: desired)
        for _ in 0..<20 where !differences(desired, seen).isEmpty {
            try await Task.sleep(for: .milliseconds(250))
            seen = try await lab.ready(type, id, declared: Set(desired.keys), known: desired)
        }
        let differences = differences(desired, seen)
        #expect(differences == [], "\(when)")
        return seen
    }

    /// What the planner hands to an update: what is there, and of what AWS does not tell, what was applied.
    private func old(_ seen: Observation, _ desired: [String: Value]) -> [String: Value] {
        var old = desired.merging(seen.arguments) { _, live in live }
        if case .map(let live) = seen.arguments["tags"] {
            let own = desired["tags"]?.map ?? [:]
            old["tags"] = .map(live.filter { own[$0.key] != nil })
        }
        return old
    }

    private func differences(_ wanted: [String: Value], _ seen: Observation) -> [String] {
        guard let schema = RecordingAWS().provider.resources.first(where: { $0.type == type }) else { return [] }
        return wanted.sorted { $0.key < $1.key }.compactMap { name, value in
            guard let argument = schema.argument(name), argument.isReadable, argument.onChange != .creationOnly,
                let live = seen.arguments[name]
            else { return nil }
            let same =
                argument.semantics == .tags
                ? isPart(value, of: live) : ValueComparison.areEqual(value, live, argument)
            return same ? nil : "\(name): wanted \(value.shown), there is \(live.shown)"
        }
    }

    /// Tags may have members that nobody declared.
    private func isPart(_ wanted: Value, of live: Value) -> Bool {
        guard case .map(let wanted) = wanted, case .map(let live) = live else { return false }
        return wanted.allSatisfy { live[$0.key] == $0.value }
    }
}
