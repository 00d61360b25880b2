import Synchronization

/// The request ids of the calls by which one step changes something, for the history.
///
/// It reaches the calls through the task and not through their arguments, so that no resource type has to hand it on. A
/// lock and no actor, since the client tells of its calls synchronously.
package final class CallTrace: Sendable {
    /// The trace of the step that this task takes; nil elsewhere.
    @TaskLocal package static var current: CallTrace?

    /// A step that is tried again and again must not fill the state.
    private static let limit = 20
    private let ids = Mutex<[String]>([])

    package init() {}

    package func note(_ requestID: String) {
        ids.withLock { ids in
            if ids.count == CallTrace.limit { ids.removeFirst() }
            ids.append(requestID)
        }
    }

    /// In the order of the answers; the latest ones, if there were many.
    package var requestIDs: [String] { ids.withLock { $0 } }
}
