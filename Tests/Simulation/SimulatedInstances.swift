import AWSClient

// EC2: instances.

extension SimulatedAWS {
    func instances(_ request: CloudRequest) throws(Refusal) -> String {
        switch request.action {
        case "RunInstances": return try runInstance(request)
        case "DescribeInstances": return listing(request, "reservationSet", "instance", reservationXML)
        case "DescribeInstanceAttribute": return try instanceAttribute(request)
        case "ModifyInstanceAttribute": return try modifyInstance(request)
        case "StopInstances": return try stop(request)
        case "StartInstances": return try start(request)
        case "TerminateInstances": return try terminate(request)
        case "DescribeIamInstanceProfileAssociations": return profileAssociations(request)
        case "AssociateIamInstanceProfile":
            return try setProfile(request["InstanceId"], request["IamInstanceProfile.Name"])
        case "ReplaceIamInstanceProfileAssociation":
            return try setProfile(String(request["AssociationId"].dropFirst(4)), request["IamInstanceProfile.Name"])
        case "DisassociateIamInstanceProfile":
            let id = String(request["AssociationId"].dropFirst(4))
            guard current(id).map({ !$0["profile"].isEmpty }) ?? false else {
                throw Refusal("NoSuchAssociation", "no such association")
            }
            change(id) { $0["profile"] = "" }
            return done
        default:
            guard let answer = try serviceAnswer(request) else {
                throw Refusal("InvalidAction", "The action \(request.action) is not valid")
            }
            return FlatAnswer.xml(answer)
        }
    }

    private func runInstance(_ request: CloudRequest) throws(Refusal) -> String {
        if let made = try made(by: request["ClientToken"], request) { return reservationXML(made) }
        let subnet = try known(request["SubnetId"], "InvalidSubnetID.NotFound")
        let groups = request.list("SecurityGroupId")
        for group in groups { _ = try known(group, "InvalidGroup.NotFound") }
        let key = request["KeyName"]
        if !key.isEmpty { _ = try known("key-pair/\(key)", "InvalidKeyPair.NotFound") }
        let profile = request["IamInstanceProfile.Name"]
        if !profile.isEmpty {
            guard let seen = seen(id: "profile/\(profile)") else {
                throw Refusal("InvalidParameterValue", "Value (\(profile)) is an Invalid IAM Instance Profile name")
            }
            if seen["role"].isEmpty {
                throw Refusal("InvalidParameterValue", "IAM Instance Profile \(profile) has no associated IAM Roles")
            }
        }
        let id = newID("i-")
        let number = id.utf8.reduce(0) { ($0 &* 31 &+ Int($1)) & 0xffff } % 250
        let object = add(
            "instance", id: id,
            [
                "instance-id": id, "subnet-id": subnet.id, "vpc": subnet["vpc-id"],
                "zone": subnet["zone"], "image": request["ImageId"], "type": request["InstanceType"],
                "groups": groups.sorted().joined(separator: ","), "key": key, "profile": profile,
                "user-data": request["UserData"], "client-token": request["ClientToken"],
                "ip": "10.0.1.\(number)", "power": "running",
            ], tags: request.creationTags, takes: takesTime())
        remember(request["ClientToken"], id, request)
        return reservationXML(object)
    }

    private func profileAssociations(_ request: CloudRequest) -> String {
        let id = request.filters.first { $0.name == "instance-id" }?.values.first ?? ""
        let items = seen("instance").filter { $0.id == id && !$0["profile"].isEmpty && $0.goneAt == nil }.map {
            XML.around(
                "item",
                XML.tag("associationId", "iip-" + $0.id) + XML.tag("instanceId", $0.id) + XML.tag("state", "associated")
                    + XML.around(
                        "iamInstanceProfile",
                        XML.tag(
                            "arn", "arn:aws:iam::\(SimulatedAWS.account):instance-profile/\($0["profile"])")))
        }
        return XML.around("iamInstanceProfileAssociationSet", items.joined())
    }

    private func setProfile(_ id: String, _ profile: String) throws(Refusal) -> String {
        let instance = try known(id, "InvalidInstanceID.NotFound")
        guard let seen = seen(id: "profile/\(profile)"), !seen["role"].isEmpty else {
            throw Refusal("InvalidParameterValue", "Value (\(profile)) is an Invalid IAM Instance Profile name")
        }
        change(instance.id) { $0["profile"] = profile }
        return done
    }

    private func state(_ instance: CloudObject) -> String {
        if let gone = instance.goneAt { return gone <= now ? "terminated" : "shutting-down" }
        let isMoving = instance.readyAt > now
        return instance["power"] == "running" ? (isMoving ? "pending" : "running") : isMoving ? "stopping" : "stopped"
    }

    private func reservationXML(_ instance: CloudObject) -> String {
        let groups = instance["groups"].split(separator: ",")
            .map { XML.around("item", XML.tag("groupId", String($0))) }
        let profile = instance["profile"]
        let item =
            XML.tag("instanceId", instance.id) + XML.tag("imageId", instance["image"])
            + XML.around("instanceState", XML.tag("name", state(instance)))
            + XML.tag("instanceType", instance["type"]) + XML.optional("keyName", instance["key"])
            + XML.tag("subnetId", instance["subnet-id"]) + XML.tag("vpcId", instance["vpc"])
            + XML.tag("privateIpAddress", instance["ip"])
            + XML.tag("privateDnsName", "ip-\(instance["ip"]).ec2.internal")
            + XML.around(
                "placement", XML.tag("availabilityZone", instance["zone"]) + XML.tag("tenancy", "default"))
            + XML.around("monitoring", XML.tag("state", "disabled")) + XML.tag("sourceDestCheck", true)
            + XML.tag("ebsOptimized", false) + XML.around("groupSet", groups.joined())
            + (profile.isEmpty
                ? ""
                : XML.around(
                    "iamInstanceProfile",
                    XML.tag("arn", "arn:aws:iam::\(SimulatedAWS.account):instance-profile/\(profile)")))
            + tagXML(instance)
        return XML.tag("ownerId", SimulatedAWS.account) + XML.around("instancesSet", XML.around("item", item))
    }

    private func instanceAttribute(_ request: CloudRequest) throws(Refusal) -> String {
        guard let instance = seen(id: request["InstanceId"]) else {
            throw Refusal("InvalidInstanceID.NotFound", "no such instance")
        }
        let name = request["Attribute"]
        let value =
            name == "userData" ? instance["user-data"] : name == "disableApiTermination" ? "false" : "stop"
        return XML.tag("instanceId", instance.id) + XML.around(name, XML.tag("value", value))
    }

    private func modifyInstance(_ request: CloudRequest) throws(Refusal) -> String {
        let instance = try known(request["InstanceId"], "InvalidInstanceID.NotFound")
        let groups = request.list("GroupId")
        if !groups.isEmpty {
            for group in groups { _ = try known(group, "InvalidGroup.NotFound") }
            change(instance.id) { $0["groups"] = groups.sorted().joined(separator: ",") }
            return done
        }
        for (wire, field) in [("InstanceType", "type"), ("UserData", "user-data")] {
            guard let value = request.optional("\(wire).Value") else { continue }
            if state(instance) != "stopped" {
                throw Refusal("IncorrectInstanceState", "The instance '\(instance.id)' is not in the 'stopped' state.")
            }
            change(instance.id) { $0[field] = value }
        }
        return done
    }

    private func stop(_ request: CloudRequest) throws(Refusal) -> String {
        let instance = try known(request["InstanceId.1"], "InvalidInstanceID.NotFound")
        guard ["running", "stopped", "stopping"].contains(state(instance)) else {
            throw Refusal("IncorrectInstanceState", "The instance '\(instance.id)' is not in a state to be stopped.")
        }
        if instance["power"] == "running" {
            let end = now + making
            change(instance.id) {
                $0["power"] = "stopped"
                $0.readyAt = end
            }
        }
        return done
    }

    private func start(_ request: CloudRequest) throws(Refusal) -> String {
        let instance = try known(request["InstanceId.1"], "InvalidInstanceID.NotFound")
        guard ["stopped", "running", "pending"].contains(state(instance)) else {
            throw Refusal("IncorrectInstanceState", "The instance '\(instance.id)' is not in a state to be started.")
        }
        if instance["power"] != "running" {
            let end = now + making
            change(instance.id) {
                $0["power"] = "running"
                $0.readyAt = end
            }
        }
        return done
    }

    private func terminate(_ request: CloudRequest) throws(Refusal) -> String {
        guard let instance = currentOrListed(request["InstanceId.1"]) else {
            throw Refusal("InvalidInstanceID.NotFound", "no such instance")
        }
        startRemoving(instance.id, lingers: .seconds(3600))
        return done
    }
}
