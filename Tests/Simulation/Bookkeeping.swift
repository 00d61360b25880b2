import FoundationEssentials
import MusterModel
import StateStorage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What the journal costs per call, with so many resources in the state: two transactions, on the real file.
package struct Bookkeeping: Sendable {
    package let resources: Int
    /// Of this process in its own code, in milliseconds.
    package let userPerCall: Double
    /// Of the kernel for this process, in milliseconds: writing to the disk and waiting for it, for the most part.
    package let systemPerCall: Double
    package let wallPerCall: Double

    /// - Parameter folder: on the disk that is measured.
    package static func measure(_ resources: Int, calls: Int = 1_000, in folder: String) async throws -> Bookkeeping {
        let path = folder + "/muster-bookkeeping-\(getpid())-\(resources).db"
        defer { for suffix in ["", "-wal", "-shm"] { unlink(path + suffix) } }
        let storage = try SQLiteStateStorage.forWriting(
            path: path, workspace: "measure", now: { Date() }, makeToken: { String(repeating: "0", count: 32) })
        let run = try await storage.beginRun(
            RunStart(plan: "p", who: "m", host: "h", pid: 1, holder: "holder"))
        let fence = try await storage.acquireLeases(
            ["s": .exclusive], holder: LeaseHolder(token: "holder", who: "m", host: "h", pid: 1),
            duration: .seconds(3600), isDead: { _ in false })
        for number in 0..<resources { try await make(number, storage, run, fence) }
        let wall = ContinuousClock.now
        let cpu = processorTimes()
        for number in resources..<(resources + calls) { try await make(number, storage, run, fence) }
        let spent = processorTimes()
        let elapsed = ContinuousClock.now - wall
        try await storage.close()
        return Bookkeeping(
            resources: resources, userPerCall: (spent.user - cpu.user) * 1000 / Double(calls),
            systemPerCall: (spent.system - cpu.system) * 1000 / Double(calls),
            wallPerCall: elapsed.inSeconds * 1000 / Double(calls))
    }

    private static func make(_ number: Int, _ storage: SQLiteStateStorage, _ run: Int64, _ fence: Fence) async throws {
        let address = Address(stack: "s", type: "aws.security_group", name: "group-\(number)")
        let scope = ProviderScope(provider: "aws", account: "1", region: "us-east-1", endpoint: "aws")
        let arguments: [String: Value] = [
            "name": .string("group-\(number)"), "vpc_id": "vpc-0a1b2c3d", "description": "Managed by muster",
            "tags": .map(["ManagedBy": "muster", "Name": .string("group-\(number)")]),
        ]
        let intent = try await storage.recordIntent(
            JournaledIntent(
                run: run, step: number, address: address, operation: .create, scope: scope,
                token: "\(number)", arguments: arguments, expectedVersion: 0, fence: fence))
        let record = ResourceRecord(
            address: address, id: RemoteID("sg-\(number)"), scope: scope, arguments: arguments,
            outputs: [
                "id": .string("sg-\(number)"), "arn": .string("arn:aws:ec2:us-east-1:1:security-group/sg-\(number)"),
            ],
            dependencies: [Address(stack: "s", type: "aws.vpc", name: "main")])
        _ = try await storage.complete(
            intent: intent, .created(record, deposesPrevious: false), result: StepResult(.done))
    }

    /// What this process took so far, in seconds.
    private static func processorTimes() -> (user: Double, system: Double) {
        var usage = rusage()
        // RUSAGE_SELF, whose type is another one in each C library.
        getrusage(0, &usage)
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1_000_000 }
        return (seconds(usage.ru_utime), seconds(usage.ru_stime))
    }
}
