import MusterModel
import ProviderKit
import SpotClient
import TextEncodings

// An elastigroup in requests and answers: each argument at its place, and the few that have a form of their own.

extension Elastigroup.Arguments {
    private static let tagsPath = Elastigroup.launchPath + ["tags"]

    // MARK: Answers

    /// - Parameter known: what was recorded of it or is wanted; nil: nothing is, so that everything is told.
    init(told group: Value, known: Self?) {
        self.init()
        name = group["name"].string ?? ""
        description = IntentMark.text(group["description"].string)
        tags = Self.tags(of: group)
        for place in Elastigroup.places where place.isTold {
            self[place.schema.name] = place.told(group[path: place.path])
        }
        if let target = known?["capacity"]?["target"], target != .null { keepTarget(target) }
    }

    /// The target is nobody's business as long as it stays within the bounds.
    private mutating func keepTarget(_ recorded: Value) {
        guard case .map(var capacity)? = self["capacity"], let bounds = ElastigroupBounds(capacity),
            let target = capacity["target"]?.integer, bounds.contains(target)
        else { return }
        capacity["target"] = recorded
        self["capacity"] = .map(capacity)
    }

    private static func tags(of group: Value) -> [String: String] {
        var tags: [String: String] = [:]
        for tag in group[path: tagsPath].list ?? [] {
            if let key = tag["tagKey"].string { tags[key] = tag["tagValue"].string ?? "" }
        }
        return tags
    }

    // MARK: Requests

    /// The whole group, as it is made.
    func group(marked token: String) -> Value {
        var group: Value = [
            "name": .string(name), "description": .string(IntentMark.description(description, token)),
        ]
        for place in Elastigroup.places {
            guard isMeant(place), let value = self[place.schema.name], value != .null else { continue }
            group[path: place.path] = place.sent(value, over: group[path: place.path])
        }
        if let minimum = self["capacity"]?["minimum"], group["capacity"]["target"] == .null {
            group[path: ["capacity", "target"]] = minimum
        }
        if let tags, !tags.isEmpty { group[path: Self.tagsPath] = Self.sent(tags) }
        return group
    }

    /// What must be sent so that the group becomes as it is wanted; an empty map: nothing.
    ///
    /// - Parameter live: as it is now.
    func changes(from old: Self, live: Value) -> Value {
        var changes: Value = [:]
        if name != live["name"].string { changes[path: ["name"]] = .string(name) }
        let text = description ?? ""
        if text != IntentMark.text(live["description"].string) {
            let mark = live["description"].string
            changes[path: ["description"]] = .string(IntentMark.description(text, keepingMarkOf: mark))
        }
        for place in Elastigroup.places where place.schema.name != "capacity" && isMeant(place) {
            let (wanted, before) = (self[place.schema.name], old[place.schema.name])
            guard let change = place.change(from: live[path: place.path], before: before, to: wanted) else { continue }
            // Two arguments may stand for one member, of which one goes when the other comes.
            if change == .null, changes[path: place.path] != .null { continue }
            changes[path: place.path] = change
        }
        if let capacity = capacityChange(from: old, live: live["capacity"]) { changes[path: ["capacity"]] = capacity }
        excludeShares(&changes, live: live["strategy"])
        changeTags(&changes, from: old, live: live)
        return changes
    }

    /// Keys for Rancher mean nothing where there is none.
    private func isMeant(_ place: Elastigroup.Place) -> Bool {
        let isKey = place.path.count > Elastigroup.rancherPath.count && place.path.starts(with: Elastigroup.rancherPath)
        return !isKey || self["rancher"] ?? .null != .null
    }

    private func capacityChange(from old: Self, live: Value) -> Value? {
        guard let place = Elastigroup.places.first(where: { $0.schema.name == "capacity" }),
            case .map(var wanted)? = self["capacity"], let target = live["target"].integer
        else { return .none }
        if wanted["target"] == old["capacity"]?["target"] { wanted["target"] = nil }
        if wanted["target"] ?? .null == .null, let bounds = ElastigroupBounds(wanted), !bounds.contains(target) {
            wanted["target"] = .integer(bounds.nearest(to: target))
        }
        return WireForm.change(from: live, to: .map(wanted), place.schema)
    }

    /// Of the two ways to say how many are spot instances, Spot takes one at a time.
    private func excludeShares(_ changes: inout Value, live: Value) {
        let strategy = self["strategy"] ?? .null
        for (argument, other) in [("on_demand_count", "risk"), ("risk", "onDemandCount")]
        where strategy[argument] != .null && live[other] != .null {
            changes[path: ["strategy", other]] = .null
        }
    }

    /// The list of tags is replaced as a whole, so that foreign ones are sent along.
    private func changeTags(_ changes: inout Value, from old: Self, live: Value) {
        let present = Self.tags(of: live)
        let wanted = tags ?? [:]
        var tags = present
        for key in (old.tags ?? [:]).keys where wanted[key] == nil { tags[key] = nil }
        tags.merge(wanted) { $1 }
        if tags != present { changes[path: Self.tagsPath] = Self.sent(tags) }
    }

    private static func sent(_ tags: [String: String]) -> Value {
        .list(
            tags.sorted { $0.key < $1.key }.map { ["tagKey": .string($0.key), "tagValue": .string($0.value)] })
    }
}

/// Between which numbers a target may be.
struct ElastigroupBounds {
    let minimum: Int
    let maximum: Int

    init?(_ capacity: [String: Value]) {
        guard let minimum = capacity["minimum"]?.integer, let maximum = capacity["maximum"]?.integer,
            minimum <= maximum
        else { return nil }
        self.minimum = minimum
        self.maximum = maximum
    }

    func contains(_ target: Int) -> Bool { (minimum...maximum).contains(target) }
    func nearest(to target: Int) -> Int { min(max(target, minimum), maximum) }
}

extension Elastigroup.Place {
    private var isText: Bool { ["user_data", "shutdown_script"].contains(schema.name) }
    private var isProfile: Bool { schema.name == "iam_instance_profile" }

    /// - Parameter other: what another argument put there already.
    func sent(_ value: Value, over other: Value = .null) -> Value {
        if isText { return .string(Base64.encode(Array((value.string ?? "").utf8))) }
        if isProfile { return [isARN(value) ? "arn" : "name": value] }
        let sent = WireForm.sent(value, schema.type)
        guard case .map(let members) = sent, case .map(let others) = other else { return sent }
        return .map(others.merging(members) { $1 })
    }

    /// Null where nothing is told.
    func told(_ value: Value) -> Value {
        if isProfile { return value["name"] == .null ? value["arn"] : value["name"] }
        return WireForm.told(value, schema.type)
    }

    /// What must be sent; nil: nothing.
    func change(from live: Value, before: Value?, to wanted: Value?) -> Value? {
        let isWanted = wanted.map { !$0.isUnset } ?? false
        if !isTold {
            guard let wanted, isWanted else {
                return before.map { $0.isUnset } ?? true ? .none : .some(.null)
            }
            // What somebody took away is sent again with what is wanted anyway.
            return wanted == before && live != .null ? .none : .some(sent(wanted))
        }
        if isProfile {
            let told = told(live)
            guard let wanted, isWanted else { return told.isUnset ? .none : .some(.null) }
            if wanted == told { return .none }
            return isARN(wanted) ? ["arn": wanted, "name": .null] : ["name": wanted, "arn": .null]
        }
        return WireForm.change(from: live, to: wanted, schema)
    }

    private func isARN(_ value: Value) -> Bool { value.string?.hasPrefix("arn:") ?? false }
}
