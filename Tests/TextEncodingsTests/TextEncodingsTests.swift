import Testing
import TextEncodings

@Suite struct TextEncodingsTests {
    @Test("Percent-encoding leaves the unreserved alone, and decoding undoes it")
    func percent() {
        #expect(PercentEncoding.encode("aZ09-._~") == "aZ09-._~")
        #expect(PercentEncoding.encode("a b+c/ä%") == "a%20b%2Bc%2F%C3%A4%25")
        #expect(PercentEncoding.encode("a/b c", keeping: "/") == "a/b%20c")
        #expect(PercentEncoding.decodedText("%7B%22a%22%3A+1%7D%zz%4") == "{\"a\":+1}%zz%4")
    }

    @Test(
        "Base64 agrees with RFC 4648",
        arguments: [
            ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ])
    func base64(_ text: String, _ encoded: String) {
        #expect(Base64.encode(Array(text.utf8)) == encoded)
        #expect(Base64.decode(encoded) == Array(text.utf8))
    }

    @Test("Broken base64 is refused, line breaks are not", arguments: ["Zg=", "Z", "Zg===", "Z*==", "Zg==Zg=="])
    func brokenBase64(_ text: String) {
        #expect(Base64.decode(text) == nil)
        #expect(Base64.decode("Zm9v\r\n Ym Fy\n") == Array("foobar".utf8))
    }

    @Test(
        "Where it must be exact, padding and unused bits count",
        arguments: ["Zg", "Zm8", "Zh==", "Zm9="])
    func exactBase64(_ text: String) {
        #expect(Base64.decode(text) != nil)
        #expect(Base64.decode(text, isExact: true) == nil)
        #expect(Base64.decode("Zm9v Zg==", isExact: true) == Array("foof".utf8))
    }

    @Test("Hexadecimal digits are lower-case")
    func hexadecimal() {
        #expect(Hexadecimal.encode([0, 0xab, 0xff]) == "00abff")
    }
}
