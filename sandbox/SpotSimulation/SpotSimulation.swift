// Spot beside a simulated Rancher: what the service's Rancher integration does, and what instances do by their user data.
//
//     let platform = SpotPlatform(rancher: rancher)                // shares Rancher's clock
//     let answer = try await platform.spot.send(HTTPRequest(…"https://api.spotinst.io/aws/ec2/group"…))
//     platform.advance(by: .seconds(2))                            // instances run, hosts join, victims leave
//
// An instance whose user data names a registration URL of the simulated Rancher joins it when it runs, with the literal
// labels of `CATTLE_HOST_LABELS`; it carries `spotinst.instanceId` only if the user data sets that label, and without it
// the service cannot find the host. User data that asks for its token at boot is not run: `AgentMachine` is for that.

import HTTPTransport
package import RancherSimulation
package import SandboxServing
import AWSClient
import Synchronization
import TextEncodings

package typealias SpotSite = SandboxSite<SpotServer>

/// A simulated Spot whose instances are hosts of a simulated Rancher.
package final class SpotPlatform: Sendable {
    package let spot: SpotSite
    package let rancher: RancherSite
    // Threads of the server come here besides the one that lets time pass.
    private let departures = Mutex<[Departure]>([])

    private struct Departure: Sendable {
        var instance: String
        var access: SpotServer.RancherAccess
        /// The host's path, once it was found.
        var host: String?
    }

    package init(_ configuration: SpotServer.Configuration = .init(), rancher: RancherSite) {
        self.rancher = rancher
        spot = SpotSite(SpotServer(configuration), clock: rancher.clock)
    }

    /// Puts the common clock ahead, in steps, so that one thing can follow from another.
    package func advance(by duration: Duration) {
        var rest = duration
        while rest > .zero {
            let step = min(rest, .milliseconds(500))
            rancher.clock.advance(by: step)
            rest -= step
            settle()
        }
    }

    /// Lets happen what is due.
    package func settle() {
        rancher.withService { _, _ in }
        for effect in spot.withService({ spot, _ in spot.takeEffects() }) {
            switch effect {
            case .started(let instance, let address, let userData): join(instance, address, userData)
            case .ended(let instance, nil): rancher.lose(instance)
            case .ended(let instance, let access?):
                departures.withLock { $0.append(Departure(instance: instance, access: access)) }
            }
        }
        let open = departures.withLock { departures in
            defer { departures = [] }
            return departures
        }
        let staying = open.compactMap { stepOut($0) }
        departures.withLock { $0 = staying + $0 }
    }

    // MARK: - Joining

    private func join(_ instance: String, _ address: String, _ userData: String?) {
        guard let bytes = userData.flatMap({ Base64.decode($0) }) else { return }
        let text = String(decoding: bytes, as: UTF8.self)
        guard let mark = text.firstRange(of: "/scripts/") else { return }
        let token = text[mark.upperBound...].prefix { $0.isLetter || $0.isNumber || ":_-".contains($0) }
        var labels = Self.labels(in: text)
        if text.contains("spotinst.instanceId") { labels["spotinst.instanceId"] = instance }
        let machine = AgentMachine(
            registration: String(token), hostname: "ip-" + address.split(separator: ".").joined(separator: "-"),
            address: address, labels: labels, instanceID: instance)
        // A token that is no longer in use: the machine runs, and no host appears.
        _ = try? rancher.join(machine)
    }

    /// The labels that stand literally in the user data.
    private static func labels(in text: String) -> [String: String] {
        guard let mark = text.firstRange(of: "CATTLE_HOST_LABELS=") else { return [:] }
        let rest = text[mark.upperBound...].drop { "'\"".contains($0) }
        let value = rest.prefix { !"'\" \n".contains($0) }
        let labels = RancherServer.labels(String(value))
        return labels.filter { !$0.value.contains("$") && !$0.value.contains("`") && !$0.value.contains("{") }
    }

    // MARK: - Leaving

    /// One step of a host's way out: deactivate, remove, purge. `nil` at its end.
    private func stepOut(_ departure: Departure) -> Departure? {
        guard let path = departure.host ?? host(of: departure) else {
            // Nobody has the label: the machine ends, and its host, if there is one, stays as a phantom.
            rancher.lose(departure.instance)
            return nil
        }
        guard let host = request("GET", path, departure.access) else { return nil }
        let actions = host["actions"].members.map(\.name)
        if actions.contains("deactivate") {
            _ = request("POST", "\(path)/?action=deactivate", departure.access)
        } else if actions.contains("remove") {
            rancher.lose(departure.instance)
            _ = request("DELETE", path, departure.access)
        } else if actions.contains("purge") {
            _ = request("POST", "\(path)/?action=purge", departure.access)
            return nil
        }
        return Departure(instance: departure.instance, access: departure.access, host: path)
    }

    /// The host that carries the instance's id as a label.
    private func host(of departure: Departure) -> String? {
        let hosts = request("GET", "/hosts", departure.access)?["data"].items ?? []
        let own = hosts.first { $0["labels"]["spotinst.instanceId"].string == departure.instance }
        return own.map { "/hosts/\($0["id"].text)" }
    }

    /// A call of the service to Rancher; `nil` if Rancher refuses its key.
    private func request(_ method: String, _ path: String, _ access: SpotServer.RancherAccess) -> JSONValue? {
        let key = Base64.encode(Array("\(access.accessKey):\(access.secretKey)".utf8))
        var base = access.masterHost
        while base.hasSuffix("/") { base.removeLast() }
        let headers: HTTPHeaders = [
            "Authorization": "Basic \(key)", "X-ENFORCE-AUTHENTICATION": "true", "User-Agent": "spotinst",
        ]
        let reply = rancher.handle(
            HTTPRequest(method: method, url: base + path, headers: headers), from: "127.0.0.1")
        guard let response = reply.response, response.status < 400 else { return nil }
        return try? JSONValue(parsing: response.body)
    }
}
