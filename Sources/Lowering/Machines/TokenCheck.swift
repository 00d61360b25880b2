import Diagnostics
import MusterModel

/// A machine that joins an environment of Rancher by its name, to be looked at when all tokens are known.
struct TokenCheck {
    /// The environment, as it was named.
    var reference: Reference
    /// Where the machine looks for the URL.
    var region: String?
    /// The rights of the machine.
    var profile: LocatedValue?
    var range: SourceRange
}

extension LoweringResult {
    /// Complains of machines that could not get at the registration URL of their environment. An environment that is not
    /// there at all is the linker's complaint.
    mutating func checkTokens(uses: [String: [String]], regions: [String: String]) {
        if tokenChecks.isEmpty { return }
        let tokens = JoinTokens(declarations, uses: uses)
        let rights = MachineRights(declarations, uses: uses)
        for check in tokenChecks {
            guard let found = tokens.find(check.reference) else { continue }
            guard let place = found.arguments["secret_to"], found.address.type == JoinTokens.token else {
                diagnostics.append(.noPlaceToJoinFrom(found, check.range))
                continue
            }
            let there = regions[found.address.stack]
            if let text = place.string, text.hasPrefix("file:") {
                diagnostics.append(.keptInAFile(found, check.range))
            } else if let there, let here = check.region, here != there {
                diagnostics.append(.keptElsewhere(found, there, here, check.range))
            } else if let missing = rights.missing(for: place, check) {
                diagnostics.append(missing)
            }
        }
    }
}

/// The tokens and environments of a workspace by name.
private struct JoinTokens {
    static let token: ResourceType = "rancher.registration_token"

    private var found: [Address: Declaration] = [:]
    private let uses: [String: [String]]

    init(_ declarations: [Declaration], uses: [String: [String]]) {
        self.uses = uses
        for declaration in declarations
        where ReferenceKind.rancherJoined.targets.contains(where: { $0.type == declaration.address.type }) {
            found[declaration.address] = declaration
        }
    }

    /// What the linker finds: a token before an environment, the own stack before others.
    func find(_ reference: Reference) -> Declaration? {
        guard let (stacks, name) = reference.stacksAndName(uses) else { return nil }
        for stack in stacks {
            for target in ReferenceKind.rancherJoined.targets {
                if let declaration = found[Address(stack: stack, type: target.type, name: name)] { return declaration }
            }
        }
        return nil
    }
}

/// What the instance profiles of a workspace allow, where all of it is declared.
private struct MachineRights {
    private var profiles: [Address: Declaration] = [:]
    private var policies: [Address: [Declaration]] = [:]
    /// Roles with a policy that AWS or somebody else wrote.
    private var unknown: Set<Address> = []
    private let uses: [String: [String]]

    init(_ declarations: [Declaration], uses: [String: [String]]) {
        self.uses = uses
        for declaration in declarations {
            switch declaration.address.type {
            case "aws.iam_instance_profile": profiles[declaration.address] = declaration
            case "aws.iam_role_policy":
                guard let role = Self.role(of: declaration) else { continue }
                policies[role, default: []].append(declaration)
            case "aws.iam_role_policy_attachment":
                if let role = Self.role(of: declaration) { unknown.insert(role) }
            default: break
            }
        }
    }

    private static func role(of declaration: Declaration) -> Address? {
        guard case .deferred(let deferred)? = declaration.arguments["role"],
            case .output(let output) = deferred.expression
        else { return nil }
        return output.address
    }

    /// What the machine may not do, as far as that can be told.
    func missing(for place: Value, _ check: TokenCheck) -> Diagnostic? {
        guard let profile = check.profile else { return .noRights(check.range) }
        guard case .deferred(let deferred) = profile.value, case .reference(let reference) = deferred.expression,
            let (stacks, name) = reference.stacksAndName(uses),
            let found = stacks.lazy.compactMap({
                profiles[Address(stack: $0, type: "aws.iam_instance_profile", name: name)]
            }).first, let role = Self.role(of: found), !unknown.contains(role), let wanted = Permission(place)
        else { return nil }
        let documents = (policies[role] ?? []).map { $0.arguments["policy"] ?? .null }
        // A policy that is known later, or is text, may allow it.
        guard documents.allSatisfy({ $0.map != nil }) else { return nil }
        return documents.contains { wanted.isAllowed(by: $0) } ? nil : .notAllowedToRead(wanted, name, found, profile)
    }
}

/// What a machine needs in order to read what is kept at a place.
private struct Permission {
    var action: String
    /// The end of the ARN, from the account on.
    var resource: String
    var isSecret: Bool

    /// nil for a place that is known later.
    init?(_ place: Value) {
        guard let text = place.string else { return nil }
        if text.hasPrefix("ssm:") {
            let name = text.dropFirst(4)
            (action, isSecret) = ("ssm:GetParameter", false)
            resource = "parameter" + (name.hasPrefix("/") ? name : "/\(name)")
        } else if text.hasPrefix("secretsmanager:") {
            (action, isSecret) = ("secretsmanager:GetSecretValue", true)
            resource = "secret:" + text.dropFirst(15).prefix { $0 != "#" }
        } else {
            return nil
        }
    }

    var statement: String {
        let arn = isSecret ? "arn:aws:secretsmanager:*:*:\(resource)-*" : "arn:aws:ssm:*:*:\(resource)"
        return "{ Effect: Allow, Action: \"\(action)\", Resource: \"\(arn)\" }"
    }

    func isAllowed(by document: Value) -> Bool {
        Self.list(document.map?["Statement"]).contains { statement in
            guard let members = statement.map, members["Effect"] == "Allow" else { return false }
            // What is written the other way round is taken to allow it.
            let actions = members["NotAction"] == nil ? Self.list(members["Action"]) : ["*"]
            let resources = members["NotResource"] == nil ? Self.list(members["Resource"]) : ["*"]
            return actions.contains { covers($0, action.lowercased(), isAction: true) }
                && resources.contains { covers($0, resource, isAction: false) }
        }
    }

    private func covers(_ pattern: Value, _ text: String, isAction: Bool) -> Bool {
        guard let pattern = pattern.string else { return pattern != .null }
        if isAction { return Wildcard.matches(text, pattern.lowercased()) }
        if pattern == "*" { return true }
        let parts = pattern.split(separator: ":", maxSplits: 5, omittingEmptySubsequences: false)
        guard parts.count == 6 else { return Wildcard.matches("arn:aws:x:x:x:\(resource)", pattern) }
        // Secrets have six characters of AWS's own at their ends.
        return Wildcard.matches(text, String(parts[5]))
            || isSecret && Wildcard.matches(text + "-AbCdEf", String(parts[5]))
    }

    private static func list(_ value: Value?) -> [Value] {
        switch value {
        case nil, .null: []
        case .list(let values): values
        case let single?: [single]
        }
    }
}

/// `*` and `?` of policies.
private enum Wildcard {
    static func matches(_ text: String, _ pattern: String) -> Bool {
        let (text, pattern) = (Array(text.utf8), Array(pattern.utf8))
        var (at, place) = (0, 0)
        var star: (pattern: Int, text: Int)?
        while at < text.count {
            if place < pattern.count, pattern[place] == UInt8(ascii: "?") || pattern[place] == text[at],
                pattern[place] != UInt8(ascii: "*")
            {
                at += 1
                place += 1
            } else if place < pattern.count, pattern[place] == UInt8(ascii: "*") {
                star = (place, at)
                place += 1
            } else if let last = star {
                star = (last.pattern, last.text + 1)
                (place, at) = (last.pattern + 1, last.text + 1)
            } else {
                return false
            }
        }
        return pattern[place...].allSatisfy { $0 == UInt8(ascii: "*") }
    }
}

extension Reference {
    /// Where a bare name is looked for, and the name; nil for a path.
    fileprivate func stacksAndName(_ uses: [String: [String]]) -> (stacks: [String], name: String)? {
        guard case .named(_, let text) = target else { return nil }
        guard let colon = text.firstIndex(of: ":") else { return ([stack] + (uses[stack] ?? []), text) }
        return ([String(text[..<colon])], String(text[text.index(after: colon)...]))
    }
}

extension Diagnostic {
    private static func joining(
        _ detail: String, _ found: Declaration, _ range: SourceRange, hint: String
    ) -> Diagnostic {
        Diagnostic(
            code: "spec.registration-token", summary: "No way to join the environment", detail: detail, at: range,
            related: found.range.map { [.init(range: $0, message: "the environment's part is here")] } ?? [], hint: hint
        )
    }

    private static let cure = "registration_token: { secret_to: ssm:/NAME/rancher/registration-url }"

    fileprivate static func noPlaceToJoinFrom(_ found: Declaration, _ range: SourceRange) -> Diagnostic {
        let what =
            found.address.type == JoinTokens.token
            ? "The registration token of \(found.address.name.quoted) has no \"secret_to\""
            : "The environment \(found.address.name.quoted) has no registration token"
        return joining(
            "\(what), so that no machine can fetch the URL at which hosts join.", found, range,
            hint: "Give the environment \"\(cure)\".")
    }

    fileprivate static func keptInAFile(_ found: Declaration, _ range: SourceRange) -> Diagnostic {
        joining(
            "The registration URL of \(found.address.name.quoted) goes to a file of the workspace, which no machine can "
                + "read.", found, range, hint: "Keep it where machines reach it: \"\(cure)\".")
    }

    fileprivate static func keptElsewhere(
        _ found: Declaration, _ there: String, _ here: String, _ range: SourceRange
    ) -> Diagnostic {
        joining(
            "The registration URL of \(found.address.name.quoted) is kept in \(there), and the machine looks for it in "
                + "\(here), its own region.", found, range,
            hint: "Declare a registration token in a stack of \(here), or fetch it with \"registration_url\".")
    }

    fileprivate static func noRights(_ range: SourceRange) -> Diagnostic {
        Diagnostic(
            .warning, code: "spec.machine-rights", summary: "The machine has no rights",
            detail:
                "The registration URL is fetched with the machine's rights, and it has no \"iam_instance_profile\".",
            at: range, hint: "Give it a profile that may read where the token is kept.")
    }

    fileprivate static func notAllowedToRead(
        _ wanted: Permission, _ name: String, _ found: Declaration, _ profile: LocatedValue
    ) -> Diagnostic {
        Diagnostic(
            .warning, code: "spec.machine-rights", summary: "The machine may not read where the URL is kept",
            detail: "No policy of \(name.quoted) allows \(wanted.action) on \(wanted.resource.quoted), so that the "
                + "machine cannot join.", at: profile.range,
            related: found.range.map { [.init(range: $0, message: "the profile is here")] } ?? [],
            hint: "Add to its policies: \(wanted.statement).")
    }
}
