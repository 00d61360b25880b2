import Expressions
import MusterModel
import Testing

@Suite("Digests")
struct DigestTests {
    @Test("SHA-256 and HMAC-SHA256 give the published values")
    func vectors() {
        #expect(
            Digest.sha256(Array("abc".utf8)) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(Digest.sha256([]) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        #expect(
            Digest.hmacSHA256(Array("what do ya want for nothing?".utf8), key: Array("Jefe".utf8))
                == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
    }

    @Test("Fingerprints depend on the values alone")
    func fingerprints() {
        let one = Digest.fingerprint(of: ["a": 1, "b": ["x", nil]])
        var other: [String: Value] = ["b": ["x", nil]]
        other["a"] = 1
        #expect(one == Digest.fingerprint(of: other))
        #expect(one == Digest.sha256(Array(#"{"a":1,"b":["x",null]}"#.utf8)))
        #expect(one != Digest.fingerprint(of: ["a": .number(1), "b": ["x", nil]]))
        #expect(one != Digest.fingerprint(of: ["a": "1", "b": ["x", nil]]))
    }
}
