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

/// Parts of a query string (RFC 3986).
enum Query {
    private static let digits = Array("0123456789ABCDEF".utf8)

    static func encoded(_ text: String) -> String {
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                bytes.append(byte)
            default: bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
