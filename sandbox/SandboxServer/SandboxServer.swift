// Serves the simulators over HTTP on 127.0.0.1, until a signal ends it. `sandbox/up` starts it.

import ArgumentParser
import Foundation
import HTTPTransport
import RancherSimulation
import SandboxServing
import SpotSimulation

@main
struct SandboxServer: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "SandboxServer", abstract: "Serves a simulated Rancher, and a Spot beside it, on 127.0.0.1.")

    @Option(help: "Rancher's port; 0 takes a free one.")
    var port = 0

    @Option(help: "A file that gets Rancher's port once both listen.")
    var portFile: String?

    @Option(help: "Spot's port; 0 takes a free one.")
    var spotPort = 0

    @Option(help: "A file that gets Spot's port.")
    var spotPortFile: String?

    @Option(help: "The Rancher version to be, v1.0.0 to v1.6.30.")
    var rancherVersion = "v1.6.30"

    @Option(help: "Seconds that a plain change of state takes.")
    var delay = 0.2

    @Option(help: "How many times as fast as the machine's clock time goes.")
    var speed = 1.0

    func validate() throws {
        guard ServerVersion(rancherVersion) != nil else {
            throw ValidationError("--rancher-version wants v1.0.0 to v1.6.30, not \(rancherVersion)")
        }
        guard delay >= 0, delay <= 3_600 else { throw ValidationError("--delay wants seconds up to an hour") }
        guard speed > 0, speed <= 10_000 else { throw ValidationError("--speed wants a number up to 10000") }
    }

    func run() throws {
        var settings = RancherServer.Configuration()
        settings.version = ServerVersion(rancherVersion) ?? settings.version
        settings.delay = Int64(delay * 1_000)
        let platform = SpotPlatform(rancher: RancherSite(settings, clock: .running(speed: speed)))
        let spot = try listen(on: spotPort, platform.spot, telling: spotPortFile)
        let rancher = try listen(on: port, platform.rancher, telling: portFile)
        print("Rancher \(rancherVersion) on http://127.0.0.1:\(rancher), Spot on http://127.0.0.1:\(spot)")
        // What time alone does between Spot and Rancher.
        while true {
            platform.settle()
            Thread.sleep(forTimeInterval: 0.1)
        }
    }

    private func listen<Service>(
        on port: Int, _ site: SandboxSite<Service>, telling file: String?
    ) throws -> Int {
        let server: HTTPServer
        do {
            server = try HTTPServer(port: port) { incoming in
                let reply = site.handle(incoming.request, from: incoming.peer, connection: incoming.connection)
                return HTTPServer.Outgoing(reply.response, delay: reply.delay)
            }
        } catch {
            throw ValidationError(error.description)
        }
        server.start()
        if let file { try "\(server.port)\n".write(toFile: file, atomically: true, encoding: .utf8) }
        return server.port
    }
}
