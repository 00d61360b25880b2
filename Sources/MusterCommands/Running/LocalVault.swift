import AWSProvider
import Expressions
import MusterModel
import ProviderKit
import RancherProvider

/// Keeps secrets in files of this machine, readable by their owner alone, and in AWS.
///
/// Beside a file stands another with the digest of what muster wrote (`.NAME.muster`), by which it knows its own: what
/// somebody else wrote there, or over it, is neither written over nor deleted.
struct LocalVault: SecretVault {
    let folder: String
    let aws: AWSProvider

    func check(_ place: String, _ configuration: ProviderConfiguration) async throws(ProviderError) {
        guard let path = path(place) else { return try await aws.checkSecretPlace(place, configuration) }
        do {
            try LocalFile.makeFolder(LocalFile.folder(of: path), mode: 0o700)
            guard LocalFile.isWritable(LocalFile.folder(of: path)), !LocalFile.isDirectory(path) else {
                throw unwritable(path, nil)
            }
            if LocalFile.exists(path), try !isOurs(path) {
                throw ProviderError(
                    .invalid, "The file \(path) was not written by muster, and is left as it is.",
                    hint: "Name another place in \"secret_to\", or take the file away.")
            }
        } catch let error as ProviderError {
            throw error
        } catch {
            throw unwritable(path, error as? LocalFile.Failure)
        }
    }

    func keep(_ text: String, at place: String, _ configuration: ProviderConfiguration) async throws(ProviderError) {
        guard let path = path(place) else { return try await aws.keepSecret(text, at: place, configuration) }
        try await check(place, configuration)
        let digest = Digest.sha256(Array(text.utf8))
        do throws(LocalFile.Failure) {
            // Both are ours until the new one is there: a death in between leaves either.
            try note(digests(beside: path) + [digest], beside: path)
            try LocalFile.write(path, Array(text.utf8), mode: 0o600)
            try note([digest], beside: path)
        } catch {
            throw unwritable(path, error)
        }
    }

    func remove(_ place: String, _ configuration: ProviderConfiguration) async throws(ProviderError) {
        guard let path = path(place) else { return try await aws.removeSecret(at: place, configuration) }
        do throws(LocalFile.Failure) {
            if try isOurs(path) { try LocalFile.remove(path) }
            if LocalFile.exists(note(beside: path)) { try LocalFile.remove(note(beside: path)) }
        } catch {
            throw unwritable(path, error)
        }
    }

    // MARK: Whose it is

    private func isOurs(_ path: String) throws(LocalFile.Failure) -> Bool {
        guard LocalFile.exists(path), !LocalFile.isDirectory(path) else { return false }
        return digests(beside: path).contains(Digest.sha256(try LocalFile.read(path)))
    }

    private func note(beside path: String) -> String {
        let name = path.split(separator: "/").last ?? ""
        return LocalFile.join(LocalFile.folder(of: path), ".\(name).muster")
    }

    private func digests(beside path: String) -> [String] {
        let bytes = (try? LocalFile.read(note(beside: path), limit: 1 << 16)) ?? []
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    private func note(_ digests: [String], beside path: String) throws(LocalFile.Failure) {
        let text = digests.map { "\($0)\n" }.joined()
        try LocalFile.write(note(beside: path), Array(text.utf8), mode: 0o600)
    }

    private func path(_ place: String) -> String? {
        place.hasPrefix("file:") ? LocalFile.join(folder, String(place.dropFirst("file:".count))) : nil
    }

    private func unwritable(_ path: String, _ failure: LocalFile.Failure?) -> ProviderError {
        ProviderError(
            .invalid, "The file \(path) for the secret cannot be written: \(failure?.message ?? "not permitted").",
            hint: "Name another place in \"secret_to\".")
    }
}
