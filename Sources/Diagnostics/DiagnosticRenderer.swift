/// Diagnostics as text for people, in this form:
///
/// ```
/// error[spec.unknown-argument]: Unknown argument
///   --> specs/prod/storage.yaml:14:5
/// 14 |     versionned: true
///    |     ^^^^^^^^^^ "versionned" is not an argument of aws.s3_bucket
///    = hint: Did you mean "versioned"?
/// ```
///
/// A detail too long to stand beside the carets is wrapped below them. Related places follow with `:::` and dashes. Of a
/// range over several lines the first line is shown, of a very long line the part around the place. All text is
/// neutralised (see `DisplayText`): nothing from a spec or a server can command the terminal. Pure.
package struct DiagnosticRenderer: Sendable {
    private let isColoured: Bool
    private let basePrefix: String

    /// How wide the text of a snippet, and a message beside or below it, may get, in terminal cells.
    private static let snippetWidth = 100
    private static let messageWidth = 120

    /// - Parameter isColoured: whether to add ANSI colours. The caller decides; nothing is read from the environment.
    /// - Parameter baseDirectory: paths below it are shown relative to it.
    package init(isColoured: Bool, baseDirectory: String? = nil) {
        self.isColoured = isColoured
        self.basePrefix = baseDirectory.map { $0.hasSuffix("/") ? $0 : $0 + "/" } ?? ""
    }

    /// All diagnostics, each once, by place, with an empty line between them; empty for none.
    package func render(_ diagnostics: some Sequence<Diagnostic>) -> String {
        diagnostics.sortedByPlace().map(render).joined(separator: "\n")
    }

    /// One diagnostic, several lines, the last one ended.
    package func render(_ diagnostic: Diagnostic) -> String {
        let severity = Style(diagnostic.severity)
        let snippet = diagnostic.range.map(Snippet.init)
        let related = diagnostic.related.map { (Snippet($0.range), $0) }
        let lines = [snippet?.line ?? 0] + related.map(\.0.line)
        let gutterWidth = snippet == nil && related.isEmpty ? 1 : String(lines.max() ?? 0).count
        let gutter = Gutter(width: gutterWidth, paint: { paint($0, .gutter) })

        var out = paint("\(diagnostic.severity.rawValue)[\(diagnostic.code)]", severity)
        out += paint(": \(DisplayText.neutralised(diagnostic.summary))", .strong) + "\n"
        var detail = diagnostic.detail
        if let snippet, let range = diagnostic.range {
            out += gutter.arrow("-->") + place(range) + "\n"
            let isBeside =
                !detail.contains("\n")
                && gutterWidth + 3 + snippet.messageColumn + 1
                    + DisplayText.width(of: DisplayText.neutralised(detail)) <= Self.messageWidth
            out += gutter.source(snippet)
            out += gutter.underline(snippet, "^", isBeside ? detail : "") { paint($0, severity) }
            if isBeside { detail = "" }
        }
        for (snippet, related) in related {
            out += gutter.arrow(":::") + place(related.range) + "\n"
            out += gutter.source(snippet)
            out += gutter.underline(snippet, "-", related.message) { paint($0, .gutter) }
        }
        if !detail.isEmpty { out += note(detail, label: "", gutter) }
        if let hint = diagnostic.hint { out += note(hint, label: "hint: ", gutter) }
        return out
    }

    private func place(_ range: SourceRange) -> String {
        let position = range.startPosition
        var path = range.file.path[...]
        if !basePrefix.isEmpty, path.hasPrefix(basePrefix) { path = path.dropFirst(basePrefix.count) }
        return "\(DisplayText.neutralised(path)):\(position.line):\(position.column)"
    }

    private func note(_ text: String, label: String, _ gutter: Gutter) -> String {
        let indent = gutter.width + 3
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).flatMap {
            Self.wrapped(DisplayText.neutralised($0), width: Self.messageWidth - indent - label.count)
        }
        var out = ""
        for (index, line) in lines.enumerated() {
            if index == 0 {
                out += gutter.empty("= ") + paint(label, .strong) + line + "\n"
            } else {
                out += line.isEmpty ? "\n" : String(repeating: " ", count: indent) + line + "\n"
            }
        }
        return out
    }

    /// Breaks a line at spaces where it would get too wide. Its own indentation is kept for all parts.
    private static func wrapped(_ line: String, width: Int) -> [String] {
        guard DisplayText.width(of: line) > width else { return [line] }
        let indentation = line.prefix { $0 == " " }
        var lines: [String] = []
        var current = String(indentation)
        var isFirstWord = true
        for word in line.dropFirst(indentation.count).split(separator: " ") {
            if !isFirstWord, DisplayText.width(of: current) + 1 + DisplayText.width(of: word) > width {
                lines.append(current)
                current = String(indentation)
                isFirstWord = true
            }
            if !isFirstWord { current += " " }
            current += word
            isFirstWord = false
        }
        lines.append(current)
        return lines
    }

    // MARK: - Colours

    private enum Style: String {
        case error = "1;31"
        case warning = "1;33"
        case note = "1;36"
        case gutter = "34"
        case strong = "1"

        init(_ severity: Diagnostic.Severity) {
            switch severity {
            case .error: self = .error
            case .warning: self = .warning
            case .note: self = .note
            }
        }
    }

    private func paint(_ text: String, _ style: Style) -> String {
        isColoured && !text.isEmpty ? "\u{1B}[\(style.rawValue)m\(text)\u{1B}[0m" : text
    }

    /// The column of line numbers at the left.
    private struct Gutter {
        let width: Int
        let paint: (String) -> String

        func arrow(_ arrow: String) -> String { String(repeating: " ", count: width) + paint(arrow) + " " }

        func empty(_ mark: String) -> String { String(repeating: " ", count: width + 1) + paint(mark) }

        func source(_ snippet: Snippet) -> String {
            let number = String(snippet.line)
            let label = String(repeating: " ", count: max(0, width - number.count)) + number + " |"
            return paint(label) + (snippet.text.isEmpty ? "" : " " + snippet.text) + "\n"
        }

        func underline(_ snippet: Snippet, _ mark: Character, _ message: String, colour: (String) -> String) -> String {
            let marks = String(repeating: mark, count: snippet.markLength)
            let message = message.isEmpty ? "" : " " + DisplayText.neutralised(message)
            return empty("|") + String(repeating: " ", count: snippet.markColumn + 1) + colour(marks + message) + "\n"
        }
    }

    // MARK: - Snippets

    /// The shown part of the line in which a range starts.
    private struct Snippet {
        let line: Int
        let text: String
        /// Where the marks start, and how many they are, in cells from the start of `text`.
        let markColumn: Int
        let markLength: Int
        var messageColumn: Int { markColumn + markLength }

        private struct Cell {
            let text: String
            let width: Int
            let isMarked: Bool
        }

        init(_ range: SourceRange) {
            line = range.startPosition.line
            let bytes = range.file.bytes(ofLine: line) ?? 0..<0
            let start = min(max(range.start, bytes.lowerBound), bytes.upperBound)
            // A line can be megabytes long, so only the neighbourhood is looked at.
            let window = max(bytes.lowerBound, start - 512)..<min(bytes.upperBound, start + 1024)
            let cells = Self.cells(range.file.text[window], marked: start..<max(range.end, start))
            let leading = cells.prefix { !$0.isMarked }
            let isEmpty = leading.count == cells.count
            let before =
                isEmpty
                ? Self.cells(range.file.text[window.lowerBound..<start], marked: 0..<0) : Array(leading)
            let column = before.reduce(0) { $0 + $1.width }
            let length = max(1, cells.reduce(0) { $0 + ($1.isMarked ? $1.width : 0) })
            let total = cells.reduce(0) { $0 + $1.width }

            let width = DiagnosticRenderer.snippetWidth
            let isCutBefore =
                window.lowerBound > bytes.lowerBound || (total > width && column + min(length, width / 2) >= width)
            let left = isCutBefore ? max(0, column - 40) : 0
            let ellipsis = isCutBefore ? 1 : 0
            var text = isCutBefore ? "…" : ""
            var cell = 0
            var shown = 0
            var isCutAfter = window.upperBound < bytes.upperBound
            for next in cells {
                defer { cell += next.width }
                if cell < left { continue }
                if shown + next.width > width {
                    isCutAfter = true
                    break
                }
                text += next.text
                shown += next.width
            }
            if isCutAfter { text += "…" }
            while text.last == " " { text.removeLast() }
            self.text = text
            markColumn = column - left + ellipsis
            markLength = min(length, max(1, width - (column - left)))
        }

        private static func cells(_ bytes: ArraySlice<UInt8>, marked: Range<Int>) -> [Cell] {
            var cells: [Cell] = []
            var index = bytes.startIndex
            // The window may start inside a character.
            while index < bytes.endIndex, index > 0, bytes[index] & 0xC0 == 0x80, index - bytes.startIndex < 3 {
                index += 1
            }
            while index < bytes.endIndex {
                let (scalar, length) = decode(bytes[index...])
                let text: String
                if scalar == "\t" {
                    text = "    "
                } else {
                    text = DisplayText.replacement(for: scalar) ?? String(Character(scalar))
                }
                cells.append(
                    Cell(text: text, width: DisplayText.width(of: text), isMarked: marked.contains(index)))
                index += length
            }
            return cells
        }

        /// The first scalar and its length in bytes; a byte that belongs to none is shown as `U+FFFD`.
        private static func decode(_ bytes: ArraySlice<UInt8>) -> (Unicode.Scalar, Int) {
            let replacement: (Unicode.Scalar, Int) = ("\u{FFFD}", 1)
            guard let lead = bytes.first else { return replacement }
            let length: Int
            switch lead {
            case 0x00...0x7F: return (Unicode.Scalar(lead), 1)
            case 0xC2...0xDF: length = 2
            case 0xE0...0xEF: length = 3
            case 0xF0...0xF4: length = 4
            default: return replacement
            }
            guard bytes.count >= length else { return replacement }
            let text = String(decoding: bytes.prefix(length), as: UTF8.self).unicodeScalars
            guard text.count == 1, let scalar = text.first, scalar != "\u{FFFD}" || lead == 0xEF else {
                return replacement
            }
            return (scalar, length)
        }
    }
}
