// Machines with an agent, seen from the server: they register with a token, bring a host, fall silent, come back.
//
// A real agent holds a WebSocket and answers pings. Here a machine that joined counts as answering until a test says
// that it does not; what the server then does with time is the server's own.

import AWSClient
import SandboxServing

/// A machine on which the agent's container is started.
package struct AgentMachine: Sendable {
    /// The URL of a registration token, or the token itself.
    package var registration: String
    package var hostname: String
    package var address: String
    /// `CATTLE_HOST_LABELS`: they count when the host is first made, never again.
    package var labels: [String: String]
    /// How a test names the machine when it is lost: an EC2 instance id, for example.
    package var instanceID: String?
    /// The three state files; a machine that keeps them comes back as the same host.
    package var registrationKey: String?
    package var physicalHostUUID: String?
    package var dockerUUID: String?
    package var systemLabels: [String: String] = [
        "io.rancher.host.docker_version": "17.03", "io.rancher.host.linux_kernel_version": "4.9",
    ]

    package init(
        registration: String, hostname: String, address: String = "10.0.0.1", labels: [String: String] = [:],
        instanceID: String? = nil, registrationKey: String? = nil, physicalHostUUID: String? = nil,
        dockerUUID: String? = nil
    ) {
        self.registration = registration
        self.hostname = hostname
        self.address = address
        self.labels = labels
        self.instanceID = instanceID
        self.registrationKey = registrationKey
        self.physicalHostUUID = physicalHostUUID
        self.dockerUUID = dockerUUID
    }
}

/// Why a machine cannot join.
package struct JoinRefused: Error, CustomStringConvertible {
    package var description: String
}

extension RancherServer {
    /// All that a machine does from `docker run … rancher/agent URL` on, in one step. The host is `registering` then.
    ///
    /// - Returns: the host's id, `1h1`.
    package mutating func join(_ machine: AgentMachine) throws(JoinRefused) -> String {
        let text = machine.registration.split(separator: "/").last.map(String.init) ?? ""
        guard let token = registrationToken(text), let owner = token.owner else {
            throw JoinRefused(description: "no registration token in use has that text")
        }
        let key = machine.registrationKey ?? random.text(128, from: "0123456789abcdef")
        let register = registration(key, in: owner) ?? insertRegister(key, owner)
        if entities[register]?["agentId"].isNull != false {
            entities[register]?.state = "active"
            entities[register]?.generation += 1
            completeRegistration(register)
        }
        guard let agent = target(entities[register]?["agentId"] ?? .null, .agent) else {
            throw JoinRefused(description: "the registration has no agent")
        }
        return connect(agent.id, machine).text()
    }

    private mutating func insertRegister(_ key: String, _ owner: Int) -> ObjectID {
        insert(.register, owner: owner, state: "activating", ["key": .string(key)])
    }

    private func registration(_ key: String, in owner: Int) -> ObjectID? {
        living(.genericObject).first { $0["key"].string == key && $0.owner == owner }?.id
    }

    /// An agent starts with the credentials of its registration.
    package mutating func connect(
        accessKey: String, secretKey: String, _ machine: AgentMachine
    ) throws(JoinRefused) -> String {
        let key = living(.credential).first {
            $0.type == "agentApiKey" && $0.isActive && $0["publicValue"].string == accessKey
                && $0["secretValue"].string == secretKey
        }
        guard let owner = key?.owner, let agent = living(.agent).first(where: { $0.owner == owner }) else {
            throw JoinRefused(description: "the agent's credentials are invalid")
        }
        return connect(agent.id, machine).text()
    }

    // MARK: - Registration

    func checkRegistration(_ key: String, _ context: RequestContext) throws(APIFailure) {
        if living(.genericObject).contains(where: { $0["key"].string == key }) {
            throw .validation("NotUnique", "key")
        }
    }

    /// The account, the key and the agent that a registration brings.
    mutating func completeRegistration(_ id: ObjectID) {
        guard let register = entities[id], let environment = register.owner, register["agentId"].isNull else { return }
        let account = insert(
            .account, owner: nil, state: "active",
            [
                "kind": "registeredAgent",
                "agentResourcesAccountId": .string(ObjectID(.account, environment).text()),
            ])
        var chance = chance(of: id)
        let (access, secret) = (chance.publicValue(), chance.secretValue())
        insert(
            .agentAPIKey, owner: account.number, state: "active",
            ["publicValue": .string(access), "secretValue": .string(secret), "kind": "agentApiKey"])
        let agent = insert(
            .agent, owner: account.number, state: "active",
            [
                "uri": .string("event://\(chance.uuid())"), "registerId": .string(id.text()),
                "environment": .string(ObjectID(.account, environment).text()),
            ])
        entities[id]?.fields["agentId"] = .string(agent.text())
        entities[id]?.fields["accessKey"] = .string(access)
        entities[id]?.fields["secretKey"] = .string(secret)
    }

    /// Registrations are found by key alone; only that list tells the agent's key.
    func registrations(_ context: RequestContext) -> JSONValue {
        let key = context.parameter("key")
        let found = candidates(.register, context).filter { key == nil || $0["key"].string == key }
        let data = found.map { entity -> JSONValue in
            guard key != nil, case .object(let members) = representation(entity, context) else {
                return representation(entity, context)
            }
            return .object(
                members.map { member in
                    ["key", "accessKey", "secretKey"].contains(member.name)
                        ? JSONValue.Member(member.name, entity[member.name]) : member
                })
        }
        return collection(.register, data, context)
    }

    // MARK: - The first ping

    private mutating func connect(_ agent: ObjectID, _ machine: AgentMachine) -> ObjectID {
        if let host = living(.host).first(where: { isSame($0, agent, machine) }) {
            set(host.id, "hostname", .string(machine.hostname))
            set(host.id, "agentIpAddress", .string(machine.address))
            set(host.id, "instanceId", .optional(machine.instanceID))
            comeBack(agent)
            return host.id
        }
        return makeHost(agent, machine)
    }

    private func isSame(_ host: Entity, _ agent: ObjectID, _ machine: AgentMachine) -> Bool {
        guard host["agentId"].string == agent.text() else { return false }
        guard let docker = machine.dockerUUID else { return true }
        return host["reportedUuid"].string == docker
    }

    private mutating func makeHost(_ agent: ObjectID, _ machine: AgentMachine) -> ObjectID {
        let environment = target(entities[agent]?["environment"] ?? .null, .account)
        let owner = environment?.id.number
        let physical = make(
            .physicalHost, owner: owner,
            ["driver": .null, "externalId": .optional(machine.physicalHostUUID), "agentId": .string(agent.text())])
        var labels = machine.labels.mapValues { JSONValue.string($0) }
        for (name, value) in machine.systemLabels { labels[name] = .string(value) }
        labels["io.rancher.host.agent_image"] = .string(version.agentImage)
        let host = make(
            .host, owner: owner,
            [
                "hostname": .string(machine.hostname), "labels": .sorted(labels), "kind": "docker",
                "agentId": .string(agent.text()), "physicalHostId": .string(physical.text()),
                "agentIpAddress": .string(machine.address), "computeTotal": 1_000_000, "publicEndpoints": [],
                "memory": 8_589_934_592, "milliCpu": 2_000, "localStorageMb": 102_400,
                "instanceId": .optional(machine.instanceID), "reportedUuid": .optional(machine.dockerUUID),
                "info": hostInfo(machine),
            ])
        let reference = JSONValue.string(host.text())
        make(.storagePool, owner: owner, ["hostId": reference, "kind": "docker", "hostIds": [reference]])
        make(.ipAddress, owner: owner, ["hostId": reference, "address": .string(machine.address)])
        return host
    }

    private func hostInfo(_ machine: AgentMachine) -> JSONValue {
        [
            "osInfo": [
                "operatingSystem": "RancherOS v1.5.8", "kernelVersion": "4.14.138-rancher",
                "dockerVersion": "Docker version 17.03.2-ce, build f5ec1e2",
            ],
            "cpuInfo": ["count": 2, "mhz": 2_500, "modelName": "Simulated", "loadAvg": [0, 0, 0]],
            "memoryInfo": ["memTotal": 8_192, "memFree": 6_144], "diskInfo": ["mountPoints": [:]],
        ]
    }

    // MARK: - Silence and return

    /// The machine no longer answers: terminated, or cut off. By its instance id, host name or host id.
    ///
    /// - Returns: how many hosts that were.
    @discardableResult
    package mutating func lose(_ machine: String) -> Int {
        let hosts = named(machine)
        for host in hosts {
            guard let agent = target(host["agentId"], .agent) else { continue }
            let silences = (agent["silences"].integer ?? 0) + 1
            set(agent.id, "silences", .integer(Int64(silences)))
            set(agent.id, "isSilent", true)
            agenda.add(.moment(agent.id, name: "silent \(silences)"), at: now + configuration.silence)
        }
        return hosts.count
    }

    /// The machine answers again.
    @discardableResult
    package mutating func find(_ machine: String) -> Int {
        let hosts = named(machine)
        for host in hosts { if let agent = target(host["agentId"], .agent) { comeBack(agent.id) } }
        return hosts.count
    }

    private func named(_ machine: String) -> [Entity] {
        living(.host).filter {
            $0["instanceId"].string == machine || $0["hostname"].string == machine || $0.id.text() == machine
        }
    }

    private mutating func comeBack(_ agent: ObjectID) {
        set(agent, "isSilent", false)
        guard let state = entities[agent]?.state, state != "active" else { return }
        if start("reconnect", agent) { return }
        start("finishreconnect", agent)
    }

    @Sendable static func momentOfAgent(_ server: inout RancherServer, _ id: ObjectID, _ name: String) {
        guard let agent = server.entities[id], agent["isSilent"].boolean == true else { return }
        let number = agent["silences"].integer ?? 0
        switch name {
        case "silent \(number)":
            // It stays so, before 1.2 for ever; `reconnect` would go on by itself.
            guard agent.state == "active" else { return }
            server.entities[id]?.state = "reconnecting"
            server.entities[id]?.generation += 1
            guard server.version >= ServerVersion(1, 2) else { return }
            server.agenda.add(
                .moment(id, name: "lost \(number)"), at: server.now + server.configuration.disconnection)
        case "lost \(number)": server.start("disconnect", id)
        default: break
        }
    }

    @Sendable static func finishedAgent(_ server: inout RancherServer, _ id: ObjectID, _ process: String) {
        guard let agent = server.entities[id] else { return }
        switch process {
        case "create": server.start("activate", id)
        case "reconnect": server.start("finishreconnect", id)
        case "deactivate":
            for host in server.living(.host) where host["agentId"].string == id.text() {
                server.start("deactivate", host.id)
            }
        case "disconnect": server.planRemoval(ofHostsOf: agent)
        case "remove":
            if let owner = agent.owner {
                server.tearDownBelongings(of: owner)
                server.delete(ObjectID(.account, owner))
            }
        default: break
        }
    }

    /// `host.remove.delay.seconds`, or what the environment says instead.
    private mutating func planRemoval(ofHostsOf agent: Entity) {
        guard version >= ServerVersion(1, 5) else { return }
        let environment = target(agent["environment"], .account)
        let general = setting("host.remove.delay.seconds").flatMap { Int($0) } ?? -1
        let delay = environment?["hostRemoveDelaySeconds"].integer ?? general
        guard delay >= 0 else { return }
        for host in living(.host) where host["agentId"].string == agent.id.text() {
            agenda.add(.moment(host.id, name: "gone for long"), at: now + Int64(delay) * 1_000 + 60_000)
        }
    }

    /// With the host goes its agent, the registration and the agent's account.
    mutating func endAgent(_ agent: Entity) {
        if let register = target(agent["registerId"], .genericObject) { start("remove", register.id) }
        tearDown(agent.id)
        guard let owner = agent.owner else { return }
        for key in living(.credential) where key.owner == owner { tearDown(key.id) }
    }
}
