import Diagnostics
import MusterModel
import UserData

// `rancher_agent` and `rancher_server` → what `UserData` renders.

extension LoweringResult {
    // MARK: Agents

    mutating func rancherAgent(
        _ form: LocatedValue, _ definition: Definition, region: String? = nil, isRancherOS: Bool = false
    ) -> RancherAgent? {
        let count = diagnostics.count
        let image = form["image"]?.value ?? "rancher/agent:v1.2.11"
        let knownVersion = agentVersion(form, image, at: form["image"]?.range ?? form.range)
        guard
            let url = form["environment"].map({
                joining($0, definition, region: region, isRancherOS: isRancherOS)
            }) ?? registration(form, isRancherOS: isRancherOS)
        else { return nil }
        // What is wrong beside a version that is not known is said too.
        let version = knownVersion ?? AgentVersion(1, 2, 11)
        var agent = RancherAgent(image: image, version: version, registrationURL: url)
        agent.labels = labels(form["labels"])
        agent.address = agentAddress(form["agent_ip"])
        agent.fingerprint = form["ca_fingerprint"]?.value
        agent.before = form["before_join"]?.value
        if let system = form["init"]?.value.string.flatMap(RancherAgent.Init.init) { agent.initSystem = system }
        if isRancherOS {
            for name in ["init", "leave", "before_join", "user_data_reader"] {
                if let field = form[name] { diagnostics.append(.notOnRancherOS(name, at: field.range)) }
            }
        } else if let leave = form["leave"] {
            agent.leave = farewell(leave)
        }
        return diagnostics.count == count && knownVersion != nil ? agent : nil
    }

    /// The place where the registration token of the environment keeps its URL, as a reference to it.
    private mutating func joining(
        _ environment: LocatedValue, _ definition: Definition, region: String?, isRancherOS: Bool
    ) -> HostSecret? {
        if environment.value.isUnreadable { return nil }
        if isRancherOS {
            diagnostics.append(.notFetchedOnRancherOS(at: environment.range))
            return nil
        }
        guard case .deferred(let deferred) = environment.value, case .reference(let reference) = deferred.expression,
            case .named = reference.target
        else {
            diagnostics.append(.environmentByName(at: environment.range))
            return nil
        }
        let launch = definition.body["launch"] ?? definition.body
        check(
            TokenCheck(
                reference: reference, region: region, profile: launch["iam_instance_profile"], range: environment.range)
        )
        return .place(environment.value)
    }

    private mutating func registration(_ form: LocatedValue, isRancherOS: Bool) -> HostSecret? {
        guard let field = form["registration_url"], !field.value.isUnreadable else { return nil }
        checkRegistration(field)
        guard let url = secret("registration_url", in: form) else { return nil }
        if !isRancherOS { return url }
        if field.entries == nil { return .inline(field.value) }
        diagnostics.append(.notFetchedOnRancherOS(at: field.range))
        return nil
    }

    private mutating func agentVersion(
        _ form: LocatedValue, _ image: Value, at range: SourceRange
    ) -> AgentVersion? {
        if let field = form["version"], let text = field.value.string {
            if let version = AgentVersion(text) { return version }
            diagnostics.append(.notAVersion(text, at: field.range))
            return nil
        }
        if let version = image.string.flatMap(AgentVersion.init(image:)) { return version }
        if !image.isUnreadable { diagnostics.append(.versionNotKnown("agent", "v1.2.11", at: range)) }
        return nil
    }

    private mutating func checkRegistration(_ url: LocatedValue) {
        guard let text = url.value.string else { return }
        let isHTTP = text.hasPrefix("http://") || text.hasPrefix("https://")
        guard isHTTP, let scripts = text.range(of: "/scripts/"), scripts.upperBound != text.endIndex,
            !text.unicodeScalars.contains(where: { $0.value <= 0x20 })
        else {
            diagnostics.append(.registration("\(text.quoted) is not a registration URL.", at: url.range))
            return
        }
        let host = text.split(separator: "/").dropFirst().first.map { String($0.split(separator: ":")[0]) } ?? ""
        if host == "localhost" || host.hasPrefix("127.") {
            diagnostics.append(
                .registration("The agent refuses \(host.quoted), which is the machine itself.", at: url.range))
        }
    }

    private mutating func agentAddress(_ field: LocatedValue?) -> RancherAgent.Address {
        guard let field else { return .privateIP }
        switch field.value {
        case "private": return .privateIP
        case "public": return .publicIP
        case "detect": return .detected
        case .string(let text):
            if let address = IPNetwork.ipv4(text), address != 0, address >> 24 != 127 { return .given(field.value) }
            diagnostics.append(.agentAddress(text, at: field.range))
            return .privateIP
        default: return .given(field.value)
        }
    }

    /// Labels that the agent sets itself.
    private static let ownLabels: Set<String> = [
        "io.rancher.host.docker_version", "io.rancher.host.linux_kernel_version", "io.rancher.host.kvm",
        "io.rancher.host.agent_image", "io.rancher.host.provider", "io.rancher.host.region", "io.rancher.host.zone",
    ]

    private mutating func labels(_ field: LocatedValue?) -> [(key: String, value: Value)] {
        guard let field else { return [] }
        guard let entries = field.entries else {
            if !field.value.isUnreadable { diagnostics.append(.labelsKnownLater(at: field.range)) }
            return []
        }
        var labels: [(key: String, value: Value)] = []
        for entry in entries where entry.value.value != .null {
            if let complaint = Diagnostic.label(entry, ownLabels: Self.ownLabels) {
                diagnostics.append(complaint)
            } else {
                labels.append((entry.key, entry.value.value))
            }
        }
        return labels
    }

    private mutating func farewell(_ form: LocatedValue) -> RancherAgent.Leave? {
        let keys = (secret("access_key", in: form), secret("secret_key", in: form))
        guard let access = keys.0, let key = keys.1 else { return nil }
        var leave = RancherAgent.Leave(accessKey: access, secretKey: key)
        leave.url = form["url"]?.value
        leave.certificateAuthority = form["ca_file"]?.value.string
        if let limits = form["timeouts"] {
            leave.limits.deactivate = limits["deactivate"]?.value.integer ?? leave.limits.deactivate
            leave.limits.evacuate = limits["evacuate"]?.value.integer ?? leave.limits.evacuate
            leave.limits.remove = limits["remove"]?.value.integer ?? leave.limits.remove
            leave.limits.purge = limits["purge"]?.value.integer ?? leave.limits.purge
        }
        if let report = form["report"] {
            for kind in RancherAgent.Report.Kind.allCases {
                guard let target = secret(kind.rawValue, in: report) else { continue }
                leave.reports.append(.init(kind, target))
            }
        }
        return leave
    }

    // MARK: Servers

    mutating func rancherServer(
        _ form: LocatedValue, _ definition: Definition, region: String?
    ) -> RancherServer? {
        let count = diagnostics.count
        let image = form["image"]?.value ?? "rancher/server:v1.6.30"
        guard let password = secret("db_password", in: form), let host = form["database"] ?? form["db_host"],
            let isOlder = isOlderServer(form, image)
        else { return nil }
        var database = RancherServer.Database(host: host.value, password: password)
        if let port = form["db_port"] { database.port = port.value }
        if let user = form["db_user"] { database.user = user.value }
        if let name = form["db_name"] { database.name = name.value }
        var server = RancherServer(image: image, database: database)
        server.region = region
        server.advertiseAddress = form["advertise_address"]?.value
        server.isFirst = (definition.index ?? 1) == 1
        for entry in form["environment"]?.entries ?? [] where entry.value.value != .null {
            if !entry.key.isVariableName { diagnostics.append(.notAVariable(entry.key, at: entry.keyRange)) }
            server.environment.append((entry.key, entry.value.value))
        }
        let olderOnly = ["zookeeper", "redis", "websocket_proxy", "machine_service"]
        if isOlder {
            if let external = external(form) { server.form = .external(external) }
        } else {
            for name in olderOnly {
                if let field = form[name] { diagnostics.append(.olderServersOnly(name, at: field.range)) }
            }
        }
        guard diagnostics.count == count else { return nil }
        check(
            PortCheck(
                stack: definition.stack, group: definition.group, node: definition.name, ports: server.ports,
                securityGroups: definition.body["security_groups"], subnets: definition.body["subnets"],
                range: form.range))
        return server
    }

    /// Whether it is a server before 1.2; nil after a complaint.
    private mutating func isOlderServer(_ form: LocatedValue, _ image: Value) -> Bool? {
        let version: AgentVersion?
        if let field = form["version"], let text = field.value.string {
            version = AgentVersion(text)
            if version == nil {
                diagnostics.append(.notAVersion(text, at: field.range))
                return nil
            }
        } else {
            version = image.string.flatMap(AgentVersion.init(image:))
        }
        guard let version else {
            if !image.isUnreadable {
                diagnostics.append(.versionNotKnown("server", "v1.6.30", at: form["image"]?.range ?? form.range))
            }
            return nil
        }
        return version < AgentVersion(1, 2, 0)
    }

    private mutating func external(_ form: LocatedValue) -> RancherServer.External? {
        var missing: [String] = []
        for name in ["zookeeper", "redis", "websocket_proxy"] where form[name] == nil { missing.append(name) }
        guard missing.isEmpty, let redis = form["redis"], let proxy = form["websocket_proxy"] else {
            diagnostics.append(.olderServerNeeds(missing, at: form.range))
            return nil
        }
        var external = RancherServer.External(
            zookeeper: form["zookeeper"]?.elements?.map(\.value) ?? [],
            redis: redis["hosts"]?.elements?.map(\.value) ?? [], proxyHost: proxy["address"]?.value ?? "")
        external.redisPassword = secret("password", in: redis)
        external.proxyPort = proxy["port"]?.value.integer ?? external.proxyPort
        if let service = form["machine_service"], let access = secret("access_key", in: service),
            let key = secret("secret_key", in: service)
        {
            external.machineService = .init(accessKey: access, secretKey: key)
            external.machineService?.url = service["url"]?.value
        }
        return external
    }
}

extension String {
    /// The name of a variable of a shell.
    var isVariableName: Bool {
        guard let first = utf8.first, !(0x30...0x39).contains(first) else { return false }
        return utf8.allSatisfy {
            (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0) || $0 == 0x5F
        }
    }

    fileprivate func range(of part: String) -> Range<String.Index>? { firstRange(of: part) }

    /// Letters, digits and `._/-`, with a letter or a digit at both ends.
    fileprivate var isLabelKey: Bool {
        func isWord(_ byte: UInt8) -> Bool {
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
        }
        guard let first = utf8.first, let last = utf8.last, isWord(first), isWord(last) else { return false }
        return utf8.allSatisfy { isWord($0) || Array("._/-".utf8).contains($0) }
    }
}

extension Diagnostic {
    fileprivate static func label(_ entry: LocatedValue.Entry, ownLabels: Set<String>) -> Diagnostic? {
        func complaint(_ detail: String, at range: SourceRange, hint: String? = nil) -> Diagnostic {
            Diagnostic(code: "spec.host-label", summary: "Label not allowed", detail: detail, at: range, hint: hint)
        }
        let key = entry.key
        if !key.isLabelKey {
            return complaint(
                "\(key.quoted) cannot be the key of a label.", at: entry.keyRange,
                hint: "Letters, digits and . _ / - may stand in it, with a letter or a digit at both ends.")
        }
        if RancherHost.ownLabels.contains(key) || ownLabels.contains(key) {
            return complaint(
                "\(key.quoted) is set by \(RancherHost.ownLabels.contains(key) ? "muster" : "the agent") itself.",
                at: entry.keyRange, hint: "Choose another key.")
        }
        if key == RancherAgent.elastigroupLabel {
            return complaint(
                "\(key.quoted) is the instance's id, which muster sets on instances of an elastigroup.",
                at: entry.keyRange, hint: "Leave it out.")
        }
        guard let text = entry.value.value.scalarText else { return nil }
        if text.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) {
            return complaint(
                "The value of \(key.quoted) has a control character, such as the end of a line.", at: entry.value.range)
        }
        if text.first?.isWhitespace == true || text.last?.isWhitespace == true {
            return complaint(
                "The value of \(key.quoted) has a blank at an end, which Rancher takes away.", at: entry.value.range)
        }
        return nil
    }

    fileprivate static func labelsKnownLater(at range: SourceRange) -> Diagnostic {
        Diagnostic(
            code: "spec.known-later", summary: "Map known later",
            detail: "Which labels there are must be known when planning.", at: range,
            hint: "Write the labels one by one; each value may be an expression.")
    }

    fileprivate static func notAVersion(_ text: String, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            code: "spec.version", summary: "Not a version", detail: "\(text.quoted) is not a version.", at: range,
            hint: "A version is three numbers, such as v1.2.11.")
    }

    fileprivate static func versionNotKnown(_ what: String, _ example: String, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            code: "spec.version", summary: "Version not known",
            detail:
                "The image's tag does not say which version of the \(what) it is, and how it is started depends on that.",
            at: range, hint: "Name a version as its tag, or say \"version: \(example)\".")
    }

    fileprivate static func registration(_ detail: String, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            code: "spec.registration-url", summary: "Not a registration URL", detail: detail, at: range,
            hint: "It looks like http://rancher.example.com:8080/v1/projects/1a5/scripts/TOKEN.")
    }

    fileprivate static func agentAddress(_ text: String, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            code: "spec.agent-ip", summary: "Not an address of a host",
            detail: "\(text.quoted) is not an IPv4 address by which others could reach the host.", at: range,
            hint: "Write private, public, detect, or an address.")
    }

    fileprivate static func notOnRancherOS(_ field: String, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            code: "spec.not-on-rancheros", summary: "Not on RancherOS",
            detail: "RancherOS has no service manager and no init scripts, so \(field.quoted) means nothing there.",
            at: range,
            hint: field == "leave"
                ? "Remove hosts that went from the environment."
                : field == "before_join" ? "Use \"runcmd\" of \"rancheros\"." : "Leave it out.")
    }

    fileprivate static func environmentByName(at range: SourceRange) -> Diagnostic {
        Diagnostic(
            code: "spec.rancher-environment", summary: "Not the name of an environment",
            detail: "The environment that a machine joins is written by its name.", at: range,
            hint: "Write environment: prod, or environment: stack:prod; the URL itself goes into \"registration_url\".")
    }

    fileprivate static func notFetchedOnRancherOS(at range: SourceRange) -> Diagnostic {
        Diagnostic(
            code: "spec.not-on-rancheros", summary: "Not on RancherOS",
            detail: "RancherOS has no AWS CLI with which the URL could be fetched at boot.", at: range,
            hint: "Write the URL, or a secret variable: it then stands in the user data.")
    }

    fileprivate static func notAVariable(_ name: String, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            code: "spec.variable-name", summary: "Not the name of a variable",
            detail: "\(name.quoted) cannot be the name of a variable.", at: range,
            hint: "Letters, digits and _ may stand in it, and it begins with no digit.")
    }

    fileprivate static func olderServersOnly(_ field: String, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            code: "spec.rancher-server", summary: "Not for this version of the server",
            detail: "Servers since 1.2 need no \(field.quoted): they find each other through the database.", at: range,
            hint: "Leave it out, or say which older \"version\" it is.")
    }

    fileprivate static func olderServerNeeds(_ fields: [String], at range: SourceRange) -> Diagnostic {
        Diagnostic(
            code: "spec.rancher-server", summary: "Missing argument",
            detail: "A server before 1.2 needs \(fields.map(\.quoted).joined(separator: " and ")).", at: range)
    }
}
