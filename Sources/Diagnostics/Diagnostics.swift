/// One source text, by the path shown to people.
package final class SourceFile: Sendable, Hashable {
    package let path: String
    package let text: [UInt8]
    private let lineStarts: [Int]

    package init(path: String, text: [UInt8]) {
        self.path = path
        self.text = text
        var starts = [0]
        for (offset, byte) in text.enumerated() where byte == UInt8(ascii: "\n") { starts.append(offset + 1) }
        lineStarts = starts
    }

    package func position(atOffset offset: Int) -> SourcePosition {
        var low = 0
        var high = lineStarts.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if lineStarts[middle] <= offset { low = middle } else { high = middle }
        }
        let column = text[lineStarts[low]..<max(lineStarts[low], min(offset, text.count))].count { $0 & 0xC0 != 0x80 }
        return SourcePosition(line: low + 1, column: column + 1, offset: offset)
    }

    package static func == (left: SourceFile, right: SourceFile) -> Bool { left === right }
    package func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}

package struct SourcePosition: Sendable, Hashable {
    package let line: Int
    package let column: Int
    package let offset: Int
}

package struct SourceRange: Sendable, Hashable {
    package let file: SourceFile
    package let start: Int
    package let end: Int

    package init(file: SourceFile, start: Int, end: Int) {
        self.file = file
        self.start = start
        self.end = end
    }

    package var startPosition: SourcePosition { file.position(atOffset: start) }
    package var endPosition: SourcePosition { file.position(atOffset: end) }
}

package struct Diagnostic: Sendable, Hashable {
    package enum Severity: String, Sendable, Hashable { case error, warning, note }
    package struct Related: Sendable, Hashable {
        package let range: SourceRange
        package let message: String
        package init(range: SourceRange, message: String) {
            self.range = range
            self.message = message
        }
    }
    package var severity: Severity
    package var code: String
    package var summary: String
    package var detail: String
    package var range: SourceRange?
    package var related: [Related]
    package var hint: String?

    package init(
        _ severity: Severity = .error, code: String, summary: String, detail: String, at range: SourceRange? = nil,
        related: [Related] = [], hint: String? = nil
    ) {
        self.severity = severity
        self.code = code
        self.summary = summary
        self.detail = detail
        self.range = range
        self.related = related
        self.hint = hint
    }
}

package enum Suggestion {
    package static func closest(to name: String, among candidates: [String]) -> String? {
        candidates.first { $0.lowercased() == name.lowercased() }
    }
}
