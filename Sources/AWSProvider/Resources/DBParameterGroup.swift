import AWSClient
import MusterModel
import ProviderKit

/// A DB parameter group: the settings of the engine of databases.
///
/// Calls: `CreateDBParameterGroup`, `DescribeDBParameterGroups`, `DescribeDBParameters` and `ListTagsForResource` (where
/// they are declared), `ModifyDBParameterGroup`, `ResetDBParameterGroup` (20 parameters a call), `AddTagsToResource`,
/// `RemoveTagsFromResource`, `DeleteDBParameterGroup`; see `NamedGroups.swift`.
///
/// The parameters that somebody set are one set: others than the declared ones are drift, and set back to what the engine
/// has. How a parameter comes into force is asked for where it is not declared: a static one waits for the next restart.
struct DBParameterGroup: NamedGroup {
    struct Arguments: NamedGroupArguments {
        var name = ""
        var family = ""
        var description: String?
        var parameters: [Parameter]?
        var tags: [String: String]?

        static let fields: [Field<Self>] = [
            .required(
                "name", \.name, onChange: .replace, semantics: .caseInsensitive,
                constraints: [.hyphenated, .length(1, 255)], nameText),
            .required("family", \.family, onChange: .replace, "The engine and its line, such as `mysql8.0`."),
            .argument(
                "description", \.description, onChange: .replace, constraints: [.length(1, 255)], descriptionText),
            .argument(
                "parameter", \.parameters, type: .set(Parameter.valueType, key: "name"), absence: .means(.list([])),
                needsOwnRead: true, isSetAfterCreate: true,
                timing: .later("a static parameter comes into force when a database that uses it restarts next"),
                "The parameters that differ from what the engine has; all others are set back."),
            .tags(\.tags, needsOwnRead: true),
        ]
    }

    struct Parameter: ArgumentBlock {
        var name = ""
        var value = ""
        var applyMethod: String?

        static let fields: [Field<Self>] = [
            .required("name", \.name, semantics: .caseInsensitive, "The parameter."),
            .required("value", \.value, "Its value, in the engine's words."),
            .argument(
                "apply_method", \.applyMethod, constraints: [.allowed(["immediate", "pending-reboot"])],
                "`immediate`, or `pending-reboot` at the next restart; left out, as soon as the engine can."),
        ]
    }

    struct Outputs: ArgumentBlock {
        var arn: String?
        static let fields: [Field<Self>] = [.output("arn", \.arn, "The ARN.")]
    }

    static let schema = Schema<Arguments, Outputs>(
        "aws.db_parameter_group", "The settings of a database's engine.",
        naming: .unique(argument: "name", maximumLength: 255), replacement: .createFirst,
        importSyntax: "the group's name")

    let aws: AWSSession

    func complete(_ observed: inout Observed<Self>, of known: Known<Self>) async throws(ProviderError) {
        // A set that was declared and is declared no more is still to be emptied.
        guard known.declared.contains("parameter") || known.arguments.parameters?.isEmpty == false else { return }
        observed.arguments.parameters = try await parameters(of: known.id.rawValue, source: "user").map(\.parameter)
    }

    func create(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Observed<Self> {
        let answer = try await aws.change(
            .rds, "CreateDBParameterGroup",
            [
                "DBParameterGroupName": .string(desired.name.lowercased()),
                "DBParameterGroupFamily": .string(desired.family),
                "Description": desired.wireDescription,
                "Tags": aws.rdsTags(desired.tags, intent),
            ])
        return observed(answer["DBParameterGroup"])
    }

    func update(
        _ id: RemoteID, from old: Arguments, to new: Arguments
    ) async throws(ProviderError) -> Observed<Self>? {
        try await setParameters(id.rawValue, from: old.parameters ?? [], to: new.parameters)
        try await updateTags(id, from: old, to: new)
        return nil
    }

    // MARK: Parameters

    private static let perCall = 20

    private func setParameters(
        _ group: String, from old: [Parameter], to new: [Parameter]?
    ) async throws(ProviderError) {
        guard let new else { return }
        let before = Dictionary(old.map { ($0.name.lowercased(), $0) }, uniquingKeysWith: { first, _ in first })
        let after = Dictionary(new.map { ($0.name.lowercased(), $0) }, uniquingKeysWith: { first, _ in first })
        let removed = before.filter { after[$0.key] == nil }.map(\.value).sorted { $0.name < $1.name }
        let set = after.filter { name, parameter in
            guard let present = before[name] else { return true }
            return present.value != parameter.value
                || parameter.applyMethod != nil && parameter.applyMethod != present.applyMethod
        }.map(\.value).sorted { $0.name < $1.name }
        let isAsked = set.contains { $0.applyMethod == nil } || !removed.isEmpty
        let kinds = isAsked ? try await applyTypes(of: group) : [:]
        try await send("ResetDBParameterGroup", group, removed) { parameter in
            [
                "ParameterName": .string(parameter.name),
                "ApplyMethod": .string(DBParameterGroup.method(of: parameter.name, kinds)),
            ]
        }
        try await send("ModifyDBParameterGroup", group, set) { parameter in
            [
                "ParameterName": .string(parameter.name), "ParameterValue": .string(parameter.value),
                "ApplyMethod": .string(
                    parameter.applyMethod ?? DBParameterGroup.method(of: parameter.name, kinds)),
            ]
        }
    }

    /// One that the engine does not tell of may be set only when it starts.
    private static func method(of name: String, _ kinds: [String: String]) -> String {
        kinds[name.lowercased()] == "dynamic" ? "immediate" : "pending-reboot"
    }

    private func send(
        _ operation: String, _ group: String, _ parameters: [Parameter], _ form: (Parameter) -> AWSInput
    ) async throws(ProviderError) {
        var rest = parameters[...]
        while !rest.isEmpty {
            let batch = rest.prefix(Self.perCall)
            rest = rest.dropFirst(Self.perCall)
            _ = try await aws.change(
                .rds, operation,
                [
                    "DBParameterGroupName": .string(group),
                    "Parameters": .list(batch.map(form), as: .members("Parameter")),
                ])
        }
    }

    /// `static` or `dynamic` by parameter.
    private func applyTypes(of group: String) async throws(ProviderError) -> [String: String] {
        Dictionary(
            try await parameters(of: group, source: nil).map {
                ($0["ParameterName"].text.lowercased(), $0["ApplyType"].text)
            }, uniquingKeysWith: { first, _ in first })
    }

    private func parameters(of group: String, source: String?) async throws(ProviderError) -> [XMLElement] {
        try await aws.markerNow(
            .rds, "DescribeDBParameters", at: "Parameters",
            ["DBParameterGroupName": .string(group), "Source": .optional(source)])
    }

    // MARK: - Wire format

    static let service = AWSService.rds
    static let noun = "DBParameterGroup"
    static let arnMember = "DBParameterGroupArn"

    func observed(_ group: XMLElement) -> Observed<Self> {
        var arguments = Arguments()
        arguments.name = group["DBParameterGroupName"].text
        arguments.family = group["DBParameterGroupFamily"].text
        arguments.description = group["Description"].text
        var outputs = Outputs()
        outputs.arn = group[Self.arnMember].nonEmpty
        return Observed(id: RemoteID(arguments.name), arguments: arguments, outputs: outputs)
    }
}

extension XMLElement {
    fileprivate var parameter: DBParameterGroup.Parameter {
        var parameter = DBParameterGroup.Parameter()
        parameter.name = self["ParameterName"].text
        parameter.value = self["ParameterValue"].text
        parameter.applyMethod = self["ApplyMethod"].nonEmpty
        return parameter
    }
}
