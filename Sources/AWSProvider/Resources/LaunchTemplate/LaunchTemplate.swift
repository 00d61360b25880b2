// A launch template, in three files: its life (here), its arguments and its nested blocks.
//
// A template is a name with numbered versions that never change. What a version holds is changed by making the next one
// with everything that is wanted, so that nothing is left over from older ones. Whoever pins a version (a group does)
// follows through the output `latest_version`, which is known only after a change. Old versions are kept: a group may be
// rolled back to them.
//
// Making a version twice would move every group twice. The call carries a token that follows from the version before it
// and from what the new one holds, so that a repeated call is the same call; and an update looks first whether the
// newest version says already what is wanted. The weakness: somebody else's version is drift even while no group uses it.

import AWSClient
import Crypto
import MusterModel
import ProviderKit
import TextEncodings

/// A launch template: what new instances are like.
///
/// Calls: `CreateLaunchTemplate`, `DescribeLaunchTemplates`, `DescribeLaunchTemplateVersions` (the newest version of
/// every template in one listing), `CreateLaunchTemplateVersion`, `ModifyLaunchTemplate`, `CreateTags`, `DeleteTags`,
/// `DeleteLaunchTemplate`.
struct LaunchTemplate: ManagedResource {
    struct Outputs: ArgumentBlock {
        var arn: String?
        var latestVersion: String?
        var defaultVersion: String?

        static let fields: [Field<Self>] = [
            .output("arn", \.arn, "The ARN."),
            .output(
                "latest_version", \.latestVersion, changesWith: contentNames.sorted(),
                "The number of the newest version: what a group pins."),
            .output(
                "default_version", \.defaultVersion,
                changesWith: ["default_version", "update_default_version"] + contentNames.sorted(),
                "The number of the version that `$Default` stands for."),
        ]
    }

    /// The arguments that a version holds.
    static let contentNames = Set(Arguments.wire.map(\.field.schema.name)).union(["description"])

    static let schema = Schema<Arguments, Outputs>(
        "aws.launch_template", "A launch template: what new instances are like.",
        naming: .unique(argument: "name", maximumLength: 128), replacement: .createFirst, importSyntax: "lt-…")

    let aws: AWSSession

    func read(_ known: [Known<Self>]) async throws(ProviderError) -> [RemoteID: Observed<Self>] {
        let templates = try await listing()
        let versions = try await newestVersions()
        var found: [RemoteID: Observed<Self>] = [:]
        for object in known {
            guard let template = templates[object.id.rawValue] else { continue }
            found[object.id] = observed(template, versions[object.id.rawValue], object)
        }
        return found
    }

    func list(in scope: ListingScope) async throws(ProviderError) -> [Observed<Self>] {
        let versions = try await newestVersions()
        return try await listing().sorted { $0.key < $1.key }.map { observed($0.value, versions[$0.key], nil) }
    }

    func find(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Found<Self>? {
        guard
            let template = try await aws.ec2Now(
                "DescribeLaunchTemplates", at: "launchTemplates", [("launch-template-name", [desired.name])],
                pageSize: 200
            ).first
        else { return nil }
        let id = template["launchTemplateId"].text
        let known = Known<Self>(id: RemoteID(id), arguments: desired, declared: Set(desired.members.keys))
        let observed = observed(template, try await newestVersion(of: RemoteID(id)), known)
        return Found(observed, isOurs: template.tags[intent.tag.key] == intent.tag.value)
    }

    func create(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Observed<Self> {
        try desired.checkUserData()
        let answer = try await aws.ec2Change(
            "CreateLaunchTemplate",
            [
                "ClientToken": .string(intent.token),
                "LaunchTemplateName": .string(desired.name),
                "VersionDescription": .nonEmpty(desired.description),
                "LaunchTemplateData": desired.input,
                "TagSpecification": aws.tagSpecification("launch-template", desired.tags, intent),
            ])
        let template = answer["launchTemplate"]
        return Observed(
            id: RemoteID(template["launchTemplateId"].text), arguments: desired, outputs: outputs(template))
    }

    func update(
        _ id: RemoteID, from old: Arguments, to new: Arguments
    ) async throws(ProviderError) -> Observed<Self>? {
        try new.checkUserData()
        try await aws.updateTags(id, from: old.tags, to: new.tags)
        let isContentChanged = !new.says(old, in: Self.contentNames) || !old.says(new, in: Self.contentNames)
        let isDefaultChanged =
            new.defaultVersion != old.defaultVersion || new.defaultFollows ?? false != old.defaultFollows ?? false
        guard isContentChanged || isDefaultChanged else { return nil }
        if isContentChanged { try await makeVersion(id, new) }
        try await setDefault(id, new)
        let templates = try await templatesNow(id)
        guard let template = templates.first else { throw gone(id) }
        return observed(
            template, try await newestVersion(of: id),
            Known(id: id, arguments: new, declared: Set(new.members.keys)))
    }

    func delete(_ id: RemoteID, last: Arguments) async throws(ProviderError) {
        try await aws.delete(.ec2, "DeleteLaunchTemplate", ["LaunchTemplateId": .string(id.rawValue)])
    }

    func importID(_ text: String) async throws(ProviderError) -> RemoteID { try Self.checkedID(text, prefix: "lt-") }

    // MARK: Versions

    /// Makes the next version, unless the newest one says already what is wanted.
    private func makeVersion(_ id: RemoteID, _ wanted: Arguments) async throws(ProviderError) {
        guard let newest = try await newestVersion(of: id) else { throw gone(id) }
        let known = Known<Self>(id: id, arguments: wanted, declared: Set(wanted.members.keys))
        let there = content(newest, known)
        if wanted.says(there, in: Self.contentNames) { return }
        let number = newest["versionNumber"].text
        _ = try await aws.ec2Change(
            "CreateLaunchTemplateVersion",
            [
                "ClientToken": .string(token(id, after: number, wanted)),
                "LaunchTemplateId": .string(id.rawValue),
                "VersionDescription": .nonEmpty(wanted.description),
                "LaunchTemplateData": wanted.input,
            ])
    }

    private func setDefault(_ id: RemoteID, _ wanted: Arguments) async throws(ProviderError) {
        guard wanted.defaultFollows == true || wanted.defaultVersion.filled != nil else { return }
        guard let template = try await templatesNow(id).first else { throw gone(id) }
        let number = wanted.defaultVersion.filled ?? template["latestVersionNumber"].text
        if template["defaultVersionNumber"].text == number { return }
        _ = try await aws.ec2Change(
            "ModifyLaunchTemplate",
            ["LaunchTemplateId": .string(id.rawValue), "SetDefaultVersion": .string(number)])
    }

    /// 64 characters that follow from the version before and from what the new one holds.
    private func token(_ id: RemoteID, after number: String, _ wanted: Arguments) -> String {
        var content = wanted.members.filter { Self.contentNames.contains($0.key) }
        content["after"] = .string("\(id)/\(number)")
        return Hexadecimal.encode(SHA256.hash(data: ValueJSON.encode(.map(content))))
    }

    private func gone(_ id: RemoteID) -> ProviderError {
        ProviderError(.notFound, "There is no launch template \(id).", operation: "ec2.DescribeLaunchTemplates")
    }

    // MARK: Listings

    private func listing() async throws(ProviderError) -> [String: XMLElement] {
        let items = try await aws.ec2List("DescribeLaunchTemplates", at: "launchTemplates", pageSize: 200)
        return Dictionary(items.map { ($0["launchTemplateId"].text, $0) }, uniquingKeysWith: { first, _ in first })
    }

    private func newestVersions() async throws(ProviderError) -> [String: XMLElement] {
        let items = try await aws.remembered("DescribeLaunchTemplateVersions $Latest") {
            () async throws(ProviderError) -> [XMLElement] in
            try await aws.list(
                AWSOperation(
                    .ec2, "DescribeLaunchTemplateVersions",
                    ["LaunchTemplateVersion": ["$Latest"], "MaxResults": 200], effect: .read), .ec2,
                at: "launchTemplateVersionSet")
        }
        return Dictionary(items.map { ($0["launchTemplateId"].text, $0) }, uniquingKeysWith: { first, _ in first })
    }

    private func newestVersion(of id: RemoteID) async throws(ProviderError) -> XMLElement? {
        let answer = try await aws.call(
            .ec2, "DescribeLaunchTemplateVersions",
            ["LaunchTemplateId": .string(id.rawValue), "LaunchTemplateVersion": ["$Latest"]], effect: .read)
        return answer.xml["launchTemplateVersionSet"].items.first
    }

    private func templatesNow(_ id: RemoteID) async throws(ProviderError) -> [XMLElement] {
        let answer = try await aws.call(
            .ec2, "DescribeLaunchTemplates", ["LaunchTemplateId": [.string(id.rawValue)]], effect: .read)
        return answer.xml["launchTemplates"].items
    }

    // MARK: - Wire format

    private func content(_ version: XMLElement, _ known: Known<Self>?) -> Arguments {
        let data = version["launchTemplateData"]
        var arguments = Arguments(answer: data)
        arguments.description = version["versionDescription"].text
        let declared = known?.declared ?? []
        arguments.readUserData(
            data["userData"].text, recorded: known?.arguments.userDataBase64,
            isBase64: declared.contains("user_data_base64") && known?.arguments.userData == nil)
        return arguments
    }

    private func observed(_ template: XMLElement, _ newest: XMLElement?, _ known: Known<Self>?) -> Observed<Self> {
        var arguments = newest.map { content($0, known) } ?? Arguments()
        arguments.name = template["launchTemplateName"].text
        arguments.defaultVersion = template["defaultVersionNumber"].text
        if known?.arguments.defaultFollows == true {
            arguments.defaultFollows =
                template["defaultVersionNumber"].text == template["latestVersionNumber"].text
        }
        arguments.tags = template.tags
        return Observed(
            id: RemoteID(template["launchTemplateId"].text), arguments: arguments, outputs: outputs(template))
    }

    private func outputs(_ template: XMLElement) -> Outputs {
        let account = template["createdBy"].text.split(separator: ":", omittingEmptySubsequences: false)
            .dropFirst(4).first.map(String.init)
        return Outputs(
            arn: account.map { aws.ec2ARN("launch-template/\(template["launchTemplateId"].text)", account: $0) },
            latestVersion: template["latestVersionNumber"].nonEmpty,
            defaultVersion: template["defaultVersionNumber"].nonEmpty)
    }
}
