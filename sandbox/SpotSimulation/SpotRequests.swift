import AWSClient
package import HTTPTransport
import SandboxServing
import TextEncodings

/// An answer that refuses.
struct SpotFailure: Error {
    var status: Int
    var code: String
    var message: String
    var field: String?

    init(_ status: Int, _ code: String, _ message: String, field: String? = nil) {
        self.status = status
        self.code = code
        self.message = message
        self.field = field
    }

    static func invalid(_ field: String, _ message: String) -> SpotFailure {
        SpotFailure(400, "VALIDATION_ERROR", message, field: field)
    }

    static func noGroup(_ id: String) -> SpotFailure {
        SpotFailure(400, "GROUP_DOESNT_EXIST", "Group \(id) doesn't exist")
    }

    func response(id: String, url: String, method: String, time: Int64) -> HTTPResponse {
        var error: [JSONValue.Member] = [.init("code", .string(code)), .init("message", .string(message))]
        if let field { error.append(.init("field", .string(field))) }
        return SpotEnvelope(id: id, url: url, method: method, time: time).response(
            status, members: [.init("errors", [.object(error)])])
    }
}

/// What stands around every answer.
struct SpotEnvelope {
    var id: String
    var url: String
    var method: String
    var time: Int64

    func response(_ status: Int, members: [JSONValue.Member]) -> HTTPResponse {
        let stamp = Timestamp(millisecondsSinceEpoch: time).iso8601.dropLast() + ".000Z"
        let message = status == 200 ? "OK" : status == 401 ? "Unauthorized" : "Bad Request"
        let state: JSONValue = ["code": .integer(Int64(status)), "message": .string(message)]
        let document: JSONValue = [
            "request": [
                "id": .string(id), "url": .string(url), "method": .string(method), "timestamp": .string(String(stamp)),
            ],
            "response": .object([.init("status", state)] + members),
        ]
        return HTTPResponse(
            status: status, headers: ["Content-Type": "application/json; charset=utf-8"], body: document.text())
    }

    func items(_ items: [JSONValue]) -> HTTPResponse {
        response(
            200,
            members: [
                .init("kind", "spotinst:aws:ec2:group"), .init("items", .array(items)),
                .init("count", .integer(Int64(items.count))),
            ])
    }
}

extension SpotServer {
    package mutating func answer(_ request: HTTPRequest, from peer: String, at now: Int64) -> HTTPResponse {
        advance(to: now)
        let address = request.url.firstRange(of: "://").map { String(request.url[$0.upperBound...]) } ?? request.url
        let target = address.drop { $0 != "/" }
        let path = target.prefix { $0 != "?" }
        let envelope = SpotEnvelope(
            id: random.text(24, from: "0123456789abcdef"), url: String(path), method: request.method, time: now)
        let query = Dictionary(
            target.dropFirst(path.count).dropFirst().split(separator: "&").map { item -> (String, String) in
                let name = item.prefix { $0 != "=" }
                return (String(name), PercentEncoding.decodedText(item.dropFirst(name.count).dropFirst()))
            }
        ) { first, _ in first }
        do throws(SpotFailure) {
            try authenticate(request, query)
            let parts = path.split(separator: "/").map(String.init)
            return envelope.items(try items(request, parts, query))
        } catch {
            return error.response(id: envelope.id, url: envelope.url, method: envelope.method, time: now)
        }
    }

    private func authenticate(_ request: HTTPRequest, _ query: [String: String]) throws(SpotFailure) {
        guard request.headers["Authorization"] == "Bearer \(configuration.token)" else {
            throw SpotFailure(401, "UNAUTHORIZED", "The token is not valid")
        }
        guard let account = query["accountId"] else { return }
        guard account == configuration.account else {
            throw SpotFailure(401, "UNAUTHORIZED", "The token does not reach account \(account)")
        }
    }

    private mutating func items(
        _ request: HTTPRequest, _ parts: [String], _ query: [String: String]
    ) throws(SpotFailure) -> [JSONValue] {
        guard parts.count >= 3, parts[..<3] == ["aws", "ec2", "group"] else {
            throw SpotFailure(404, "NOT_FOUND", "There is no such resource")
        }
        if parts.count == 3 {
            switch request.method {
            case "GET": return groups.map { json($0) }
            case "POST": return [try create(try body(request)["group"])]
            default: throw SpotFailure(405, "METHOD_NOT_ALLOWED", "The method is not allowed")
            }
        }
        guard let index = groups.firstIndex(where: { $0.id == parts[3] }) else { throw .noGroup(parts[3]) }
        return try items(request, index, Array(parts[4...]), query)
    }

    private mutating func items(
        _ request: HTTPRequest, _ index: Int, _ rest: [String], _ query: [String: String]
    ) throws(SpotFailure) -> [JSONValue] {
        switch (request.method, rest.first) {
        case ("GET", nil): return [json(groups[index])]
        case ("PUT", nil): return [try update(index, try body(request)["group"])]
        case ("DELETE", nil):
            end(groups[index].instances.map(\.id), inGroup: index)
            groups.remove(at: index)
            return []
        case ("GET", "status"): return groups[index].instances.map { json($0, groups[index]) }
        case ("GET", "instanceHealthiness"):
            return groups[index].instances.map { instance in
                [
                    "instanceId": .string(instance.id), "availabilityZone": .string(instance.zone),
                    "healthStatus": instance.isRunning ? "HEALTHY" : "INSUFFICIENT_DATA",
                ]
            }
        case ("GET", "events"):
            return groups[index].events.map {
                [
                    "createdAt": .string(Timestamp(millisecondsSinceEpoch: $0.time).iso8601),
                    "message": .string($0.message),
                ]
            }
        case ("PUT", "scale") where rest.count == 2: return try scale(index, rest[1], query)
        case (_, "suspension") where rest.count == 1: return try suspend(request, index)
        case ("PUT", "detachInstances"): return try detach(index, try body(request))
        case (_, "roll"): return try roll(request, index, Array(rest.dropFirst()))
        default: throw SpotFailure(404, "NOT_FOUND", "There is no such resource")
        }
    }

    private func body(_ request: HTTPRequest) throws(SpotFailure) -> JSONValue {
        guard let value = try? JSONValue(parsing: request.body), case .object = value else {
            throw SpotFailure(400, "INVALID_JSON", "The body is not a JSON object")
        }
        return value
    }

    // MARK: - Definitions

    private mutating func create(_ given: JSONValue) throws(SpotFailure) -> JSONValue {
        guard case .object = given else { throw .invalid("group", "\"group\" is required") }
        let definition = SpotDefinition.withPresets(given)
        try SpotDefinition.check(definition)
        let id = "sig-" + random.text(8, from: "0123456789abcdef")
        groups.append(Group(id: id, definition: definition, created: now, updated: now))
        approachTarget(ofGroup: groups.count - 1)
        return json(groups[groups.count - 1])
    }

    private mutating func update(_ index: Int, _ given: JSONValue) throws(SpotFailure) -> JSONValue {
        guard case .object = given else { throw .invalid("group", "\"group\" is required") }
        if given.members.contains(where: { $0.name == "id" }) { throw .invalid("group.id", "\"id\" is not allowed") }
        let definition = SpotDefinition.merged(groups[index].definition, given)
        try SpotDefinition.check(definition)
        groups[index].definition = definition
        groups[index].updated = now
        approachTarget(ofGroup: index)
        return json(groups[index])
    }

    private func json(_ group: Group) -> JSONValue {
        let own: [JSONValue.Member] = [
            .init("id", .string(group.id)),
            .init("createdAt", .string(Timestamp(millisecondsSinceEpoch: group.created).iso8601)),
            .init("updatedAt", .string(Timestamp(millisecondsSinceEpoch: group.updated).iso8601)),
        ]
        return .object(own + group.definition.members)
    }

    private func json(_ instance: Instance, _ group: Group) -> JSONValue {
        [
            "instanceId": .string(instance.id), "spotInstanceRequestId": .string(instance.request),
            "instanceType": .string(instance.type), "status": instance.isRunning ? "fulfilled" : "pending",
            "product": group.definition["compute"]["product"], "availabilityZone": .string(instance.zone),
            "privateIp": .string(instance.address), "publicIp": .null,
            "createdAt": .string(Timestamp(millisecondsSinceEpoch: instance.created).iso8601),
        ]
    }

    // MARK: - Capacity

    private mutating func scale(
        _ index: Int, _ direction: String, _ query: [String: String]
    ) throws(SpotFailure) -> [JSONValue] {
        guard let adjustment = query["adjustment"].flatMap({ Int($0) }), adjustment > 0 else {
            throw .invalid("adjustment", "\"adjustment\" must be a positive number")
        }
        let capacity = groups[index].definition["capacity"]
        let (least, most) = (capacity["minimum"].integer ?? 0, capacity["maximum"].integer ?? 0)
        let before = groups[index].instances.map(\.id)
        let target: Int
        switch direction {
        case "up": target = min(most, self.target(of: groups[index]) + adjustment)
        case "down": target = max(least, self.target(of: groups[index]) - adjustment)
        default: throw SpotFailure(404, "NOT_FOUND", "There is no such resource")
        }
        groups[index].definition = SpotDefinition.merged(
            groups[index].definition, ["capacity": ["target": .integer(Int64(target))]])
        approachTarget(ofGroup: index)
        let after = groups[index].instances
        let new = after.filter { !before.contains($0.id) }.map { instance -> JSONValue in
            ["spotInstanceRequestId": .string(instance.request), "instanceType": .string(instance.type)]
        }
        let victims = before.filter { id in !after.contains { $0.id == id } }.map { id -> JSONValue in
            ["instanceId": .string(id)]
        }
        return [["newSpotRequests": .array(new), "newInstances": [], "victimInstances": .array(victims)]]
    }

    private mutating func suspend(_ request: HTTPRequest, _ index: Int) throws(SpotFailure) -> [JSONValue] {
        switch request.method {
        case "GET": break
        case "POST":
            for process in try body(request)["processes"].items.map(\.text)
            where !groups[index].suspended.contains(process) {
                groups[index].suspended.append(process)
            }
        case "DELETE":
            let processes = try body(request)["processes"].items.map(\.text)
            groups[index].suspended.removeAll { processes.contains($0) }
        default: throw SpotFailure(405, "METHOD_NOT_ALLOWED", "The method is not allowed")
        }
        return [["suspendedProcesses": .strings(groups[index].suspended)]]
    }

    private mutating func detach(_ index: Int, _ body: JSONValue) throws(SpotFailure) -> [JSONValue] {
        let ids = body["instancesToDetach"].items.map(\.text)
        guard !ids.isEmpty else { throw .invalid("instancesToDetach", "\"instancesToDetach\" is required") }
        for id in ids where !groups[index].instances.contains(where: { $0.id == id }) {
            throw .invalid("instancesToDetach", "Instance \(id) is not in the group")
        }
        if body["shouldTerminateInstances"].boolean == true {
            end(ids, inGroup: index)
        } else {
            groups[index].instances.removeAll { ids.contains($0.id) }
        }
        if body["shouldDecrementTargetCapacity"].boolean == true {
            let target = Int64(self.target(of: groups[index]) - ids.count)
            groups[index].definition = SpotDefinition.merged(
                groups[index].definition, ["capacity": ["target": .integer(max(0, target))]])
        }
        approachTarget(ofGroup: index)
        return []
    }

    // MARK: - Rolls

    private mutating func roll(_ request: HTTPRequest, _ index: Int, _ rest: [String]) throws(SpotFailure)
        -> [JSONValue]
    {
        guard let id = rest.first else {
            guard request.method == "PUT" else { return groups[index].rolls.map { json($0) } }
            return [try startRoll(index, try body(request))]
        }
        guard let position = groups[index].rolls.firstIndex(where: { $0.id == id }) else {
            throw SpotFailure(400, "ROLL_DOESNT_EXIST", "Roll \(id) doesn't exist")
        }
        if request.method == "PUT", try body(request)["roll"]["status"].text == "STOPPED" {
            groups[index].rolls[position].status = "STOPPED"
        }
        return [json(groups[index].rolls[position])]
    }

    private mutating func startRoll(_ index: Int, _ body: JSONValue) throws(SpotFailure) -> JSONValue {
        guard let percentage = body["batchSizePercentage"].integer, (1...100).contains(percentage) else {
            throw .invalid("batchSizePercentage", "\"batchSizePercentage\" must be from 1 to 100")
        }
        guard !groups[index].rolls.contains(where: { $0.status == "IN_PROGRESS" }) else {
            throw SpotFailure(400, "ROLL_IN_PROGRESS", "A roll is in progress")
        }
        let old = groups[index].instances.map(\.id)
        let roll = Roll(
            id: "sbgd-" + random.text(8, from: "0123456789abcdef"), old: old,
            batch: max(1, old.count * percentage / 100), status: "IN_PROGRESS", created: now, total: old.count)
        groups[index].rolls.append(roll)
        return json(roll)
    }

    private func json(_ roll: Roll) -> JSONValue {
        let done = roll.total - roll.old.count
        let value = roll.total == 0 ? 100 : done * 100 / roll.total
        return [
            "id": .string(roll.id), "status": .string(roll.status),
            "progress": ["unit": "percentage", "value": .integer(Int64(value))],
            "createdAt": .string(Timestamp(millisecondsSinceEpoch: roll.created).iso8601),
        ]
    }
}
