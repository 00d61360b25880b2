// A Rancher 1.x server to try things on: the API of 1.0 to 1.6 (`/v1`, from 1.2 on `/v2-beta`), in memory, on a clock that
// tests move. `sandbox/README.md` says how it is run over HTTP; in process it is an `HTTPClient`:
//
//     let rancher = RancherSite(.init())                           // v1.6.30, access control off
//     let answer = try await rancher.send(HTTPRequest(url: "http://rancher.test:8080/v2-beta/projects"))
//     rancher.advance(by: .seconds(1))                             // processes end, states change
//     let host = try rancher.join(AgentMachine(registration: url, hostname: "a", instanceID: "i-1"))
//     rancher.lose("i-1")                                          // 30 s later `reconnecting`, then `disconnected`
//     rancher.order(Fault(.reset, when: .after, method: "POST"))   // done, and the answer is lost
//     rancher.journal                                              // every request, with its status and code
//
// How it is made. `RancherServer` is a pure struct: requests and time in, answers out. What it knows of a type is data
// (`ObjectType`: fields, processes, rights, links), so that the schemas it tells, the input it takes, the actions it offers
// and the states it goes through come from one place. Processes are table rows; `Agenda` ends them when their time has
// come. What no table says stands in a type's hooks, in `Types/`. `SandboxSite` adds clock, journal, faults and lock.
//
// What it cannot do: containers (a service has states and a launch configuration, no instances), WebSockets, machine
// drivers, load balancer targets, audit logs. Where the facts are unverified it does the kinder thing.

import HTTPTransport
package import SandboxServing

/// A simulated Rancher with its clock, journal and faults.
package typealias RancherSite = SandboxSite<RancherServer>

extension SandboxSite where Service == RancherServer {
    /// A server as after its first start.
    package convenience init(_ configuration: RancherServer.Configuration, clock: SimulatedClock = .manual()) {
        self.init(RancherServer(configuration), clock: clock)
        withService { _, _ in }
    }

    /// A machine starts Rancher's agent; returns the host's id.
    package func join(_ machine: AgentMachine) throws(JoinRefused) -> String {
        let joined = withService { server, _ -> Result<String, JoinRefused> in
            do throws(JoinRefused) { return .success(try server.join(machine)) } catch { return .failure(error) }
        }
        return try joined.get()
    }

    /// The machine is gone, by its instance id, host name or host id; returns how many hosts that were.
    @discardableResult
    package func lose(_ machine: String) -> Int { withService { server, _ in server.lose(machine) } }

    /// It answers again.
    @discardableResult
    package func find(_ machine: String) -> Int { withService { server, _ in server.find(machine) } }
}
