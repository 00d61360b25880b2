import AWSProvider
import MusterModel
import ProviderKit
import Testing

private func alarm(_ name: String) -> [String: Value] {
    ["alarm_name": .string(name), "comparison_operator": "GreaterThanThreshold", "evaluation_periods": 1]
}

private func policy(_ group: String, _ name: String) -> [String: Value] {
    ["name": .string(name), "autoscaling_group_name": .string(group), "scaling_adjustment": 1]
}

private func intent(_ number: Int) -> Intent {
    Intent(token: "token-\(number)", address: Address(stack: "test", type: "aws.vpc", name: "\(number)"))
}

private func create(
    _ type: ResourceType, _ wanted: [[String: Value]], _ aws: RecordingAWS, _ look: SharedLook
) async throws {
    for (number, arguments) in wanted.enumerated() {
        // Each step has a session of its own.
        let handler = try #require(try await aws.session().sharing(look).handler(for: type))
        _ = try await handler.create(arguments, intent: intent(number))
    }
}

@Suite("What would be overwritten") struct SharedLookTests {
    @Test("Steps that make alarms look once, for all that are to be made")
    func alarms() async throws {
        let aws = RecordingAWS(["DescribeAlarms": [.body("<MetricAlarms/>")], "PutMetricAlarm": [.done]])
        let wanted = ["b", "a", "c"].map(alarm)
        try await create("aws.cloudwatch_alarm", wanted, aws, SharedLook(wanted: ["aws.cloudwatch_alarm": wanted]))
        #expect(await aws.calls == ["DescribeAlarms", "PutMetricAlarm", "PutMetricAlarm", "PutMetricAlarm"])
        let asked = await aws.takeTranscript()
        for name in ["a", "b", "c"] { #expect(asked.contains(" = \(name)\n")) }
    }

    @Test("A look asks for no more names than a call can carry")
    func manyAlarms() async throws {
        let aws = RecordingAWS(["DescribeAlarms": [.body("<MetricAlarms/>")], "PutMetricAlarm": [.done]])
        let wanted = (100..<301).map { alarm("n\($0)") }
        try await create("aws.cloudwatch_alarm", wanted, aws, SharedLook(wanted: ["aws.cloudwatch_alarm": wanted]))
        #expect(await aws.calls.count { $0 == "DescribeAlarms" } == 3)
    }

    @Test("What somebody else has is looked at again, and left alone")
    func taken() async throws {
        let theirs =
            "<MetricAlarms><member><AlarmName>b</AlarmName><AlarmArn>arn:b</AlarmArn></member></MetricAlarms>"
        let aws = RecordingAWS([
            "DescribeAlarms": [.body(theirs)], "ListTagsForResource": [.body("<Tags/>")], "PutMetricAlarm": [.done],
        ])
        let wanted = ["a", "b"].map(alarm)
        let look = SharedLook(wanted: ["aws.cloudwatch_alarm": wanted])
        await #expect {
            try await create("aws.cloudwatch_alarm", wanted, aws, look)
        } throws: {
            ($0 as? ProviderError)?.kind == .alreadyExists
        }
        #expect(await aws.calls == ["DescribeAlarms", "PutMetricAlarm", "DescribeAlarms", "ListTagsForResource"])
    }

    @Test("What another step has made since is looked at, and what failed to be listed is asked for again")
    func madeSince() async throws {
        let same = "<AutoScalingGroupName>g</AutoScalingGroupName><PolicyName>up</PolicyName>"
        let aws = RecordingAWS([
            "DescribePolicies": [
                .failure(code: "ServiceFailure"), .body("<ScalingPolicies/>"),
                .body("<ScalingPolicies><member>\(same)</member></ScalingPolicies>"),
            ],
            "PutScalingPolicy": [.done],
        ])
        let wanted = [policy("g", "up"), policy("g", "up")]
        let look = SharedLook(wanted: ["aws.scaling_policy": wanted])
        await #expect(throws: ProviderError.self) { try await create("aws.scaling_policy", wanted, aws, look) }
        await #expect {
            try await create("aws.scaling_policy", wanted, aws, look)
        } throws: {
            ($0 as? ProviderError)?.kind == .alreadyExists
        }
        #expect(await aws.calls.suffix(3) == ["DescribePolicies", "PutScalingPolicy", "DescribePolicies"])
    }

    @Test("Policies of several groups are looked at once; a single one is asked for by its name")
    func policies() async throws {
        let aws = RecordingAWS(["DescribePolicies": [.body("<ScalingPolicies/>")], "PutScalingPolicy": [.done]])
        let wanted = [policy("g", "up"), policy("g", "down"), policy("h", "up")]
        try await create("aws.scaling_policy", wanted, aws, SharedLook(wanted: ["aws.scaling_policy": wanted]))
        #expect(await aws.calls.count { $0 == "DescribePolicies" } == 1)
        _ = await aws.takeTranscript()
        try await create(
            "aws.scaling_policy", [wanted[0]], aws, SharedLook(wanted: ["aws.scaling_policy": [wanted[0]]]))
        #expect(await aws.takeTranscript().contains("PolicyNames.member.1 = up"))
    }

    @Test("The root device of an image is asked for once in a run")
    func rootDevice() async throws {
        let aws = RecordingAWS([
            "DescribeImages": [
                .failure(code: "UnauthorizedOperation", status: 403),
                .body(
                    "<imagesSet><item><imageId>ami-1</imageId><rootDeviceName>/dev/sda1</rootDeviceName></item></imagesSet>"
                ),
            ],
            "RunInstances": [
                .body("<instancesSet><item><instanceId>i-1</instanceId></item></instancesSet>")
            ],
        ])
        let provider = aws.provider
        let wanted: [String: Value] = ["ami": "ami-1", "root_block_device": ["volume_size": 8]]
        for number in 0..<4 {
            let session = try await provider.session(for: ProviderConfiguration(), expecting: [:])
            let handler = try #require(session.handler(for: "aws.instance"))
            _ = try? await handler.create(wanted, intent: intent(number))
        }
        #expect(
            await aws.calls == ["DescribeImages", "DescribeImages", "RunInstances", "RunInstances", "RunInstances"])
    }

    @Test("Every type that says that one call serves several has such calls, and no other")
    func batching() async throws {
        let aws = RecordingAWS()
        let session = try await aws.session()
        for schema in aws.provider.resources {
            let handler = try #require(session.handler(for: schema.type))
            #expect((handler.batches != nil) == (schema.batching != nil), "\(schema.type)")
            let names = Set(schema.arguments.map(\.name))
            let shared = (schema.batching?.creation ?? []) + (schema.batching?.deletion ?? [])
            #expect(names.isSuperset(of: shared), "\(schema.type)")
            #expect(schema.batching?.most ?? 2 > 1, "\(schema.type)")
        }
    }
}
