import MusterModel

// What calls the scripts of a Rancher agent, and what they share.

extension RancherAgent {
    /// Writes what only root may read: keys, and where failures are reported. curl reads them from files, so that no list
    /// of processes shows them.
    func credentials() -> Text {
        guard let leave else { return Text() }
        var text: Text = Snippets.curlWord.asText
        // Where the API is, for the script that leaves.
        text +=
            leave.url.map { "echo \(shell: $0) >\(Self.folder)/api\n" }
            ?? "echo \"${url%%/scripts/*}\" >\(Self.folder)/api\n"
        text += """
            \(leave.accessKey.read(into: "access", or: "the access key of Rancher cannot be read"))\
            \(leave.secretKey.read(into: "secret", or: "the secret key of Rancher cannot be read"))\
            printf 'user = %s\\n' "$(curl_word "$access:$secret")" >\(Self.folder)/rancher.curl

            """
        if let path = leave.certificateAuthority {
            text += "printf 'cacert = %s\\n' \(Shell.quoted(YAMLScalar.quoted(path))) >>\(Self.folder)/rancher.curl\n"
        }
        for report in leave.reports {
            let name = report.kind.rawValue
            text += report.secret.read(into: "target", or: "where to report (\(name)) cannot be read")
            switch report.kind {
            case .pagerduty: text += "printf '%s\\n' \"$target\" >\(Self.folder)/pagerduty.key\n"
            case .slack, .webhook:
                text += "printf 'url = %s\\n' \"$(curl_word \"$target\")\" >\(Self.folder)/\(name).curl\n"
            }
        }
        return text
    }

    /// What reading the secrets needs.
    func secretFunctions() -> Text {
        let functions = HostSecret.functions(for: secrets, region: region)
        return HostSecret.needsJSON(secrets) ? Snippets.flatten.asText + functions : functions
    }

    private var secrets: [HostSecret] {
        guard let leave else { return [registrationURL] }
        return [registrationURL, leave.accessKey, leave.secretKey] + leave.reports.map(\.secret)
    }

    private static let name = "muster-rancher-agent"

    /// Installs the service and starts it.
    func service() -> Text {
        switch initSystem {
        case .systemd:
            Shell.file("/etc/systemd/system/\(Self.name).service", mode: "0644", unit())
                + """
                systemctl daemon-reload
                systemctl enable \(Self.name).service
                systemctl start \(Self.name).service

                """
        case .sysv:
            Shell.file("/etc/init.d/\(Self.name)", mode: "0755", initScript())
                + """
                if command -v update-rc.d >/dev/null 2>&1; then
                    update-rc.d \(Self.name) defaults
                else
                    chkconfig --add \(Self.name)
                fi
                /etc/init.d/\(Self.name) start

                """
        }
    }

    /// Wants docker rather than requiring it: a restart of docker is no reason to leave.
    func unit() -> Text {
        """
        [Unit]
        Description=Membership in Rancher, by muster
        Wants=docker.service network-online.target
        After=docker.service network-online.target

        [Service]
        Type=oneshot
        RemainAfterExit=yes
        ExecStart=\(Self.joinPath)
        \(leave.map { "ExecStop=\(Self.leavePath)\nTimeoutStopSec=\($0.limits.total + 60)\n" } ?? "")\
        TimeoutStartSec=900

        [Install]
        WantedBy=multi-user.target

        """
    }

    func initScript() -> Text {
        """
        #!/bin/sh
        # chkconfig: 2345 96 04
        # description: Membership in Rancher, by muster
        ### BEGIN INIT INFO
        # Provides:          \(Self.name)
        # Required-Start:    $network $remote_fs docker
        # Required-Stop:     $network $remote_fs docker
        # Default-Start:     2 3 4 5
        # Default-Stop:      0 1 6
        # Short-Description: Membership in Rancher, by muster
        ### END INIT INFO
        lock=/var/lock/subsys/\(Self.name)
        case ${1:-} in
            start)
                \(Self.joinPath) || exit 1
                # Without its lock a service is not stopped at shutdown on some systems.
                if [ -d /var/lock/subsys ]; then : >"$lock"; fi
                ;;
            stop)
                rm -f "$lock"
                \(leave == nil ? ":" : Self.leavePath)
                ;;
            restart | force-reload) \(Self.joinPath) ;;
            status) docker inspect rancher-agent >/dev/null 2>&1 ;;
            *)
                echo "usage: $0 {start|stop|restart|status}" >&2
                exit 2
                ;;
        esac

        """
    }
}

extension Text {
    static func + (left: Text, right: Text) -> Text {
        var text = left
        text.append(right)
        return text
    }
}

extension String {
    var asText: Text { Text(raw: .string(self)) }
}
