import MusterModel

// A server of the section "rancher" waits for what it runs on, which its URL may not tell: nodes that are rendered as
// servers, and the record of its name. So it is looked for when it may be there, and on the way back everything that is on
// it, and the fleets that joined it, leave before the nodes, their database and the load balancer go.

extension LoweringResult {
    /// Orders each server after its control plane, as far as that stands in the same stack.
    mutating func orderServers() {
        for stack in Set(declarations.lazy.filter { $0.address.type == "rancher.server" }.map(\.address.stack)) {
            let inStack = declarations.indices.filter { declarations[$0].address.stack == stack }
            let servers = inStack.filter { declarations[$0].address.type == "rancher.server" }
            for server in servers { wait(server, for: inStack.filter { isRecord($0, of: server) }) }
            // Which of several servers the nodes are nobody says.
            if servers.count == 1 { wait(servers[0], for: nodes(stack, inStack)) }
        }
    }

    private mutating func wait(_ server: Int, for others: [Int]) {
        let stack = declarations[server].address.stack
        declarations[server].dependsOn += others.map {
            Reference(.path([.name(declarations[$0].address.description)]), stack: stack, range: nil)
        }
    }

    private func isRecord(_ position: Int, of server: Int) -> Bool {
        guard declarations[position].address.type == "aws.dns_record",
            let name = declarations[position].arguments["name"]?.string,
            let url = declarations[server].arguments["url"]?.string?.lowercased(),
            let scheme = ["https://", "http://"].first(where: url.hasPrefix)
        else { return false }
        return url.dropFirst(scheme.utf8.count).prefix { $0 != "/" && $0 != ":" } == name.lowercased()
    }

    /// Machines that are rendered as servers, and their places behind the balancer.
    private func nodes(_ stack: String, _ inStack: [Int]) -> [Int] {
        let names = Set(portChecks.lazy.filter { $0.stack == stack }.map(\.node))
        let types: Set<ResourceType> = ["aws.instance", "aws.target_group_attachment", "aws.autoscaling_group"]
        let nodes = inStack.filter {
            types.contains(declarations[$0].address.type) && names.contains(declarations[$0].address.name)
        }
        // A node that wants a key of the server comes after it, whatever else.
        return nodes.contains { declarations[$0].refersToRancher } ? [] : nodes
    }
}

extension Declaration {
    fileprivate var refersToRancher: Bool {
        var found = false
        for value in arguments.values {
            value.visitDeferred { deferred in
                deferred.expression.visit { part in
                    guard case .reference(let reference) = part, case .path(let path) = reference.target,
                        case .name("rancher") = path.first
                    else { return }
                    found = true
                }
            }
        }
        return found
    }
}
