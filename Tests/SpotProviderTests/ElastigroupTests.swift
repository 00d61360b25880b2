// The life of a group on the simulated Spot: made, read back as wanted, each argument changed, changed behind our back,
// deleted; and what a request says, as a golden.

import HTTPTransport
import Lowering
import MusterModel
import ProviderKit
import RancherSimulation
import SandboxServing
import SpotClient
import SpotProvider
import SpotSimulation
import TestSupport
import Testing

private let elastigroup: ResourceType = "spot.elastigroup"

struct Lab {
    let platform = SpotPlatform(rancher: RancherSite(RancherServer.Configuration()))

    func handler(account: String = "act-5a4db0b0") async throws -> any ResourceHandler {
        let site = platform.spot
        let provider = SpotProvider { () throws(ProviderError) in
            SpotClient(
                endpoint: .service, credentials: SpotCredentials(token: "sandbox-spot-token", account: account),
                userAgent: "muster/test",
                collaborators: SpotClient.Collaborators(
                    http: site, elapsed: { .zero }, sleep: { _ in }, random: { 0 }))
        }
        return try #require(
            try await provider.session(for: ProviderConfiguration(), expecting: [:]).handler(for: elastigroup))
    }

    func read(_ id: RemoteID, _ known: [String: Value]) async throws -> Observation? {
        try await handler().read([KnownObject(id: id, arguments: known, declared: Set(known.keys))])[id]
    }

    /// As somebody else asks.
    func raw(_ method: String, _ path: String, _ body: Value? = nil) async throws -> Value {
        let answer = try await platform.spot.send(
            HTTPRequest(
                method: method, url: "https://api.spotinst.io/aws/ec2/group\(path)",
                headers: ["Authorization": "Bearer sandbox-spot-token"],
                body: body.map { Array(ValueJSON.plainText($0).utf8) } ?? []))
        return try ValueJSON.decodePlain(String(decoding: answer.body, as: UTF8.self))["response"]["items"]
    }

    func group() async throws -> Value { try await raw("GET", "").list?.first ?? .null }
}

let plainGroup: [String: Value] = [
    "name": "workers", "capacity": ["minimum": 1, "maximum": 4, "target": 2], "product": "Linux/UNIX",
    "strategy": ["risk": 100], "instance_types": ["on_demand": "m4.large", "spot": ["m4.large", "m3.large"]],
    "subnet_ids": ["subnet-1"], "image_id": "ami-1", "security_group_ids": ["sg-1"], "tags": ["Name": "w"],
]

@Suite struct ElastigroupTests {
    private static let untold: Set = ["user_data", "user_data_base64", "shutdown_script", "rancher_secret_key"]
    private static let changes: [[String: Value]] = [
        ["name": "others"], ["description": "Now with words"], ["description": "Other words"],
        ["capacity": ["minimum": 2, "maximum": 3, "target": 3]],
        [
            "strategy": [
                "on_demand_count": 1, "draining_timeout": 60, "signals": [["name": "INSTANCE_READY", "timeout": 9]],
            ]
        ],
        [
            "strategy": [
                "risk": 50, "availability_vs_cost": "costOriented", "fallback_to_od": false,
                "revert_to_spot": ["perform_at": "timeWindow", "time_windows": ["Mon:03:00-Wed:02:30"]],
                "scaling_strategy": ["terminate_at_end_of_billing_hour": true],
                "persistence": ["should_persist_private_ip": true],
            ]
        ],
        [
            "instance_types": [
                "on_demand": "m5.large", "spot": ["m5.large"], "preferred_spot": ["m5.large"],
                "weights": [["instance_type": "m5.large", "weighted_capacity": 2]],
            ]
        ],
        ["preferred_availability_zones": ["us-east-1a"]], ["elastic_ips": ["eipalloc-1"]],
        ["subnet_ids": ["subnet-1", "subnet-2"]],
        ["image_id": "ami-2"], ["key_name": "operator"], ["security_group_ids": ["sg-1", "sg-2"]],
        ["iam_instance_profile": "worker"], ["iam_instance_profile": "arn:aws:iam::1:instance-profile/worker"],
        ["user_data": "#!/bin/sh\n"], ["user_data": "#!/bin/sh\nexit\n"], ["shutdown_script": "exit 0"],
        ["monitoring": true], ["ebs_optimized": true], ["tenancy": "dedicated"], ["cpu_credits": "unlimited"],
        ["health_check_type": "ELB"], ["health_check_grace_period": 60],
        ["health_check_unhealthy_duration_before_replacement": 120],
        [
            "load_balancers": [
                ["arn": "arn:aws:elasticloadbalancing:x", "type": "TARGET_GROUP"], ["name": "old", "type": "CLASSIC"],
            ]
        ],
        ["block_device_mappings": [["device_name": "/dev/sda1", "ebs": ["volume_size": 40, "volume_type": "gp3"]]]],
        ["network_interfaces": [["device_index": 0, "associate_public_ip_address": true, "groups": ["sg-1"]]]],
        [
            "scaling_up": [
                [
                    "policy_name": "busy", "metric_name": "CPUUtilization", "threshold": .number(70.5), "adjustment": 1,
                    "dimensions": [["name": "name", "value": "x"]],
                ]
            ]
        ],
        ["scaling_down": [["policy_name": "idle", "metric_name": "CPUUtilization", "threshold": 10, "adjustment": 1]]],
        ["scaling_target": [["policy_name": "held", "metric_name": "CPUUtilization", "target": 55]]],
        ["scheduled_tasks": [["task_type": "scale", "cron_expression": "0 7 * * 1-5", "scale_min_capacity": 2]]],
        [
            "rancher": ["master_host": "http://rancher.test:8080/v1", "version": "1"], "rancher_access_key": "A",
            "rancher_secret_key": "S",
        ], ["rancher_access_key": "B"], ["rancher_secret_key": "T"], ["tags": ["Name": "w", "Team": "data"]],
    ]

    @Test("A group lives as the spec wants it, and each change may be sent twice")
    func life() async throws {
        let lab = Lab()
        var wanted = plainGroup
        let schema = try await lab.handler().schema
        func expectAsWanted(_ id: RemoteID, _ what: String) async throws {
            let seen = try #require(try await lab.read(id, wanted), "\(what): it is gone")
            #expect(seen.status == .ready)
            #expect(
                seen.scope
                    == ProviderScope(
                        provider: "spot", account: "act-5a4db0b0", region: "", endpoint: "https://api.spotinst.io"))
            for (name, value) in wanted where !Self.untold.contains(name) && schema.argument(name)?.onChange != .local {
                let told = seen.arguments[name] ?? .null
                #expect(Lab.covers(told, value), "\(what): \(name) is \(told)")
            }
        }
        let made = try await lab.handler().create(wanted, intent: .test)
        #expect(made.id.rawValue.hasPrefix("sig-"))
        try await expectAsWanted(made.id, "made")
        for change in Self.changes {
            let before = wanted
            wanted.merge(change) { $1 }
            for time in ["", " once more"] {
                _ = try await lab.handler().update(made.id, from: before, to: wanted)
                try await expectAsWanted(made.id, "\(change.keys.sorted())\(time)")
            }
        }
        expectGolden(try await lab.group()["compute"].prettyJSON + "\n", named: "all-of-it.json")
        // What can be left out goes when it is.
        let removable = schema.arguments.filter { if case .means = $0.absence { true } else { false } }.map(\.name)
        let before = wanted
        for name in removable where plainGroup[name] == nil { wanted[name] = nil }
        _ = try await lab.handler().update(made.id, from: before, to: wanted)
        let bare = try #require(try await lab.read(made.id, wanted))
        for name in removable where plainGroup[name] == nil && !Self.untold.contains(name) {
            #expect(Lab.isUnset(bare.arguments[name] ?? .null), "\(name) stays")
        }
        #expect(try await lab.group()["compute"]["launchSpecification"]["userData"] == .null)
        #expect(try await lab.handler().update(made.id, from: wanted, to: wanted) == nil)
        for _ in 0..<2 { try await lab.handler().delete(made.id, last: wanted) }
        #expect(try await lab.read(made.id, wanted) == nil)
    }

    @Test("A creation whose answer is lost is found by its mark, is not repeated, and a rival is none of ours")
    func intents() async throws {
        let lab = Lab()
        let made = try await lab.handler().create(plainGroup, intent: .test)
        #expect(try await lab.handler().create(plainGroup, intent: .test).id == made.id)
        let found = try #require(try await lab.handler().find(plainGroup, intent: .test))
        #expect(found.isOurs && found.observation.id == made.id)
        #expect(found.observation.arguments["description"] == "")
        await #expect { try await lab.handler().create(plainGroup, intent: .other) } throws: {
            ($0 as? ProviderError)?.kind == .alreadyExists
        }
        #expect(try await lab.handler().find(plainGroup, intent: .other)?.isOurs == false)
        #expect(try await lab.raw("GET", "").list?.count == 1)
        // The mark survives a change of the words.
        var wanted = plainGroup
        wanted["description"] = "Words"
        _ = try await lab.handler().update(made.id, from: plainGroup, to: wanted)
        #expect(try await lab.handler().find(plainGroup, intent: .test)?.isOurs == true)
    }

    @Test("The target within the bounds is nobody's business; new bounds take it along, and a new number is sent")
    func target() async throws {
        let lab = Lab()
        let made = try await lab.handler().create(plainGroup, intent: .test)
        _ = try await lab.raw("PUT", "/\(made.id)/scale/up?adjustment=2")
        #expect(try await lab.read(made.id, plainGroup)?.arguments["capacity"]?["target"] == 2)
        #expect(try await lab.read(made.id, [:])?.arguments["capacity"]?["target"] == 4)
        func change(_ capacity: Value, from old: Value) async throws -> Value {
            let known = plainGroup.merging(["capacity": old]) { $1 }
            _ = try await lab.handler().update(made.id, from: known, to: known.merging(["capacity": capacity]) { $1 })
            return try await lab.group()["capacity"]["target"]
        }
        let first: Value = ["minimum": 1, "maximum": 5, "target": 2]
        #expect(try await change(first, from: plainGroup["capacity"] ?? .null) == 4)
        #expect(try await change(["minimum": 1, "maximum": 3, "target": 2], from: first) == 3)
        #expect(
            try await change(
                ["minimum": 1, "maximum": 3, "target": 1], from: ["minimum": 1, "maximum": 3, "target": 2]) == 1)
        #expect(try await change(["minimum": 2, "maximum": 3], from: ["minimum": 1, "maximum": 3]) == 2)
        var wanted = plainGroup
        wanted["capacity"] = ["minimum": 1, "maximum": 4]
        wanted["name"] = "least"
        let least = try await lab.handler().create(wanted, intent: .other)
        #expect(least.arguments["capacity"]?["target"] == 1)
    }

    @Test("What muster does not know stays, and tags of others stay theirs")
    func foreign() async throws {
        let lab = Lab()
        let made = try await lab.handler().create(plainGroup, intent: .test)
        _ = try await lab.raw(
            "PUT", "/\(made.id)",
            [
                "group": [
                    "thirdPartiesIntegration": ["nomad": ["masterHost": "n"]], "multai": ["token": "x"],
                    "compute": [
                        "launchSpecification": [
                            "tags": [["tagKey": "Name", "tagValue": "w"], ["tagKey": "Theirs", "tagValue": "1"]]
                        ]
                    ],
                ]
            ])
        var wanted = plainGroup
        wanted["tags"] = ["Team": "data"]
        wanted["rancher"] = ["master_host": "http://rancher.test:8080/v1"]
        wanted["rancher_access_key"] = "A"
        wanted["rancher_secret_key"] = "S"
        _ = try await lab.handler().update(made.id, from: plainGroup, to: wanted)
        let group = try await lab.group()
        #expect(group["thirdPartiesIntegration"]["nomad"]["masterHost"] == "n")
        #expect(group["multai"]["token"] == "x")
        #expect(try await lab.read(made.id, wanted)?.arguments["tags"] == ["Team": "data", "Theirs": "1"])
        #expect(try await lab.read(made.id, wanted)?.arguments["rancher_secret_key"] == nil)
        // Somebody takes the integration away: it comes back with the key that nobody can compare.
        _ = try await lab.raw("PUT", "/\(made.id)", ["group": ["thirdPartiesIntegration": ["rancher": nil]]])
        #expect(try await lab.read(made.id, wanted)?.arguments["rancher"] == .some(.null))
        _ = try await lab.handler().update(made.id, from: wanted, to: wanted)
        #expect(try await lab.group()["thirdPartiesIntegration"]["rancher"]["secretKey"] == "S")
        // Zones take the place of subnets.
        var zones = wanted
        zones["subnet_ids"] = nil
        zones["availability_zones"] = [["name": "us-east-1a", "subnet_ids": ["subnet-1"]]]
        _ = try await lab.handler().update(made.id, from: wanted, to: zones)
        #expect(try await lab.group()["compute"]["subnetIds"] == .null)
        _ = try await lab.handler().update(made.id, from: zones, to: wanted)
        #expect(try await lab.group()["compute"]["availabilityZones"] == .null)
    }

    @Test("Choices of a request go with it: queries of a change, what is deleted with a group")
    func choices() async throws {
        let group = #"{"id":"sig-1","name":"old","capacity":{"minimum":1,"maximum":4,"target":2}}"#
        let spot = RecordingSpot(.items(group))
        let wanted = plainGroup.merging([
            "auto_apply_tags": true, "should_resume_stateful": false,
            "stateful_deallocation": ["should_delete_images": true],
        ]) { $1 }
        _ = try await spot.handler().update("sig-1", from: wanted, to: wanted)
        try await spot.handler().delete("sig-1", last: wanted)
        expectGolden(spot.transcript, named: "choices.txt")
    }

    @Test("Many groups are read with one request, and an id of something else is not imported")
    func bulk() async throws {
        let spot = RecordingSpot(.items(#"{"id":"sig-1"}"#, #"{"id":"sig-2"}"#))
        let handler = try await spot.handler()
        let seen = try await handler.read(["sig-1", "sig-2", "sig-3"].map { KnownObject(id: RemoteID($0)) })
        #expect(seen.keys.sorted() == ["sig-1", "sig-2"])
        #expect(spot.transcript == "GET /aws/ec2/group?accountId=act-1\n")
        await #expect(throws: ProviderError.self) { try await handler.importID("i-1") }
    }

    @Test("Another account is refused by the service, and is said")
    func account() async throws {
        await #expect { try await Lab().handler(account: "act-other").create(plainGroup, intent: .test) } throws: {
            let error = $0 as? ProviderError
            return error?.kind == .badCredentials && error?.hint?.contains("SPOTINST_ACCOUNT") == true
        }
    }

    @Test("The section says of a group what the resource does")
    func section() throws {
        let section = try #require(Lowering.sections.first { $0.name == "spot" })
        let resource = try #require(SpotProvider.catalog["spot.elastigroup"])
        for name in ["capacity", "strategy", "instance_types", "scheduled_tasks", "stateful_deallocation"] {
            #expect(section.fields.first { $0.name == name }?.type == resource.argument(name)?.type, "\(name)")
        }
        guard case .object(let launch)? = section.fields.first(where: { $0.name == "launch" })?.type else { return }
        #expect(
            launch.first { $0.name == "network_interfaces" }?.type == resource.argument("network_interfaces")?.type)
    }
}

extension Lab {
    /// Whether all that is wanted is told; order means nothing.
    static func covers(_ told: Value, _ wanted: Value) -> Bool {
        switch (told, wanted) {
        case (.map(let told), .map(let wanted)):
            wanted.allSatisfy { covers(told[$0.key] ?? .null, $0.value) }
        case (.list(let told), .list(let wanted)):
            told.count == wanted.count && wanted.allSatisfy { value in told.contains { covers($0, value) } }
        case (.number(let told), .integer(let wanted)): told == Double(wanted)
        default: told == wanted
        }
    }

    static func isUnset(_ value: Value) -> Bool {
        switch value {
        case .null, .string(""): true
        case .list(let values): values.isEmpty
        case .map(let values): values.isEmpty
        default: false
        }
    }
}
