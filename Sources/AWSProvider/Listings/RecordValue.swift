/// The values of records: as people write them, and as Route 53 keeps them.
enum RecordValue {
    /// The same for values that mean the same.
    static func plain(_ value: String, _ type: String) -> String {
        switch type {
        case "CNAME", "NS", "PTR": DNSName.readable(value)
        case "AAAA": canonicalAddress(value)
        default: isText(type) ? unquoted(value) : value.lowercased()
        }
    }

    /// A value in the form in which it was written, if it means the same; else as people write it.
    static func shown(_ value: String, _ type: String, as written: [String]?) -> String {
        if let same = written?.first(where: { plain($0, type) == plain(value, type) }) { return same }
        return isText(type) ? unquoted(value) : value
    }

    /// Route 53 keeps texts quoted, in strings of at most 255 bytes, with what is not ASCII in octal. What is quoted
    /// already is sent as it is.
    static func quoted(_ value: String, _ type: String) -> String {
        guard isText(type), !value.hasPrefix("\"") else { return value }
        var pieces: [String] = []
        var rest = Array(value.utf8)[...]
        repeat {
            let piece = rest.prefix(255).map { byte in
                switch byte {
                case UInt8(ascii: "\""), UInt8(ascii: "\\"): "\\" + String(UnicodeScalar(byte))
                case 0x20...0x7e: String(UnicodeScalar(byte))
                default: OctalEscapes.encode(byte)
                }
            }
            rest = rest.dropFirst(255)
            pieces.append("\"" + piece.joined() + "\"")
        } while !rest.isEmpty
        return pieces.joined(separator: " ")
    }

    private static func isText(_ type: String) -> Bool { type == "TXT" || type == "SPF" }

    /// The text of strings in quotes.
    private static func unquoted(_ value: String) -> String {
        guard value.hasPrefix("\"") else { return value }
        var bytes: [UInt8] = []
        var isInside = false
        var rest = Array(value.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "\\") {
                if let escaped = OctalEscapes.decode(rest.prefix(3)) {
                    bytes.append(escaped)
                    rest = rest.dropFirst(3)
                } else if let next = rest.popFirst() {
                    bytes.append(next)
                }
            } else if byte == UInt8(ascii: "\"") {
                isInside.toggle()
            } else if isInside {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
