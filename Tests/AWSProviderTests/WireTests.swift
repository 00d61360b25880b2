// What types send and how they read the answers, as texts in `Goldens/`.

import MusterModel
import ProviderKit
import TestSupport
import Testing

/// What is done with one type, and what AWS answers.
struct WireScenario: Sendable, CustomTestStringConvertible {
    enum Step: Sendable {
        case find([String: Value])
        case create([String: Value])
        case createTogether([[String: Value]])
        case update(RemoteID, from: [String: Value], to: [String: Value])
        case read([KnownObject], expecting: [ResourceType: [KnownObject]] = [:])
        case children(of: [RemoteID], expecting: [ResourceType: [KnownObject]] = [:])
        case list
        case delete(RemoteID, last: [String: Value] = [:])
        case deleteTogether([KnownObject])
        case importID(String)
    }

    var type: ResourceType
    /// What tells scenarios of one type apart.
    var title = ""
    var answers: [String: [RecordingAWS.Answer]]
    var steps: [(String, Step)]

    var testDescription: String { title.isEmpty ? type.rawValue : "\(type) (\(title))" }

    /// `instance-restart.txt`
    var goldenName: String {
        type.rawValue.dropFirst("aws.".count) + (title.isEmpty ? "" : "-\(title)") + ".txt"
    }
}

/// Runs a scenario and tells everything that was asked and understood.
func transcript(of scenario: WireScenario) async throws -> String {
    let aws = RecordingAWS(scenario.answers)
    var text = ""
    for (title, step) in scenario.steps {
        let outcome: String
        do {
            outcome = try await perform(step, scenario.type, aws)
        } catch let error as ProviderError {
            outcome = "=> \(error.kind.rawValue): \(error.message)\n"
        }
        text += "## \(title)\n" + (await aws.takeTranscript()) + outcome + "\n"
    }
    return text
}

private func perform(
    _ step: WireScenario.Step, _ type: ResourceType, _ aws: RecordingAWS
) async throws -> String {
    var expecting: [ResourceType: [KnownObject]] = [:]
    switch step {
    case .read(_, let objects), .children(_, let objects): expecting = objects
    default: break
    }
    let handler = try await aws.handler(for: type, expecting: expecting)
    switch step {
    case .find(let desired):
        guard let found = try await handler.find(desired, intent: .test) else { return "=> nothing\n" }
        return "\(found.isOurs ? "ours" : "not ours")\n" + found.observation.shown
    case .create(let desired): return try await handler.create(desired, intent: .test).shown
    case .createTogether(let batch):
        let made = try await #require(handler.batches).create(batch, intent: .test)
        return made.map { $0?.shown ?? "=> not told of\n" }.joined()
    case .deleteTogether(let batch):
        try await #require(handler.batches).delete(batch)
        return ""
    case .update(let id, let old, let new): return try await handler.update(id, from: old, to: new)?.shown ?? ""
    case .read(let known, _):
        let found = try await handler.read(known)
        return known.map { found[$0.id]?.shown ?? "=> \($0.id) is not there\n" }.joined()
    case .children(let parents, _):
        return try await handler.list(in: .children(of: parents)).map(\.shown).joined()
    case .list: return try await handler.list(in: .everything).map(\.shown).joined()
    case .delete(let id, let last):
        try await handler.delete(id, last: last)
        return ""
    case .importID(let text): return "=> \(try await handler.importID(text))\n"
    }
}

@Suite struct WireTests {
    @Test("Instances and keys send what AWS wants and read what AWS answers", arguments: computeScenarios)
    func compute(_ scenario: WireScenario) async throws {
        expectGolden(try await transcript(of: scenario), named: "Compute/\(scenario.goldenName)")
    }

    @Test("Roles, policies and profiles send what AWS wants and read what AWS answers", arguments: identityScenarios)
    func identity(_ scenario: WireScenario) async throws {
        expectGolden(try await transcript(of: scenario), named: "Identity/\(scenario.goldenName)")
    }

    @Test("Zones and records send what AWS wants and read what AWS answers", arguments: dnsScenarios)
    func dns(_ scenario: WireScenario) async throws {
        expectGolden(try await transcript(of: scenario), named: "DNS/\(scenario.goldenName)")
    }

    @Test("Topics and repositories send what AWS wants and read what AWS answers", arguments: messagingScenarios)
    func messaging(_ scenario: WireScenario) async throws {
        expectGolden(try await transcript(of: scenario), named: "Messaging/\(scenario.goldenName)")
    }

    @Test("Databases and their groups send what AWS wants and read what AWS answers", arguments: dataScenarios)
    func data(_ scenario: WireScenario) async throws {
        expectGolden(try await transcript(of: scenario), named: "Data/\(scenario.goldenName)")
    }

    @Test(
        "Load balancers and certificates send what AWS wants and read what AWS answers",
        arguments: loadBalancingScenarios)
    func loadBalancing(_ scenario: WireScenario) async throws {
        expectGolden(try await transcript(of: scenario), named: "LoadBalancing/\(scenario.goldenName)")
    }

    @Test("Fleets send what AWS wants and read what AWS answers", arguments: fleetScenarios)
    func fleets(_ scenario: WireScenario) async throws {
        expectGolden(try await transcript(of: scenario), named: "Fleets/\(scenario.goldenName)")
    }

    @Test("Each type sends what AWS wants and reads what AWS answers", arguments: networkScenarios)
    func wire(_ scenario: WireScenario) async throws {
        expectGolden(
            try await transcript(of: scenario),
            named: "Network/\(scenario.goldenName)")
    }
}
