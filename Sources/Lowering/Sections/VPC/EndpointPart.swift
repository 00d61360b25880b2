import Diagnostics
import MusterModel

/// `endpoints` of a VPC.
enum EndpointPart {
    static let fields: [ArgumentSchema] =
        [
            ArgumentSchema(
                "service", .string, isRequired: true,
                "The service: its full name, such as com.amazonaws.us-east-1.s3, or s3 where the stack has a region."),
            ArgumentSchema(
                "type", .string, constraints: [.allowed(["Gateway", "Interface", "GatewayLoadBalancer"])],
                "Gateway for s3 and dynamodb unless subnets are named, else Interface."),
            ArgumentSchema("route_tables", .list(.string), "Tables of this VPC that lead to a Gateway endpoint."),
            ArgumentSchema("subnets", .list(.string), "Subnets of this VPC where an Interface endpoint has addresses."),
            ArgumentSchema(
                "security_groups", .list(.string), reference: .securityGroup,
                "Groups that guard an Interface endpoint."),
        ] + verbatim + [
            SectionFields.name("The tag Name; the key if it is left out."), SectionFields.tags("the endpoint"),
        ]

    /// The arguments of `aws.vpc_endpoint` that are written as they are.
    static let verbatim: [ArgumentSchema] = [
        ArgumentSchema(
            "policy", .anything, semantics: .policyDocument, "Who may do what through the endpoint; all by default."),
        ArgumentSchema(
            "private_dns_enabled", .boolean, "Whether the service's usual name leads to an Interface endpoint."),
        ArgumentSchema(
            "ip_address_type", .string, constraints: [.allowed(["ipv4", "ipv6", "dualstack"])],
            "The kind of addresses of an Interface endpoint."),
    ]
}

extension VPCLowering {
    mutating func lowerEndpoints() {
        for entry in endpoints {
            let body = entry.value
            var endpoint = Draft("aws.vpc_endpoint", entry.key, of: definition, at: entry.keyRange)
            endpoint.set("vpc_id", vpcID)
            guard let service = body["service"] else { continue }
            if let name = serviceName(service) { endpoint.set("service_name", name, at: service.range) }
            endpoint.set("vpc_endpoint_type", body["type"]?.value ?? usualType(body), at: body["type"]?.range)
            if let tables = body["route_tables"] {
                endpoint.set(
                    "route_table_ids",
                    parts(tables, "route table", "aws.route_table", among: routeTables, literals: ["rtb-"]),
                    at: tables.range)
            }
            if let named = body["subnets"] {
                endpoint.set(
                    "subnet_ids", parts(named, "subnet", "aws.subnet", among: subnets, literals: ["subnet-"]),
                    at: named.range)
            }
            endpoint.set("security_group_ids", body["security_groups"])
            endpoint.copy(EndpointPart.verbatim, from: body)
            checkType(endpoint, body)
            setTags(of: &endpoint, body, named: entry.key)
            result.append(endpoint)
        }
    }

    private mutating func serviceName(_ service: LocatedValue) -> Value? {
        // Full names begin with a domain turned round; short ones may have dots too: ecr.api.
        guard let text = service.value.string, !["com.", "cn.", "aws."].contains(where: text.hasPrefix) else {
            return service.value
        }
        guard let region else {
            result.diagnostics.append(.noRegion(text, at: service.range))
            return nil
        }
        return .string("com.amazonaws.\(region).\(text)")
    }

    private func usualType(_ body: LocatedValue) -> Value {
        let service = body["service"]?.value.string ?? ""
        let isGateway = service.hasSuffix("s3") || service.hasSuffix("dynamodb")
        return isGateway && body["subnets"] == nil ? "Gateway" : "Interface"
    }

    private mutating func checkType(_ endpoint: Draft, _ body: LocatedValue) {
        guard let type = endpoint.declaration.arguments["vpc_endpoint_type"]?.string else { return }
        let stray = type == "Gateway" ? ["subnets", "security_groups", "private_dns_enabled"] : ["route_tables"]
        for field in stray {
            guard let value = body[field] else { continue }
            result.diagnostics.append(.notOfType(field, type, at: value.range))
        }
    }
}

extension Diagnostic {
    fileprivate static func noRegion(_ service: String, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            code: "spec.no-region", summary: "Region not known",
            detail: "The full name of the service \(service.quoted) needs the region, which the spec does not say.",
            at: range,
            hint: "Write the full name, such as com.amazonaws.us-east-1.\(service), or set \"region\" of the workspace."
        )
    }

    fileprivate static func notOfType(_ field: String, _ type: String, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            code: "spec.endpoint-type", summary: "Field of another type of endpoint",
            detail: "An endpoint of the type \(type) has no \(field.quoted).", at: range)
    }
}
