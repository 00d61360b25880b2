import AWSClient
import ArgumentParser
import Diagnostics
import FoundationEssentials
import MusterModel
import Reporting
import ResourceGraph
import SpecLoading
import StateStorage

struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Check the workspace, the state, this machine and the credentials.",
        discussion: "Says what is wrong and what would put it right. Nothing is changed.")

    @OptionGroup var scope: ScopeOptions

    func run() async throws {
        let console = Console(scope)
        try await perform(console) {
            let (skews, sink) = AsyncStream<Duration>.makeStream(bufferingPolicy: .bufferingNewest(1))
            let aws = AWSAccess.provider(console) { attempt in
                if let skew = attempt.skew { sink.yield(skew) }
            }
            let provider = try Providers.make(console, directory: scope.directory, aws: aws)
            var visit = DoctorVisit(
                console: console, workbench: Workbench(console: console, options: scope, provider: provider))
            await visit.run()
            sink.finish()
            for await skew in skews { visit.lookAtClock(skew) }
            return visit.isHealthy ? .success : .failure
        }
    }
}

/// Looks at one thing after the other; what is wrong with one keeps nobody from looking at the next.
private struct DoctorVisit {
    let console: Console
    let workbench: Workbench
    var isHealthy = true

    mutating func run() async {
        let workspace: LoadedWorkspace
        do throws(CommandFailure) {
            workspace = try workbench.loadForState()
            good("workspace", "\(workspace.name), \(workspace.stacks.count) stacks, \(workspace.path)")
        } catch {
            bad("workspace", error)
            return
        }
        lookAtSpecs()
        await lookAtState(workspace)
        do throws(CommandFailure) {
            let lock = try LookupLock.read(workbench.lockPath(workspace))
            good("lock", "\(lock.path), \(lock.entries.values.reduce(0) { $0 + $1.count }) pinned answers")
        } catch {
            bad("lock", error)
        }
        await lookAtDigestKey(workspace)
        await lookAtCredentials(workspace)
    }

    private mutating func lookAtSpecs() {
        do throws(CommandFailure) {
            let analysis = workbench.analyse(try workbench.load(), lookups: nil)
            let errors = analysis.diagnostics.filter { $0.severity == .error }
            if !errors.isEmpty { throw CommandFailure(.failure, errors) }
            good("specs", "\(analysis.linked?.spec.declarations.count ?? 0) resources")
        } catch {
            bad("specs", error)
        }
    }

    // MARK: State

    private mutating func lookAtState(_ workspace: LoadedWorkspace) async {
        let path = workbench.statePath(workspace)
        do throws(StateError) {
            let storage = try workbench.stateForReading(workspace)
            if LocalFile.exists(path) {
                let snapshot = try await storage.snapshot()
                let findings = try await storage.check()
                if !findings.contains(where: { $0.severity == .damage }) {
                    good("state", "\(path), \(snapshot.records.count) resources")
                }
                findings.forEach { tell($0) }
                if findings.contains(where: { $0.severity == .damage }) { await tellBackups(of: path) }
                try await lookAtLeases(storage)
                await lookAtHistory(workspace)
            } else {
                good("state", "none yet; the first apply makes \(path)")
            }
        } catch {
            bad("state", CommandFailure(error))
            if error.kind == .torn || error.kind == .notADatabase { await tellBackups(of: path) }
        }
        lookAtDisk(path)
    }

    private mutating func tell(_ finding: StateFinding) {
        switch finding.severity {
        case .damage: wrong("state", "\(finding.summary): \(finding.detail)")
        case .pending, .notice: note("state", "\(finding.summary): \(finding.detail)")
        }
        if let hint = finding.hint { cure(hint) }
    }

    private func lookAtLeases(_ storage: SQLiteStateStorage) async throws(StateError) {
        // Those that are over are among the findings.
        for lease in try await storage.leases() where !lease.isOver {
            let holder = "\(lease.holder.who) on \(lease.holder.host) (process \(lease.holder.pid))"
            let stack = lease.stack.quoted
            if ProcessIdentity.isDead(lease.holder) {
                note("state", "the stack \(stack) is leased by \(holder), which runs no more")
                cure("Nothing is to be done: the next apply takes it over at once.")
            } else {
                note("state", "the stack \(stack) is leased by \(holder) since \(lease.acquired.formatted(.iso8601))")
                cure(
                    "If that run is dead, its lease ends at \(lease.expiry.formatted(.iso8601)) by itself; "
                        + "\"apply --wait 10m\" waits for it.")
            }
        }
    }

    private func lookAtHistory(_ workspace: LoadedWorkspace) async {
        guard let latest = try? await workbench.history(limit: 1, workspace).first, latest.outcome == .died else {
            return
        }
        note("state", "the latest run died: run \(latest.id), started \(latest.started)")
        cure("\"muster history \(latest.id)\" says where; \"muster apply\" goes on.")
    }

    private mutating func lookAtDisk(_ path: String) {
        let folder = LocalFile.folder(of: path)
        if LocalFile.exists(path), !LocalFile.isWritable(path) {
            wrong("disk", "\(path) cannot be written by this user: plans work, an apply would refuse")
            cure("Give this user write permission, or run as the user who owns it.")
        } else if LocalFile.isDirectory(folder), !LocalFile.isWritable(folder) {
            wrong("disk", "the folder \(folder) cannot be written by this user: plans work, an apply would refuse")
            cure("SQLite writes beside the state too: give this user write permission on the folder.")
        }
        guard let free = LocalFile.freeSpace(at: path) else { return }
        let text = "\(free >> 20) MiB are free where the state is"
        if free < 1 << 20 {
            wrong("disk", "\(free >> 10) KiB are free where the state is: an apply would stop before its first call")
            cure("Make room first; nothing is lost by waiting.")
        } else if free < 64 << 20 {
            note("disk", text)
        } else {
            good("disk", text)
        }
    }

    /// What there is to go back to.
    private func tellBackups(of path: String) async {
        let folder = LocalFile.folder(of: path)
        let name = path.split(separator: "/").last.map(String.init) ?? path
        let backups = LocalFile.names(in: folder).filter { $0.hasPrefix("\(name).backup-") }.reversed()
        for backup in backups {
            let file = LocalFile.join(folder, backup)
            guard
                let storage = try? SQLiteStateStorage.forReading(
                    path: file, now: { Date() }, makeToken: { RandomToken.make() }),
                let snapshot = try? await storage.snapshot()
            else { continue }
            cure("The newest backup that can be read is \(file), with \(snapshot.records.count) resources. To go back:")
            let companions = ["-wal", "-shm"].map { path + $0 }.filter { LocalFile.exists($0) }
            let damaged = ([path] + companions).joined(separator: " ")
            cure("  mkdir \(path).damaged && mv \(damaged) \(path).damaged/ && cp \(file) \(path)")
            cure("What was made after it carries the tag muster:intent; \"muster import\" adopts it.")
            return
        }
        cure("There is no backup beside it. Keep the damaged file: SQLite's \".recover\" reads what is left of it.")
        cure("What muster made carries the tag muster:intent; \"muster import\" adopts it into a new state.")
    }

    // MARK: Key, credentials, clock

    private mutating func lookAtDigestKey(_ workspace: LoadedWorkspace) async {
        let path = DigestKey.path(console.environment)
        let snapshot = try? await workbench.stateForReading(workspace).snapshot()
        let used = Set(
            (snapshot?.records.values.flatMap { $0.digests.values } ?? []).compactMap(DigestKey.identifier))
        guard LocalFile.exists(path) else {
            if used.isEmpty {
                good("digest key", "none yet; it is made with the first secret, in \(path)")
            } else {
                wrong("digest key", "\(path) is missing, and the state holds digests that were made with it")
                cure("Bring the file back from where this state was applied before, or set MUSTER_KEY_FILE to it.")
                cure("Without it every secret counts as changed, and an apply sends each again.")
            }
            return
        }
        do throws(CommandFailure) {
            let key = try DigestKey.load(environment: console.environment)
            if !used.isEmpty, !used.contains(key.identifier) {
                wrong("digest key", "\(path) is another key than the one that the state's digests were made with")
                cure("Every secret counts as changed: bring the right file back, or set MUSTER_KEY_FILE to it.")
            } else {
                good("digest key", path)
            }
        } catch {
            bad("digest key", error)
        }
        if let mode = LocalFile.mode(of: path), mode & 0o077 != 0 {
            wrong("digest key", "others than its owner may read \(path)")
            cure("chmod 600 \(path)")
        }
        if LocalFile.folder(of: path) == LocalFile.folder(of: workbench.statePath(workspace)) {
            note("digest key", "it lies beside the state: who copies the one has the other")
            cure("Set MUSTER_KEY_FILE to a place of its own.")
        }
    }

    private mutating func lookAtCredentials(_ workspace: LoadedWorkspace) async {
        do throws(CommandFailure) {
            let scopes = try await workbench.scopes(workspace, stacks: workspace.stacks)
            let places = Set(scopes.values.map { "account \($0.account), \($0.region), endpoint \($0.endpoint)" })
            for place in places.sorted() { good("credentials", place) }
            let state: [String: StateBinding]
            do throws(StateError) { state = try await workbench.stateForReading(workspace).bindings() } catch {
                // Told where the state was looked at.
                return
            }
            try workbench.checkBindings(state, scopes, workspace)
        } catch {
            bad("credentials", error)
        }
    }

    /// - Parameter skew: by how much AWS's clock is ahead of ours.
    mutating func lookAtClock(_ skew: Duration) {
        let seconds = skew.components.seconds
        let text = "this machine's clock is \(abs(seconds)) seconds \(seconds > 0 ? "behind" : "ahead of") AWS's"
        if abs(seconds) < 30 {
            good("clock", "within half a minute of AWS's")
        } else {
            note("clock", text)
            cure("Requests are corrected by it, but the history and the ends of leases are not: set the clock.")
        }
    }

    // MARK: Saying

    private func good(_ what: String, _ text: String) { console.write("✓ \(what): \(text)\n") }
    private func note(_ what: String, _ text: String) { console.write("! \(what): \(text)\n") }
    private func cure(_ text: String) { console.write("  → \(text)\n") }

    private mutating func wrong(_ what: String, _ text: String) {
        isHealthy = false
        console.write("✗ \(what): \(text)\n")
    }

    private mutating func bad(_ what: String, _ failure: CommandFailure) {
        isHealthy = false
        console.write("✗ \(what):\n")
        let renderer = DiagnosticRenderer(isColoured: console.isColoured(console.isOutputTerminal))
        console.write(renderer.render(failure.diagnostics))
    }
}
