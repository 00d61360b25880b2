import AWSClient
import SandboxServing

extension ObjectType {
    private static let read: [Field] = [
        Field("certFingerprint", .string), Field("CN", .string), Field("issuer", .string), Field("issuedAt", .string),
        Field("expiresAt", .string), Field("algorithm", .string), Field("version", .string),
        Field("serialNumber", .string), Field("keySize", .int), Field("subjectAlternativeNames", .array(.string)),
    ]

    static let certificate = ObjectType(
        name: "certificate", table: .certificate,
        fields: Field.named([.create, .update], name: [.required]) + [
            Field("cert", .string, [.create, .update, .required]),
            Field("key", .password, [.create, .update, .required]),
            Field("certChain", .string, [.create, .update, .nullable]),
        ] + read,
        processes: [
            Process.create(via: "activating", to: "active"), Process.update(["active"]),
            Process("remove", ["requested", "active", "activating"], via: "removing", to: "removed"),
        ],
        access: .inEnvironment, links: [.parent("account", type: "account", by: "accountId")],
        hooks: Hooks(
            prepare: { (server, draft, _) throws(APIFailure) in
                try server.checkUnique(draft.fields["name"], "certificate", owner: draft.owner)
                guard draft.fields["key"]?.text.contains("-----BEGIN") == true else {
                    throw .validation("InvalidFormat", "key")
                }
                for (name, value) in try RancherServer.certificateFields(draft.fields["cert"]) {
                    draft.fields[name] = value
                }
            },
            change: { (server, entity, changes, _) throws(APIFailure) in
                try server.checkUnique(changes["name"], "certificate", owner: entity.owner, besides: entity.id)
                guard changes["cert"] != nil else { throw .validation("InvalidFormat", "cert") }
                for (name, value) in try RancherServer.certificateFields(changes["cert"]) { changes[name] = value }
            }))
}

extension RancherServer {
    fileprivate static func certificateFields(_ pem: JSONValue?) throws(APIFailure) -> [String: JSONValue] {
        guard let certificate = X509Certificate(pem: pem?.string ?? "") else {
            throw .validation("InvalidFormat", "cert")
        }
        return [
            "certFingerprint": .string(certificate.fingerprint), "CN": .optional(certificate.commonName),
            "issuer": .string(certificate.issuer), "issuedAt": .string(certificate.notBefore.javaText),
            "expiresAt": .string(certificate.notAfter.javaText), "algorithm": .string(certificate.algorithm),
            "version": .string(String(certificate.version)), "serialNumber": .string(certificate.serialNumber),
            "keySize": certificate.keySize.map { .integer(Int64($0)) } ?? .null,
            "subjectAlternativeNames": certificate.names.isEmpty ? .null : .strings(certificate.names),
        ]
    }
}

extension Timestamp {
    /// `Tue Dec 08 19:39:18 UTC 2026`, as Java writes a date.
    var javaText: String {
        let text = iso8601
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
        let day = Int((millisecondsSinceEpoch / 86_400_000 % 7 + 7) % 7)
        let month = (Int(text.dropFirst(5).prefix(2)) ?? 1) - 1
        let (dayOfMonth, time, year) = (text.dropFirst(8).prefix(2), text.dropFirst(11).prefix(8), text.prefix(4))
        return "\(days[day]) \(months[min(11, max(0, month))]) \(dayOfMonth) \(time) UTC \(year)"
    }
}
