// As much of Swift's grammar as these tests need: what is code and what is a comment or a text, and the words of code.

/// One word, number or mark of a source, with its line (from 1).
struct Token: Sendable, Hashable {
    var text: String
    var line: Int

    var isWord: Bool { text.first.map { $0.isLetter || $0 == "_" } ?? false }
}

/// A Swift source as tokens. Comments and the insides of string literals are left out; code in `\(…)` is kept.
struct SwiftSource: Sendable {
    let tokens: [Token]
    /// Where each word and mark stands.
    private let positions: [String: [Int]]

    init(_ text: String) {
        var reader = Reader(text)
        reader.readCode(untilParenthesis: false)
        tokens = reader.tokens
        var positions: [String: [Int]] = [:]
        for (index, token) in reader.tokens.enumerated() { positions[token.text, default: []].append(index) }
        self.positions = positions
    }

    /// The modules that the source imports, whatever stands before `import` and whatever it selects.
    var imports: [Token] {
        let kinds: Set<String> = ["struct", "class", "enum", "protocol", "typealias", "func", "let", "var", "actor"]
        var modules: [Token] = []
        for index in positions["import"] ?? [] {
            // A word `import` that is a label, a member or a name in backquotes is none.
            let before = index > 0 ? tokens[index - 1] : nil
            guard index + 1 < tokens.count, before?.text != ".", before?.text != "`", tokens[index + 1].isWord
            else { continue }
            let next = tokens[index + 1]
            let isSelecting = kinds.contains(next.text) && index + 2 < tokens.count && tokens[index + 2].isWord
            modules.append(isSelecting ? tokens[index + 2] : next)
        }
        return modules
    }

    private static let systemModules: Set<String> = [
        "Swift", "Glibc", "Musl", "Darwin", "Foundation", "FoundationEssentials", "Dispatch",
    ]

    /// Where the tokens of a phrase stand one after the other, such as `Date ( )`. Every result is the first of them.
    ///
    /// It is no such place after `func` or after a dot, that of a system module excepted; nor is a single word before a
    /// colon, where it is a label.
    func occurrences(of phrase: [String]) -> [Token] {
        guard let first = phrase.first, let starts = positions[first] else { return [] }
        return starts.compactMap { start in
            guard start + phrase.count <= tokens.count else { return nil }
            for (offset, word) in phrase.enumerated() where tokens[start + offset].text != word { return nil }
            let before = start > 0 ? tokens[start - 1].text : ""
            let owner = start > 1 ? tokens[start - 2].text : ""
            if before == "func" || before == "." && !SwiftSource.systemModules.contains(owner) { return nil }
            let after = start + phrase.count
            if phrase.count == 1, after < tokens.count, tokens[after].text == ":" { return nil }
            return tokens[start]
        }
    }

    /// The types that are declared to conform to a protocol: `struct VPC: ManagedResource`.
    func types(conformingTo conformance: String) -> [String] {
        var types: [String] = []
        for index in ["struct", "enum", "class", "actor"].flatMap({ positions[$0] ?? [] }).sorted() {
            guard index + 2 < tokens.count, tokens[index + 1].isWord, tokens[index + 2].text == ":" else { continue }
            let clause = tokens[(index + 3)...].prefix { $0.text != "{" }
            if clause.contains(where: { $0.text == conformance }) { types.append(tokens[index + 1].text) }
        }
        return types
    }
}

/// Reads bytes, since the check goes over all sources in a debug build. What is not ASCII counts as a letter.
private struct Reader {
    private let bytes: [UInt8]
    private var index = 0
    private var line = 1
    var tokens: [Token] = []

    init(_ text: String) { bytes = Array(text.utf8) }

    private static let newline = UInt8(ascii: "\n")
    private static let quote = UInt8(ascii: "\"")
    private static let backslash = UInt8(ascii: "\\")

    private func at(_ offset: Int) -> UInt8? { index + offset < bytes.count ? bytes[index + offset] : nil }

    private func starts(_ mark: StaticString) -> Bool {
        for offset in 0..<mark.utf8CodeUnitCount where at(offset) != mark.utf8Start[offset] { return false }
        return true
    }

    private func repeats(_ byte: UInt8, _ count: Int, from offset: Int = 0) -> Bool {
        (0..<count).allSatisfy { at(offset + $0) == byte }
    }

    private mutating func skip(_ count: Int) {
        for _ in 0..<count where index < bytes.count {
            if bytes[index] == Reader.newline { line += 1 }
            index += 1
        }
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"), 0x80...:
            true
        default: false
        }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }

    /// Reads to the end, or to the parenthesis that closes an interpolation.
    mutating func readCode(untilParenthesis: Bool) {
        var depth = 0
        while let byte = at(0) {
            if byte == UInt8(ascii: "/"), starts("//") {
                while let byte = at(0), byte != Reader.newline { skip(1) }
            } else if byte == UInt8(ascii: "/"), starts("/*") {
                skipComment()
            } else if let hashes = hashesBeforeQuote() {
                readString(hashes)
            } else if Reader.isLetter(byte) {
                readWord()
            } else if byte <= 0x20 {
                skip(1)
            } else {
                if byte == UInt8(ascii: "(") { depth += 1 }
                if byte == UInt8(ascii: ")") {
                    depth -= 1
                    if untilParenthesis, depth < 0 { return skip(1) }
                }
                tokens.append(Token(text: String(UnicodeScalar(byte)), line: line))
                skip(1)
            }
        }
    }

    private mutating func readWord() {
        var end = index
        while end < bytes.count, Reader.isLetter(bytes[end]) || Reader.isDigit(bytes[end]) { end += 1 }
        tokens.append(Token(text: String(decoding: bytes[index..<end], as: UTF8.self), line: line))
        index = end
    }

    private mutating func skipComment() {
        var depth = 0
        while at(0) != nil {
            if starts("/*") {
                depth += 1
                skip(2)
            } else if starts("*/") {
                depth -= 1
                skip(2)
                if depth == 0 { return }
            } else {
                skip(1)
            }
        }
    }

    /// The number of `#` before a quotation mark that starts a string here.
    private func hashesBeforeQuote() -> Int? {
        var hashes = 0
        while at(hashes) == UInt8(ascii: "#") { hashes += 1 }
        return at(hashes) == Reader.quote ? hashes : nil
    }

    private mutating func readString(_ hashes: Int) {
        let hash = UInt8(ascii: "#")
        skip(hashes)
        let quotes = starts("\"\"\"") ? 3 : 1
        skip(quotes)
        while let byte = at(0) {
            if byte == Reader.quote, repeats(Reader.quote, quotes), repeats(hash, hashes, from: quotes) {
                return skip(quotes + hashes)
            }
            if byte == Reader.backslash, repeats(hash, hashes, from: 1) {
                skip(1 + hashes)
                if at(0) == UInt8(ascii: "(") {
                    skip(1)
                    readCode(untilParenthesis: true)
                } else {
                    skip(1)
                }
            } else if quotes == 1, byte == Reader.newline {
                return
            } else {
                skip(1)
            }
        }
    }
}
