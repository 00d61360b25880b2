import AWSClient
import MusterModel
import ProviderKit

// Route 53's listings: zones whole, records by zone. All its calls share five requests a second.

extension AWSSession {
    func hostedZones() async throws(ProviderError) -> [XMLElement] {
        try await remembered("ListHostedZones") { () async throws(ProviderError) -> [XMLElement] in
            try await hostedZonesNow()
        }
    }

    /// The zones without memory, for what must be true now.
    func hostedZonesNow() async throws(ProviderError) -> [XMLElement] {
        try await list(
            AWSOperation(.route53, "ListHostedZones", effect: .read, rest: RESTRoute("GET", "/2013-04-01/hostedzone")),
            .hostedZones, at: "HostedZones")
    }

    /// The records of one name and type, as they are now.
    func recordSetsNow(in zone: String, name: String, type: String) async throws(ProviderError) -> [XMLElement] {
        let answer = try await call(
            AWSOperation(
                .route53, "ListResourceRecordSets", effect: .read,
                rest: RESTRoute(
                    "GET", "/2013-04-01/hostedzone/\(zone)/rrset",
                    query: [
                        .init("name", .string(name)), .init("type", .string(type)), .init("maxitems", .string("100")),
                    ])))
        return answer.xml["ResourceRecordSets"].items.filter {
            $0["Type"].text == type && DNSName.readable($0["Name"].text) == DNSName.readable(name)
        }
    }

    func recordSets(in zone: String) async throws(ProviderError) -> [XMLElement] {
        try await remembered("ListResourceRecordSets \(zone)") { () async throws(ProviderError) -> [XMLElement] in
            try await list(
                AWSOperation(
                    .route53, "ListResourceRecordSets", effect: .read,
                    rest: RESTRoute("GET", "/2013-04-01/hostedzone/\(zone)/rrset")),
                .recordSets, at: "ResourceRecordSets")
        }
    }

    /// One batch of changes to a zone.
    func changeRecords(
        in zone: String, _ changes: [(action: String, record: AWSInput)], effect: AWSEffect
    ) async throws(ProviderError) {
        let items = changes.map { change -> AWSInput in
            ["Action": .string(change.action), "ResourceRecordSet": change.record]
        }
        do throws(ProviderError) {
            _ = try await call(
                AWSOperation(
                    .route53, "ChangeResourceRecordSets",
                    ["ChangeBatch": ["Changes": .list(items, as: .members("Change"))]], effect: effect,
                    rest: RESTRoute(
                        "POST", "/2013-04-01/hostedzone/\(zone)/rrset/", bodyRoot: "ChangeResourceRecordSetsRequest")))
        } catch {
            throw error.asNotYetVisible
        }
    }

    /// Tags of zones, ten zones a call.
    func hostedZoneTags(_ zones: [String]) async throws(ProviderError) -> [String: [String: String]] {
        var tags: [String: [String: String]] = [:]
        var rest = zones.sorted()[...]
        while !rest.isEmpty {
            let page = rest.prefix(10)
            rest = rest.dropFirst(10)
            let answer = try await call(
                AWSOperation(
                    .route53, "ListTagsForResources",
                    ["ResourceIds": .strings(page, as: .members("ResourceId"))], effect: .read,
                    rest: RESTRoute("POST", "/2013-04-01/tags/hostedzone", bodyRoot: "ListTagsForResourcesRequest")))
            for set in answer.xml["ResourceTagSets"].items { tags[set["ResourceId"].text] = set.iamTags }
        }
        return tags
    }

    func updateHostedZoneTags(
        _ zone: String, from old: [String: String], to new: [String: String]
    ) async throws(ProviderError) {
        let change = TagChange(from: old, to: new)
        if change.isEmpty { return }
        var input: AWSInput = [:]
        if !change.set.isEmpty { input["AddTags"] = .keyValues(change.set, as: .members("Tag")) }
        if !change.removed.isEmpty { input["RemoveTagKeys"] = .strings(change.removed, as: .members("Key")) }
        _ = try await call(
            AWSOperation(
                .route53, "ChangeTagsForResource", input, effect: .idempotent,
                rest: RESTRoute(
                    "POST", "/2013-04-01/tags/hostedzone/\(zone)", bodyRoot: "ChangeTagsForResourceRequest")))
    }
}

/// Names in Route 53.
enum DNSName {
    /// As people write it: no trailing dot, lower case, `*` for `\052`.
    static func readable(_ name: String) -> String {
        var text = OctalEscapes.decode(name).lowercased()
        if text.hasSuffix("."), text.utf8.count > 1 { text.removeLast() }
        return text
    }

    /// `/hostedzone/Z123` → `Z123`.
    static func bareID(_ text: String) -> String {
        text.split(separator: "/").last.map(String.init) ?? text
    }
}

/// `\052`: how Route 53 writes the bytes that it does not write as they are.
enum OctalEscapes {
    static func encode(_ byte: UInt8) -> String {
        let digits = String(byte, radix: 8)
        return "\\" + String(repeating: "0", count: 3 - digits.count) + digits
    }

    static func decode(_ text: String) -> String {
        guard text.utf8.contains(UInt8(ascii: "\\")) else { return text }
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "\\"), let escaped = decode(rest.prefix(3)) {
                bytes.append(escaped)
                rest = rest.dropFirst(3)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Three octal digits.
    static func decode(_ digits: ArraySlice<UInt8>) -> UInt8? {
        guard digits.count == 3, digits.allSatisfy({ (48...55).contains($0) }) else { return nil }
        return UInt8(String(decoding: digits, as: UTF8.self), radix: 8)
    }
}
