import Diagnostics
import Expressions
import MusterModel
import UserData

/// User data as an argument: as text, or compressed and in base64.
struct RenderedUserData {
    var argument: String
    var value: Value
    var range: SourceRange
    /// Whether it is a script, which a machine runs at its first boot; a cloud-config of RancherOS is read at each.
    var runsOnce = true
}

extension LoweringResult {
    /// What one of the forms makes of a machine; nil when there is none, or after a complaint.
    mutating func userData(_ definition: Definition, region: String?) -> RenderedUserData? {
        let body = definition.body
        if let form = body["rancher_server"] {
            guard let server = rancherServer(form, definition, region: region) else { return nil }
            return delivered(server.userData(), form, at: form.range)
        }
        if body["rancheros"] != nil || body["swarm_node"] != nil { return rancherOS(definition) }
        if let form = body["rancher_agent"] {
            guard var agent = rancherAgent(form, definition, region: region) else { return nil }
            agent.region = region
            agent.isInElastigroup = definition.section == SpotSection.schema.name
            return delivered(agent.userData(), form, at: form.range)
        }
        return nil
    }

    private mutating func rancherOS(_ definition: Definition) -> RenderedUserData? {
        let body = definition.body
        guard let place = body["rancheros"] ?? body["swarm_node"],
            var config = cloudConfig(body["rancheros"], at: place.range)
        else { return nil }
        if let form = body["swarm_node"] {
            guard let node = swarmNode(form, definition) else { return nil }
            node.add(to: &config)
        }
        if let form = body["rancher_agent"] {
            guard var agent = rancherAgent(form, definition, isRancherOS: true) else { return nil }
            agent.isInElastigroup = definition.section == SpotSection.schema.name
            RancherOSAgent(agent).add(to: &config)
        }
        var rendered = delivered(config.userData(), nil, at: place.range)
        rendered?.runsOnce = false
        return rendered
    }

    // MARK: Size

    /// AWS takes 16 KiB, before base64.
    static let mostUserData = 16_384
    /// What a hole is taken to hold, where it is not known yet.
    private static let holeSize = 256

    /// - Parameter form: says what reads the user data; nil for a reader that takes gzip.
    private mutating func delivered(
        _ text: Text, _ form: LocatedValue?, at range: SourceRange
    ) -> RenderedUserData? {
        let known = text.literalByteCount
        let most = Self.mostUserData
        if known + text.holeCount * Self.holeSize <= most {
            return RenderedUserData(argument: "user_data", value: text.value, range: range)
        }
        if form?["user_data_reader"]?.value == "other" {
            guard known > most else { return RenderedUserData(argument: "user_data", value: text.value, range: range) }
            diagnostics.append(.tooMuchUserData(known, compressed: nil, at: range))
            return nil
        }
        let least = Gzip.compressed(Array(text.knownText.utf8)).count
        guard least <= most else {
            diagnostics.append(.tooMuchUserData(known, compressed: least, at: range))
            return nil
        }
        let call = Expression.call("base64_gzip", [text.value.expression])
        let value = try? Evaluator.evaluate(call) { _ in nil }
        return RenderedUserData(
            argument: "user_data_base64", value: value ?? .deferred(Deferred(call)), range: range)
    }

    /// Plain user data that AWS would refuse.
    mutating func checkSize(_ field: LocatedValue?) {
        guard let field, let text = field.value.string, text.utf8.count > Self.mostUserData else { return }
        diagnostics.append(
            .tooMuchUserData(
                text.utf8.count, compressed: Gzip.compressed(Array(text.utf8)).count, isPlain: true, at: field.range))
    }

    // MARK: Secrets

    private static let secretFields: [ArgumentSchema] = [
        ArgumentSchema("ssm", .string, "The name of a parameter of SSM."),
        ArgumentSchema("secretsmanager", .string, "The name or the ARN of a secret of Secrets Manager."),
        ArgumentSchema("key", .string, "The member of a secret that is a JSON object."),
        ArgumentSchema("file", .string, "A file of the machine."),
    ]

    /// A secret in one of its forms; nil when it is not there, or after a complaint.
    mutating func secret(_ name: String, in form: LocatedValue, _ stack: String = "") -> HostSecret? {
        guard let field = form[name] else { return nil }
        guard field.entries != nil || field.elements != nil else {
            if field.value.isUnreadable { return nil }
            if field.value.deferred == nil, field.value.scalarText == nil {
                diagnostics.append(.wrongForm(name, "a string, or a map with ssm, secretsmanager or file", field))
                return nil
            }
            return HostSecret(field.value.deferred == nil ? .string(field.value.scalarText ?? "") : field.value)
        }
        let read = read(
            field, as: Self.secretFields, of: name, stack: stack,
            forms: "a string, or a map with ssm, secretsmanager or file")
        let given = ["ssm", "secretsmanager", "file"].filter { read[$0] != nil }
        guard given.count == 1, read["key"] == nil || given == ["secretsmanager"] else {
            diagnostics.append(.secretForm(name, at: field.range))
            return nil
        }
        if let parameter = read["ssm"] { return .parameter(parameter.value) }
        if let id = read["secretsmanager"] { return .managed(id.value, key: read["key"]?.value) }
        guard let file = read["file"]?.value.string, file.hasPrefix("/") else {
            diagnostics.append(.secretForm(name, at: field.range))
            return nil
        }
        return .file(file)
    }
}

extension Diagnostic {
    fileprivate static func tooMuchUserData(
        _ size: Int, compressed: Int?, isPlain: Bool = false, at range: SourceRange
    ) -> Diagnostic {
        let hint: String
        switch compressed {
        case let small? where isPlain && small <= LoweringResult.mostUserData:
            hint =
                "Compressed they have \(small): user_data_base64: ${base64_gzip(…)}, if the image's init unpacks them."
        case nil: hint = "An image with cloud-init could take them compressed; else let the machine fetch what is long."
        default: hint = "Let the machine fetch what is long."
        }
        let squeezed = compressed.map { ", and compressed \($0)" } ?? ""
        return Diagnostic(
            code: "spec.user-data-size", summary: "Too much user data",
            detail: "AWS takes \(LoweringResult.mostUserData) bytes of user data; these have \(size)\(squeezed).",
            at: range, hint: hint)
    }

    fileprivate static func secretForm(_ name: String, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            code: "spec.secret-form", summary: "Not a place for a secret",
            detail:
                "\(name.quoted) names one place: \"ssm\", \"secretsmanager\" (with \"key\" for a JSON object), or an "
                + "absolute path as \"file\".", at: range)
    }
}
