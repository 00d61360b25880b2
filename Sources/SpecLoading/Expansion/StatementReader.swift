import Diagnostics
import MusterModel
import YAMLSyntax

/// Reads what a spec says besides its definitions: `outputs`, `import`, `moved` and `removed`.
struct StatementReader {
    let reader: SchemaReader
    let scope: Scope
    let addresses: AddressText
    private var complaints: Complaints { reader.complaints }

    static let importFields = [
        ArgumentSchema("to", .string, isRequired: true, "The address that the object is to have."),
        ArgumentSchema("id", .string, isRequired: true, "The id that the cloud gave."),
    ]
    static let movedFields = [
        ArgumentSchema("from", .string, isRequired: true, "The address before."),
        ArgumentSchema("to", .string, isRequired: true, "The address now."),
    ]
    static let removedFields = [
        ArgumentSchema("from", .string, isRequired: true, "The address before."),
        ArgumentSchema(
            "destroy", .boolean, absence: .means(false), "Whether the object is deleted; else it is only forgotten."),
    ]
    static let outputFields = [
        ArgumentSchema("value", .anything, isRequired: true, "The value."),
        ArgumentSchema("description", .string, "What it is for."),
        ArgumentSchema("secret", .boolean, absence: .means(false), "Whether the value is never shown."),
    ]

    init(reader: SchemaReader, scope: Scope, addresses: AddressText) {
        self.reader = reader
        self.scope = scope
        self.addresses = addresses
    }

    // MARK: Outputs

    func outputs(_ node: YAMLNode?) -> [OutputDeclaration] {
        guard let node, !node.isNull else { return [] }
        guard node.mapping != nil else {
            complaints.report(.wrongType("outputs", Node.yaml(node).kindName, .map(.anything), at: node.range))
            return []
        }
        let block = BlockShape(title: "an output", StatementReader.outputFields)
        let plain = FieldShape(ArgumentSchema("value", .anything, ""))
        return reader.expandedEntries(.yaml(node), in: scope).compactMap { entry in
            if entry.key.isEmpty || entry.key.contains(":") {
                complaints.report(.invalidOutputName(at: entry.keyRange))
                return nil
            }
            let value: Value
            var isSecret: Bool?
            if isLongForm(entry.value), let entries = entry.value.entries {
                let body = LocatedValue.map(
                    reader.readBlock(entries, as: block, at: entry.keyRange, in: scope), entry.value.range)
                value = body["value"]?.value ?? .null
                isSecret = body["secret"]?.value.bool
                if isSecret == false, value.isTainted {
                    complaints.report(.openSecret(entry.key, at: body["secret"]?.range ?? entry.keyRange))
                }
            } else {
                value = reader.read(entry.value, as: plain, in: scope)?.value ?? .null
            }
            return OutputDeclaration(
                stack: scope.stack.name, name: entry.key, value: value, isSecret: isSecret ?? value.isTainted,
                range: entry.keyRange)
        }
    }

    /// A map with `value` and nothing that a long form does not have.
    private func isLongForm(_ node: Node) -> Bool {
        guard let entries = node.entries, entries.contains(where: { $0.key == "value" }) else { return false }
        return entries.allSatisfy { entry in StatementReader.outputFields.contains { $0.name == entry.key } }
    }

    // MARK: Import, moved, removed

    func imports(_ node: YAMLNode?) -> [ImportDeclaration] {
        var places: [Address: SourceRange] = [:]
        return items(node, "import", StatementReader.importFields).compactMap { item in
            guard let to = address("to", in: item, mustExist: true), let id = text("id", in: item) else { return nil }
            if let first = places[to.address] {
                complaints.report(.repeatedAddress(to.address, at: to.range, first: first))
                return nil
            }
            places[to.address] = to.range
            return ImportDeclaration(address: to.address, id: RemoteID(id), range: item.range)
        }
    }

    func moves(_ node: YAMLNode?) -> [MovedDeclaration] {
        var places: [Address: SourceRange] = [:]
        return items(node, "moved", StatementReader.movedFields).compactMap { item in
            guard let from = address("from", in: item, mustExist: false),
                let to = address("to", in: item, mustExist: true)
            else { return nil }
            if from.address == to.address {
                complaints.report(.movedToItself(at: item.range))
                return nil
            }
            if from.address.type != to.address.type {
                complaints.report(.movedToOtherType(from.address, to.address, at: to.range))
                return nil
            }
            if let first = places[from.address] {
                complaints.report(.repeatedAddress(from.address, at: from.range, first: first))
                return nil
            }
            places[from.address] = from.range
            return MovedDeclaration(from: from.address, to: to.address, range: item.range)
        }
    }

    func removals(_ node: YAMLNode?) -> [RemovalDeclaration] {
        var places: [Address: SourceRange] = [:]
        return items(node, "removed", StatementReader.removedFields).compactMap { item in
            guard let from = address("from", in: item, mustExist: false) else { return nil }
            if let first = places[from.address] {
                complaints.report(.repeatedAddress(from.address, at: from.range, first: first))
                return nil
            }
            places[from.address] = from.range
            if let field = item["destroy"], case .deferred(let deferred) = field.value {
                complaints.reportUnknown("destroy", deferred, at: field.range)
            }
            return RemovalDeclaration(
                address: from.address, destroys: item["destroy"]?.value.bool ?? false, range: item.range)
        }
    }

    private func items(_ node: YAMLNode?, _ key: String, _ fields: [ArgumentSchema]) -> [LocatedValue] {
        guard let node else { return [] }
        let field = FieldShape(ArgumentSchema(key, .list(.object(fields)), ""))
        return reader.read(.yaml(node), as: field, in: scope)?.elements ?? []
    }

    private func address(
        _ name: String, in item: LocatedValue, mustExist: Bool
    ) -> (address: Address, range: SourceRange)? {
        guard let text = text(name, in: item), let range = item[name]?.range else { return nil }
        return addresses.address(text, at: range, mustExist: mustExist, complaints).map { ($0, range) }
    }

    private func text(_ name: String, in item: LocatedValue) -> String? {
        guard let field = item[name] else { return nil }
        if case .deferred(let deferred) = field.value { complaints.reportUnknown(name, deferred, at: field.range) }
        return field.value.string
    }
}

extension Diagnostic {
    fileprivate static func invalidOutputName(at range: SourceRange) -> Diagnostic {
        Diagnostic(
            code: "spec.invalid-name", summary: "Invalid name",
            detail: "The name of an output has a character at least, and no \":\", which ends the name of a stack.",
            at: range)
    }

    fileprivate static func openSecret(_ name: String, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            code: "spec.open-secret", summary: "Secret would be shown",
            detail: "The output \(name.quoted) holds a secret, so it cannot be shown.", at: range,
            hint: "Remove \"secret: false\".")
    }

    fileprivate static func repeatedAddress(
        _ address: Address, at range: SourceRange, first: SourceRange
    ) -> Diagnostic {
        Diagnostic(
            code: "spec.repeated-element", summary: "Repeated element",
            detail: "\(address) stands twice in the list.", at: range,
            related: [.init(range: first, message: "first used here")])
    }

    fileprivate static func movedToItself(at range: SourceRange) -> Diagnostic {
        Diagnostic(
            code: "spec.moved", summary: "Impossible move", detail: "Both addresses are the same.", at: range)
    }

    fileprivate static func movedToOtherType(_ from: Address, _ to: Address, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            code: "spec.moved", summary: "Impossible move",
            detail: "A move keeps the type, and \(from.type) is not \(to.type).", at: range)
    }
}
