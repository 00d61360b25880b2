import AWSClient
import TextEncodings

// IAM: roles, what hangs on them, instance profiles. Names are unique at once; that others see a name takes a while.

extension SimulatedAWS {
    func iam(_ request: CloudRequest) throws(Refusal) -> String {
        let content: String
        switch request.action {
        case "CreateRole": content = try createRole(request)
        case "GetRole": content = XML.around("Role", roleXML(try seenRole(request)))
        case "ListRoles":
            content =
                XML.around("Roles", seen("role").map { XML.around("member", roleXML($0)) }.joined())
                + XML.tag("IsTruncated", false)
        case "GetAccountAuthorizationDetails":
            content =
                XML.around("RoleDetailList", seen("role").map { XML.around("member", detailXML($0)) }.joined())
                + XML.tag("IsTruncated", false)
        case "UpdateAssumeRolePolicy":
            let role = try role(request)
            change(role.id) { $0["trust"] = request["PolicyDocument"] }
            content = ""
        case "UpdateRole":
            let role = try role(request)
            change(role.id) {
                $0["description"] = request["Description"]
                $0["session"] = request["MaxSessionDuration"]
            }
            content = ""
        case "TagRole": content = tag(try role(request), request)
        case "UntagRole": content = untag(try role(request), request)
        case "DeleteRole": content = try deleteRole(request)
        case "PutRolePolicy": content = try putPolicy(request)
        case "GetRolePolicy": content = try getPolicy(request)
        case "DeleteRolePolicy":
            _ = try role(request)
            let id = "policy/\(request["RoleName"])/\(request["PolicyName"])"
            _ = try present(id, "NoSuchEntity", status: 404)
            remove(id)
            content = ""
        case "AttachRolePolicy":
            let role = try role(request)
            let id = "attachment/\(role["name"])/\(request["PolicyArn"])"
            if current(id) == nil {
                add("attachment", id: id, ["role": role["name"], "arn": request["PolicyArn"]])
            } else {
                noteRepeat(id)
            }
            content = ""
        case "DetachRolePolicy":
            _ = try role(request)
            let id = "attachment/\(request["RoleName"])/\(request["PolicyArn"])"
            _ = try present(id, "NoSuchEntity", status: 404)
            remove(id)
            content = ""
        default: content = try profiles(request)
        }
        return """
            <\(request.action)Response><\(request.action)Result>\(content)</\(request.action)Result>\
            <ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></\(request.action)Response>
            """
    }

    private func profiles(_ request: CloudRequest) throws(Refusal) -> String {
        let id = "profile/\(request["InstanceProfileName"])"
        switch request.action {
        case "CreateInstanceProfile":
            guard current(id) == nil else {
                throw Refusal("EntityAlreadyExists", "Instance Profile already exists", status: 409)
            }
            let profile = add(
                "profile", id: id,
                [
                    "name": request["InstanceProfileName"], "role": "", "unique": newID("AIPA"),
                    "path": request["Path"].isEmpty ? "/" : request["Path"],
                ],
                tags: request.tags("Tags.member"))
            return XML.around("InstanceProfile", profileXML(profile))
        case "GetInstanceProfile":
            guard let profile = seen(id: id) else { throw Refusal("NoSuchEntity", "no such profile", status: 404) }
            return XML.around("InstanceProfile", profileXML(profile, withTags: true))
        case "ListInstanceProfiles":
            return XML.around(
                "InstanceProfiles", seen("profile").map { XML.around("member", profileXML($0)) }.joined())
                + XML.tag("IsTruncated", false)
        case "AddRoleToInstanceProfile":
            let profile = try present(id, "NoSuchEntity", status: 404)
            let role = try role(request)
            guard profile["role"].isEmpty else {
                throw Refusal(
                    "LimitExceeded", "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1", status: 409)
            }
            change(id) { $0["role"] = role["name"] }
            return ""
        case "RemoveRoleFromInstanceProfile":
            let profile = try present(id, "NoSuchEntity", status: 404)
            guard profile["role"] == request["RoleName"] else {
                throw Refusal("NoSuchEntity", "the role is not in the profile", status: 404)
            }
            change(id) { $0["role"] = "" }
            return ""
        case "TagInstanceProfile": return tag(try present(id, "NoSuchEntity", status: 404), request)
        case "UntagInstanceProfile": return untag(try present(id, "NoSuchEntity", status: 404), request)
        case "DeleteInstanceProfile":
            let profile = try present(id, "NoSuchEntity", status: 404)
            guard profile["role"].isEmpty else {
                throw Refusal("DeleteConflict", "must remove roles from instance profile first", status: 409)
            }
            remove(id)
            return ""
        default: throw Refusal("InvalidAction", "Could not find operation \(request.action)")
        }
    }

    private func createRole(_ request: CloudRequest) throws(Refusal) -> String {
        let name = request["RoleName"]
        guard current("role/\(name)") == nil else {
            throw Refusal("EntityAlreadyExists", "Role with name \(name) already exists.", status: 409)
        }
        let role = add(
            "role", id: "role/\(name)",
            [
                "name": name, "path": request["Path"].isEmpty ? "/" : request["Path"],
                "trust": request["AssumeRolePolicyDocument"], "description": request["Description"],
                "session": request.optional("MaxSessionDuration") ?? "3600", "unique": newID("AROA"),
            ], tags: request.tags("Tags.member"))
        return XML.around("Role", roleXML(role))
    }

    /// Changes of a role are refused only when there is none, or when this part of IAM has not heard of it.
    private func role(_ request: CloudRequest) throws(Refusal) -> CloudObject {
        let id = "role/\(request["RoleName"])"
        guard let role = current(id), seen(id: id) != nil else {
            throw Refusal("NoSuchEntity", "The role with name \(request["RoleName"]) cannot be found.", status: 404)
        }
        return role
    }

    private func seenRole(_ request: CloudRequest) throws(Refusal) -> CloudObject {
        guard let role = seen(id: "role/\(request["RoleName"])") else {
            throw Refusal("NoSuchEntity", "The role with name \(request["RoleName"]) cannot be found.", status: 404)
        }
        return role
    }

    private func deleteRole(_ request: CloudRequest) throws(Refusal) -> String {
        let name = request["RoleName"]
        let role = try present("role/\(name)", "NoSuchEntity", status: 404)
        let isUsed = objects.contains {
            ($0.kind == "policy" || $0.kind == "attachment" || $0.kind == "profile") && $0["role"] == name
        }
        if isUsed {
            throw Refusal("DeleteConflict", "Cannot delete entity, must detach all policies first.", status: 409)
        }
        remove(role.id)
        return ""
    }

    private func putPolicy(_ request: CloudRequest) throws(Refusal) -> String {
        let role = try role(request)
        let id = "policy/\(role["name"])/\(request["PolicyName"])"
        if current(id) == nil {
            add(
                "policy", id: id,
                [
                    "role": role["name"], "name": request["PolicyName"],
                    "document": request["PolicyDocument"],
                ])
        } else {
            if current(id)?["document"] == request["PolicyDocument"] { noteRepeat(id) }
            change(id) { $0["document"] = request["PolicyDocument"] }
        }
        return ""
    }

    private func getPolicy(_ request: CloudRequest) throws(Refusal) -> String {
        guard let policy = seen(id: "policy/\(request["RoleName"])/\(request["PolicyName"])") else {
            throw Refusal("NoSuchEntity", "The role policy cannot be found.", status: 404)
        }
        return XML.tag("RoleName", policy["role"]) + XML.tag("PolicyName", policy["name"])
            + XML.tag("PolicyDocument", percentEncoded(policy["document"]))
    }

    private func tag(_ object: CloudObject, _ request: CloudRequest) -> String {
        change(object.id) { $0.tags.merge(request.tags("Tags.member")) { $1 } }
        return ""
    }

    private func untag(_ object: CloudObject, _ request: CloudRequest) -> String {
        change(object.id) { for key in request.list("TagKeys.member") { $0.tags[key] = nil } }
        return ""
    }

    private func percentEncoded(_ text: String) -> String {
        PercentEncoding.encode(text)
    }

    private func iamTagXML(_ object: CloudObject) -> String {
        XML.around(
            "Tags",
            object.tags.sorted { $0.key < $1.key }
                .map { XML.around("member", XML.tag("Key", $0.key) + XML.tag("Value", $0.value)) }.joined())
    }

    private func roleXML(_ role: CloudObject) -> String {
        XML.tag("RoleName", role["name"]) + XML.tag("Path", role["path"])
            + XML.tag("RoleId", role["unique"])
            + XML.tag("Arn", "arn:aws:iam::\(SimulatedAWS.account):role/\(role["name"])")
            + XML.tag("CreateDate", "2026-01-01T00:00:00Z")
            + XML.tag("AssumeRolePolicyDocument", percentEncoded(role["trust"]))
            + XML.optional("Description", role["description"])
            + XML.tag("MaxSessionDuration", role["session"]) + iamTagXML(role)
    }

    private func detailXML(_ role: CloudObject) -> String {
        let name = role["name"]
        let policies = seen("policy").filter { $0["role"] == name }.map {
            XML.around(
                "member",
                XML.tag("PolicyName", $0["name"])
                    + XML.tag("PolicyDocument", percentEncoded($0["document"])))
        }
        let attachments = seen("attachment").filter { $0["role"] == name }.map {
            XML.around("member", XML.tag("PolicyName", "p") + XML.tag("PolicyArn", $0["arn"]))
        }
        return XML.tag("RoleName", name) + XML.tag("Path", role["path"]) + XML.tag("RoleId", role["unique"])
            + XML.tag("Arn", "arn:aws:iam::\(SimulatedAWS.account):role/\(name)")
            + XML.tag("CreateDate", "2026-01-01T00:00:00Z")
            + XML.tag("AssumeRolePolicyDocument", percentEncoded(role["trust"]))
            + XML.around("RolePolicyList", policies.joined())
            + XML.around("AttachedManagedPolicies", attachments.joined()) + iamTagXML(role)
    }

    private func profileXML(_ profile: CloudObject) -> String { profileXML(profile, withTags: false) }

    private func profileXML(_ profile: CloudObject, withTags: Bool) -> String {
        let role = profile["role"]
        return XML.tag("InstanceProfileName", profile["name"]) + XML.tag("Path", profile["path"])
            + XML.tag("InstanceProfileId", profile["unique"])
            + XML.tag("Arn", "arn:aws:iam::\(SimulatedAWS.account):instance-profile/\(profile["name"])")
            + XML.tag("CreateDate", "2026-01-01T00:00:00Z")
            + XML.around("Roles", role.isEmpty ? "" : XML.around("member", XML.tag("RoleName", role)))
            + (withTags ? iamTagXML(profile) : "")
    }
}
