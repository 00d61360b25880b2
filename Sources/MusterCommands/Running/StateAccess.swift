import FoundationEssentials
import MusterModel
import SpecLoading
import StateStorage

extension Workbench {
    /// The state as `plan`, `drift` and `show` open it: nothing is made, nothing is changed.
    func stateForReading(_ workspace: LoadedWorkspace) throws(StateError) -> SQLiteStateStorage {
        try SQLiteStateStorage.forReading(
            path: statePath(workspace), now: { Date() }, makeToken: { RandomToken.make() }, uptime: { Uptime.now() })
    }

    func stateForWriting(_ workspace: LoadedWorkspace) throws(StateError) -> SQLiteStateStorage {
        try SQLiteStateStorage.forWriting(
            path: statePath(workspace), workspace: workspace.name, now: { Date() }, makeToken: { RandomToken.make() },
            uptime: { Uptime.now() })
    }

    func readState(
        _ workspace: LoadedWorkspace
    ) async throws(CommandFailure) -> (snapshot: Snapshot, bindings: [String: StateBinding]) {
        do throws(StateError) {
            let storage = try stateForReading(workspace)
            return (try await storage.snapshot(), try await storage.bindings())
        } catch {
            throw CommandFailure(error)
        }
    }

    /// A change by hand: the storage makes a backup first, whose name is returned.
    func editState(
        _ workspace: LoadedWorkspace, _ edit: (SQLiteStateStorage) async throws(StateError) -> String
    ) async throws(CommandFailure) -> String {
        do throws(StateError) {
            return try await edit(try stateForWriting(workspace))
        } catch {
            throw CommandFailure(error)
        }
    }
}

extension Uptime {
    /// The machine's boot, and the time since then with what it was asleep.
    static func now() -> Uptime {
        guard let start else { return Uptime() }
        return Uptime(boot: ProcessIdentity.boot, elapsed: start.uptime + (ContinuousClock.now - start.instant))
    }

    /// `ContinuousClock` counts through suspend, but does not say since when.
    private static let start: (uptime: Duration, instant: ContinuousClock.Instant)? = {
        guard !ProcessIdentity.boot.isEmpty, let text = try? String(contentsOfFile: "/proc/uptime", encoding: .utf8),
            let seconds = text.split(separator: " ").first.flatMap({ Double($0) })
        else { return nil }
        return (.seconds(seconds), ContinuousClock.now)
    }()
}

/// 32 lower-case hexadecimal digits from the system's randomness: tokens of intents, runs and lineages.
enum RandomToken {
    static func make() -> String {
        var generator = SystemRandomNumberGenerator()
        let digits = Array("0123456789abcdef".utf8)
        return String(
            decoding: (0..<32).map { _ in digits[Int(generator.next(upperBound: 16 as UInt))] }, as: UTF8.self)
    }
}

extension StateError {
    /// What the process tells its caller.
    var exitStatus: ExitStatus {
        switch kind {
        case .leaseHeld: .leaseHeld
        case .boundElsewhere, .moved, .newerSchema: .refused
        default: .failure
        }
    }

    /// A stable word for tools.
    var code: String {
        switch kind {
        case .notADatabase: "not-a-database"
        case .torn: "torn"
        case .unreadable: "unreadable"
        case .readOnly: "read-only"
        case .busy: "busy"
        case .diskFull: "disk-full"
        case .foreign: "foreign"
        case .newerSchema: "newer-schema"
        case .networkFilesystem: "network-filesystem"
        case .notDurable: "not-durable"
        case .boundElsewhere: "bound-elsewhere"
        case .leaseHeld: "lease-held"
        case .leaseLost: "lease-lost"
        case .moved: "moved"
        case .noSuchResource: "no-such-resource"
        case .addressTaken: "address-taken"
        case .alreadyManaged: "already-managed"
        case .intentGone: "intent-gone"
        case .intentOpen: "intent-open"
        case .other: "other"
        }
    }
}
