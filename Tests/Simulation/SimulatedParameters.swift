// The parameters of SSM, where secrets go that are shown once. A look at one is never late: names are what it is about.

extension SimulatedCatalog {
    static let parameterCalls: [String: Call] = [
        "ssm.PutParameter": { cloud, request in
            let id = "parameter/\(request["Name"])"
            guard cloud.current(id) != nil else {
                cloud.add(
                    "parameter", id: id, ["Name": request["Name"], "-Value": request["Value"]], tags: request.anyTags)
                return ["Version": "1"]
            }
            guard request.flag("Overwrite") == true else {
                throw Refusal("ParameterAlreadyExists", "The parameter already exists")
            }
            cloud.change(id) { $0["-Value"] = request["Value"] }
            return ["Version": "2"]
        },
        "ssm.ListTagsForResource": { cloud, request in
            let parameter = try cloud.present("parameter/\(request["ResourceId"])", "InvalidResourceId")
            return FlatAnswer.tags("TagList.member", parameter.tags)
        },
        "ssm.DeleteParameter": { cloud, request in
            cloud.remove(try cloud.present("parameter/\(request["Name"])", "ParameterNotFound").id)
            return [:]
        },
    ]
}
