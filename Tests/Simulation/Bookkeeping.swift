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
    /// Of this process, in milliseconds.
    package let cpuPerCall: Double
    package let wallPerCall: Double
    /// Pages of 4 KiB that the calls append to the journal of SQLite.
    package let pagesPerCall: Double

    /// - Parameter folder: on the disk that is measured.
    package static func measure(_ resources: Int, calls: Int = 100, in folder: String) async throws -> Bookkeeping {
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
        let size = bytes(path + "-wal")
        let wall = ContinuousClock.now
        let cpu = clock()
        for number in resources..<(resources + calls) { try await make(number, storage, run, fence) }
        let cpuTime = Double(clock() - cpu) / Double(CLOCKS_PER_SEC)
        let elapsed = ContinuousClock.now - wall
        let grown = max(0, bytes(path + "-wal") - size)
        try await storage.close()
        return Bookkeeping(
            resources: resources, cpuPerCall: cpuTime * 1000 / Double(calls),
            wallPerCall: elapsed.inSeconds * 1000 / Double(calls), pagesPerCall: Double(grown) / 4120 / Double(calls))
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

    private static func bytes(_ path: String) -> Int {
        (try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int) ?? 0
    }
}
