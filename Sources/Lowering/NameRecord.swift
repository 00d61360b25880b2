import Diagnostics
import MusterModel

// `dns:` of what AWS gives a name to: a CNAME to that name.

extension SectionFields {
    static let dns = ArgumentSchema(
        "dns", .anything,
        "A name in DNS that leads to it; or a map with name, ttl and zone. Without more: a CNAME with a TTL of 60 in the "
            + "hosted zone with the longest matching name.")
}

extension LoweringResult {
    private static let nameFields = [
        ArgumentSchema("name", .string, isRequired: true, "The whole name."),
        ArgumentSchema(
            "ttl", .integer, constraints: [.range(0, 2_147_483_647)], "For how many seconds an answer may be kept."),
        ArgumentSchema("zone", .string, reference: .hostedZone, "The hosted zone."),
    ]

    /// The record that a definition's `dns:` makes.
    mutating func lowerName(of definition: Definition, leadingTo target: Value) {
        guard let field = definition.body["dns"],
            let (body, name) = readName(field, as: LoweringResult.nameFields, stack: definition.stack)
        else { return }
        var record = Draft("aws.dns_record", recordName(name.value), of: definition, at: field.range)
        record.set("name", name.value.withoutTrailingDot, at: name.range)
        record.set("type", "CNAME")
        record.set("ttl", body["ttl"]?.value ?? 60, at: body["ttl"]?.range)
        record.set("records", .list([target]))
        appendRecord(record, zone: body["zone"], at: name.range)
    }

    /// A name alone, or a map with it; nil after a complaint.
    mutating func readName(
        _ field: LocatedValue, as fields: [ArgumentSchema], stack: String
    ) -> (body: LocatedValue, name: LocatedValue)? {
        let body: LocatedValue
        switch field.value {
        case .string, .deferred:
            body = .map([.init(key: "name", keyRange: field.range, value: field)], field.range)
        default:
            body = read(field, as: fields, of: "dns", stack: stack, forms: "a name or a map")
        }
        guard let name = body["name"], !name.value.isUnreadable else { return nil }
        checkName(name)
        return (body, name)
    }
}

extension Value {
    /// A text with more at its end, whether it is known or not.
    func appending(_ text: String) -> Value {
        switch self {
        case .string(let known): .string(known + text)
        default: .deferred(Deferred(.template([expression, .literal(.string(text))])))
        }
    }
}
