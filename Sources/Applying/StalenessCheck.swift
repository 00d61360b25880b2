import Expressions
import MusterModel
import ProviderKit
import StateStorage

/// The one rule for staleness: rows and objects are as the plan saw them, all before the first call, and each again
/// before its step.
struct StalenessCheck: Sendable {
    let plan: Plan
    let snapshot: Snapshot
    let completed: [Int: CompletedStep]
    let reader: ObjectReader
    let stopwatch: Stopwatch
    let timing: ApplyTiming
    let catalog: Catalog
    let configurations: [String: ProviderConfiguration]
    /// When the snapshot was read, on the stopwatch.
    private let since: Duration
    /// Addresses that the plan adopts: it had no row of them.
    private let adopted: Set<Address>
    /// New address → the address that the row has before the plan's move.
    private let origins: [Address: Address]

    init(
        plan: Plan, snapshot: Snapshot, completed: [Int: CompletedStep], reader: ObjectReader, stopwatch: Stopwatch,
        since: Duration, environment: ApplyEnvironment
    ) {
        self.since = since
        self.plan = plan
        self.snapshot = snapshot
        self.completed = completed
        self.reader = reader
        self.stopwatch = stopwatch
        timing = environment.timing
        catalog = environment.catalog
        configurations = environment.configurations
        adopted = Set(plan.steps.filter { $0.operation == .adopt }.map(\.address))
        var origins: [Address: Address] = [:]
        for step in plan.steps where step.operation == .move && completed[step.id] == nil {
            origins[step.address] = step.previousAddress
        }
        self.origins = origins
    }

    func access(for stack: String, _ scope: ProviderScope) -> Access {
        var configuration =
            plan.configurations[stack] ?? configurations[stack]
            ?? plan.configurations.min { $0.key < $1.key }?.value ?? ProviderConfiguration()
        if !scope.region.isEmpty { configuration.region = scope.region }
        return Access(scope: scope, configuration: configuration)
    }

    /// As planning makes it.
    static func hash(_ value: Value) -> String { Digest.sha256(ValueJSON.encode(value)) }

    // MARK: - Before the first call

    /// What moved since the plan was made, in words; empty when nothing did. Throws for a step whose object could not
    /// be looked at.
    func everything() async throws(StepLookFailure) -> [String] {
        var moved = Set(versions())
        if moved.isEmpty { moved = try await objects() }
        return moved.sorted()
    }

    private var remaining: [Step] { plan.steps.filter { !(completed[$0.id]?.isFinished ?? false) } }

    private func versions() -> [String] {
        var moved: [String] = []
        if !plan.lineage.isEmpty, plan.lineage != snapshot.lineage {
            moved.append("The plan was made from another state.")
        }
        var left: [Address: Int] = [:]
        for step in completed.values { left[step.address] = max(left[step.address] ?? 0, step.version) }
        for step in remaining {
            let address = origins[step.address] ?? step.address
            if step.isDeposed {
                let deposed = (snapshot.deposed[address] ?? []).first { $0.id == step.target }
                let present = snapshot.records[address].flatMap { $0.id == step.target ? $0 : nil }
                if (deposed ?? present)?.version != step.version {
                    moved.append("\(step.address): the predecessor \(step.target?.rawValue ?? "") is gone or changed.")
                }
                continue
            }
            let expected = left[address] ?? step.version
            let found = snapshot.versions[address] ?? 0
            if found != expected {
                moved.append("\(step.address): its row has version \(found), and the plan saw \(expected).")
            }
        }
        for reliance in plan.reliesOn where left[reliance.address] == nil {
            let found = snapshot.records[reliance.address]?.version ?? 0
            if found != reliance.version {
                moved.append("\(reliance.address): its row has version \(found), and the plan saw \(reliance.version).")
            }
        }
        return moved
    }

    private func objects() async throws(StepLookFailure) -> Set<String> {
        var subjects: [Subject] = remaining.compactMap(subject)
        subjects += plan.reliesOn.compactMap(subject)
        for subject in subjects { await reader.add(subject.object, to: subject.group) }
        await reader.readAll(for: .arguments)
        var suspects: [Subject] = []
        for subject in subjects where try await problem(subject, notBefore: .zero, after: -1) != nil {
            suspects.append(subject)
        }
        if suspects.isEmpty { return [] }
        let mark = await rest()
        var moved: Set<String> = []
        for subject in suspects {
            do {
                let found = try await lastingProblem(subject, after: mark)
                let gone = found.seen == nil ? whenGone(subject) : nil
                if let problem = found.problem ?? gone {
                    moved.insert("\(subject.address): \(problem)")
                }
            } catch {
                throw StepLookFailure(step: subject.step, address: subject.address, error: error)
            }
        }
        return moved
    }

    private func problem(
        _ subject: Subject, notBefore: Duration, after mark: Int
    ) async throws(StepLookFailure) -> String? {
        do {
            let observation = try await reader.look(
                at: subject.object, in: subject.group, notBefore: notBefore, after: mark)
            if observation == nil, let gone = whenGone(subject) { return gone }
            return problem(subject, observation)
        } catch {
            throw StepLookFailure(step: subject.step, address: subject.address, error: error)
        }
    }

    /// Before the first call: what is wrong with an object that is gone. Nothing, when an earlier run may have deleted
    /// it: one of this plan, or the one that replaced it and died.
    private func whenGone(_ subject: Subject) -> String? {
        !completed.isEmpty || subject.isPredecessor ? nil : "\(subject.object.id) is gone."
    }

    /// Reads can go backwards, so whatever looks wrong is looked at once more after a moment.
    private func rest() async -> Int {
        await stopwatch.sleep(.seconds(1))
        return await reader.mark()
    }

    // MARK: - Before a step

    /// The object as it is just before its step; nil when it seems gone, which only a delete may find.
    func look(again step: Step, at now: Duration) async throws(StepStop) -> Observation? {
        guard let subject = subject(step) else { return nil }
        do throws(ProviderError) {
            let first = try await reader.look(
                at: subject.object, in: subject.group, notBefore: max(.zero, now - timing.freshness))
            if problem(subject, first) == nil { return first }
            let second = try await lastingProblem(subject, after: await rest())
            guard let problem = second.problem else { return second.seen }
            throw ProviderError(.inUse, problem)
        } catch {
            throw .failure(
                error.kind == .inUse ? .changedMeanwhile(step, error.message) : StepFailure(error, step))
        }
    }

    /// True for an object that was made so lately that a look may not see it yet.
    ///
    /// - Parameter asked: when the look was asked for.
    func mayBeHidden(_ id: RemoteID, in scope: ProviderScope, at asked: Duration) -> Bool {
        guard let age = snapshot.ages[id] else { return false }
        return age + (asked - since) < timing.window(for: scope)
    }

    /// As `problem`, but an object that may be hidden is looked at until it would be seen.
    private func lastingProblem(
        _ subject: Subject, after mark: Int
    ) async throws(ProviderError) -> (problem: String?, seen: Observation?) {
        var mark = mark
        let began = stopwatch.now
        var asked = began
        while true {
            let seen = try await reader.look(at: subject.object, in: subject.group, notBefore: .zero, after: mark)
            let problem = problem(subject, seen)
            if problem == nil || seen != nil
                || !mayBeHidden(subject.object.id, in: subject.group.access.scope, at: asked)
            {
                return (problem, seen)
            }
            await stopwatch.sleep(max(.seconds(1), timing.pollInterval(waited: stopwatch.now - began)))
            if Task.isCancelled { return (problem, seen) }
            asked = stopwatch.now
            mark = await reader.mark()
        }
    }

    // MARK: - One object

    /// An object whose fingerprint the plan holds.
    private struct Subject {
        let address: Address
        let step: Step?
        let object: KnownObject
        let group: ObjectReader.Group
        let fingerprint: String?
        /// The arguments of the row that the plan saw; nil when there was none.
        let recorded: [String: Value]?
        /// An earlier run made its successor. No plan looks at it.
        var isPredecessor = false
    }

    private func subject(_ step: Step) -> Subject? {
        switch step.operation {
        case .create, .move: return nil
        case .forget: return nil
        case .update, .delete, .adopt: break
        }
        // What an earlier run of the plan changed is as that run left it.
        guard let target = step.target, completed[step.id] == nil else { return nil }
        let address = origins[step.address] ?? step.address
        let row = snapshot.records[address].flatMap { $0.id == target ? $0 : nil }
        let predecessor = snapshot.deposed[address]?.first { $0.id == target }
        let recorded = adopted.contains(step.address) ? nil : (row ?? predecessor)?.arguments
        let arguments = (recorded ?? [:]).merging(step.prior.filter { $0.value.isKnown }) { $1 }
        var declared = Set(step.desired.keys).union(step.prior.keys)
        if let recorded { declared.formUnion(recorded.keys) }
        let hasFingerprint = !plan.isUnrefreshed && predecessor == nil
        return Subject(
            address: step.address, step: step,
            object: KnownObject(id: target, arguments: arguments, declared: declared),
            group: ObjectReader.Group(
                access: access(for: step.address.stack, step.scope), type: step.address.type, purpose: .arguments),
            fingerprint: hasFingerprint ? step.fingerprint : nil, recorded: recorded,
            isPredecessor: predecessor != nil)
    }

    private func subject(_ reliance: Reliance) -> Subject? {
        guard let row = snapshot.records[reliance.address] else { return nil }
        return Subject(
            address: reliance.address, step: nil,
            object: KnownObject(id: row.id, arguments: row.arguments, declared: Set(row.arguments.keys)),
            group: ObjectReader.Group(
                access: access(for: reliance.address.stack, row.scope), type: reliance.address.type,
                purpose: .arguments),
            fingerprint: plan.isUnrefreshed || reliance.fingerprint.isEmpty ? nil : reliance.fingerprint,
            recorded: row.arguments)
    }

    /// What is wrong with the object, in words.
    private func problem(_ subject: Subject, _ observation: Observation?) -> String? {
        guard let observation else {
            // Once the plan is under way, that it is gone is all that a delete wants.
            return subject.step?.operation == .delete ? nil : "\(subject.object.id) is gone."
        }
        guard let expected = subject.fingerprint, let schema = catalog[subject.group.type] else { return nil }
        let isSame = matches(
            fingerprint: expected, schema: schema, id: observation.id, arguments: observation.arguments,
            recorded: subject.recorded ?? observation.arguments,
            hash: StalenessCheck.hash)
        return isSame ? nil : "\(subject.object.id) was changed since the plan was made."
    }
}

/// Nothing can be said about an object, since it could not be read.
struct StepLookFailure: Error {
    /// nil: a resource that the plan only relies on.
    let step: Step?
    let address: Address
    let error: ProviderError
}
