import Diagnostics
import MusterModel

/// `dns`: records by name, and hosted zones.
enum DNSSection: Section {
    static let schema = SectionSchema(
        name: "dns", summary: "A record, or a hosted zone, by its name.",
        fields: [
            SectionFields.name(
                "The full name; the key if it is left out. Routing policies give one name several records."),
            ArgumentSchema(
                "type", .string, constraints: [.allowed(recordTypes)], "The type of the record; A for an alias."),
            ArgumentSchema(
                "ttl", .integer, absence: .means(300), constraints: [.range(0, 2_147_483_647)],
                "For how many seconds the answer may be kept."),
            ArgumentSchema(
                "value", .string, constraints: [.conflictsWith(["records", "alias", "hosted_zone"])], "The only answer."
            ),
            ArgumentSchema(
                "records", .list(.string), constraints: [.conflictsWith(["value", "alias", "hosted_zone"])],
                "The answers."),
            ArgumentSchema(
                "alias", .object(aliasFields),
                constraints: [.conflictsWith(["value", "records", "ttl", "hosted_zone"])],
                "An AWS resource that answers by itself."),
            ArgumentSchema(
                "zone", .string, reference: .hostedZone,
                "The hosted zone; the one with the longest matching name if it is left out."),
            ArgumentSchema(
                "hosted_zone", .object(zoneFields), "Makes a hosted zone of this name instead of a record."),
        ] + routing,
        principalTypes: ["aws.dns_record", "aws.hosted_zone"],
        example: """
            dns:
              tastycidr.net:
                hosted_zone: { comment: The platform }
              vpn.tastycidr.net: { type: A, value: 198.51.100.7 }
              rancher.tastycidr.net: { type: CNAME, ttl: 60, value: vpn.tastycidr.net }
              blue:
                name: api.tastycidr.net
                type: A
                records: [198.51.100.8]
                set_identifier: blue
                weighted_routing_policy: { weight: 90 }
            """)

    private static let recordTypes = [
        "A", "AAAA", "CAA", "CNAME", "DS", "HTTPS", "MX", "NAPTR", "NS", "PTR", "SOA", "SPF", "SRV", "SSHFP", "SVCB",
        "TLSA", "TXT",
    ]

    private static let aliasFields: [ArgumentSchema] = [
        ArgumentSchema("name", .string, isRequired: true, semantics: .dnsName, "The DNS name of the resource."),
        ArgumentSchema("zone_id", .string, isRequired: true, "The hosted zone that the resource's name is in."),
        ArgumentSchema(
            "evaluate_target_health", .boolean, absence: .means(false), "Whether its health decides if it is answered."),
    ]

    private static let zoneFields: [ArgumentSchema] = [
        ArgumentSchema("comment", .string, constraints: [.length(0, 256)], "What the zone is for."),
        ArgumentSchema(
            "vpcs", .list(.string), reference: .vpc, constraints: [.conflictsWith(["vpc"])],
            "The VPCs that see the zone, which is then private."),
        ArgumentSchema(
            "vpc",
            .list(
                .object([
                    ArgumentSchema("vpc_id", .string, isRequired: true, reference: .vpc, "The VPC, by name or id."),
                    ArgumentSchema("vpc_region", .string, "Its region, if that is another one."),
                ])), "The same, with the regions of the VPCs."),
        ArgumentSchema("delegation_set_id", .string, "The set of name servers to use."),
        ArgumentSchema("force_destroy", .boolean, "Whether deleting the zone deletes foreign records in it."),
        SectionFields.tags("the zone"),
    ]

    /// Arguments of `aws.dns_record` for several answers under one name.
    private static let routing: [ArgumentSchema] = [
        ArgumentSchema("set_identifier", .string, "Tells records of one name apart, with a routing policy."),
        ArgumentSchema("health_check_id", .string, "The health check that decides if the record is answered."),
        ArgumentSchema("multivalue_answer_routing_policy", .boolean, "Whether several healthy records are answered."),
        ArgumentSchema(
            "weighted_routing_policy",
            .object([ArgumentSchema("weight", .integer, isRequired: true, constraints: [.range(0, 255)], "Its share.")]
            ),
            "Answers by shares."),
        ArgumentSchema(
            "latency_routing_policy",
            .object([ArgumentSchema("region", .string, isRequired: true, "The region of the answer.")]),
            "Answers by the nearest region."),
        ArgumentSchema(
            "failover_routing_policy",
            .object([
                ArgumentSchema(
                    "type", .string, isRequired: true, constraints: [.allowed(["PRIMARY", "SECONDARY"])], "Its part.")
            ]), "Answers by health."),
        ArgumentSchema(
            "geolocation_routing_policy",
            .object([
                ArgumentSchema("continent", .string, "A continent, such as EU."),
                ArgumentSchema("country", .string, "A country, such as DE, or * for the rest."),
                ArgumentSchema("subdivision", .string, "A part of a country."),
            ]), "Answers by where the question comes from."),
    ]

    static func lower(_ definition: Definition, region: String?) -> LoweringResult {
        if let zone = definition.body["hosted_zone"] { return lowerZone(zone, definition) }
        return lowerRecord(definition)
    }

    private static func lowerZone(_ form: LocatedValue, _ definition: Definition) -> LoweringResult {
        let body = definition.body
        var result = LoweringResult()
        for entry in body.entries ?? [] where !["hosted_zone", "name"].contains(entry.key) {
            result.diagnostics.append(.recordFieldOfZone(entry.key, at: entry.keyRange))
        }
        result.checkName(definition.remoteName)
        var zone = Draft(principal: "aws.hosted_zone", of: definition)
        zone.set("name", definition.remoteName.value.withoutTrailingDot, at: body["name"]?.range)
        for field in ["comment", "delegation_set_id", "force_destroy", "vpc"] { zone.set(field, form[field]) }
        if let networks = form["vpcs"] {
            let members = networks.elements?.map { Value.map(["vpc_id": $0.value]) }
            zone.set("vpc", .list(members ?? []), at: networks.range)
        }
        zone.setTags(form["tags"], inherited: definition.inheritedTags, &result.diagnostics)
        result.append(zone)
        return result
    }

    private static func lowerRecord(_ definition: Definition) -> LoweringResult {
        let body = definition.body
        var result = LoweringResult()
        let name = definition.remoteName
        result.checkName(name)
        var record = Draft(
            principal: "aws.dns_record", of: definition, renamed: ["value": "records", "zone": "zone_id"])
        record.set("name", name.value.withoutTrailingDot, at: body["name"]?.range)
        if let alias = body["alias"] {
            record.set("type", body["type"]?.value ?? "A", at: body["type"]?.range)
            var target = alias.value.withoutNulls.map ?? [:]
            target["evaluate_target_health"] = target["evaluate_target_health"] ?? false
            record.set("alias", .map(target), at: alias.range)
        } else {
            let answers = result.answers(definition)
            record.set("type", body["type"])
            record.set("ttl", body["ttl"]?.value ?? 300, at: body["ttl"]?.range)
            record.set("records", answers)
        }
        record.copy(routing, from: body)
        result.appendRecord(record, zone: body["zone"], at: name.range)
        return result
    }
}

extension LoweringResult {
    /// Adds a record into the zone that it names, or into the one that is found when all zones are known.
    mutating func appendRecord(_ record: Draft, zone: LocatedValue?, at range: SourceRange) {
        guard let zone else {
            append(record, seekingZoneAt: range)
            return
        }
        var record = record
        record.set("zone_id", zone)
        append(record)
    }

    /// The name of a record as an address: what the user wrote, without a trailing dot.
    func recordName(_ name: Value) -> String { name.withoutTrailingDot.nameText }

    mutating func checkName(_ name: LocatedValue) {
        guard let text = name.value.withoutTrailingDot.string else { return }
        let labels = text.split(separator: ".", omittingEmptySubsequences: false)
        let isFine = text.utf8.count <= 253 && labels.allSatisfy { (1...63).contains($0.utf8.count) }
        if !isFine || text.utf8.contains(where: { $0 <= 32 || $0 == 127 }) {
            diagnostics.append(.notADomain(text, at: name.range))
        }
    }

    /// The answers of a record, checked as far as its type tells.
    fileprivate mutating func answers(_ definition: Definition) -> LocatedValue? {
        let body = definition.body
        if body["type"] == nil { diagnostics.append(.missingType(at: definition.range)) }
        let answers = body["records"] ?? body["value"].map { .list([$0], $0.range) }
        guard let answers else {
            diagnostics.append(.noAnswer(at: definition.range))
            return nil
        }
        let elements = answers.elements ?? []
        for element in elements {
            guard let text = element.value.string else { continue }
            switch body["type"]?.value.string {
            case "A" where IPNetwork.ipv4(text) == nil:
                diagnostics.append(.notAnAddress(text, "IPv4", at: element.range))
            case "AAAA" where IPNetwork.ipv6(text) == nil:
                diagnostics.append(.notAnAddress(text, "IPv6", at: element.range))
            default: break
            }
        }
        if body["type"]?.value == "CNAME", elements.count > 1 { diagnostics.append(.severalAliases(at: answers.range)) }
        return answers
    }
}

extension Value {
    var withoutTrailingDot: Value {
        guard case .string(let text) = self, text.utf8.count > 1, text.hasSuffix(".") else { return self }
        return .string(String(text.dropLast()))
    }
}

extension Diagnostic {
    private static func record(
        _ summary: String, _ detail: String, at range: SourceRange, hint: String? = nil
    ) -> Diagnostic {
        Diagnostic(code: "spec.dns-record", summary: summary, detail: detail, at: range, hint: hint)
    }

    fileprivate static func recordFieldOfZone(_ field: String, at range: SourceRange) -> Diagnostic {
        record(
            "Field of a record beside a hosted zone", "A hosted zone has no \(field.quoted).", at: range,
            hint: "Its own fields stand inside \"hosted_zone\"; a record of the same name is an entry of its own, "
                + "with \"name\".")
    }

    fileprivate static func notADomain(_ text: String, at range: SourceRange) -> Diagnostic {
        record(
            "Not a domain name",
            "\(text.quoted) is not a domain name: labels of 1 to 63 characters with dots between, 253 in all.",
            at: range)
    }

    fileprivate static func missingType(at range: SourceRange) -> Diagnostic {
        record("Record without a type", "The record does not say its type.", at: range, hint: "Say \"type: A\".")
    }

    fileprivate static func noAnswer(at range: SourceRange) -> Diagnostic {
        record(
            "Record without an answer", "The record has no answer.", at: range,
            hint: "Say \"value\", \"records\" or \"alias\"; \"hosted_zone: {}\" makes a zone.")
    }

    fileprivate static func notAnAddress(_ text: String, _ family: String, at range: SourceRange) -> Diagnostic {
        record("Not an address", "\(text.quoted) is not an \(family) address.", at: range)
    }

    fileprivate static func severalAliases(at range: SourceRange) -> Diagnostic {
        record("Several names in a CNAME", "A CNAME leads to one name.", at: range)
    }
}
