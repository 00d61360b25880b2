/// Finds expressions that YAML does not read as one value because they are not quoted, or not well.
///
/// It is run only on a file that YAML refused, or cut in the middle of an expression. It follows YAML's tokens roughly:
/// what it mistakes can make a complaint worse, but never make a good file a bad one.
enum UnquotedExpressions {
    struct Finding {
        enum Reason {
            /// Braces end an unquoted value inside `{…}` and `[…]`.
            case flow
            /// `: ` makes a key of what stands before it.
            case colon
            /// ` #` begins a comment.
            case comment
            /// The first quote inside the expression ends the value.
            case innerQuotes

            /// Whether YAML may read something else without complaint.
            var isSilent: Bool { self == .colon || self == .comment }
        }
        let reason: Reason
        /// `${…}`
        let expression: Range<Int>
        /// The value of which the expression is a part, on one line, with quotes if it has them.
        let scalar: Range<Int>
        /// The same without quotes.
        let content: Range<Int>
    }

    static func find(in text: [UInt8]) -> [Finding] {
        text.withUnsafeBufferPointer { bytes in
            var scanner = Scanner(bytes: bytes)
            scanner.run()
            return scanner.findings
        }
    }

    /// Whether the text has `${` without its `}`. `$${` is a literal.
    static func isOpen(in bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        var index = 0
        while let dollar = bytes[index...].firstIndex(of: Byte.dollar), dollar + 1 < bytes.count {
            index = dollar + 1
            guard bytes[index] == Byte.openBrace else {
                if bytes[index] == Byte.dollar, index + 1 < bytes.count, bytes[index + 1] == Byte.openBrace {
                    index += 2
                }
                continue
            }
            guard let end = end(ofExpressionAt: dollar, in: bytes) else { return true }
            index = end
        }
        return false
    }

    /// The offset after the `}` that belongs to a `${`, on the same line, or nil. Braces in strings do not count.
    static func end(ofExpressionAt start: Int, in bytes: UnsafeBufferPointer<UInt8>) -> Int? {
        // A line can be megabytes of `${`, and each looks for its end.
        let limit = min(bytes.count, start + 4096)
        var depth = 0
        var index = start + 1
        while index < limit, !bytes[index].isLineBreak {
            switch bytes[index] {
            case Byte.openBrace: depth += 1
            case Byte.closeBrace:
                depth -= 1
                if depth == 0 { return index + 1 }
            case Byte.doubleQuote, Byte.singleQuote:
                let quote = bytes[index]
                index += 1
                while index < limit, bytes[index] != quote {
                    if bytes[index].isLineBreak { return nil }
                    index += bytes[index] == Byte.backslash ? 2 : 1
                }
            default: break
            }
            index += 1
        }
        return nil
    }

    private struct Scanner {
        let bytes: UnsafeBufferPointer<UInt8>
        var findings: [Finding] = []
        private var index = 0
        private var flowDepth = 0

        init(bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

        mutating func run() {
            while index < bytes.count {
                switch bytes[index] {
                case let byte where byte.isBlank || byte.isLineBreak: index += 1
                case Byte.hash where isAfterBlank(index): skipLine()
                case Byte.doubleQuote: doubleQuoted()
                case Byte.singleQuote: singleQuoted()
                case Byte.openBrace, Byte.openBracket:
                    flowDepth += 1
                    index += 1
                case Byte.closeBrace where flowDepth > 0, Byte.closeBracket where flowDepth > 0:
                    flowDepth -= 1
                    index += 1
                case Byte.comma where flowDepth > 0: index += 1
                case Byte.colon where isIndicator(index), Byte.dash where isIndicator(index),
                    Byte.question where isIndicator(index):
                    index += 1
                case Byte.ampersand, Byte.asterisk, Byte.exclamation: skipWord()
                case Byte.bar where flowDepth == 0, Byte.greater where flowDepth == 0: blockScalar()
                default: plain()
                }
            }
        }

        private func byte(at index: Int) -> UInt8? { index < bytes.count ? bytes[index] : nil }

        private func isAfterBlank(_ index: Int) -> Bool {
            index == 0 || bytes[index - 1].isBlank || bytes[index - 1].isLineBreak
        }

        /// Whether `:`, `-` or `?` here is YAML's and not a part of a word.
        private func isIndicator(_ index: Int) -> Bool {
            guard let next = byte(at: index + 1) else { return true }
            return next.isBlank || next.isLineBreak || (flowDepth > 0 && next.isFlowIndicator)
        }

        private mutating func skipLine() {
            while index < bytes.count, !bytes[index].isLineBreak { index += 1 }
        }

        private mutating func skipWord() {
            while let byte = byte(at: index), !byte.isBlank, !byte.isLineBreak, flowDepth == 0 || !byte.isFlowIndicator
            {
                index += 1
            }
        }

        private mutating func singleQuoted() {
            index += 1
            while index < bytes.count {
                if bytes[index] == Byte.singleQuote {
                    index += 1
                    if byte(at: index) != Byte.singleQuote { return }
                }
                index += 1
            }
        }

        private mutating func doubleQuoted() {
            let start = index
            index += 1
            while index < bytes.count, bytes[index] != Byte.doubleQuote {
                index += bytes[index] == Byte.backslash ? 2 : 1
            }
            index = min(index + 1, bytes.count)
            guard let next = byte(at: index), !next.isBlank, !next.isLineBreak, !next.isFlowIndicator,
                next != Byte.colon
            else { return }
            // Text right behind the quote: was it an inner one, as in "${dns["name"].fqdn}"?
            var dollar = start + 1
            while dollar + 1 < index, bytes[dollar] != Byte.dollar || bytes[dollar + 1] != Byte.openBrace {
                dollar += 1
            }
            guard dollar + 1 < index, let end = UnquotedExpressions.end(ofExpressionAt: dollar, in: bytes), end > index
            else { return }
            var close = end
            while let byte = byte(at: close), !byte.isLineBreak, byte != Byte.doubleQuote { close += 1 }
            guard byte(at: close) == Byte.doubleQuote else { return }
            findings.append(
                Finding(
                    reason: .innerQuotes, expression: dollar..<end, scalar: start..<(close + 1),
                    content: (start + 1)..<close))
            index = close + 1
        }

        private mutating func blockScalar() {
            var lineStart = index
            while lineStart > 0, !bytes[lineStart - 1].isLineBreak { lineStart -= 1 }
            let parentIndentation = indentation(ofLineAt: lineStart)
            skipLine()
            var contentIndentation: Int?
            while index < bytes.count {
                index += 1
                let columns = indentation(ofLineAt: index)
                guard let first = byte(at: index + columns), !first.isLineBreak else {
                    index = min(index + columns, bytes.count)
                    continue
                }
                if columns <= parentIndentation || columns < contentIndentation ?? 0 { return }
                contentIndentation = contentIndentation ?? columns
                skipLine()
            }
        }

        private func indentation(ofLineAt start: Int) -> Int {
            var index = start
            while byte(at: index) == Byte.space { index += 1 }
            return index - start
        }

        private mutating func plain() {
            let start = index
            var end = index
            var found: (expression: Range<Int>, reason: Finding.Reason)?
            scan: while let byte = byte(at: index), !byte.isLineBreak {
                if byte == Byte.dollar, let (expression, isLiteral) = expression() {
                    if let reason = reason(expression, isLiteral: isLiteral), found == nil {
                        found = (expression, reason)
                    }
                    index = expression.upperBound
                    end = index
                    continue
                }
                switch byte {
                case Byte.colon where isIndicator(index), Byte.hash where isAfterBlank(index): break scan
                case let byte where flowDepth > 0 && byte.isFlowIndicator: break scan
                default: break
                }
                index += 1
                if !byte.isBlank { end = index }
            }
            if let found {
                findings.append(
                    Finding(
                        reason: found.reason, expression: found.expression, scalar: start..<end, content: start..<end))
            }
            if index == start { index += 1 }
        }

        /// `${…}` or the literal `$${…}` at the index.
        private func expression() -> (Range<Int>, isLiteral: Bool)? {
            let isLiteral = byte(at: index + 1) == Byte.dollar && byte(at: index + 2) == Byte.openBrace
            let dollar = isLiteral ? index + 1 : index
            guard byte(at: dollar + 1) == Byte.openBrace,
                let end = UnquotedExpressions.end(ofExpressionAt: dollar, in: bytes)
            else { return nil }
            return (index..<end, isLiteral)
        }

        private func reason(_ expression: Range<Int>, isLiteral: Bool) -> Finding.Reason? {
            if flowDepth > 0 { return .flow }
            if isLiteral { return nil }
            for offset in expression {
                if bytes[offset] == Byte.colon, isIndicator(offset) { return .colon }
                if bytes[offset] == Byte.hash, bytes[offset - 1].isBlank { return .comment }
            }
            return nil
        }
    }
}
