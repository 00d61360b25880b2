import Diagnostics
import HTTPTransport
import MusterModel
import ProviderKit
import SpotClient
import SpotProvider

/// Hands the outside world to the Spot layers: environment, files, clocks.
enum SpotAccess {
    static func provider(_ console: Console) throws(CommandFailure) -> SpotProvider {
        let environment = console.environment
        let endpoint = try endpoint(environment)
        let start = ContinuousClock.now
        let collaborators = SpotClient.Collaborators(
            http: CurlHTTPClient(TransportSettings.of(environment, caBundle: "SPOTINST_CA_BUNDLE")),
            elapsed: { ContinuousClock.now - start }, sleep: { try await Task.sleep(for: $0) },
            random: { Double.random(in: 0..<1) }, observer: observer(console))
        return SpotProvider { () throws(ProviderError) in
            SpotClient(
                endpoint: endpoint, credentials: try credentials(environment), userAgent: "muster/\(Muster.version)",
                collaborators: collaborators)
        }
    }

    /// `SPOTINST_ENDPOINT_URL`: what stands in the service's place.
    private static func endpoint(_ environment: [String: String]) throws(CommandFailure) -> SpotEndpoint {
        guard let text = environment["SPOTINST_ENDPOINT_URL"], !text.isEmpty else { return .service }
        if let endpoint = SpotEndpoint(text) { return endpoint }
        throw CommandFailure(
            code: "spot.url", summary: "Spot has no valid address",
            detail: "SPOTINST_ENDPOINT_URL is \(text.quoted).", hint: "Write it like https://api.spotinst.io.")
    }

    /// Token and account, each from SPOTINST_TOKEN and SPOTINST_ACCOUNT, else from ~/.spotinst/credentials.
    private static func credentials(_ environment: [String: String]) throws(ProviderError) -> SpotCredentials {
        func variable(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        var token = variable("SPOTINST_TOKEN")
        var account = variable("SPOTINST_ACCOUNT")
        if token == nil || account == nil, let home = variable("HOME"),
            let bytes = try? LocalFile.read("\(home)/.spotinst/credentials", limit: 1 << 20)
        {
            let file = SpotCredentialsFile(String(decoding: bytes, as: UTF8.self))
            token = token ?? file.token.flatMap { $0.isEmpty ? nil : $0 }
            account = account ?? file.account.flatMap { $0.isEmpty ? nil : $0 }
        }
        guard let token else {
            throw ProviderError(
                .badCredentials, "There is no token for Spot.",
                hint: "Set SPOTINST_TOKEN, or write \"token = …\" into ~/.spotinst/credentials.")
        }
        guard let account else {
            throw ProviderError(
                .badCredentials, "It is not said which account of Spot is meant, to which state belongs.",
                hint: "Set SPOTINST_ACCOUNT, or write \"account = act-…\" into ~/.spotinst/credentials.")
        }
        return SpotCredentials(token: token, account: account)
    }

    private static func observer(_ console: Console) -> @Sendable (SpotClient.Attempt) -> Void {
        { attempt in
            guard console.isVerbose else { return }
            let answer = attempt.status.map { String($0) } ?? "no answer"
            let retry = attempt.number > 1 ? " attempt \(attempt.number)" : ""
            console.talk(
                "→ spot \(attempt.operation)\(retry): \(answer), \(Int(attempt.duration / .milliseconds(1))) ms\n")
        }
    }
}

/// How requests of providers beside AWS leave this machine.
enum TransportSettings {
    /// - Parameter caBundle: the variable that names a file of authorities.
    static func of(_ environment: [String: String], caBundle: String) -> CurlHTTPClient.Settings {
        func either(_ name: String) -> String? {
            (environment[name] ?? environment[name.uppercased()]).flatMap { $0.isEmpty ? nil : $0 }
        }
        let all = either("all_proxy")
        return CurlHTTPClient.Settings(
            caBundle: environment[caBundle].flatMap { $0.isEmpty ? nil : $0 },
            httpProxy: either("http_proxy") ?? all, httpsProxy: either("https_proxy") ?? all,
            noProxy: either("no_proxy") ?? "")
    }
}
