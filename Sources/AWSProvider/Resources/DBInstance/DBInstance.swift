// A database instance, in four files: what it is and its life (here), its arguments, the call that makes it and its
// changes in place, and how AWS's answers are read.
//
// Its id is `DbiResourceId`, which survives a rename and is never given twice. Calls want the present name, so that it is
// looked up before each: a name that somebody gave to another database meanwhile must never decide what is deleted.
//
// AWS puts most changes off to the maintenance window. What waits is read as made (`Observed.inForce` has the rest), so
// that the next plan is empty. A parameter group that comes with another engine version waits too, though AWS does not
// say so: while a version waits, the group counts as the one that was asked for.
//
// A database that worked once is never `failed`, whatever its status: the planner replaces what failed, and that would
// delete it. It is then `pending`, and the status says why. The weakness: a broken database shows only when something is
// changed, or waited for.

import AWSClient
import MusterModel
import ProviderKit

/// A database instance of RDS.
///
/// Calls: `CreateDBInstance`, `RestoreDBInstanceFromDBSnapshot`, `RestoreDBInstanceToPointInTime`,
/// `RestoreDBInstanceFromS3` or `CreateDBInstanceReadReplica`; `DescribeDBInstances`, `ModifyDBInstance`,
/// `PromoteReadReplica`, `AddTagsToResource`, `RemoveTagsFromResource`, `DeleteDBInstance`.
struct DBInstance: ManagedResource {
    struct Arguments: ArgumentBlock {
        var identifier = ""
        var engine: String?
        var engineVersion: String?
        var instanceClass: String?
        var username: String?
        var password: String?
        var managesPassword: Bool?
        var secretKeyID: String?
        var databaseName: String?
        var port: Int?
        var licenseModel: String?
        var lifecycleSupport: String?
        var characterSet: String?
        var ncharCharacterSet: String?
        var timezone: String?
        var customProfile: String?
        var replicaMode: String?
        var storage: Int?
        var storageLimit: Int?
        var storageType: String?
        var iops: Int?
        var throughput: Int?
        var isEncrypted: Bool?
        var keyID: String?
        var hasLogVolume: Bool?
        var upgradesStorage: Bool?
        var isMultiAZ: Bool?
        var zone: String?
        var subnetGroup: String?
        var securityGroupIDs: [String]?
        var isPublic: Bool?
        var networkType: String?
        var hasCustomerOwnedIP: Bool?
        var certificateAuthority: String?
        var parameterGroup: String?
        var optionGroup: String?
        var maintenanceWindow: String?
        var backupWindow: String?
        var backupDays: Int?
        var backupTarget: String?
        var copiesTags: Bool?
        var upgradesItself: Bool?
        var allowsMajorUpgrade: Bool?
        var isImmediate: Bool?
        var isProtected: Bool?
        var skipsSnapshot: Bool?
        var snapshotName: String?
        var deletesBackups: Bool?
        var logExports: [String]?
        var monitoringSeconds: Int?
        var monitoringRole: String?
        var hasInsights: Bool?
        var insightsKeyID: String?
        var insightsDays: Int?
        var insightsMode: String?
        var allowsIAM: Bool?
        var domain: String?
        var domainRole: String?
        var domainName: String?
        var domainUnit: String?
        var domainSecret: String?
        var domainAddresses: [String]?
        var tags: [String: String]?
        var snapshot: String?
        var replicaSource: String?
        var restore: PointInTime?
        var s3Import: S3Import?

        static let fields: [Field<Self>] =
            engineFields + storageFields + placementFields + operationFields + watchFields + sourceFields
    }

    /// The secret in which RDS keeps the password that it made.
    struct MasterSecret: ArgumentBlock {
        var arn: String?
        var keyID: String?
        var status: String?

        static let fields: [Field<Self>] = [
            .output("secret_arn", \.arn, "The secret in Secrets Manager; it goes with the database."),
            .output("kms_key_id", \.keyID, "Its KMS key."),
            .output("secret_status", \.status, "`creating`, `active`, `rotating` or `impaired`."),
        ]
    }

    struct Outputs: ArgumentBlock {
        var arn: String?
        var resourceID: String?
        var address: String?
        var endpoint: String?
        var endpointPort: Int?
        var hostedZoneID: String?
        var status: String?
        var engineVersion: String?
        var zone: String?
        var secret: MasterSecret?
        var replicas: [String]?
        var latestRestorableTime: String?
        var finalSnapshot: String?

        static let fields: [Field<Self>] = [
            .output("arn", \.arn, changesWith: ["identifier"], "The ARN."),
            .output("resource_id", \.resourceID, "The id that is never given twice (`db-…`)."),
            .output("address", \.address, changesWith: ["identifier", "db_subnet_group_name"], "Its DNS name."),
            .output(
                "endpoint", \.endpoint, changesWith: ["identifier", "port", "db_subnet_group_name"],
                "Its DNS name and port: `name:3306`."),
            .output("endpoint_port", \.endpointPort, changesWith: ["port"], "The port."),
            .output("hosted_zone_id", \.hostedZoneID, "The zone that an alias to it names."),
            .output("status", \.status, "`available`, `modifying`, …"),
            .output(
                "engine_version_actual", \.engineVersion, changesWith: ["engine_version"], "The whole version."),
            .output("current_availability_zone", \.zone, "The zone that it stands in now."),
            .output(
                "master_user_secret", \.secret,
                changesWith: ["manage_master_user_password", "master_user_secret_kms_key_id"],
                "The secret with the password that RDS made."),
            .output("replicas", \.replicas, "The names of its replicas."),
            .output("latest_restorable_time", \.latestRestorableTime, "To when it can be restored."),
            .output(
                "default_final_snapshot", \.finalSnapshot, changesWith: ["identifier", "replicate_source_db"],
                "How its last snapshot is named unless `final_snapshot_identifier` says it; a replica has none."),
        ]
    }

    static let schema = Schema<Arguments, Outputs>(
        "aws.db_instance", "A database of RDS.", naming: .unique(argument: "identifier", maximumLength: 63),
        deletionHazards: [.dataLoss], isServing: true,
        keepsake: Keepsake(
            "final snapshot", nameArgument: "final_snapshot_identifier", nameOutput: "default_final_snapshot",
            refusalArgument: "skip_final_snapshot"),
        timeouts: Timeouts(create: 3000, update: 4800, delete: 3600), importSyntax: "the database's name, or db-…")

    let aws: AWSSession

    func read(_ known: [Known<Self>]) async throws(ProviderError) -> [RemoteID: Observed<Self>] {
        let databases = Dictionary(
            try await listing(known.map(\.id)).map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        var found: [RemoteID: Observed<Self>] = [:]
        for object in known {
            found[object.id] = databases[object.id.rawValue]?.observed(known: object.arguments)
        }
        return found
    }

    func list(in scope: ListingScope) async throws(ProviderError) -> [Observed<Self>] {
        try await aws.markerList(.rds, "DescribeDBInstances", at: "DBInstances")
            .map { ListedDatabase(item: $0).observed(known: Arguments()) }
    }

    func find(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Found<Self>? {
        guard let database = try await named(desired.identifier) else { return nil }
        var observed = database.observed(known: desired)
        observed.owed = DatabaseCreation(desired).owed
        return Found(observed, isOurs: database.item.tagList[intent.tag.key] == intent.tag.value)
    }

    func create(_ desired: Arguments, intent: Intent) async throws(ProviderError) -> Observed<Self> {
        let creation = DatabaseCreation(desired)
        var input = creation.input
        input["Tags"] = aws.rdsTags(desired.tags, intent)
        let answer = try await aws.change(.rds, creation.operation, input)
        var observed = ListedDatabase(item: answer["DBInstance"]).observed(known: desired)
        observed.owed = creation.owed
        return observed
    }

    func update(
        _ id: RemoteID, from old: Arguments, to new: Arguments
    ) async throws(ProviderError) -> Observed<Self>? {
        guard let database = try await present(id) else { throw Self.gone(id) }
        let changes = try DatabaseChanges(database: database, old: old, new: new)
        if old.tags != new.tags {
            try await aws.updateTags(
                .rds, of: database.item["DBInstanceArn"].text, from: old.tags, to: new.tags)
        }
        if changes.promotes {
            _ = try await aws.change(.rds, "PromoteReadReplica", ["DBInstanceIdentifier": .string(database.name)])
            // It is being modified until it stands alone, and takes no other change so long.
            throw ProviderError(.inUse, "The replica \(database.name) is being made a database of its own.")
        }
        guard let input = changes.input else { return nil }
        let answer: XMLElement
        do throws(ProviderError) {
            answer = try await aws.change(.rds, "ModifyDBInstance", input)
        } catch {
            throw error.ofMove
        }
        var observed = ListedDatabase(item: answer["DBInstance"]).observed(known: new)
        // Before AWS calls it `modifying`, what is to be done at once is still listed as waiting.
        if changes.isImmediate, observed.status == .ready { observed.status = .pending("modifying") }
        return observed
    }

    func delete(_ id: RemoteID, last: Arguments) async throws(ProviderError) {
        guard let database = try await present(id), database.status != "deleting" else { return }
        let name = AWSInput.string(database.name)
        if database.item["DeletionProtection"].boolean == true {
            guard last.isProtected == true else {
                throw ProviderError(
                    .notPermitted, "\(database.name) is protected from deletion, which the plan did not see.",
                    operation: "rds.DeleteDBInstance", hint: "Plan again.")
            }
            _ = try await aws.change(
                .rds, "ModifyDBInstance",
                ["DBInstanceIdentifier": name, "DeletionProtection": false, "ApplyImmediately": false])
        }
        var input: AWSInput = [
            "DBInstanceIdentifier": name, "DeleteAutomatedBackups": .boolean(last.deletesBackups ?? true),
        ]
        if last.skipsSnapshot == true || database.isReplica || database.isStillborn {
            input["SkipFinalSnapshot"] = true
        } else {
            input["SkipFinalSnapshot"] = false
            input["FinalDBSnapshotIdentifier"] = .string(
                last.snapshotName.filled ?? database.finalSnapshot(named: last.identifier))
        }
        do throws(ProviderError) {
            try await aws.delete(.rds, "DeleteDBInstance", input)
        } catch {
            throw error.ofDeletion
        }
    }

    func importID(_ text: String) async throws(ProviderError) -> RemoteID {
        let text = text.filter { !$0.isWhitespace }
        if ListedDatabase.isResourceID(text) { return RemoteID(text) }
        guard let database = try await named(text) else {
            throw ProviderError(
                .notFound, "There is no database \"\(text)\".", operation: "rds.DescribeDBInstances",
                hint: "Look at the name, and whether region and account are the right ones.")
        }
        return RemoteID(database.id)
    }

    // MARK: Listings

    /// By id as long as one call can carry the ids; else all of them.
    private func listing(_ ids: [RemoteID]) async throws(ProviderError) -> [ListedDatabase] {
        let ids = aws.expectedIDs(Self.type, and: ids)
        if ids.isEmpty { return [] }
        if ids.count > 100 {
            return try await aws.markerList(.rds, "DescribeDBInstances", at: "DBInstances")
                .map { ListedDatabase(item: $0) }
        }
        let filters = ListedDatabase.filters(ids)
        return try await aws.remembered("rds.DescribeDBInstances \(ids.sorted().joined(separator: ","))") {
            () async throws(ProviderError) -> [XMLElement] in
            try await aws.markerNow(.rds, "DescribeDBInstances", at: "DBInstances", filters)
        }.map { ListedDatabase(item: $0) }
    }

    /// As it is now; nil when it is gone.
    private func present(_ id: RemoteID) async throws(ProviderError) -> ListedDatabase? {
        try await aws.markerNow(
            .rds, "DescribeDBInstances", at: "DBInstances", ListedDatabase.filters([id.rawValue])
        ).map { ListedDatabase(item: $0) }.first { $0.id == id.rawValue }
    }

    private func named(_ name: String) async throws(ProviderError) -> ListedDatabase? {
        try await aws.markerNamed(
            .rds, "DescribeDBInstances", at: "DBInstances", "DBInstanceIdentifier", name.lowercased()
        ).map { ListedDatabase(item: $0) }
    }
}

extension ProviderError {
    fileprivate var ofMove: ProviderError {
        guard code == "InvalidVPCNetworkStateFault" else { return self }
        var error = self
        error.hint =
            "Keep the name of the subnet group and change its subnets in place; a database moves to a group of another VPC only."
        return error
    }

    fileprivate var ofDeletion: ProviderError {
        var error = self
        switch code {
        case "DBSnapshotAlreadyExists":
            error.hint = "Give another \"final_snapshot_identifier\", or look at the snapshot of that name."
        case "InvalidParameterCombination" where message.contains("protected"):
            error.kind = .notPermitted
            error.hint = "Somebody protected it just now: plan again."
        default: break
        }
        return error
    }
}
