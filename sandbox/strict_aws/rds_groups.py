"""RDS: the groups of subnets and of parameters that databases use."""

from __future__ import annotations

from typing import Any

from .call import Call, item_converter, operation
from .errors import AwsError
from .paging import page
from .rds import backend, mark_users, pass_windows
from .wire import Params

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
    pass_windows(call)
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
    if wanted[0].vpc_id != held.vpc_id:
        raise AwsError(
            "InvalidParameterValue", "The new Subnets are not in the same Vpc as the existing subnet group"
        )
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
    pass_windows(call)
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


# A few of each engine: whether they can be set while it runs, and what they are by default.
_PARAMETERS: dict[str, dict[str, tuple[bool, str | None]]] = {
    "mysql": {
        "character_set_client": (True, None),
        "character_set_server": (True, None),
        "collation_server": (True, None),
        "innodb_buffer_pool_size": (True, "{DBInstanceClassMemory*3/4}"),
        "innodb_ft_min_token_size": (False, None),
        "innodb_log_file_size": (False, "134217728"),
        "log_output": (True, "TABLE"),
        "long_query_time": (True, None),
        "lower_case_table_names": (False, None),
        "max_allowed_packet": (True, None),
        "max_connections": (True, "{DBInstanceClassMemory/12582880}"),
        "performance_schema": (False, "0"),
        "slow_query_log": (True, None),
        "sql_mode": (True, None),
        "time_zone": (True, None),
        "wait_timeout": (True, None),
    },
    "postgres": {
        "log_min_duration_statement": (True, None),
        "log_statement": (True, None),
        "max_connections": (False, "LEAST({DBInstanceClassMemory/9531392},5000)"),
        "rds.force_ssl": (True, "1"),
        "rds.logical_replication": (False, "0"),
        "shared_buffers": (False, "{DBInstanceClassMemory/32768}"),
        "work_mem": (True, None),
    },
}


def _known(family: str) -> dict[str, tuple[bool, str | None]]:
    engine = next((e for e in _PARAMETERS if family.startswith(e)), "mysql")
    # More, so that twenty are soon exceeded.
    more: dict[str, tuple[bool, str | None]] = {f"event_scheduler_{n}": (True, None) for n in range(30)}
    return _PARAMETERS[engine] | more


def _check_parameter(held: Any, parameter: Params) -> None:
    name = parameter.get("ParameterName")
    if not name:
        raise AwsError("InvalidParameterValue", "ParameterName must be given for every parameter.")
    known = _known(held.family).get(name.lower())
    if known is None:
        raise AwsError("InvalidParameterValue", f"Could not find parameter with name: {name}")
    method = parameter.get("ApplyMethod")
    if method not in ("immediate", "pending-reboot"):
        raise AwsError("InvalidParameterValue", f"The parameter ApplyMethod of {name} must be provided.")
    if method == "immediate" and not known[0]:
        raise AwsError("InvalidParameterCombination", "cannot use immediate apply method for static parameter")


@operation("rds", "ModifyDBParameterGroup")
def modify_parameters(call: Call) -> Params:
    held = _parameter_group(call, call.params["DBParameterGroupName"])
    given = call.params["Parameters"]
    if not 1 <= len(given) <= 20:
        raise AwsError(
            "InvalidParameterValue", f"At most 20 parameters can be modified in one call; {len(given)} were given."
        )
    for parameter in given:
        _check_parameter(held, parameter)
        if "ParameterValue" not in parameter:
            raise AwsError(
                "InvalidParameterValue", "ParameterName and ParameterValue must be given for every parameter."
            )
    for parameter in given:
        held.parameters[parameter["ParameterName"].lower()] = dict(parameter)
    if any(p["ApplyMethod"] == "pending-reboot" for p in given):
        mark_users(call, held.name)
    return {"DBParameterGroupName": held.name}


@operation("rds", "ResetDBParameterGroup")
def reset_parameters(call: Call) -> Params:
    held = _parameter_group(call, call.params["DBParameterGroupName"])
    if call.params.get("ResetAllParameters"):
        held.parameters.clear()
    else:
        given = call.params.get("Parameters") or []
        if not 1 <= len(given) <= 20:
            raise AwsError("InvalidParameterValue", f"At most 20 parameters can be reset in one call; got {len(given)}.")
        for parameter in given:
            _check_parameter(held, parameter)
        for parameter in given:
            held.parameters.pop(parameter["ParameterName"].lower(), None)
    mark_users(call, held.name)
    return {"DBParameterGroupName": held.name}


@operation("rds", "DescribeDBParameters")
def describe_parameters(call: Call) -> Params:
    held = _parameter_group(call, call.params["DBParameterGroupName"])
    source = call.params.get("Source")
    items = []
    for name, (is_dynamic, default) in sorted(_known(held.family).items()):
        mine = held.parameters.get(name)
        item = {
            "ParameterName": name,
            "Source": "user" if mine else "engine-default",
            "ApplyType": "dynamic" if is_dynamic else "static",
            "DataType": "string",
            "IsModifiable": True,
            "ApplyMethod": mine["ApplyMethod"] if mine else "pending-reboot",
        }
        value = mine["ParameterValue"] if mine else default
        if value is not None:
            item["ParameterValue"] = value
        if source in (None, item["Source"]):
            items.append(item)
    part, more = page(call, items, "MaxRecords", "Marker", 20, 100, 100)
    return {"Parameters": part} | ({"Marker": more} if more else {})


@operation("rds", "DeleteDBParameterGroup")
def delete_parameter_group(call: Call) -> Params:
    pass_windows(call)
    held = _parameter_group(call, call.params["DBParameterGroupName"])
    for database in backend(call).databases.values():
        if database.db_parameter_group_name == held.name:
            raise AwsError(
                "InvalidDBParameterGroupState",
                f"One or more database instances are still members of this parameter group {held.name}, so the group cannot be deleted",
            )
    del backend(call).db_parameter_groups[held.name]
    return {}
