import MusterModel
import TextEncodings

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
            guard let bytes = Base64.decode(try arguments.string(0), isExact: true) else {
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
            .string(PercentEncoding.encode(try arguments.string(0)))
        })

    private static let sha256 = FunctionDefinition(
        "sha256", [.init("text", .string)], .string, "The SHA-256 of the UTF-8 bytes of the text, in hexadecimal.",
        [.init("substr(sha256(\"muster\"), 0, 8)", "\"74cd18c0\"")],
        .strict { (arguments) throws(EvaluationFailure) -> Value in
            .string(Digest.sha256(Array(try arguments.string(0).utf8)))
        })
}
