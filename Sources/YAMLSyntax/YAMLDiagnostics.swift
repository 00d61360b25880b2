// Every complaint about YAML, in plain words: libyaml's own say what its grammar missed, not what a person did.

import Diagnostics

extension Diagnostic {
    // MARK: - Files

    static func tooLarge(_ file: SourceFile, limit: Int) -> Self {
        let size = Double(file.text.count) / Double(1 << 20)
        return Diagnostic(
            code: "yaml.too-large", summary: "File too large",
            detail: "The file is \((size * 10).rounded() / 10) MiB; muster reads at most \(limit >> 20) MiB.",
            at: file.range(0, 0), hint: "Split it into several specs, or check that this is the right file.")
    }

    static func byteOrderMark(_ range: SourceRange, encoding: String) -> Self {
        Diagnostic(
            code: "yaml.byte-order-mark", summary: "Byte order mark",
            detail: "The file begins with the byte order mark of \(encoding).", at: range,
            hint: "Save it as UTF-8 without a byte order mark.")
    }

    static func tooDeep(_ range: SourceRange, limit: Int) -> Self {
        Diagnostic(
            code: "yaml.too-deep", summary: "Nested too deeply",
            detail: "More than \(limit) lists and mappings are inside each other here.", at: range)
    }

    static func tooManyNodes(_ range: SourceRange, limit: Int) -> Self {
        Diagnostic(
            code: "yaml.too-many-values", summary: "Too many values",
            detail: "The file has more than \(limit) keys and values.", at: range,
            hint: "Split it into several specs.")
    }

    static func aliasBomb(_ range: SourceRange, limit: Int) -> Self {
        Diagnostic(
            code: "yaml.too-many-aliases", summary: "Aliases expand to too much",
            detail: "With this alias, the aliases of the file stand for more than \(limit) keys and values.", at: range,
            hint: "Aliases of values that hold aliases multiply. Repeat less, or use a variable.")
    }

    static func severalDocuments(_ range: SourceRange) -> Self {
        Diagnostic(
            code: "yaml.several-documents", summary: "Several documents",
            detail: "A second YAML document begins here; a file holds one.", at: range,
            hint: "Move it to a file of its own, or remove the \"---\".")
    }

    static func moreProblems(than limit: Int, at range: SourceRange) -> Self {
        Diagnostic(
            .note, code: "yaml.more-problems", summary: "More problems",
            detail: "Only the first \(limit) problems of this file are shown.", at: range)
    }

    // MARK: - Keys and values

    static func duplicateKey(_ key: String, at range: SourceRange, first: SourceRange) -> Self {
        Diagnostic(
            code: "yaml.duplicate-key", summary: "Duplicate key",
            detail: "\(key.quoted) is a key of this mapping already.", at: range,
            related: [.init(range: first, message: "first declared here")], hint: "Remove or rename one of them.")
    }

    static func duplicateMerge(at range: SourceRange, first: SourceRange) -> Self {
        Diagnostic(
            code: "yaml.duplicate-key", summary: "Duplicate key", detail: "This mapping has a merge key already.",
            at: range, related: [.init(range: first, message: "first declared here")],
            hint: "Merge several mappings with a list: \"<<: [*one, *two]\".")
    }

    static func mergeIsNotMapping(_ range: SourceRange) -> Self {
        Diagnostic(
            code: "yaml.merge", summary: "Merge of something other than a mapping",
            detail: "\"<<\" merges a mapping or a list of mappings, and this is neither.", at: range,
            hint: "Quote it, \"<<\", if it is meant to be an ordinary key.")
    }

    static func keyIsNotScalar(_ range: SourceRange) -> Self {
        let isTemplate = range.file.text[..<range.start].last == Byte.openBrace
        return Diagnostic(
            code: "yaml.key-not-text", summary: "Key is not text",
            detail: "A list or a mapping stands where a key is expected.", at: range,
            hint: isTemplate ? "Expressions are written \"${…}\", in quotes." : nil)
    }

    static func missingKey(_ range: SourceRange) -> Self {
        Diagnostic(
            code: "yaml.missing-key", summary: "Missing key", detail: "There is a value here, but no key before it.",
            at: range.isEmpty ? range.file.word(at: range.start) : range, hint: "Write \"\" for an empty key.")
    }

    static func missingValue(_ key: String, at range: SourceRange) -> Self {
        let looksLikeExpression = key.contains(".") || key.contains("(")
        return Diagnostic(
            code: "yaml.missing-value", summary: "Missing value",
            detail: "Inside braces, \(key.quoted) is a key, and has no value.", at: range,
            hint: looksLikeExpression
                ? "If it is an expression, write \"${\(key)}\", in quotes."
                : "Write \"\(key): …\", or use brackets for a list.")
    }

    static func tag(_ range: SourceRange) -> Self {
        Diagnostic(
            code: "yaml.tag", summary: "Tags are not supported",
            detail: "\(range.text.quoted) is a YAML tag. muster knows from the schema what a value is.", at: range,
            hint: "Remove it, or quote the value if the \"!\" belongs to it.")
    }

    static func unknownAlias(_ name: String, at range: SourceRange, known: some Sequence<String>) -> Self {
        Diagnostic(
            code: "yaml.unknown-alias", summary: "Unknown alias",
            detail: "No anchor \("&\(name)".quoted) stands above this alias.", at: range,
            hint: Suggestion.closest(to: name, among: known).map { "Did you mean \("*\($0)".quoted)?" }
                ?? "Quote the value if the \"*\" belongs to it.")
    }

    static func recursiveAlias(_ name: String, at range: SourceRange, anchored: SourceRange) -> Self {
        Diagnostic(
            code: "yaml.recursive-alias", summary: "Alias inside its own value",
            detail: "\("*\(name)".quoted) stands inside the value that \("&\(name)".quoted) names.", at: range,
            related: [.init(range: anchored, message: "the value begins here")])
    }

    // MARK: - Expressions

    static func unquotedExpression(_ finding: UnquotedExpressions.Finding, in file: SourceFile) -> Self {
        let value = file.range(finding.content.lowerBound, finding.content.upperBound).text
        let detail =
            switch finding.reason {
            case .flow: "Inside {…} and […], the braces of an unquoted expression are YAML's."
            case .colon: "YAML takes what stands before the \": \" in this expression for a key."
            case .comment: "YAML takes the rest of the line, from \" #\", for a comment."
            case .innerQuotes: "The quotes inside the expression end the value."
            }
        return Diagnostic(
            code: "yaml.unquoted-expression", summary: "Quote this expression", detail: detail,
            at: file.range(finding.expression.lowerBound, finding.expression.upperBound),
            hint: value.utf8.count > 200 ? "Put quotes around the whole value." : "Write \(inQuotes(value))")
    }

    private static func inQuotes(_ value: String) -> String {
        if !value.contains("\""), !value.contains("\\") { return "\"\(value)\"" }
        if !value.contains("'") { return "'\(value)'" }
        var escaped = ""
        for character in value {
            if character == "\"" || character == "\\" { escaped += "\\" }
            escaped.append(character)
        }
        return "\"\(escaped)\""
    }

    // MARK: - What libyaml found

    /// A failure of libyaml in words for people.
    ///
    /// - Parameter lastQuoted: the last quoted value before it, which may be what is really wrong.
    static func syntax(
        _ failure: EventReader.Failure, after lastQuoted: SourceRange?, in file: SourceFile
    ) -> Self {
        switch failure.source {
        case .memory:
            return Diagnostic(
                code: "yaml.memory", summary: "Out of memory", detail: "There was no memory to read the file.",
                at: file.range(0, 0))
        case .reader: return encoding(failure, in: file)
        case .syntax:
            var diagnostic = grammar(failure, in: file)
            // A quote that is not closed ends at the next one, in the middle of another value.
            if let lastQuoted, diagnostic.code != "yaml.unclosed-quote", let range = diagnostic.range,
                lastQuoted.startPosition.line < lastQuoted.endPosition.line,
                range.startPosition.line == lastQuoted.endPosition.line
            {
                diagnostic.related.append(
                    Related(
                        range: file.range(lastQuoted.start, lastQuoted.start + 1),
                        message: "the quoted value before it begins here: is it closed where it should be?"))
            }
            return diagnostic
        }
    }

    private static func encoding(_ failure: EventReader.Failure, in file: SourceFile) -> Self {
        let offset = min(failure.offset, max(0, file.text.count - 1))
        let byte = file.text.isEmpty ? 0 : file.text[offset]
        if failure.problem == "control characters are not allowed" || byte == 0 {
            var end = offset + 1
            while end < file.text.count, file.text[end] & 0xC0 == 0x80 { end += 1 }
            let range = file.range(offset, end)
            if byte == 0 {
                return Diagnostic(
                    code: "yaml.control-character", summary: "Control character",
                    detail: "There is a NUL byte here, so this is not a text file in UTF-8.", at: range,
                    hint: "Save it as UTF-8.")
            }
            let value = range.text.unicodeScalars.first?.value ?? 0
            let number = String(value, radix: 16, uppercase: true)
            let padded = String(repeating: "0", count: max(0, 4 - number.count)) + number
            return Diagnostic(
                code: "yaml.control-character", summary: "Control character",
                detail: "The character U+\(padded) may not stand in YAML.", at: range,
                hint: "Remove it, or write it as an escape in double quotes: \"\\u\(padded)\".")
        }
        let hexadecimal = String(byte, radix: 16, uppercase: true)
        return Diagnostic(
            code: "yaml.encoding", summary: "Not UTF-8",
            detail: "The byte 0x\(byte < 16 ? "0" : "")\(hexadecimal) here is not a part of UTF-8 text.",
            at: file.range(offset, offset + 1), hint: "Save the file as UTF-8.")
    }

    private static func grammar(_ failure: EventReader.Failure, in file: SourceFile) -> Self {
        let offset = min(failure.offset, file.text.count)
        let byte = offset < file.text.count ? file.text[offset] : 0
        let word = file.word(at: offset)
        let contextWord = failure.contextOffset.map { file.word(at: $0) }

        if failure.problem.contains("found a tab character")
            || (byte == Byte.tab && failure.problem == "found character that cannot start any token")
        {
            return Diagnostic(
                code: "yaml.tab", summary: "Tab in indentation", detail: "YAML is indented with spaces only.",
                at: file.range(offset, offset + 1), hint: "Replace the tab by spaces.")
        }
        switch (failure.context, failure.problem) {
        case ("while scanning a simple key", _): return missingColon(at: contextWord ?? word, in: file)
        case (_, "mapping values are not allowed in this context"): return unexpectedColon(at: offset, in: file)
        case (_, "block sequence entries are not allowed in this context"):
            return Diagnostic(
                code: "yaml.syntax", summary: "Unexpected list item", detail: "A list cannot begin here.",
                at: file.range(offset, offset + 1), hint: "Write each \"- …\" on a line of its own, below the key.")
        case ("while scanning a quoted scalar", _):
            return Diagnostic(
                code: "yaml.unclosed-quote", summary: "Quote not closed",
                detail: "The text that begins with this quote does not end.",
                at: failure.contextOffset.map { file.range($0, $0 + 1) } ?? word,
                hint: "A quote inside double quotes is written \\\", inside single quotes ''.")
        case ("while parsing a quoted scalar", "found unknown escape character"):
            return Diagnostic(
                code: "yaml.escape", summary: "Unknown escape",
                detail: "\(file.range(offset, offset + 2).text.quoted) means nothing inside double quotes.",
                at: file.range(offset, offset + 2),
                hint: "Write \\\\ for a backslash, or use single quotes, where it is an ordinary character.")
        case ("while parsing a quoted scalar", _):
            return Diagnostic(
                code: "yaml.escape", summary: "Broken escape",
                detail: "\\x, \\u and \\U want two, four and eight hexadecimal digits of a valid character.", at: word)
        case ("while scanning an anchor", _), ("while scanning an alias", _):
            let range = contextWord ?? word
            return Diagnostic(
                code: "yaml.syntax", summary: "Not an anchor or alias",
                detail:
                    "A value that begins with \"&\" or \"*\" is an anchor or an alias, and this is no name for one.",
                at: range, hint: "Quote the value if the character belongs to it.")
        case ("while scanning a tag", _), ("while parsing a tag", _), (_, "found undefined tag handle"):
            return .tag(failure.contextOffset.map { file.tagWord(from: $0) } ?? word)
        case (_, "found character that cannot start any token"):
            return Diagnostic(
                code: "yaml.syntax", summary: "Reserved character",
                detail: "An unquoted value cannot begin with \(String(Character(Unicode.Scalar(byte))).quoted).",
                at: file.range(offset, offset + 1), hint: "Quote the value.")
        case ("while scanning a block scalar", _):
            return Diagnostic(
                code: "yaml.syntax", summary: "Broken block header",
                detail: "After \"|\" or \">\" only \"-\", \"+\", an indentation from 1 to 9 and a comment may follow.",
                at: word, hint: "The text begins on the next line. Quote the value if the character belongs to it.")
        case ("while parsing a flow mapping", _): return unclosedFlow(failure, word, close: "}", in: file)
        case ("while parsing a flow sequence", _): return unclosedFlow(failure, word, close: "]", in: file)
        case ("while parsing a block mapping", _) where byte == Byte.colon: return .missingKey(word)
        case ("while parsing a block mapping", _), ("while parsing a block collection", _):
            return wrongStructure(failure, word, in: file)
        case (_, "did not find expected <document start>"):
            return textAfterQuote(word)
                ?? Diagnostic(
                    code: "yaml.several-documents", summary: "Several documents",
                    detail: "What the file holds is complete above, and this comes after it.", at: word,
                    hint: "Keep one mapping in the file, not indented.")
        case ("while scanning a directive", _), ("while scanning a %YAML directive", _),
            ("while scanning a %TAG directive", _), (_, "found incompatible YAML document"),
            (_, "found duplicate %YAML directive"), (_, "found duplicate %TAG directive"):
            return Diagnostic(
                code: "yaml.directive", summary: "Directive not understood",
                detail: "A line that begins with \"%\" is a YAML directive, and this one is broken or not supported.",
                at: file.range(offset, offset).wholeLine, hint: "Remove it, or quote the value.")
        case ("while parsing a node", _), ("while parsing a block node", _), ("while parsing a flow node", _):
            return Diagnostic(
                code: "yaml.syntax", summary: "Missing value",
                detail: byte == 0
                    ? "The file ends where a value is expected."
                    : "A value is expected here, not \(word.text.quoted).", at: word)
        default:
            let sentence = failure.problem.isEmpty ? "it cannot be read" : failure.problem
            let context = failure.context.isEmpty ? "" : " \(failure.context)"
            return Diagnostic(
                code: "yaml.syntax", summary: "Not valid YAML", detail: "YAML's parser says\(context): \(sentence).",
                at: word)
        }
    }

    private static func missingColon(at word: SourceRange, in file: SourceFile) -> Self {
        let line = word.wholeLine
        let text = file.text[word.start..<max(line.end, word.start)]
        let isGlued = text.contains(Byte.colon)
        let content = file.range(word.start, line.end)
        return Diagnostic(
            code: "yaml.missing-colon", summary: "Missing colon",
            detail: "This line is not \"key: value\", as the lines around it are.", at: content,
            hint: isGlued ? "Write a space after the colon." : "Write a colon and a space after the key.")
    }

    private static func unexpectedColon(at offset: Int, in file: SourceFile) -> Self {
        let lineStart = file.range(offset, offset).wholeLine.start
        // An earlier ": " on the line makes this one a part of a value.
        var index = lineStart
        while index + 1 < offset, file.text[index] != Byte.colon || !file.text[index + 1].isBlank { index += 1 }
        if index + 1 >= offset, offset - lineStart > 1024 {
            return Diagnostic(
                code: "yaml.key-too-long", summary: "Key too long", detail: "A key has at most 1024 characters.",
                at: file.range(lineStart, offset).trimmed)
        }
        if index + 1 < offset {
            var start = index + 1
            while start < offset, file.text[start].isBlank { start += 1 }
            var end = file.range(offset, offset).wholeLine.end
            while end > start, file.text[end - 1].isBlank { end -= 1 }
            return Diagnostic(
                code: "yaml.unquoted-colon", summary: "Colon in an unquoted value",
                detail: "The \": \" in this value would make a key of what stands before it.",
                at: file.range(start, end),
                hint: "Quote the value.")
        }
        return Diagnostic(
            code: "yaml.indentation", summary: "Wrong indentation",
            detail: "A key cannot stand here: the line above is a value that goes on in this line.",
            at: file.range(lineStart, offset).trimmed, hint: "Indent it like the other keys of its mapping.")
    }

    private static func unclosedFlow(
        _ failure: EventReader.Failure, _ word: SourceRange, close: String, in file: SourceFile
    ) -> Self {
        let what = close == "}" ? "mapping" : "list"
        if word.start > 0, file.text[word.start - 1] == Byte.dollar, file.text[word.start...].first == Byte.openBrace {
            return Diagnostic(
                code: "yaml.unquoted-expression", summary: "Quote this expression",
                detail:
                    "Inside {…} and […], the braces of an unquoted expression are YAML's, and this one is not closed.",
                at: file.range(word.start - 1, word.end), hint: "Close it with \"}\", and put quotes around the value.")
        }
        let related = failure.contextOffset.map {
            [Related(range: file.range($0, $0 + 1), message: "the \(what) begins here")]
        }
        let isAtEnd = word.start >= file.text.count
        let found = isAtEnd ? "the file ends" : word.isEmpty ? "the line ends" : "there is \(word.text.quoted)"
        let isOnOneLine = failure.contextOffset.map { !file.text[$0..<word.start].contains(Byte.lineFeed) } ?? false
        return Diagnostic(
            code: "yaml.unclosed-bracket", summary: "Missing comma or bracket",
            detail: "In this \(what), \",\" or \"\(close)\" is expected, but \(found).", at: word,
            related: related ?? [],
            hint: isOnOneLine
                ? "Put a comma between entries, and quotes around values that contain any of , [ ] { }."
                : "Close it with \"\(close)\" before this.")
    }

    private static func wrongStructure(
        _ failure: EventReader.Failure, _ word: SourceRange, in file: SourceFile
    ) -> Self {
        if let diagnostic = textAfterQuote(word) { return diagnostic }
        let first = file.text[word.start..<word.end].first
        if first == Byte.closeBrace || first == Byte.closeBracket || first == Byte.comma {
            return Diagnostic(
                code: "yaml.syntax", summary: "Unexpected bracket",
                detail: "Nothing is open that \(word.text.quoted) could close or continue.", at: word)
        }
        if first == Byte.dash, word.end - word.start == 1 {
            return Diagnostic(
                code: "yaml.indentation", summary: "Wrong indentation",
                detail: "This list item stands in another column than the items above.", at: word,
                hint: "Begin each item with \"- \" in the same column.")
        }
        let what = failure.context == "while parsing a block collection" ? "list" : "mapping"
        let start = failure.contextOffset.map {
            [Related(range: file.word(at: $0), message: "the \(what) begins here, in this column")]
        }
        return Diagnostic(
            code: "yaml.indentation", summary: "Wrong indentation",
            detail: what == "list"
                ? "This belongs neither to the list item above nor is it a new one."
                : "This is neither a key of the mapping above nor a part of its last value.",
            at: word, related: start ?? [],
            hint: what == "list"
                ? "Indent it like the keys of the item above, or begin a new item with \"- \"."
                : "Indent all keys of a mapping alike.")
    }

    private static func textAfterQuote(_ word: SourceRange) -> Self? {
        let text = word.file.text
        let lineStart = word.wholeLine.start
        guard let before = text[lineStart..<word.start].last(where: { !$0.isBlank }),
            before == Byte.doubleQuote || before == Byte.singleQuote
        else { return nil }
        return Diagnostic(
            code: "yaml.text-after-quote", summary: "Text after a quoted value",
            detail: "The quoted value ends before this.", at: word,
            hint: "Put all of the value in quotes; inside double quotes, \\\" is a quote.")
    }
}

extension SourceRange {
    /// The line in which the range starts, without its break.
    var wholeLine: SourceRange {
        let line = file.bytes(ofLine: startPosition.line) ?? start..<end
        return file.range(line.lowerBound, line.upperBound)
    }

    /// Without blanks at both ends.
    var trimmed: SourceRange {
        var from = start
        var to = end
        while from < to, file.text[from].isBlank { from += 1 }
        while to > from, file.text[to - 1].isBlank { to -= 1 }
        return file.range(from, to)
    }
}

extension SourceFile {
    /// The tag at or after an offset, where an anchor may stand before it.
    fileprivate func tagWord(from offset: Int) -> SourceRange {
        let line = range(offset, offset).wholeLine
        let tag = text[offset..<max(offset, line.end)].firstIndex(of: Byte.exclamation)
        return word(at: tag ?? offset)
    }
}
