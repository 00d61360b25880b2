import MusterModel
import SpotClient

// Arguments in the form of requests and answers. A member is named once, in the schema: on the wire `spin_up_time` is
// `spinUpTime`.

enum WireForm {
    /// What does not follow from the name.
    private static let names = ["on_demand": "ondemand"]

    static func name(_ argument: String) -> String {
        if let name = names[argument] { return name }
        var name = ""
        var isCapital = false
        for character in argument {
            if character == "_" {
                isCapital = true
            } else {
                name += isCapital ? character.uppercased() : String(character)
                isCapital = false
            }
        }
        return name
    }

    /// As it is sent; what is not set is left out.
    static func sent(_ value: Value, _ type: ValueType) -> Value {
        switch (type, value) {
        case (.object(let fields), .map(let members)):
            var sent: [String: Value] = [:]
            for field in fields {
                guard let member = members[field.name], member != .null else { continue }
                sent[name(field.name)] = self.sent(member, field.type)
            }
            return .map(sent)
        case (.list(let element), .list(let values)), (.set(let element, _), .list(let values)):
            return .list(values.map { sent($0, element) })
        default: return value
        }
    }

    /// As the spec would say what was told. Members that the schema does not know are left out.
    static func told(_ value: Value, _ type: ValueType) -> Value {
        switch (type, value) {
        case (.object(let fields), .map):
            var told: [String: Value] = [:]
            for field in fields {
                let member = self.told(value[name(field.name)], field.type)
                if member != .null { told[field.name] = member }
            }
            return .map(told)
        case (.list(let element), .list(let values)), (.set(let element, _), .list(let values)):
            return .list(values.map { told($0, element) })
        case (.integer, .number(let number)) where number == number.rounded() && abs(number) < 1e15:
            return .integer(Int(number))
        default: return value
        }
    }

    /// What must be sent so that `live` becomes as it is wanted: leaf by leaf, lists as a whole, null for what is to go.
    /// nil: nothing.
    ///
    /// - Parameters:
    ///   - wanted: in the form of the spec; nil or null: left out, which leaves what others chose unless the schema says
    ///     what it means.
    ///   - live: as it was told.
    static func change(from live: Value, to wanted: Value?, _ schema: ArgumentSchema) -> Value? {
        guard let wanted, wanted != .null else {
            guard case .means(let meaning) = schema.absence, !told(live, schema.type).isUnset else { return .none }
            return meaning.isUnset ? Value.null : sent(meaning, schema.type)
        }
        if case .object(let fields) = schema.type, case .map = live {
            var changes: [String: Value] = [:]
            for field in fields {
                let name = self.name(field.name)
                if let change = change(from: live[name], to: wanted[field.name], field) { changes[name] = change }
            }
            // `nil` could be the value null here.
            return changes.isEmpty ? .none : .some(.map(changes))
        }
        return isSame(wanted, told(live, schema.type), schema.type) ? .none : .some(sent(wanted, schema.type))
    }

    /// Cautious: what it calls different may mean the same, and is sent once more.
    private static func isSame(_ wanted: Value, _ live: Value, _ type: ValueType) -> Bool {
        if wanted == live { return true }
        switch (type, wanted, live) {
        case (.set, .list(let wanted), .list(let live)): return wanted.count == live.count && Set(wanted) == Set(live)
        case (.number, .integer(let wanted), .number(let live)): return Double(wanted) == live
        case (.number, .number(let wanted), .integer(let live)): return Double(live) == wanted
        default: return wanted.isUnset && live.isUnset
        }
    }
}

extension Value {
    /// Null, "", [] and {} all mean that nothing is set.
    var isUnset: Bool {
        switch self {
        case .null: true
        case .string(let text): text.isEmpty
        case .list(let values): values.isEmpty
        case .map(let values): values.isEmpty
        default: false
        }
    }

    /// What stands at a path of members; null where there is nothing.
    subscript(path path: [String]) -> Value {
        get { path.reduce(self) { $0[$1] } }
        set {
            guard let name = path.first else {
                self = newValue
                return
            }
            var members = map ?? [:]
            var member = members[name] ?? .map([:])
            member[path: Array(path.dropFirst())] = newValue
            members[name] = member
            self = .map(members)
        }
    }
}
