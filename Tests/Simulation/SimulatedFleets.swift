// Launch configurations, groups and what belongs to them, alarms; launch templates. Rows of the table, and groups.

extension SimulatedCatalog {
    private static let service = "autoscaling"

    static let launchConfiguration = Kind(
        kind: "launchconfiguration", collection: "LaunchConfigurations.member", place: ["LaunchConfigurationName"],
        missing: "ValidationError", told: { _, object in ["LaunchConfigurationARN": object["-arn"]] })

    static let group = Kind(
        kind: "asg", collection: "AutoScalingGroups.member", place: ["AutoScalingGroupName"],
        needs: [
            Need("LaunchTemplate.LaunchTemplateId", "template", "ValidationError"),
            Need("LaunchConfigurationName", "launchconfiguration", "LaunchConfigurationName", "ValidationError"),
            Need("VPCZoneIdentifier", "subnet", "ValidationError"),
        ], parts: ["hook", "scheduledaction", "scalingpolicy"], missing: "ValidationError", takes: 1, lingers: true,
        told: toldGroup)

    static let hook = Kind(
        kind: "hook", collection: "LifecycleHooks.member", place: ["AutoScalingGroupName", "LifecycleHookName"],
        repetition: .overwrites, needs: [ofGroup], missing: "ValidationError")
    static let scheduledAction = Kind(
        kind: "scheduledaction", collection: "ScheduledUpdateGroupActions.member",
        place: ["AutoScalingGroupName", "ScheduledActionName"], repetition: .overwrites, needs: [ofGroup],
        missing: "ValidationError", told: { _, object in ["ScheduledActionARN": object["-arn"]] })
    static let scalingPolicy = Kind(
        kind: "scalingpolicy", collection: "ScalingPolicies.member", single: "",
        place: ["AutoScalingGroupName", "PolicyName"], repetition: .overwrites, needs: [ofGroup],
        missing: "ValidationError", told: { _, object in ["PolicyARN": object["-arn"]] })
    private static let ofGroup = Need("AutoScalingGroupName", "asg", "AutoScalingGroupName", "ValidationError")

    static let alarm = Kind(
        kind: "alarm", collection: "MetricAlarms.member", place: ["AlarmName"], repetition: .overwrites,
        told: { _, object in ["AlarmArn": object["-arn"]] })

    static let fleetCalls: [String: Call] = [
        life(
            service, launchConfiguration, make: "CreateLaunchConfiguration", delete: "DeleteLaunchConfiguration"),
        life(service, hook, make: "PutLifecycleHook", delete: "DeleteLifecycleHook"),
        life(service, scheduledAction, make: "PutScheduledUpdateGroupAction", delete: "DeleteScheduledAction"),
        life(service, scalingPolicy, make: "PutScalingPolicy", delete: "DeletePolicy"),
        life("monitoring", alarm, make: "PutMetricAlarm"),
        [
            "\(service).DescribeLaunchConfigurations": { cloud, request in
                try cloud.tell(
                    launchConfiguration, request, by: ["LaunchConfigurationNames.member.#": "LaunchConfigurationName"])
            },
            "\(service).DescribeLifecycleHooks": { cloud, request in
                try cloud.tell(
                    hook, request, by: ["LifecycleHookNames.member.#": "LifecycleHookName"], under: ofGroup)
            },
            "\(service).DescribeScheduledActions": { cloud, request in
                try cloud.tell(
                    scheduledAction, request,
                    by: [
                        "AutoScalingGroupName": "AutoScalingGroupName",
                        "ScheduledActionNames.member.#": "ScheduledActionName",
                    ])
            },
            "\(service).DescribePolicies": { cloud, request in
                try cloud.tell(
                    scalingPolicy, request,
                    by: ["AutoScalingGroupName": "AutoScalingGroupName", "PolicyNames.member.#": "PolicyName"])
            },
            "monitoring.DescribeAlarms": { cloud, request in
                try cloud.tell(alarm, request, by: ["AlarmNames.member.#": "AlarmName"])
            },
            "monitoring.DeleteAlarms": { cloud, request in
                guard cloud.current("alarm/\(request["AlarmNames.member.1"])") != nil else {
                    throw Refusal("ResourceNotFound", "no such alarm")
                }
                cloud.remove("alarm/\(request["AlarmNames.member.1"])")
                return [:]
            },
        ], tagCalls("monitoring", "ResourceARN", "ResourceNotFound"),
    ].reduce(into: [:]) { $0.merge($1) { first, _ in first } }

    /// Tags as most services have them.
    static func tagCalls(
        _ service: String, _ parameter: String, _ code: String, tags: String = "Tags.member",
        keys: String = "TagKeys.member"
    ) -> [String: Call] {
        [
            "\(service).ListTagsForResource": { cloud, request in
                FlatAnswer.tags(tags, try cloud.taggable(request[parameter], code).tags)
            },
            "\(service).TagResource": { cloud, request in
                try cloud.addTags(request[parameter], request, code)
            },
            "\(service).UntagResource": { cloud, request in
                try cloud.removeTags(request[parameter], request.list(keys), code)
            },
        ]
    }

    // MARK: - Groups

    private static let toldGroup: @Sendable (SimulatedAWS, CloudObject) -> Flat = { cloud, group in
        let isMoving = group.readyAt > cloud.now
        let count = Int(group["DesiredCapacity"]) ?? 0
        var instances = (0..<count).map { number in
            [
                "InstanceId": "i-\(number)", "LifecycleState": isMoving ? "Pending" : "InService",
                "HealthStatus": "Healthy",
            ]
        }
        // What goes is seen going.
        if count == 0, isMoving {
            instances = [["InstanceId": "i-0", "LifecycleState": "Terminating", "HealthStatus": "Healthy"]]
        }
        let tags = group.tags.sorted { $0.key < $1.key }.map {
            ["Key": $0.key, "Value": $0.value, "PropagateAtLaunch": group["-propagates:\($0.key)"]]
        }
        var told = FlatAnswer.list("Instances.member", instances)
        told.merge(FlatAnswer.list("Tags.member", tags)) { $1 }
        told["AutoScalingGroupARN"] = group["-arn"]
        if group.goneAt != nil { told["Status"] = "Delete in progress" }
        return told
    }

    static let groupCalls: [String: Call] = [
        "\(service).CreateAutoScalingGroup": { cloud, request in
            let name = request["AutoScalingGroupName"]
            // AWS lets nobody have the name of a group that is going.
            if cloud.current("asg/\(name)") != nil {
                throw Refusal("AlreadyExists", "AutoScalingGroup by this name already exists")
            }
            _ = try cloud.make(group, request)
            cloud.change("asg/\(name)") { object in
                if object["DesiredCapacity"].isEmpty { object["DesiredCapacity"] = object["MinSize"] }
                propagate(request, "Tags.member", &object)
            }
            return [:]
        },
        "\(service).UpdateAutoScalingGroup": { cloud, request in
            let before = try cloud.named(group, request)
            _ = try cloud.change(group, request)
            cloud.change(before.id) { object in
                let smallest = Int(object["MinSize"]) ?? 0
                let largest = Int(object["MaxSize"]) ?? 0
                let wanted = min(max(Int(object["DesiredCapacity"]) ?? 0, smallest), largest)
                object["DesiredCapacity"] = String(wanted)
                if wanted == 0, before["DesiredCapacity"] != "0" { object.readyAt = cloud.now + cloud.deleting }
            }
            return [:]
        },
        "\(service).DeleteAutoScalingGroup": { cloud, request in
            let object = try cloud.named(group, request)
            if request["ForceDelete"] != "true", !object.isEmptyGroup(cloud.now) {
                throw Refusal("ResourceInUse", "You cannot delete an AutoScalingGroup while there are instances")
            }
            for part in cloud.objects where group.parts.contains(part.kind) {
                if part["AutoScalingGroupName"] == object["AutoScalingGroupName"] { cloud.remove(part.id) }
            }
            cloud.startRemoving(object.id)
            return [:]
        },
        "\(service).DescribeAutoScalingGroups": { cloud, request in
            try cloud.tell(group, request, by: ["AutoScalingGroupNames.member.#": "AutoScalingGroupName"])
        },
        "\(service).CreateOrUpdateTags": { cloud, request in
            let object = try cloud.tagged(request)
            cloud.change(object.id) {
                $0.tags.merge(request.anyTags) { $1 }
                propagate(request, "Tags.member", &$0)
            }
            return [:]
        },
        "\(service).DeleteTags": { cloud, request in
            let object = try cloud.tagged(request)
            cloud.change(object.id) { for key in request.values("Tags.member.#.Key") { $0.tags[key] = nil } }
            return [:]
        },
        "\(service).DescribeScalingActivities": { _, _ in [:] },
        "\(service).DescribeInstanceRefreshes": { _, _ in [:] },
    ]

    private static func propagate(_ request: CloudRequest, _ path: String, _ object: inout CloudObject) {
        for number in 1...max(1, request.count(path)) {
            object["-propagates:\(request["\(path).\(number).Key"])"] = request["\(path).\(number).PropagateAtLaunch"]
        }
    }

    // MARK: - Templates

    static let template = Kind(
        kind: "template", collection: "launchTemplates.item", single: "launchTemplate", place: ["LaunchTemplateName"],
        repetition: .refused("InvalidLaunchTemplateName.AlreadyExistsException"), key: "LaunchTemplateId",
        idField: "LaunchTemplateId", id: counted("lt-"), missing: "InvalidLaunchTemplateId.NotFound",
        tellsRequest: false,
        told: { _, object in
            [
                "launchTemplateId": object.id, "launchTemplateName": object["LaunchTemplateName"],
                "createdBy": "arn:aws:iam::\(SimulatedAWS.account):root",
                "latestVersionNumber": object.version("-latest"),
                "defaultVersionNumber": object.version("-default"),
            ].merging(object.tagSet) { $1 }
        })

    static let templateCalls: [String: Call] = [
        life("ec2", template, make: "CreateLaunchTemplate", delete: "DeleteLaunchTemplate"),
        [
            "ec2.DescribeLaunchTemplates": { cloud, request in
                let names = request.filters.first { $0.name == "launch-template-name" }?.values
                let ids = request.list("LaunchTemplateId")
                let items = cloud.seen("template").filter {
                    (names?.contains($0["LaunchTemplateName"]) ?? true) && (ids.isEmpty || ids.contains($0.id))
                }
                if items.count < ids.count { throw Refusal(template.missing, "no such template") }
                return FlatAnswer.list(template.collection, items.map { template.told(cloud, $0) })
            },
            "ec2.DescribeLaunchTemplateVersions": { cloud, request in
                let id = request.optional("LaunchTemplateId")
                let items = cloud.seen("template").filter { id == nil || $0.id == id }
                if id != nil, items.isEmpty { throw Refusal(template.missing, "no such template") }
                return FlatAnswer.list(
                    "launchTemplateVersionSet.item",
                    items.map { item in
                        var told: Flat = ["launchTemplateId": item.id, "versionNumber": item.version("-latest")]
                        for (name, value) in item.fields where name.hasPrefix("LaunchTemplateData.") {
                            let name = name.dropFirst("LaunchTemplateData.".count)
                            told["launchTemplateData.\(name.prefix(1).lowercased())\(name.dropFirst())"] = value
                        }
                        return told
                    })
            },
            "ec2.CreateLaunchTemplateVersion": { cloud, request in
                if try cloud.made(by: request["ClientToken"], request) != nil { return [:] }
                let object = try cloud.named(template, request)
                cloud.change(object.id) { object in
                    object.fields = object.fields.filter { !$0.key.hasPrefix("LaunchTemplateData.") }
                        .merging(request.fields.filter { $0.key.hasPrefix("LaunchTemplateData.") }) { $1 }
                    object["-latest"] = String((Int(object.version("-latest")) ?? 1) + 1)
                }
                cloud.remember(request["ClientToken"], object.id, request)
                return [:]
            },
            "ec2.ModifyLaunchTemplate": { cloud, request in
                let object = try cloud.named(template, request)
                cloud.change(object.id) { $0["-default"] = request["SetDefaultVersion"] }
                return [:]
            },
        ],
    ].reduce(into: [:]) { $0.merge($1) { first, _ in first } }
}

extension CloudObject {
    fileprivate func isEmptyGroup(_ now: Duration) -> Bool { self["DesiredCapacity"] == "0" && readyAt <= now }
    fileprivate func version(_ name: String) -> String { self[name].isEmpty ? "1" : self[name] }

    /// Tags as EC2 tells them.
    var tagSet: Flat {
        FlatAnswer.list("tagSet.item", tags.sorted { $0.key < $1.key }.map { ["key": $0.key, "value": $0.value] })
    }
}

extension SimulatedAWS {
    fileprivate func tagged(_ request: CloudRequest) throws(Refusal) -> CloudObject {
        let name = request["Tags.member.1.ResourceId"]
        guard let object = seen("asg").first(where: { $0["AutoScalingGroupName"] == name }) else {
            throw Refusal("ValidationError", "AutoScalingGroup \(name) not found")
        }
        return object
    }
}
