import MusterModel
import ProviderKit

/// What to do about a failed call that is known to have had no effect, or that may be repeated. Pure.
struct RetryPolicy: Sendable {
    enum Call: Sendable { case create, update, delete }

    /// What is known around the failed call.
    struct Situation: Sendable {
        var call: Call
        /// From 1.
        var attempt: Int
        /// Since the step started.
        var elapsed: Duration
        var timeout: Duration
        /// True when this run made the object or something that it depends on.
        var followsSomethingNew: Bool
        /// True when steps that the plan puts in no order with this one are still to make something.
        var isBesideOthers = false
    }

    let timing: ApplyTiming

    /// The ceiling of the pause before the next attempt (full jitter is drawn below it); nil: it is final.
    func pause(after kind: ProviderError.Kind, in situation: Situation) -> Duration? {
        let isInTime: Bool
        switch kind {
        case .throttled: isInTime = situation.elapsed < situation.timeout
        case .unavailable: isInTime = situation.attempt < 6
        case .network: isInTime = situation.attempt < 4
        case .notYetVisible:
            // A load balancer wants its network's gateway, which it does not name: another step may be at it.
            isInTime =
                situation.isBesideOthers && situation.elapsed < situation.timeout
                || situation.followsSomethingNew && situation.elapsed < timing.consistencyWindow
        case .notFound:
            // What a delete does not find is gone; what a create or an update does not find may be too new.
            isInTime =
                situation.call != .delete && situation.followsSomethingNew
                && situation.elapsed < timing.consistencyWindow
        case .inUse:
            isInTime = situation.call != .create && situation.elapsed < situation.timeout
        case .outcomeUnknown, .notUnderstood:
            // Updates and deletes may be sent twice; a creation is looked for instead.
            isInTime = situation.call != .create && situation.attempt < 6
        case .alreadyExists, .notPermitted, .badCredentials, .invalid, .quota: isInTime = false
        }
        guard isInTime else { return nil }
        let exponential = Duration.milliseconds(500) * (1 << min(situation.attempt - 1, 6))
        return min(.seconds(15), exponential)
    }
}
