package import MusterModel
import TestSupport

/// A life of one type, to be stopped at every boundary: what it stands on, and what happens to it.
package struct Life: Sendable, CustomStringConvertible {
    package enum Event: String, Sendable, CaseIterable { case create, update, replace, delete }

    package var type: ResourceType
    package var event: Event
    private let subject: Address
    private let before: Spec?
    private let after: Spec

    package var description: String { "\(event.rawValue) \(type)" }

    /// Every life of every simulated type; an event that a type does not know (a route is not changed in place) is left
    /// out.
    package static let all: [Life] = SpecMaker.types.flatMap { type in
        Event.allCases.compactMap { Life(type, $0) }
    }

    /// The making of each type of Rancher.
    package static var ofRancher: [Life] { all.filter { $0.type.provider == "rancher" && $0.event == .create } }

    private init?(_ type: ResourceType, _ event: Event) {
        self.type = type
        self.event = event
        var maker = SpecMaker(random: SeededGenerator(seed: 7))
        guard let (foundation, subject) = Life.minimal(type, event, &maker) else { return nil }
        var whole = foundation
        self.subject = subject.address
        whole.resources.append(subject)
        let company = maker.company(of: subject, in: whole)
        whole.resources += company
        switch event {
        case .create:
            before = foundation.resources.isEmpty ? nil : foundation
            after = whole
        case .delete:
            before = whole
            after = foundation
        case .update, .replace:
            guard let changed = Life.changed(subject, in: whole, event, &maker) else { return nil }
            before = whole
            after = changed
        }
    }

    /// The whole with the subject changed, or with something that it stands on.
    private static func changed(
        _ subject: Spec.Resource, in whole: Spec, _ event: Event, _ maker: inout SpecMaker
    ) -> Spec? {
        var candidates = [subject]
        if event == .replace {
            candidates += whole.resources.reversed().filter { subject.dependencies.contains($0.address) }
            // Some follow what is two steps away.
            let near = Set(candidates.flatMap(\.dependencies)).subtracting(candidates.map(\.address))
            candidates += whole.resources.reversed().filter { near.contains($0.address) }
        }
        for candidate in candidates {
            var changed = candidate
            // What a change by chance is differs from seed to seed: tags or an argument.
            for _ in 0..<8 where changed == candidate {
                maker.change(&changed, in: whole, replaces: event == .replace)
            }
            if changed != candidate {
                return Spec(whole.resources.map { $0.address == candidate.address ? changed : $0 })
            }
        }
        return nil
    }

    /// The type with no more than what it needs.
    private static func minimal(
        _ type: ResourceType, _ event: Event, _ maker: inout SpecMaker
    ) -> (Spec, Spec.Resource)? {
        var spec = Spec()
        maker.grow(type, &spec)
        guard let subject = spec.resources.last, subject.address.type == type else { return nil }
        spec.resources.removeLast()
        // Where it may be led to instead.
        let others: [ResourceType: [ResourceType]] = [
            "aws.route": ["aws.nat_gateway"], "aws.route_table_association": ["aws.route_table"],
        ]
        if event == .update {
            for other in others[type] ?? [] { maker.add(other, &spec) }
        }
        return (spec, subject)
    }

    /// The same life with another place where its last run stops.
    package func scenario(crash: CrashPoint?, lag: Int, making: Int) -> Scenario {
        var stages: [Scenario.Stage] = []
        if let before { stages.append(Scenario.Stage(before, pause: 1)) }
        stages.append(
            Scenario.Stage(after, runs: [Scenario.Run(crash: crash, parallelism: 2)], pause: stages.isEmpty ? 1 : 600))
        return Scenario(seed: 11, lag: lag, making: making, deleting: making, stages: stages)
    }

    /// The same life where somebody takes the name just before the last run.
    package var claimed: Scenario {
        var scenario = scenario(crash: nil, lag: 0, making: 3)
        scenario.stages[scenario.stages.count - 1].foreign = [.claim(subject)]
        return scenario
    }

    /// Stops the run at every boundary of every call and every write, and lets the next runs mend it.
    ///
    /// - Returns: how many boundaries there were, and what broke a law.
    package func crashEverywhere(lag: Int = 2, making: Int = 3) -> (count: Int, violations: [String]) {
        let whole = scenario(crash: nil, lag: lag, making: making).run()
        var violations = whole.violations.map { "\(self), undisturbed: \($0)" }
        guard let last = whole.boundaries.last else { return (0, violations) }
        var points: [CrashPoint] = []
        for call in 0..<last.calls {
            for boundary in CrashPoint.CallBoundary.allCases { points.append(.call(call, boundary)) }
        }
        for write in 0..<last.writes {
            points.append(.write(write, isAfter: false))
            points.append(.write(write, isAfter: true))
        }
        for point in points {
            let verdict = scenario(crash: point, lag: lag, making: making).run()
            if verdict.crashes == 0 { violations.append("\(self), \(point): nothing stopped there") }
            violations += verdict.violations.map { "\(self), \(point): \($0)" }
        }
        return (points.count, violations)
    }
}
