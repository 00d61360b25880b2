import AWSClient
import Crypto
import HTTPTransport
import SandboxServing
import TextEncodings

// What lets a host in: a token, the URL of its script, and the command that an operator pastes.

extension ObjectType {
    static let registrationToken = ObjectType(
        name: "registrationToken", baseName: "credential", table: .credential,
        fields: Field.standard + [
            Field("token", .string), Field("registrationUrl", .string), Field("command", .string),
            Field("image", .string),
            Field("windowsCommand", .string, since: ServerVersion(1, 6, 14)),
        ], processes: Process.generic,
        access: Access(scoped: "cr", user: "r", admin: "r", service: "cr", restricted: "", readonly: ""),
        links: [.parent("account", type: "account", by: "accountId"), .page("registrationUrl")],
        activatesItself: true,
        hooks: Hooks(
            prepare: { (server, draft, _) throws(APIFailure) in
                draft.fields["publicValue"] = .string(server.random.publicValue())
                draft.fields["secretValue"] = .string(server.random.secretValue())
            },
            derive: { server, entity, context in server.derivedToken(entity, context) }))
}

extension RancherServer {
    fileprivate func derivedToken(_ entity: Entity, _ context: RequestContext) -> [String: JSONValue] {
        var fields: [String: JSONValue] = [
            "token": .null, "registrationUrl": .null, "command": .null, "image": .string(version.agentImage),
        ]
        guard entity.isActive else { return fields }
        let token = tokenText(entity)
        let url = "\(registrationBase(context, project: entity.owner))/scripts/\(token)"
        fields["token"] = .string(token)
        fields["registrationUrl"] = .string(url)
        fields["command"] = .string(joinCommand(url))
        if version >= ServerVersion(1, 6, 14) { fields["windowsCommand"] = .string(windowsCommand(url)) }
        return fields
    }

    /// Where agents find the server: `api.host` if it is set, else where this request found it.
    private func registrationBase(_ context: RequestContext, project: Int?) -> String {
        let host = setting("api.host") ?? ""
        guard host.isEmpty else { return "\(host)/v1" }
        return context.base
    }

    /// Key, a rounded time and a keyed digest of both: the text changes with the year, the token does not.
    private func tokenText(_ entity: Entity) -> String {
        let key = entity["publicValue"].text
        let time = roundedTime
        let code = HMAC<Insecure.SHA1>.authenticationCode(
            for: Array("\(key):\(time)".utf8), using: SymmetricKey(data: Array(entity["secretValue"].text.utf8)))
        let digest = Base64.encode(Array(code)).filter { !"/=+".contains($0) }
        return "\(key):\(time):\(digest)"
    }

    /// The hour, since 1.5 the last day of the year before.
    private var roundedTime: Int64 {
        guard version >= ServerVersion(1, 5) else { return now / 3_600_000 * 3_600_000 }
        let year = Int(Timestamp(millisecondsSinceEpoch: now).iso8601.prefix(4)) ?? 1_970
        return Timestamp(iso8601: "\(year - 1)-12-31T00:00:00Z")?.millisecondsSinceEpoch ?? 0
    }

    /// The token that a text belongs to, if it is in use; older texts count for ten years.
    func registrationToken(_ text: String) -> Entity? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 3, let time = Int64(parts[1]), time <= now, now - time < 10 * 366 * 86_400_000 else {
            return nil
        }
        let found = living(.credential).first {
            $0.type == "registrationToken" && $0["publicValue"].text == parts[0] && $0.isActive
        }
        guard let found, let owner = found.owner.flatMap({ account($0) }), isUsable(owner) else { return nil }
        let code = HMAC<Insecure.SHA1>.authenticationCode(
            for: Array("\(parts[0]):\(parts[1])".utf8),
            using: SymmetricKey(data: Array(found["secretValue"].text.utf8)))
        return Base64.encode(Array(code)).filter { !"/=+".contains($0) } == parts[2] ? found : nil
    }

    private func joinCommand(_ url: String) -> String {
        let mode = version >= ServerVersion(1, 5, 10) ? "--rm" : "-d"
        return "sudo docker run \(mode) --privileged -v /var/run/docker.sock:/var/run/docker.sock "
            + "-v /var/lib/rancher:/var/lib/rancher \(version.agentImage) \(url)"
    }

    private func windowsCommand(_ url: String) -> String {
        "PowerShell -Sta -ExecutionPolicy Bypass -Command \"Invoke-WebRequest \(url) -OutFile "
            + "$Env:temp\\startup.ps1; & $Env:temp\\startup.ps1\""
    }

    // MARK: - The script

    /// `/v1/scripts/<token>`, below any scope: open to whoever knows the token.
    func script(_ context: RequestContext) throws(APIFailure) -> HTTPResponse? {
        var segments = context.segments
        if segments.count >= 2, ["projects", "project"].contains(segments[0].lowercased()) { segments.removeFirst(2) }
        guard segments.count == 2, segments[0].lowercased() == "scripts" else { return nil }
        guard context.method == "GET" || context.method == "POST" else { throw .methodNotAllowed }
        switch segments[1] {
        case "bootstrap", "ca.crt", "api.crt":
            let text = segments[1] == "bootstrap" ? "#!/bin/sh\n\nexit 0\n" : ""
            return plain(text)
        default: break
        }
        guard registrationToken(segments[1]) != nil else { throw .notFound }
        let host = setting("api.host") ?? ""
        let url = host.isEmpty ? "\(context.origin)/\(context.api.rawValue)" : "\(host)/v1"
        return plain(
            """
            #!/bin/sh

            export CATTLE_REGISTRATION_ACCESS_KEY="registrationToken"
            export CATTLE_REGISTRATION_SECRET_KEY="\(segments[1])"
            export CATTLE_URL="\(url)"
            export DETECTED_CATTLE_AGENT_IP="\(context.clientAddress)"

            """)
    }

    private func plain(_ text: String) -> HTTPResponse {
        HTTPResponse(status: 200, headers: ["Content-Type": "text/plain; charset=utf-8"], body: Array(text.utf8))
    }
}
