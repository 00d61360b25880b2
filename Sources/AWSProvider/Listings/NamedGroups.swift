import AWSClient
import MusterModel
import ProviderKit

// Groups of RDS and ElastiCache: few, listed whole, told apart by a name that AWS keeps in lower case, and with tags that
// are asked for by ARN.

/// What the user says of any such group.
protocol NamedGroupArguments: ArgumentBlock {
    var name: String { get set }
    var description: String? { get set }
    var tags: [String: String]? { get set }
}

protocol NamedGroup: ManagedResource where Arguments: NamedGroupArguments {
    static var service: AWSService { get }
    /// How calls and members call it, such as `DBSubnetGroup`.
    static var noun: String { get }
    /// The member that tells its ARN.
    static var arnMember: String { get }
    var aws: AWSSession { get }

    func observed(_ group: XMLElement) -> Observed<Self>
    /// Adds what costs a call of its own, beside the tags.
    func complete(_ observed: inout Observed<Self>, of known: Known<Self>) async throws(ProviderError)
}

extension NamedGroupArguments {
    static var defaultDescription: String { "Managed by muster" }
    static var descriptionText: String { "What it is for; \"\(defaultDescription)\" if it is left out." }
    static var nameText: String { "The name; AWS keeps it in lower case." }

    /// As a create says it.
    var wireDescription: AWSInput { .string(description.filled ?? Self.defaultDescription) }
}

extension NamedGroup {
    static var nameMember: String { "\(noun)Name" }

    func complete(_ observed: inout Observed<Self>, of known: Known<Self>) async throws(ProviderError) {}

    func read(_ known: [Known<Self>]) async throws(ProviderError) -> [RemoteID: Observed<Self>] {
        let groups = Dictionary(
            try await listing().map { ($0[Self.nameMember].text, $0) }, uniquingKeysWith: { first, _ in first })
        var found: [RemoteID: Observed<Self>] = [:]
        for object in known {
            guard let group = groups[object.id.rawValue] else { continue }
            var observed = observed(group)
            if object.declared.contains("tags") {
                guard let tags = try await aws.tags(Self.service, of: group[Self.arnMember].text) else { continue }
                observed.arguments.tags = tags
            }
            try await complete(&observed, of: object)
            found[object.id] = observed
        }
        return found
    }

    func list(in scope: ListingScope) async throws(ProviderError) -> [Observed<Self>] {
        try await listing().map(observed)
    }

    func find(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Found<Self>? {
        guard let group = try await named(desired.name) else { return nil }
        guard let tags = try await aws.tags(Self.service, of: group[Self.arnMember].text) else {
            throw .marksUnseen(desired.name)
        }
        return Found(observed(group), isOurs: tags[intent.tag.key] == intent.tag.value)
    }

    func delete(_ id: RemoteID, last: Arguments) async throws(ProviderError) {
        try await aws.delete(
            Self.service, "Delete\(Self.noun)", .structure([.init(Self.nameMember, .string(id.rawValue))]))
    }

    func importID(_ text: String) async throws(ProviderError) -> RemoteID { RemoteID(text.lowercased()) }

    func updateTags(_ id: RemoteID, from old: Arguments, to new: Arguments) async throws(ProviderError) {
        if old.tags == new.tags || new.tags == nil { return }
        guard let group = try await named(id.rawValue) else { throw Self.gone(id) }
        try await aws.updateTags(Self.service, of: group[Self.arnMember].text, from: old.tags, to: new.tags)
    }

    private func listing() async throws(ProviderError) -> [XMLElement] {
        try await aws.markerList(Self.service, "Describe\(Self.noun)s", at: "\(Self.noun)s")
    }

    private func named(_ name: String) async throws(ProviderError) -> XMLElement? {
        try await aws.markerNamed(
            Self.service, "Describe\(Self.noun)s", at: "\(Self.noun)s", Self.nameMember, name.lowercased())
    }
}

// MARK: - Subnet groups

/// What the user says of a group of subnets.
protocol SubnetGroupArguments: NamedGroupArguments {
    var subnetIDs: [String]? { get set }
}

/// The subnets that something of RDS or ElastiCache may stand in.
protocol SubnetGroup: NamedGroup where Arguments: SubnetGroupArguments {
    /// What an answer tells beside the arguments.
    func outputs(_ group: XMLElement) -> Outputs
}

extension SubnetGroupArguments {
    static func groupFields(_ minimum: Int, _ documentation: String) -> [Field<Self>] {
        [
            .required(
                "name", \.name, onChange: .replace, semantics: .caseInsensitive, constraints: [.length(1, 255)],
                nameText),
            .argument("description", \.description, constraints: [.length(1, 255)], descriptionText),
            .argument(
                "subnet_ids", \.subnetIDs, type: .set(.string), isRequired: true, reference: .subnet,
                constraints: [.count(minimum, 1000)], holds: true, documentation),
            .tags(\.tags, needsOwnRead: true),
        ]
    }
}

extension SubnetGroup {
    func create(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Observed<Self> {
        let answer = try await aws.change(
            Self.service, "Create\(Self.noun)",
            .structure([
                .init(Self.nameMember, .string(desired.name.lowercased())),
                .init("\(Self.noun)Description", desired.wireDescription),
                .init("SubnetIds", .set(desired.subnetIDs, as: "SubnetIdentifier")),
                .init("Tags", aws.rdsTags(desired.tags, intent)),
            ]))
        return observed(answer[Self.noun])
    }

    func update(
        _ id: RemoteID, from old: Arguments, to new: Arguments
    ) async throws(ProviderError) -> Observed<Self>? {
        var observed: Observed<Self>?
        let isDescriptionChanged = new.description.filled != nil && new.description != old.description
        if setDifference(old.subnetIDs, new.subnetIDs) != ([], []) || isDescriptionChanged {
            let answer = try await aws.change(
                Self.service, "Modify\(Self.noun)",
                .structure([
                    .init(Self.nameMember, .string(id.rawValue)),
                    .init("\(Self.noun)Description", .nonEmpty(new.description)),
                    .init("SubnetIds", .set(new.subnetIDs, as: "SubnetIdentifier")),
                ]))
            observed = self.observed(answer[Self.noun])
        }
        try await updateTags(id, from: old, to: new)
        return observed
    }

    func observed(_ group: XMLElement) -> Observed<Self> {
        var arguments = Arguments()
        arguments.name = group[Self.nameMember].text
        arguments.description = group["\(Self.noun)Description"].text
        arguments.subnetIDs = group["Subnets"].items.map { $0["SubnetIdentifier"].text }.sorted()
        return Observed(id: RemoteID(arguments.name), arguments: arguments, outputs: outputs(group))
    }
}
