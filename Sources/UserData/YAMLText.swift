package import MusterModel

/// Scalars of YAML 1.1 and 1.2: plain where every reader takes them for that text, in quotes otherwise.
enum YAMLScalar {
    static func written(_ text: String) -> String { isPlain(text) ? text : quoted(text) }

    /// Double quotes, with JSON's escapes, which YAML shares.
    static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case "\u{0}"..."\u{1F}", "\u{7F}"..."\u{9F}", "\u{2028}", "\u{2029}", "\u{FEFF}":
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }

    /// Letters that no reader takes for anything but text: no number, no date, no base 60, no word with a meaning.
    private static func isPlain(_ text: String) -> Bool {
        guard let first = text.utf8.first, text.utf8.count <= 120 else { return false }
        let isFirstFine =
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(first)
            || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(first) || first == UInt8(ascii: "/")
        guard isFirstFine, !text.hasSuffix(":") else { return false }
        let isFine = text.utf8.allSatisfy { byte in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || Array("_-./:@=+".utf8).contains(byte)
        }
        return isFine && !words.contains(text.lowercased())
    }

    private static let words: Set<String> = ["y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"]
}

/// A tree as YAML in block style. Order is that of the source.
package enum YAMLTree {
    /// - Parameter column: where the tree stands.
    package static func written(_ tree: LocatedValue, column: Int = 0) -> Text {
        var text = Text()
        write(tree, column, into: &text)
        return text
    }

    private static func write(_ tree: LocatedValue, _ column: Int, into text: inout Text) {
        let margin = String(repeating: " ", count: column)
        if let entries = tree.entries {
            for entry in entries where entry.value.value != .null {
                text += "\(margin)\(YAMLScalar.written(entry.key)):\(after(entry.value, column))"
            }
        } else if let elements = tree.elements {
            for element in elements {
                if let entries = element.entries, !entries.isEmpty {
                    var inner = Text()
                    write(element, column + 2, into: &inner)
                    text += "\(margin)- \(inner.droppingFirst(column + 2))"
                } else {
                    text += "\(margin)-\(after(element, column))"
                }
            }
        }
    }

    /// What follows `key:` or `-`, with the end of the line.
    private static func after(_ tree: LocatedValue, _ column: Int) -> Text {
        if let entries = tree.entries {
            guard entries.contains(where: { $0.value.value != .null }) else { return " {}\n" }
        } else if let elements = tree.elements {
            guard !elements.isEmpty else { return " []\n" }
        } else {
            return scalar(tree.value, column)
        }
        var text: Text = "\n"
        write(tree, column + 2, into: &text)
        return text
    }

    private static func scalar(_ value: Value, _ column: Int) -> Text {
        let text = Text(raw: value)
        guard text.isBlock else { return " \(yaml: value)\n" }
        let margin = String(repeating: " ", count: column + 2)
        return " |\n\(margin)\(text.indented(by: column + 2).droppingMargin(column + 2))"
    }
}

extension Text {
    /// A text of several lines that a literal block gives back as it is.
    fileprivate var isBlock: Bool {
        guard case .literal(let first)? = pieces.first, let start = first.utf8.first, start > 0x20, start < 0x7F,
            case .literal(let last)? = pieces.last, last.hasSuffix("\n"), !last.hasSuffix("\n\n")
        else { return false }
        return pieces.allSatisfy { piece in
            guard case .literal(let text) = piece else { return true }
            return text.unicodeScalars.allSatisfy { ($0.value >= 0x20 && $0.value < 0x7F) || $0 == "\n" || $0 == "\t" }
        }
    }

    /// Without the margin before a first line.
    fileprivate func droppingFirst(_ count: Int) -> Text {
        var result = Text()
        for (position, piece) in pieces.enumerated() {
            switch piece {
            case .literal(let text): result.append(position == 0 ? String(text.dropFirst(count)) : text)
            case .hole(let expression): result.appendHole(expression)
            }
        }
        return result
    }

    /// Without the margin after the last end of a line.
    fileprivate func droppingMargin(_ count: Int) -> Text {
        var result = Text()
        for (position, piece) in pieces.enumerated() {
            switch piece {
            case .literal(let text):
                result.append(position == pieces.count - 1 ? String(text.dropLast(count)) : text)
            case .hole(let expression): result.appendHole(expression)
            }
        }
        return result
    }
}
