"""RDS: states, values that wait for the window, choices that must be made, groups that are in use."""

from __future__ import annotations

import hashlib
import re
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
    for status in ("modifying", "rebooting"):
        if clock.is_pending("database", notes.get(status)):
            return status
    return str(getattr(backend(call).databases.get(name), "status", "available"))


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
    "DBPortNumber": "port",
}


def _shown(call: Call, instance: Any) -> Params:
    item: Params = item_converter("rds", "DescribeDBInstances", "DBInstances")(instance)
    name = instance.db_instance_identifier
    notes = _notes(call, name)
    status = status_of(call, name)
    item["DBInstanceStatus"] = status
    digest = hashlib.sha256(instance.db_instance_arn.encode()).hexdigest().upper()
    item["DbiResourceId"] = f"db-{digest[:26]}"
    if status == "creating":
        item.pop("Endpoint", None)
    waiting = dict(notes.get("pending", {}))
    if "DBPortNumber" in waiting:
        waiting["Port"] = waiting.pop("DBPortNumber")
    if "MasterUserPassword" in waiting:
        waiting["MasterUserPassword"] = "****"
    item["PendingModifiedValues"] = waiting
    for group in item.get("DBParameterGroups", []):
        group["ParameterApplyStatus"] = notes.get("parameters", "in-sync")
    throughput = item.get("StorageThroughput")
    if not throughput:
        item["StorageThroughput"] = 0 if item.get("StorageType") != "gp3" else 125
    if "monitoring" in notes:
        item |= notes["monitoring"]
    return item


def _check_groups(call: Call, params: Params, vpc_id: str | None) -> None:
    for group_id in params.get("VpcSecurityGroupIds", []):
        group = call.ec2.get_security_group_from_id(group_id)
        if group is None or (vpc_id is not None and group.vpc_id != vpc_id):
            raise AwsError("InvalidParameterValue", f"Invalid security group , groupId= {group_id}, groupName=.")


_KEPT = (
    "MonitoringInterval",
    "MonitoringRoleArn",
    "PerformanceInsightsEnabled",
    "PerformanceInsightsKMSKeyId",
    "PerformanceInsightsRetentionPeriod",
    "DatabaseInsightsMode",
    "NetworkType",
    "DedicatedLogVolume",
)


def _keep(call: Call, name: str, params: Params) -> None:
    held = {k: params[k] for k in _KEPT if k in params}
    if "EnablePerformanceInsights" in params:
        held["PerformanceInsightsEnabled"] = params["EnablePerformanceInsights"]
    notes = _notes(call, name)
    notes["monitoring"] = notes.get("monitoring", {}) | held


@operation("rds", "CreateDBInstance")
def create(call: Call) -> Params:
    from .ec2 import guards

    params = dict(call.params)
    name = params["DBInstanceIdentifier"] = params["DBInstanceIdentifier"].lower()
    if not re.fullmatch(r"[a-z](-?[a-z0-9])*", name) or len(name) > 63:
        raise AwsError("InvalidParameterValue", f"The parameter DBInstanceIdentifier is not a valid identifier: {name}")
    if name in backend(call).databases:
        raise AwsError("DBInstanceAlreadyExists", "DB instance already exists")
    engine = params["Engine"]
    version = resolve_version(engine, params.get("EngineVersion"))
    if version is not None:
        params["EngineVersion"] = version
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
    if "MasterUserPassword" in params and len(params["MasterUserPassword"]) < 8:
        raise AwsError(
            "InvalidParameterValue",
            "The parameter MasterUserPassword is not a valid password because it is shorter than 8 characters.",
        )
    if engine in VERSIONS and "AllocatedStorage" not in params:
        raise AwsError("InvalidParameterCombination", "Invalid storage size for engine name " + engine)
    call.moto({k: v for k, v in params.items() if k not in _KEPT and k != "EnablePerformanceInsights"})
    _store(call).extra.pop(f"db:{name}", None)
    _store(call).bear(f"db:{name}")
    _keep(call, name, params)
    return {"DBInstance": _shown(call, backend(call).databases[name])}


@operation("rds", "DescribeDBInstances")
def describe(call: Call) -> Params:
    name = call.params.get("DBInstanceIdentifier")
    held = [get(call, name.rpartition(":")[2])] if name else list(backend(call).databases.values())
    for one in call.params.get("Filters") or []:
        wanted = [v.rpartition(":")[2] for v in one.get("Values", [])]
        match one.get("Name"):
            case "db-instance-id":
                held = [d for d in held if d.db_instance_identifier in wanted]
            case "dbi-resource-id":
                held = [d for d in held if _shown(call, d)["DbiResourceId"] in wanted]
            case "engine":
                held = [d for d in held if d.engine in wanted]
            case "db-cluster-id":
                held = [d for d in held if d.db_cluster_identifier in wanted]
            case other:
                raise AwsError("InvalidParameterValue", f"Unrecognized filter name: {other}")
    part, more = page(call, [_shown(call, d) for d in held], "MaxRecords", "Marker", 20, 100, 100)
    return {"DBInstances": part} | ({"Marker": more} if more else {})


@operation("rds", "ModifyDBInstance")
def modify(call: Call) -> Params:
    params = dict(call.params)
    name = params["DBInstanceIdentifier"] = params["DBInstanceIdentifier"].lower()
    held = get(call, name)
    status = status_of(call, name)
    if status not in ("available", "storage-optimization"):
        raise AwsError("InvalidDBInstanceState", f"Database instance is not in available state: {status}")
    if "EngineVersion" in params:
        version = resolve_version(held.engine, params["EngineVersion"])
        params["EngineVersion"] = version
        if (
            version
            and version.split(".")[0] != held.engine_version.split(".")[0]
            and not params.get("AllowMajorVersionUpgrade")
        ):
            raise AwsError(
                "InvalidParameterCombination",
                "The AllowMajorVersionUpgrade flag must be present when upgrading to a new major version.",
            )
    if params.get("AllocatedStorage", held.allocated_storage) < held.allocated_storage:
        raise AwsError(
            "InvalidParameterCombination",
            f"Requested storage size ({params['AllocatedStorage']}) cannot be smaller than the current size ({held.allocated_storage})",
        )
    _check_groups(call, params, held.db_subnet_group.vpc_id if getattr(held, "db_subnet_group", None) else None)
    notes = _notes(call, name)
    immediate = bool(params.pop("ApplyImmediately", False))
    fresh = {k: params[k] for k in _PENDING if k in params and params[k] != getattr(held, _PENDING[k], None)}
    if "MasterUserPassword" in params:
        fresh["MasterUserPassword"] = params["MasterUserPassword"]
    rest = {
        k: v
        for k, v in params.items()
        if k not in _PENDING and k not in (*_KEPT, "MasterUserPassword", "EnablePerformanceInsights")
    }
    if rest.get("DBParameterGroupName", held.db_parameter_group_name) != held.db_parameter_group_name:
        notes["parameters"] = "pending-reboot"
    if len(rest) > 1:
        call.moto(rest)
    _keep(call, name, params)
    name = held.db_instance_identifier
    notes = _notes(call, name)
    waiting = notes.setdefault("pending", {})
    waiting.update(fresh)
    if immediate and (waiting or "NewDBInstanceIdentifier" in params):
        notes["modifying"] = clock.now()
        _store(call).later("database", lambda: _apply(call, name))
        _store(call).settle()
    return {"DBInstance": _shown(call, held)}


def _apply(call: Call, name: str) -> None:
    """What waited takes effect."""
    held = backend(call).databases.get(name)
    if held is None:
        return
    notes = _notes(call, name)
    for member, value in notes.pop("pending", {}).items():
        if member == "MasterUserPassword":
            held.master_user_password = value
        else:
            setattr(held, _PENDING[member], value)


@operation("rds", "RebootDBInstance")
def reboot(call: Call) -> Params:
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
    held = get(call, params["DBInstanceIdentifier"])
    name = held.db_instance_identifier
    skip, final = params.get("SkipFinalSnapshot", False), params.get("FinalDBSnapshotIdentifier")
    if held.deletion_protection:
        raise AwsError(
            "InvalidParameterCombination",
            "Cannot delete protected DB Instance, please disable deletion protection and try again.",
        )
    if bool(skip) == bool(final):
        text = (
            "FinalDBSnapshotIdentifier can not be specified when deleting with SkipFinalSnapshot"
            if skip
            else "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified."
        )
        raise AwsError("InvalidParameterCombination", text)
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
        call.sibling("DeleteDBInstance").moto(params | {"DBInstanceIdentifier": name})
        _store(call).extra.pop(f"db:{name}", None)

    shown = _shown(call, held)
    _store(call).later("database", gone)
    _store(call).settle()
    return {"DBInstance": shown | {"DBInstanceStatus": "deleting"}}


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
            major = version.split(".")[0] if engine == "postgres" else ".".join(version.split(".")[:2])
            family = f"{engine}{major}"
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


# MARK: subnet groups


def _subnets(call: Call, wanted: list[str]) -> list[Any]:
    from .ec2 import subnets

    out = []
    for subnet_id in wanted:
        try:
            out.append(subnets.get(call, subnet_id))
        except AwsError as error:
            raise AwsError("InvalidSubnet", f"The requested subnet {subnet_id} is invalid.") from error
    if len({s.vpc_id for s in out}) > 1:
        raise AwsError("InvalidSubnet", "The subnets are not all in one VPC.")
    if len({s.availability_zone for s in out}) < 2:
        raise AwsError(
            "DBSubnetGroupDoesNotCoverEnoughAZs",
            "The DB subnet group doesn't meet Availability Zone (AZ) coverage requirement. Current AZ coverage: 1. Add subnets to cover at least 2 AZs.",
        )
    return out


def _subnet_group(call: Call, name: str) -> Any:
    held: Any = backend(call).subnet_groups.get(name.lower())
    if held is None:
        raise AwsError("DBSubnetGroupNotFoundFault", f"DB subnet group '{name}' does not exist.", 404)
    return held


def _group_shown(call: Call, group: Any) -> Params:
    shown: Params = item_converter("rds", "DescribeDBSubnetGroups", "DBSubnetGroups")(group)
    return shown


@operation("rds", "CreateDBSubnetGroup")
def create_subnet_group(call: Call) -> Params:
    name = call.params["DBSubnetGroupName"].lower()
    if name in backend(call).subnet_groups:
        raise AwsError("DBSubnetGroupAlreadyExists", f"The DB subnet group '{name}' already exists.")
    if name == "default":
        raise AwsError("InvalidParameterValue", "The DB subnet group name cannot be 'default'.")
    _subnets(call, call.params["SubnetIds"])
    return call.moto(call.params | {"DBSubnetGroupName": name})


@operation("rds", "ModifyDBSubnetGroup")
def modify_subnet_group(call: Call) -> Params:
    held = _subnet_group(call, call.params["DBSubnetGroupName"])
    wanted = _subnets(call, call.params["SubnetIds"])
    leaving = {s.id for s in held._subnets} - {s.id for s in wanted}
    users = [d for d in backend(call).databases.values() if getattr(d, "db_subnet_group", None) is held]
    if leaving and users:
        raise AwsError(
            "SubnetAlreadyInUse",
            f"The subnet {sorted(leaving)[0]} is already in use by {users[0].db_instance_identifier}.",
        )
    held._subnets = wanted
    if "DBSubnetGroupDescription" in call.params:
        held.description = call.params["DBSubnetGroupDescription"]
    return {"DBSubnetGroup": _group_shown(call, held)}


@operation("rds", "DeleteDBSubnetGroup")
def delete_subnet_group(call: Call) -> Params:
    name = _subnet_group(call, call.params["DBSubnetGroupName"]).name
    for database in backend(call).databases.values():
        if getattr(getattr(database, "db_subnet_group", None), "name", None) == name:
            raise AwsError(
                "InvalidDBSubnetGroupStateFault",
                f"Cannot delete the subnet group '{name}' because at least one database instance: {database.db_instance_identifier} is still using it.",
            )
    del backend(call).subnet_groups[name]
    return {}


@operation("rds", "DescribeDBSubnetGroups")
def describe_subnet_groups(call: Call) -> Params:
    name = call.params.get("DBSubnetGroupName")
    held = [_subnet_group(call, name)] if name else list(backend(call).subnet_groups.values())
    part, more = page(call, [_group_shown(call, g) for g in held], "MaxRecords", "Marker", 20, 100, 100)
    return {"DBSubnetGroups": part} | ({"Marker": more} if more else {})


# MARK: parameter groups


def _parameter_group(call: Call, name: str) -> Any:
    held = backend(call).db_parameter_groups.get(name)
    if held is None:
        raise AwsError("DBParameterGroupNotFound", f"DBParameterGroup not found: {name}", 404)
    return held


@operation("rds", "DescribeDBParameterGroups")
def describe_parameter_groups(call: Call) -> Params:
    name = call.params.get("DBParameterGroupName")
    held = [_parameter_group(call, name)] if name else list(backend(call).db_parameter_groups.values())
    convert = item_converter("rds", call.operation, "DBParameterGroups")
    part, more = page(call, [convert(g) for g in held], "MaxRecords", "Marker", 20, 100, 100)
    return {"DBParameterGroups": part} | ({"Marker": more} if more else {})


@operation("rds", "ModifyDBParameterGroup")
def modify_parameters(call: Call) -> Params:
    held = _parameter_group(call, call.params["DBParameterGroupName"])
    given = call.params["Parameters"]
    if not 1 <= len(given) <= 20:
        raise AwsError(
            "InvalidParameterValue", f"At most 20 parameters can be modified in one call; {len(given)} were given."
        )
    for parameter in given:
        if not parameter.get("ParameterName") or "ParameterValue" not in parameter:
            raise AwsError(
                "InvalidParameterValue", "ParameterName and ParameterValue must be given for every parameter."
            )
    for parameter in given:
        if parameter.get("ApplyMethod") == "pending-reboot":
            _mark_users(call, held.name)
    return call.moto()


def _mark_users(call: Call, group: str) -> None:
    for name, database in backend(call).databases.items():
        if database.db_parameter_group_name == group:
            _notes(call, name)["parameters"] = "pending-reboot"


@operation("rds", "ResetDBParameterGroup")
def reset_parameters(call: Call) -> Params:
    held = _parameter_group(call, call.params["DBParameterGroupName"])
    if call.params.get("ResetAllParameters"):
        held.parameters.clear()
    else:
        for parameter in call.params.get("Parameters") or []:
            held.parameters.pop(parameter.get("ParameterName"), None)
    _mark_users(call, held.name)
    return {"DBParameterGroupName": held.name}


@operation("rds", "DescribeDBParameters")
def describe_parameters(call: Call) -> Params:
    held = _parameter_group(call, call.params["DBParameterGroupName"])
    items = [{"Source": "user", **p} for p in held.parameters.values()]
    if call.params.get("Source") not in (None, "user"):
        items = []
    part, more = page(call, items, "MaxRecords", "Marker", 20, 100, 100)
    return {"Parameters": part} | ({"Marker": more} if more else {})


@operation("rds", "DeleteDBParameterGroup")
def delete_parameter_group(call: Call) -> Params:
    held = _parameter_group(call, call.params["DBParameterGroupName"])
    for database in backend(call).databases.values():
        if database.db_parameter_group_name == held.name:
            raise AwsError(
                "InvalidDBParameterGroupState",
                f"One or more database instances are still members of this parameter group {held.name}, so the group cannot be deleted",
            )
    del backend(call).db_parameter_groups[held.name]
    return {}
