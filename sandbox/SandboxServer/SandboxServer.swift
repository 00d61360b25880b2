// Serves the simulators over HTTP on 127.0.0.1, until a signal ends it. `sandbox/up` starts it.

import ArgumentParser
import Foundation
import HTTPTransport
import RancherSimulation
import SandboxServing

@main
struct SandboxServer: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "SandboxServer", abstract: "Serves a simulated Rancher on 127.0.0.1.")

    @Option(help: "The port; 0 takes a free one.")
    var port = 0

    @Option(help: "A file that gets the port once the server listens.")
    var portFile: String?

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
        let rancher = RancherSite(settings, clock: .running(speed: speed))
        let server: HTTPServer
        do { server = try HTTPServer(port: port, handler: { Self.answer($0, rancher) }) } catch {
            throw ValidationError(error.description)
        }
        server.start()
        if let portFile { try "\(server.port)\n".write(toFile: portFile, atomically: true, encoding: .utf8) }
        print("Rancher \(rancherVersion) on http://127.0.0.1:\(server.port)")
        while true { pause() }
    }

    private static func answer(_ incoming: HTTPServer.Incoming, _ rancher: RancherSite) -> HTTPServer.Outgoing {
        let reply = rancher.handle(incoming.request, from: incoming.peer, connection: incoming.connection)
        return HTTPServer.Outgoing(reply.response, delay: reply.delay)
    }
}
