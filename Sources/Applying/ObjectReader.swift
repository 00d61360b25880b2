import MusterModel
import ProviderKit

/// With whose rights, and where, objects are reached.
struct Access: Sendable, Hashable {
    let scope: ProviderScope
    let configuration: ProviderConfiguration
}

/// Reads in bulk for steps that ask one by one: whoever asks first reads all objects of the type that anybody is
/// interested in, in a fresh session, and those who ask meanwhile or soon after share the answer.
actor ObjectReader {
    struct Group: Hashable, Sendable {
        let access: Access
        let type: ResourceType
        let purpose: Purpose
    }

    enum Purpose: Sendable {
        /// Whether it is there and ready: arguments that cost a call of their own are left out.
        case status
        /// The arguments too.
        case arguments
    }

    private struct Answer {
        let asked: Set<RemoteID>
        /// When the reading began.
        let time: Duration
        let number: Int
        let result: Result<[RemoteID: Observation], ProviderError>
    }

    private struct Shelf {
        var objects: [RemoteID: KnownObject] = [:]
        var isReading = false
        var waiting: [CheckedContinuation<Void, Never>] = []
        var answer: Answer?
    }

    private let makeSession: SessionFactory
    private let stopwatch: Stopwatch
    private var shelves: [Group: Shelf] = [:]
    private var count = 0

    init(_ makeSession: @escaping SessionFactory, _ stopwatch: Stopwatch) {
        self.makeSession = makeSession
        self.stopwatch = stopwatch
    }

    func add(_ object: KnownObject, to group: Group) { shelves[group, default: Shelf()].objects[object.id] = object }

    func remove(_ id: RemoteID, from group: Group) { shelves[group]?.objects[id] = nil }

    /// A moment: what is read `after` it began later, however coarse the clock is.
    func mark() -> Int { count }

    /// Reads everything that was added for a purpose: one session for each access, so that listings are shared.
    func readAll(for purpose: Purpose) async {
        var byAccess: [Access: [ResourceType: [KnownObject]]] = [:]
        for (group, shelf) in shelves where group.purpose == purpose && !shelf.objects.isEmpty {
            byAccess[group.access, default: [:]][group.type] = shelf.objects.values.sorted { $0.id < $1.id }
        }
        let makeSession = makeSession
        let time = stopwatch.now
        count += 1
        let number = count
        await withTaskGroup(of: (Group, Answer).self) { tasks in
            for (access, types) in byAccess {
                let session: Result<any ProviderSession, ProviderError>
                do throws(ProviderError) {
                    session = .success(try await makeSession(access.scope, access.configuration, types))
                } catch {
                    session = .failure(error)
                }
                for (type, objects) in types {
                    tasks.addTask {
                        let result = await ObjectReader.read(objects, type, in: session)
                        return (
                            Group(access: access, type: type, purpose: purpose),
                            Answer(asked: Set(objects.map(\.id)), time: time, number: number, result: result)
                        )
                    }
                }
            }
            for await (group, answer) in tasks { shelves[group]?.answer = answer }
        }
    }

    /// The object as it was seen at `notBefore` or later, and after the mark; nil when it is not there.
    func look(
        at object: KnownObject, in group: Group, notBefore: Duration, after mark: Int = -1
    ) async throws(ProviderError) -> Observation? {
        let isVisitor = shelves[group]?.objects[object.id] == nil
        if isVisitor { add(object, to: group) }
        defer { if isVisitor { remove(object.id, from: group) } }
        while true {
            if let answer = shelves[group]?.answer, answer.time >= notBefore, answer.number > mark,
                answer.asked.contains(object.id)
            {
                return try answer.result.get()[object.id]
            }
            if shelves[group]?.isReading ?? false {
                await withCheckedContinuation { shelves[group]?.waiting.append($0) }
                continue
            }
            shelves[group]?.isReading = true
            let objects = (shelves[group]?.objects ?? [:]).values.sorted { $0.id < $1.id }
            let time = stopwatch.now
            count += 1
            let number = count
            let session: Result<any ProviderSession, ProviderError>
            do throws(ProviderError) {
                session = .success(
                    try await makeSession(group.access.scope, group.access.configuration, [group.type: objects]))
            } catch {
                session = .failure(error)
            }
            let result = await ObjectReader.read(objects, group.type, in: session)
            let waiting = shelves[group]?.waiting ?? []
            shelves[group]?.waiting = []
            shelves[group]?.isReading = false
            shelves[group]?.answer = Answer(asked: Set(objects.map(\.id)), time: time, number: number, result: result)
            for continuation in waiting { continuation.resume() }
        }
    }

    private static func read(
        _ objects: [KnownObject], _ type: ResourceType, in session: Result<any ProviderSession, ProviderError>
    ) async -> Result<[RemoteID: Observation], ProviderError> {
        do throws(ProviderError) {
            guard let handler = try session.get().handler(for: type) else { throw .unknownType(type) }
            return .success(try await handler.read(objects))
        } catch {
            return .failure(error)
        }
    }
}

extension ProviderError {
    static func unknownType(_ type: ResourceType) -> ProviderError {
        ProviderError(.invalid, "This muster does not know the type \(type).")
    }
}
