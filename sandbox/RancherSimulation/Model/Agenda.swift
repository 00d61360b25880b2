/// What will happen by itself, in order of time.
struct Agenda: Sendable {
    enum Event: Sendable {
        /// The end of a process, unless another overtook it.
        case finish(ObjectID, process: String, generation: Int)
        /// A process starts by itself, if the state allows it.
        case start(ObjectID, process: String)
        /// The row goes.
        case delete(ObjectID)
        /// A type asked to be called.
        case moment(ObjectID, name: String)
    }

    private struct Entry: Sendable {
        var due: Int64
        var order: Int
        var event: Event
    }

    private var entries: [Entry] = []
    private var added = 0

    mutating func add(_ event: Event, at due: Int64) {
        added += 1
        let entry = Entry(due: due, order: added, event: event)
        // From the end: what is added is mostly later than all the rest.
        let index = entries.lastIndex { ($0.due, $0.order) < (due, added) }.map { $0 + 1 } ?? 0
        entries.insert(entry, at: index)
    }

    /// The next event that is due, and when it was.
    mutating func next(until now: Int64) -> (due: Int64, event: Event)? {
        guard let first = entries.first, first.due <= now else { return nil }
        entries.removeFirst()
        return (first.due, first.event)
    }
}
