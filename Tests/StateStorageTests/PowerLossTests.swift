import CPowerLoss
import Foundation
import MusterModel
import StateStorage
import TestSupport
import Testing

// Power that goes is more than a process that dies: what was written and not synced is lost, or there in part. SQLite
// writes through a disk that remembers the order (Tests/CPowerLoss); for every moment between two writes the files are
// made as they may have been left, opened, and compared with what had been promised by then.

@Test("Whenever the power goes, the state is as before or as after the write that it met, and what returned stays")
func powerLoss() async throws {
    let scratch = try Scratch()
    #expect(power_install(scratch.path) == 0)
    let run = try await base(scratch)
    let files = Disk(scratch)
    power_start()
    let promises = try await work(scratch, run)
    power_stop()
    let events = (0..<power_count()).map { power_get($0) }
    #expect(events.contains { $0.name.text == "muster.db" && $0.kind == POWER_WRITE }, "nothing was checkpointed")
    var syncs = 0
    var random = SeededGenerator(seed: 1)
    for cut in 0...events.count {
        if cut > 0, events[cut - 1].kind == POWER_SYNC { syncs += 1 }
        for arrives in [0.0, 0.5, 1.0] {
            let left = files.after(events[..<cut], arrives: arrives, &random)
            let told = try await seen(left)
            let kept = promises.lastIndex { $0.events <= cut } ?? 0
            let allowed = promises[kept...].prefix(2).map(\.told)
            #expect(allowed.contains(told), "after event \(cut) of \(events.count), \(arrives) of the rest arrived")
        }
    }
    // A disk that is never synced would keep nothing: what keeps the promises is the syncs.
    let unsynced = events.filter { $0.kind != POWER_SYNC }
    let lost = try await seen(files.after(unsynced[...], arrives: 0, &random))
    #expect(lost == promises.first?.told && lost != promises.last?.told)
    print("\(events.count) writes and syncs, \(syncs) of them syncs, \(promises.count - 1) transactions")
    #expect(syncs >= promises.count - 1)
}

/// What the state said when an operation returned, and how much the disk had been asked by then.
private struct Promise {
    let events: Int
    let told: String
}

/// A state with a run.
private func base(_ scratch: Scratch) async throws -> Int64 {
    let storage = try scratch.writer()
    let run = try await storage.beginRun(runStart)
    try await storage.close()
    return run
}

/// As an apply does: an intent and a result for each of some creations, changes and deletions; then the file is closed.
private func work(_ scratch: Scratch, _ run: Int64) async throws -> [Promise] {
    let storage = try scratch.writer()
    var promises = [Promise(events: power_count(), told: try await told(storage))]
    func note() async throws { promises.append(Promise(events: power_count(), told: try await told(storage))) }
    for number in 0..<8 {
        let record = record(address("vpc\(number)"), id: RemoteID("vpc-\(number)"))
        let making = try await storage.recordIntent(intent(run, record.address, step: number))
        try await note()
        _ = try await storage.complete(
            intent: making, .created(record, deposesPrevious: false), result: StepResult(.done))
        try await note()
        if number % 3 == 2 {
            let going = try await storage.recordIntent(
                intent(run, record.address, .delete, step: 100 + number, version: 1, target: record.id))
            try await note()
            _ = try await storage.complete(intent: going, .deleted(record.address), result: StepResult(.done))
            try await note()
        }
    }
    try await storage.close()
    return promises
}

private func told(_ storage: SQLiteStateStorage) async throws -> String {
    let snapshot = try await storage.snapshot()
    let rows = snapshot.records.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.id)" }
    let intents = try await storage.openIntents().map { "\($0.operation.rawValue) \($0.address)" }.sorted()
    return (rows + intents).joined(separator: "\n")
}

/// What the next run finds.
private func seen(_ disk: Disk) async throws -> String {
    let scratch = try Scratch()
    for (name, bytes) in disk.contents { try bytes.write(to: URL(fileURLWithPath: scratch.path + "/" + name)) }
    let storage = try scratch.writer()
    let damage = try await storage.check().filter { $0.severity == .damage }
    #expect(damage.isEmpty)
    let told = try await told(storage)
    try await storage.close()
    return told
}

/// The files of the state, by name.
private struct Disk {
    var contents: [String: Data] = [:]

    init(_ scratch: Scratch) {
        for name in scratch.files { contents[name] = scratch.bytes(name) }
    }

    /// As the machine finds it when it comes back. What was not synced is there with a probability.
    func after(
        _ events: ArraySlice<power_event>, arrives: Double, _ random: inout SeededGenerator
    ) -> Disk {
        var disk = self
        var waiting: [String: [power_event]] = [:]
        for event in events {
            let name = event.name.text
            switch event.kind {
            case POWER_SYNC:
                for write in waiting.removeValue(forKey: name) ?? [] { disk.apply(write) }
            case POWER_DELETE:
                waiting[name] = nil
                disk.contents[name] = nil
            default: waiting[name, default: []].append(event)
            }
        }
        for (name, writes) in waiting.sorted(by: { $0.key < $1.key }) {
            disk.contents[name] = disk.contents[name] ?? Data()
            for write in writes where Double.random(in: 0..<1, using: &random) < arrives { disk.apply(write) }
        }
        // An index of the journal that is only in memory.
        disk.contents["muster.db-shm"] = nil
        return disk
    }

    private mutating func apply(_ event: power_event) {
        var data = contents[event.name.text] ?? Data()
        let offset = Int(event.offset)
        if event.kind == POWER_TRUNCATE {
            data = data.prefix(offset) + Data(count: max(0, offset - data.count))
        } else {
            let end = offset + event.count
            if data.count < end { data.append(Data(count: end - data.count)) }
            data.replaceSubrange(offset..<end, with: UnsafeBufferPointer(start: event.bytes, count: event.count))
        }
        contents[event.name.text] = data
    }
}

extension UnsafePointer<CChar> {
    fileprivate var text: String { String(cString: self) }
}
