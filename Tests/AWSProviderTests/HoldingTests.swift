import AWSProvider
import MusterModel
import Testing

/// Whoever stays while what it names is deleted and made anew must be known either to hold that, so that the successor
/// is made first, or to let it go.
@Suite struct HoldingTests {
    private static let schemas = RecordingAWS().provider.resources

    /// In-place references that AWS lets dangle, and why.
    private static let letGo: [String: String] = [
        "aws.autoscaling_group.instance_refresh.preferences.alarm_specification.alarms": "an alarm is only named",
        "aws.cloudwatch_alarm.alarm_actions": "an action is only named",
        "aws.cloudwatch_alarm.insufficient_data_actions": "an action is only named",
        "aws.cloudwatch_alarm.ok_actions": "an action is only named",
        "aws.db_instance.replicate_source_db": "replicas of what is deleted are promoted",
        "aws.eip.instance": "an instance that is terminated gives the address back",
        "aws.elasticache_replication_group.notification_topic_arn": "a topic is deleted whoever names it",
        "aws.hosted_zone.vpc.vpc_id": "a VPC is deleted whatever zones it is associated with",
        "aws.instance.iam_instance_profile": "a profile is deleted whoever runs with it",
        "aws.launch_template.iam_instance_profile": "a template only names what instances get",
        "aws.launch_template.key_name": "a template only names what instances get",
        "aws.launch_template.network_interfaces.subnet_id": "a template only names what instances get",
        "aws.lifecycle_hook.notification_target_arn": "a topic is deleted whoever names it",
        "aws.load_balancer.subnet_mapping.allocation_id": "its block holds",
        "aws.load_balancer.subnet_mapping.subnet_id": "its block holds",
        "aws.network_acl.subnet_ids": "a subnet goes with its association",
        "aws.route.gateway_id": "a route whose target is gone is a black hole",
        "aws.route.nat_gateway_id": "a route whose target is gone is a black hole",
        "aws.route.vpc_endpoint_id": "a route whose target is gone is a black hole",
        "aws.vpc_endpoint.route_table_ids": "a route table goes with its association",
    ]

    @Test("Every reference that changes in place to what is deleted first is known to hold or to let go")
    func references() {
        let deletedFirst = Set(Self.schemas.filter { $0.replacement == .deleteFirst }.map(\.type))
        var loose: Set<String> = []
        func visit(_ argument: ArgumentSchema, _ path: String) {
            let path = path + "." + argument.name
            let targets = argument.reference?.targets.map(\.type) ?? []
            let changesInPlace = argument.onChange == .update || argument.onChange == .updateWithDowntime
            if changesInPlace, !argument.holds, targets.contains(where: deletedFirst.contains) { loose.insert(path) }
            for member in members(of: argument.type) { visit(member, path) }
        }
        for schema in Self.schemas {
            for argument in schema.arguments { visit(argument, schema.type.rawValue) }
        }
        #expect(loose.subtracting(Self.letGo.keys).sorted() == [])
        #expect(Set(Self.letGo.keys).subtracting(loose).sorted() == [])
    }

    private func members(of type: ValueType) -> [ArgumentSchema] {
        switch type {
        case .object(let members): members
        case .list(let element), .set(let element, _), .map(let element): members(of: element)
        default: []
        }
    }
}
