import AWSClient
import Applying
import Diagnostics
import Dispatch
import FoundationEssentials
import MusterModel
import Planning
import ProviderKit
import Reporting
import SpecLoading
import StateStorage
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// How a plan is to be applied.
struct ApplyRequest {
    var isApproved = false
    var allowed: Set<Hazard.Kind> = []
    var parallelism = 10
    var eventsPath: String?
    /// How long to wait for a lease that another run holds.
    var leasePatience: Duration = .zero
    /// The words that started it, without values.
    var command = ""
}

extension Workbench {
    /// Asks what must be asked, applies, and says how it ended.
    func apply(
        _ plan: Plan, _ workspace: LoadedWorkspace, scopes: [String: ProviderScope], _ request: ApplyRequest
    ) async throws(CommandFailure) -> ExitStatus {
        try approve(plan, workspace, request)
        var plan = plan
        // A plan that was made without asking the cloud learns here whose account it is.
        for index in plan.steps.indices where plan.steps[index].scope.account.isEmpty {
            if let scope = scopes[plan.steps[index].address.stack], scope.provider == plan.steps[index].scope.provider {
                plan.steps[index].scope = scope
            }
        }
        for (stack, scope) in plan.scopes where scope.account.isEmpty { plan.scopes[stack] = scopes[stack] }
        let storage: SQLiteStateStorage
        do throws(StateError) {
            storage = try stateForWriting(workspace)
        } catch {
            throw CommandFailure(error)
        }
        let signals = SignalWatch()
        defer { signals.stop() }
        let outcome = try await run(plan, workspace, storage, signals, request)
        do throws(StateError) { try await storage.close() } catch { throw CommandFailure(error) }
        console.write(ApplyText.render(outcome, plan: plan, options: textOptions))
        return status(of: outcome, signals)
    }

    private func status(of outcome: ApplyOutcome, _ signals: SignalWatch) -> ExitStatus {
        switch outcome {
        case .done: return .success
        case .interrupted: return signals.status
        case .refused: return .refused
        case .failed(let report):
            let kinds = Set(report.failures.map(\.failure.kind))
            if kinds == [.credentials] { return .credentials }
            if kinds == [.nameClash], report.finished.isEmpty { return .refused }
            return .failure
        }
    }

    // MARK: Approval

    /// Nothing is applied that nobody looked at: a person says yes, or a flag or a plan file stands for it; and every
    /// hazard is allowed by its name.
    private func approve(
        _ plan: Plan, _ workspace: LoadedWorkspace, _ request: ApplyRequest
    ) throws(CommandFailure) {
        let open = plan.hazards.filter { hazard in
            !request.allowed.contains(hazard.kind)
                && !(workspace.allowedHazards[hazard.address.stack]?.contains(hazard.kind) ?? false)
        }
        let kinds = Hazard.Kind.allCases.filter { kind in open.contains { $0.kind == kind } }
        let mayAsk = console.isInputTerminal && !request.isApproved
        if !kinds.isEmpty, !mayAsk {
            throw CommandFailure(
                .refused,
                open.map { hazard in
                    Diagnostic(
                        code: "apply.hazard", summary: "Refused: \(hazard.kind.rawValue)",
                        detail: "\(hazard.address): \(hazard.text)",
                        hint: "Allow it with --allow \(hazard.kind.rawValue).")
                })
        }
        for kind in kinds {
            let answer = console.ask("This plan has the hazard \(kind.rawValue). Type its name to allow it: ")
            if answer?.trimmed != kind.rawValue {
                throw CommandFailure(
                    .refused, code: "apply.hazard", summary: "Refused: \(kind.rawValue)",
                    detail: "It was not allowed; nothing was changed.")
            }
        }
        if request.isApproved { return }
        guard console.isInputTerminal else {
            throw CommandFailure(
                .refused, code: "apply.not-approved", summary: "Nobody approved the plan",
                detail: "There is no terminal to ask at, no plan file and no --auto-approve; nothing was changed.",
                hint: "Keep a plan with \"muster plan --out FILE\" and apply that, or give --auto-approve.")
        }
        let answer = console.ask("\nApply this plan? Only \"yes\" is taken as yes: ")
        if answer?.trimmed.lowercased() != "yes" {
            throw CommandFailure(
                .refused, code: "apply.not-approved", summary: "Not approved", detail: "Nothing was changed.")
        }
    }

    // MARK: Running

    private func run(
        _ plan: Plan, _ workspace: LoadedWorkspace, _ storage: SQLiteStateStorage, _ signals: SignalWatch,
        _ request: ApplyRequest
    ) async throws(CommandFailure) -> ApplyOutcome {
        let (events, sink) = AsyncStream<ApplyEvent>.makeStream()
        let display = ProgressDisplay(
            console: console, steps: plan.steps, parallelism: request.parallelism, eventsPath: request.eventsPath)
        let shown = Task { await display.show(events) }
        let hasSecrets = plan.steps.contains { step in
            step.desired.values.contains(where: \.isTainted)
                || (catalog[step.address.type]?.arguments.contains { $0.isSensitive && step.desired[$0.name] != nil }
                    ?? false)
        }
        let key = hasSecrets ? try DigestKey.load(environment: console.environment) : nil
        let environment = environment(workspace, storage, key, parallelism: request.parallelism) { sink.yield($0) }
        let outcome: Result<ApplyOutcome, StateError>
        do throws(StateError) {
            outcome = .success(
                try await Applier(environment).apply(
                    plan, by: identity(workspace, command: request.command), interruptions: signals.interruptions))
        } catch {
            outcome = .failure(error)
        }
        sink.finish()
        await shown.value
        do throws(StateError) {
            return try outcome.get()
        } catch {
            throw CommandFailure(error)
        }
    }

    /// What an earlier run left open is settled before a plan is made, so that the plan is made from what is.
    func settle(_ workspace: LoadedWorkspace) async throws(CommandFailure) {
        let settlements: [Settlement]
        do throws(StateError) {
            if try await stateForReading(workspace).openIntents().isEmpty { return }
            let storage = try stateForWriting(workspace)
            let key = try? DigestKey.load(environment: console.environment)
            settlements = try await Applier(environment(workspace, storage, key, parallelism: 10) { _ in })
                .settle(by: identity(workspace))
            try await storage.close()
        } catch {
            throw CommandFailure(error)
        }
        for settlement in settlements { console.talk("An earlier run stopped here: \(settlement.text)\n") }
    }

    /// Does it again whenever another run held a lease, as long as the patience lasts.
    func waiting(
        _ patience: Duration, _ body: () async throws(CommandFailure) -> ExitStatus
    ) async throws(CommandFailure) -> ExitStatus {
        let deadline = ContinuousClock.now + patience
        while true {
            do throws(CommandFailure) {
                return try await body()
            } catch {
                guard let lease = error.lease, ContinuousClock.now < deadline else { throw error }
                let holder = lease.holder
                console.talk(
                    "Waiting for \(holder.who) on \(holder.host) (process \(holder.pid)), who holds \(lease.stack) since "
                        + "\(lease.acquired.formatted(.iso8601)).\n")
                while ContinuousClock.now < deadline, await isHeld(lease) {
                    try? await Task.sleep(for: .milliseconds(500))
                }
            }
        }
    }

    private func isHeld(_ lease: Lease) async -> Bool {
        guard let workspace = try? load(), let storage = try? stateForReading(workspace),
            let leases = try? await storage.leases()
        else { return false }
        return leases.contains { other in
            other.stack == lease.stack && other.holder == lease.holder && !other.isOver
                && !ProcessIdentity.isDead(other.holder)
        }
    }

    private func environment(
        _ workspace: LoadedWorkspace, _ storage: SQLiteStateStorage, _ key: DigestKey?, parallelism: Int,
        _ events: @escaping @Sendable (ApplyEvent) -> Void
    ) -> ApplyEnvironment {
        let provider = provider
        let reader = secretReader(workspace)
        let configurations = workspace.configurations
        return ApplyEnvironment(
            storage: storage, catalog: catalog,
            session: { (_, configuration, expecting) async throws(ProviderError) -> any ProviderSession in
                try await provider.session(for: configuration, expecting: expecting)
            },
            resolveSecret: { reference in
                try await reader.text(
                    reference, configurations.min { $0.key < $1.key }?.value ?? ProviderConfiguration())
            },
            digest: { value in key?.digest(ValueJSON.text(value)) ?? "" }, makeToken: { RandomToken.make() },
            random: { Double.random(in: 0..<1) }, clock: ContinuousClock(), now: { Date() },
            events: events, parallelism: parallelism, timing: timing, configurations: configurations)
    }

    /// `MUSTER_CONSISTENCY_WINDOW`: how long what was made may stay invisible, for endpoints that show it at once.
    var timing: ApplyTiming {
        var timing = ApplyTiming()
        if let window = console.environment["MUSTER_CONSISTENCY_WINDOW"].flatMap({ Duration(written: $0) }) {
            timing.consistencyWindow = window
        }
        return timing
    }

    func identity(_ workspace: LoadedWorkspace, command: String = "") -> RunIdentity {
        var buffer = [CChar](repeating: 0, count: 256)
        let host =
            gethostname(&buffer, buffer.count - 1) == 0
            ? String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self) : "unknown"
        let pid = getpid()
        let commit = ChildProcess.runBlocking([
            "git", "-C", LocalFile.folder(of: workspace.path), "rev-parse", "--short=12", "HEAD",
        ])
        let text = commit.flatMap { $0.exitCode == 0 ? String(decoding: $0.output, as: UTF8.self).trimmed : nil }
        return RunIdentity(
            who: console.environment["USER"] ?? console.environment["LOGNAME"] ?? "unknown", host: host, pid: pid,
            process: ProcessIdentity.of(pid: pid), gitCommit: text, command: command)
    }
}

/// SIGINT, SIGTERM and SIGHUP (the terminal is gone) as a stream: the first starts nothing new; further ones change
/// nothing, so that a second press is safe too. A reader of our output that goes away ends nothing either.
struct SignalWatch {
    let interruptions: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation
    private let sources: [any DispatchSourceSignal]
    private let first = FirstSignal()

    /// The exit status of a run that was interrupted: as a shell tells it, by the signal that came first.
    var status: ExitStatus {
        switch first.number.withLock({ $0 }) {
        case SIGTERM: .terminated
        case SIGHUP: .hungUp
        default: .interrupted
        }
    }

    /// A lock, since the system calls back on a queue of its own.
    private final class FirstSignal: Sendable {
        let number = Mutex<Int32?>(nil)
    }

    init() {
        let (stream, continuation) = AsyncStream<Void>.makeStream()
        interruptions = stream
        self.continuation = continuation
        let first = first
        signal(SIGPIPE, SIG_IGN)
        sources = [SIGINT, SIGTERM, SIGHUP].compactMap { number in
            let before = signal(number, SIG_IGN)
            // Whoever started us does not want us to hear of it: nohup, a shell's background job.
            if unsafeBitCast(before, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self) { return nil }
            let source = DispatchSource.makeSignalSource(signal: number)
            source.setEventHandler {
                first.number.withLock { $0 = $0 ?? number }
                continuation.yield()
            }
            source.resume()
            return source
        }
    }

    func stop() {
        for source in sources { source.cancel() }
        continuation.finish()
        signal(SIGPIPE, SIG_DFL)
        for source in sources { signal(Int32(source.handle), SIG_DFL) }
    }
}

extension String {
    /// Without white space at its ends.
    var trimmed: String {
        var text = self[...]
        while let first = text.first, first.isWhitespace { text.removeFirst() }
        while let last = text.last, last.isWhitespace { text.removeLast() }
        return String(text)
    }
}
