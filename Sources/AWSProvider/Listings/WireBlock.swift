import AWSClient
import MusterModel
import ProviderKit

// Blocks with very many members that go over the wire one by one: a member is written once, with its name in the spec
// and its name in AWS's requests; the schema, the request and the reading of the answer all follow from that.
//
// What is left out means unset, and is compared: such blocks are kept by AWS as they were given.

/// A block whose members know their names on the wire.
protocol WireBlock: ArgumentBlock {
    static var wire: [WireField<Self>] { get }
    /// As a call sends it.
    var input: AWSInput { get }
    /// As an answer tells it.
    init(answer: XMLElement)
}

/// One member: its schema, how it is sent and how it is read.
struct WireField<Block: ArgumentBlock>: Sendable {
    let field: Field<Block>
    /// As in requests.
    let name: String
    let encode: @Sendable (Block) -> AWSInput
    let decode: @Sendable (XMLElement, inout Block) -> Void
}

extension WireField {
    /// The same for an object of which nothing can be changed.
    var replacing: WireField {
        var schema = field
        schema.schema.onChange = .replace
        return WireField(field: schema, name: name, encode: encode, decode: decode)
    }

    /// The same where AWS chooses what is left out.
    var unmanaged: WireField {
        var schema = field
        schema.schema.absence = .unmanaged
        return WireField(field: schema, name: name, encode: encode, decode: decode)
    }
}

extension WireBlock {
    static var fields: [Field<Self>] { wire.map(\.field) }

    /// Members that are not set are left out.
    var input: AWSInput { .structure(Self.wire.map { AWSInput.Field($0.name, $0.encode(self)) }) }

    init(answer: XMLElement) {
        self.init()
        for member in Self.wire { member.decode(answer, &self) }
    }

    /// The same; nothing at all where the answer has no such part.
    init(told answer: XMLElement) {
        if answer.exists { self.init(answer: answer) } else { self.init() }
    }
}

/// The name of a member in answers: EC2 writes most with a small first letter, other services as in requests.
enum AnswerName: Sendable {
    case lowerCamel
    case same
    case named(String)

    func of(_ name: String) -> String {
        switch self {
        case .same: name
        case .named(let other): other
        case .lowerCamel: name.prefix(1).lowercased() + name.dropFirst()
        }
    }
}

extension WireField {
    static func string(
        _ name: String, _ path: any WritableKeyPath<Block, String?> & Sendable, _ wire: String,
        told answer: AnswerName = .lowerCamel, absence: ArgumentSchema.Absence = .means(""),
        semantics: Semantics = .exact, reference: ReferenceKind? = nil, constraints: [Constraint] = [],
        _ documentation: String
    ) -> WireField {
        let told = answer.of(wire)
        return WireField(
            field: .argument(
                name, path, absence: absence, semantics: semantics, reference: reference, constraints: constraints,
                documentation), name: wire,
            encode: { .nonEmpty($0[keyPath: path]) }, decode: { $1[keyPath: path] = $0[told].text })
    }

    static func integer(
        _ name: String, _ path: any WritableKeyPath<Block, Int?> & Sendable, _ wire: String,
        told answer: AnswerName = .lowerCamel, absence: ArgumentSchema.Absence = .means(.null),
        constraints: [Constraint] = [], _ documentation: String
    ) -> WireField {
        let told = answer.of(wire)
        return WireField(
            field: .argument(name, path, absence: absence, constraints: constraints, documentation), name: wire,
            encode: { .optional($0[keyPath: path]) }, decode: { $1[keyPath: path] = $0[told].integer })
    }

    static func number(
        _ name: String, _ path: any WritableKeyPath<Block, Double?> & Sendable, _ wire: String,
        told answer: AnswerName = .lowerCamel, absence: ArgumentSchema.Absence = .means(.null),
        isRequired: Bool = false,
        _ documentation: String
    ) -> WireField {
        let told = answer.of(wire)
        return WireField(
            field: .argument(name, path, isRequired: isRequired, absence: absence, documentation), name: wire,
            encode: { block in block[keyPath: path].map { .double($0) } ?? .absent },
            decode: { $1[keyPath: path] = $0[told].double })
    }

    /// A map of strings, sent as a list of names with values.
    static func dimensions(
        _ name: String, _ path: any WritableKeyPath<Block, [String: String]?> & Sendable, _ wire: String,
        _ documentation: String
    ) -> WireField {
        WireField(
            field: .argument(name, path, absence: .means(.map([:])), documentation), name: wire,
            encode: { block in
                guard let values = block[keyPath: path], !values.isEmpty else { return .absent }
                return .list(
                    values.sorted { $0.key < $1.key }.map { ["Name": .string($0.key), "Value": .string($0.value)] })
            },
            decode: { answer, block in
                block[keyPath: path] = Dictionary(
                    answer[wire].items.map { ($0["Name"].text, $0["Value"].text) },
                    uniquingKeysWith: { _, last in last })
            })
    }

    static func boolean(
        _ name: String, _ path: any WritableKeyPath<Block, Bool?> & Sendable, _ wire: String,
        told answer: AnswerName = .lowerCamel, absence: ArgumentSchema.Absence = .means(.null),
        _ documentation: String
    ) -> WireField {
        let told = answer.of(wire)
        var usual: Bool?
        if case .means(.bool(let flag)) = absence { usual = flag }
        let absent = usual
        return WireField(
            field: .argument(name, path, absence: absence, documentation), name: wire,
            encode: { .optional($0[keyPath: path]) }, decode: { $1[keyPath: path] = $0[told].boolean ?? absent })
    }

    /// A set of strings.
    static func strings(
        _ name: String, _ path: any WritableKeyPath<Block, [String]?> & Sendable, _ wire: String,
        told answer: AnswerName = .lowerCamel, isOrdered: Bool = false, reference: ReferenceKind? = nil,
        constraints: [Constraint] = [], _ documentation: String
    ) -> WireField {
        let told = answer.of(wire)
        return WireField(
            field: .argument(
                name, path, type: isOrdered ? .list(.string) : .set(.string), absence: .means(.list([])),
                reference: reference, constraints: constraints, documentation), name: wire,
            encode: { block in
                guard let values = block[keyPath: path], !values.isEmpty else { return .absent }
                return .strings(isOrdered ? values : Set(values).sorted())
            }, decode: { $1[keyPath: path] = isOrdered ? $0[told].texts : $0[told].texts.sorted() })
    }

    /// A block in the block.
    static func block<Member: WireBlock>(
        _ name: String, _ path: any WritableKeyPath<Block, Member?> & Sendable, _ wire: String,
        told answer: AnswerName = .lowerCamel, absence: ArgumentSchema.Absence = .means(.null),
        constraints: [Constraint] = [], _ documentation: String
    ) -> WireField {
        let told = answer.of(wire)
        return WireField(
            field: .argument(name, path, absence: absence, constraints: constraints, documentation), name: wire,
            encode: { $0[keyPath: path]?.input ?? .absent },
            decode: { $1[keyPath: path] = Member(told: $0[told]) })
    }

    /// A set of blocks, told apart by a key where they have one; `isOrdered` makes it a list.
    static func blocks<Member: WireBlock>(
        _ name: String, _ path: any WritableKeyPath<Block, [Member]?> & Sendable, _ wire: String,
        told answer: AnswerName = .lowerCamel, key: String? = nil, isOrdered: Bool = false,
        constraints: [Constraint] = [], _ documentation: String
    ) -> WireField {
        let told = answer.of(wire)
        return WireField(
            field: .argument(
                name, path, type: isOrdered ? .list(Member.valueType) : .set(Member.valueType, key: key),
                absence: .means(.list([])), constraints: constraints, documentation), name: wire,
            encode: { block in
                guard let members = block[keyPath: path], !members.isEmpty else { return .absent }
                return .list((isOrdered ? members : members.inOrder).map(\.input))
            },
            decode: { answer, block in
                let members = answer[told].items.map { Member(answer: $0) }
                block[keyPath: path] = isOrdered ? members : members.inOrder
            })
    }
}

extension Array where Element: ArgumentBlock {
    /// An order that depends on nothing but what is in the blocks, so that the same set gives the same bytes.
    var inOrder: [Element] {
        map { (ValueJSON.text($0.value), $0) }.sorted { $0.0 < $1.0 }.map(\.1)
    }
}

extension ArgumentBlock {
    /// Whether what is wanted here is what is there, in the named members: by the schema, as planning compares. A member
    /// that is left out means its default, or is not compared where it has none.
    func says(_ other: Self, in names: Set<String>) -> Bool {
        let mine = members
        let others = other.members
        return Self.fields.allSatisfy { field in
            !names.contains(field.schema.name)
                || field.schema.isSaid(mine[field.schema.name] ?? .null, by: others[field.schema.name] ?? .null)
        }
    }
}

extension ArgumentSchema {
    fileprivate func isSaid(_ mine: MusterModel.Value, by other: MusterModel.Value) -> Bool {
        var usual = MusterModel.Value.null
        var isCompared = false
        if case .means(let value) = absence { (usual, isCompared) = (value, true) }
        if mine.isUnset, !isCompared { return true }
        let wanted = mine.isUnset ? usual : mine
        let there = other.isUnset ? usual : other
        if wanted.isUnset || there.isUnset { return wanted.isUnset && there.isUnset }
        return type.areSame(wanted, there)
    }
}

extension ValueType {
    fileprivate func areSame(_ wanted: MusterModel.Value, _ there: MusterModel.Value) -> Bool {
        switch (self, wanted, there) {
        case (.object(let fields), .map(let wanted), .map(let there)):
            return fields.allSatisfy { $0.isSaid(wanted[$0.name] ?? .null, by: there[$0.name] ?? .null) }
        case (.list(let element), .list(let wanted), .list(let there)):
            return wanted.count == there.count && zip(wanted, there).allSatisfy { element.areSame($0, $1) }
        case (.set(let element, _), .list(let wanted), .list(var rest)):
            guard wanted.count == rest.count else { return false }
            return wanted.allSatisfy { value in
                guard let index = rest.firstIndex(where: { element.areSame(value, $0) }) else { return false }
                rest.remove(at: index)
                return true
            }
        default:
            if case (.number, .integer(let left), .number(let right)) = (self, wanted, there) {
                return Double(left) == right
            }
            return wanted == there
        }
    }
}

extension MusterModel.Value {
    /// Null, "", [] and {} all mean that nothing is set.
    var isUnset: Bool {
        switch self {
        case .null: true
        case .string(let text): text.isEmpty
        case .list(let values): values.isEmpty
        case .map(let values): values.values.allSatisfy(\.isUnset)
        default: false
        }
    }
}
