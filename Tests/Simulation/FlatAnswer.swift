import AWSClient

/// What a service says, by path: `LoadBalancers.member.1.LoadBalancerName`. Requests come in this form, so that a
/// simulated service mostly answers with what it was told.
typealias Flat = [String: String]

enum FlatAnswer {
    /// The values at a path in which `#` stands for any number, in the order of the numbers.
    static func values(_ pattern: String, in fields: Flat) -> [String] {
        guard pattern.contains("#") else { return fields[pattern].map { [$0] } ?? [] }
        let wanted = pattern.split(separator: ".")
        return fields.filter { name, _ in
            let parts = name.split(separator: ".")
            return parts.count == wanted.count
                && zip(parts, wanted).allSatisfy { $1 == "#" ? Int($0) != nil : $0 == $1 }
        }.sorted { ($0.key.count, $0.key) < ($1.key.count, $1.key) }.map(\.value)
    }

    /// The same things one level deeper.
    static func at(_ path: String, _ fields: Flat) -> Flat {
        Dictionary(uniqueKeysWithValues: fields.map { ("\(path).\($0.key)", $0.value) })
    }

    /// `path.1`, `path.2`, …
    static func list(_ path: String, _ items: [Flat]) -> Flat {
        items.enumerated().reduce(into: [:]) { $0.merge(at("\(path).\($1.offset + 1)", $1.element)) { $1 } }
    }

    static func list(_ path: String, texts: [String]) -> Flat {
        texts.enumerated().reduce(into: [:]) { $0["\(path).\($1.offset + 1)"] = $1.element }
    }

    static func tags(_ path: String, _ tags: [String: String]) -> Flat {
        list(path, tags.sorted { $0.key < $1.key }.map { ["Key": $0.key, "Value": $0.value] })
    }

    // MARK: - As trees

    private final class Node {
        var text: String?
        var children: [String: Node] = [:]

        init(_ fields: Flat) {
            for (path, text) in fields {
                var node = self
                for part in path.split(separator: ".") { node = node.child(String(part)) }
                node.text = text
            }
        }

        private init() {}

        private func child(_ name: String) -> Node {
            if let child = children[name] { return child }
            let child = Node()
            children[name] = child
            return child
        }

        var isList: Bool { !children.isEmpty && children.keys.allSatisfy { Int($0) != nil } }
        var sorted: [(key: String, value: Node)] {
            children.sorted { (Int($0.key) ?? 0, $0.key) < (Int($1.key) ?? 0, $1.key) }
        }

        func xml(_ name: String) -> String {
            if isList { return sorted.map { $0.value.xml(name) }.joined() }
            return XML.around(name, text.map(XML.escaped) ?? sorted.map { $0.value.xml($0.key) }.joined())
        }

        /// A list is what has only a member `member`.
        var json: String {
            if let text { return FlatAnswer.json(text) }
            if let member = children["member"], children.count == 1 {
                return "[\(member.sorted.map(\.value.json).joined(separator: ","))]"
            }
            return "{\(sorted.map { "\(FlatAnswer.quoted($0.key)):\($0.value.json)" }.joined(separator: ","))}"
        }
    }

    static func xml(_ fields: Flat) -> String { Node(fields).sorted.map { $0.value.xml($0.key) }.joined() }

    static func json(_ fields: Flat) -> String { fields.isEmpty ? "{}" : Node(fields).json }

    private static func json(_ text: String) -> String {
        ["true", "false"].contains(text) || text.count < 10 && Int(text).map(String.init) == text ? text : quoted(text)
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }

    /// A document in the form of requests: `Tags.member.1.Key`.
    static func flat(_ value: JSONValue) -> Flat {
        switch value {
        case .null: return [:]
        case .boolean(let flag): return ["": flag ? "true" : "false"]
        case .integer(let number): return ["": String(number)]
        case .double(let number): return ["": String(number)]
        case .string(let text): return ["": text]
        case .array(let items): return list("member", items.map(flat)).withoutEnds
        case .object(let members):
            return members.reduce(into: [:]) { $0.merge(at($1.name, flat($1.value)).withoutEnds) { $1 } }
        }
    }
}

extension Flat {
    /// The path of a scalar ends where it is.
    fileprivate var withoutEnds: Flat {
        Dictionary(uniqueKeysWithValues: map { ($0.key.hasSuffix(".") ? String($0.key.dropLast()) : $0.key, $0.value) })
    }
}
