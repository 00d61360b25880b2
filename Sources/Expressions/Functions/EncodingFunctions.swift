import MusterModel

/// Functions between values, texts and digests.
enum EncodingFunctions {
    static let all = [jsonEncode, jsonDecode, base64Encode, base64Decode, base64Gzip, urlEncode, sha256]

    private static let jsonEncode = FunctionDefinition(
        "json_encode", [.init("value", .any)], .string, "The value as JSON, on one line, with sorted keys.",
        [.init("json_encode({ b: [1, true], a: \"x\" })", "\"{\\\"a\\\":\\\"x\\\",\\\"b\\\":[1,true]}\"")],
        .strict { (arguments) throws(EvaluationFailure) -> Value in .string(ValueJSON.plainText(arguments.values[0])) })

    private static let jsonDecode = FunctionDefinition(
        "json_decode", [.init("text", .string)], .any, "The value that a JSON text stands for.",
        [.init("json_decode(\"{\\\"a\\\": [1, 2.5]}\")", "{ a: [1, 2.5] }")],
        .strict { (arguments) throws(EvaluationFailure) -> Value in
            do {
                return try ValueJSON.decodePlain(try arguments.string(0))
            } catch let error as ValueJSON.Failure {
                throw arguments.failure("The text is not JSON: \(error).")
            } catch let error as EvaluationFailure {
                throw error
            } catch {
                throw arguments.failure("The text is not JSON.")
            }
        })

    private static let base64Encode = FunctionDefinition(
        "base64_encode", [.init("text", .string)], .string, "The UTF-8 bytes of the text in Base64.",
        [.init("base64_encode(\"muster\")", "\"bXVzdGVy\"")],
        .strict { (arguments) throws(EvaluationFailure) -> Value in
            .string(Base64.encode(Array(try arguments.string(0).utf8)))
        })

    private static let base64Decode = FunctionDefinition(
        "base64_decode", [.init("text", .string)], .string, "The text whose UTF-8 bytes are given in Base64.",
        [.init("base64_decode(\"bXVzdGVy\")", "\"muster\"")],
        .strict { (arguments) throws(EvaluationFailure) -> Value in
            guard let bytes = Base64.decode(try arguments.string(0)) else {
                throw arguments.failure("The text is not Base64.")
            }
            guard let text = String(validating: bytes, as: UTF8.self) else {
                throw arguments.failure("What the Base64 stands for is not a text in UTF-8.")
            }
            return .string(text)
        })

    private static let base64Gzip = FunctionDefinition(
        "base64_gzip", [.init("text", .string)], .string,
        "The UTF-8 bytes of the text, compressed with gzip, in Base64: for `user_data_base64`. The same text always gives "
            + "the same bytes.",
        [.init("length(base64_gzip(\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"))", "32")],
        .strict { (arguments) throws(EvaluationFailure) -> Value in
            .string(Base64.encode(Gzip.compressed(Array(try arguments.string(0).utf8))))
        })

    private static let urlEncode = FunctionDefinition(
        "url_encode", [.init("text", .string)], .string,
        "The text as a part of a URL: everything but letters, digits and `-._~` is written as `%` and two digits.",
        [.init("url_encode(\"a b&c=ü\")", "\"a%20b%26c%3D%C3%BC\"")],
        .strict { (arguments) throws(EvaluationFailure) -> Value in
            .string(percentEncoded(try arguments.string(0)))
        })

    private static func percentEncoded(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E: bytes.append(byte)
            default: bytes += [0x25, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static let sha256 = FunctionDefinition(
        "sha256", [.init("text", .string)], .string, "The SHA-256 of the UTF-8 bytes of the text, in hexadecimal.",
        [.init("substr(sha256(\"muster\"), 0, 8)", "\"74cd18c0\"")],
        .strict { (arguments) throws(EvaluationFailure) -> Value in
            .string(Digest.sha256(Array(try arguments.string(0).utf8)))
        })
}

/// Base64 with the standard alphabet and padding (RFC 4648, §4).
enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    static func encode(_ bytes: [UInt8]) -> String {
        var result: [UInt8] = []
        result.reserveCapacity((bytes.count + 2) / 3 * 4)
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let second = start + 1 < bytes.count ? UInt32(bytes[start + 1]) : 0
            let third = start + 2 < bytes.count ? UInt32(bytes[start + 2]) : 0
            let group = UInt32(bytes[start]) << 16 | second << 8 | third
            result.append(alphabet[Int(group >> 18)])
            result.append(alphabet[Int(group >> 12 & 63)])
            result.append(start + 1 < bytes.count ? alphabet[Int(group >> 6 & 63)] : UInt8(ascii: "="))
            result.append(start + 2 < bytes.count ? alphabet[Int(group & 63)] : UInt8(ascii: "="))
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// White space is passed over; everything else must be exact, down to the unused bits of the last character.
    static func decode(_ text: String) -> [UInt8]? {
        let characters = text.utf8.filter { !($0 == 0x20 || (0x09...0x0D).contains($0)) }
        guard characters.count.isMultiple(of: 4) else { return nil }
        let padding = characters.suffix(2).count { $0 == UInt8(ascii: "=") }
        var result: [UInt8] = []
        var bits: UInt32 = 0
        var count = 0
        for character in characters.dropLast(padding) {
            guard let digit = digit(character) else { return nil }
            bits = bits << 6 | digit
            count += 6
            if count >= 8 {
                count -= 8
                result.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
            }
        }
        guard bits & ((UInt32(1) << UInt32(count)) - 1) == 0 else { return nil }
        return result
    }

    private static func digit(_ character: UInt8) -> UInt32? {
        switch character {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(character - UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(character - UInt8(ascii: "a")) + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(character - UInt8(ascii: "0")) + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
