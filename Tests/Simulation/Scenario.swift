import FoundationEssentials
package import MusterModel
import ResourceGraph
import StateStorage
import TestSupport

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// One simulated history, as data: it can be printed, cut down and run again.
package struct Scenario: Sendable, Equatable {
    /// For what is drawn while it runs: which replica a look meets, jitter.
    package var seed: UInt64
    /// Seconds: how late a look may be, how long things take to come and to go, and how long muster waits for what is
    /// not visible.
    package var lag = 0
    package var making = 0
    package var deleting = 0
    package var window = 60
    package var stages: [Stage]

    /// The spec as it is for a while, and the runs that begin in that time.
    package struct Stage: Sendable, Equatable {
        package var spec: Spec
        /// What others do before the runs begin.
        package var foreign: [ForeignEdit] = []
        package var runs: [Run] = [Run()]
        /// Seconds that pass before it.
        package var pause = 0
        /// Seconds after the runs began at which others change Rancher; nil: before.
        package var foreignStart: Int?

        package init(
            _ spec: Spec, foreign: [ForeignEdit] = [], runs: [Run] = [Run()], pause: Int = 0, foreignStart: Int? = nil
        ) {
            self.spec = spec
            self.foreign = foreign
            self.runs = runs
            self.pause = pause
            self.foreignStart = foreignStart
        }
    }

    package struct Run: Sendable, Equatable {
        package var crash: CrashPoint?
        package var freeze: Freeze?
        /// By the number of the call.
        package var troubles: [Int: Trouble] = [:]
        /// Seconds after the stage began.
        package var start = 0
        package var parallelism = 4
        /// Seconds by which its wall clock is wrong.
        package var wallSkew = 0

        package init(
            crash: CrashPoint? = nil, freeze: Freeze? = nil, troubles: [Int: Trouble] = [:], start: Int = 0,
            parallelism: Int = 4, wallSkew: Int = 0
        ) {
            self.crash = crash
            self.freeze = freeze
            self.troubles = troubles
            self.start = start
            self.parallelism = parallelism
            self.wallSkew = wallSkew
        }
    }

    package init(
        seed: UInt64, lag: Int = 0, making: Int = 0, deleting: Int = 0, window: Int = 60, stages: [Stage]
    ) {
        self.seed = seed
        self.lag = lag
        self.making = making
        self.deleting = deleting
        self.window = window
        self.stages = stages
    }
}

/// What somebody else does to the account.
package enum ForeignEdit: Sendable, Equatable, Hashable {
    /// Changes a tag that the spec sets.
    case retag(Address)
    /// Deletes an object that nothing needs.
    case delete(Address)
    /// Adds a rule to a group that may own all of its rules.
    case addChild(Address)
    /// Makes things that look like ours and must stay as they are.
    case bystanders
    /// Takes a name that the spec wants.
    case claim(Address)
}

/// What a run of a scenario showed.
package struct Verdict: Sendable {
    /// Empty: all laws hold.
    package var violations: [String] = []
    package var story: [String] = []
    /// What is no broken law and should not be: a step of an undisturbed run that had to be tried again, a call that was
    /// sent again although it had its effect, a dead run's call of which nobody is told. Only a run without the mistake
    /// says whether it is one.
    package var oddities: Set<String> = []
    package var callCount = 0
    /// For every run of the stages: how many calls that may change something, and how many writes it made.
    package var boundaries: [(calls: Int, writes: Int)] = []
    package var crashes = 0
    package var seconds = 0.0
}

extension Scenario {
    package func run() -> Verdict { run(Interposers()) }

    func run(_ interposers: Interposers) -> Verdict {
        let timeline = Timeline()
        let world = World(self, timeline, interposers)
        var verdict = Verdict()
        do {
            verdict = try timeline.run { await world.play() }
        } catch {
            verdict.violations = ["The world stands still: \(error)"]
            verdict.story = world.story
        }
        world.cleanUp()
        return verdict
    }
}

/// The one account, the one state and the processes of a scenario.
private final class World: @unchecked Sendable {
    private let scenario: Scenario
    private let timeline: Timeline
    private let cloud: SimulatedAWS
    private let rancher: SimulatedRancher
    private let rancherOthers: RancherOthers
    private let folder: String
    private let interposers: Interposers
    private var random: SeededGenerator
    private var tokens = 0
    private var machines: [Machine] = []
    /// Objects of others that must stay as they are.
    private var bystanders: [CloudObject] = []
    private var claims: [String] = []
    private var knownIDs: [Address: String] = [:]
    private var verdict = Verdict()
    private var gaps: Set<String> = []
    private var specBefore = Spec()

    init(_ scenario: Scenario, _ timeline: Timeline, _ interposers: Interposers) {
        self.scenario = scenario
        self.timeline = timeline
        self.interposers = interposers
        cloud = SimulatedAWS(timeline, seed: scenario.seed ^ 0xC10D)
        cloud.lag = .seconds(scenario.lag)
        cloud.making = .seconds(scenario.making)
        cloud.deleting = .seconds(scenario.deleting)
        rancher = SimulatedRancher(timeline, seed: scenario.seed ^ 0xCA77, making: scenario.making)
        rancherOthers = RancherOthers(rancher, cloud, timeline)
        random = SeededGenerator(seed: scenario.seed ^ 0x77)
        let memory = "/dev/shm"
        let base =
            FileManager.default.isWritableFile(atPath: memory)
            ? memory : FileManager.default.temporaryDirectory.path
        folder = base + "/muster-simulation-\(getpid())-\(scenario.seed)-\(UInt64.random(in: 0...UInt64.max))"
        try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    func cleanUp() { try? FileManager.default.removeItem(atPath: folder) }

    var story: [String] {
        machines.flatMap(\.story) + cloud.log.map { "cloud " + $0 } + rancher.log.map { "rancher " + $0 }
    }

    private func muster(
        _ run: Scenario.Run, isCounted: Bool = true, interposers: Interposers? = nil
    ) -> Muster {
        let machine = Machine(timeline, pid: Int32(machines.count + 1), crash: run.crash, freeze: run.freeze)
        machine.wallSkew = .seconds(run.wallSkew)
        machines.append(machine)
        let troubles = run.troubles
        return Muster(
            machine: machine, cloud: cloud, rancher: rancher, statePath: folder + "/muster.db",
            window: .seconds(scenario.window),
            parallelism: run.parallelism,
            deadPIDs: { pid in
                // Every other death is one that can be seen.
                pid % 2 == 0 && self.machines.contains { $0.pid == pid && $0.isDead }
            },
            trouble: { call, _ in troubles[call] },
            makeToken: {
                self.tokens += 1
                let text = String(self.tokens, radix: 16)
                return String(repeating: "0", count: 32 - text.count) + text
            }, random: { Double.random(in: 0..<1, using: &self.random) },
            interposers: interposers ?? self.interposers)
    }

    func play() async -> Verdict {
        for stage in scenario.stages {
            try? await timeline.sleep(for: .seconds(stage.pause))
            if !stage.foreign.isEmpty { await lookUpIDs() }
            for edit in stage.foreign { perform(edit, stage.spec) }
            if stage.foreignStart == nil { await performInRancher(stage) }
            await play(stage)
        }
        // What is still on its way arrives before anybody says that all is well.
        try? await timeline.sleep(for: .seconds(scenario.lag + 20))
        if let last = scenario.stages.last { await converge(last.spec) }
        lookForOddities()
        if Secrets.isTold(inFolder: folder, others: rancher.shown) {
            verdict.violations.append("The state tells a secret.")
        }
        let story = story
        if story.contains(where: { line in Secrets.isTold(in: line) || rancher.shown.contains { line.contains($0) } }) {
            verdict.violations.append("What is said tells a secret.")
        }
        verdict.violations += machines.flatMap(\.leaks)
        for name in cloud.unknownCalls.sorted() { verdict.violations.append("The simulation does not know \(name).") }
        verdict.story = story
        verdict.callCount = cloud.callCount + rancher.callCount
        verdict.crashes = machines.count(where: \.isDead)
        verdict.seconds = timeline.now.inSeconds
        return verdict
    }

    private func lookForOddities() {
        for machine in machines where !machine.isDead {
            for hitch in machine.hitches { verdict.oddities.insert("a hitch: \(hitch)") }
        }
        for (dead, next) in zip(machines, machines.dropFirst()) where dead.diedInCall && next.settledCount == 0 {
            verdict.oddities.insert("nobody is told what became of the dead run's call")
        }
        for id in cloud.repeats + rancher.repeats { verdict.oddities.insert("sent again although it was there: \(id)") }
        for gap in gaps { verdict.oddities.insert(gap) }
    }

    private func play(_ stage: Scenario.Stage) async {
        await lookUpIDs()
        let before = knownIDs
        await playRuns(of: stage)
        for machine in machines.suffix(stage.runs.count) where !machine.isDead {
            for early in machine.order.tooEarly(stage.spec, before: specBefore) { gaps.insert(early) }
        }
        specBefore = stage.spec
        await lookUpIDs()
        for (address, old) in before.sorted(by: { $0.key < $1.key }) {
            guard address.type.provider == "aws", let new = knownIDs[address], new != old else { continue }
            if cloud.wasGone(old, before: new) { gaps.insert("\(address) was gone before its successor was there") }
        }
    }

    private func performInRancher(_ stage: Scenario.Stage) async {
        for edit in stage.foreign {
            await lookUpIDs()
            await rancherOthers.perform(edit, stage.spec, knownIDs)
        }
    }

    private func playRuns(of stage: Scenario.Stage) async {
        let spec = stage.spec
        let timeline = timeline
        let musters = stage.runs.map { ($0, muster($0)) }
        await withTaskGroup(of: Void.self) { group in
            if let start = stage.foreignStart {
                group.addTask {
                    try? await timeline.sleep(for: .seconds(start))
                    await self.performInRancher(stage)
                }
            }
            for (run, muster) in musters {
                group.addTask {
                    try? await timeline.sleep(for: .seconds(run.start))
                    muster.machine.note("starts")
                    let end = await muster.apply(spec)
                    muster.machine.note("ends: \(end.text)")
                }
            }
        }
        for (_, muster) in musters {
            verdict.boundaries.append((muster.machine.callCount, muster.machine.writeCount))
        }
    }

    // MARK: - Converging

    /// As a person who runs the same command until there is nothing to do.
    private func converge(_ spec: Spec) async {
        var last = ""
        var attempt = 0
        var held = 0
        while attempt < 8 {
            attempt += 1
            try? await timeline.sleep(for: .seconds(attempt < 3 ? 1 : scenario.lag + 1))
            let muster = muster(Scenario.Run(parallelism: 4))
            muster.machine.note("again")
            let end = await muster.apply(spec)
            muster.machine.note("ends: \(end.text)")
            last = end.text
            switch end {
            case .nothingToDo:
                // What belongs to a run that may still be alive is left to it, as long as its lease lasts.
                if held < 5, await isAnyIntentOpen() {
                    held += 1
                    attempt -= 1
                    try? await timeline.sleep(for: .seconds(61))
                    continue
                }
                await check(spec)
                return
            case .broken(let error):
                if case .leaseHeld = error.kind, held < 5 {
                    held += 1
                    attempt -= 1
                    try? await timeline.sleep(for: .seconds(30))
                }
            case .failed(let failures) where failures.contains { $0.isAboutOthers }:
                // The person takes the foreign thing away.
                giveNamesBack()
                verdict.violations += await rancherOthers.giveNamesBack()
            default: break
            }
        }
        verdict.violations.append("It does not converge: \(last)")
        await check(spec)
    }

    private func isAnyIntentOpen() async -> Bool {
        guard
            let storage = try? SQLiteStateStorage.forWriting(
                path: folder + "/muster.db", workspace: "sim", now: { Machine.noon }, makeToken: { "0" },
                executor: timeline)
        else { return false }
        return (try? await storage.openIntents().isEmpty) == false
    }

    // MARK: - Laws

    private func check(_ spec: Spec) async {
        // A look at once may still see what was there before the last change.
        try? await timeline.sleep(for: .seconds(scenario.lag + 1))
        let storage: SQLiteStateStorage
        let snapshot: Snapshot
        do {
            storage = try .forWriting(
                path: folder + "/muster.db", workspace: "sim", now: { Machine.noon }, makeToken: { "0" },
                executor: timeline)
            snapshot = try await storage.snapshot()
            if try await !storage.openIntents().isEmpty { verdict.violations.append("An intent is open.") }
            let damage = try await storage.check().filter { $0.severity != .notice }
            verdict.violations += damage.map { "The state: \($0.summary): \($0.detail)" }
        } catch {
            verdict.violations.append("The state cannot be read: \(error)")
            return
        }
        let declared = Set(spec.resources.map(\.address))
        let recorded = Set(snapshot.records.keys)
        if declared != recorded {
            verdict.violations.append(
                "Not what is declared is recorded: \(declared.symmetricDifference(recorded).sorted().map(\.description))"
            )
        }
        if !snapshot.deposed.isEmpty { verdict.violations.append("A predecessor is left: \(snapshot.deposed)") }
        var owners: [String: Address] = [:]
        for (address, record) in snapshot.records.sorted(by: { $0.key < $1.key }) {
            if let parameter = RancherLaws.parameter(record) { owners[parameter] = address }
            guard address.type.provider == "aws" else { continue }
            let id = cloudID(record, address)
            owners[id] = address
            if cloud.current(id) == nil { verdict.violations.append("\(address) is \(id), which is not there.") }
        }
        verdict.violations += RancherLaws(rancher, cloud, snapshot).violations(spec) + rancherOthers.violations
        for resource in spec.resources {
            guard let record = snapshot.records[resource.address], resource.address.type.provider == "aws",
                let object = cloud.current(cloudID(record, resource.address))
            else { continue }
            for (argument, field) in [("password", "-MasterUserPassword"), ("auth_token", "-AuthToken")] {
                guard let reference = resource.arguments[argument]?.secrets.first else { continue }
                if object[field] != Secrets.text(of: reference) {
                    verdict.violations.append("\(resource.address) has not the \(argument) that is declared.")
                }
            }
        }
        for object in cloud.objects where !object.isForeign && !object.isBuiltIn && owners[object.id] == nil {
            if object.tags["muster:secret"] != nil, rancherOthers.haveDeleted { continue }
            verdict.violations.append("An orphan: \(object.id) \(object.tags)")
        }
        var marks: Set<String> = []
        for object in cloud.objects where !object.isForeign {
            guard var mark = object.tags["muster:intent"] else { continue }
            // The rules of one call have one mark, and differ in what they say.
            if object.kind == "rule" { mark += SimulatedAWS.ruleKey.map { " \(object[$0])" }.joined() }
            if !marks.insert(mark).inserted { verdict.violations.append("Made twice: \(object.id)") }
        }
        for before in bystanders where cloud.current(before.id) != before {
            verdict.violations.append("Touched what is not ours: \(before.id)")
        }
        if let plan = await muster(Scenario.Run()).planText(spec) {
            verdict.violations.append("The next plan is not empty: \(plan)")
        }
    }

    /// The id under which the simulated cloud keeps what the state knows by another name.
    private func cloudID(_ record: ResourceRecord, _ address: Address) -> String {
        let id = record.id.rawValue
        switch address.type.rawValue {
        case "aws.key_pair": return "key-pair/\(id)"
        case "aws.iam_role": return "role/\(id)"
        case "aws.iam_instance_profile": return "profile/\(id)"
        case "aws.iam_role_policy":
            let parts = id.split(separator: ":", maxSplits: 1)
            return "policy/\(parts.joined(separator: "/"))"
        case "aws.iam_role_policy_attachment": return "attachment/\(id)"
        case "aws.route":
            let parts = id.split(separator: "_", maxSplits: 1)
            return "route/\(parts.joined(separator: "/"))"
        case "aws.route_table_association":
            return cloud.objects("association").first { $0["subnet-id"] == id }?.id ?? id
        case "aws.dns_record":
            let parts = id.split(separator: "_")
            guard parts.count == 3 else { return id }
            return "record/\(parts[0])/\(parts[1])./\(parts[2])"
        default:
            // What is known by its name is kept by its kind and name.
            if cloud.current(id) != nil { return id }
            return SimulatedCatalog.kinds.map { "\($0.kind)/\(id)" }.first { cloud.current($0) != nil } ?? id
        }
    }

    // MARK: - Others

    private func perform(_ edit: ForeignEdit, _ spec: Spec) {
        cloud.foreignHand { cloud in
            switch edit {
            case .retag(let address):
                guard let object = object(of: address), object.tags["k"] != nil else { return }
                cloud.change(object.id) { $0.tags["k"] = "foreign" }
            case .delete(let address):
                guard let object = object(of: address), isLeaf(object) else { return }
                cloud.remove(object.id)
            case .addChild(let address):
                if let parent = object(of: address), parent.kind == "group" { addRule(to: parent) }
            case .bystanders: addBystanders()
            case .claim(let address): claim(address, spec)
            }
        }
    }

    /// The object of an address, as the state knows it.
    private func object(of address: Address) -> CloudObject? { knownIDs[address].flatMap { cloud.current($0) } }

    private func lookUpIDs() async {
        guard
            let storage = try? SQLiteStateStorage.forWriting(
                path: folder + "/muster.db", workspace: "sim", now: { Machine.noon }, makeToken: { "0" },
                executor: timeline), let snapshot = try? await storage.snapshot()
        else { return }
        knownIDs = [:]
        for (address, record) in snapshot.records {
            knownIDs[address] = RancherLaws.key(record) ?? cloudID(record, address)
        }
    }

    private func isLeaf(_ object: CloudObject) -> Bool {
        ["rule", "route", "association", "policy", "attachment", "record", "key", "address"].contains(object.kind)
            && !cloud.objects.contains {
                $0.id != object.id
                    && ($0["allocation-id"] == object.id || $0["key"] == object["key-name"])
            }
    }

    /// In a set that is owned it is drift and goes; elsewhere it stays as long as its group.
    private func addRule(to group: CloudObject) {
        let id = cloud.newID("sgr-")
        cloud.add(
            "rule", id: id,
            [
                "group-id": group.id, "security-group-rule-id": id, "egress": "false", "protocol": "tcp",
                "from": "9", "to": "9", "cidr": "203.0.113.0/24",
            ])
    }

    private func addBystanders() {
        let vpc = cloud.newID("vpc-")
        bystanders.append(
            cloud.add(
                "vpc", id: vpc,
                [
                    "vpc-id": vpc, "cidr": "10.1.0.0/16", "enableDnsSupport": "true", "enableDnsHostnames": "false",
                ], tags: ["k": "a", "muster:intent": "ffffffffffffffffffffffffffffffff"]))
        let group = cloud.newID("sg-")
        bystanders.append(
            cloud.add(
                "group", id: group,
                ["group-id": group, "group-name": "security_group0", "vpc-id": vpc, "description": "one"]))
        let instance = cloud.newID("i-")
        bystanders.append(
            cloud.add(
                "instance", id: instance,
                [
                    "instance-id": instance, "vpc": vpc, "image": "ami-1", "type": "t3.small", "power": "running",
                    "zone": "us-east-1a", "ip": "10.0.9.9",
                ], tags: ["k": "a"]))
    }

    private func claim(_ address: Address, _ spec: Spec) {
        // One that takes the place of ours cannot be told from a change of ours where the name is the id.
        guard knownIDs[address] == nil, let resource = spec.resources.first(where: { $0.address == address }) else {
            return
        }
        let object: CloudObject
        switch address.type {
        case "aws.key_pair":
            guard let name = resource.arguments["key_name"]?.string, cloud.current("key-pair/\(name)") == nil else {
                return
            }
            object = cloud.add(
                "key", id: "key-pair/\(name)",
                ["key-name": name, "key-pair-id": cloud.newID("key-"), "material": "ssh-ed25519 THEIRS"])
        case "aws.iam_role":
            guard let name = resource.arguments["name"]?.string, cloud.current("role/\(name)") == nil else { return }
            object = cloud.add(
                "role", id: "role/\(name)",
                ["name": name, "path": "/", "trust": "{}", "session": "3600", "unique": cloud.newID("AROA")])
        default: return
        }
        claims.append(object.id)
        bystanders.append(object)
    }

    private func giveNamesBack() {
        cloud.foreignHand { cloud in
            for id in claims {
                if let before = bystanders.first(where: { $0.id == id }), cloud.current(id) != before {
                    verdict.violations.append("Touched what is not ours: \(id)")
                }
                bystanders.removeAll { $0.id == id }
                cloud.remove(id)
            }
            claims = []
        }
    }
}

extension StepFailure {
    /// Something of somebody else has the name or the place that is wanted.
    fileprivate var isAboutOthers: Bool { kind == .nameClash || detail.contains("was not made by muster") }
}
