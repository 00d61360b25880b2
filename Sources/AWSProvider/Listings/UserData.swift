import AWSClient
import ProviderKit
import TextEncodings

/// What a machine runs at its first boot, as the spec says it: a text, or the base64 of anything.
enum UserData {
    /// What base64 stands for; white space does not count.
    static func bytes(_ base64: String) throws(ProviderError) -> [UInt8] {
        guard let bytes = decoded(base64) else {
            throw ProviderError(
                .invalid, "The value of \"user_data_base64\" is not base64.",
                hint: "For plain text use \"user_data\".")
        }
        return bytes
    }

    static func text(_ bytes: [UInt8]) -> String {
        String(validating: bytes, as: UTF8.self) ?? String(decoding: bytes, as: UTF8.self)
    }

    /// As it was written, if that means the same: the same bytes can be written in several ways.
    static func base64(_ bytes: [UInt8], as recorded: String?) -> String {
        if let recorded, decoded(recorded) == bytes { return recorded }
        return Base64.encode(bytes)
    }

    private static func decoded(_ base64: String) -> [UInt8]? { Base64.decode(base64.filter { !$0.isWhitespace }) }
}
