import AWSClient
import MusterModel
import RancherSimulation
import StateStorage
import TextEncodings

/// What must hold of a Rancher server when nothing is left to do.
struct RancherLaws {
    let rancher: SimulatedRancher
    let cloud: SimulatedAWS
    let snapshot: Snapshot
    private let items: [String: RancherItem]

    init(_ rancher: SimulatedRancher, _ cloud: SimulatedAWS, _ snapshot: Snapshot) {
        self.rancher = rancher
        self.cloud = cloud
        self.snapshot = snapshot
        items = Dictionary(rancher.items.map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// What a record is on the server, or nil for what is somewhere else.
    static func key(_ record: ResourceRecord) -> String? {
        types[record.address.type].map { "\($0) \(record.id.rawValue)" }
    }

    private static let types: [ResourceType: String] = [
        "rancher.environment": "project", "rancher.registration_token": "registrationToken",
        "rancher.api_key": "apiKey", "rancher.service_account": "account", "rancher.registry": "registry",
        "rancher.registry_credential": "registryCredential", "rancher.stack": "stack", "rancher.service": "service",
        "rancher.certificate": "certificate", "rancher.secret": "secret", "rancher.setting": "setting",
        "rancher.local_access_control": "localAuthConfig", "rancher.github_access_control": "githubConfig",
    ]

    /// Where the parameter stands that a record's secret goes to.
    static func parameter(_ record: ResourceRecord) -> String? {
        guard let place = record.arguments["secret_to"]?.string, place.hasPrefix("ssm:") else { return nil }
        return "parameter/\(place.dropFirst(4))"
    }

    func violations(_ spec: Spec) -> [String] {
        lost + orphans + twice + secretsInPlace + spec.resources.flatMap { declaredSecrets($0) }
    }

    private var records: [ResourceRecord] {
        snapshot.records.sorted { $0.key < $1.key }.map(\.value).filter { RancherLaws.key($0) != nil }
    }

    private func item(_ record: ResourceRecord) -> RancherItem? { RancherLaws.key(record).flatMap { items[$0] } }

    private var lost: [String] {
        records.filter { item($0) == nil }.map { "\($0.address) is \($0.id), which is not there." }
    }

    private var orphans: [String] {
        let owned = Set(records.compactMap(RancherLaws.key))
        return items.values.filter { rancher.isMade($0) && !owned.contains($0.key) }.map(\.key).sorted()
            .map { "An orphan: \($0)" }
    }

    private var twice: [String] {
        var marks: Set<String> = []
        return items.values.sorted { $0.key < $1.key }.compactMap { item in
            guard rancher.isMade(item), let mark = item.mark else { return nil }
            return marks.insert(mark).inserted ? nil : "Made twice: \(item.key)"
        }
    }

    /// A key that works has its secret where the spec says, and so has a token.
    private var secretsInPlace: [String] {
        records.compactMap { record in
            guard let parameter = RancherLaws.parameter(record), let item = item(record) else { return nil }
            let text = cloud.current(parameter)?["-Value"] ?? ""
            let isThere =
                item.type == "registrationToken"
                ? rancher.isRegistration(text, of: item.id)
                : text.contains(item.fields["secretValue"]?.string ?? "nothing")
            return isThere ? nil : "\(record.address) has not its secret at \(parameter)."
        }
    }

    /// What the spec says is what the server was told.
    private func declaredSecrets(_ resource: Spec.Resource) -> [String] {
        guard let record = snapshot.records[resource.address], let item = item(record) else { return [] }
        let told: [(argument: String, text: String?)] = [
            ("password", item.fields["secretValue"]?.string), ("private_key", item.fields["key"]?.string),
            (
                "value",
                item.type == "secret"
                    ? item.fields["value"]?.string.flatMap { Base64.decode($0) }.map {
                        String(decoding: $0, as: UTF8.self)
                    }
                    : nil
            ),
        ]
        return told.compactMap { argument, text in
            guard !["localAuthConfig", "githubConfig"].contains(item.type),
                let reference = resource.arguments[argument]?.secrets.first,
                text != Secrets.text(of: reference)
            else { return nil }
            return "\(resource.address) has not the \(argument) that is declared."
        }
    }
}
