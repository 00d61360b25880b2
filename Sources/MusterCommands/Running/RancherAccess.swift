import AWSProvider
import Diagnostics
import HTTPTransport
import MusterModel
import ProviderKit
import RancherClient
import RancherProvider
import SpecLoading
import SpotProvider

/// Hands the outside world to the Rancher layers: environment, files, clocks.
enum RancherAccess {
    /// - Parameters:
    ///   - folder: what `file:` of a secret is relative to.
    ///   - aws: keeps secrets in SSM and Secrets Manager.
    static func provider(
        _ console: Console, folder: String, aws: AWSProvider
    ) throws(CommandFailure) -> RancherProvider {
        let environment = console.environment
        let keys = try keys(environment)
        let start = ContinuousClock.now
        let http = CurlHTTPClient(TransportSettings.of(environment, caBundle: "RANCHER_CA_BUNDLE"))
        let collaborators = RancherClient.Collaborators(
            http: http, credentials: { keys() }, elapsed: { ContinuousClock.now - start },
            sleep: { try await Task.sleep(for: $0) }, random: { Double.random(in: 0..<1) },
            observer: observer(console))
        return RancherProvider(
            override: try override(environment), vault: LocalVault(folder: folder, aws: aws),
            makeClient: { server in
                RancherClient(server: server, userAgent: "muster/\(Muster.version)", collaborators: collaborators)
            })
    }

    /// `RANCHER_URL`: the server that every other one stands for.
    private static func override(_ environment: [String: String]) throws(CommandFailure) -> RancherServerURL? {
        guard let text = environment["RANCHER_URL"], !text.isEmpty else { return nil }
        if let url = RancherServerURL(text) { return url }
        throw CommandFailure(
            code: "rancher.url", summary: "The Rancher server has no valid address",
            detail: "RANCHER_URL is \(text.quoted).", hint: "Write it like https://rancher.example.com.")
    }

    /// The key from RANCHER_ACCESS_KEY and RANCHER_SECRET_KEY, else from the file that RANCHER_CLIENT_CONFIG names, as
    /// Rancher's command line writes it. The file is looked at anew as long as it is not there: an apply may make it.
    private static func keys(
        _ environment: [String: String]
    ) throws(CommandFailure) -> @Sendable () -> RancherCredentials? {
        let access = environment["RANCHER_ACCESS_KEY"].flatMap { $0.isEmpty ? nil : $0 }
        let secret = environment["RANCHER_SECRET_KEY"].flatMap { $0.isEmpty ? nil : $0 }
        if let access, let secret {
            let credentials = RancherCredentials(accessKey: access, secretKey: secret)
            return { credentials }
        }
        if access != nil || secret != nil {
            let missing = access == nil ? "RANCHER_ACCESS_KEY" : "RANCHER_SECRET_KEY"
            throw CommandFailure(
                .credentials, code: "rancher.key", summary: "Half of an API key is missing",
                detail: "\(missing) is not set, and the other half is.", hint: "Set both, or neither.")
        }
        guard let path = environment["RANCHER_CLIENT_CONFIG"], !path.isEmpty else { return { nil } }
        return {
            guard let bytes = try? LocalFile.read(path, limit: 1 << 20),
                let file = try? ValueJSON.decodePlain(String(decoding: bytes, as: UTF8.self)).map,
                let access = file["accessKey"]?.string, let secret = file["secretKey"]?.string
            else { return nil }
            return RancherCredentials(accessKey: access, secretKey: secret)
        }
    }

    private static func observer(_ console: Console) -> @Sendable (RancherClient.Attempt) -> Void {
        { attempt in
            guard console.isVerbose else { return }
            let answer = attempt.status.map { String($0) } ?? "no answer"
            let retry = attempt.number > 1 ? " attempt \(attempt.number)" : ""
            console.talk(
                "→ rancher \(attempt.operation)\(retry): \(answer), \(Int(attempt.duration / .milliseconds(1))) ms\n")
        }
    }
}

/// All providers of this muster.
enum Providers {
    static func make(_ console: Console, directory: String?) throws(CommandFailure) -> ProviderSet {
        try make(console, directory: directory, aws: AWSAccess.provider(console))
    }

    static func make(
        _ console: Console, directory: String?, aws: AWSProvider
    ) throws(CommandFailure) -> ProviderSet {
        let folder = (try? WorkspaceFiles.find(directory)).map { LocalFile.folder(of: $0) } ?? "."
        return ProviderSet(
            home: aws,
            and: [try RancherAccess.provider(console, folder: folder, aws: aws), try SpotAccess.provider(console)])
    }

    /// For what needs the catalog alone.
    static var catalog: Catalog {
        AWSAccess.catalogProvider.catalog.joined(with: RancherProvider.catalog).joined(with: SpotProvider.catalog)
    }
}
