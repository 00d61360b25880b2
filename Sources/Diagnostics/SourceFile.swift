// Places in source texts. A range is a reference and two 32-bit offsets, because every value of a spec keeps one;
// lines and columns are computed from offsets only when somebody looks, which is when a diagnostic is rendered.
//
// Diagnostics imports nothing but the C library (for `memchr`). It reads no file, no environment, and prints nothing.

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// One source text, with the path under which people know it. Two files are equal only if they are the same object.
///
/// Finding the lines costs one pass over the text when the file is made. Only the first 2 GiB can be pointed at.
package final class SourceFile: Sendable {
    /// The path shown to people; nothing opens it.
    package let path: String
    /// The bytes as they were read, which need not be valid UTF-8.
    package let text: [UInt8]
    private let lineStarts: [Int32]

    package init(path: String, text: [UInt8]) {
        self.path = path
        self.text = text
        self.lineStarts = SourceFile.lineStarts(of: text)
    }

    package convenience init(path: String, text: String) {
        self.init(path: path, text: Array(text.utf8))
    }

    /// How many lines the text has; a text that ends with a line break has an empty last line, as in an editor.
    package var lineCount: Int { lineStarts.count }

    /// The range from one byte offset up to another, both clamped to the text.
    package func range(_ start: Int, _ end: Int) -> SourceRange {
        SourceRange(file: self, start: start, end: end)
    }

    /// The line and column of a byte; an offset outside the text is clamped to it.
    package func position(atOffset offset: Int) -> SourcePosition {
        let offset = min(max(offset, 0), text.count)
        let line = lineIndex(ofOffset: offset)
        var column = 1
        for index in Int(lineStarts[line])..<offset where text[index] & 0xC0 != 0x80 { column += 1 }
        return SourcePosition(line: line + 1, column: column, offset: offset)
    }

    /// The text of a line (the first is 1) without its line break; broken UTF-8 is replaced by `U+FFFD`. Empty for a
    /// line that does not exist.
    package func line(_ number: Int) -> String {
        guard let bytes = bytes(ofLine: number) else { return "" }
        return String(decoding: text[bytes], as: UTF8.self)
    }

    /// The byte offsets of a line (the first is 1) without its line break, or nil if there is no such line.
    package func bytes(ofLine number: Int) -> Range<Int>? {
        guard number >= 1, number <= lineStarts.count else { return nil }
        let start = Int(lineStarts[number - 1])
        guard number < lineStarts.count else { return start..<text.count }
        var end = Int(lineStarts[number]) - 1
        if end > start, text[end - 1] == UInt8(ascii: "\r") { end -= 1 }
        return start..<end
    }

    private func lineIndex(ofOffset offset: Int) -> Int {
        var low = 0
        var high = lineStarts.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if Int(lineStarts[middle]) <= offset { low = middle } else { high = middle }
        }
        return low
    }

    private static func lineStarts(of text: [UInt8]) -> [Int32] {
        var starts: [Int32] = [0]
        text.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return }
            let count = min(bytes.count, Int(Int32.max))
            var offset = 0
            while offset < count, let found = memchr(base + offset, Int32(UInt8(ascii: "\n")), count - offset) {
                offset = UnsafeRawPointer(found) - base + 1
                starts.append(Int32(offset))
            }
        }
        return starts
    }
}

extension SourceFile: Hashable {
    package static func == (left: SourceFile, right: SourceFile) -> Bool { left === right }

    package func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}

/// A line and a column, both from 1. Columns count Unicode scalars, as most editors do: a tab is one column, and so is
/// each part of a composed character.
package struct SourcePosition: Sendable, Hashable, Comparable {
    package let line: Int
    package let column: Int
    /// Bytes from the start of the text.
    package let offset: Int

    package init(line: Int, column: Int, offset: Int) {
        self.line = line
        self.column = column
        self.offset = offset
    }

    package static func < (left: SourcePosition, right: SourcePosition) -> Bool { left.offset < right.offset }
}

/// A place: a file and a half-open range of byte offsets in it. An empty range points between two bytes.
package struct SourceRange: Sendable, Hashable {
    package let file: SourceFile
    private let first: Int32
    private let last: Int32

    /// Offsets are clamped to the text, and an end before its start to the start.
    package init(file: SourceFile, start: Int, end: Int) {
        let limit = min(file.text.count, Int(Int32.max))
        let start = min(max(start, 0), limit)
        self.file = file
        self.first = Int32(start)
        self.last = Int32(min(max(end, start), limit))
    }

    /// Byte offset of the first byte.
    package var start: Int { Int(first) }
    /// Byte offset after the last byte.
    package var end: Int { Int(last) }
    package var isEmpty: Bool { first == last }
    package var startPosition: SourcePosition { file.position(atOffset: start) }
    package var endPosition: SourcePosition { file.position(atOffset: end) }

    /// The bytes in this range, decoded; broken UTF-8 is replaced.
    package var text: String { String(decoding: file.text[start..<end], as: UTF8.self) }

    /// From the start of this range to the end of another one in the same file.
    package func extended(to other: SourceRange) -> SourceRange {
        SourceRange(file: file, start: start, end: max(end, other.end))
    }

    /// A part of this range, by byte offsets from its start, clamped to it.
    package func part(_ offsets: Range<Int>) -> SourceRange {
        let from = min(start + max(offsets.lowerBound, 0), end)
        return SourceRange(file: file, start: from, end: min(start + max(offsets.upperBound, 0), end))
    }
}

extension SourceRange: CustomStringConvertible {
    /// `path:line:column` of the start.
    package var description: String {
        let position = startPosition
        return "\(file.path):\(position.line):\(position.column)"
    }
}
