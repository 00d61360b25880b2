import Crypto
import TextEncodings

/// The key of the digests by which secrets are compared. It lives apart from the state, readable by its owner alone:
/// whoever gets the state cannot check a guess without it.
struct DigestKey: Sendable {
    private let key: SymmetricKey
    /// Tells keys apart without telling the key.
    let identifier: String

    init(bytes: [UInt8]) {
        key = SymmetricKey(data: bytes)
        identifier = Hexadecimal.encode(SHA256.hash(data: Array("muster digest key".utf8) + bytes).prefix(4))
    }

    /// `<key id>:<HMAC-SHA256>`: a digest of another key can be told from a digest of another value.
    func digest(_ text: String) -> String {
        let code = HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: key)
        return "\(identifier):\(Hexadecimal.encode(code))"
    }

    /// Reads the key, or makes one on first use.
    ///
    /// The place is `MUSTER_KEY_FILE`, else `muster/digest.key` in the user's configuration folder.
    static func load(environment: [String: String]) throws(CommandFailure) -> DigestKey {
        let path = path(environment)
        do {
            let bytes = try LocalFile.read(path, limit: 4096)
            guard bytes.count >= 32 else {
                throw CommandFailure(
                    code: "secret.key", summary: "The digest key is damaged",
                    detail: "\(path) holds \(bytes.count) bytes; a key has 32.",
                    hint: "Restore it from a backup, or remove it: secrets are then compared anew.")
            }
            return DigestKey(bytes: bytes)
        } catch let failure as CommandFailure {
            throw failure
        } catch let failure as LocalFile.Failure where failure.isMissing {
            return try make(path)
        } catch {
            throw CommandFailure(
                code: "secret.key", summary: "The digest key cannot be read", detail: "\(path): \(error)")
        }
    }

    private static func make(_ path: String) throws(CommandFailure) -> DigestKey {
        let bytes = SymmetricKey(size: .bits256).withUnsafeBytes { Array($0) }
        do {
            try LocalFile.makeFolder(LocalFile.folder(of: path), mode: 0o700)
            try LocalFile.write(path, bytes, mode: 0o600)
        } catch {
            throw CommandFailure(
                code: "secret.key", summary: "The digest key cannot be written", detail: "\(path): \(error.message).",
                hint: "Set MUSTER_KEY_FILE to a file that can be written.")
        }
        return DigestKey(bytes: bytes)
    }

    /// Which key a digest was made with.
    static func identifier(ofDigest digest: String) -> String? {
        let parts = digest.split(separator: ":", maxSplits: 1)
        return parts.count == 2 ? String(parts[0]) : nil
    }

    static func path(_ environment: [String: String]) -> String {
        if let path = environment["MUSTER_KEY_FILE"], !path.isEmpty { return path }
        let configuration =
            environment["XDG_CONFIG_HOME"].flatMap { $0.isEmpty ? nil : $0 }
            ?? LocalFile.join(environment["HOME"] ?? ".", ".config")
        return LocalFile.join(configuration, "muster/digest.key")
    }
}
