import AWSClient
import MusterModel
import ProviderKit

// What the types of EC2 have in common beside their listings: looks that must be true now, changes to what may have
// just been made, and finding in a listing what was asked for.

extension AWSSession {
    /// A look that is not remembered, for what must be true now.
    func ec2Now(
        _ name: String, at path: String, _ filters: [(name: String, values: [String])], pageSize: Int? = 1000
    ) async throws(ProviderError) -> [XMLElement] {
        var input: AWSInput = [
            "Filter": .list(filters.map { ["Name": .string($0.name), "Value": .strings($0.values)] })
        ]
        if let pageSize { input["MaxResults"] = .integer(pageSize) }
        return try await list(AWSOperation(.ec2, name, input, effect: .read), .ec2, at: path)
    }

    /// A call that makes or changes something. What it refers to may have just been made, so a thing that is not found
    /// may only not be visible yet.
    func ec2Change(
        _ name: String, _ input: AWSInput, effect: AWSEffect = .idempotent
    ) async throws(ProviderError) -> XMLElement {
        do throws(ProviderError) {
            return try await call(.ec2, name, input, effect: effect).xml
        } catch {
            throw error.asNotYetVisible
        }
    }

    /// A change that undoes something, for which it is as well that it is undone already.
    func ec2Undo(_ name: String, _ input: AWSInput, goneCodes: Set<String> = []) async throws(ProviderError) {
        try await delete(.ec2, name, input, goneCodes: goneCodes)
    }
}

/// What AWS decides of an object that belongs to an account and has nothing else to tell.
struct OwnedOutputs: ArgumentBlock {
    var arn: String?
    var ownerID: String?

    static let fields: [Field<Self>] = [
        .output("arn", \.arn, "The ARN."),
        .output("owner_id", \.ownerID, "The account that owns it."),
    ]
}

extension AWSSession {
    /// EC2 tells the owner, and the ARN follows from it.
    func owned(_ item: XMLElement, _ resource: String) -> OwnedOutputs {
        let owner = item["ownerId"].nonEmpty
        return OwnedOutputs(arn: owner.map { ec2ARN(resource, account: $0) }, ownerID: owner)
    }
}

extension ManagedResource {
    /// Out of a listing, what was asked for; `observed` gives nil for what is there in name only.
    func matching(
        _ known: [Known<Self>], in items: [XMLElement], id: String, _ observed: (XMLElement) -> Observed<Self>?
    ) -> [RemoteID: Observed<Self>] {
        let wanted = Set(known.map(\.id.rawValue))
        var found: [RemoteID: Observed<Self>] = [:]
        for item in items where wanted.contains(item[id].text) {
            guard let observed = observed(item) else { continue }
            found[observed.id] = observed
        }
        return found
    }
}

/// A network as AWS keeps it: without host bits, IPv6 in its short form.
func canonicalNetwork(_ text: String) -> String { IPNetwork(text)?.canonical.description ?? text }

/// An IPv6 address as AWS keeps it: in its short form. Anything else stays as it is.
func canonicalAddress(_ text: String) -> String {
    guard let address = IPNetwork.ipv6(text) else { return text }
    return String(IPNetwork(address: address, prefixLength: 128, isIPv6: true).description.prefix { $0 != "/" })
}

extension AWSInput {
    /// A network as AWS keeps it; nil and "" leave the member out.
    static func network(_ text: String?) -> AWSInput { .nonEmpty(text.map(canonicalNetwork)) }

    /// nil and "" leave the member out.
    static func nonEmpty(_ text: String?) -> AWSInput {
        guard let text, !text.isEmpty else { return .absent }
        return .string(text)
    }

    /// nil and [] leave the member out; order means nothing, so that the same set gives the same bytes.
    static func set(_ values: [String]?) -> AWSInput {
        guard let values, !values.isEmpty else { return .absent }
        return .strings(Set(values).sorted())
    }
}

extension Optional where Wrapped == String {
    /// The text, unless it is unset.
    var filled: String? { self == "" ? nil : self }
}

/// What must be added to and removed from a set; `new` nil leaves it as it is.
func setDifference(_ old: [String]?, _ new: [String]?) -> (added: [String], removed: [String]) {
    guard let new else { return ([], []) }
    let before = Set(old ?? [])
    let after = Set(new)
    return (after.subtracting(before).sorted(), before.subtracting(after).sorted())
}
