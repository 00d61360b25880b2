import Diagnostics

/// Walks a scalar's source and its text side by side, to find where a part of the text was written.
///
/// It undoes escapes, doubled quotes, folded lines and the indentation of block scalars. It is run only when something
/// is to be pointed at, so it prefers giving up (nil) to being wrong.
struct TextAlignment {
    private let source: [UInt8]
    private let text: [UInt8]
    private let style: YAMLScalar.Style
    private let end: Int
    private let indentation: Int
    private var sourceIndex: Int
    private var textIndex = 0

    init(range: SourceRange, scalar: YAMLScalar) {
        source = range.file.text
        text = Array(scalar.text.utf8)
        style = scalar.style
        let isBlock = style == .literal || style == .folded
        let isQuoted = style == .singleQuoted || style == .doubleQuoted
        sourceIndex = range.start + (isQuoted ? 1 : 0)
        end = range.end - (isQuoted ? 1 : 0)
        indentation = isBlock ? range.startPosition.column - 1 : 0
        // Empty lines before the content of a block scalar are in its text but not in its range.
        if isBlock, let first = text.firstIndex(where: { $0 != Byte.space && $0 != Byte.lineFeed }) {
            textIndex = (text[..<first].lastIndex(of: Byte.lineFeed) ?? -1) + 1
        }
    }

    /// The offset in the file at which a part of the text begins, by its UTF-8 offset in the text.
    mutating func sourceStart(ofText offset: Int) -> Int? {
        guard let start = sourceEnd(ofText: offset) else { return nil }
        // An escaped line break gives no text, so it belongs to what stands before it.
        while style == .doubleQuoted, sourceIndex + 1 < end, source[sourceIndex] == Byte.backslash,
            source[sourceIndex + 1].isLineBreak
        {
            guard stepEscape() else { return start }
        }
        return sourceIndex
    }

    /// The offset in the file at which a part of the text ends. Offsets must be asked for in ascending order.
    mutating func sourceEnd(ofText offset: Int) -> Int? {
        while textIndex < min(offset, text.count) {
            // What is left is the line break that a block scalar ends with.
            if sourceIndex >= end { return (style == .literal || style == .folded) ? end : nil }
            guard step() else { return nil }
        }
        return sourceIndex
    }

    private mutating func step() -> Bool {
        let byte = source[sourceIndex]
        switch style {
        case .literal where isBreak(sourceIndex):
            skipBreak()
            skipIndentation()
            return take(Byte.lineFeed)
        case .folded where isBreak(sourceIndex):
            while sourceIndex < end, isBreak(sourceIndex) {
                skipBreak()
                skipIndentation()
            }
            return takeFold()
        case .literal, .folded: return takeSame(byte)
        case .doubleQuoted where byte == Byte.backslash: return stepEscape()
        case .singleQuoted where byte == Byte.singleQuote:
            sourceIndex += 2
            return take(Byte.singleQuote)
        case .plain, .singleQuoted, .doubleQuoted:
            guard byte.isBlank || isBreak(sourceIndex) else { return takeSame(byte) }
            var after = sourceIndex
            var hasBreak = false
            while after < end, source[after].isBlank || isBreak(after) {
                hasBreak = hasBreak || isBreak(after)
                after += 1
            }
            guard hasBreak else { return takeSame(byte) }
            sourceIndex = after
            // A break after an escaped one, or after an escaped space, may leave nothing.
            return takeFold() || style == .doubleQuoted
        }
    }

    private mutating func stepEscape() -> Bool {
        guard sourceIndex + 1 < end else { return false }
        let letter = source[sourceIndex + 1]
        let digits: Int
        switch letter {
        case UInt8(ascii: "x"): digits = 2
        case UInt8(ascii: "u"): digits = 4
        case UInt8(ascii: "U"): digits = 8
        case Byte.lineFeed, Byte.carriageReturn:
            sourceIndex += 1
            while sourceIndex < end, source[sourceIndex].isBlank || isBreak(sourceIndex) { sourceIndex += 1 }
            return true
        default: digits = 0
        }
        sourceIndex += 2 + digits
        // The text of the escape is one scalar, however it was written.
        guard textIndex < text.count else { return false }
        textIndex += 1
        while textIndex < text.count, text[textIndex] & 0xC0 == 0x80 { textIndex += 1 }
        return sourceIndex <= end
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard textIndex < text.count, text[textIndex] == byte else { return false }
        textIndex += 1
        return true
    }

    private mutating func takeSame(_ byte: UInt8) -> Bool {
        sourceIndex += 1
        return take(byte)
    }

    private mutating func takeFold() -> Bool {
        if take(Byte.space) { return true }
        guard take(Byte.lineFeed) else { return false }
        while take(Byte.lineFeed) {}
        return true
    }

    private func isBreak(_ index: Int) -> Bool {
        source[index] == Byte.lineFeed || source[index] == Byte.carriageReturn
    }

    private mutating func skipBreak() {
        if source[sourceIndex] == Byte.carriageReturn, sourceIndex + 1 < end, source[sourceIndex + 1] == Byte.lineFeed {
            sourceIndex += 1
        }
        sourceIndex += 1
    }

    private mutating func skipIndentation() {
        var columns = 0
        while columns < indentation, sourceIndex < end, source[sourceIndex] == Byte.space {
            sourceIndex += 1
            columns += 1
        }
    }
}

/// The bytes that mean something to YAML.
enum Byte {
    static let space = UInt8(ascii: " ")
    static let tab = UInt8(ascii: "\t")
    static let lineFeed = UInt8(ascii: "\n")
    static let carriageReturn = UInt8(ascii: "\r")
    static let backslash = UInt8(ascii: "\\")
    static let singleQuote = UInt8(ascii: "'")
    static let doubleQuote = UInt8(ascii: "\"")
    static let hash = UInt8(ascii: "#")
    static let colon = UInt8(ascii: ":")
    static let dash = UInt8(ascii: "-")
    static let question = UInt8(ascii: "?")
    static let comma = UInt8(ascii: ",")
    static let dollar = UInt8(ascii: "$")
    static let openBrace = UInt8(ascii: "{")
    static let closeBrace = UInt8(ascii: "}")
    static let openBracket = UInt8(ascii: "[")
    static let closeBracket = UInt8(ascii: "]")
    static let ampersand = UInt8(ascii: "&")
    static let asterisk = UInt8(ascii: "*")
    static let exclamation = UInt8(ascii: "!")
    static let bar = UInt8(ascii: "|")
    static let greater = UInt8(ascii: ">")
}

extension UInt8 {
    /// Space or tab.
    var isBlank: Bool { self == Byte.space || self == Byte.tab }
    var isLineBreak: Bool { self == Byte.lineFeed || self == Byte.carriageReturn }
    var isFlowIndicator: Bool {
        switch self {
        case Byte.comma, Byte.openBrace, Byte.closeBrace, Byte.openBracket, Byte.closeBracket: true
        default: false
        }
    }
}
