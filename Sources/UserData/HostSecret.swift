package import MusterModel

/// Where a machine gets a secret from when it boots.
///
/// User data can be read by everyone who may describe the instance. So a secret that lives in AWS is fetched by the
/// machine itself; only what lives nowhere else is written into the user data, which is the hazard `secret-exposure`.
package enum HostSecret: Sendable, Hashable {
    /// Written into the user data.
    case inline(Value)
    /// A parameter of SSM.
    case parameter(Value)
    /// A secret of Secrets Manager; with a key the secret is a JSON object.
    case managed(Value, key: Value?)
    /// A file on the machine, which the image brings.
    case file(String)
    /// A text that says where it is, `ssm:/path` or `secretsmanager:id#key`: what another resource was told to keep it at.
    case place(Value)

    /// A value in the spec: a secret variable that lives in AWS is fetched, everything else stands where it is used.
    package init(_ value: Value) {
        guard case .deferred(let deferred) = value, case .secret(let secret) = deferred.expression else {
            self = .inline(value)
            return
        }
        if secret.source.hasPrefix("ssm:") {
            self = .parameter(.string(String(secret.source.dropFirst(4))))
        } else if secret.source.hasPrefix("secretsmanager:") {
            let parts = secret.source.dropFirst(15).split(separator: "#", maxSplits: 1).map(String.init)
            self = .managed(.string(parts.first ?? ""), key: parts.count > 1 ? .string(parts[1]) : nil)
        } else {
            self = .inline(value)
        }
    }

    package var needsAWS: Bool {
        switch self {
        case .parameter, .managed, .place: true
        case .inline, .file: false
        }
    }

    /// A command that prints the secret.
    var command: Text {
        switch self {
        case .inline(let value): "printf '%s\\n' \(shell: value)"
        case .parameter(let name): "parameter \(shell: name)"
        case .managed(let id, nil): "managed_secret \(shell: id)"
        case .managed(let id, let key?): "managed_secret \(shell: id) | member \(shell: key)"
        case .file(let path): "cat \(Shell.quoted(path))"
        case .place(let place): "fetch \(shell: place)"
        }
    }

    /// Reads the secret into a variable, or ends: a pipe fails only when its last command does.
    func read(into name: String, or complaint: String) -> Text {
        "{ \(name)=$(\(command)) && [ -n \"$\(name)\" ]; } || die \"\(complaint)\"\n"
    }

    /// The functions that commands need.
    static func functions(for secrets: [HostSecret], region: String?) -> Text {
        guard secrets.contains(where: \.needsAWS) else { return Text() }
        let place: Text =
            region.map { "region=\(Shell.quoted($0))\n" }
            ?? "region=$(meta placement/availability-zone | sed 's/[a-z]*$//')\n"
        var text: Text = """
            command -v aws >/dev/null 2>&1 || die "secrets are fetched with the AWS CLI, which this image lacks"
            \(place)parameter() {
                aws ssm get-parameter --region "$region" --name "$1" --with-decryption --query Parameter.Value --output text
            }
            managed_secret() {
                aws secretsmanager get-secret-value --region "$region" --secret-id "$1" --query SecretString --output text
            }

            """
        if needsJSON(secrets) {
            text += "member() { flatten | sed -n \"s|^$1$(printf '\\t')||p\"; }\n"
        }
        if secrets.contains(where: \.isPlace) {
            text += #"""
                # fetch WHERE: what muster keeps at ssm:… or secretsmanager:….
                fetch() {
                    case $1 in
                        ssm:*) parameter "${1#ssm:}" ;;
                        secretsmanager:*#*) managed_secret "$(echo "${1#secretsmanager:}" | cut -d '#' -f 1)" | member "${1##*#}" ;;
                        secretsmanager:*) managed_secret "${1#secretsmanager:}" ;;
                        *) die "$1 cannot be reached from a machine: keep it in ssm: or secretsmanager:" ;;
                    esac
                }

                """#
        }
        return text
    }

    private var isPlace: Bool { if case .place = self { true } else { false } }

    static func needsJSON(_ secrets: [HostSecret]) -> Bool {
        secrets.contains { secret in
            switch secret {
            case .managed(_, .some), .place: true
            default: false
            }
        }
    }
}
