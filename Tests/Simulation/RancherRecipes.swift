import MusterModel

// What is declared on the simulated Rancher server.

extension Recipe {
    private static let server = SimulatedRancher.addresses[0]

    /// Names of stacks and services have no underscores.
    private static func dashed(_ name: String) -> Value { .string(name.replacing("_", with: "-")) }
    private static func place(_ text: String) -> Value { .string("ssm:/sim/\(text)") }
    private static func text(_ number: Int) -> Value { .string("text \(number)") }
    private static func toggled(_ arguments: Arguments) -> Value {
        arguments["enabled"] == false ? true : false
    }

    private static let environment = Need("environment", "rancher.environment")

    static let rancher: [Recipe] = rancherServers + rancherAccess + rancherContents

    private static let rancherServers: [Recipe] = [
        Recipe(
            type: "rancher.server", stack: "rancher", limit: 1, hasTags: false,
            says: { _, _ in ["url": .string(server)] },
            updated: { arguments, _ in
                let other = SimulatedRancher.addresses.first { .string($0) != arguments["url"] }
                arguments["url"] = other.map { .string($0) }
            }),
        Recipe(
            type: "rancher.setting", stack: "rancher", weight: 2, hasTags: false,
            says: { name, number in
                ["server": .string(server), "name": .string("sim.\(name)"), "value": text(number)]
            }, updated: { $0["value"] = text($1) }, replaced: { $0["name"] = .string("sim.name\($1)") }),
        // One login for good: the server remembers it, with its password, when access control is off.
        Recipe(
            type: "rancher.local_access_control", stack: "rancher", limit: 1, hasTags: false,
            says: { _, _ in ["server": .string(server), "username": "admin", "password": secret(0)] },
            replaced: { arguments, _ in
                arguments["access_mode"] = arguments["access_mode"] == "restricted" ? "required" : "restricted"
            }),
        // A server has one way in at a time: this one has lives alone, and is in no history by chance.
        Recipe(
            type: "rancher.github_access_control", stack: "rancher", weight: 0, limit: 1, hasTags: false,
            says: { _, _ in
                ["server": .string(server), "client_id": "Iv1.8a61f9b3a7aba766", "client_secret": secret(0)]
            }, updated: { $0["hostname"] = .string("github\($1).test") }),
        Recipe(
            type: "rancher.environment", stack: "rancher", weight: 3, limit: 3,
            needs: [Need("server", "rancher.server", "url")], hasTags: false,
            says: { name, _ in ["name": .string(name), "description": "one", "template": "Cattle"] },
            updated: { arguments, number in
                switch number % 5 {
                case 0: arguments["name"] = .string("name\(number)")
                case 1: arguments["description"] = text(number)
                case 2: arguments["host_remove_delay_seconds"] = .integer(number)
                case 3:
                    arguments["members"] = .list([
                        .map(["external_id": "1a1", "external_id_type": "rancher_id", "role": "owner"]),
                        .map([
                            "external_id": .string(String(number)), "external_id_type": "github_team", "role": "member",
                        ]),
                    ])
                default: arguments["virtual_machine"] = .bool(arguments["virtual_machine"] != true)
                }
            },
            replaced: { arguments, _ in
                arguments["template"] = arguments["template"] == "Cattle" ? "Swarm" : "Cattle"
            }),
    ]

    private static let rancherAccess: [Recipe] = [
        Recipe(
            type: "rancher.registration_token", weight: 2, needs: [environment], hasTags: false,
            says: { name, number in
                ["server": .string(server), "name": .string(name), "secret_to": place("token\(number)")]
            }, updated: { $0["secret_to"] = place("token\($1)") }, replaced: { $0["name"] = .string("token\($1)") }),
        Recipe(
            type: "rancher.api_key", weight: 3, needs: [environment], hasTags: false,
            says: { name, number in
                ["server": .string(server), "name": .string(name), "secret_to": place("key\(number)")]
            },
            updated: { arguments, number in
                switch number % 3 {
                case 0: arguments["name"] = .string("key\(number)")
                case 1: arguments["description"] = text(number)
                default: arguments["enabled"] = toggled(arguments)
                }
            },
            replaced: { arguments, number in
                if number % 2 == 0 {
                    arguments["secret_to"] = place("key\(number)")
                } else {
                    arguments["secret_format"] = arguments["secret_format"] == "cli" ? "secret_key" : "cli"
                }
            }),
        Recipe(
            type: "rancher.service_account", stack: "rancher", hasTags: false,
            says: { name, _ in ["server": .string(server), "name": .string(name)] },
            updated: { arguments, number in
                switch number % 3 {
                case 0: arguments["name"] = .string("account\(number)")
                case 1: arguments["description"] = text(number)
                default: arguments["enabled"] = toggled(arguments)
                }
            }, replaced: { $0["uuid"] = .string("uuid\($1)") }),
        Recipe(
            type: "rancher.registry", weight: 2, needs: [environment], hasTags: false,
            says: { name, _ in
                [
                    "server": .string(server), "name": .string(name),
                    "server_address": .string("\(name).example.com"),
                ]
            },
            updated: { arguments, number in
                switch number % 3 {
                case 0: arguments["name"] = .string("registry\(number)")
                case 1: arguments["description"] = text(number)
                default: arguments["enabled"] = toggled(arguments)
                }
            }, replaced: { $0["server_address"] = .string("r\($1).example.com") }),
        Recipe(
            type: "rancher.registry_credential", weight: 2,
            needs: [environment, Need("registry", "rancher.registry")], placedBy: "registry", hasTags: false,
            says: { name, number in
                [
                    "server": .string(server), "name": .string(name), "username": "AWS", "password": secret(number),
                    "email": "a@example.com",
                ]
            },
            updated: {
                $0["password"] = secret($1)
                if $1 % 2 == 0 { $0["username"] = .string("user\($1)") }
            }),
    ]

    private static let rancherContents: [Recipe] = [
        Recipe(
            type: "rancher.stack", weight: 2, needs: [environment], hasTags: false,
            says: { name, _ in
                ["server": .string(server), "name": dashed(name), "docker_compose": "web:\n  image: nginx:1.11\n"]
            },
            updated: { arguments, number in
                switch number % 4 {
                case 0: arguments["name"] = .string("stack\(number)")
                case 1: arguments["description"] = text(number)
                case 2: arguments["answers"] = .map(["A": .string(String(number))])
                default: arguments["docker_compose"] = .string("web:\n  image: nginx:1.\(number)\n")
                }
            }, replaced: { arguments, _ in arguments["system"] = .bool(arguments["system"] != true) }),
        Recipe(
            type: "rancher.service", weight: 2, needs: [environment, Need("stack", "rancher.stack")],
            placedBy: "stack", hasTags: false,
            says: { name, _ in
                [
                    "server": .string(server), "name": dashed(name), "scale": 1,
                    "launch_config": .map(["image": "nginx:1.11"]),
                ]
            },
            updated: { arguments, number in
                switch number % 4 {
                case 0: arguments["scale"] = .integer(number)
                case 1: arguments["launch_config"] = .map(["image": .string("nginx:1.\(number)")])
                case 2: arguments["description"] = text(number)
                default: arguments["enabled"] = toggled(arguments)
                }
            }),
        Recipe(
            type: "rancher.certificate", needs: [environment], hasTags: false,
            says: { name, number in
                [
                    "server": .string(server), "name": .string(name), "certificate": .string(certificates[0]),
                    "private_key": certificateKey(number),
                ]
            },
            updated: { arguments, number in
                switch number % 3 {
                case 0: arguments["description"] = text(number)
                case 1: arguments["private_key"] = certificateKey(number)
                default:
                    let other = certificates.first { .string($0) != arguments["certificate"] }
                    arguments["certificate"] = other.map { .string($0) }
                    arguments["private_key"] = certificateKey(number)
                }
            }),
        Recipe(
            type: "rancher.secret", needs: [environment], hasTags: false,
            says: { name, number in ["server": .string(server), "name": .string(name), "value": secret(number)] },
            updated: { $0["description"] = text($1) }, replaced: { $0["value"] = secret($1) }),
    ]

    private static func certificateKey(_ number: Int) -> Value {
        .deferred(Deferred(.secret(SecretReference(name: "key", source: "env:\(Secrets.keyPrefix)\(number)"))))
    }

    /// Signed by nobody, for `www1.example.com` and `www2.example.com`; there are no keys to them.
    private static let certificates = [
        """
        -----BEGIN CERTIFICATE-----
        MIIBjTCCATOgAwIBAgIUCLtarInInUy1SldOIcfpbDXpPTMwCgYIKoZIzj0EAwIw
        GzEZMBcGA1UEAwwQd3d3MS5leGFtcGxlLmNvbTAgFw0yNjExMjEyMzIxMzVaGA8y
        MTI2MTAyODIzMjEzNVowGzEZMBcGA1UEAwwQd3d3MS5leGFtcGxlLmNvbTBZMBMG
        ByqGSM49AgEGCCqGSM49AwEHA0IABJCovmnoyTP0/MK8encipX1yP6X8Kliz5CMd
        MxH2TjBGBAN8sKBKu4xcmffuRVKLPimS6D3oQJKgJBck2ZK1UMqjUzBRMB0GA1Ud
        DgQWBBTMNLL1Fe/aMy5AucqqeU2CgD4TTjAfBgNVHSMEGDAWgBTMNLL1Fe/aMy5A
        ucqqeU2CgD4TTjAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0gAMEUCIQCD
        vjtjwy+ZjzPHSRgjNoHrBTmuxXXHuf24h5NAJf3BOgIgKftcKwF2RwGK5TaEt3iD
        hu6t/ePB+7GO0v2Y6MsJGgM=
        -----END CERTIFICATE-----

        """,
        """
        -----BEGIN CERTIFICATE-----
        MIIBjDCCATOgAwIBAgIUHGQ9B1Vfcnv9FUVowSgQmN9qkyowCgYIKoZIzj0EAwIw
        GzEZMBcGA1UEAwwQd3d3Mi5leGFtcGxlLmNvbTAgFw0yNjExMjEyMzIxMzVaGA8y
        MTI2MTAyODIzMjEzNVowGzEZMBcGA1UEAwwQd3d3Mi5leGFtcGxlLmNvbTBZMBMG
        ByqGSM49AgEGCCqGSM49AwEHA0IABEG2EMtW4ETZPodxj2OfpAUNpt1TzuFKBZeu
        X0197+ni0/CqRYO4j2RVxHStm3we4Q7ZDjmgf/1bhAHDtfuLYW2jUzBRMB0GA1Ud
        DgQWBBR+SunzbVra/VMBtTbNroBjzEbrHDAfBgNVHSMEGDAWgBR+SunzbVra/VMB
        tTbNroBjzEbrHDAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0cAMEQCIHfI
        vIHecMYAAmXi5K0N/Xnw9VBsxcndzCST8EGE8luOAiBG7yQlpbNPfnv40hzWDHPn
        XjLHkQPi43XaMn3wCuQD8A==
        -----END CERTIFICATE-----

        """,
    ]
}
