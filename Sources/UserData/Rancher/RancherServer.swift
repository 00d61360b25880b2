package import MusterModel

/// A machine that runs a Rancher server, one of several that share a database.
///
/// Since 1.2 the servers find each other through the database (`cluster`). Before that they needed ZooKeeper, Redis, a
/// websocket proxy and a machine service of their own (`external`).
package struct RancherServer: Sendable {
    package enum Form: Sendable { case cluster, external(External) }

    package struct Database: Sendable {
        package var host: Value
        package var port: Value = 3306
        package var user: Value = "cattle"
        package var name: Value = "cattle"
        package var password: HostSecret

        package init(host: Value, password: HostSecret) {
            self.host = host
            self.password = password
        }
    }

    /// What servers before 1.2 need besides the database.
    package struct External: Sendable {
        package var zookeeper: [Value]
        package var redis: [Value]
        package var redisPassword: HostSecret?
        /// Where browsers and hosts reach the websocket proxy, as `host:port`.
        package var proxyHost: Value
        package var proxyPort = 8081
        package var machineService: MachineService?

        package init(zookeeper: [Value], redis: [Value], proxyHost: Value) {
            self.zookeeper = zookeeper
            self.redis = redis
            self.proxyHost = proxyHost
        }
    }

    /// The service that makes machines, with the key of a service account.
    package struct MachineService: Sendable {
        /// nil: this machine's own server.
        package var url: Value?
        package var accessKey: HostSecret
        package var secretKey: HostSecret

        package init(accessKey: HostSecret, secretKey: HostSecret) {
            self.accessKey = accessKey
            self.secretKey = secretKey
        }
    }

    package var image: Value
    package var database: Database
    package var form = Form.cluster
    /// Which address the other servers reach this one by; nil: the private address.
    package var advertiseAddress: Value?
    /// More variables of the server.
    package var environment: [(key: String, value: Value)] = []
    /// Whether the single services of the older form run here.
    package var isFirst = true
    package var region: String?

    package init(image: Value, database: Database) {
        self.image = image
        self.database = database
    }

    /// The TCP ports on which servers must reach each other.
    package var ports: [Int] {
        switch form {
        case .cluster: [8080, 9345]
        case .external(let external): [8080, external.proxyPort]
        }
    }

    // MARK: Rendering

    private static let folder = "/etc/muster"

    /// A script for the first boot. Docker starts the containers again after a restart.
    package func userData() -> Text {
        var text: Text = """
            #!/bin/sh
            # Written by muster. Starts a Rancher server.
            set -eu
            umask 077
            mkdir -p \(Self.folder)
            \(Snippets.die)\(Snippets.metadata)\(RancherAgent.waitForDocker)
            """
        if HostSecret.needsJSON(secrets) { text += Snippets.flatten.asText }
        text += HostSecret.functions(for: secrets, region: region)
        text += """
            image=\(shell: image)
            \(advertised)tries=0
            until docker inspect "$image" >/dev/null 2>&1 || docker pull "$image"; do
                tries=$((tries + 1))
                [ "$tries" -lt 30 ] || die "the image $image cannot be had"
                sleep 10
            done

            # What no list of processes may show.
            \(database.password.read(into: "password", or: "the password of the database cannot be read"))\
            printf 'CATTLE_DB_CATTLE_PASSWORD=%s\\n' "$password" >\(Self.folder)/rancher-server.env

            """
        switch form {
        case .cluster: text += cluster()
        case .external(let external): text += older(external)
        }
        return text
    }

    private var secrets: [HostSecret] {
        guard case .external(let external) = form else { return [database.password] }
        let service = external.machineService
        return [database.password, external.redisPassword, service?.accessKey, service?.secretKey].compactMap { $0 }
    }

    private var advertised: Text {
        guard let advertiseAddress else {
            return "address=$(meta local-ipv4) || die \"the metadata service tells no private address\"\n"
        }
        return "address=\(shell: advertiseAddress)\n"
    }

    private func cluster() -> Text {
        """
        docker run -d --name rancher-server --restart=unless-stopped \\
            -p 8080:8080 -p 9345:9345 \\
        \(variables(environment))    --env-file \(Self.folder)/rancher-server.env \\
            "$image" \\
            --db-host \(shell: database.host) --db-port \(shell: database.port) \\
            --db-user \(shell: database.user) --db-name \(shell: database.name) \\
            --advertise-address "$address"

        """
    }

    private func older(_ external: External) -> Text {
        var text = Text()
        if let password = external.redisPassword {
            text += """
                \(password.read(into: "password", or: "the password of Redis cannot be read"))\
                printf 'CATTLE_REDIS_PASSWORD=%s\\n' "$password" >>\(Self.folder)/rancher-server.env

                """
        }
        let values: [(String, Value)] = [
            ("CATTLE_DB_CATTLE_MYSQL_HOST", database.host), ("CATTLE_DB_CATTLE_MYSQL_PORT", database.port),
            ("CATTLE_DB_CATTLE_MYSQL_NAME", database.name), ("CATTLE_DB_CATTLE_USERNAME", database.user),
            ("CATTLE_ZOOKEEPER_CONNECTION_STRING", .joined(external.zookeeper)),
            ("CATTLE_REDIS_HOSTS", .joined(external.redis)), ("CATTLE_HOST_API_PROXY_MODE", "ha"),
            ("CATTLE_HOST_API_PROXY_HOST", external.proxyHost), ("DEFAULT_CATTLE_MACHINE_EXECUTE", "false"),
        ]
        text += """
            docker run -d --name rancher-server --restart=always \\
                -p 8080:8080 \\
            \(variables(values + environment.map { ($0.key, $0.value) }))    --env-file \(Self.folder)/rancher-server.env \\
                "$image"

            """
        if isFirst {
            text += websocketProxy(external)
            if let service = external.machineService { text += machineService(service) }
        }
        return text
    }

    /// Carries what flows between browsers and hosts; it trusts what the servers signed.
    private func websocketProxy(_ external: External) -> Text {
        """

        tries=0
        until curl -fsS -m 10 -o \(Self.folder)/api.crt http://127.0.0.1:8080/v1/scripts/api.crt; do
            tries=$((tries + 1))
            [ "$tries" -lt 180 ] || die "the server does not give out its public key"
            sleep 5
        done
        docker run -d --name rancher-websocket-proxy --restart=always \\
            -p \(external.proxyPort):\(external.proxyPort) -v \(Self.folder)/api.crt:/api.crt:ro \\
            "$image" websocket-proxy -jwt-public-key-file=/api.crt -listen-address=0.0.0.0:\(external.proxyPort)

        """
    }

    /// The key can only be made when the server runs. So this comes last, and waits for it.
    private func machineService(_ service: MachineService) -> Text {
        let url: Text = service.url.map { "\(shell: $0)" } ?? "\"http://$address:8080/v1\""
        return """

            tries=0
            until access=$(\(service.accessKey.command)) && [ -n "$access" ] &&
                secret=$(\(service.secretKey.command)) && [ -n "$secret" ]; do
                tries=$((tries + 1))
                [ "$tries" -lt 360 ] || die "the key of the service account cannot be read"
                sleep 10
            done
            printf 'CATTLE_ACCESS_KEY=%s\\nCATTLE_SECRET_KEY=%s\\n' "$access" "$secret" >\(Self.folder)/go-machine-service.env
            docker run -d --name rancher-go-machine-service --restart=always \\
                -e CATTLE_URL=\(url) \\
                --env-file \(Self.folder)/go-machine-service.env \\
                "$image" go-machine-service

            """
    }

    private func variables(_ values: [(key: String, value: Value)]) -> Text {
        var text = Text()
        for (key, value) in values { text += "    -e \(key)=\(shell: value) \\\n" }
        return text
    }
}

extension Value {
    /// Texts with commas between them.
    static func joined(_ values: [Value]) -> Value {
        var text = Text()
        for (position, value) in values.enumerated() {
            if position > 0 { text.append(",") }
            text.append(Text(raw: value))
        }
        return text.value
    }
}
