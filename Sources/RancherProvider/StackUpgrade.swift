import MusterModel
import ProviderKit
import RancherClient

// Stacks and services change what runs in them by an upgrade: `upgrade`, a wait, `finishupgrade`. No call waits, so that
// each attempt of the update takes the next step and asks to be made again.

extension RancherCollection {
    /// The next step of an upgrade. Ends normally when the upgrade is over.
    ///
    /// - Parameters:
    ///   - isAsWanted: whether the object runs what is wanted already.
    ///   - isFinished: false: it stays `upgraded`, so that somebody may still roll it back.
    func upgrade(
        _ id: RemoteID, _ input: [String: Value], isFinished: Bool, isAsWanted: (RancherObject) -> Bool?
    ) async throws(ProviderError) {
        guard let object = try await object(id) else { throw ProviderError(.notFound, "\(id) is not there any more.") }
        if let failure = object.failure, object.state == "error" || object.state == "erroring" {
            throw ProviderError(.invalid, "\(id) cannot be upgraded: \(failure)")
        }
        let isOurs = isAsWanted(object)
        switch object.state {
        case "upgraded":
            // Nothing tells what an older server runs: what waits to be finished is then taken for ours.
            if isOurs ?? true {
                if isFinished { try await act(object, "finishupgrade") }
                return
            }
            try await act(object, "finishupgrade")
        case "upgrading", "finishing-upgrade", "canceling-upgrade", "rolling-back": break
        default:
            if isOurs == true { return }
            try await act(object, "upgrade", input)
        }
        throw ProviderError(.inUse, "\(id) is being upgraded.")
    }
}
