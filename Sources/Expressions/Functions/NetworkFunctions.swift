import MusterModel

/// Functions of IPv4 and IPv6 networks. Host bits of a prefix that is given do not count.
enum NetworkFunctions {
    static let all = [cidrSubnet, cidrHost, cidrNetmask, cidrContains]

    private static let cidrSubnet = FunctionDefinition(
        "cidr_subnet", [.init("prefix", .string), .init("newbits", .integer), .init("netnum", .integer)], .string,
        "The subnet with that number (from 0) among those whose prefix is so many bits longer.",
        [
            .init("cidr_subnet(\"10.0.0.0/16\", 8, 2)", "\"10.0.2.0/24\""),
            .init("cidr_subnet(\"2001:db8::/56\", 8, 255)", "\"2001:db8:0:ff::/64\""),
        ],
        .strict { (arguments) throws(EvaluationFailure) -> Value in
            let network = try network(0, arguments)
            let newBits = try arguments.integer(1)
            let number = try arguments.integer(2)
            guard newBits >= 0, newBits <= network.width - network.prefixLength else {
                throw arguments.failure(
                    "A prefix of \(network.prefixLength) bits can get at most \(network.width - network.prefixLength) bits "
                        + "longer, and not \(newBits).")
            }
            guard number >= 0, newBits >= 64 || UInt64(number) < UInt64(1) << UInt64(newBits) else {
                throw arguments.failure("With \(newBits) new bits there is no subnet number \(number).")
            }
            let length = network.prefixLength + newBits
            let hostBits = network.width - length
            let offset = hostBits == 128 ? 0 : UInt128(number) << UInt128(hostBits)
            let subnet = IPNetwork(address: network.first | offset, prefixLength: length, isIPv6: network.isIPv6)
            return .string(subnet.description)
        })

    private static let cidrHost = FunctionDefinition(
        "cidr_host", [.init("prefix", .string), .init("hostnum", .integer)], .string,
        "The address with that number (from 0) in the network; a negative one counts from the end.",
        [
            .init("cidr_host(\"10.0.0.0/24\", 2)", "\"10.0.0.2\""),
            .init("cidr_host(\"10.0.0.0/24\", -1)", "\"10.0.0.255\""),
            .init("cidr_host(\"2001:db8::/64\", 10)", "\"2001:db8::a\""),
        ],
        .strict { (arguments) throws(EvaluationFailure) -> Value in
            let network = try network(0, arguments)
            let number = try arguments.integer(1)
            let last = network.last - network.first
            let offset = number >= 0 ? UInt128(number) : UInt128(number.magnitude - 1)
            guard offset <= last else {
                throw arguments.failure("The network \(network.canonical) has no address number \(number).")
            }
            let address = number >= 0 ? network.first + offset : network.last - offset
            return .string(IPNetwork.text(of: address, isIPv6: network.isIPv6))
        })

    private static let cidrNetmask = FunctionDefinition(
        "cidr_netmask", [.init("prefix", .string)], .string, "The netmask of an IPv4 network.",
        [.init("cidr_netmask(\"10.0.0.0/20\")", "\"255.255.240.0\"")],
        .strict { (arguments) throws(EvaluationFailure) -> Value in
            let network = try network(0, arguments)
            if network.isIPv6 { throw arguments.failure("IPv6 networks have no netmask.") }
            let mask = UInt128(UInt32.max) ^ (network.last - network.first)
            return .string(IPNetwork.text(of: mask, isIPv6: false))
        })

    private static let cidrContains = FunctionDefinition(
        "cidr_contains", [.init("prefix", .string), .init("inner", .string)], .boolean,
        "Whether a network holds the whole of another one, or an address.",
        [
            .init("cidr_contains(\"10.0.0.0/8\", \"10.1.0.0/16\")", "true"),
            .init("cidr_contains(\"10.0.0.0/8\", \"11.0.0.1\")", "false"),
        ],
        .strict { (arguments) throws(EvaluationFailure) -> Value in
            let network = try network(0, arguments)
            let text = try arguments.string(1)
            let isAddress = !text.utf8.contains(UInt8(ascii: "/"))
            let whole = text + (text.utf8.contains(UInt8(ascii: ":")) ? "/128" : "/32")
            guard let inner = IPNetwork(isAddress ? whole : text) else {
                throw arguments.failure("\"\(text)\" is neither a network nor an address.")
            }
            return .bool(network.contains(inner))
        })

    private static func network(_ position: Int, _ arguments: Arguments) throws(EvaluationFailure) -> IPNetwork {
        let text = try arguments.string(position)
        guard let network = IPNetwork(text) else {
            throw arguments.failure(
                "\"\(text)\" is not a network.", hint: "Networks are written 10.0.0.0/16 or 2001:db8::/32.")
        }
        return network
    }
}
