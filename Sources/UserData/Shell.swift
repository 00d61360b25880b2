/// The words of a POSIX shell.
enum Shell {
    /// A quote inside of quotes.
    static let quoteInside = "'\\''"

    /// One word: as it is where no shell would touch it, else in quotes.
    static func quoted(_ text: String) -> String {
        if !text.isEmpty, text.utf8.allSatisfy(isPlain) { return text }
        return "'" + text.replacing("'", with: quoteInside) + "'"
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: Array("_-./:@%+,".utf8).contains(byte)
        }
    }

    /// A file that a script writes, from a here-document that leaves everything as it is.
    ///
    /// - Parameter mode: as `chmod` takes it; the file never has more rights than that, not for an instant.
    static func file(_ path: String, mode: String, _ content: Text) -> Text {
        var word = "MUSTER_EOF"
        while content.mentions(word) { word += "_" }
        return """
            cat >\(quoted(path)) <<'\(word)'
            \(content)\(word)
            chmod \(mode) \(quoted(path))

            """
    }
}
