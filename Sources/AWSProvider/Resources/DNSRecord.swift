import AWSClient
import MusterModel
import ProviderKit

/// A record set of Route 53.
///
/// Calls: `ChangeResourceRecordSets` (`CREATE`, which fails if the record is there; `UPSERT` for a change; `DELETE`
/// with exactly what is there), `ListResourceRecordSets`.
/// A record carries no mark: one that says exactly what is wanted is taken for ours.
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
        var geoproximity: Geoproximity?
        var network: ClientNetwork?
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
            .argument(
                "geoproximity_routing_policy", \.geoproximity, "Answers by distance from where the question comes from."
            ),
            .argument("cidr_routing_policy", \.network, "Answers by the network that the question comes from."),
            .argument("multivalue_answer_routing_policy", \.isMultivalue, "Whether up to eight are answered at once."),
            .argument(
                "health_check_id", \.healthCheckID, absence: .means(""),
                "The health check that decides if it is answered."),
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

    struct Geoproximity: ArgumentBlock {
        var region: String?
        var localZoneGroup: String?
        var bias: Int?
        var coordinates: Coordinates?

        struct Coordinates: ArgumentBlock {
            var latitude = ""
            var longitude = ""

            static let fields: [Field<Self>] = [
                .required("latitude", \.latitude, "North of the equator, such as `49.22`; negative to the south."),
                .required("longitude", \.longitude, "East of Greenwich, such as `-74.01`; negative to the west."),
            ]
        }

        static let fields: [Field<Self>] = [
            .argument("aws_region", \.region, "The region of the answer."),
            .argument("local_zone_group", \.localZoneGroup, "The Local Zone group of the answer."),
            .argument("bias", \.bias, constraints: [.range(-99, 99)], "Makes its area bigger or smaller."),
            .argument("coordinates", \.coordinates, "The place of the answer."),
        ]
    }

    struct ClientNetwork: ArgumentBlock {
        var collectionID = ""
        var locationName = ""

        static let fields: [Field<Self>] = [
            .required("collection_id", \.collectionID, "The collection of networks."),
            .required("location_name", \.locationName, "The location in it, or `*`."),
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
            let items = Dictionary(
                records.map { (DNSRecord.key($0, zone).id, $0) }, uniquingKeysWith: { first, _ in first })
            for object in objects {
                guard let item = items[object.id] else { continue }
                found[object.id] = observed(item, zone, as: object.arguments.records)
            }
        }
        return found
    }

    func list(in scope: ListingScope) async throws(ProviderError) -> [Observed<Self>] {
        var all: [Observed<Self>] = []
        for zone in try await aws.hostedZones().map({ DNSName.bareID($0["Id"].text) }).sorted() {
            all += try await aws.recordSets(in: zone).map { observed($0, zone, as: nil) }
        }
        return all
    }

    func find(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Found<Self>? {
        let key = Key(desired)
        let present = try await aws.recordSetsNow(in: key.zone, name: key.name, type: key.type)
            .map { observed($0, key.zone, as: desired.records) }
        guard let observed = present.first(where: { $0.id == key.id }) else { return nil }
        return Found(observed, isOurs: says(observed.arguments, desired))
    }

    func create(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Observed<Self> {
        let action = desired.allowsOverwrite == true ? "UPSERT" : "CREATE"
        do throws(ProviderError) {
            try await aws.changeRecords(
                in: DNSName.bareID(desired.zoneID), [(action, wire(desired))], effect: .idempotent)
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
        try await aws.changeRecords(in: Key(id).zone, [("UPSERT", wire(new))], effect: .idempotent)
        return nil
    }

    func delete(_ id: RemoteID, last: Arguments) async throws(ProviderError) {
        // The call must repeat exactly what is there.
        let key = Key(id)
        do throws(ProviderError) {
            for record in try await aws.recordSetsNow(in: key.zone, name: key.name, type: key.type)
            where DNSRecord.key(record, key.zone).id == id {
                try await aws.changeRecords(in: key.zone, [("DELETE", DNSRecord.wire(record))], effect: .idempotent)
            }
        } catch {
            if error.kind != .notFound, error.kind != .notYetVisible { throw error }
        }
    }

    func importID(_ text: String) async throws(ProviderError) -> RemoteID {
        let key = Key(RemoteID(text))
        guard key.zone.hasPrefix("Z"), !key.name.isEmpty, !key.type.isEmpty else { throw Self.badID(text) }
        return key.id
    }

    private func says(_ there: Arguments, _ wanted: Arguments) -> Bool {
        let forms = { (records: [String]?) in Set((records ?? []).map { RecordValue.plain($0, wanted.type) }) }
        return forms(there.records) == forms(wanted.records)
            && (wanted.alias != nil || there.ttl == wanted.ttl ?? DNSRecord.defaultTTL)
            && DNSName.readable(there.alias?.name ?? "") == DNSName.readable(wanted.alias?.name ?? "")
            && there.alias?.zoneID == wanted.alias?.zoneID
            && there.alias?.evaluatesHealth ?? false == wanted.alias?.evaluatesHealth ?? false
            && there.weighted == wanted.weighted && there.failover == wanted.failover
            && there.latency == wanted.latency && there.healthCheckID.filled == wanted.healthCheckID.filled
            && there.isMultivalue ?? false == wanted.isMultivalue ?? false
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
            // Names are in lower case here, so that the first part that looks like a type is the type.
            let place = parts.indices.dropFirst().first { Key.types.contains(parts[$0]) } ?? parts.count
            zone = parts.first ?? ""
            name = DNSName.readable(parts.prefix(place).dropFirst().joined(separator: "_"))
            type = place < parts.count ? parts[place] : ""
            setIdentifier = parts.dropFirst(place + 1).joined(separator: "_")
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

    private static let defaultTTL = 300

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
            input["TTL"] = .integer(record.ttl ?? DNSRecord.defaultTTL)
            input["ResourceRecords"] = .list(
                (record.records ?? []).map { ["Value": .string(RecordValue.quoted($0, record.type))] },
                as: .members("ResourceRecord"))
        }
        if let check = record.healthCheckID.filled { input["HealthCheckId"] = .string(check) }
        if let network = record.network {
            input["CidrRoutingConfig"] = [
                "CollectionId": .string(network.collectionID), "LocationName": .string(network.locationName),
            ]
        }
        if let place = record.geoproximity {
            input["GeoProximityLocation"] = [
                "AWSRegion": .nonEmpty(place.region), "LocalZoneGroup": .nonEmpty(place.localZoneGroup),
                "Coordinates": .optional(
                    place.coordinates.map {
                        ["Latitude": .string($0.latitude), "Longitude": .string($0.longitude)]
                    }),
                "Bias": .optional(place.bias),
            ]
        }
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
        let network = item["CidrRoutingConfig"]
        if network.exists {
            input["CidrRoutingConfig"] = [
                "CollectionId": .string(network["CollectionId"].text),
                "LocationName": .string(network["LocationName"].text),
            ]
        }
        let place = item["GeoProximityLocation"]
        if place.exists {
            let coordinates = place["Coordinates"]
            input["GeoProximityLocation"] = [
                "AWSRegion": .nonEmpty(place["AWSRegion"].text),
                "LocalZoneGroup": .nonEmpty(place["LocalZoneGroup"].text),
                "Coordinates": coordinates.exists
                    ? [
                        "Latitude": .string(coordinates["Latitude"].text),
                        "Longitude": .string(coordinates["Longitude"].text),
                    ] : .absent,
                "Bias": .nonEmpty(place["Bias"].text),
            ]
        }
        return input
    }

    private static func key(_ item: XMLElement, _ zone: String) -> Key {
        var arguments = Arguments()
        arguments.zoneID = zone
        arguments.name = item["Name"].text
        arguments.type = item["Type"].text
        arguments.setIdentifier = item["SetIdentifier"].text
        return Key(arguments)
    }

    /// - Parameter written: the values as they were declared.
    private func observed(_ item: XMLElement, _ zone: String, as written: [String]?) -> Observed<Self> {
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
                RecordValue.shown($0["Value"].text, type, as: written)
            }
        }
        readRouting(item, &arguments)
        arguments.isMultivalue = item["MultiValueAnswer"].boolean ?? false
        var outputs = Outputs()
        outputs.fqdn = arguments.name
        return Observed(id: Key(arguments).id, arguments: arguments, outputs: outputs)
    }

    private func readRouting(_ item: XMLElement, _ arguments: inout Arguments) {
        arguments.weighted = item["Weight"].integer.map { Weighted(weight: $0) }
        arguments.failover = item["Failover"].nonEmpty.map { Failover(type: $0) }
        arguments.latency = item["Region"].nonEmpty.map { Latency(region: $0) }
        let geolocation = item["GeoLocation"]
        if geolocation.exists {
            arguments.geolocation = Geolocation(
                continent: geolocation["ContinentCode"].text, country: geolocation["CountryCode"].text,
                subdivision: geolocation["SubdivisionCode"].text)
        }
        let network = item["CidrRoutingConfig"]
        if network.exists {
            arguments.network = ClientNetwork(
                collectionID: network["CollectionId"].text, locationName: network["LocationName"].text)
        }
        let place = item["GeoProximityLocation"]
        if place.exists {
            let coordinates = place["Coordinates"]
            arguments.geoproximity = Geoproximity(
                region: place["AWSRegion"].nonEmpty, localZoneGroup: place["LocalZoneGroup"].nonEmpty,
                bias: place["Bias"].integer ?? 0,
                coordinates: coordinates.exists
                    ? .init(latitude: coordinates["Latitude"].text, longitude: coordinates["Longitude"].text) : nil)
        }
    }
}
