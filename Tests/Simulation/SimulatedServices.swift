import AWSClient
import HTTPTransport

// Services that all work alike: things that are made, listed, changed, tagged and deleted. What tells them apart is a
// table (`SimulatedCatalog`): what a thing is called, what it needs, what holds it, what goes with it, how long it takes.
// What AWS was told it mostly tells again, so that an object is the request that made it.

/// One kind of thing.
struct SimulatedKind: Sendable {
    /// Something that must be there, and is held as long as this refers to it.
    struct Need: Sendable {
        /// `#` stands for any number.
        let parameter: String
        let kind: String
        /// What the parameter says of it: the name of a field, or "" for its id.
        let field: String
        let code: String

        init(_ parameter: String, _ kind: String, _ field: String = "", _ code: String) {
            self.parameter = parameter
            self.kind = kind
            self.field = field
            self.code = code
        }
    }

    /// What a second creation in the same place comes to.
    enum Repetition: Sendable {
        case refused(String)
        /// The same request gives the same thing; another one is refused.
        case sameAgain(String)
        case overwrites
    }

    let kind: String
    /// Where answers tell of it: `LoadBalancers.member`.
    let collection: String
    /// Where the answer to its creation tells of it; nil: in the collection, `""`: at the top.
    var single: String?
    /// The parameters that no two may have in common.
    let place: [String]
    var repetition: Repetition = .refused("AlreadyExists")
    /// The parameter of later calls that names it; nil: its place does.
    var key: String?
    /// The field that holds its id; nil: none.
    var idField: String?
    /// Its id; nil: its kind and place.
    var id: (@Sendable (SimulatedAWS, CloudRequest) -> String)?
    var needs: [Need] = []
    /// Kinds that go with it.
    var parts: Set<String> = []
    var missing = "ResourceNotFound"
    /// What deleting one that is not there comes to.
    var isDeletedOnce = true
    var held = "ResourceInUse"
    /// The share of the usual time until it is ready.
    var takes = 0.0
    var lingers = false
    /// Told to nobody.
    var secrets: Set<String> = []
    var tellsRequest = true
    var told: @Sendable (SimulatedAWS, CloudObject) -> Flat = { _, _ in [:] }
}

extension SimulatedKind {
    func isNamed(_ object: CloudObject, by request: CloudRequest) -> Bool {
        (key.map { [$0] } ?? place).allSatisfy { object[$0] == request[$0] }
    }
}

extension CloudObject {
    /// Its fields without AWS's own.
    var said: Flat { fields.filter { !$0.key.hasPrefix("-") } }
    func values(_ pattern: String) -> [String] { FlatAnswer.values(pattern, in: fields) }
}

extension SimulatedAWS {
    static let arnStart = "us-east-1:\(account)"

    // MARK: - The life of a thing

    func make(_ kind: SimulatedKind, _ request: CloudRequest) throws(Refusal) -> Flat {
        let token = request.optional("ClientToken") ?? request["IdempotencyToken"]
        if let made = try made(by: token, request) { return answer(kind, made) }
        try check(kind, request)
        let there = objects(kind.kind).first { object in
            !kind.place.isEmpty && object.goneAt == nil && kind.place.allSatisfy { object[$0] == request[$0] }
        }
        let fields = contents(kind, request)
        if let there {
            switch kind.repetition {
            case .refused(let code): throw Refusal(code, "\(kind.kind) already exists")
            case .sameAgain(let code):
                guard fields.allSatisfy({ there[$0.key] == $0.value }), request.anyTags == there.tags || code.isEmpty
                else { throw Refusal(code, "\(kind.kind) already exists with different settings") }
                noteRepeat(there.id)
                return answer(kind, there)
            case .overwrites:
                if fields.allSatisfy({ there[$0.key] == $0.value }) { noteRepeat(there.id) }
                change(there.id) { object in
                    object.fields = object.fields.filter { $0.key.hasPrefix("-") }.merging(fields) { $1 }
                }
                return answer(kind, current(there.id) ?? there)
            }
        }
        let place = kind.place.map { request[$0] }.joined(separator: ":")
        let id = kind.id?(self, request) ?? "\(kind.kind)/\(place)"
        var own = fields
        if let field = kind.idField { own[field] = id }
        own["-arn"] = id.hasPrefix("arn:") ? id : "arn:aws:\(request.service):\(SimulatedAWS.arnStart):\(id)"
        let object = add(kind.kind, id: id, own, tags: request.anyTags, takes: takesTime(kind.takes))
        remember(token, id, request)
        return answer(kind, object)
    }

    func change(_ kind: SimulatedKind, _ request: CloudRequest) throws(Refusal) -> Flat {
        let object = try named(kind, request)
        try check(kind, request)
        let new = contents(kind, request).filter { $0.key != kind.key && $0.key != kind.idField }
        change(object.id) { object in
            // A list that is said is said whole.
            let lists = Set(
                new.keys.compactMap { $0.split(separator: ".").count > 1 ? $0.split(separator: ".")[0] : nil })
            object.fields = object.fields.filter { name, _ in
                name.hasPrefix("-") || !name.contains(".") || !lists.contains(name.split(separator: ".")[0])
            }.merging(new) { $1 }
            if kind.takes > 0 { object.readyAt = self.now + self.takesTime(0.3) }
        }
        return answer(kind, current(object.id) ?? object)
    }

    func delete(_ kind: SimulatedKind, _ request: CloudRequest) throws(Refusal) -> Flat {
        guard let object = objects(kind.kind).first(where: { kind.isNamed($0, by: request) }) else {
            if kind.isDeletedOnce { throw Refusal(kind.missing, "\(kind.kind) not found") }
            return [:]
        }
        if isHeld(object, but: kind.parts) { throw Refusal(kind.held, "\(object.id) is in use") }
        if kind.lingers, object.goneAt == nil { startRemoving(object.id) }
        if !kind.lingers { removeWithParts(object.id) }
        return answer(kind, object)
    }

    func removeWithParts(_ id: String) {
        guard let object = current(id) else { return }
        for part in SimulatedCatalog.kinds where SimulatedCatalog.kind(object.kind)?.parts.contains(part.kind) == true {
            for need in part.needs where need.kind == object.kind {
                let value = need.field.isEmpty ? object.id : object[need.field]
                for child in objects(part.kind) where child.values(need.parameter).contains(value) {
                    removeWithParts(child.id)
                }
            }
        }
        remove(id)
    }

    /// Whether anything refers to it that does not go with it.
    func isHeld(_ object: CloudObject, but parts: Set<String> = []) -> Bool {
        SimulatedCatalog.kinds.contains { kind in
            !parts.contains(kind.kind)
                && kind.needs.contains { need in
                    guard need.kind == object.kind else { return false }
                    let value = need.field.isEmpty ? object.id : object[need.field]
                    return objects(kind.kind).contains { $0.values(need.parameter).contains(value) }
                }
        }
    }

    /// - Parameter selectors: by parameter, which field must have one of its values.
    func tell(
        _ kind: SimulatedKind, _ request: CloudRequest, by selectors: [String: String] = [:], isStrict: Bool = false,
        under parent: SimulatedKind.Need? = nil
    ) throws(Refusal) -> Flat {
        var items = seen(kind.kind)
        if let parent {
            let value = request[parent.parameter]
            guard
                let there = seen(parent.kind).first(where: {
                    (parent.field.isEmpty ? $0.id : $0[parent.field]) == value
                })
            else { throw Refusal(parent.code, "\(value) not found") }
            items = items.filter { $0[parent.parameter] == (parent.field.isEmpty ? there.id : value) }
        }
        for (parameter, field) in selectors {
            let values = request.values(parameter)
            if values.isEmpty { continue }
            items = items.filter { values.contains($0[field]) }
            if isStrict, Set(items.map { $0[field] }) != Set(values) {
                throw Refusal(kind.missing, "\(values.joined(separator: ", ")) not found")
            }
        }
        return FlatAnswer.list(kind.collection, items.map { told(kind, $0) })
    }

    // MARK: - Parts of it

    func named(_ kind: SimulatedKind, _ request: CloudRequest) throws(Refusal) -> CloudObject {
        guard let seen = seen(kind.kind).first(where: { kind.isNamed($0, by: request) }),
            let object = current(seen.id), object.goneAt == nil
        else { throw Refusal(kind.missing, "\(kind.kind) not found") }
        return object
    }

    /// As a look sees it.
    func seen(_ kind: SimulatedKind, _ request: CloudRequest) throws(Refusal) -> CloudObject {
        guard let seen = seen(kind.kind).first(where: { kind.isNamed($0, by: request) }) else {
            throw Refusal(kind.missing, "\(kind.kind) not found")
        }
        return seen
    }

    func check(_ kind: SimulatedKind, _ request: CloudRequest) throws(Refusal) {
        for need in kind.needs {
            for value in request.values(need.parameter) {
                let there = seen(need.kind).first { (need.field.isEmpty ? $0.id : $0[need.field]) == value }
                guard let there, current(there.id) != nil else {
                    throw Refusal(need.code, "\(need.kind) \(value) not found")
                }
            }
        }
    }

    private static let envelope: Set<String> = [
        "Action", "Version", "ClientToken", "IdempotencyToken", "ApplyImmediately",
    ]

    private func contents(_ kind: SimulatedKind, _ request: CloudRequest) -> Flat {
        let said = request.fields.filter { name, _ in
            !SimulatedAWS.envelope.contains(name)
                && !["Tags.", "tags.", "TagSpecification."].contains { name.hasPrefix($0) }
        }
        return Dictionary(
            uniqueKeysWithValues: said.map { (kind.secrets.contains($0.key) ? "-\($0.key)" : $0.key, $0.value) })
    }

    private func told(_ kind: SimulatedKind, _ object: CloudObject) -> Flat {
        (kind.tellsRequest ? object.said : [:]).merging(kind.told(self, object)) { $1 }
    }

    private func answer(_ kind: SimulatedKind, _ object: CloudObject) -> Flat {
        let told = told(kind, object)
        switch kind.single {
        case nil: return FlatAnswer.list(kind.collection, [told])
        case "": return told
        case .some(let name): return FlatAnswer.at(name, told)
        }
    }

    // MARK: - Tags

    /// Whatever has this ARN, as it is seen.
    func taggable(_ arn: String, _ code: String) throws(Refusal) -> CloudObject {
        guard let kind = objects.first(where: { $0["-arn"] == arn })?.kind,
            let seen = seen(kind).first(where: { $0["-arn"] == arn })
        else { throw Refusal(code, "\(arn) not found") }
        return seen
    }

    func addTags(_ arn: String, _ request: CloudRequest, _ code: String) throws(Refusal) -> Flat {
        let object = try taggable(arn, code)
        change(object.id) { $0.tags.merge(request.anyTags) { $1 } }
        return [:]
    }

    func removeTags(_ arn: String, _ keys: [String], _ code: String) throws(Refusal) -> Flat {
        let object = try taggable(arn, code)
        change(object.id) { for key in keys { $0.tags[key] = nil } }
        return [:]
    }

    // MARK: - Calls

    /// The answer of a service of the table; nil: it has no such call.
    func serviceAnswer(_ request: CloudRequest) throws(Refusal) -> Flat? {
        do {
            return try SimulatedCatalog.calls["\(request.service).\(request.action)"]?(self, request)
        } catch let refusal as Refusal {
            throw refusal
        } catch {
            throw Refusal("InternalError", "\(error)", status: 500)
        }
    }

    static let jsonServices: Set<String> = ["acm", "ecr", "tagging", "ssm"]

    func service(_ request: CloudRequest) throws(Refusal) -> HTTPResponse {
        guard let answer = try serviceAnswer(request) else {
            throw Refusal("InvalidAction", "there is no call \(request.service) \(request.action)")
        }
        if SimulatedAWS.jsonServices.contains(request.service) {
            return HTTPResponse(
                status: 200, headers: ["Content-Type": "application/x-amz-json-1.1"],
                body: Array(FlatAnswer.json(answer).utf8))
        }
        let name = request.action
        return SimulatedAWS.response(
            200,
            "<\(name)Response><\(name)Result>\(FlatAnswer.xml(answer))</\(name)Result><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></\(name)Response>"
        )
    }
}
