import MusterModel
import ProviderKit

// Load balancers, target groups and listeners keep much of what can be set in texts under dotted keys. A table names
// the argument of each; fields, requests and answers follow from it.

/// Attributes by AWS's key.
struct ELBAttributes: Sendable, Equatable {
    var values: [String: String] = [:]

    subscript(text key: String) -> String? {
        get { values[key] }
        set { values[key] = newValue }
    }

    subscript(flag key: String) -> Bool? {
        get { values[key].map { $0 == "true" } }
        set { values[key] = newValue.map { $0 ? "true" : "false" } }
    }

    subscript(number key: String) -> Int? {
        get { values[key].flatMap { Int($0) } }
        set { values[key] = newValue.map { String($0) } }
    }

    func merging(_ others: ELBAttributes?...) -> ELBAttributes {
        others.reduce(self) { sum, other in
            ELBAttributes(values: sum.values.merging(other?.values ?? [:]) { _, new in new })
        }
    }
}

/// A block of arguments some of which are attributes.
protocol AttributeBlock: ArgumentBlock {
    var attributes: ELBAttributes { get set }
    static var attributeTable: [ELBAttribute] { get }
}

/// One attribute, and the argument that sets it.
struct ELBAttribute: Sendable {
    enum Kind: Sendable { case text, flag, number }

    var argument: String
    var key: String
    var kind: Kind
    /// As AWS has it where nobody set it; nil: it depends on what the object is.
    var usual: String?
    var constraints: [Constraint]
    var isDeletionGuard = false
    var documentation: String

    static func text(
        _ argument: String, _ key: String, usual: String? = nil, constraints: [Constraint] = [],
        _ documentation: String
    ) -> ELBAttribute {
        ELBAttribute(
            argument: argument, key: key, kind: .text, usual: usual, constraints: constraints,
            documentation: documentation)
    }

    static func flag(
        _ argument: String, _ key: String, usual: Bool? = nil, isDeletionGuard: Bool = false, _ documentation: String
    ) -> ELBAttribute {
        ELBAttribute(
            argument: argument, key: key, kind: .flag, usual: usual.map { "\($0)" }, constraints: [],
            isDeletionGuard: isDeletionGuard, documentation: documentation)
    }

    static func number(
        _ argument: String, _ key: String, usual: Int? = nil, _ bounds: ClosedRange<Int>, _ documentation: String
    ) -> ELBAttribute {
        ELBAttribute(
            argument: argument, key: key, kind: .number, usual: usual.map { "\($0)" },
            constraints: [.range(bounds.lowerBound, bounds.upperBound)], documentation: documentation)
    }

    private var absence: ArgumentSchema.Absence {
        guard let usual else { return .unmanaged }
        switch kind {
        case .text: return .means(.string(usual))
        case .flag: return .means(.bool(usual == "true"))
        case .number: return .means(.integer(Int(usual) ?? 0))
        }
    }

    /// - Parameter isOwn: of an object rather than of a block in it, which is read and set as a whole.
    func field<Block: AttributeBlock>(of block: Block.Type, isOwn: Bool = true) -> Field<Block> {
        switch kind {
        case .text:
            .argument(
                argument, \Block.attributes[text: key], absence: absence, constraints: constraints, needsOwnRead: isOwn,
                isSetAfterCreate: isOwn, documentation)
        case .flag:
            .argument(
                argument, \Block.attributes[flag: key], absence: absence, constraints: constraints, needsOwnRead: isOwn,
                isSetAfterCreate: isOwn, isDeletionGuard: isDeletionGuard, documentation)
        case .number:
            .argument(
                argument, \Block.attributes[number: key], absence: absence, constraints: constraints,
                needsOwnRead: isOwn, isSetAfterCreate: isOwn, documentation)
        }
    }
}

extension AttributeBlock {
    /// A block as the attributes of its object say it; what AWS does not tell is as usual.
    init(reading all: ELBAttributes) {
        self.init()
        for attribute in Self.attributeTable {
            attributes.values[attribute.key] = all.values[attribute.key] ?? attribute.usual
        }
    }
}
