import Expressions
import MusterModel

/// `muster.lock`: what lookups answered, by account and region.
///
/// A most-recent image is a choice that must not change by itself: it is pinned here and belongs into version control.
/// Other lookups are kept as well, so that `--no-refresh` sends no request at all.
struct LookupLock {
    private(set) var entries: [String: [String: Entry]] = [:]
    private(set) var isChanged = false
    let path: String

    struct Entry: Equatable {
        /// A digest of the question: another question is another entry.
        var question: String
        var answer: [String: Value]
    }

    static func read(_ path: String) throws(CommandFailure) -> LookupLock {
        var lock = LookupLock(path: path)
        let bytes: [UInt8]
        do {
            bytes = try LocalFile.read(path)
        } catch {
            if error.isMissing { return lock }
            throw CommandFailure(
                code: "lock.unreadable", summary: "The lock file cannot be read", detail: "\(path): \(error.message).")
        }
        guard let root = try? ValueJSON.decodePlain(String(decoding: bytes, as: UTF8.self)).map,
            root["version"]?.integer == 1, let places = root["lookups"]?.map
        else {
            throw CommandFailure(
                code: "lock.damaged", summary: "The lock file is damaged", detail: "\(path) is not a lock of muster.",
                hint: "Restore it from version control, or remove it: lookups are then made anew.")
        }
        for (place, lookups) in places {
            for (address, entry) in lookups.map ?? [:] {
                guard let question = entry.map?["question"]?.string, let answer = entry.map?["answer"]?.map else {
                    continue
                }
                lock.entries[place, default: [:]][address] = Entry(question: question, answer: answer)
            }
        }
        return lock
    }

    private init(path: String) { self.path = path }

    static func place(_ scope: ProviderScope) -> String { "\(scope.account)/\(scope.region)" }

    func answer(to request: LookupRequest, in scope: ProviderScope) -> [String: Value]? {
        let place =
            scope.account.isEmpty
            ? entries.keys.sorted().first { $0.hasSuffix("/\(scope.region)") } ?? "" : LookupLock.place(scope)
        guard let entry = entries[place]?[request.address.description],
            entry.question == LookupLock.question(request)
        else { return nil }
        return entry.answer
    }

    mutating func remember(_ answer: [String: Value], to request: LookupRequest, in scope: ProviderScope) {
        let entry = Entry(question: LookupLock.question(request), answer: answer)
        let place = LookupLock.place(scope)
        if entries[place]?[request.address.description] == entry { return }
        entries[place, default: [:]][request.address.description] = entry
        isChanged = true
    }

    func write() throws(CommandFailure) {
        let places = entries.mapValues { lookups in
            Value.map(
                lookups.mapValues { .map(["question": .string($0.question), "answer": .map($0.answer)]) })
        }
        let text = Value.map(["version": 1, "lookups": .map(places)]).prettyJSON + "\n"
        do {
            try LocalFile.makeFolder(LocalFile.folder(of: path))
            try LocalFile.write(path, Array(text.utf8))
        } catch {
            throw CommandFailure(
                code: "lock.unwritable", summary: "The lock file cannot be written",
                detail: "\(path): \(error.message).")
        }
    }

    private static func question(_ request: LookupRequest) -> String {
        String(Digest.fingerprint(of: request.arguments).prefix(16))
    }
}
