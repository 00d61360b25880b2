// The state: what muster made, where, and what it was doing when it stopped.
//
// `StateStorage` is the seam: SQLite now, S3 by conditional writes later. It is a journal around a table of resources:
// an intent is durable before a call that changes anything, and the result is written in the transaction that removes
// the intent; so a process that dies leaves either an open intent or a complete row, never neither.
//
// Absent on purpose: no secret ever comes here (tainted values are expressions, compared by keyed digests), no network,
// no decision about what to do; and the clock and the randomness are handed in.
//
// Weakness: one file on one machine. Two machines cannot share it, and a network filesystem is refused.
package import FoundationEssentials
package import MusterModel

package protocol StateStorage: Sendable {
    // MARK: Reading

    /// All that the state holds, at one moment. A state that does not exist yet is empty and has the lineage "".
    func snapshot() async throws(StateError) -> Snapshot
    /// The same for some stacks only.
    func snapshot(stacks: Set<String>) async throws(StateError) -> Snapshot
    func bindings() async throws(StateError) -> [String: StateBinding]
    /// The latest runs first.
    func runs(limit: Int) async throws(StateError) -> [RunRecord]
    /// The steps of a run by their number.
    func steps(ofRun run: Int64) async throws(StateError) -> [RunStepRecord]
    /// The steps by which earlier runs of a plan changed rows, with the version that each left; empty once a run of the
    /// plan was done, since a plan is applied once.
    func completedSteps(ofPlan plan: String) async throws(StateError) -> [Int: CompletedStep]
    /// Intents without a result: calls whose effect is not known yet, in the order in which they were written.
    func openIntents() async throws(StateError) -> [JournaledIntent]
    /// Leases that are held, or that were not given back.
    func leases() async throws(StateError) -> [Lease]

    // MARK: Journal

    /// Binds configurations to accounts and endpoints. All or none; one that is bound elsewhere is an error.
    func bind(_ bindings: [StateBinding]) async throws(StateError)
    func beginRun(_ run: RunStart) async throws(StateError) -> Int64
    /// One transaction: the fence of the lease, the version of the row, the intent, and the step as running.
    ///
    /// Throws `.leaseLost`, or `.moved` when the row has another version.
    func recordIntent(_ intent: JournaledIntent) async throws(StateError) -> Int64
    /// One transaction: the intent goes, its result comes. Returns the version that the row has now.
    func complete(
        intent: Int64, _ change: StateChange, result: StepResult?
    ) async throws(StateError) -> Int
    /// A change without a call of its own: an adoption, a move, a wait that ended. One transaction, fenced.
    func record(_ change: RecordedChange) async throws(StateError) -> Int
    /// Writes how a step ended that changed nothing in the state.
    func record(_ result: StepResult, run: Int64, step: Step) async throws(StateError)
    /// Replaces the recorded outputs of these stacks.
    func setOutputs(_ outputs: [String: [String: Value]], fence: Fence?) async throws(StateError)
    func endRun(_ run: Int64, outcome: RunOutcome) async throws(StateError)

    // MARK: Leases

    /// All of the stacks or none; throws `.leaseHeld`. A lease is taken over when it has expired, or when `isDead` says
    /// that its holder is no more. Returns the fence to hand to every intent.
    func acquireLeases(
        _ stacks: [String: LeaseMode], holder: LeaseHolder, duration: Duration,
        isDead: @Sendable (LeaseHolder) -> Bool
    ) async throws(StateError) -> Fence
    /// Pushes the expiry of all leases of a holder; throws `.leaseLost` if one was taken over.
    func renewLeases(_ fence: Fence, duration: Duration) async throws(StateError)
    func releaseLeases(_ fence: Fence) async throws(StateError)

    // MARK: By hand

    /// Each of these makes a backup first and returns the name of its file.
    func move(_ from: Address, to: Address) async throws(StateError) -> String
    /// Drops the row of an address and what it deposed; the remote objects stay.
    func forget(_ addresses: [Address]) async throws(StateError) -> String
    /// What `muster doctor` looks at: nothing is changed.
    func check() async throws(StateError) -> [StateFinding]
}

/// What a configuration of a provider is bound to: with other credentials or another endpoint, the rows are not
/// looked at.
package struct StateBinding: Sendable, Hashable {
    /// The stack, for a configuration per stack.
    package var key: String
    package var provider: String
    package var account: String
    package var endpoint: String

    package init(key: String, provider: String, account: String, endpoint: String) {
        self.key = key
        self.provider = provider
        self.account = account
        self.endpoint = endpoint
    }

    package init(key: String, scope: ProviderScope) {
        self.init(key: key, provider: scope.provider, account: scope.account, endpoint: scope.endpoint)
    }
}

/// A call that is about to change something: all that the next run needs if this one dies here.
package struct JournaledIntent: Sendable, Hashable {
    package enum Operation: String, Sendable, Hashable, CaseIterable {
        case create, update, delete
    }

    /// Given by the storage.
    package var id: Int64
    package var run: Int64
    /// The number of the step in its plan.
    package var step: Int
    package var address: Address
    package var operation: Operation
    /// The object to act on; nil for a create.
    package var target: RemoteID?
    package var scope: ProviderScope
    /// 32 hexadecimal digits: the client token, and the `muster:intent` tag where the type can carry one. The intents of
    /// one call for several objects hold the same.
    package var token: String
    /// The arguments wanted afterwards, for a delete those known last; tainted ones as expressions.
    package var arguments: [String: Value]
    package var digests: [String: String]
    /// True when it was looked before the call and there was no such object.
    package var wasAbsent: Bool
    /// The version that the row must have: that of the address, or that of the deposed row.
    package var expectedVersion: Int
    package var generation: Int
    package var isProtected: Bool
    package var isDeposed: Bool
    package var deposesPrevious: Bool
    package var dependencies: [Address]
    package var started: Date
    /// Given by the storage: how long nothing was heard of its run, when it was read. The call may have been sent as
    /// late as a lease after that.
    package var silence: Duration = .zero
    /// Not kept: what the transaction checks.
    package var fence: Fence?

    package init(
        id: Int64 = 0, run: Int64, step: Int, address: Address, operation: Operation, target: RemoteID? = nil,
        scope: ProviderScope, token: String, arguments: [String: Value], digests: [String: String] = [:],
        wasAbsent: Bool = false, expectedVersion: Int, generation: Int = 1, isProtected: Bool = false,
        isDeposed: Bool = false, deposesPrevious: Bool = false, dependencies: [Address] = [],
        started: Date = Date(timeIntervalSince1970: 0), fence: Fence? = nil
    ) {
        self.id = id
        self.run = run
        self.step = step
        self.address = address
        self.operation = operation
        self.target = target
        self.scope = scope
        self.token = token
        self.arguments = arguments
        self.digests = digests
        self.wasAbsent = wasAbsent
        self.expectedVersion = expectedVersion
        self.generation = generation
        self.isProtected = isProtected
        self.isDeposed = isDeposed
        self.deposesPrevious = deposesPrevious
        self.dependencies = dependencies
        self.started = started
        self.fence = fence
    }
}

/// What a result does to the rows of one address. Versions are given by the storage.
package enum StateChange: Sendable, Hashable {
    /// A new row. With `deposesPrevious`, the present row becomes deposed in the same transaction.
    case created(ResourceRecord, deposesPrevious: Bool)
    /// A row that is there gets new contents.
    case updated(ResourceRecord)
    /// A row for an object that muster did not make.
    case adopted(ResourceRecord)
    /// The row of the address goes, and its version stays known.
    case deleted(Address)
    case deposedDeleted(Address, RemoteID)
    /// The same as `deleted`, for an object that stays.
    case forgotten(Address)
    /// The row gets another address; `ResourceRecord.address` is the new one.
    case moved(from: Address, ResourceRecord)
    /// The call had no effect.
    case nothing(Address)

    package var address: Address {
        switch self {
        case .created(let record, _), .updated(let record), .adopted(let record), .moved(_, let record):
            record.address
        case .deleted(let address), .deposedDeleted(let address, _), .forgotten(let address), .nothing(let address):
            address
        }
    }
}

/// A change of the state that belongs to a step and has no intent.
package struct RecordedChange: Sendable {
    package var run: Int64
    package var step: Step
    package var change: StateChange
    /// The version that the row must have; for a move, that of the old address.
    package var expectedVersion: Int
    package var fence: Fence?
    package var result: StepResult?

    package init(
        run: Int64, step: Step, change: StateChange, expectedVersion: Int, fence: Fence?, result: StepResult?
    ) {
        self.run = run
        self.step = step
        self.change = change
        self.expectedVersion = expectedVersion
        self.fence = fence
        self.result = result
    }
}

/// How a step ended, for the history.
package struct StepResult: Sendable, Hashable {
    package enum Outcome: String, Sendable, Hashable, CaseIterable {
        case running, done, failed, skipped, interrupted
        /// The run died; a later one found out what had happened.
        case settled
    }
    package var outcome: Outcome
    /// In words; never a value of the spec.
    package var detail: String?
    package var requestIDs: [String]

    package init(_ outcome: Outcome, detail: String? = nil, requestIDs: [String] = []) {
        self.outcome = outcome
        self.detail = detail
        self.requestIDs = requestIDs
    }
}

package struct CompletedStep: Sendable, Hashable {
    package var address: Address
    /// The version of the row of the address after the step.
    package var version: Int
    /// False: the call had its effect, and what comes after it (waiting, the rest of a creation) is still owed.
    package var isFinished: Bool

    package init(address: Address, version: Int, isFinished: Bool = true) {
        self.address = address
        self.version = version
        self.isFinished = isFinished
    }
}

package struct RunStart: Sendable, Hashable {
    package var plan: String
    package var who: String
    package var host: String
    package var pid: Int32
    package var gitCommit: String?
    /// The token of the leases: a run that is not ended and holds none is dead.
    package var holder: String
    /// The words that started it, without values.
    package var command: String
    /// How many steps its plan has.
    package var stepCount: Int

    package init(
        plan: String, who: String, host: String, pid: Int32, gitCommit: String? = nil, holder: String,
        command: String = "", stepCount: Int = 0
    ) {
        self.holder = holder
        self.command = command
        self.stepCount = stepCount
        self.plan = plan
        self.who = who
        self.host = host
        self.pid = pid
        self.gitCommit = gitCommit
    }
}

package enum RunOutcome: String, Sendable, Hashable, CaseIterable {
    case running, done, failed, interrupted, refused
    /// Found dead by a later run.
    case died
}

package struct RunRecord: Sendable, Hashable {
    package var id: Int64
    package var start: RunStart
    package var started: Date
    package var ended: Date?
    package var outcome: RunOutcome

    package init(id: Int64, start: RunStart, started: Date, ended: Date?, outcome: RunOutcome) {
        self.id = id
        self.start = start
        self.started = started
        self.ended = ended
        self.outcome = outcome
    }
}

package struct RunStepRecord: Sendable, Hashable {
    package var run: Int64
    package var step: Int
    package var address: Address
    package var operation: Step.Operation
    package var result: StepResult
    package var started: Date
    package var ended: Date?

    package init(
        run: Int64, step: Int, address: Address, operation: Step.Operation, result: StepResult, started: Date,
        ended: Date?
    ) {
        self.run = run
        self.step = step
        self.address = address
        self.operation = operation
        self.result = result
        self.started = started
        self.ended = ended
    }
}

// MARK: - Leases

package enum LeaseMode: String, Sendable, Hashable, CaseIterable {
    case exclusive, shared
}

/// Who holds leases: one run of one process.
package struct LeaseHolder: Sendable, Hashable {
    /// Unique per run: 32 hexadecimal digits.
    package var token: String
    package var who: String
    package var host: String
    package var pid: Int32
    /// What tells this process from another that got the same pid, see `ProcessIdentity`.
    package var process: String

    package init(token: String, who: String, host: String, pid: Int32, process: String = "") {
        self.token = token
        self.who = who
        self.host = host
        self.pid = pid
        self.process = process
    }
}

package struct Lease: Sendable, Hashable {
    package var stack: String
    package var holder: LeaseHolder
    package var mode: LeaseMode
    package var acquired: Date
    package var heartbeat: Date
    package var expiry: Date
    /// Grows with every acquisition of the stack.
    package var epoch: Int
    /// Given by the storage: it had ended when it was read, on the clock that does not jump where there is one.
    package var isOver = false

    package init(
        stack: String, holder: LeaseHolder, mode: LeaseMode, acquired: Date, heartbeat: Date, expiry: Date, epoch: Int
    ) {
        self.stack = stack
        self.holder = holder
        self.mode = mode
        self.acquired = acquired
        self.heartbeat = heartbeat
        self.expiry = expiry
        self.epoch = epoch
    }
}

/// What a run shows with every change: that it still holds what it acquired.
package struct Fence: Sendable, Hashable {
    package var token: String
    /// By stack.
    package var epochs: [String: Int]

    package init(token: String, epochs: [String: Int]) {
        self.token = token
        self.epochs = epochs
    }
}

/// Something that is not as it should be, found by `check`.
package struct StateFinding: Sendable, Hashable {
    package enum Severity: String, Sendable, Hashable {
        /// The file is damaged.
        case damage
        /// The next apply puts it right.
        case pending
        case notice
    }
    package var severity: Severity
    package var summary: String
    package var detail: String
    package var hint: String?

    package init(_ severity: Severity, summary: String, detail: String, hint: String? = nil) {
        self.severity = severity
        self.summary = summary
        self.detail = detail
        self.hint = hint
    }
}
