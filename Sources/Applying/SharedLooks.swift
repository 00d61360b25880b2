import MusterModel
import ProviderKit

/// Looks that steps share which make what would overwrite something: each is used as long as a look at an object may be
/// old just before the object is changed.
actor SharedLooks {
    private let wanted: [Access: [ResourceType: [[String: Value]]]]
    private let freshness: Duration
    private var looks: [Access: (look: SharedLook, since: Duration)] = [:]

    init(_ plan: Plan, _ catalog: Catalog, freshness: Duration, access: (Step) -> Access) {
        var wanted: [Access: [ResourceType: [[String: Value]]]] = [:]
        for step in plan.steps where step.operation == .create && catalog[step.address.type]?.overwrites == true {
            wanted[access(step), default: [:]][step.address.type, default: []].append(
                step.desired.filter { $0.value.isKnown })
        }
        self.wanted = wanted
        self.freshness = freshness
    }

    func look(for access: Access, at now: Duration) -> SharedLook {
        if let (look, since) = looks[access], now - since <= freshness { return look }
        let look = SharedLook(wanted: wanted[access] ?? [:])
        looks[access] = (look, now)
        return look
    }
}
