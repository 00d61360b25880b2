import Diagnostics
import MusterModel
import YAMLSyntax

/// What is read by a schema: a part of a file, or a value that is there already.
enum Node {
    case yaml(YAMLNode)
    /// What an expression or the command line gave; text in it is never taken for an expression.
    case value(Value, SourceRange)

    struct Entry {
        let key: String
        let keyRange: SourceRange
        let value: Node
    }

    var range: SourceRange {
        switch self {
        case .yaml(let node): node.range
        case .value(_, let range): range
        }
    }

    var isNull: Bool {
        switch self {
        case .yaml(let node): node.isNull
        case .value(let value, _): value.isNull
        }
    }

    /// The entries of a mapping; nil when this is none.
    var entries: [Entry]? {
        switch self {
        case .yaml(let node): node.mapping?.map(Entry.init)
        case .value(.map(let members), let range):
            members.sorted { $0.key < $1.key }
                .map { Entry(key: $0.key, keyRange: range, value: .value($0.value, range)) }
        case .value: nil
        }
    }

    /// What it is, for messages: `a list`.
    var kindName: String {
        switch self {
        case .value(let value, _): value.kindName
        case .yaml(let node):
            switch node.kind {
            case .scalar(let scalar): scalar.isNull ? "null" : scalar.text.quoted
            case .sequence: "a list"
            case .mapping: "a map"
            }
        }
    }
}

extension Node.Entry {
    init(_ entry: YAMLEntry) { self.init(key: entry.key, keyRange: entry.keyRange, value: .yaml(entry.value)) }
}
