import AWSClient
import MusterModel
import ProviderKit

/// One more certificate of a listener, besides its own.
///
/// Calls: `AddListenerCertificates` (idempotent), `DescribeListenerCertificates` (one listener a call),
/// `RemoveListenerCertificates`.
struct ListenerCertificate: ManagedResource {
    struct Arguments: ArgumentBlock {
        var listener = ""
        var certificate = ""

        static let fields: [Field<Self>] = [
            .required("listener_arn", \.listener, onChange: .replace, reference: .listener, "The listener."),
            .required(
                "certificate_arn", \.certificate, onChange: .replace, reference: .certificate, "The certificate."),
        ]
    }

    struct Outputs: ArgumentBlock {
        static let fields: [Field<Self>] = []
    }

    static let schema = Schema<Arguments, Outputs>(
        "aws.listener_certificate", "One more certificate of a listener, besides its own.",
        replacement: .createFirst, parentArgument: "listener_arn", importSyntax: "LISTENER_ARN,CERTIFICATE_ARN")

    let aws: AWSSession

    func read(_ known: [Known<Self>]) async throws(ProviderError) -> [RemoteID: Observed<Self>] {
        let there = try await additional(Set(known.map { parts($0.id).listener }).sorted())
        let wanted = Set(known.map(\.id))
        return Dictionary(
            there.filter { wanted.contains($0.id) }.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    }

    func list(in scope: ListingScope) async throws(ProviderError) -> [Observed<Self>] {
        switch scope {
        case .children(let parents): return try await additional(parents.map(\.rawValue))
        case .everything:
            let balancers = try await aws.loadBalancers().map { $0["LoadBalancerArn"].text }
            let listeners = try await aws.listeners(of: Set(balancers))
            return try await additional(
                listeners.filter { !$0["Certificates"].items.isEmpty }.map { $0["ListenerArn"].text })
        }
    }

    func find(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Found<Self>? {
        let id = observed(desired.listener, desired.certificate).id
        return try await read([Known(id: id)])[id].map { Found($0, isOurs: true) }
    }

    func create(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Observed<Self> {
        do throws(ProviderError) {
            _ = try await aws.elbChange("AddListenerCertificates", wire(desired.listener, desired.certificate))
        } catch {
            guard error.code == "UnsupportedCertificate", await aws.isBeingValidated(desired.certificate) else {
                throw error
            }
            var waiting = error
            waiting.kind = .notYetVisible
            waiting.message = "The certificate \(desired.certificate) is not issued yet."
            throw waiting
        }
        return observed(desired.listener, desired.certificate)
    }

    func update(
        _ id: RemoteID, from old: Arguments, to new: Arguments
    ) async throws(ProviderError) -> Observed<Self>? { nil }

    func delete(_ id: RemoteID, last: Arguments) async throws(ProviderError) {
        let (listener, certificate) = parts(id)
        do throws(ProviderError) {
            _ = try await aws.elbChange("RemoveListenerCertificates", wire(listener, certificate))
        } catch {
            if error.kind != .notYetVisible { throw error }
        }
    }

    func importID(_ text: String) async throws(ProviderError) -> RemoteID {
        let (listener, certificate) = parts(RemoteID(text))
        guard listener.contains(":listener/"), certificate.hasPrefix("arn:") else { throw Self.badID(text) }
        return RemoteID(text)
    }

    // MARK: - Wire format

    private func additional(_ listeners: [String]) async throws(ProviderError) -> [Observed<Self>] {
        try await aws.concurrently(listeners) { listener async throws(ProviderError) -> [Observed<Self>] in
            try await aws.listenerCertificates(of: listener)
                .filter { $0["IsDefault"].boolean != true }
                .map { observed(listener, $0["CertificateArn"].text) }
        }.flatMap(\.self)
    }

    private func wire(_ listener: String, _ certificate: String) -> [AWSInput.Field] {
        [
            .init("ListenerArn", .string(listener)),
            .init("Certificates", [["CertificateArn": .string(certificate)]]),
        ]
    }

    private func observed(_ listener: String, _ certificate: String) -> Observed<Self> {
        Observed(
            id: RemoteID("\(listener),\(certificate)"),
            arguments: Arguments(listener: listener, certificate: certificate))
    }

    private func parts(_ id: RemoteID) -> (listener: String, certificate: String) {
        let parts = id.rawValue.split(separator: ",", maxSplits: 1).map(String.init)
        return (parts.first ?? "", parts.count == 2 ? parts[1] : "")
    }
}
