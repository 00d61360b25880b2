/// What a call sends, as a tree with the names of the wire, written as literals:
///
///     ["VpcId": .strings(ids), "Filter": [["Name": "tag:a", "Value": ["b"]]], "MaxResults": 1000]
///
/// Order is kept, so that the same input gives the same bytes.
package enum AWSInput: Sendable, Equatable {
    case string(String)
    /// Sent as it is, and struck out of every error message.
    case secret(Secret)
    case integer(Int)
    case double(Double)
    case boolean(Bool)
    /// Base64 on the wire.
    case blob([UInt8])
    case timestamp(Timestamp)
    case list([AWSInput], as: ListForm = .members("member"))
    case map([Field])
    case structure([Field])
    /// Left out.
    case absent

    package struct Field: Sendable, Equatable {
        package var name: String
        package var value: AWSInput

        package init(_ name: String, _ value: AWSInput) {
            self.name = name
            self.value = value
        }
    }

    /// How the query and XML protocols write a list; ec2 and JSON have one form only and ignore it.
    package enum ListForm: Sendable, Equatable {
        /// `Names.member.1`, or `<Names><member>`; RDS and ElastiCache name their members (`SubnetIdentifier`).
        case members(String)
        /// `Names.1`, or `<Name>` repeated.
        case flat
    }
}

extension AWSInput {
    /// A list of strings.
    package static func strings(_ values: some Sequence<String>, as form: ListForm = .members("member")) -> AWSInput {
        .list(values.map { .string($0) }, as: form)
    }

    /// A map with string values, in the order of its keys.
    package static func map(_ values: [String: String]) -> AWSInput {
        .map(values.sorted { $0.key < $1.key }.map { Field($0.key, .string($0.value)) })
    }

    /// `nil` leaves the member out.
    package static func optional(_ value: String?) -> AWSInput { value.map { .string($0) } ?? .absent }
    /// `nil` leaves the member out.
    package static func optional(_ value: Int?) -> AWSInput { value.map { .integer($0) } ?? .absent }
    /// `nil` leaves the member out.
    package static func optional(_ value: Bool?) -> AWSInput { value.map { .boolean($0) } ?? .absent }
    /// `nil` leaves the member out.
    package static func optional(_ value: AWSInput?) -> AWSInput { value ?? .absent }

    /// A text in which everything that is secret here is `•••`: services quote what they refuse.
    func withoutSecrets(_ text: String) -> String {
        secrets.reduce(text) { $0.replacing($1, with: "•••") }
    }

    private var secrets: [String] {
        switch self {
        case .secret(let secret): secret.revealed.isEmpty ? [] : [secret.revealed]
        case .list(let elements, _): elements.flatMap(\.secrets)
        case .structure(let fields), .map(let fields): fields.flatMap(\.value.secrets)
        default: []
        }
    }

    /// The value of a structure's member; setting adds it at the end or replaces it.
    package subscript(name: String) -> AWSInput? {
        get {
            guard case .structure(let fields) = self else { return nil }
            return fields.first { $0.name == name }?.value
        }
        set {
            guard case .structure(var fields) = self else { return }
            let index = fields.firstIndex { $0.name == name }
            switch (index, newValue) {
            case (let index?, let value?): fields[index].value = value
            case (let index?, nil): fields.remove(at: index)
            case (nil, let value?): fields.append(Field(name, value))
            case (nil, nil): break
            }
            self = .structure(fields)
        }
    }
}

extension AWSInput: ExpressibleByStringInterpolation, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByFloatLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral, ExpressibleByNilLiteral
{
    package init(stringLiteral value: String) { self = .string(value) }
    package init(integerLiteral value: Int) { self = .integer(value) }
    package init(booleanLiteral value: Bool) { self = .boolean(value) }
    package init(floatLiteral value: Double) { self = .double(value) }
    package init(arrayLiteral elements: AWSInput...) { self = .list(elements) }
    package init(dictionaryLiteral elements: (String, AWSInput)...) {
        self = .structure(elements.map { Field($0, $1) })
    }
    package init(nilLiteral: ()) { self = .absent }
}
