import MusterModel

// The parts of an elastigroup that are written as its resource has them. A test holds them against it.

enum SpotFields {
    static let capacity: [ArgumentSchema] = [
        ArgumentSchema("minimum", .integer, isRequired: true, constraints: [.range(0, 100_000)], "The fewest."),
        ArgumentSchema("maximum", .integer, isRequired: true, constraints: [.range(0, 100_000)], "The most."),
        ArgumentSchema(
            "target", .integer, constraints: [.range(0, 100_000)],
            "How many there should be. Left out, the group begins with the minimum. Between minimum and maximum the "
                + "service may move it, which is no drift; another number here is sent."),
        ArgumentSchema(
            "unit", .string, onChange: .replace, constraints: [.allowed(["instance", "weight"])],
            "What is counted: `instance`, or `weight` as `instance_types.weights` says."),
    ]

    static let strategy: [ArgumentSchema] = [
        ArgumentSchema(
            "risk", .integer, constraints: [.range(0, 100), .conflictsWith(["on_demand_count"])],
            "How many per cent are spot instances."),
        ArgumentSchema("on_demand_count", .integer, "How many are on-demand instances; the others are spot."),
        ArgumentSchema(
            "availability_vs_cost", .string,
            "What matters when instances are chosen: `balanced`, `costOriented`, `availabilityOriented`, or a newer word."
        ),
        ArgumentSchema("draining_timeout", .integer, "Seconds in which an instance is drained before it ends."),
        ArgumentSchema("fallback_to_od", .boolean, "Whether on-demand instances stand in where there is no spot."),
        ArgumentSchema("utilize_reserved_instances", .boolean, "Whether reserved instances are used first."),
        ArgumentSchema("utilize_commitments", .boolean, "Whether savings plans are used first."),
        ArgumentSchema("lifetime_period", .string, "How long reserved capacity is kept."),
        ArgumentSchema("spin_up_time", .integer, "Seconds that a new instance takes until it is of use."),
        ArgumentSchema(
            "signals",
            .set(
                .object([
                    ArgumentSchema("name", .string, isRequired: true, "Such as `INSTANCE_READY`."),
                    ArgumentSchema("timeout", .integer, "Seconds to wait for it."),
                ]), key: "name"), "Signals that instances give."),
        ArgumentSchema(
            "persistence",
            .object([
                ArgumentSchema("should_persist_private_ip", .boolean, "Whether a successor gets the private address."),
                ArgumentSchema("should_persist_block_devices", .boolean, "Whether it gets the data volumes."),
                ArgumentSchema("should_persist_root_device", .boolean, "Whether it gets the root volume."),
                ArgumentSchema("block_devices_mode", .string, "`reattach` or `onLaunch`."),
            ]), "What of an instance its successor keeps."),
        ArgumentSchema(
            "revert_to_spot",
            .object([
                ArgumentSchema("perform_at", .string, "`always`, `never` or `timeWindow`."),
                ArgumentSchema("time_windows", .list(.string), "Such as `Mon:03:00-Wed:02:30`."),
            ]), "When on-demand instances that stand in are replaced by spot again."),
        ArgumentSchema(
            "scaling_strategy",
            .object([
                ArgumentSchema(
                    "terminate_at_end_of_billing_hour", .boolean, "Whether instances go when their hour is over."),
                ArgumentSchema("termination_policy", .string, "Which go first."),
            ]), "How the group gets smaller."),
    ]

    static let instanceTypes: [ArgumentSchema] = [
        ArgumentSchema("on_demand", .string, isRequired: true, "The type of on-demand instances."),
        ArgumentSchema(
            "spot", .set(.string), isRequired: true, constraints: [.count(1, 200)], "Types of spot instances."),
        ArgumentSchema("preferred_spot", .set(.string), "Those of them that are tried first."),
        ArgumentSchema(
            "weights",
            .set(
                .object([
                    ArgumentSchema("instance_type", .string, isRequired: true, "The type."),
                    ArgumentSchema("weighted_capacity", .integer, isRequired: true, "How much of the capacity it is."),
                ]), key: "instance_type"), "What each type counts, where the unit is `weight`."),
    ]

    static let networkInterface: [ArgumentSchema] = [
        ArgumentSchema("device_index", .integer, isRequired: true, "0 is the first."),
        ArgumentSchema("network_interface_id", .string, "One that exists."),
        ArgumentSchema("description", .string, "What it is for."),
        ArgumentSchema("associate_public_ip_address", .boolean, "Whether it gets a public address."),
        ArgumentSchema("associate_ipv6_address", .boolean, "Whether it gets an IPv6 address."),
        ArgumentSchema("delete_on_termination", .boolean, "Whether it goes with the instance."),
        ArgumentSchema("groups", .set(.string), reference: .securityGroup, "Groups that guard it."),
        ArgumentSchema("private_ip_address", .string, "Its private address."),
        ArgumentSchema("secondary_private_ip_address_count", .integer, "How many more private addresses it has."),
        ArgumentSchema("subnet_id", .string, reference: .subnet, "The subnet that it is in."),
    ]

    static let scheduledTask: [ArgumentSchema] = [
        ArgumentSchema(
            "task_type", .string, isRequired: true, "Such as `scale`, `roll`, `backup_ami` or `statefulUpdateCapacity`."
        ),
        ArgumentSchema(
            "frequency", .string, constraints: [.exactlyOne(["frequency", "cron_expression", "start_time"])],
            "`hourly`, `daily`, `weekly` or `continuous`."),
        ArgumentSchema("cron_expression", .string, "When, as five fields; UTC."),
        ArgumentSchema("start_time", .string, "The only time, in ISO 8601."),
        ArgumentSchema("is_enabled", .boolean, "Whether it works."),
        ArgumentSchema("scale_target_capacity", .integer, "How many there should be from then on."),
        ArgumentSchema(
            "scale_min_capacity", .integer,
            "The fewest from then on. The next plan wants the group's own back, unless `lifecycle` ignores `capacity`."),
        ArgumentSchema("scale_max_capacity", .integer, "The most from then on."),
        ArgumentSchema("target_capacity", .integer, "How many there should be from then on, of a stateful group."),
        ArgumentSchema("min_capacity", .integer, "The fewest from then on, of a stateful group."),
        ArgumentSchema("max_capacity", .integer, "The most from then on, of a stateful group."),
        ArgumentSchema("adjustment", .integer, "By how many the target changes."),
        ArgumentSchema("adjustment_percentage", .integer, "By how many per cent the target changes."),
        ArgumentSchema("batch_size_percentage", .integer, "How many per cent a roll replaces at a time."),
        ArgumentSchema("grace_period", .integer, "Seconds that a batch of a roll has."),
    ]

    static let scalingPolicy: [ArgumentSchema] = [
        ArgumentSchema("metric_name", .string, isRequired: true, "The metric, such as CPUUtilization."),
        ArgumentSchema("namespace", .string, "Where the metric is, such as AWS/EC2."),
        ArgumentSchema("source", .string, "Who tells it: `cloudWatch` or `spectrum`."),
        ArgumentSchema("statistic", .string, "What of the measured values counts, such as `average`."),
        ArgumentSchema("unit", .string, "The unit, such as `percent`."),
        ArgumentSchema("threshold", .number, "Where it sets in."),
        ArgumentSchema("target", .number, "Where the metric is held, of a target policy."),
        ArgumentSchema("operator", .string, "How values are held against the threshold: `gt`, `gte`, `lt` or `lte`."),
        ArgumentSchema("adjustment", .integer, "By how many the target changes."),
        ArgumentSchema("min_target_capacity", .integer, "The fewest that there are afterwards."),
        ArgumentSchema("max_target_capacity", .integer, "The most that there are afterwards."),
        ArgumentSchema("evaluation_periods", .integer, "How many values count."),
        ArgumentSchema("period", .integer, "Over how many seconds each value is taken."),
        ArgumentSchema("cooldown", .integer, "Seconds until the next scaling."),
        ArgumentSchema("is_enabled", .boolean, "Whether it works."),
        ArgumentSchema("dimensions", .map(.string), "What is measured, by name."),
        ArgumentSchema(
            "action",
            .object([
                ArgumentSchema(
                    "type", .string, isRequired: true, "Such as `adjustment`, `setMinTarget` or `updateCapacity`."),
                ArgumentSchema("adjustment", .string, "By how many, or an expression."),
                ArgumentSchema("min_target_capacity", .string, "For `setMinTarget`."),
                ArgumentSchema("max_target_capacity", .string, "For `setMaxTarget`."),
                ArgumentSchema("minimum", .string, "For `updateCapacity`."),
                ArgumentSchema("maximum", .string, "For `updateCapacity`."),
                ArgumentSchema("target", .string, "For `updateCapacity`."),
            ]), "What is done, where it is more than an adjustment."),
        ArgumentSchema(
            "predictive", .object([ArgumentSchema("mode", .string, "`FORECAST_AND_SCALE` or `FORECAST_ONLY`.")]),
            "Whether the group scales before the load comes."),
    ]
}
