/// Splits a command as a POSIX shell would, without running one: blanks separate, quotes and backslashes protect.
/// Nothing is expanded.
enum ShellWords {
    /// `nil` for an unclosed quote or a backslash at the end.
    static func split(_ command: String) -> [String]? {
        var words: [String] = []
        var word: String?
        var quote: Character?
        var rest = command[...]
        while let character = rest.popFirst() {
            switch (quote, character) {
            case (nil, "\\"):
                guard let next = rest.popFirst() else { return nil }
                word = (word ?? "") + String(next)
            case (nil, "'"), (nil, "\""):
                quote = character
                word = word ?? ""
            case (nil, _) where character.isWhitespace:
                if let finished = word { words.append(finished) }
                word = nil
            case ("\""?, "\\"):
                guard let next = rest.popFirst() else { return nil }
                // Inside double quotes a backslash protects only these.
                word = (word ?? "") + ("\"\\$`".contains(next) ? String(next) : "\\\(next)")
            case (let open?, _) where open == character: quote = nil
            default: word = (word ?? "") + String(character)
            }
        }
        guard quote == nil else { return nil }
        if let word { words.append(word) }
        return words
    }
}
