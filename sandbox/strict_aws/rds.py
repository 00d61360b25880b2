"""RDS: states, values that wait for the window, choices that must be made, snapshots that stay."""

from __future__ import annotations

import copy
import hashlib
import re
from datetime import datetime, timedelta, timezone
from typing import Any

from . import clock
from .call import Call, item_converter, operation, store_of
from .errors import AwsError
from .paging import page
from .wire import Params

# Engine versions that exist here; a prefix chooses the newest of its line.
VERSIONS: dict[str, list[str]] = {
    "mysql": ["5.7.44", "8.0.36", "8.0.40", "8.0.42", "8.4.3", "8.4.5"],
    "mariadb": ["10.6.20", "10.11.10", "11.4.4"],
    "postgres": ["13.18", "14.15", "15.10", "16.4", "16.6", "17.2"],
}


def backend(call: Call) -> Any:
    """moto's backend."""
    from moto.rds.models import rds_backends

    return rds_backends[call.account][call.region]


def _store(call: Call) -> Any:
    return store_of(call.account, call.region)


def get(call: Call, name: str) -> Any:
    """moto's instance."""
    held = backend(call).databases.get(name.lower())
    if held is None:
        raise AwsError("DBInstanceNotFound", f"DBInstance {name} not found.", 404)
    return held


def _notes(call: Call, name: str) -> Params:
    notes: Params = _store(call).notes(f"db:{name}")
    return notes


def status_of(call: Call, name: str) -> str:
    """The status of an instance now."""
    notes = _notes(call, name)
    if "deleted_at" in notes:
        return "deleting"
    if _store(call).is_young(f"db:{name}", "database"):
        return "creating"
    # AWS calls an instance available for a moment before it begins.
    begun = notes.get("modifying")
    if clock.is_pending("database", begun):
        lag = clock.delay_seconds * clock.SHARES["database"] / 4
        return "available" if begun is not None and clock.now() - begun < lag else "modifying"
    if clock.is_pending("database", notes.get("rebooting")):
        return "rebooting"
    return str(getattr(backend(call).databases.get(name), "status", "available"))


def _numbers(version: str) -> list[int]:
    return [int(n) for n in re.findall(r"\d+", version)]


def resolve_version(engine: str, wanted: str | None) -> str | None:
    """The full version that a request means."""
    known = VERSIONS.get(engine)
    if known is None:
        return wanted
    if wanted is None:
        return known[-2] if engine == "mysql" else known[-1]
    fitting = [v for v in known if v == wanted or v.startswith(wanted + ".")]
    if not fitting:
        raise AwsError("InvalidParameterCombination", f"Cannot find version {wanted} for {engine}")
    return fitting[-1]


def line_of(engine: str, version: str) -> str:
    """The major version."""
    return version.split(".")[0] if engine == "postgres" else ".".join(version.split(".")[:2])


def family_of(engine: str, version: str) -> str:
    """The family of parameter groups that a version takes."""
    return engine + line_of(engine, version)


# What waits for the window, and moto's attribute for it.
_PENDING = {
    "DBInstanceClass": "db_instance_class",
    "AllocatedStorage": "allocated_storage",
    "EngineVersion": "engine_version",
    "MultiAZ": "multi_az",
    "StorageType": "storage_type",
    "Iops": "iops",
    "StorageThroughput": "storage_throughput",
    "BackupRetentionPeriod": "backup_retention_period",
    "LicenseModel": "license_model",
    "CACertificateIdentifier": "ca_certificate_identifier",
    "DBSubnetGroupName": "db_subnet_group_name",
    "EnableIAMDatabaseAuthentication": "enable_iam_database_authentication",
    "NewDBInstanceIdentifier": "",
    "OptionGroupName": "option_group_name",
    "DedicatedLogVolume": "",
    "NetworkType": "",
    "DBParameterGroupName": "db_parameter_group_name",
}
# How the listing names it, where it does otherwise; None: it is not told.
_SHOWN: dict[str, str | None] = {
    "EnableIAMDatabaseAuthentication": "IAMDatabaseAuthenticationEnabled",
    "NewDBInstanceIdentifier": "DBInstanceIdentifier",
    "OptionGroupName": None,
    "NetworkType": None,
    "DBParameterGroupName": None,
}
_AT_ONCE = {
    "PreferredBackupWindow": "preferred_backup_window",
    "CopyTagsToSnapshot": "copy_tags_to_snapshot",
    "AutoMinorVersionUpgrade": "auto_minor_version_upgrade",
    "PubliclyAccessible": "publicly_accessible",
    "VpcSecurityGroupIds": "vpc_security_group_ids",
    "DeletionProtection": "deletion_protection",
    "MaxAllocatedStorage": "max_allocated_storage",
}
# What moto does not keep.
_KEPT = {
    "MonitoringInterval": "MonitoringInterval",
    "MonitoringRoleArn": "MonitoringRoleArn",
    "EnablePerformanceInsights": "PerformanceInsightsEnabled",
    "PerformanceInsightsKMSKeyId": "PerformanceInsightsKMSKeyId",
    "PerformanceInsightsRetentionPeriod": "PerformanceInsightsRetentionPeriod",
    "DatabaseInsightsMode": "DatabaseInsightsMode",
    "NetworkType": "NetworkType",
    "DedicatedLogVolume": "DedicatedLogVolume",
    "EnableCustomerOwnedIp": "CustomerOwnedIpEnabled",
    "BackupTarget": "BackupTarget",
    "EngineLifecycleSupport": "EngineLifecycleSupport",
    "ReplicaMode": "ReplicaMode",
    "Timezone": "Timezone",
    "NcharCharacterSetName": "NcharCharacterSetName",
}
_DOMAIN = {
    "Domain": "Domain",
    "DomainIAMRoleName": "IAMRoleName",
    "DomainFqdn": "FQDN",
    "DomainOu": "OU",
    "DomainAuthSecretArn": "AuthSecretArn",
    "DomainDnsIps": "DnsIps",
}


def _keep(call: Call, name: str, params: Params) -> None:
    notes = _notes(call, name)
    notes["kept"] = notes.get("kept", {}) | {shown: params[k] for k, shown in _KEPT.items() if k in params}
    if "MonitoringInterval" in params or "MonitoringRoleArn" in params:
        kept = notes["kept"]
        if kept.get("MonitoringInterval") and not kept.get("MonitoringRoleArn"):
            raise AwsError(
                "InvalidParameterCombination",
                "A MonitoringRoleARN value is required if you specify a MonitoringInterval value other than 0.",
            )
        if not kept.get("MonitoringInterval"):
            kept.pop("MonitoringRoleArn", None)
    joined = {shown: params[k] for k, shown in _DOMAIN.items() if k in params}
    if joined:
        notes["domain"] = notes.get("domain", {}) | joined
    if params.get("DisableDomain"):
        notes.pop("domain", None)


def _shown(call: Call, instance: Any) -> Params:
    item: Params = item_converter("rds", "DescribeDBInstances", "DBInstances")(instance)
    name = instance.db_instance_identifier
    notes = _notes(call, name)
    status = status_of(call, name)
    item["DBInstanceStatus"] = status
    item["DbiResourceId"] = instance.dbi_resource_id
    if status == "creating":
        item.pop("Endpoint", None)
        item.pop("LatestRestorableTime", None)
    elif item.get("Endpoint"):
        item["Endpoint"]["HostedZoneId"] = "Z2R2ITUGPM61AM"
    waiting = {shown: v for k, v in notes.get("pending", {}).items() if (shown := _SHOWN.get(k, k)) is not None}
    if clock.is_pending("database", notes.get("password")):
        waiting["MasterUserPassword"] = "****"
    item["PendingModifiedValues"] = waiting
    for group in item.get("DBParameterGroups", []):
        group["ParameterApplyStatus"] = notes.get("parameters", "in-sync")
    if "OptionGroupName" in notes.get("pending", {}):
        (present,) = item["OptionGroupMemberships"]
        present["Status"] = "pending-maintenance-removal"
        fresh = {
            "OptionGroupName": notes["pending"]["OptionGroupName"],
            "Status": "pending-maintenance-apply",
        }
        item["OptionGroupMemberships"] = [fresh, present]
    if not item.get("StorageThroughput"):
        item["StorageThroughput"] = 0 if item.get("StorageType") != "gp3" else 125
    if not item.get("Iops") and item.get("StorageType") == "gp3":
        item["Iops"] = 3000
    item |= {"MonitoringInterval": 0, "PerformanceInsightsEnabled": False, "DatabaseInsightsMode": "standard"}
    item |= {"NetworkType": "IPV4", "DedicatedLogVolume": False, "CustomerOwnedIpEnabled": False}
    item |= notes.get("kept", {})
    if "domain" in notes:
        item["DomainMemberships"] = [notes["domain"] | {"Status": "joined"}]
    else:
        item.pop("DomainMemberships", None)
    return item


def _check_groups(call: Call, params: Params, vpc_id: str | None) -> None:
    for group_id in params.get("VpcSecurityGroupIds", []):
        group = call.ec2.get_security_group_from_id(group_id)
        if group is None or (vpc_id is not None and group.vpc_id != vpc_id):
            raise AwsError("InvalidParameterValue", f"Invalid security group , groupId= {group_id}, groupName=.")


# MARK: windows

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _minutes(text: str) -> tuple[int, int]:
    """A window as minutes of the week, or of the day."""

    def one(part: str) -> int:
        pieces = part.split(":")
        day = _DAYS.index(pieces[0]) if len(pieces) == 3 else 0
        return day * 1440 + int(pieces[-2]) * 60 + int(pieces[-1])

    begin, _, end = text.lower().partition("-")
    return one(begin), one(end)


def _check_window(text: str, week: bool) -> None:
    time = r"([01]\d|2[0-3]):[0-5]\d"
    day = "(mon|tue|wed|thu|fri|sat|sun):" if week else ""
    if not re.fullmatch(f"{day}{time}-{day}{time}", text.lower()):
        raise AwsError("InvalidParameterValue", f"Invalid {'maintenance' if week else 'backup'} window format: {text}")
    begin, end = _minutes(text)
    if (end - begin) % (10080 if week else 1440) < 30:
        raise AwsError(
            "InvalidParameterValue",
            f"The {'maintenance' if week else 'backup'} window must be at least 30 minutes.",
        )


def _check_windows(maintenance: str, backup: str) -> None:
    _check_window(maintenance, True)
    _check_window(backup, False)
    (begin, end), (first, last) = _minutes(maintenance), _minutes(backup)
    length, backup_length = (end - begin) % 10080, (last - first) % 1440
    for day in range(8):
        start = first + day * 1440
        if (start - begin) % 10080 < length or (begin - start) % 10080 < backup_length:
            raise AwsError("InvalidParameterValue", "The backup window and maintenance window must not overlap.")


def has_begun(window: str, since: float, now: float) -> bool:
    """Whether a weekly window was open at some moment between the two."""
    begin, end = _minutes(window)
    start = datetime.fromtimestamp(since, timezone.utc)
    minute = start.weekday() * 1440 + start.hour * 60 + start.minute + start.second / 60
    if (minute - begin) % 10080 < (end - begin) % 10080:
        return True
    wait = timedelta(minutes=(begin - minute) % 10080)
    return since + wait.total_seconds() <= now


def pass_windows(call: Call) -> None:
    """What waited for a window that has passed takes effect."""
    now = clock.wall()
    for held in list(backend(call).databases.values()):
        notes = _notes(call, held.db_instance_identifier)
        if not notes.get("pending") or clock.is_pending("database", notes.get("modifying")):
            continue
        if has_begun(held.preferred_maintenance_window, notes.get("pending_since", now), now):
            _apply(call, held)


# MARK: instances


def _resource_id(call: Call, name: str) -> str:
    count = _store(call).notes("database ids")
    count["made"] = count.get("made", 0) + 1
    digest = hashlib.sha256(f"{call.account} {call.region} {name} {count['made']}".encode()).hexdigest().upper()
    return f"db-{digest[:26]}"


def _check_name(call: Call, text: str) -> str:
    name = text.lower()
    if not re.fullmatch(r"[a-z](-?[a-z0-9])*", name) or len(name) > 63:
        raise AwsError("InvalidParameterValue", f"The parameter DBInstanceIdentifier is not a valid identifier: {name}")
    if name in backend(call).databases:
        raise AwsError("DBInstanceAlreadyExists", "DB instance already exists")
    return name


def _check_family(call: Call, engine: str, version: str, group: str | None) -> None:
    held = backend(call).db_parameter_groups.get(group) if group else None
    wanted = family_of(engine, version)
    if held is not None and engine in VERSIONS and held.family != wanted:
        raise AwsError(
            "InvalidParameterCombination",
            f"The Parameter Group {group} with DBParameterGroupFamily {held.family} cannot be used for this instance."
            f" Please use a Parameter Group with DBParameterGroupFamily {wanted}",
        )


def _place(call: Call, params: Params) -> None:
    """Subnet group and security groups of a new instance."""
    from .ec2 import guards

    group = params.get("DBSubnetGroupName")
    vpc_id = call.ec2.default_vpc.id
    if group is not None:
        params["DBSubnetGroupName"] = group = group.lower()
        if group not in backend(call).subnet_groups:
            raise AwsError("DBSubnetGroupNotFoundFault", f"DB subnet group '{group}' does not exist.", 404)
        vpc_id = backend(call).subnet_groups[group].vpc_id
    _check_groups(call, params, vpc_id)
    if not params.get("VpcSecurityGroupIds"):
        params["VpcSecurityGroupIds"] = [g.id for g in guards.groups_of(call, vpc_id) if g.name == "default"]


def _born(call: Call, name: str, params: Params) -> Params:
    _store(call).extra.pop(f"db:{name}", None)
    _store(call).bear(f"db:{name}")
    held = backend(call).databases[name]
    held.dbi_resource_id = _resource_id(call, name)
    held.preferred_backup_window = params.get("PreferredBackupWindow", "06:38-07:08")
    held.preferred_maintenance_window = params.get("PreferredMaintenanceWindow", "wed:08:38-wed:09:08").lower()
    _check_windows(held.preferred_maintenance_window, held.preferred_backup_window)
    _keep(call, name, params)
    return {"DBInstance": _shown(call, held)}


def _for_moto(params: Params) -> Params:
    return {k: v for k, v in params.items() if k not in _KEPT and k not in _DOMAIN}


@operation("rds", "CreateDBInstance")
def create(call: Call) -> Params:
    params = dict(call.params)
    name = params["DBInstanceIdentifier"] = _check_name(call, params["DBInstanceIdentifier"])
    engine = params["Engine"]
    version = resolve_version(engine, params.get("EngineVersion"))
    if version is not None:
        params["EngineVersion"] = version
        _check_family(call, engine, version, params.get("DBParameterGroupName"))
    _place(call, params)
    if params.get("ManageMasterUserPassword") and params.get("MasterUserPassword"):
        raise AwsError(
            "InvalidParameterCombination",
            "You can't specify MasterUserPassword when ManageMasterUserPassword is enabled.",
        )
    if "DBClusterIdentifier" not in params and not (
        params.get("MasterUserPassword") or params.get("ManageMasterUserPassword")
    ):
        raise AwsError(
            "InvalidParameterValue", "The parameter MasterUserPassword must be provided and must not be blank."
        )
    if "DBClusterIdentifier" not in params and not params.get("MasterUsername"):
        raise AwsError("InvalidParameterValue", "The parameter MasterUsername must be provided and must not be blank.")
    _check_password(params)
    if engine in VERSIONS and "AllocatedStorage" not in params:
        raise AwsError("InvalidParameterCombination", "Invalid storage size for engine name " + engine)
    windows = (params.get("PreferredMaintenanceWindow"), params.get("PreferredBackupWindow"))
    _check_windows(windows[0] or "wed:08:38-wed:09:08", windows[1] or "06:38-07:08")
    if params.get("MonitoringInterval") and not params.get("MonitoringRoleArn"):
        raise AwsError(
            "InvalidParameterCombination",
            "A MonitoringRoleARN value is required if you specify a MonitoringInterval value other than 0.",
        )
    _make_room(call, name)
    call.moto(_for_moto(params))
    return _born(call, name, params)


def _make_room(call: Call, name: str) -> None:
    """moto names automated snapshots by the minute, and a name may be given again within one."""
    held = backend(call).database_snapshots
    for key in [k for k in held if k.startswith(f"rds:{name}-")]:
        del held[key]


def _check_password(params: Params) -> None:
    if "MasterUserPassword" in params and len(params["MasterUserPassword"]) < 8:
        raise AwsError(
            "InvalidParameterValue",
            "The parameter MasterUserPassword is not a valid password because it is shorter than 8 characters.",
        )


@operation("rds", "RestoreDBInstanceFromDBSnapshot", "RestoreDBInstanceToPointInTime")
def restore(call: Call) -> Params:
    params = dict(call.params)
    is_moment = call.operation.endswith("PointInTime")
    member = "TargetDBInstanceIdentifier" if is_moment else "DBInstanceIdentifier"
    name = params[member] = _check_name(call, params[member])
    if is_moment and bool(params.get("RestoreTime")) == bool(params.get("UseLatestRestorableTime")):
        raise AwsError(
            "InvalidParameterCombination", "Exactly one of RestoreTime and UseLatestRestorableTime must be given."
        )
    if is_moment:
        source = get(call, params["SourceDBInstanceIdentifier"].rpartition(":")[2])
    else:
        snapshot = backend(call).database_snapshots.get(params["DBSnapshotIdentifier"].rpartition(":")[2])
        if snapshot is None:
            raise AwsError("DBSnapshotNotFound", f"DBSnapshot {params['DBSnapshotIdentifier']} not found.", 404)
        source = snapshot.database
    _check_family(call, source.engine, source.engine_version, params.get("DBParameterGroupName"))
    _place(call, params)
    _make_room(call, name)
    call.moto(_for_moto(params))
    held = backend(call).databases[name]
    held.tags = list(params.get("Tags") or [])
    held.deletion_protection = params.get("DeletionProtection", False)
    held.is_replica, held.replicas, held.source_db_instance_identifier = False, [], None
    return _born(call, name, params)


@operation("rds", "CreateDBInstanceReadReplica")
def replicate(call: Call) -> Params:
    params = dict(call.params)
    name = _check_name(call, params["DBInstanceIdentifier"])
    source = get(call, params["SourceDBInstanceIdentifier"].rpartition(":")[2])
    if source.backup_retention_period == 0:
        raise AwsError(
            "InvalidDBInstanceState", "Automated backups are not enabled for this database instance."
        )
    if status_of(call, source.db_instance_identifier) != "available":
        raise AwsError("InvalidDBInstanceState", "The source is not in available state.")
    _place(call, params)
    held = copy.copy(source)
    held.is_replica, held.replicas = True, []
    held.db_instance_identifier = name
    held.source_db_instance_identifier = source.db_instance_identifier
    held.tags = list(params.get("Tags") or [])
    held.vpc_security_group_ids = params["VpcSecurityGroupIds"]
    held.enabled_cloudwatch_logs_exports = list(params.get("EnableCloudwatchLogsExports") or [])
    held.deletion_protection = params.get("DeletionProtection", False)
    held.backup_retention_period = 0
    for member in ("DBInstanceClass", "StorageType", "Iops", "MultiAZ", "AllocatedStorage"):
        if member in params:
            setattr(held, _PENDING[member], params[member])
    for member, attribute in _AT_ONCE.items():
        if member in params:
            setattr(held, attribute, params[member])
    if "Port" in params:
        held.port = params["Port"]
    if "DBParameterGroupName" in params:
        held.db_parameter_group_name = params["DBParameterGroupName"]
    backend(call).databases[name] = held
    source.replicas.append(name)
    return _born(call, name, params)


@operation("rds", "PromoteReadReplica")
def promote(call: Call) -> Params:
    held = get(call, call.params["DBInstanceIdentifier"])
    name = held.db_instance_identifier
    if not held.is_replica:
        raise AwsError("InvalidDBInstanceState", f"DB Instance {name} is not a read replica.")
    if status_of(call, name) != "available":
        raise AwsError("InvalidDBInstanceState", f"Database instance is not in available state: {name}")
    source = backend(call).databases.get(held.source_db_instance_identifier)
    if source is not None and name in source.replicas:
        source.replicas.remove(name)
    held.is_replica, held.source_db_instance_identifier = False, None
    held.backup_retention_period = call.params.get("BackupRetentionPeriod", 1)
    _notes(call, name)["modifying"] = clock.now()
    return {"DBInstance": _shown(call, held)}


@operation("rds", "DescribeDBInstances")
def describe(call: Call) -> Params:
    pass_windows(call)
    name = call.params.get("DBInstanceIdentifier")
    held = [get(call, name.rpartition(":")[2])] if name else list(backend(call).databases.values())
    for one in call.params.get("Filters") or []:
        wanted = [v.rpartition(":")[2] for v in one.get("Values", [])]
        match one.get("Name"):
            case "db-instance-id":
                held = [d for d in held if d.db_instance_identifier in wanted]
            case "dbi-resource-id":
                held = [d for d in held if d.dbi_resource_id in wanted]
            case "engine":
                held = [d for d in held if d.engine in wanted]
            case "db-cluster-id":
                held = [d for d in held if d.db_cluster_identifier in wanted]
            case other:
                raise AwsError("InvalidParameterValue", f"Unrecognized filter name: {other}")
    part, more = page(call, [_shown(call, d) for d in held], "MaxRecords", "Marker", 20, 100, 100)
    return {"DBInstances": part} | ({"Marker": more} if more else {})


def _check_version(held: Any, params: Params) -> None:
    version = params["EngineVersion"] = resolve_version(held.engine, params["EngineVersion"])
    if not version or held.engine not in VERSIONS:
        return
    if _numbers(version) < _numbers(held.engine_version):
        raise AwsError(
            "InvalidParameterCombination",
            f"Cannot upgrade {held.engine} from {held.engine_version} to {version}",
        )
    is_major = line_of(held.engine, version) != line_of(held.engine, held.engine_version)
    if is_major and not params.get("AllowMajorVersionUpgrade"):
        raise AwsError(
            "InvalidParameterCombination",
            "The AllowMajorVersionUpgrade flag must be present when upgrading to a new major version.",
        )


def _check_move(call: Call, held: Any, params: Params) -> None:
    name = params["DBSubnetGroupName"] = params["DBSubnetGroupName"].lower()
    group = backend(call).subnet_groups.get(name)
    if group is None:
        raise AwsError("DBSubnetGroupNotFoundFault", f"DB subnet group '{name}' does not exist.", 404)
    present = getattr(held, "db_subnet_group", None)
    if present is not None and present is not group and present.vpc_id == group.vpc_id:
        raise AwsError(
            "InvalidVPCNetworkStateFault",
            f"You cannot move DB instance {held.db_instance_identifier} to subnet group {name}. The specified DB subnet"
            " group and DB instance are in the same VPC. Choose a DB subnet group in different VPC than the specified DB"
            " instance and try again.",
        )


def _check_modification(call: Call, held: Any, params: Params) -> None:
    if "EngineVersion" in params:
        _check_version(held, params)
    if params.get("AllocatedStorage", held.allocated_storage) < held.allocated_storage:
        raise AwsError(
            "InvalidParameterCombination",
            f"Requested storage size ({params['AllocatedStorage']}) cannot be smaller than the current size ({held.allocated_storage})",
        )
    if "DBSubnetGroupName" in params:
        _check_move(call, held, params)
    if "NewDBInstanceIdentifier" in params:
        params["NewDBInstanceIdentifier"] = params["NewDBInstanceIdentifier"].lower()
        if params["NewDBInstanceIdentifier"] != held.db_instance_identifier:
            _check_name(call, params["NewDBInstanceIdentifier"])
    vpc_id = held.db_subnet_group.vpc_id if getattr(held, "db_subnet_group", None) else None
    if "DBSubnetGroupName" in params:
        vpc_id = backend(call).subnet_groups[params["DBSubnetGroupName"]].vpc_id
    _check_groups(call, params, vpc_id)
    _check_windows(
        params.get("PreferredMaintenanceWindow", held.preferred_maintenance_window),
        params.get("PreferredBackupWindow", held.preferred_backup_window),
    )
    _check_password(params)
    is_managed = bool(getattr(held, "manage_master_user_password", False))
    if params.get("ManageMasterUserPassword", is_managed) and "MasterUserPassword" in params:
        raise AwsError(
            "InvalidParameterCombination",
            "You can't specify MasterUserPassword when ManageMasterUserPassword is enabled.",
        )
    if is_managed and params.get("ManageMasterUserPassword") is False and "MasterUserPassword" not in params:
        raise AwsError(
            "InvalidParameterCombination",
            "You must specify MasterUserPassword when you turn ManageMasterUserPassword off.",
        )
    if params.get("StorageType") in ("io1", "io2") and not (params.get("Iops") and params.get("AllocatedStorage")):
        raise AwsError(
            "InvalidParameterCombination", "You must specify both the storage size and iops when using io1 or io2."
        )
    group = params.get("DBParameterGroupName")
    if group is not None:
        if not group.startswith("default.") and group not in backend(call).db_parameter_groups:
            raise AwsError("DBParameterGroupNotFound", f"DBParameterGroup not found: {group}", 404)
        _check_family(call, held.engine, params.get("EngineVersion", held.engine_version), group)


@operation("rds", "ModifyDBInstance")
def modify(call: Call) -> Params:
    pass_windows(call)
    params = dict(call.params)
    held = get(call, params.pop("DBInstanceIdentifier"))
    name = held.db_instance_identifier
    status = status_of(call, name)
    if status not in ("available", "storage-optimization"):
        raise AwsError("InvalidDBInstanceState", f"Database instance is not in available state: {status}")
    _check_modification(call, held, params)
    notes = _notes(call, name)
    for member, attribute in _AT_ONCE.items():
        if member in params:
            setattr(held, attribute, params[member])
    if "PreferredMaintenanceWindow" in params:
        held.preferred_maintenance_window = params["PreferredMaintenanceWindow"].lower()
    logs = params.get("CloudwatchLogsExportConfiguration") or {}
    exports = set(held.enabled_cloudwatch_logs_exports) - set(logs.get("DisableLogTypes") or [])
    held.enabled_cloudwatch_logs_exports = sorted(exports | set(logs.get("EnableLogTypes") or []))
    if "ManageMasterUserPassword" in params:
        held.update(params["ManageMasterUserPassword"], params.get("MasterUserSecretKmsKeyId"))
    if "MasterUserPassword" in params:
        held.master_user_password = params["MasterUserPassword"]
        notes["password"] = clock.now()
    if params.get("DBPortNumber", held.port) != held.port:
        held.port = params["DBPortNumber"]
        notes["rebooting"] = clock.now()
        notes["parameters"] = "in-sync"
    deferred = _deferred(held, params)
    _keep(call, name, {k: v for k, v in params.items() if k not in deferred})
    group = params.get("DBParameterGroupName")
    if group is not None and "DBParameterGroupName" not in deferred and group != held.db_parameter_group_name:
        held.db_parameter_group_name = group
        notes["parameters"] = "pending-reboot"
    waiting = notes.setdefault("pending", {})
    for member, value in deferred.items():
        if value == _present(call, held, member):
            waiting.pop(member, None)
        else:
            waiting[member] = value
            notes["pending_since"] = clock.wall()
    if params.get("ApplyImmediately") and waiting:
        notes["modifying"] = clock.now()
        _store(call).later("database", lambda: _apply(call, held))
        shown = _shown(call, held)
        _store(call).settle()
        return {"DBInstance": shown}
    return {"DBInstance": _shown(call, held)}


def _present(call: Call, held: Any, member: str) -> Any:
    if member == "NewDBInstanceIdentifier":
        return held.db_instance_identifier
    if member == "DBSubnetGroupName":
        group = getattr(held, "db_subnet_group", None)
        return group.name if group is not None else None
    if not _PENDING[member]:
        return _notes(call, held.db_instance_identifier).get("kept", {}).get(_KEPT[member])
    return getattr(held, _PENDING[member], None)


def _deferred(held: Any, params: Params) -> Params:
    """The part of a modification that waits for the window."""
    deferred = {k: params[k] for k in _PENDING if k in params}
    # From one number of days to another nothing has to be switched on or off.
    days = deferred.get("BackupRetentionPeriod")
    if days and held.backup_retention_period:
        held.backup_retention_period = deferred.pop("BackupRetentionPeriod")
    version = deferred.get("EngineVersion", held.engine_version)
    if line_of(held.engine, version) == line_of(held.engine, held.engine_version):
        deferred.pop("DBParameterGroupName", None)
    return deferred


def _apply(call: Call, held: Any) -> None:
    """What waited takes effect."""
    databases = backend(call).databases
    name = held.db_instance_identifier
    if databases.get(name) is not held:
        return
    notes = _notes(call, name)
    waiting = notes.pop("pending", {})
    _keep(call, name, {k: v for k, v in waiting.items() if not _PENDING[k] and k in _KEPT})
    for member, value in waiting.items():
        if _PENDING[member]:
            setattr(held, _PENDING[member], value)
    if "DBInstanceClass" in waiting or "EngineVersion" in waiting:
        notes["parameters"] = "in-sync"
    fresh = waiting.get("NewDBInstanceIdentifier")
    if fresh:
        databases[fresh] = databases.pop(name)
        held.db_instance_identifier = fresh
        store = _store(call)
        store.extra[f"db:{fresh}"] = store.extra.pop(f"db:{name}", {})
        store.born[f"db:{fresh}"] = store.born.pop(f"db:{name}", 0)
        for other in databases.values():
            other.replicas = [fresh if r == name else r for r in other.replicas]
            if other.source_db_instance_identifier == name:
                other.source_db_instance_identifier = fresh


@operation("rds", "RebootDBInstance")
def reboot(call: Call) -> Params:
    pass_windows(call)
    held = get(call, call.params["DBInstanceIdentifier"])
    name = held.db_instance_identifier
    if status_of(call, name) != "available":
        raise AwsError("InvalidDBInstanceState", f"Instance {name} is not in available state.")
    notes = _notes(call, name)
    notes["rebooting"] = clock.now()
    notes["parameters"] = "in-sync"
    return {"DBInstance": _shown(call, held)}


@operation("rds", "DeleteDBInstance")
def delete(call: Call) -> Params:
    params = dict(call.params)
    pass_windows(call)
    held = get(call, params["DBInstanceIdentifier"])
    name = held.db_instance_identifier
    skip, final = params.get("SkipFinalSnapshot", False), params.get("FinalDBSnapshotIdentifier")
    if held.deletion_protection:
        raise AwsError(
            "InvalidParameterCombination",
            "Cannot delete protected DB Instance, please disable deletion protection and try again.",
        )
    if held.is_replica and final:
        raise AwsError(
            "InvalidParameterCombination",
            "FinalDBSnapshotIdentifier can not be specified when deleting a replica instance",
        )
    if bool(skip) == bool(final):
        text = (
            "FinalDBSnapshotIdentifier can not be specified when deleting with SkipFinalSnapshot"
            if skip
            else "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified."
        )
        raise AwsError("InvalidParameterCombination", text)
    if final and not re.fullmatch(r"[A-Za-z](-?[A-Za-z0-9])*", final):
        raise AwsError(
            "InvalidParameterValue", "The parameter FinalDBSnapshotIdentifier is not a valid identifier."
        )
    status = status_of(call, name)
    if status == "deleting":
        raise AwsError("InvalidDBInstanceState", f"Instance {name} is already being deleted.")
    if final and status == "creating":
        raise AwsError(
            "InvalidDBInstanceState",
            f"Cannot create a snapshot because the database instance {name} is not currently in the available state.",
        )
    if final and final in backend(call).database_snapshots:
        raise AwsError(
            "DBSnapshotAlreadyExists",
            f"Cannot create the snapshot because a snapshot with the identifier {final} already exists.",
        )
    _notes(call, name)["deleted_at"] = clock.now()

    def gone() -> None:
        if held.is_replica:
            source = backend(call).databases.get(held.source_db_instance_identifier)
            if source is not None and name in source.replicas:
                source.replicas.remove(name)
            held.is_replica = False
        call.sibling("DeleteDBInstance").moto(params | {"DBInstanceIdentifier": name})
        _store(call).extra.pop(f"db:{name}", None)

    shown = _shown(call, held)
    _store(call).later("database", gone)
    _store(call).settle()
    return {"DBInstance": shown | {"DBInstanceStatus": "deleting"}}


def mark_users(call: Call, group: str) -> None:
    """The databases of a parameter group have to restart for its static parameters."""
    for name, database in backend(call).databases.items():
        if database.db_parameter_group_name == group:
            _notes(call, name)["parameters"] = "pending-reboot"


@operation("rds", "DescribeDBEngineVersions")
def engine_versions(call: Call) -> Params:
    items = []
    for engine, versions in VERSIONS.items():
        if call.params.get("Engine", engine) != engine:
            continue
        for version in versions:
            wanted = call.params.get("EngineVersion")
            if wanted and not (version == wanted or version.startswith(wanted + ".")):
                continue
            major = line_of(engine, version)
            family = family_of(engine, version)
            items.append(
                {
                    "Engine": engine,
                    "EngineVersion": version,
                    "MajorEngineVersion": major,
                    "DBParameterGroupFamily": family,
                    "Status": "available",
                }
            )
    if call.params.get("DefaultOnly"):
        items = items[-1:]
    part, more = page(call, items, "MaxRecords", "Marker", 20, 100, 100)
    return {"DBEngineVersions": part} | ({"Marker": more} if more else {})
