/// Text from the network, made fit for an error message.
package enum Redaction {
    /// The first words of a body that was not understood: markup, scripts and control characters are gone, runs of
    /// blanks are one, and everything that could be a key, a token or a signature is `•••`.
    ///
    /// - Parameter limit: the most characters to return.
    package static func excerpt(_ body: some Collection<UInt8>, limit: Int = 120) -> String {
        // A page's first words are near its beginning; what is cut here would not be shown.
        let text = String(decoding: body.prefix(16 << 10), as: UTF8.self)
        let words = withoutMarkup(text).split { $0.isWhitespace || $0.isNewline }.lazy.map { masked($0) }
        var result = ""
        for word in words {
            let next = result.isEmpty ? word : "\(result) \(word)"
            guard next.count <= limit else { return result.isEmpty ? "\(word.prefix(limit))…" : result + " …" }
            result = next
        }
        return result
    }

    private static func withoutMarkup(_ text: String) -> String {
        var result = ""
        var rest = text[...]
        while let open = rest.firstIndex(of: "<") {
            result += rest[..<open]
            let tag = rest[open...].dropFirst().prefix(6).lowercased()
            rest = rest[open...]
            for element in ["script", "style"] where tag.hasPrefix(element) {
                rest = after("</\(element)", in: rest)
            }
            guard let close = rest.firstIndex(of: ">") else { return result }
            rest = rest[rest.index(after: close)...]
            result += " "
        }
        return String((result + rest).unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7f ? " " : Character($0) })
    }

    private static func after(_ mark: String, in text: Substring) -> Substring {
        var rest = text
        while !rest.isEmpty, rest.prefix(mark.count).lowercased() != mark { rest = rest.dropFirst() }
        return rest
    }

    /// Long runs of letters with digits are identifiers or secrets: neither helps, and one of them harms.
    private static func masked(_ word: Substring) -> String {
        func isKeyLike(_ run: Substring) -> Bool {
            run.count >= 16 && run.contains { $0.isNumber } && run.contains { $0.isLetter }
        }
        let isPart = { (character: Character) in
            character.isLetter || character.isNumber || "+/_-%~".contains(character)
        }
        var result = ""
        var rest = word
        while let first = rest.first {
            let run = isPart(first) ? rest.prefix { isPart($0) } : rest.prefix { !isPart($0) }
            result += isKeyLike(run) ? "•••" : run
            rest = rest[run.endIndex...]
        }
        return result
    }
}
