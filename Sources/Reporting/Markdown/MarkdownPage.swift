import Diagnostics

/// Markdown that never outgrows its limit.
///
/// Blocks are offered in the order of their importance and taken while they fit; what does not fit is counted by whoever
/// offers it, and `reserve` keeps room for saying so. The limit counts bytes of UTF-8, of which there are never fewer than
/// characters, however a platform counts those.
struct MarkdownPage {
    private(set) var text = ""
    private let limit: Int
    /// Bytes kept free for what must still be said.
    var reserve = 0

    init(limit: Int) { self.limit = limit }

    var room: Int { limit - text.utf8.count - reserve }

    /// Whether it fitted.
    @discardableResult
    mutating func add(_ block: String) -> Bool {
        guard block.utf8.count <= room else { return false }
        text += block
        return true
    }

    // MARK: - Escaping

    /// Text from outside as plain words: no markup, no mention, no link, on one line.
    static func escaped(_ text: some StringProtocol) -> String {
        var result = ""
        for scalar in DisplayText.neutralised(text).unicodeScalars {
            switch scalar {
            case "&", "<", ">": result += entity(scalar)
            // An empty comment ends what would become a mention or a reference to an issue.
            case "@", "#": result += "\(scalar)<!-- -->"
            case "\\", "`", "*", "_", "[", "]", "|", "~", "$": result += "\\\(scalar)"
            // Only at the start they would make a list or a rule.
            case "-", "+", "=", ".", ")": result += result.allSatisfy(\.isWholeNumber) ? "\\\(scalar)" : "\(scalar)"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result.replacing("://", with: ":<!-- -->//")
    }

    /// Text from outside in fixed width: nothing inside means anything.
    static func code(_ text: some StringProtocol) -> String {
        let text = DisplayText.neutralised(text)
        if text.isEmpty { return "" }
        // Between backticks nothing can be escaped, and a table splits even there at a bar.
        if !text.unicodeScalars.contains(where: { $0 == "`" || $0 == "|" || $0 == "\\" }), text.first != " ",
            text.last != " "
        {
            return "`\(text)`"
        }
        var result = ""
        for scalar in text.unicodeScalars {
            let isPlain = scalar.properties.isAlphabetic || scalar.properties.numericType != nil || scalar == " "
            result += isPlain || scalar.value >= 0x80 ? String(scalar) : entity(scalar)
        }
        return "<code>\(result)</code>"
    }

    /// Text from outside in HTML, where Markdown is not read.
    static func html(_ text: some StringProtocol) -> String {
        var result = ""
        for scalar in DisplayText.neutralised(text).unicodeScalars {
            switch scalar {
            case "&", "<", ">", "\"", "'", "@", "#": result += entity(scalar)
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    private static func entity(_ scalar: Unicode.Scalar) -> String { "&#\(scalar.value);" }
}

/// A fenced block whose fence is longer than any run of backticks inside it.
struct MarkdownFence {
    private var body = ""
    private var longestRun = 0
    private let language: String

    init(language: String) { self.language = language }

    var isEmpty: Bool { body.isEmpty }
    /// Bytes of the block as it is.
    var size: Int { MarkdownFence.size(body.utf8.count, longestRun, language) }

    private static func size(_ bodySize: Int, _ run: Int, _ language: String) -> Int {
        bodySize + 2 * max(3, run + 1) + language.utf8.count + 2
    }

    /// Adds lines if the block then still fits into so many bytes.
    mutating func add(_ lines: String, within room: Int) -> Bool {
        var run = 0
        var longest = longestRun
        for byte in lines.utf8 {
            run = byte == UInt8(ascii: "`") ? run + 1 : 0
            longest = max(longest, run)
        }
        guard MarkdownFence.size(body.utf8.count + lines.utf8.count, longest, language) <= room else { return false }
        body += lines
        longestRun = longest
        return true
    }

    var text: String {
        let fence = String(repeating: "`", count: max(3, longestRun + 1))
        return "\(fence)\(language)\n\(body)\(fence)\n"
    }
}
