import AWSClient
import MusterModel
import ProviderKit

/// A record set of Route 53.
///
/// Calls: `ChangeResourceRecordSets` (`CREATE`, which fails if the record is there; `UPSERT` for a change; `DELETE`
/// with exactly what is there), `ListResourceRecordSets`.
/// A changed type is an upsert of nothing: the old record goes and the new one comes in one batch.
struct DNSRecord: ManagedResource {
    struct Arguments: ArgumentBlock {
        var zoneID = ""
        var name = ""
        var type = ""
        var ttl: Int?
        var records: [String]?
        var alias: Alias?
        var setIdentifier: String?
        var weighted: Weighted?
        var failover: Failover?
        var latency: Latency?
        var geolocation: Geolocation?
        var isMultivalue: Bool?
        var healthCheckID: String?
        var allowsOverwrite: Bool?

        static let fields: [Field<Self>] = [
            .required("zone_id", \.zoneID, onChange: .replace, reference: .hostedZone, "The hosted zone."),
            .required("name", \.name, onChange: .replace, semantics: .dnsName, "The whole name."),
            .required("type", \.type, onChange: .replace, "A, AAAA, CNAME, MX, TXT, …"),
            .argument(
                "ttl", \.ttl, constraints: [.range(0, 2_147_483_647)], "How long answers may be kept, in seconds."),
            .argument(
                "records", \.records, type: .set(.string), constraints: [.conflictsWith(["alias"])],
                "The answers; texts (TXT) are quoted for you."),
            .argument("alias", \.alias, "An AWS resource to answer with, instead of `records`."),
            .argument(
                "set_identifier", \.setIdentifier, onChange: .replace, "Tells records of one name and type apart."),
            .argument("weighted_routing_policy", \.weighted, "Answers by share."),
            .argument("failover_routing_policy", \.failover, "Answers by health."),
            .argument("latency_routing_policy", \.latency, "Answers by nearness."),
            .argument("geolocation_routing_policy", \.geolocation, "Answers by where the question comes from."),
            .argument("multivalue_answer_routing_policy", \.isMultivalue, "Whether up to eight are answered at once."),
            .argument("health_check_id", \.healthCheckID, "The health check that decides if it is answered."),
            .argument(
                "allow_overwrite", \.allowsOverwrite, absence: .means(false), onChange: .local,
                "Whether creating it may replace a record that is there."),
        ]
    }

    struct Alias: ArgumentBlock {
        var name = ""
        var zoneID = ""
        var evaluatesHealth: Bool?

        static let fields: [Field<Self>] = [
            .required("name", \.name, semantics: .dnsName, "The DNS name of the resource."),
            .required("zone_id", \.zoneID, "The hosted zone that its name is in."),
            .argument(
                "evaluate_target_health", \.evaluatesHealth, absence: .means(false),
                "Whether its health decides if it is answered."),
        ]
    }

    struct Weighted: ArgumentBlock {
        var weight = 0
        static let fields: [Field<Self>] = [
            .required("weight", \.weight, constraints: [.range(0, 255)], "The share.")
        ]
    }

    struct Failover: ArgumentBlock {
        var type = ""
        static let fields: [Field<Self>] = [
            .required("type", \.type, constraints: [.allowed(["PRIMARY", "SECONDARY"])], "PRIMARY or SECONDARY.")
        ]
    }

    struct Latency: ArgumentBlock {
        var region = ""
        static let fields: [Field<Self>] = [.required("region", \.region, "The region.")]
    }

    struct Geolocation: ArgumentBlock {
        var continent: String?
        var country: String?
        var subdivision: String?

        static let fields: [Field<Self>] = [
            .argument("continent", \.continent, "A continent's code."),
            .argument("country", \.country, "A country's code, or `*`."),
            .argument("subdivision", \.subdivision, "A subdivision's code."),
        ]
    }

    struct Outputs: ArgumentBlock {
        var fqdn: String?
        static let fields: [Field<Self>] = [.output("fqdn", \.fqdn, "The whole name.")]
    }

    static let schema = Schema<Arguments, Outputs>(
        "aws.dns_record", "A record of a hosted zone.", importSyntax: "ZONE_NAME_TYPE or ZONE_NAME_TYPE_SETIDENTIFIER")

    let aws: AWSSession

    func read(_ known: [Known<Self>]) async throws(ProviderError) -> [RemoteID: Observed<Self>] {
        var found: [RemoteID: Observed<Self>] = [:]
        let zones = Dictionary(grouping: known) { Key($0.id).zone }
        for (zone, objects) in zones.sorted(by: { $0.key < $1.key }) {
            let records: [XMLElement]
            do throws(ProviderError) {
                records = try await aws.recordSets(in: zone)
            } catch {
                if error.kind == .notFound { continue }
                throw error
            }
            var seen: [RemoteID: Observed<Self>] = [:]
            for record in records {
                let observed = self.observed(record, zone)
                seen[observed.id] = observed
            }
            for object in objects { found[object.id] = seen[object.id] }
        }
        return found
    }

    func find(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Found<Self>? {
        let key = Key(desired)
        let answer = try await aws.call(
            AWSOperation(
                .route53, "ListResourceRecordSets", effect: .read,
                rest: RESTRoute(
                    "GET", "/2013-04-01/hostedzone/\(desired.zoneID)/rrset",
                    query: [
                        .init("name", .string(desired.name)), .init("type", .string(desired.type)),
                        .init("maxitems", .string("100")),
                    ])))
        let present = answer.xml["ResourceRecordSets"].items.map { self.observed($0, desired.zoneID) }
        guard let observed = present.first(where: { $0.id == key.id }) else { return nil }
        // It carries no mark: it is ours when it says what we would have said.
        return Found(observed, isOurs: says(observed.arguments, desired))
    }

    func create(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Observed<Self> {
        let action = desired.allowsOverwrite == true ? "UPSERT" : "CREATE"
        do throws(ProviderError) {
            try await aws.changeRecords(in: desired.zoneID, [(action, wire(desired))], effect: .idempotent)
        } catch {
            if error.code == "InvalidChangeBatch", error.message.contains("already exists") {
                throw ProviderError(
                    .alreadyExists, error.message, operation: error.operation, code: error.code,
                    requestID: error.requestID,
                    hint: "Import it, or set allow_overwrite on the record if it may be replaced.")
            }
            throw error
        }
        var outputs = Outputs()
        outputs.fqdn = DNSName.readable(desired.name)
        return Observed(id: Key(desired).id, arguments: desired, outputs: outputs)
    }

    func update(
        _ id: RemoteID, from old: Arguments, to new: Arguments
    ) async throws(ProviderError) -> Observed<Self>? {
        try await aws.changeRecords(in: new.zoneID, [("UPSERT", wire(new))], effect: .idempotent)
        return nil
    }

    func delete(_ id: RemoteID, last: Arguments) async throws(ProviderError) {
        // The call must repeat exactly what is there.
        let zone = Key(id).zone
        do throws(ProviderError) {
            for record in try await aws.recordSets(in: zone) where observed(record, zone).id == id {
                try await aws.changeRecords(in: zone, [("DELETE", DNSRecord.wire(record))], effect: .idempotent)
            }
        } catch {
            let isGone = error.code == "InvalidChangeBatch" && error.message.contains("not found")
            if error.kind != .notFound, error.kind != .notYetVisible, !isGone { throw error }
        }
    }

    func importID(_ text: String) async throws(ProviderError) -> RemoteID {
        let key = Key(RemoteID(text))
        guard key.zone.hasPrefix("Z"), !key.name.isEmpty, !key.type.isEmpty else { throw Self.badID(text) }
        return key.id
    }

    private func says(_ there: Arguments, _ wanted: Arguments) -> Bool {
        Set((there.records ?? []).map { $0.lowercased() }) == Set((wanted.records ?? []).map { plain($0, wanted.type) })
            && (there.ttl == wanted.ttl || wanted.alias != nil)
            && DNSName.readable(there.alias?.name ?? "") == DNSName.readable(wanted.alias?.name ?? "")
    }

    private func plain(_ record: String, _ type: String) -> String {
        DNSRecord.hasNames(type) ? DNSName.readable(record) : record.lowercased()
    }

    /// Zone, name, type and set identifier: what a record is known by.
    private struct Key {
        var zone: String
        var name: String
        var type: String
        var setIdentifier: String

        init(_ arguments: Arguments) {
            zone = DNSName.bareID(arguments.zoneID)
            name = DNSName.readable(arguments.name)
            type = arguments.type
            setIdentifier = arguments.setIdentifier ?? ""
        }

        /// `ZONE_NAME_TYPE[_SET]`; a name may hold underscores, a type may not.
        init(_ id: RemoteID) {
            let parts = id.rawValue.split(separator: "_", omittingEmptySubsequences: false).map(String.init)
            let last = parts.lastIndex { Key.types.contains($0) } ?? parts.count
            zone = parts.first ?? ""
            name = DNSName.readable(parts.dropFirst().prefix(max(0, last - 1)).joined(separator: "_"))
            type = last < parts.count ? parts[last] : ""
            setIdentifier = parts.dropFirst(last + 1).joined(separator: "_")
        }

        var id: RemoteID {
            RemoteID([zone, name, type].joined(separator: "_") + (setIdentifier.isEmpty ? "" : "_\(setIdentifier)"))
        }

        private static let types: Set<String> = [
            "A", "AAAA", "CAA", "CNAME", "DS", "HTTPS", "MX", "NAPTR", "NS", "PTR", "SOA", "SPF", "SRV", "SSHFP",
            "SVCB", "TLSA", "TXT",
        ]
    }

    // MARK: - Wire format

    private static func hasNames(_ type: String) -> Bool { ["CNAME", "NS", "PTR"].contains(type) }

    /// Texts are kept quoted by Route 53, in strings of at most 255 characters.
    private static func quoted(_ record: String, _ type: String) -> String {
        guard type == "TXT" || type == "SPF", !record.hasPrefix("\"") else { return record }
        var pieces: [String] = []
        var rest = record[...]
        repeat {
            let piece = rest.prefix(255)
            rest = rest.dropFirst(255)
            let escaped = piece.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
            pieces.append("\"\(escaped)\"")
        } while !rest.isEmpty
        return pieces.joined(separator: " ")
    }

    private static func unquoted(_ record: String, _ type: String) -> String {
        guard type == "TXT" || type == "SPF", record.hasPrefix("\""), record.hasSuffix("\""), record.count >= 2 else {
            return record
        }
        var text = ""
        var isInside = false
        var isEscaped = false
        for character in record {
            if isEscaped {
                text.append(character)
                isEscaped = false
            } else if character == "\\" {
                isEscaped = true
            } else if character == "\"" {
                isInside.toggle()
            } else if isInside {
                text.append(character)
            }
        }
        return text
    }

    private func wire(_ record: Arguments) -> AWSInput {
        var input: AWSInput = ["Name": .string(record.name), "Type": .string(record.type)]
        if let identifier = record.setIdentifier.filled { input["SetIdentifier"] = .string(identifier) }
        if let weighted = record.weighted { input["Weight"] = .integer(weighted.weight) }
        if let latency = record.latency { input["Region"] = .string(latency.region) }
        if let geolocation = record.geolocation {
            input["GeoLocation"] = [
                "ContinentCode": .nonEmpty(geolocation.continent), "CountryCode": .nonEmpty(geolocation.country),
                "SubdivisionCode": .nonEmpty(geolocation.subdivision),
            ]
        }
        if let failover = record.failover { input["Failover"] = .string(failover.type) }
        if record.isMultivalue == true { input["MultiValueAnswer"] = true }
        if let alias = record.alias {
            input["AliasTarget"] = [
                "HostedZoneId": .string(alias.zoneID), "DNSName": .string(alias.name),
                "EvaluateTargetHealth": .boolean(alias.evaluatesHealth ?? false),
            ]
        } else {
            input["TTL"] = .integer(record.ttl ?? 300)
            input["ResourceRecords"] = .list(
                (record.records ?? []).map { ["Value": .string(DNSRecord.quoted($0, record.type))] },
                as: .members("ResourceRecord"))
        }
        if let check = record.healthCheckID.filled { input["HealthCheckId"] = .string(check) }
        return input
    }

    /// A record exactly as the listing told it, which is what a deletion must repeat.
    static func wire(_ item: XMLElement) -> AWSInput {
        var input: AWSInput = ["Name": .string(item["Name"].text), "Type": .string(item["Type"].text)]
        for name in ["SetIdentifier", "Weight", "Region"] where item[name].exists {
            input[name] = .string(item[name].text)
        }
        let geolocation = item["GeoLocation"]
        if geolocation.exists {
            input["GeoLocation"] = [
                "ContinentCode": .nonEmpty(geolocation["ContinentCode"].nonEmpty),
                "CountryCode": .nonEmpty(geolocation["CountryCode"].nonEmpty),
                "SubdivisionCode": .nonEmpty(geolocation["SubdivisionCode"].nonEmpty),
            ]
        }
        for name in ["Failover", "MultiValueAnswer"] where item[name].exists {
            input[name] = .string(item[name].text)
        }
        let alias = item["AliasTarget"]
        if alias.exists {
            input["AliasTarget"] = [
                "HostedZoneId": .string(alias["HostedZoneId"].text), "DNSName": .string(alias["DNSName"].text),
                "EvaluateTargetHealth": .string(alias["EvaluateTargetHealth"].text),
            ]
        } else {
            input["TTL"] = .string(item["TTL"].text)
            input["ResourceRecords"] = .list(
                item["ResourceRecords"].items.map { ["Value": .string($0["Value"].text)] },
                as: .members("ResourceRecord"))
        }
        if let check = item["HealthCheckId"].nonEmpty { input["HealthCheckId"] = .string(check) }
        return input
    }

    private func observed(_ item: XMLElement, _ zone: String) -> Observed<Self> {
        var arguments = Arguments()
        let type = item["Type"].text
        arguments.zoneID = zone
        arguments.name = DNSName.readable(item["Name"].text)
        arguments.type = type
        arguments.setIdentifier = item["SetIdentifier"].text
        arguments.healthCheckID = item["HealthCheckId"].text
        let alias = item["AliasTarget"]
        if alias.exists {
            var target = Alias()
            target.name = DNSName.readable(alias["DNSName"].text)
            target.zoneID = alias["HostedZoneId"].text
            target.evaluatesHealth = alias["EvaluateTargetHealth"].boolean ?? false
            arguments.alias = target
            arguments.records = []
        } else {
            arguments.ttl = item["TTL"].integer
            arguments.records = item["ResourceRecords"].items.map {
                DNSRecord.unquoted($0["Value"].text, type)
            }
        }
        arguments.weighted = item["Weight"].integer.map { weight in
            var weighted = Weighted()
            weighted.weight = weight
            return weighted
        }
        arguments.failover = item["Failover"].nonEmpty.map { type in
            var failover = Failover()
            failover.type = type
            return failover
        }
        arguments.latency = item["Region"].nonEmpty.map { region in
            var latency = Latency()
            latency.region = region
            return latency
        }
        if item["GeoLocation"].exists {
            var geolocation = Geolocation()
            geolocation.continent = item["GeoLocation"]["ContinentCode"].text
            geolocation.country = item["GeoLocation"]["CountryCode"].text
            geolocation.subdivision = item["GeoLocation"]["SubdivisionCode"].text
            arguments.geolocation = geolocation
        }
        arguments.isMultivalue = item["MultiValueAnswer"].boolean ?? false
        var outputs = Outputs()
        outputs.fqdn = arguments.name
        return Observed(id: Key(arguments).id, arguments: arguments, outputs: outputs)
    }
}
