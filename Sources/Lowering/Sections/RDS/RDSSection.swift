import Diagnostics
import MusterModel

/// `rds`: a database with the groups that are its own, and its name in DNS.
///
/// `subnets` makes a DB subnet group, `parameters` a parameter group of the engine's family, `dns` a CNAME. The volume is
/// encrypted unless the spec says otherwise. What the resource has by default holds here too: a last snapshot when it is
/// deleted, no public address, changes in the maintenance window. Deletion protection is AWS's, and off unless it is
/// asked for.
enum RDSSection: Section {
    static let schema = SectionSchema(
        name: "rds", summary: "A database of RDS, with its groups and its name.",
        fields: [
            ArgumentSchema(
                "subnets", .list(.string), reference: .subnet,
                constraints: [.count(2, 64), .conflictsWith(["db_subnet_group_name"])],
                "The subnets that it may stand in, in two zones at least; makes its DB subnet group."),
            ArgumentSchema(
                "subnet_group_name", .string,
                "The name of that group; the database's own if it is left out. Keep the old one when the database is "
                    + "renamed, since it does not move between groups of one VPC."),
            ArgumentSchema("security_groups", .list(.string), reference: .securityGroup, "Groups that guard it."),
            ArgumentSchema(
                "parameters", .anything, constraints: [.conflictsWith(["parameter_group_name"])],
                "The engine's settings by name; makes its parameter group. A value, or a map with value and apply_method."
            ),
            ArgumentSchema(
                "parameter_group_family", .string,
                "The family of that group, such as mysql8.0; engine and engine_version say it if it is left out."),
            SectionFields.dns,
        ] + RDSFields.verbatim + [
            SectionFields.name(
                "The name in AWS; the key of the map if it is left out. Another one renames it in place."),
            SectionFields.tags("the database and its groups"),
        ],
        principalTypes: ["aws.db_instance"],
        example: """
            rds:
              prod-rancher-rds:
                engine: mysql
                engine_version: "8.0"
                instance_class: db.m5.large
                allocated_storage: 100
                storage_type: gp3
                multi_az: true
                db_name: cattle
                username: rancher
                manage_master_user_password: true
                subnets: [prod-a, prod-b]
                security_groups: [prod-rds]
                backup_retention_period: 14
                backup_window: 00:00-01:00
                maintenance_window: mon:01:30-mon:02:30
                deletion_protection: true
                parameters: { character_set_server: utf8mb4, max_connections: 500 }
                dns: rancher-rds.tastycidr.net
            """)

    private static let parameterFields = [
        ArgumentSchema("value", .string, isRequired: true, "The value."),
        ArgumentSchema(
            "apply_method", .string, constraints: [.allowed(["immediate", "pending-reboot"])],
            "Whether it comes into force at once or when the database restarts."),
    ]

    static func lower(_ definition: Definition, region: String?) -> LoweringResult {
        let body = definition.body
        var result = LoweringResult()
        let isMadeFromAnother = RDSFields.sources.contains { body[$0] != nil }
        result.checkWhatIsNeeded(definition, isMadeFromAnother)

        var database = Draft(
            principal: "aws.db_instance", of: definition,
            renamed: [
                "name": "identifier", "subnets": "db_subnet_group_name", "security_groups": "vpc_security_group_ids",
                "parameters": "parameter_group_name",
            ])
        database.set("identifier", definition.remoteName.value, at: body["name"]?.range)
        database.copy(RDSFields.verbatim, from: body)
        database.set("vpc_security_group_ids", body["security_groups"])
        if body["storage_encrypted"] == nil, !isMadeFromAnother { database.set("storage_encrypted", true) }

        if let subnets = body["subnets"] {
            var group = Draft("aws.db_subnet_group", definition.name, of: definition, at: subnets.range)
            let name = body["subnet_group_name"] ?? definition.remoteName
            group.set("name", name.value, at: (body["subnet_group_name"] ?? body["name"])?.range)
            group.set("subnet_ids", subnets)
            group.setTags(body["tags"], inherited: definition.inheritedTags, &result.diagnostics)
            database.set("db_subnet_group_name", group.output("name"), at: subnets.range)
            result.append(group)
        }
        if let parameters = body["parameters"], let group = result.parameterGroup(parameters, definition) {
            database.set("parameter_group_name", group.output("name"), at: parameters.range)
            result.append(group)
        }
        database.setTags(body["tags"], inherited: definition.inheritedTags, &result.diagnostics)
        let address = database.output("address")
        result.append(database)
        result.lowerName(of: definition, leadingTo: address)
        return result
    }

    /// The family of a version; nil where the version does not say it.
    fileprivate static func family(_ engine: String, _ version: String) -> String? {
        let parts = version.split(separator: ".")
        switch engine.lowercased() {
        case "mysql", "mariadb": return parts.count >= 2 ? "\(engine.lowercased())\(parts[0]).\(parts[1])" : nil
        case "postgres":
            guard let first = parts.first.flatMap({ Int($0) }) else { return nil }
            if first >= 10 { return "postgres\(first)" }
            return parts.count >= 2 ? "postgres\(first).\(parts[1])" : nil
        default: return nil
        }
    }

    fileprivate static var settingFields: [ArgumentSchema] { parameterFields }
}

extension LoweringResult {
    /// What AWS wants of a database that begins empty.
    fileprivate mutating func checkWhatIsNeeded(_ definition: Definition, _ isMadeFromAnother: Bool) {
        let body = definition.body
        if isMadeFromAnother { return }
        let needed = ["engine", "instance_class", "allocated_storage", "username"].filter { body[$0] == nil }
        if !needed.isEmpty { diagnostics.append(.incompleteDatabase(needed, at: definition.range)) }
        if body["password"] == nil, body["manage_master_user_password"] == nil {
            diagnostics.append(.noPassword(at: definition.range))
        }
    }

    /// The parameter group of a database; nil after a complaint.
    fileprivate mutating func parameterGroup(_ parameters: LocatedValue, _ definition: Definition) -> Draft? {
        let body = definition.body
        guard let entries = parameters.entries else {
            if !parameters.value.isUnreadable { diagnostics.append(.wrongForm("parameters", "a map", parameters)) }
            return nil
        }
        var settings: [Value] = []
        for entry in entries {
            guard let setting = setting(entry, stack: definition.stack) else { continue }
            settings.append(setting)
        }
        let known = body["engine"]?.value.string.flatMap { engine in
            body["engine_version"]?.value.string.flatMap { RDSSection.family(engine, $0) }
        }
        guard let family = body["parameter_group_family"]?.value ?? known.map(Value.string) else {
            diagnostics.append(.noFamily(at: parameters.range))
            return nil
        }
        var group = Draft("aws.db_parameter_group", definition.name, of: definition, at: parameters.range)
        // With the family in its name the group of the next engine line can be made beside it.
        let suffix = family.string.map { "-" + $0.replacing(".", with: "-") } ?? ""
        group.set("name", definition.remoteName.value.appending(suffix), at: body["name"]?.range)
        group.set("family", family, at: body["parameter_group_family"]?.range ?? body["engine_version"]?.range)
        group.set("parameter", .list(settings), at: parameters.range)
        group.setTags(body["tags"], inherited: definition.inheritedTags, &diagnostics)
        return group
    }

    private mutating func setting(_ entry: LocatedValue.Entry, stack: String) -> Value? {
        let name = Value.string(entry.key)
        switch entry.value.value {
        case .null: return nil
        case .string, .deferred: return ["name": name, "value": entry.value.value]
        case .integer(let number): return ["name": name, "value": .string(String(number))]
        case .bool(let flag): return ["name": name, "value": .string(String(flag))]
        case .number(let number): return ["name": name, "value": .string(String(number))]
        default:
            let form = read(
                entry.value, as: RDSSection.settingFields, of: "a parameter", stack: stack, forms: "a value or a map")
            guard let value = form["value"] else { return nil }
            var members: [String: Value] = ["name": name, "value": value.value]
            members["apply_method"] = form["apply_method"]?.value
            return .map(members)
        }
    }
}

extension Diagnostic {
    fileprivate static func incompleteDatabase(_ fields: [String], at range: SourceRange) -> Diagnostic {
        Diagnostic(
            code: "spec.missing-argument", summary: "Missing argument",
            detail: "A database that begins empty needs \(fields.map(\.quoted).joined(separator: ", ")).", at: range,
            hint: "Or make it from another one: \(RDSFields.sources.joined(separator: ", ")).")
    }

    fileprivate static func noPassword(at range: SourceRange) -> Diagnostic {
        Diagnostic(
            code: "spec.database-password", summary: "Database without a password",
            detail: "A database that begins empty needs a password for its master user.", at: range,
            hint:
                "Say \"manage_master_user_password: true\", and RDS keeps and rotates it; or give \"password\" a secret "
                + "variable.")
    }

    fileprivate static func noFamily(at range: SourceRange) -> Diagnostic {
        Diagnostic(
            code: "spec.parameter-family", summary: "Unknown parameter family",
            detail: "A parameter group belongs to an engine and its line, and this one cannot be told.", at: range,
            hint:
                "Say \"parameter_group_family\", such as mysql8.0, or an \"engine_version\" with its line, such as \"8.0\"."
        )
    }
}
