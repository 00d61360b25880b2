import AWSClient
import SandboxServing
import TextEncodings

// Collections: what is in them for whom, filters, order, pages, included links.

/// One condition of a query: `name_like=web%`.
struct Condition: Sendable {
    var field: Field
    var modifier: String
    var value: String
}

extension RancherServer {
    /// The objects of a type that a list shows, by id.
    func candidates(_ type: ObjectType, _ context: RequestContext) -> [Entity] {
        let showsRemoved = showsRemoved(context)
        return all(type.table).filter { entity in
            matches(entity, type) && isVisible(entity, context) && (showsRemoved || isListed(entity))
        }
    }

    private func showsRemoved(_ context: RequestContext) -> Bool {
        context.parameter("_removed") != nil || context.query.contains { $0.name.hasPrefix("removed_") }
            || context.query.contains { $0.name == "state" && ["removed", "purging", "purged"].contains($0.value) }
    }

    /// What is removed is hidden at once, before 1.2 after five minutes.
    private func isListed(_ entity: Entity) -> Bool {
        guard let removed = entity.removed else { return true }
        return version < ServerVersion(1, 2) && now - removed < 300_000
    }

    /// The objects at the end of a link.
    func linked(_ entity: Entity, by link: ObjectType.Link) -> [Entity] {
        switch link {
        case .children(_, let target, let field):
            let table = ObjectType.byName[target]?.table
            return table.map { living($0) }?.filter { $0[field].string == entity.id.text() } ?? []
        case .owned(_, let target):
            guard let type = ObjectType.byName[target] else { return [] }
            return living(type.table).filter { matches($0, type) && $0.owner == entity.id.number }
        case .parent(_, let target, let field):
            let table = ObjectType.byName[target]?.table
            return table.flatMap { self.target(entity[field], $0) }.map { [$0] } ?? []
        case .page: return []
        }
    }

    func list(_ type: ObjectType, _ entities: [Entity], _ context: RequestContext) -> JSONValue {
        let conditions = conditions(type, context)
        var found = entities.filter { entity in conditions.allSatisfy { holds($0, entity, type, context) } }
        let order = context.parameter("order")?.lowercased() == "desc" ? "desc" : "asc"
        let sort = context.parameter("sort").flatMap { name in filterable(type, context).first { $0.name == name } }
        if let sort {
            found.sort { Self.precedes(value(sort, $0, context), value(sort, $1, context)) }
            if order == "desc" { found.reverse() }
        }
        let page = Page(context, count: found.count)
        let shown = found[page.range].map { entity in
            representation(entity, context, including: included(entity, type, context))
        }
        return collection(
            type, shown, context, conditions: conditions, sort: sort.map { ($0.name, order) },
            pagination: page.json(context))
    }

    /// The envelope of a list.
    func collection(
        _ type: ObjectType, _ data: [JSONValue], _ context: RequestContext, conditions: [Condition] = [],
        sort: (name: String, order: String)? = nil, pagination: JSONValue = .null, isPlain: Bool = false
    ) -> JSONValue {
        let own = context.url(of: type)
        var createTypes: [JSONValue.Member] = []
        if type.rights(of: context.caller.role).contains(.create) {
            createTypes.append(.init(type.name(in: context.api), .string(own)))
        }
        let filterable = isPlain ? [] : filterable(type, context)
        let filters = filterable.map { field -> JSONValue.Member in
            let applied = conditions.filter { $0.field.name == field.name }.map { condition -> JSONValue in
                ["modifier": .string(condition.modifier), "value": .string(condition.value)]
            }
            let name = ObjectType.publicField(field.name, in: context.api)
            return .init(name, applied.isEmpty ? .null : .array(applied))
        }
        let sortLinks = filterable.map { field -> JSONValue.Member in
            let name = ObjectType.publicField(field.name, in: context.api)
            return .init(name, .string("\(own)?sort=\(name)"))
        }
        let sorted: JSONValue? = sort.map { sort in
            let other = sort.order == "asc" ? "desc" : "asc"
            return [
                "name": .string(sort.name), "order": .string(sort.order),
                "reverse": .string("\(own)?sort=\(sort.name)&order=\(other)"),
            ]
        }
        return [
            "type": "collection", "resourceType": .string(type.name(in: context.api)),
            "links": ["self": .string(own)], "createTypes": .object(createTypes), "actions": [:],
            "data": .array(data), "sortLinks": .object(sortLinks), "pagination": pagination,
            "sort": sorted ?? .null, "filters": .object(filters), "createDefaults": [:],
        ]
    }

    // MARK: - Conditions

    func filterable(_ type: ObjectType, _ context: RequestContext) -> [Field] {
        let unfiltered: Set<String> = [
            "hostname", "serverAddress", "transitioning", "transitioningMessage", "transitioningProgress",
        ]
        let isAdministrative = context.caller.role.isAdministrative
        let fields = type.fields(in: context.api, of: version).filter {
            !$0.kind.modifiers.isEmpty && !unfiltered.contains($0.name)
                && (isAdministrative || !$0.use.contains(.administrative))
        }
        return [Field("id", .string, [])] + fields
    }

    private func conditions(_ type: ObjectType, _ context: RequestContext) -> [Condition] {
        let fields = filterable(type, context)
        return context.query.compactMap { item in
            for field in fields {
                let name = ObjectType.publicField(field.name, in: context.api)
                if item.name == name { return Condition(field: field, modifier: "eq", value: item.value) }
                guard item.name.hasPrefix(name + "_") else { continue }
                let modifier = String(item.name.dropFirst(name.count + 1))
                if field.kind.modifiers.contains(modifier) {
                    return Condition(field: field, modifier: modifier, value: item.value)
                }
            }
            return nil
        }
    }

    /// A field as filters see it, times in milliseconds.
    private func value(_ field: Field, _ entity: Entity, _ context: RequestContext) -> JSONValue {
        switch field.name {
        case "id": return .integer(Int64(entity.id.number))
        case "state": return .string(entity.state)
        case "uuid": return .string(entity.uuid)
        case "kind": return entity["kind"].isNull ? .string(entity.type) : entity["kind"]
        case "accountId": return entity.owner.map { .string(ObjectID(.account, $0).text()) } ?? .null
        case "created": return .integer(entity.created)
        case "removed": return entity.removed.map { .integer($0) } ?? .null
        case "removeTime": return entity.removeTime.map { .integer($0) } ?? .null
        default: break
        }
        let derived = type(of: entity).hooks.derive?(self, entity, context)[field.name]
        let value = derived ?? entity[field.name]
        return value.isNull && field.kind == .boolean ? false : value
    }

    private func holds(_ condition: Condition, _ entity: Entity, _ type: ObjectType, _ context: RequestContext) -> Bool
    {
        if condition.field.name == "id" {
            let id = ObjectID(condition.value.lowercased(), in: type.table, api: context.api)
            return condition.modifier == "ne" ? id != entity.id : id == entity.id
        }
        let value = value(condition.field, entity, context)
        switch condition.modifier {
        case "null": return value.isNull
        case "notnull": return !value.isNull
        default: break
        }
        switch condition.field.kind {
        case .int, .date: return holdsNumber(condition, value)
        case .reference(let target): return holdsReference(condition, value, target, context)
        case .boolean:
            let isEqual = value.boolean == (condition.value.lowercased() == "true")
            return condition.modifier == "ne" ? !isEqual : isEqual
        default: return value.string.map { Self.holds(condition, $0) } ?? false
        }
    }

    private func holdsNumber(_ condition: Condition, _ value: JSONValue) -> Bool {
        let wanted =
            Int64(condition.value)
            ?? (condition.field.kind == .date ? Timestamp(iso8601: condition.value)?.millisecondsSinceEpoch : nil)
        guard let wanted, let number = value.integer.map(Int64.init) else { return false }
        switch condition.modifier {
        case "ne": return number != wanted
        case "lt": return number < wanted
        case "lte": return number <= wanted
        case "gt": return number > wanted
        case "gte": return number >= wanted
        default: return number == wanted
        }
    }

    /// A malformed id matches nothing.
    private func holdsReference(
        _ condition: Condition, _ value: JSONValue, _ target: String, _ context: RequestContext
    ) -> Bool {
        guard let table = ObjectType.byName[target]?.table,
            let wanted = ObjectID(condition.value.lowercased(), in: table, api: context.api)
        else { return false }
        let isEqual = value.string == wanted.text()
        return condition.modifier == "ne" ? !isEqual : isEqual
    }

    /// As the database compares: without case.
    private static func holds(_ condition: Condition, _ text: String) -> Bool {
        let (text, wanted) = (text.lowercased(), condition.value.lowercased())
        switch condition.modifier {
        case "ne": return text != wanted
        case "prefix": return text.hasPrefix(wanted)
        case "like": return isLike(text[...], wanted[...])
        case "notlike": return !isLike(text[...], wanted[...])
        default: return text == wanted
        }
    }

    /// SQL's `LIKE`: `%` for any text, `_` for one character.
    private static func isLike(_ text: Substring, _ pattern: Substring) -> Bool {
        guard let first = pattern.first else { return text.isEmpty }
        if first == "%" {
            let rest = pattern.dropFirst()
            return text.indices.contains { isLike(text[$0...], rest) } || isLike(text[text.endIndex...], rest)
        }
        guard let character = text.first, first == "_" || first == character else { return false }
        return isLike(text.dropFirst(), pattern.dropFirst())
    }

    private static func precedes(_ left: JSONValue, _ right: JSONValue) -> Bool {
        switch (left, right) {
        case (.null, .null): false
        case (.null, _): true
        case (_, .null): false
        case (.integer(let left), .integer(let right)): left < right
        case (.boolean(let left), .boolean(let right)): !left && right
        default: left.text.lowercased() < right.text.lowercased()
        }
    }

    // MARK: - Included links

    private func included(_ entity: Entity, _ type: ObjectType, _ context: RequestContext) -> [JSONValue.Member] {
        guard let name = context.parameter("include")?.lowercased(),
            let link = links(of: entity, type, context).first(where: { $0.name.lowercased() == name })
        else { return [] }
        let found = linked(entity, by: link).map { representation($0, context) }
        if case .parent = link { return [.init(link.name, found.first ?? .null)] }
        return [.init(link.name, .array(found))]
    }
}

/// Which part of a list is shown.
struct Page {
    private static let standard = 100
    private static let most = 3_000

    let limit: Int
    let offset: Int
    let range: Range<Int>
    private let count: Int

    init(_ context: RequestContext, count: Int) {
        let asked = context.parameter("limit").map { Int($0) ?? Page.standard } ?? Page.standard
        limit = asked <= 0 ? Page.most : min(asked, Page.most)
        let marker = context.parameter("marker").flatMap { $0.hasPrefix("m") ? Int($0.dropFirst()) : nil }
        offset = min(max(0, marker ?? 0), count)
        range = offset..<min(offset + limit, count)
        self.count = count
    }

    func json(_ context: RequestContext) -> JSONValue {
        let isPartial = range.upperBound < count
        return [
            "first": offset > 0 ? .string(url(context, marker: nil)) : .null,
            "previous": offset > 0 ? .string(url(context, marker: max(0, offset - limit))) : .null,
            "next": isPartial ? .string(url(context, marker: range.upperBound)) : .null,
            "limit": .integer(Int64(limit)), "total": .null, "partial": .boolean(isPartial),
        ]
    }

    private func url(_ context: RequestContext, marker: Int?) -> String {
        var items = context.query.filter { $0.name != "marker" && $0.name != "limit" }
        items.append(("limit", String(limit)))
        if let marker { items.append(("marker", "m\(marker)")) }
        let query = items.map { "\(PercentEncoding.encode($0.name))=\(PercentEncoding.encode($0.value))" }
        return "\(context.base)/\(context.segments.joined(separator: "/").lowercased())?\(query.joined(separator: "&"))"
    }
}
