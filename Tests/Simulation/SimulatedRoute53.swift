import AWSClient

// Route 53: zones, records, their tags.

extension SimulatedAWS {
    func route53(_ request: CloudRequest) throws(Refusal) -> String {
        let path = Array(request.path.dropFirst())
        switch (request.method, path.count) {
        case ("POST", 1) where path[0] == "hostedzone":
            return XML.around("CreateHostedZoneResponse", try createZone(request))
        case ("GET", 1) where path[0] == "hostedzone":
            return XML.around(
                "ListHostedZonesResponse",
                XML.around("HostedZones", seen("zone").map { XML.around("HostedZone", zoneXML($0)) }.joined())
                    + XML.tag("IsTruncated", false) + XML.tag("MaxItems", "100"))
        case ("GET", 2) where path[0] == "hostedzone":
            let zone = try seenZone(path[1])
            return XML.around(
                "GetHostedZoneResponse", XML.around("HostedZone", zoneXML(zone)) + delegationXML + "<VPCs></VPCs>")
        case ("POST", 2) where path[0] == "hostedzone":
            let zone = try zone(path[1])
            change(zone.id) { $0["comment"] = request.body["Comment"].text }
            return XML.around("UpdateHostedZoneCommentResponse", XML.around("HostedZone", zoneXML(zone)))
        case ("DELETE", 2): return XML.around("DeleteHostedZoneResponse", try deleteZone(path[1]))
        case ("GET", 3) where path[2] == "rrset":
            return XML.around("ListResourceRecordSetsResponse", try records(path[1], request))
        case ("POST", 3) where path[2] == "rrset":
            return XML.around("ChangeResourceRecordSetsResponse", try changeRecords(path[1], request))
        case ("POST", 2) where path[0] == "tags": return listTags(request)
        default: break
        }
        if request.method == "POST", path.first == "tags", path.count == 3 {
            return XML.around("ChangeTagsForResourceResponse", try changeTags(path[2], request))
        }
        throw Refusal("InvalidAction", "no such call")
    }

    private var delegationXML: String {
        XML.around("DelegationSet", XML.around("NameServers", XML.tag("NameServer", "ns-1.awsdns-01.org")))
    }

    private func zone(_ id: String) throws(Refusal) -> CloudObject {
        guard seen(id: id) != nil, let zone = current(id) else {
            throw Refusal("NoSuchHostedZone", "No hosted zone found with ID: \(id)", status: 404)
        }
        return zone
    }

    private func seenZone(_ id: String) throws(Refusal) -> CloudObject {
        guard let zone = seen(id: id) else {
            throw Refusal("NoSuchHostedZone", "No hosted zone found with ID: \(id)", status: 404)
        }
        return zone
    }

    private func createZone(_ request: CloudRequest) throws(Refusal) -> String {
        let reference = request.body["CallerReference"].text
        // A reference is used up for ever, also when its zone is gone.
        if tokens["zone/" + reference] != nil {
            throw Refusal("HostedZoneAlreadyExists", "A hosted zone has already been created with it.", status: 409)
        }
        let id = newID("Z")
        tokens["zone/" + reference] = (id, "")
        let name = request.body["Name"].text
        let zone = add(
            "zone", id: id,
            [
                "name": name.hasSuffix(".") ? name : name + ".", "reference": reference,
                "comment": request.body["HostedZoneConfig"]["Comment"].text,
            ])
        return XML.around("HostedZone", zoneXML(zone)) + delegationXML
            + XML.around("ChangeInfo", XML.tag("Id", "/change/C1") + XML.tag("Status", "INSYNC"))
    }

    private func zoneXML(_ zone: CloudObject) -> String {
        XML.tag("Id", "/hostedzone/\(zone.id)") + XML.tag("Name", zone["name"])
            + XML.tag("CallerReference", zone["reference"])
            + XML.around("Config", XML.tag("Comment", zone["comment"]) + XML.tag("PrivateZone", false))
    }

    private func deleteZone(_ id: String) throws(Refusal) -> String {
        guard current(id) != nil else {
            throw Refusal("NoSuchHostedZone", "No hosted zone found with ID: \(id)", status: 404)
        }
        if objects("record").contains(where: { $0["zone"] == id }) {
            throw Refusal("HostedZoneNotEmpty", "The specified hosted zone contains non-required record sets")
        }
        remove(id)
        return XML.around("ChangeInfo", XML.tag("Id", "/change/C1") + XML.tag("Status", "INSYNC"))
    }

    private func records(_ id: String, _ request: CloudRequest) throws(Refusal) -> String {
        _ = try seenZone(id)
        let all = seen("record").filter { $0["zone"] == id }
            .sorted { ($0["name"], $0["type"]) < ($1["name"], $1["type"]) }
        let first = request["name"]
        let shown = first.isEmpty ? all : all.filter { $0["name"] >= (first.hasSuffix(".") ? first : first + ".") }
        return XML.around(
            "ResourceRecordSets", shown.map { XML.around("ResourceRecordSet", recordXML($0)) }.joined())
            + XML.tag("IsTruncated", false) + XML.tag("MaxItems", "300")
    }

    private func recordXML(_ record: CloudObject) -> String {
        XML.tag("Name", record["name"]) + XML.tag("Type", record["type"])
            + XML.tag("TTL", record["ttl"])
            + XML.around(
                "ResourceRecords",
                record["values"].split(separator: "\n")
                    .map { XML.around("ResourceRecord", XML.tag("Value", String($0))) }.joined())
    }

    private func changeRecords(_ id: String, _ request: CloudRequest) throws(Refusal) -> String {
        _ = try zone(id)
        for change in request.body["ChangeBatch"]["Changes"].items {
            let set = change["ResourceRecordSet"]
            let name = set["Name"].text.hasSuffix(".") ? set["Name"].text : set["Name"].text + "."
            let record = "record/\(id)/\(name)/\(set["Type"].text)"
            let fields = [
                "zone": id, "name": name, "type": set["Type"].text, "ttl": set["TTL"].text,
                "values": set["ResourceRecords"].items.map { $0["Value"].text }.sorted().joined(separator: "\n"),
            ]
            let present = current(record)
            switch change["Action"].text {
            case "CREATE":
                if present != nil {
                    throw Refusal(
                        "InvalidChangeBatch",
                        "[Tried to create resource record set [name='\(name)'] but it already exists]")
                }
                add("record", id: record, fields)
            case "UPSERT":
                if present == nil {
                    add("record", id: record, fields)
                } else {
                    self.change(record) { $0.fields = fields }
                }
            default:
                guard let present else {
                    throw Refusal(
                        "InvalidChangeBatch",
                        "[Tried to delete resource record set [name='\(name)'] but it was not found]")
                }
                if present.fields != fields {
                    throw Refusal(
                        "InvalidChangeBatch",
                        "[Tried to delete resource record set [name='\(name)'] but the values provided do not match the current values]"
                    )
                }
                remove(record)
            }
        }
        return XML.around("ChangeInfo", XML.tag("Id", "/change/C1") + XML.tag("Status", "PENDING"))
    }

    private func listTags(_ request: CloudRequest) -> String {
        let sets = request.body["ResourceIds"].items.map { item -> String in
            let id = item.text
            let tags = (seen(id: id)?.tags ?? [:]).sorted { $0.key < $1.key }
                .map { XML.around("Tag", XML.tag("Key", $0.key) + XML.tag("Value", $0.value)) }
            return XML.around(
                "ResourceTagSet",
                XML.tag("ResourceType", "hostedzone") + XML.tag("ResourceId", id) + XML.around("Tags", tags.joined()))
        }
        return XML.around("ListTagsForResourcesResponse", XML.around("ResourceTagSets", sets.joined()))
    }

    private func changeTags(_ id: String, _ request: CloudRequest) throws(Refusal) -> String {
        let zone = try zone(id)
        change(zone.id) { object in
            for tag in request.body["AddTags"].items { object.tags[tag["Key"].text] = tag["Value"].text }
            for key in request.body["RemoveTagKeys"].items { object.tags[key.text] = nil }
        }
        return ""
    }
}
