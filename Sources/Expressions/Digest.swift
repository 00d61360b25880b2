import Crypto
package import MusterModel

/// Digests, in lower-case hexadecimal.
package enum Digest {
    /// SHA-256 of bytes: 64 hexadecimal digits.
    package static func sha256(_ bytes: [UInt8]) -> String { hexadecimal(SHA256.hash(data: bytes)) }

    /// HMAC-SHA256 of bytes under a key: 64 hexadecimal digits.
    package static func hmacSHA256(_ bytes: [UInt8], key: [UInt8]) -> String {
        hexadecimal(HMAC<SHA256>.authenticationCode(for: bytes, using: SymmetricKey(data: key)))
    }

    /// SHA-256 over the canonical JSON of the values: equal values give equal fingerprints, in every process.
    package static func fingerprint(of values: [String: Value]) -> String {
        sha256(ValueJSON.encode(.map(values)))
    }

    private static func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
        let digits = Array("0123456789abcdef".utf8)
        var result: [UInt8] = []
        for byte in bytes {
            result.append(digits[Int(byte >> 4)])
            result.append(digits[Int(byte & 15)])
        }
        return String(decoding: result, as: UTF8.self)
    }
}
