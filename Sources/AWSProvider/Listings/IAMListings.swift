import AWSClient
import MusterModel
import ProviderKit
import TextEncodings

// IAM's listings. One call tells roles with their trust, inline policies, attachments, tags and profiles; what it does
// not tell (description, session length) is in a second one, asked for only where it is declared.

extension AWSSession {
    /// Roles with everything that hangs on them.
    func iamRoles() async throws(ProviderError) -> [String: XMLElement] {
        try await remembered("GetAccountAuthorizationDetails Role") {
            () async throws(ProviderError) -> [String: XMLElement] in
            let items = try await list(
                AWSOperation(
                    .iam, "GetAccountAuthorizationDetails", ["Filter": ["Role"], "MaxItems": 1000], effect: .read),
                .iam, at: "RoleDetailList")
            return Dictionary(items.map { ($0["RoleName"].text, $0) }, uniquingKeysWith: { first, _ in first })
        }
    }

    /// Roles with description and session length, and without tags and policies.
    func iamRoleFacts() async throws(ProviderError) -> [String: XMLElement] {
        try await remembered("ListRoles") { () async throws(ProviderError) -> [String: XMLElement] in
            let items = try await list(
                AWSOperation(.iam, "ListRoles", ["MaxItems": 1000], effect: .read), .iam, at: "Roles")
            return Dictionary(items.map { ($0["RoleName"].text, $0) }, uniquingKeysWith: { first, _ in first })
        }
    }

    func iamProfiles() async throws(ProviderError) -> [String: XMLElement] {
        try await remembered("ListInstanceProfiles") { () async throws(ProviderError) -> [String: XMLElement] in
            let items = try await list(
                AWSOperation(.iam, "ListInstanceProfiles", ["MaxItems": 1000], effect: .read), .iam,
                at: "InstanceProfiles")
            return Dictionary(
                items.map { ($0["InstanceProfileName"].text, $0) }, uniquingKeysWith: { first, _ in first })
        }
    }

    /// A change of IAM: what it refers to may have just been made.
    func iamChange(
        _ name: String, _ input: AWSInput, effect: AWSEffect = .idempotent
    ) async throws(ProviderError) -> XMLElement {
        do throws(ProviderError) {
            return try await call(.iam, name, input, effect: effect).xml
        } catch {
            throw error.asNotYetVisible
        }
    }

    /// Tags of a role or a profile: the kinds have calls of their own.
    func iamUpdateTags(
        _ kind: String, _ name: String, from old: [String: String]?, to new: [String: String]?
    ) async throws(ProviderError) {
        guard let new else { return }
        let change = TagChange(from: old, to: new)
        if !change.removed.isEmpty {
            _ = try await iamChange(
                "Untag\(kind)", ["\(kind)Name": .string(name), "TagKeys": .strings(change.removed)])
        }
        if !change.set.isEmpty {
            _ = try await iamChange("Tag\(kind)", ["\(kind)Name": .string(name), "Tags": .keyValues(change.set)])
        }
    }
}

extension ListingScope {
    /// The names of the roles whose children are listed.
    func roles(of all: [String: XMLElement]) -> [String] {
        switch self {
        case .everything: all.keys.sorted()
        case .children(let parents): parents.map(\.rawValue)
        }
    }
}

extension XMLElement {
    /// IAM's `Tags`.
    var iamTags: [String: String] {
        Dictionary(
            self["Tags"].items.map { ($0["Key"].text, $0["Value"].text) }, uniquingKeysWith: { first, _ in first })
    }

    /// A policy document: percent-encoded JSON, decoded once. Text that is no JSON stays text.
    var policyDocument: Value {
        let text = String(decoding: PercentEncoding.decode(text), as: UTF8.self)
        return (try? ValueJSON.decodePlain(text)) ?? .string(text)
    }
}
