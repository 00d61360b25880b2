import AWSClient
import MusterModel
import ProviderKit

/// An image, by what is known of it.
///
/// Calls: `DescribeImages`.
struct AMILookup: Lookup {
    struct Arguments: ArgumentBlock {
        var owners: [String] = []
        var name: String?
        var architecture: String?
        var virtualizationType: String?
        var rootDeviceType: String?
        var tags: [String: String]?
        var filters: [String: [String]]?
        var includesDeprecated: Bool?
        var isMostRecent: Bool?

        static let fields: [Field<Self>] = [
            .required(
                "owners", \.owners, constraints: [.count(1, 200)],
                "Whose images: `self`, `amazon`, `aws-marketplace` or account ids. Anybody can give an image any name, "
                    + "so that this is asked for."),
            .argument("name", \.name, "The name, with `*` and `?`."),
            .argument("architecture", \.architecture, "`x86_64`, `arm64`, …"),
            .argument(
                "virtualization_type", \.virtualizationType, constraints: [.allowed(["hvm", "paravirtual"])], "`hvm`."),
            .argument(
                "root_device_type", \.rootDeviceType, constraints: [.allowed(["ebs", "instance-store"])], "`ebs`."),
            .argument("tags", \.tags, "Tags that it has."),
            .argument("filters", \.filters, "Any other filter of DescribeImages, with its values."),
            .argument("include_deprecated", \.includesDeprecated, "Whether deprecated images count."),
            .argument(
                "most_recent", \.isMostRecent,
                "Whether the newest is taken where several fit. The choice is kept in `muster.lock`."),
        ]
    }

    struct Outputs: ArgumentBlock {
        var id: String?
        var arn: String?
        var name: String?
        var description: String?
        var creationDate: String?
        var ownerID: String?
        var architecture: String?
        var virtualizationType: String?
        var rootDeviceName: String?
        var rootDeviceType: String?
        var rootSnapshotID: String?
        var tags: [String: String]?

        static let fields: [Field<Self>] = [
            .output("id", \.id, "The id (`ami-…`)."),
            .output("arn", \.arn, "The ARN."),
            .output("name", \.name, "The name."),
            .output("description", \.description, "The description."),
            .output("creation_date", \.creationDate, "When it was made."),
            .output("owner_id", \.ownerID, "The account that owns it."),
            .output("architecture", \.architecture, "`x86_64`, `arm64`, …"),
            .output("virtualization_type", \.virtualizationType, "`hvm`."),
            .output("root_device_name", \.rootDeviceName, "The device of its root volume."),
            .output("root_device_type", \.rootDeviceType, "`ebs`."),
            .output("root_snapshot_id", \.rootSnapshotID, "The snapshot of its root volume."),
            .output("tags", \.tags, "Its tags."),
        ]
    }

    static let schema = makeSchema("amis", "An image for instances.", isPinned: true)

    let aws: AWSSession

    func find(_ arguments: Arguments) async throws(ProviderError) -> Outputs {
        let images = try await images(arguments)
        if arguments.isMostRecent == true, let newest = images.max(by: isOlder) { return outputs(newest) }
        let image = try one(
            of: images,
            asked: [
                ("owners", arguments.owners.joined(separator: ", ")), ("name", arguments.name),
                ("architecture", arguments.architecture), ("virtualization_type", arguments.virtualizationType),
                ("root_device_type", arguments.rootDeviceType), ("tags", conditions(arguments.tags)),
                ("filters", conditions(arguments.filters?.mapValues { $0.joined(separator: " or ") })),
            ], narrow: "Narrow it, or write \"most_recent: true\" for the newest.",
            describe: { "\($0["imageId"].text) (\($0["name"].text), \($0["creationDate"].text))" })
        return outputs(image)
    }

    private func images(_ arguments: Arguments) async throws(ProviderError) -> [XMLElement] {
        var filters = [("state", ["available"])]
        filters += filter("name", arguments.name)
        filters += filter("architecture", arguments.architecture)
        filters += filter("virtualization-type", arguments.virtualizationType)
        filters += filter("root-device-type", arguments.rootDeviceType)
        filters += tagFilters(arguments.tags)
        filters += (arguments.filters ?? [:]).sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        return try await aws.list(
            AWSOperation(
                .ec2, "DescribeImages",
                [
                    "Owner": .strings(arguments.owners),
                    "Filter": .list(filters.map { ["Name": .string($0.0), "Value": .strings($0.1)] }),
                    "IncludeDeprecated": arguments.includesDeprecated == true ? true : .absent,
                    "MaxResults": 1000,
                ], effect: .read), .ec2, at: "imagesSet")
    }

    /// ISO 8601 dates sort as text; images of the same moment by their ids, so that the choice is always the same.
    private func isOlder(_ left: XMLElement, _ right: XMLElement) -> Bool {
        (left["creationDate"].text, left["imageId"].text) < (right["creationDate"].text, right["imageId"].text)
    }

    // MARK: - Wire format

    private func outputs(_ image: XMLElement) -> Outputs {
        var outputs = Outputs()
        let configuration = aws.client.configuration
        let id = image["imageId"].text
        outputs.id = id
        outputs.arn = "arn:\(configuration.partition.name):ec2:\(configuration.region)::image/\(id)"
        outputs.name = image["name"].text
        outputs.description = image["description"].text
        outputs.creationDate = image["creationDate"].text
        outputs.ownerID = image["imageOwnerId"].text
        outputs.architecture = image["architecture"].text
        outputs.virtualizationType = image["virtualizationType"].text
        outputs.rootDeviceName = image["rootDeviceName"].text
        outputs.rootDeviceType = image["rootDeviceType"].text
        let root = image["blockDeviceMapping"].items.first {
            $0["deviceName"].text == image["rootDeviceName"].text
        }
        outputs.rootSnapshotID = root?["ebs"]["snapshotId"].text ?? ""
        outputs.tags = image.tags
        return outputs
    }
}
