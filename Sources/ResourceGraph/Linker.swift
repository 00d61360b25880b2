package import Diagnostics
package import MusterModel

/// Resolves names, finds cycles and orders the graph.
package struct Linker {
    private let declared: DeclarationSet
    private let catalog: Catalog
    private let principalTypes: [String: [ResourceType]]
    private let positions: [Address: Int]
    /// The members of every group that `count` or `for_each` expanded, by stack, type and group name.
    private let groups: [Address: [Address]]
    private let lookupAddresses: Set<Address>
    private let outputsByName: [String: [String: OutputDeclaration]]
    private var diagnostics: [Diagnostic] = []

    /// - Parameter groups: for each expanded definition the address that it would have had, and its members.
    package static func link(
        _ set: DeclarationSet, catalog: Catalog, sections: [SectionSchema], groups: [Address: [Address]] = [:]
    ) -> (spec: LinkedSpec?, diagnostics: [Diagnostic]) {
        var linker = Linker(set, catalog: catalog, sections: sections, groups: groups)
        return linker.run()
    }

    private init(
        _ set: DeclarationSet, catalog: Catalog, sections: [SectionSchema], groups: [Address: [Address]]
    ) {
        var set = set
        set.declarations.sort { $0.address < $1.address }
        self.declared = set
        self.catalog = catalog
        self.groups = groups
        principalTypes = Dictionary(
            sections.map { ($0.name, $0.principalTypes) }, uniquingKeysWith: { first, _ in first })
        positions = Dictionary(
            set.declarations.enumerated().map { ($0.element.address, $0.offset) },
            uniquingKeysWith: { first, _ in first })
        lookupAddresses = Set(set.lookups.map(\.address))
        outputsByName = Dictionary(grouping: set.outputs, by: \.stack)
            .mapValues { Dictionary($0.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first }) }
    }

    private mutating func run() -> (spec: LinkedSpec?, diagnostics: [Diagnostic]) {
        reportDuplicates()
        var declarations = declared.declarations
        let count = declarations.count
        var valueDependencies: [[Int]] = Array(repeating: [], count: count)
        var orderDependencies: [[Int]] = Array(repeating: [], count: count)
        var triggers: [[Int]] = Array(repeating: [], count: count)

        for position in declarations.indices {
            var targets: Set<Int> = []
            for (name, value) in declarations[position].arguments where !value.isKnown {
                let linked = link(value)
                declarations[position].arguments[name] = linked
                collect(linked, into: &targets)
            }
            for (name, values) in declarations[position].candidates {
                let linked = values.map { $0.isKnown ? $0 : link($0) }
                declarations[position].candidates[name] = linked
                for value in linked { collect(value, into: &targets) }
            }
            var ordered: Set<Int> = []
            for reference in declarations[position].dependsOn { ordered.formUnion(resolveResources(reference)) }
            var triggering: Set<Int> = []
            for reference in declarations[position].lifecycle.replaceTriggeredBy {
                triggering.formUnion(resolveResources(reference))
            }
            ordered.formUnion(triggering)
            ordered.subtract(targets)
            valueDependencies[position] = targets.sorted()
            orderDependencies[position] = ordered.sorted()
            triggers[position] = triggering.sorted()
        }
        var outputs = declared.outputs
        for index in outputs.indices where !outputs[index].value.isKnown {
            outputs[index].value = link(outputs[index].value)
        }
        if diagnostics.contains(where: { $0.severity == .error }) { return (nil, diagnostics) }

        let dependencies = declarations.indices.map { valueDependencies[$0] + orderDependencies[$0] }
        guard let order = TopologicalOrder.sort(dependencies: dependencies) else {
            let cycle = TopologicalOrder.cycle(dependencies: dependencies)
            diagnostics.append(.dependencyCycle(cycle.map { declarations[$0] }))
            return (nil, diagnostics)
        }
        return (
            LinkedSpec(
                declarations: declarations, positions: positions, valueDependencies: valueDependencies,
                orderDependencies: orderDependencies, triggers: triggers, order: order, outputs: outputs),
            diagnostics
        )
    }

    private mutating func reportDuplicates() {
        for (first, second) in zip(declared.declarations, declared.declarations.dropFirst())
        where first.address == second.address {
            diagnostics.append(.duplicateAddress(first, second))
        }
    }

    private func collect(_ value: Value, into targets: inout Set<Int>) {
        value.visitDeferred { deferred in
            for output in deferred.outputs {
                if let position = positions[output.address] { targets.insert(position) }
            }
        }
    }

    // MARK: Values

    private mutating func link(_ value: Value) -> Value {
        var visiting: Set<String> = []
        return link(value, visiting: &visiting)
    }

    private mutating func link(_ value: Value, visiting: inout Set<String>) -> Value {
        value.replacingDeferred { deferred in
            let expression = link(deferred.expression, visiting: &visiting)
            if case .literal(let value) = expression { return value }
            return .deferred(Deferred(expression))
        }
    }

    private mutating func link(_ expression: Expression, visiting: inout Set<String>) -> Expression {
        expression.replacingLeaves { leaf in
            guard case .reference(let reference) = leaf else { return leaf }
            return resolve(reference, visiting: &visiting) ?? .literal(.null)
        }
    }

    /// What a reference stands for; nil after an error was reported.
    private mutating func resolve(_ reference: Reference, visiting: inout Set<String>) -> Expression? {
        switch reference.target {
        case .named(let kind, let name): return resolveNamed(name, kind: kind, reference)
        case .path(let components): return resolvePath(components, reference, visiting: &visiting)
        }
    }

    private mutating func resolveNamed(_ text: String, kind: ReferenceKind, _ reference: Reference) -> Expression? {
        let (stack, name) = split(text)
        if stack == Linker.externalStack { return .literal(.string(name)) }
        if let stack, !isKnownStack(stack) {
            diagnostics.append(.unknownStack(stack, knownStacks, reference))
            return nil
        }
        guard let found = find(name, stack: stack, types: kind.targets.map(\.type), kind.name, reference) else {
            return nil
        }
        guard let target = kind.targets.first(where: { $0.type == found.type }) else { return nil }
        return .output(OutputReference(found, target.output))
    }

    private mutating func resolvePath(
        _ components: [Reference.Component], _ reference: Reference, visiting: inout Set<String>
    ) -> Expression? {
        var rest = components[...]
        guard case .name(let root)? = rest.popFirst() else { return nil }
        // What could not be read stands there, and was complained of when it was read.
        if root == "\u{0}" { return nil }
        if root == "outputs" { return resolveOutput(rest, reference, visiting: &visiting) }

        var types: [ResourceType]
        var what = root
        if isProvider(root, rest) {
            guard case .name(let type)? = rest.popFirst() else {
                diagnostics.append(.incompleteReference(reference))
                return nil
            }
            types = [ResourceType(rawValue: "\(root).\(type)")]
            what = "\(root).\(type)"
            guard catalog[types[0]] != nil else {
                diagnostics.append(.unknownType(what, catalog.types.map(\.rawValue), reference))
                return nil
            }
        } else if root == "lookups" || root == "lookup" {
            guard case .name(let kind)? = rest.popFirst() else {
                diagnostics.append(.incompleteReference(reference))
                return nil
            }
            types = [ResourceType(rawValue: "lookup.\(kind)")]
            what = "lookup \(kind)"
        } else {
            types = principalTypes[root] ?? []
        }
        guard case .name(let text)? = rest.popFirst() else {
            diagnostics.append(.incompleteReference(reference))
            return nil
        }
        let (stack, name) = split(text)
        if let stack, !isKnownStack(stack) {
            diagnostics.append(.unknownStack(stack, knownStacks, reference))
            return nil
        }
        guard let found = find(name, stack: stack, types: types, what, reference) else { return nil }
        guard case .name(let member)? = rest.popFirst() else {
            diagnostics.append(.missingOutput(found, memberNames(of: found), reference))
            return nil
        }
        guard memberNames(of: found).contains(member) else {
            diagnostics.append(.unknownOutput(member, found, memberNames(of: found), reference))
            return nil
        }
        var expression = Expression.output(OutputReference(found, member))
        for component in rest {
            switch component {
            case .name(let name): expression = .member(expression, name)
            case .index(let index): expression = .index(expression, .literal(.integer(index)))
            }
        }
        return expression
    }

    /// True when the path begins with a type, and not with a section that has the provider's name.
    private func isProvider(_ root: String, _ rest: ArraySlice<Reference.Component>) -> Bool {
        guard catalog.providers.contains(root) else { return false }
        guard principalTypes[root] != nil else { return true }
        guard case .name(let name)? = rest.first, catalog[ResourceType(rawValue: "\(root).\(name)")] != nil else {
            return false
        }
        // `rancher.environment["prod"].id`, but `rancher["environment"].url`.
        return rest.count > 2
    }

    /// An output stands for its own expression, so that the graph has edges between resources alone.
    private mutating func resolveOutput(
        _ components: ArraySlice<Reference.Component>, _ reference: Reference, visiting: inout Set<String>
    ) -> Expression? {
        var rest = components
        guard case .name(let text)? = rest.popFirst() else {
            diagnostics.append(.incompleteReference(reference))
            return nil
        }
        let (stack, name) = split(text)
        let stacks = stack.map { [$0] } ?? scope(of: reference.stack)
        let found = stacks.compactMap { outputsByName[$0]?[name] }
        guard let output = found.first else {
            let names = stacks.flatMap { (outputsByName[$0] ?? [:]).keys.sorted() }
            diagnostics.append(.unknownOutputName(name, names, reference))
            return nil
        }
        let key = "\(output.stack):\(output.name)"
        guard visiting.insert(key).inserted else {
            diagnostics.append(.outputCycle(output, reference))
            return nil
        }
        defer { visiting.remove(key) }
        let value = link(output.value, visiting: &visiting)
        var expression: Expression
        if case .deferred(let deferred) = value {
            expression = deferred.expression
        } else {
            expression = .literal(value)
        }
        for component in rest {
            switch component {
            case .name(let name): expression = .member(expression, name)
            case .index(let index): expression = .index(expression, .literal(.integer(index)))
            }
        }
        return expression
    }

    // MARK: Names

    /// The reserved stack name that stands for "in the cloud under this name, not managed here".
    package static let externalStack = "external"

    private var knownStacks: [String] { declared.uses.keys.sorted() }
    private func isKnownStack(_ stack: String) -> Bool { declared.uses[stack] != nil }

    private func split(_ text: String) -> (stack: String?, name: String) {
        guard let colon = text.firstIndex(of: ":") else { return (nil, text) }
        return (String(text[..<colon]), String(text[text.index(after: colon)...]))
    }

    private func scope(of stack: String) -> [String] { [stack] + (declared.uses[stack] ?? []) }

    private func exists(_ address: Address) -> Bool {
        positions[address] != nil || lookupAddresses.contains(address)
    }

    /// One declared resource (or lookup) of one of the types, in the named stack or in those in scope.
    private mutating func find(
        _ name: String, stack: String?, types: [ResourceType], _ what: String, _ reference: Reference
    ) -> Address? {
        func candidates(_ stack: String) -> [Address] {
            types.map { Address(stack: stack, type: $0, name: name) }.filter(exists)
        }
        if let stack {
            if let found = candidates(stack).first { return found }
            diagnostics.append(.unknownName(name, what, names(of: types, in: [stack]), stack: stack, reference))
            return nil
        }
        if let own = candidates(reference.stack).first { return own }
        let used = (declared.uses[reference.stack] ?? []).compactMap { candidates($0).first }
        if used.count > 1 {
            diagnostics.append(.ambiguousName(name, what, used, reference))
            return nil
        }
        if let found = used.first { return found }
        let others = declared.declarations.filter { types.contains($0.address.type) && $0.address.name == name }
        diagnostics.append(
            .unknownName(
                name, what, names(of: types, in: scope(of: reference.stack)), stack: nil,
                elsewhere: others.map(\.address), reference))
        return nil
    }

    private func names(of types: [ResourceType], in stacks: [String]) -> [String] {
        let declared = declared.declarations.map(\.address) + declared.lookups.map(\.address)
        return declared.filter { types.contains($0.type) && stacks.contains($0.stack) }.map(\.name)
    }

    private func memberNames(of address: Address) -> [String] {
        if address.type.rawValue.hasPrefix("lookup.") {
            let kind = String(address.type.rawValue.dropFirst("lookup.".count))
            return catalog.lookup(kind)?.outputs.map(\.name) ?? []
        }
        guard let schema = catalog[address.type] else { return [] }
        return schema.outputs.map(\.name) + schema.arguments.map(\.name)
    }

    // MARK: Resources named by `depends_on` and `replace_triggered_by`

    private mutating func resolveResources(_ reference: Reference) -> [Int] {
        let text: String
        switch reference.target {
        case .named(_, let name): text = name
        case .path(let components):
            text = components.map { component in
                switch component {
                case .name(let name): name
                case .index(let index): String(index)
                }
            }.joined(separator: "\u{1F}")
        }
        let found = resources(named: text, reference)
        if found.isEmpty { diagnostics.append(.unknownDependency(readable(text), reference)) }
        return found
    }

    private func readable(_ text: String) -> String { text.split(separator: "\u{1F}").joined(separator: ".") }

    /// `stack:type/name`, `type/name`, or a section (or `aws` and a type) and a name; `stack:*` is all of a stack.
    private func resources(named text: String, _ reference: Reference) -> [Int] {
        if text.hasSuffix(":*") { return declared.declarations.indices.filter { stackName($0) == text.dropLast(2) } }
        if let address = Address(text), let found = members(address) { return found }
        if let address = Address("\(reference.stack):\(text)"), let found = members(address) { return found }
        var parts = text.split(separator: "\u{1F}").map(String.init)
        if parts.count == 1 {
            guard let dot = text.firstIndex(of: ".") else { return [] }
            parts = [String(text[..<dot]), String(text[text.index(after: dot)...])]
        }
        var types = principalTypes[parts[0]] ?? []
        if parts.count >= 3, catalog.providers.contains(parts[0]) {
            types = [ResourceType(rawValue: "\(parts[0]).\(parts[1])")]
            parts.removeFirst()
        }
        guard parts.count >= 2 else { return [] }
        let (stack, name) = split(parts[1])
        for stack in stack.map({ [$0] }) ?? scope(of: reference.stack) {
            for type in types {
                if let found = members(Address(stack: stack, type: type, name: name)) { return found }
            }
        }
        return []
    }

    private func stackName(_ position: Int) -> Substring { declared.declarations[position].address.stack[...] }

    private func members(_ address: Address) -> [Int]? {
        if let position = positions[address] { return [position] }
        guard let members = groups[address] else { return nil }
        return members.compactMap { positions[$0] }
    }
}
