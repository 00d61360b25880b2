import AWSClient
import SandboxServing
import TextEncodings

/// What a group's definition must be, how a change is merged into it, and what the service adds.
enum SpotDefinition {
    private static let known: Set<String> = [
        "name", "description", "region", "capacity", "strategy", "compute", "scaling", "scheduling", "multai",
        "thirdPartiesIntegration",
    ]
    private static let products = [
        "Linux/UNIX", "SUSE Linux", "Windows", "Red Hat Enterprise Linux", "Linux/UNIX (Amazon VPC)",
        "SUSE Linux (Amazon VPC)", "Windows (Amazon VPC)", "Red Hat Enterprise Linux (Amazon VPC)",
    ]

    static func withPresets(_ given: JSONValue) -> JSONValue {
        let presets: JSONValue = [
            "region": "us-east-1", "capacity": ["unit": "instance"],
            "strategy": ["availabilityVsCost": "balanced", "fallbackToOd": true],
            "compute": ["launchSpecification": ["healthCheckGracePeriod": 300, "monitoring": false]],
        ]
        return merged(presets, given)
    }

    /// Leaf by leaf: what is not named stays, `null` clears, lists are replaced whole.
    static func merged(_ old: JSONValue, _ new: JSONValue) -> JSONValue {
        guard case .object(let changes) = new else { return new }
        var members = old.members
        for change in changes {
            let index = members.firstIndex { $0.name == change.name }
            if change.value.isNull {
                if let index { members.remove(at: index) }
            } else if let index {
                members[index].value = merged(members[index].value, change.value)
            } else {
                members.append(.init(change.name, merged(.null, change.value)))
            }
        }
        return .object(members)
    }

    static func check(_ group: JSONValue) throws(SpotFailure) {
        for member in group.members where !known.contains(member.name) {
            throw .invalid("group.\(member.name)", "\"\(member.name)\" is not allowed")
        }
        guard group["name"].string?.isEmpty == false else { throw .invalid("group.name", "\"name\" is required") }
        try checkCapacity(group["capacity"])
        try checkStrategy(group["strategy"])
        try checkCompute(group["compute"])
        try checkRancher(group["thirdPartiesIntegration"]["rancher"])
    }

    private static func checkCapacity(_ capacity: JSONValue) throws(SpotFailure) {
        var numbers: [Int] = []
        for name in ["minimum", "target", "maximum"] {
            guard let number = capacity[name].integer, number >= 0 else {
                throw .invalid("group.capacity.\(name)", "\"\(name)\" must be a number of instances")
            }
            numbers.append(number)
        }
        guard numbers == numbers.sorted() else {
            throw .invalid("group.capacity.target", "\"target\" must be between \"minimum\" and \"maximum\"")
        }
        guard ["instance", "weight"].contains(capacity["unit"].text) else {
            throw .invalid("group.capacity.unit", "\"unit\" must be one of [instance, weight]")
        }
    }

    private static func checkStrategy(_ strategy: JSONValue) throws(SpotFailure) {
        if !strategy["risk"].isNull {
            guard let risk = strategy["risk"].integer, (0...100).contains(risk) else {
                throw .invalid("group.strategy.risk", "\"risk\" must be from 0 to 100")
            }
            guard strategy["onDemandCount"].isNull else {
                throw .invalid("group.strategy", "\"risk\" and \"onDemandCount\" exclude each other")
            }
        }
    }

    private static func checkCompute(_ compute: JSONValue) throws(SpotFailure) {
        guard products.contains(compute["product"].text) else {
            throw .invalid("group.compute.product", "\"product\" must be one of \(products)")
        }
        let types = compute["instanceTypes"]
        guard types["ondemand"].string?.isEmpty == false else {
            throw .invalid("group.compute.instanceTypes.ondemand", "\"ondemand\" is required")
        }
        guard !types["spot"].items.isEmpty else {
            throw .invalid("group.compute.instanceTypes.spot", "\"spot\" is required")
        }
        guard !compute["availabilityZones"].items.isEmpty || !compute["subnetIds"].items.isEmpty else {
            throw .invalid("group.compute.availabilityZones", "\"availabilityZones\" is required")
        }
        let launch = compute["launchSpecification"]
        guard launch["imageId"].string?.hasPrefix("ami-") == true else {
            throw .invalid("group.compute.launchSpecification.imageId", "\"imageId\" is required")
        }
        guard !launch["securityGroupIds"].items.isEmpty else {
            throw .invalid("group.compute.launchSpecification.securityGroupIds", "\"securityGroupIds\" is required")
        }
        for name in ["userData", "shutdownScript"] {
            guard let text = launch[name].string, Base64.decode(text) == nil else { continue }
            throw .invalid("group.compute.launchSpecification.\(name)", "\"\(name)\" must be a base64 string")
        }
    }

    private static func checkRancher(_ rancher: JSONValue) throws(SpotFailure) {
        guard !rancher.isNull else { return }
        for name in ["masterHost", "accessKey", "secretKey"] where rancher[name].string?.isEmpty != false {
            throw .invalid("group.thirdPartiesIntegration.rancher.\(name)", "\"\(name)\" is required")
        }
        if let version = rancher["version"].string, !["1", "2"].contains(version) {
            throw .invalid("group.thirdPartiesIntegration.rancher.version", "\"version\" must be one of [1, 2]")
        }
    }
}
