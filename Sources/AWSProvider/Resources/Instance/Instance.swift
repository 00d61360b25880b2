// An instance, in five files: what it is and its life (here), its nested blocks, the call that launches it, its changes
// in place, and how AWS's answers are read.
//
// Some arguments change only while the machine is stopped. No call waits, so such an update is a walk in steps that may
// be begun anew at any time: it marks the instance (tag `muster:restart`), stops it, and fails with "in use", which the
// applier repeats until the instance is stopped; then it changes what is to be changed, starts it and takes the mark
// away. An instance that somebody else stopped has no mark and stays stopped. If a run dies in between, the mark makes
// `read` say nothing of these arguments: they are then compared with the state, which still has the old ones, so that
// the next plan ends what was begun. The weakness: whoever takes the change out of the spec in that moment has to start
// the instance by hand.

import AWSClient
import MusterModel
import ProviderKit

/// An instance: a virtual machine.
///
/// Calls: `RunInstances`, `DescribeInstances`, `DescribeImages` (the root device's name); where they are declared
/// `DescribeVolumes`, `DescribeInstanceAttribute`, `DescribeInstanceCreditSpecifications`; the calls of
/// `InstanceChanges`; `TerminateInstances`.
/// Consistency: for up to 5 minutes after `create`, `read` may still miss it; a terminated one is listed for an hour.
struct Instance: ManagedResource {
    struct Arguments: ArgumentBlock {
        var ami: String?
        var instanceType: String?
        var launchTemplate: LaunchTemplateChoice?
        var subnetID: String?
        var availabilityZone: String?
        var keyName: String?
        var securityGroupIDs: [String]?
        var profile: String?
        var userData: String?
        var userDataBase64: String?
        var userDataReplaces: Bool?
        var hasPublicIP: Bool?
        var privateIP: String?
        var secondaryPrivateIPs: [String]?
        var ipv6AddressCount: Int?
        var ipv6Addresses: [String]?
        var hasPrimaryIPv6: Bool?
        var networkInterfaces: [NetworkInterfaceChoice]?
        var checksSourceAndDestination: Bool?
        var isMonitored: Bool?
        var isEBSOptimized: Bool?
        var refusesTermination: Bool?
        var refusesStop: Bool?
        var shutdownBehavior: String?
        var tenancy: String?
        var hostID: String?
        var hostResourceGroupARN: String?
        var placementGroup: String?
        var placementPartition: Int?
        var canHibernate: Bool?
        var cpuOptions: CPUOptions?
        var enclaveOptions: EnclaveOptions?
        var creditSpecification: CreditSpecification?
        var metadataOptions: MetadataOptions?
        var maintenanceOptions: MaintenanceOptions?
        var privateDNSNameOptions: PrivateDNSNameOptions?
        var capacityReservation: CapacityReservation?
        var marketOptions: MarketOptions?
        var rootBlockDevice: RootBlockDevice?
        var blockDevices: [BlockDevice]?
        var ephemeralDevices: [EphemeralDevice]?
        var volumeTags: [String: String]?
        var tags: [String: String]?

        static let fields: [Field<Self>] = launchFields + networkFields + behaviorFields + deviceFields
    }

    struct Outputs: ArgumentBlock {
        var arn: String?
        var state: String?
        var availabilityZone: String?
        var subnetID: String?
        var vpcID: String?
        var networkInterfaceID: String?
        var privateIP: String?
        var privateDNS: String?
        var publicIP: String?
        var publicDNS: String?
        var lifecycle: String?
        var outpostARN: String?
        var spotRequestID: String?

        static let fields: [Field<Self>] = [
            .output("arn", \.arn, "The ARN."),
            .output("instance_state", \.state, changesWith: Arguments.stopping, "`running`, `stopped`, …"),
            .output("availability_zone", \.availabilityZone, "The zone that it stands in."),
            .output("subnet_id", \.subnetID, "The subnet of its first interface."),
            .output("vpc_id", \.vpcID, "The VPC that it stands in."),
            .output("primary_network_interface_id", \.networkInterfaceID, "Its first network interface."),
            .output("private_ip", \.privateIP, "Its address in the subnet."),
            .output(
                "private_dns", \.privateDNS, changesWith: ["private_dns_name_options"], "Its name inside the VPC."),
            .output(
                "public_ip", \.publicIP, changesWith: Arguments.stopping,
                "Its public address, \"\" without one; without an elastic IP it changes when the instance is stopped."),
            .output("public_dns", \.publicDNS, changesWith: Arguments.stopping, "Its public name, \"\" without one."),
            .output("instance_lifecycle", \.lifecycle, "`spot` or `scheduled`, \"\" for an ordinary instance."),
            .output("outpost_arn", \.outpostARN, "The Outpost that it stands in."),
            .output("spot_instance_request_id", \.spotRequestID, "The request of a spot instance."),
        ]
    }

    static let schema = Schema<Arguments, Outputs>(
        "aws.instance", "A virtual machine.", isServing: true,
        timeouts: Timeouts(create: 600, update: 600, delete: 1200), importSyntax: "i-…")

    let aws: AWSSession

    func read(_ known: [Known<Self>]) async throws(ProviderError) -> [RemoteID: Observed<Self>] {
        let instances = Dictionary(
            try await instances(known.map(\.id)).map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        let present = known.filter { instances[$0.id.rawValue]?.isGone == false }
        let volumes = try await volumes(of: present.filter(\.needsVolumes).map(\.id))
        let credits = try await credits(of: present.filter { $0.declared.contains("credit_specification") }.map(\.id))
        let attributes = try await attributes(of: present)
        var found: [RemoteID: Observed<Self>] = [:]
        for object in present {
            guard let instance = instances[object.id.rawValue] else { continue }
            found[object.id] = instance.observed(
                in: aws,
                with: InstanceDetails(
                    known: object, volumes: object.needsVolumes ? volumes : nil, credits: credits[instance.id],
                    attributes: attributes[object.id] ?? [:]))
        }
        return found
    }

    func list(in scope: ListingScope) async throws(ProviderError) -> [Observed<Self>] {
        ListedInstance.all(in: try await aws.ec2List("DescribeInstances", at: "reservationSet"))
            .filter { !$0.isGone }.map { $0.observed(in: aws) }
    }

    func find(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Found<Self>? {
        for filter in ["client-token", "tag:\(Intent.tagKey)"] {
            let reservations = try await aws.ec2Now(
                "DescribeInstances", at: "reservationSet", [(filter, [intent.token])])
            if let instance = ListedInstance.all(in: reservations).first(where: { !$0.isGone }) {
                return Found(instance.observed(in: aws), isOurs: true)
            }
        }
        return nil
    }

    func create(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Observed<Self> {
        let input = try await launchInput(desired, intent)
        let answer: XMLElement
        do throws(ProviderError) {
            answer = try await aws.ec2Change("RunInstances", input)
        } catch {
            throw error.ofLaunch
        }
        guard let instance = ListedInstance.all(in: [answer]).first else {
            throw ProviderError(.notUnderstood, "The answer has no instance.", operation: "ec2.RunInstances")
        }
        return instance.observed(in: aws)
    }

    func update(
        _ id: RemoteID, from old: Arguments, to new: Arguments
    ) async throws(ProviderError) -> Observed<Self>? {
        try await InstanceChanges(aws: aws, id: id, old: old, new: new).make()
    }

    func delete(_ id: RemoteID, last: Arguments) async throws(ProviderError) {
        do throws(ProviderError) {
            try await aws.delete(.ec2, "TerminateInstances", ["InstanceId": [.string(id.rawValue)]])
        } catch {
            throw error.ofProtection(
                "Set disable_api_termination to false and apply that first, then delete the instance.")
        }
    }

    func importID(_ text: String) async throws(ProviderError) -> RemoteID { try Self.checkedID(text, prefix: "i-") }

    // MARK: Listings

    private func instances(_ ids: [RemoteID]) async throws(ProviderError) -> [ListedInstance] {
        ListedInstance.all(
            in: try await aws.ec2List(
                "DescribeInstances", at: "reservationSet", filter: "instance-id",
                ids: aws.expectedIDs(Self.type, and: ids)))
    }

    /// Volumes by id.
    private func volumes(of instances: [RemoteID]) async throws(ProviderError) -> [String: XMLElement] {
        let items = try await aws.ec2List(
            "DescribeVolumes", at: "volumeSet", filter: "attachment.instance-id",
            ids: Set(instances.map(\.rawValue)))
        return Dictionary(items.map { ($0["volumeId"].text, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// `standard` or `unlimited` by instance. Without ids AWS tells of some instances only, so that it is always asked
    /// by id.
    private func credits(of instances: [RemoteID]) async throws(ProviderError) -> [String: String] {
        var credits: [String: String] = [:]
        var rest = instances.map(\.rawValue).sorted()[...]
        while !rest.isEmpty {
            let page = rest.prefix(200)
            rest = rest.dropFirst(200)
            let items = try await aws.ec2List(
                "DescribeInstanceCreditSpecifications", at: "instanceCreditSpecificationSet", filter: "instance-id",
                ids: Set(page))
            for item in items { credits[item["instanceId"].text] = item["cpuCredits"].text }
        }
        return credits
    }

    /// The attributes that AWS tells one by one, as far as they are declared; eight calls at a time.
    private func attributes(
        of instances: [Known<Self>]
    ) async throws(ProviderError) -> [RemoteID: [InstanceAttribute: String]] {
        let questions = instances.flatMap { object in
            InstanceAttribute.allCases.filter { !$0.arguments.isDisjoint(with: object.declared) }.map {
                (object.id, $0)
            }
        }
        typealias Answer = Result<(RemoteID, InstanceAttribute, String?), ProviderError>
        let answers = await withTaskGroup(of: Answer.self) { group in
            var answers: [Answer] = []
            for (index, question) in questions.enumerated() {
                if index >= 8, let answer = await group.next() { answers.append(answer) }
                group.addTask {
                    do throws(ProviderError) {
                        // Asked for before the tuple is made: see `Refresher.readAll`.
                        let value = try await aws.instanceAttribute(question.1, of: question.0)
                        return .success((question.0, question.1, value))
                    } catch {
                        return .failure(error)
                    }
                }
            }
            for await answer in group { answers.append(answer) }
            return answers
        }
        var result: [RemoteID: [InstanceAttribute: String]] = [:]
        for answer in answers {
            let (id, attribute, value) = try answer.get()
            result[id, default: [:]][attribute] = value
        }
        return result
    }
}

extension Known<Instance> {
    /// True when something that only volumes tell is declared.
    fileprivate var needsVolumes: Bool {
        !declared.isDisjoint(with: ["root_block_device", "ebs_block_device", "volume_tags"])
    }
}

extension ProviderError {
    /// An image is never made by a run, so that one that is not found will not turn up.
    fileprivate var ofLaunch: ProviderError {
        guard let code, code.hasPrefix("InvalidAMIID.") else { return self }
        var error = self
        error.kind = .invalid
        error.hint = "Look for the image's id in this region and account."
        return error
    }

    /// A protection does not pass by itself, unlike what else is in use.
    func ofProtection(_ hint: String) -> ProviderError {
        guard code == "OperationNotPermitted" else { return self }
        var error = self
        error.kind = .notPermitted
        error.hint = hint
        return error
    }
}

/// What `DescribeInstanceAttribute` tells, one instance and one attribute a call.
enum InstanceAttribute: String, Sendable, CaseIterable {
    case userData
    case refusesTermination = "disableApiTermination"
    case refusesStop = "disableApiStop"
    case shutdownBehavior = "instanceInitiatedShutdownBehavior"

    /// The arguments that want to know it.
    var arguments: Set<String> {
        switch self {
        case .userData: ["user_data", "user_data_base64"]
        case .refusesTermination: ["disable_api_termination"]
        case .refusesStop: ["disable_api_stop"]
        case .shutdownBehavior: ["instance_initiated_shutdown_behavior"]
        }
    }
}

extension AWSSession {
    /// nil when the instance went between the listing and this.
    func instanceAttribute(
        _ attribute: InstanceAttribute, of id: RemoteID
    ) async throws(ProviderError) -> String? {
        let answer = try await look(
            .ec2, "DescribeInstanceAttribute",
            ["InstanceId": .string(id.rawValue), "Attribute": .string(attribute.rawValue)])
        return answer?.xml[attribute.rawValue]["value"].text
    }
}
