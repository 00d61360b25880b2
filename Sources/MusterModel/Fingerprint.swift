// The fingerprint of a live object: what a plan saw, in a form that an apply can see again (the one rule for
// staleness). Planning makes it and Applying checks it, both through this file, so that they cannot disagree.
//
// It covers the identity and the fields that the user owns. It leaves out what may change without anybody's doing
// (values of `creationOnly` arguments, order in sets, foreign tags, patch levels under a declared version) and what may
// hold a secret, since a digest of a short secret gives it away.

/// What a fingerprint is a digest of: the id, and the owned arguments in a form without accidental differences.
///
/// Both sides must have read the object with at least `owned` among the declared arguments.
///
/// - Parameters:
///   - arguments: what the cloud told.
///   - owned: the names of the arguments that the user owns: those that the state's row records, without those that
///     belong to a controller or to the moment of creation. `tags` counts whole; restrict the tags to the recorded keys
///     before, or use `fingerprintSource(schema:id:arguments:recorded:except:)`, which does.
package func fingerprintSource(
    schema: ResourceSchema, id: RemoteID, arguments: [String: Value], owned: Set<String>
) -> Value {
    var fields: [String: Value] = [:]
    for argument in schema.arguments where owned.contains(argument.name) && argument.isFingerprinted {
        guard let value = arguments[argument.name], value != .null else { continue }
        fields[argument.name] = settled(value, as: argument)
    }
    return ["id": .string(id.rawValue), "type": .string(schema.type.rawValue), "arguments": .map(fields)]
}

/// The same, from the arguments that the state's row records: tags by recorded key, versions by recorded prefix,
/// tainted values left out.
///
/// - Parameter except: recorded arguments that the user does not own (`initial`, `ignore_changes`, candidates).
package func fingerprintSource(
    schema: ResourceSchema, id: RemoteID, arguments: [String: Value], recorded: [String: Value],
    except: Set<String> = []
) -> Value {
    var live = arguments
    var owned: Set<String> = []
    for (name, value) in recorded where value != .null && !value.isTainted && !except.contains(name) {
        owned.insert(name)
        guard let argument = schema.argument(name), let current = arguments[name] else { continue }
        switch argument.semantics {
        case .tags:
            guard case .map(let tags) = current, case .map(let recordedTags) = value else { continue }
            live[name] = .map(tags.filter { recordedTags[$0.key] != nil })
        case .versionPrefix:
            guard case .string(let version) = current, case .string(let prefix) = value else { continue }
            if version == prefix || version.hasPrefix(prefix + ".") { live[name] = value }
        default: continue
        }
    }
    return fingerprintSource(schema: schema, id: id, arguments: live, owned: owned)
}

/// The fingerprint as plans carry it: the digest, and what it does not cover, so that the side that checks it needs to
/// know no more than the state's row: `<digest>` or `<digest> -desired_capacity,subnets`.
///
/// - Parameter hash: SHA-256 over the canonical JSON, in hexadecimal.
package func fingerprint(
    schema: ResourceSchema, id: RemoteID, arguments: [String: Value], recorded: [String: Value],
    except: Set<String> = [], hash: (Value) -> String
) -> String {
    let except = except.intersection(recorded.keys)
    let digest = hash(
        fingerprintSource(schema: schema, id: id, arguments: arguments, recorded: recorded, except: except))
    return except.isEmpty ? digest : "\(digest) -\(except.sorted().joined(separator: ","))"
}

/// Whether an object still has the fingerprint that a plan gave it.
package func matches(
    fingerprint expected: String, schema: ResourceSchema, id: RemoteID, arguments: [String: Value],
    recorded: [String: Value], hash: (Value) -> String
) -> Bool {
    let parts = expected.split(separator: " -", maxSplits: 1)
    let except = parts.count == 2 ? Set(parts[1].split(separator: ",").map(String.init)) : []
    return expected
        == fingerprint(schema: schema, id: id, arguments: arguments, recorded: recorded, except: except, hash: hash)
}

extension ArgumentSchema {
    fileprivate var isFingerprinted: Bool {
        isReadable && !isSensitive && onChange != .creationOnly && onChange != .local
    }
}

/// The value without differences that mean nothing.
private func settled(_ value: Value, as argument: ArgumentSchema) -> Value {
    switch (argument.semantics, value) {
    case (.caseInsensitive, .string(let text)): .string(text.lowercased())
    case (.dnsName, .string(let text)):
        .string((text.hasSuffix(".") ? String(text.dropLast()) : text).lowercased())
    default: settled(value, as: argument.type)
    }
}

private func settled(_ value: Value, as type: ValueType) -> Value {
    switch (type, value) {
    case (.list(let element), .list(let values)): .list(values.map { settled($0, as: element) })
    case (.set(let element, _), .list(let values)):
        .list(values.map { settled($0, as: element) }.sorted { order($0, $1) == .before })
    case (.map(let element), .map(let values)): .map(values.mapValues { settled($0, as: element) })
    case (.object(let fields), .map(let values)):
        .map(
            Dictionary(
                uniqueKeysWithValues: fields.compactMap { field in
                    guard field.isFingerprinted, let member = values[field.name], member != .null else { return nil }
                    return (field.name, settled(member, as: field))
                }))
    default: value
    }
}

// MARK: - An order over values

private enum Order { case before, same, after }

/// Any total order does, as long as it is the same everywhere.
private func order(_ left: Value, _ right: Value) -> Order {
    switch (left, right) {
    case (.bool(let left), .bool(let right)): order(left ? 1 : 0, right ? 1 : 0)
    case (.integer(let left), .integer(let right)): order(left, right)
    case (.number(let left), .number(let right)): order(left, right)
    case (.string(let left), .string(let right)): order(left, right)
    case (.list(let left), .list(let right)): order(left, right)
    case (.map(let left), .map(let right)):
        order(
            left.sorted { $0.key < $1.key }.flatMap { [.string($0.key), $0.value] },
            right.sorted { $0.key < $1.key }.flatMap { [.string($0.key), $0.value] })
    default: order(rank(left), rank(right))
    }
}

private func order<Element: Comparable>(_ left: Element, _ right: Element) -> Order {
    left < right ? .before : right < left ? .after : .same
}

private func order(_ left: [Value], _ right: [Value]) -> Order {
    for (left, right) in zip(left, right) {
        let order = order(left, right)
        if order != .same { return order }
    }
    return order(left.count, right.count)
}

private func rank(_ value: Value) -> Int {
    switch value {
    case .null: 0
    case .bool: 1
    case .integer: 2
    case .number: 3
    case .string: 4
    case .list: 5
    case .map: 6
    case .deferred: 7
    }
}
