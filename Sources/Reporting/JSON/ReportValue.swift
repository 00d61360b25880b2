import MusterModel

// The pieces that several documents share, as values ready for `ValueJSON`. An optional that is nil is left out. What
// stands in a document thousands of times is in `ReportPieces.swift`.

extension Value {
    /// An object without the members that are nil.
    static func object(_ members: [String: Value?]) -> Value { .map(members.compactMapValues { $0 }) }

    static func strings(_ texts: some Sequence<String>) -> Value { .list(texts.map { .string($0) }) }

    /// Everything deferred as the text that stands for it: `‹secret:name›`, `(known after apply)`.
    var withHoles: Value {
        replacingDeferred { .string(ValueText.text(.deferred($0)) ?? ValueText.inline(.deferred($0))) }
    }
}

extension Address {
    /// An address and its parts.
    var reportMembers: [String: Value?] {
        [
            "address": .string(description), "stack": .string(stack), "type": .string(type.rawValue),
            "name": .string(name),
        ]
    }
}

extension ProviderScope {
    var reportValue: Value {
        [
            "provider": .string(provider), "account": .string(account), "region": .string(region),
            "endpoint": .string(endpoint),
        ]
    }
}

extension Plan {
    /// The plan without values that must not be shown: each becomes null, "there is one". Expressions stay, because they
    /// name secrets and hold none. What the plan saw of such an argument leaves its steps too.
    var withoutHiddenValues: Plan {
        var plan = self
        var hidden: [Address: Set<String>] = [:]
        for index in plan.changes.indices {
            for number in plan.changes[index].attributes.indices where plan.changes[index].attributes[number].isHidden {
                plan.changes[index].attributes[number].hideValues()
                let path = plan.changes[index].attributes[number].path
                hidden[plan.changes[index].address, default: []]
                    .insert(String(path.prefix { $0 != "." && $0 != "[" }))
            }
        }
        plan.drift = plan.drift.map(\.withoutHiddenValues)
        for index in plan.outputs.indices where plan.outputs[index].isHidden {
            plan.outputs[index].before = plan.outputs[index].before?.hidden
            plan.outputs[index].after = plan.outputs[index].after?.hidden
        }
        if hidden.isEmpty { return plan }
        for index in plan.steps.indices {
            for name in hidden[plan.steps[index].address] ?? [] {
                if let value = plan.steps[index].prior[name] { plan.steps[index].prior[name] = value.hidden }
            }
        }
        return plan
    }
}

extension Drift {
    var withoutHiddenValues: Drift {
        guard attributes.contains(where: \.isHidden) else { return self }
        var drift = self
        for index in drift.attributes.indices where drift.attributes[index].isHidden {
            drift.attributes[index].hideValues()
        }
        return drift
    }
}

extension AttributeChange {
    fileprivate mutating func hideValues() {
        before = before?.hidden
        after = after?.hidden
    }
}

extension Value {
    /// Expressions as they are, null for anything known.
    var hidden: Value {
        switch self {
        case .deferred: self
        default: .null
        }
    }
}
