"""ElastiCache, wholly ours: moto can create and read only."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime, timezone
from typing import Any

from . import clock
from .call import Call, operation, store_of
from .errors import AwsError
from .paging import page
from .rds import has_begun
from .wire import Params

_VERSIONS = {"redis": ["5.0.6", "6.2.6", "7.0.7", "7.1.0"], "valkey": ["7.2.6", "8.0.1"], "memcached": ["1.6.12", "1.6.22"]}


def table(call: Call, name: str) -> dict[str, Params]:
    """One of our tables: clusters, replication groups, subnet groups, parameter groups, tags."""
    held: dict[str, Params] = store_of(call.account, call.region).table(f"elasticache {name}")
    return held


def _arn(call: Call, kind: str, name: str) -> str:
    return f"arn:aws:elasticache:{call.region}:{call.account}:{kind}:{name}"


def _code(call: Call) -> str:
    parts = call.region.split("-")
    return "".join(p[0] for p in parts[:2]) + parts[-1] if call.region != "us-east-1" else "use1"


def _mark(name: str) -> str:
    return hashlib.md5(name.encode()).hexdigest()[:6]


def _resolve(engine: str, wanted: str | None) -> str:
    known = _VERSIONS.get(engine)
    if known is None:
        raise AwsError("InvalidParameterValue", f"Unrecognized engine name: {engine}.")
    fitting = [v for v in known if wanted is None or v == wanted or v.startswith(wanted.rstrip(".x") + ".")]
    if not fitting:
        raise AwsError("InvalidParameterValue", f"Cannot find version {wanted} for {engine}")
    return fitting[-1]


def _numbers(version: str) -> list[int]:
    return [int(n) for n in re.findall(r"\d+", version)]


def _check_name(name: str, limit: int, what: str) -> str:
    name = name.lower()
    if not re.fullmatch(r"[a-z](-?[a-z0-9])*", name) or len(name) > limit:
        raise AwsError("InvalidParameterValue", f"The parameter {what} is not a valid identifier: {name}")
    return name


def _check_places(call: Call, params: Params) -> None:
    group = params.get("CacheSubnetGroupName")
    if group and group.lower() not in table(call, "subnet groups"):
        raise AwsError("CacheSubnetGroupNotFoundFault", f"Cache Subnet Group {group} does not exist.")
    for group_id in params.get("SecurityGroupIds") or []:
        if call.ec2.get_security_group_from_id(group_id) is None:
            raise AwsError("InvalidParameterValue", f"The security group '{group_id}' does not exist")
    parameters = params.get("CacheParameterGroupName")
    if parameters and not parameters.startswith("default.") and parameters not in table(call, "parameter groups"):
        raise AwsError("CacheParameterGroupNotFound", f"CacheParameterGroup {parameters} not found.", 404)


def _status(held: Params) -> str:
    if "deleted" in held:
        return "deleting"
    if clock.is_pending("cache", held["born"]):
        return "creating"
    begun = held.get("modified")
    if not clock.is_pending("cache", begun):
        return "available"
    # AWS calls a group available for a moment before it begins with what was to be done at once.
    lag = clock.delay_seconds * clock.SHARES["cache"] / 4
    return "available" if "lags" in held and clock.now() - begun < lag else "modifying"


def _public(held: Params) -> Params:
    private = ("born", "deleted", "modified", "waiting", "node", "lags", "pending_since", "later", "token")
    return {k: v for k, v in held.items() if k not in private}


def _remove(call: Call, name: str, key: str) -> None:
    held = table(call, name)[key]
    held["deleted"] = clock.now()
    store = store_of(call.account, call.region)

    def gone() -> None:
        table(call, name).pop(key, None)

    store.later("cache", gone)


def _family(engine: str, version: str) -> str:
    parts = version.split(".")
    return (
        f"{engine}{parts[0]}"
        if engine in ("redis", "valkey") and int(parts[0]) >= 7
        else f"{engine}{parts[0]}.{'x' if engine == 'redis' else parts[1]}"
    )


def pass_windows(call: Call) -> None:
    """What waited for a window that has passed takes effect."""
    now = clock.wall()
    for name in ("clusters", "replication groups"):
        for key, held in table(call, name).items():
            window = held.get("PreferredMaintenanceWindow")
            since = held.get("pending_since")
            if window is None or since is None or clock.is_pending("cache", held.get("modified")):
                continue
            if has_begun(window, since, now):
                _take_effect(call, name, key)


def _take_effect(call: Call, name: str, key: str) -> None:
    held = table(call, name).get(key)
    if held is None:
        return
    held.update(held.pop("later", {}))
    held["PendingModifiedValues"] = {}
    held.pop("pending_since", None)
    held.pop("lags", None)


def _wait(call: Call, name: str, key: str, later: Params, shown: Params) -> None:
    """Something waits for ApplyImmediately or the window."""
    held = table(call, name)[key]
    held["later"] = held.get("later", {}) | later
    held["PendingModifiedValues"] = held.get("PendingModifiedValues", {}) | shown
    held["pending_since"] = clock.wall()


def _hurry(call: Call, name: str, key: str) -> None:
    """What waits is made now."""
    held = table(call, name)[key]
    if "later" not in held:
        return
    held["modified"], held["lags"] = clock.now(), True
    store_of(call.account, call.region).later("cache", lambda: _take_effect(call, name, key))


# MARK: clusters


def _node_tail(call: Call, name: str, params: Params, engine: str, version: str, count: int) -> Params:
    """What clusters have in common, alone or in a replication group."""
    parameters = params.get("CacheParameterGroupName") or f"default.{_family(engine, version)}"
    return {
        "CacheClusterId": name,
        "CacheNodeType": params.get("CacheNodeType", "cache.t3.micro"),
        "Engine": engine,
        "EngineVersion": version,
        "NumCacheNodes": count,
        "PreferredAvailabilityZone": params.get("PreferredAvailabilityZone", f"{call.region}a"),
        "CacheClusterCreateTime": datetime.now(timezone.utc),
        "PreferredMaintenanceWindow": params.get("PreferredMaintenanceWindow", "sun:05:00-sun:06:00").lower(),
        "PendingModifiedValues": {},
        "CacheSecurityGroups": [],
        "SecurityGroups": [{"SecurityGroupId": g, "Status": "active"} for g in params.get("SecurityGroupIds") or []],
        "CacheParameterGroup": {
            "CacheParameterGroupName": parameters,
            "ParameterApplyStatus": "in-sync",
            "CacheNodeIdsToReboot": [],
        },
        "CacheSubnetGroupName": (params.get("CacheSubnetGroupName") or "default").lower(),
        "AutoMinorVersionUpgrade": params.get("AutoMinorVersionUpgrade", True),
        "SnapshotRetentionLimit": params.get("SnapshotRetentionLimit", 0),
        "SnapshotWindow": params.get("SnapshotWindow", "03:00-04:00"),
        "AuthTokenEnabled": bool(params.get("AuthToken")),
        "TransitEncryptionEnabled": bool(params.get("TransitEncryptionEnabled")),
        "AtRestEncryptionEnabled": bool(params.get("AtRestEncryptionEnabled")),
        "ARN": _arn(call, "cluster", name),
        "NetworkType": params.get("NetworkType", "ipv4"),
        "IpDiscovery": params.get("IpDiscovery", "ipv4"),
        "ReplicationGroupLogDeliveryEnabled": False,
        "born": clock.now(),
    } | (
        {"NotificationConfiguration": {"TopicArn": params["NotificationTopicArn"], "TopicStatus": "active"}}
        if "NotificationTopicArn" in params
        else {}
    )


def _shown_cluster(call: Call, held: Params, with_nodes: bool) -> Params:
    shown = _public(held)
    status = shown["CacheClusterStatus"] = _status(held)
    port = held.get("waiting", {}).get("port", 6379 if held["Engine"] != "memcached" else 11211)
    name = held["CacheClusterId"]
    if status != "creating":
        domain = f"{_mark(name)}.{{}}.{_code(call)}.cache.amazonaws.com"
        if held["Engine"] == "memcached":
            shown["ConfigurationEndpoint"] = {"Address": f"{name}.{domain.format('cfg')}", "Port": port}
        if with_nodes:
            shown["CacheNodes"] = [
                {
                    "CacheNodeId": f"{n:04}",
                    "CacheNodeStatus": "available",
                    "CacheNodeCreateTime": held["CacheClusterCreateTime"],
                    "Endpoint": {"Address": f"{name}.{domain.format(f'{n:04}')}", "Port": port},
                    "ParameterGroupStatus": "in-sync",
                    "CustomerAvailabilityZone": held["PreferredAvailabilityZone"],
                }
                for n in range(1, held["NumCacheNodes"] + 1)
            ]
    return shown


def _cluster(call: Call, name: str) -> Params:
    held = table(call, "clusters").get(name.lower())
    if held is None:
        raise AwsError("CacheClusterNotFound", f"CacheCluster not found: {name}", 404)
    return held


@operation("elasticache", "CreateCacheCluster")
def create_cluster(call: Call) -> Params:
    params = call.params
    name = _check_name(params["CacheClusterId"], 50, "CacheClusterId")
    if name in table(call, "clusters"):
        raise AwsError("CacheClusterAlreadyExists", "Cache cluster already exists")
    if "Engine" not in params or "CacheNodeType" not in params:
        raise AwsError("InvalidParameterCombination", "Engine and CacheNodeType must be specified")
    _check_places(call, params)
    engine = params["Engine"].lower()
    version = _resolve(engine, params.get("EngineVersion"))
    count = params.get("NumCacheNodes", 1)
    if engine != "memcached" and count != 1:
        raise AwsError("InvalidParameterValue", "Cannot create a Redis cluster with more than one node")
    held = _node_tail(call, name, params, engine, version, count)
    if "Port" in params:
        held["waiting"] = {"port": params["Port"]}
    table(call, "clusters")[name] = held
    _tag(call, held["ARN"], params.get("Tags"))
    return {"CacheCluster": _shown_cluster(call, held, with_nodes=False)}


@operation("elasticache", "DescribeCacheClusters")
def describe_clusters(call: Call) -> Params:
    pass_windows(call)
    name = call.params.get("CacheClusterId")
    held = [_cluster(call, name)] if name else list(table(call, "clusters").values())
    if call.params.get("ShowCacheClustersNotInReplicationGroups"):
        held = [c for c in held if "ReplicationGroupId" not in c]
    with_nodes = bool(call.params.get("ShowCacheNodeInfo"))
    part, more = page(call, [_shown_cluster(call, c, with_nodes) for c in held], "MaxRecords", "Marker", 20, 100, 100)
    return {"CacheClusters": part} | ({"Marker": more} if more else {})


@operation("elasticache", "ModifyCacheCluster")
def modify_cluster(call: Call) -> Params:
    params = call.params
    held = _cluster(call, params["CacheClusterId"])
    if _status(held) != "available":
        raise AwsError("InvalidCacheClusterState", f"Cluster not in available state: {_status(held)}")
    _check_places(call, params)
    now, later = _changes(held, params)
    held.update(now)
    _put_off(call, "clusters", held["CacheClusterId"], later)
    if params.get("ApplyImmediately"):
        _hurry(call, "clusters", held["CacheClusterId"])
    store_of(call.account, call.region).settle()
    return {"CacheCluster": _shown_cluster(call, held, with_nodes=False)}


def _put_off(call: Call, name: str, key: str, later: Params) -> None:
    if later:
        _wait(call, name, key, later, later)


def _changes(held: Params, params: Params) -> tuple[Params, Params]:
    """What a modification changes at once, and what waits for ApplyImmediately or the window."""
    now: Params = {}
    for member in ("PreferredMaintenanceWindow", "AutoMinorVersionUpgrade", "SnapshotRetentionLimit", "SnapshotWindow"):
        if member in params:
            now[member] = params[member].lower() if member == "PreferredMaintenanceWindow" else params[member]
    if "SecurityGroupIds" in params:
        now["SecurityGroups"] = [{"SecurityGroupId": g, "Status": "active"} for g in params["SecurityGroupIds"]]
    if "CacheParameterGroupName" in params:
        status = {"ParameterApplyStatus": "in-sync", "CacheNodeIdsToReboot": []}
        now["CacheParameterGroup"] = {"CacheParameterGroupName": params["CacheParameterGroupName"]} | status
    if "NotificationTopicArn" in params:
        now["NotificationConfiguration"] = {"TopicArn": params["NotificationTopicArn"], "TopicStatus": "active"}
    if "NotificationTopicStatus" in params and "NotificationConfiguration" in held:
        now["NotificationConfiguration"] = held["NotificationConfiguration"] | {
            "TopicStatus": params["NotificationTopicStatus"]
        }
    later: Params = {}
    if params.get("CacheNodeType", held.get("CacheNodeType")) != held.get("CacheNodeType"):
        later["CacheNodeType"] = params["CacheNodeType"]
    if "EngineVersion" in params:
        version = _resolve(params.get("Engine", held["Engine"]), params["EngineVersion"])
        if params.get("Engine", held["Engine"]) == held["Engine"] and _numbers(version) < _numbers(held["EngineVersion"]):
            raise AwsError(
                "InvalidParameterCombination",
                f"Downgrading from {held['EngineVersion']} to {version} is not allowed.",
            )
        if version != held["EngineVersion"]:
            later["EngineVersion"] = version
    if params.get("NumCacheNodes", held.get("NumCacheNodes")) != held.get("NumCacheNodes"):
        later["NumCacheNodes"] = params["NumCacheNodes"]
    return now, later


@operation("elasticache", "DeleteCacheCluster")
def delete_cluster(call: Call) -> Params:
    held = _cluster(call, call.params["CacheClusterId"])
    if _status(held) not in ("available", "creating"):
        raise AwsError(
            "InvalidCacheClusterState",
            f"{held['CacheClusterId']} is in status {_status(held)} which is not valid to be deleted",
        )
    if "ReplicationGroupId" in held:
        raise AwsError(
            "InvalidCacheClusterState",
            f"Cache cluster {held['CacheClusterId']} is serving as primary for replication group {held['ReplicationGroupId']} and cannot be deleted",
        )
    shown = _shown_cluster(call, held, with_nodes=False) | {"CacheClusterStatus": "deleting"}
    _remove(call, "clusters", held["CacheClusterId"])
    return {"CacheCluster": shown}


# MARK: replication groups


def _group(call: Call, name: str) -> Params:
    held = table(call, "replication groups").get(name.lower())
    if held is None:
        raise AwsError("ReplicationGroupNotFoundFault", f"ReplicationGroup {name} not found.", 404)
    return held


def _shown_group(call: Call, held: Params) -> Params:
    shown = _public(held)
    status = shown["Status"] = _status(held)
    for unlisted in ("Engine_", "EngineVersion", "SecurityGroups", "CacheParameterGroup", "PreferredMaintenanceWindow"):
        shown.pop(unlisted, None)
    name, node = held["ReplicationGroupId"], held["node"]
    domain = f"{_mark(name)}.{{}}{_code(call)}.cache.amazonaws.com"
    shown["MemberClusters"] = list(node["members"])
    groups = []
    shards, replicas = node["shards"], node["replicas"]
    for shard in range(1, shards + 1):
        members = node["members"][(shard - 1) * (replicas + 1) : shard * (replicas + 1)]
        group: Params = {"NodeGroupId": f"{shard:04}", "Status": "available" if status != "creating" else "creating"}
        listed = []
        for index, member in enumerate(members):
            entry: Params = {
                "CacheClusterId": member,
                "CacheNodeId": "0001",
                "PreferredAvailabilityZone": f"{call.region}{'abc'[index % 3]}",
            }
            if shards == 1 and not node["cluster_mode"]:
                entry["CurrentRole"] = "primary" if index == 0 else "replica"
                entry["ReadEndpoint"] = {"Address": f"{member}.{domain.format('0001.')}", "Port": node["port"]}
            listed.append(entry)
        group["NodeGroupMembers"] = listed
        if status != "creating" and not node["cluster_mode"]:
            prefix = "master." if held["TransitEncryptionEnabled"] else ""
            tail = domain.format("" if prefix else "ng.0001.")
            group["PrimaryEndpoint"] = {"Address": f"{prefix}{name}.{tail}", "Port": node["port"]}
            group["ReaderEndpoint"] = {
                "Address": f"{'replica.' if prefix else ''}{name}{'' if prefix else '-ro'}.{tail}",
                "Port": node["port"],
            }
        groups.append(group)
    shown["NodeGroups"] = groups
    if node["cluster_mode"] and status != "creating":
        shown["ConfigurationEndpoint"] = {"Address": f"clustercfg.{name}.{domain.format('')}", "Port": node["port"]}
    return shown


def _check_token(token: str, has_transit: bool) -> None:
    if not has_transit:
        raise AwsError("InvalidParameterCombination", "Auth token is only supported with transit encryption")
    if not 16 <= len(token) <= 128 or re.search(r'[/"@%]', token) or not token.isascii():
        raise AwsError("InvalidParameterValue", "Invalid AuthToken provided.")


def _logs(present: list[Params], wanted: list[Params]) -> list[Params]:
    held = {log["LogType"]: log for log in present}
    for log in wanted:
        if log.get("Enabled", True):
            held[log["LogType"]] = {k: v for k, v in log.items() if k != "Enabled"} | {"Status": "active"}
        else:
            held.pop(log["LogType"], None)
    return [held[k] for k in sorted(held)]


@operation("elasticache", "CreateReplicationGroup")
def create_group(call: Call) -> Params:
    params = call.params
    name = _check_name(params["ReplicationGroupId"], 40, "ReplicationGroupId")
    if name in table(call, "replication groups"):
        raise AwsError("ReplicationGroupAlreadyExists", f"Replication group {name} already exists")
    _check_places(call, params)
    engine = params.get("Engine", "redis").lower()
    version = _resolve(engine, params.get("EngineVersion"))
    shards = params.get("NumNodeGroups", 1)
    replicas = params.get("ReplicasPerNodeGroup", max(0, params.get("NumCacheClusters", 1) - 1))
    failover = bool(params.get("AutomaticFailoverEnabled"))
    if failover and replicas < 1 and "NumNodeGroups" not in params:
        raise AwsError(
            "InvalidParameterCombination",
            "Replication group must have at least one read replica to enable autofailover",
        )
    if params.get("MultiAZEnabled") and not failover:
        raise AwsError("InvalidParameterCombination", "Must enable automatic failover to use Multi-AZ")
    if params.get("AuthToken"):
        _check_token(params["AuthToken"], bool(params.get("TransitEncryptionEnabled")))
    if params.get("SnapshotName") and params["SnapshotName"] not in table(call, "snapshots"):
        raise AwsError("SnapshotNotFoundFault", f"Snapshot {params['SnapshotName']} not found.", 404)
    if "NumCacheClusters" in params and ("NumNodeGroups" in params or "ReplicasPerNodeGroup" in params):
        raise AwsError(
            "InvalidParameterCombination",
            "NumCacheClusters cannot be given with NumNodeGroups or ReplicasPerNodeGroup.",
        )
    is_cluster = (
        shards > 1
        or params.get("ClusterMode") == "enabled"
        or ".cluster.on" in params.get("CacheParameterGroupName", "")
    )
    members = []
    for shard in range(1, shards + 1):
        for replica in range(1, replicas + 2):
            members.append(f"{name}-{shard:04}-{replica:03}" if is_cluster else f"{name}-{replica:03}")
    tail = _node_tail(call, name, params, engine, version, 1)
    held: Params = {
        "ReplicationGroupId": name,
        "Description": params["ReplicationGroupDescription"],
        "GlobalReplicationGroupInfo": {},
        "PendingModifiedValues": {},
        "AutomaticFailover": "enabled" if failover else "disabled",
        "MultiAZ": "enabled" if params.get("MultiAZEnabled") else "disabled",
        "SnapshotRetentionLimit": tail["SnapshotRetentionLimit"],
        "SnapshotWindow": tail["SnapshotWindow"],
        "ClusterEnabled": is_cluster,
        "CacheNodeType": tail["CacheNodeType"],
        "AuthTokenEnabled": tail["AuthTokenEnabled"],
        "TransitEncryptionEnabled": tail["TransitEncryptionEnabled"],
        "AtRestEncryptionEnabled": tail["AtRestEncryptionEnabled"],
        "ARN": _arn(call, "replicationgroup", name),
        "ReplicationGroupCreateTime": datetime.now(timezone.utc),
        "AutoMinorVersionUpgrade": tail["AutoMinorVersionUpgrade"],
        "NetworkType": tail["NetworkType"],
        "IpDiscovery": tail["IpDiscovery"],
        "ClusterMode": "enabled" if is_cluster else "disabled",
        "Engine": engine,
        "EngineVersion": version,
        "DataTiering": "disabled",
        "born": clock.now(),
        "node": {
            "shards": shards,
            "replicas": replicas,
            "members": members,
            "cluster_mode": is_cluster,
            "port": params.get("Port", 6379),
        },
    }
    if tail["TransitEncryptionEnabled"]:
        held["TransitEncryptionMode"] = params.get("TransitEncryptionMode", "required")
    if params.get("KmsKeyId"):
        held["KmsKeyId"] = params["KmsKeyId"]
    if params.get("UserGroupIds"):
        held["UserGroupIds"] = list(params["UserGroupIds"])
    held["LogDeliveryConfigurations"] = _logs([], params.get("LogDeliveryConfigurations") or [])
    held["token"] = params.get("AuthToken")
    held["PreferredMaintenanceWindow"] = tail["PreferredMaintenanceWindow"]
    table(call, "replication groups")[name] = held
    for member in members:
        extra = {"ReplicationGroupId": name, "waiting": {"port": held["node"]["port"]}}
        table(call, "clusters")[member] = _node_tail(call, member, params, engine, version, 1) | extra
    _tag(call, held["ARN"], params.get("Tags"))
    return {"ReplicationGroup": _shown_group(call, held)}


@operation("elasticache", "DescribeReplicationGroups")
def describe_groups(call: Call) -> Params:
    pass_windows(call)
    name = call.params.get("ReplicationGroupId")
    held = [_group(call, name)] if name else list(table(call, "replication groups").values())
    part, more = page(call, [_shown_group(call, g) for g in held], "MaxRecords", "Marker", 20, 100, 100)
    return {"ReplicationGroups": part} | ({"Marker": more} if more else {})


def _available_group(call: Call) -> Params:
    held = _group(call, call.params["ReplicationGroupId"])
    if _status(held) != "available":
        raise AwsError(
            "InvalidReplicationGroupState",
            f"Replication group {held['ReplicationGroupId']} status {_status(held)} is not valid for this operation",
        )
    return held


@operation("elasticache", "ModifyReplicationGroup")
def modify_group(call: Call) -> Params:
    pass_windows(call)
    params = call.params
    held = _available_group(call)
    name = held["ReplicationGroupId"]
    _check_places(call, params)
    failover = params.get("AutomaticFailoverEnabled")
    if failover and held["node"]["replicas"] < 1:
        raise AwsError(
            "InvalidParameterCombination",
            "Replication group must have at least one read replica to enable autofailover",
        )
    has_failover = failover if failover is not None else held["AutomaticFailover"] == "enabled"
    if params.get("MultiAZEnabled", held["MultiAZ"] == "enabled") and not has_failover:
        raise AwsError("InvalidParameterCombination", "Must enable automatic failover to use Multi-AZ")
    if held["ClusterEnabled"] and failover is False:
        raise AwsError("InvalidParameterCombination", "Cluster mode enabled needs automatic failover")
    if params.get("Engine", held["Engine"]) not in (held["Engine"], "valkey"):
        raise AwsError("InvalidParameterCombination", f"Cannot change the engine from {held['Engine']}.")
    _change_token(held, params)
    if "ReplicationGroupDescription" in params:
        held["Description"] = params["ReplicationGroupDescription"]
    if "MultiAZEnabled" in params:
        held["MultiAZ"] = "enabled" if params["MultiAZEnabled"] else "disabled"
    if "IpDiscovery" in params:
        held["IpDiscovery"] = params["IpDiscovery"]
    users = set(held.get("UserGroupIds", [])) | set(params.get("UserGroupIdsToAdd") or [])
    users -= set(params.get("UserGroupIdsToRemove") or [])
    held["UserGroupIds"] = [] if params.get("RemoveUserGroups") else sorted(users)
    held["LogDeliveryConfigurations"] = _logs(
        held.get("LogDeliveryConfigurations", []), params.get("LogDeliveryConfigurations") or []
    )
    _put_off_group(call, held, params)
    _take_back(held, params)
    members = held["node"]["members"]
    clusters = table(call, "clusters")
    now, waits = _changes(clusters[members[0]], params)
    if params.get("Engine", held["Engine"]) != held["Engine"]:
        waits |= {"Engine": params["Engine"]}
    kept = ("AutoMinorVersionUpgrade", "SnapshotRetentionLimit", "SnapshotWindow", "PreferredMaintenanceWindow")
    held.update({k: v for k, v in now.items() if k in kept})
    for member in members:
        clusters[member].update(now)
        _take_back(clusters[member], params)
        if waits:
            _wait(call, "clusters", member, waits, {k: v for k, v in waits.items() if k != "Engine"})
    if waits:
        _wait(call, "replication groups", name, {k: v for k, v in waits.items() if k != "NumCacheNodes"}, {})
    if params.get("ApplyImmediately"):
        _hurry(call, "replication groups", name)
        for member in members:
            _hurry(call, "clusters", member)
    shown = _shown_group(call, held)
    store_of(call.account, call.region).settle()
    return {"ReplicationGroup": shown}


def _take_back(held: Params, params: Params) -> None:
    """What is asked to be as it is waits no longer."""
    for member in ("CacheNodeType", "EngineVersion"):
        if params.get(member) == held.get(member):
            held.get("later", {}).pop(member, None)
            held["PendingModifiedValues"] = {k: v for k, v in held["PendingModifiedValues"].items() if k != member}


def _change_token(held: Params, params: Params) -> None:
    strategy = params.get("AuthTokenUpdateStrategy")
    if "AuthToken" not in params and strategy is None:
        return
    if not params.get("ApplyImmediately"):
        raise AwsError(
            "InvalidParameterCombination", "Modifications to the auth token must be applied with ApplyImmediately."
        )
    _check_token(params.get("AuthToken", ""), held["TransitEncryptionEnabled"])
    if strategy == "SET" and not held["AuthTokenEnabled"]:
        raise AwsError("InvalidParameterCombination", "SET is allowed only after ROTATE.")
    held["token"], held["AuthTokenEnabled"] = params.get("AuthToken"), strategy != "DELETE"
    held["modified"] = clock.now()


def _put_off_group(call: Call, held: Params, params: Params) -> None:
    name = held["ReplicationGroupId"]
    failover = params.get("AutomaticFailoverEnabled")
    if failover is not None and failover != (held["AutomaticFailover"] == "enabled"):
        word = "enabled" if failover else "disabled"
        _wait(call, "replication groups", name, {"AutomaticFailover": word}, {"AutomaticFailoverStatus": word})
    for member in ("TransitEncryptionEnabled", "TransitEncryptionMode", "ClusterMode"):
        if member in params and params[member] != held.get(member):
            _wait(call, "replication groups", name, {member: params[member]}, {member: params[member]})


def _must_be_immediate(call: Call) -> None:
    if not call.params.get("ApplyImmediately"):
        raise AwsError("InvalidParameterValue", "ApplyImmediately must be true for this operation.")


def _set_nodes(call: Call, held: Params, shards: int, replicas: int) -> Params:
    """Makes and removes nodes, so that there are so many."""
    node, name = held["node"], held["ReplicationGroupId"]
    template = table(call, "clusters")[node["members"][0]]
    fresh = [
        (f"{name}-{shard:04}-{replica:03}" if node["cluster_mode"] else f"{name}-{replica:03}")
        for shard in range(1, shards + 1)
        for replica in range(1, replicas + 2)
    ]
    for member in fresh:
        if member not in table(call, "clusters"):
            table(call, "clusters")[member] = dict(template) | {
                "CacheClusterId": member,
                "ARN": _arn(call, "cluster", member),
                "born": clock.now(),
            }
    for member in set(node["members"]) - set(fresh):
        _remove(call, "clusters", member)
    node["members"], node["shards"], node["replicas"] = fresh, shards, replicas
    held["modified"] = clock.now()
    _hurry(call, "replication groups", name)
    held.pop("lags", None)
    store_of(call.account, call.region).settle()
    return {"ReplicationGroup": _shown_group(call, held)}


@operation("elasticache", "IncreaseReplicaCount", "DecreaseReplicaCount")
def replica_count(call: Call) -> Params:
    pass_windows(call)
    held = _available_group(call)
    _must_be_immediate(call)
    node = held["node"]
    wanted = call.params.get("NewReplicaCount")
    if wanted is None:
        raise AwsError("InvalidParameterCombination", "NewReplicaCount must be given")
    grows = call.operation.startswith("Increase")
    if (wanted <= node["replicas"]) if grows else (wanted >= node["replicas"]):
        raise AwsError(
            "InvalidParameterValue",
            f"The new replica count {wanted} must be {'greater' if grows else 'less'} than the current one, {node['replicas']}",
        )
    if wanted < 1 and held["AutomaticFailover"] == "enabled":
        raise AwsError(
            "InvalidParameterCombination", "Automatic failover needs at least one replica; disable it first."
        )
    return _set_nodes(call, held, node["shards"], wanted)


@operation("elasticache", "ModifyReplicationGroupShardConfiguration")
def shard_count(call: Call) -> Params:
    pass_windows(call)
    held = _available_group(call)
    _must_be_immediate(call)
    node = held["node"]
    if not node["cluster_mode"]:
        raise AwsError("InvalidParameterValue", "The replication group is not cluster mode enabled.")
    wanted = call.params["NodeGroupCount"]
    removed = call.params.get("NodeGroupsToRemove") or []
    if wanted < node["shards"] and not removed and not call.params.get("NodeGroupsToRetain"):
        raise AwsError("InvalidParameterValue", "Say which node groups to remove or to retain.")
    if removed and len(removed) != node["shards"] - wanted:
        raise AwsError("InvalidParameterValue", "NodeGroupsToRemove does not fit NodeGroupCount.")
    return _set_nodes(call, held, wanted, node["replicas"])


@operation("elasticache", "DeleteReplicationGroup")
def delete_group(call: Call) -> Params:
    held = _group(call, call.params["ReplicationGroupId"])
    if _status(held) == "deleting":
        raise AwsError(
            "InvalidReplicationGroupState",
            f"Replication group {held['ReplicationGroupId']} has status deleting which is not valid for deletion",
        )
    final = call.params.get("FinalSnapshotIdentifier")
    if final and _status(held) != "available":
        raise AwsError(
            "InvalidReplicationGroupState",
            f"Replication group {held['ReplicationGroupId']} must be available to be snapshotted.",
        )
    if final:
        if final in table(call, "snapshots"):
            raise AwsError("SnapshotAlreadyExistsFault", f"Snapshot {final} already exists.")
        table(call, "snapshots")[final] = {
            "SnapshotName": final,
            "ReplicationGroupId": held["ReplicationGroupId"],
            "SnapshotStatus": "available",
            "SnapshotSource": "manual",
            "Engine": held["Engine"],
            "EngineVersion": held["EngineVersion"],
            "CacheNodeType": held["CacheNodeType"],
            "ARN": _arn(call, "snapshot", final),
        }
    kept = held["node"]["members"][0] if call.params.get("RetainPrimaryCluster") else None
    shown = _shown_group(call, held) | {"Status": "deleting"}
    for member in held["node"]["members"]:
        if member == kept:
            table(call, "clusters")[member].pop("ReplicationGroupId", None)
        else:
            _remove(call, "clusters", member)
    _remove(call, "replication groups", held["ReplicationGroupId"])
    return {"ReplicationGroup": shown}


@operation("elasticache", "DescribeSnapshots")
def describe_snapshots(call: Call) -> Params:
    name = call.params.get("SnapshotName")
    held = [s for k, s in table(call, "snapshots").items() if name in (None, k)]
    if name and not held:
        raise AwsError("SnapshotNotFoundFault", f"Snapshot {name} not found.", 404)
    part, more = page(call, held, "MaxRecords", "Marker", 20, 50, 50)
    return {"Snapshots": part} | ({"Marker": more} if more else {})


# MARK: subnet groups


def _subnet_group(call: Call, name: str) -> Params:
    held = table(call, "subnet groups").get(name.lower())
    if held is None:
        raise AwsError("CacheSubnetGroupNotFoundFault", f"Cache Subnet Group {name} does not exist.")
    return held


def _subnets(call: Call, wanted: list[str]) -> tuple[str, list[Params]]:
    from .ec2 import subnets

    held = []
    for subnet_id in wanted:
        try:
            held.append(subnets.get(call, subnet_id))
        except AwsError as error:
            raise AwsError("InvalidSubnet", f"The requested subnet {subnet_id} is invalid.") from error
    if len({s.vpc_id for s in held}) != 1:
        raise AwsError("InvalidSubnet", "The subnets must be in one VPC.")
    shown = [
        {
            "SubnetIdentifier": s.id,
            "SubnetAvailabilityZone": {"Name": s.availability_zone},
            "SupportedNetworkTypes": ["ipv4"],
        }
        for s in held
    ]
    return held[0].vpc_id, shown


@operation("elasticache", "CreateCacheSubnetGroup")
def create_subnet_group(call: Call) -> Params:
    name = call.params["CacheSubnetGroupName"].lower()
    if name in table(call, "subnet groups"):
        raise AwsError("CacheSubnetGroupAlreadyExists", f"Cache subnet group {name} already exists")
    vpc_id, shown = _subnets(call, call.params["SubnetIds"])
    held = {
        "CacheSubnetGroupName": name,
        "CacheSubnetGroupDescription": call.params["CacheSubnetGroupDescription"],
        "VpcId": vpc_id,
        "Subnets": shown,
        "ARN": _arn(call, "subnetgroup", name),
        "SupportedNetworkTypes": ["ipv4"],
    }
    table(call, "subnet groups")[name] = held
    _tag(call, held["ARN"], call.params.get("Tags"))
    return {"CacheSubnetGroup": held}


@operation("elasticache", "ModifyCacheSubnetGroup")
def modify_subnet_group(call: Call) -> Params:
    held = _subnet_group(call, call.params["CacheSubnetGroupName"])
    if "CacheSubnetGroupDescription" in call.params:
        held["CacheSubnetGroupDescription"] = call.params["CacheSubnetGroupDescription"]
    if "SubnetIds" in call.params:
        held["VpcId"], held["Subnets"] = _subnets(call, call.params["SubnetIds"])
    return {"CacheSubnetGroup": held}


@operation("elasticache", "DescribeCacheSubnetGroups")
def describe_subnet_groups(call: Call) -> Params:
    name = call.params.get("CacheSubnetGroupName")
    held = [_subnet_group(call, name)] if name else list(table(call, "subnet groups").values())
    part, more = page(call, held, "MaxRecords", "Marker", 20, 100, 100)
    return {"CacheSubnetGroups": part} | ({"Marker": more} if more else {})


@operation("elasticache", "DeleteCacheSubnetGroup")
def delete_subnet_group(call: Call) -> Params:
    held = _subnet_group(call, call.params["CacheSubnetGroupName"])
    name = held["CacheSubnetGroupName"]
    if any(c["CacheSubnetGroupName"] == name for c in table(call, "clusters").values()):
        raise AwsError("CacheSubnetGroupInUse", f"Cache subnet group {name} is currently in use by a cache cluster.")
    del table(call, "subnet groups")[name]
    return {}


# MARK: parameter groups


@operation("elasticache", "CreateCacheParameterGroup")
def create_parameter_group(call: Call) -> Params:
    name = call.params["CacheParameterGroupName"]
    if name in table(call, "parameter groups"):
        raise AwsError("CacheParameterGroupAlreadyExists", f"Cache parameter group {name} already exists")
    held = {
        "CacheParameterGroupName": name,
        "CacheParameterGroupFamily": call.params["CacheParameterGroupFamily"],
        "Description": call.params["Description"],
        "IsGlobal": False,
        "ARN": _arn(call, "parametergroup", name),
        "node": {},
    }
    table(call, "parameter groups")[name] = held
    _tag(call, str(held["ARN"]), call.params.get("Tags"))
    return {"CacheParameterGroup": _public(held)}


def _parameter_group(call: Call, name: str) -> Params:
    held = table(call, "parameter groups").get(name)
    if held is None:
        raise AwsError("CacheParameterGroupNotFound", f"CacheParameterGroup {name} not found.", 404)
    return held


@operation("elasticache", "DescribeCacheParameterGroups")
def describe_parameter_groups(call: Call) -> Params:
    name = call.params.get("CacheParameterGroupName")
    held = [_parameter_group(call, name)] if name else list(table(call, "parameter groups").values())
    part, more = page(call, [_public(g) for g in held], "MaxRecords", "Marker", 20, 100, 100)
    return {"CacheParameterGroups": part} | ({"Marker": more} if more else {})


@operation("elasticache", "ModifyCacheParameterGroup")
def modify_parameters(call: Call) -> Params:
    held = _parameter_group(call, call.params["CacheParameterGroupName"])
    given = call.params["ParameterNameValues"]
    if len(given) > 20:
        raise AwsError("InvalidParameterValue", "At most 20 parameters can be modified in one call.")
    held["node"].update({p["ParameterName"]: p.get("ParameterValue") for p in given})
    return {"CacheParameterGroupName": held["CacheParameterGroupName"]}


@operation("elasticache", "DescribeCacheParameters")
def describe_parameters(call: Call) -> Params:
    held = _parameter_group(call, call.params["CacheParameterGroupName"])
    items = [
        {"ParameterName": k, "ParameterValue": v, "Source": "user", "IsModifiable": True}
        for k, v in held["node"].items()
    ]
    part, more = page(call, items, "MaxRecords", "Marker", 20, 100, 100)
    return {"Parameters": part} | ({"Marker": more} if more else {})


@operation("elasticache", "ResetCacheParameterGroup")
def reset_parameters(call: Call) -> Params:
    held = _parameter_group(call, call.params["CacheParameterGroupName"])
    if call.params.get("ResetAllParameters"):
        held["node"].clear()
    for parameter in call.params.get("ParameterNameValues") or []:
        held["node"].pop(parameter["ParameterName"], None)
    return {"CacheParameterGroupName": held["CacheParameterGroupName"]}


@operation("elasticache", "DeleteCacheParameterGroup")
def delete_parameter_group(call: Call) -> Params:
    held = _parameter_group(call, call.params["CacheParameterGroupName"])
    name = held["CacheParameterGroupName"]
    if any(c["CacheParameterGroup"]["CacheParameterGroupName"] == name for c in table(call, "clusters").values()):
        raise AwsError(
            "InvalidCacheParameterGroupState",
            f"One or more cache clusters are still members of this parameter group {name}, so the group cannot be deleted.",
        )
    del table(call, "parameter groups")[name]
    return {}


# MARK: tags


def _tag(call: Call, arn: str, tags: list[Params] | None) -> None:
    table(call, "tags")[arn] = {t["Key"]: t.get("Value", "") for t in tags or []}


def _tags_of(call: Call) -> Params:
    arn = call.params["ResourceName"]
    kind, name = (arn.split(":") + ["", ""])[5:7]
    tables = {
        "cluster": "clusters",
        "replicationgroup": "replication groups",
        "subnetgroup": "subnet groups",
        "parametergroup": "parameter groups",
    }
    codes = {
        "cluster": "CacheClusterNotFound",
        "replicationgroup": "ReplicationGroupNotFoundFault",
        "subnetgroup": "CacheSubnetGroupNotFoundFault",
        "parametergroup": "CacheParameterGroupNotFound",
    }
    if kind not in tables:
        raise AwsError("InvalidARN", f"ARN {arn} is not valid.")
    if name not in table(call, tables[kind]):
        raise AwsError(codes[kind], f"{name} is either not present or not available.", 404)
    return table(call, "tags").setdefault(arn, {})


def _listed(tags: Params) -> Params:
    return {"TagList": [{"Key": k, "Value": v} for k, v in sorted(tags.items())]}


@operation("elasticache", "ListTagsForResource")
def list_tags(call: Call) -> Params:
    return _listed(_tags_of(call))


@operation("elasticache", "AddTagsToResource")
def add_tags(call: Call) -> Params:
    tags = _tags_of(call)
    tags.update({t["Key"]: t.get("Value", "") for t in call.params["Tags"]})
    return _listed(tags)


@operation("elasticache", "RemoveTagsFromResource")
def remove_tags(call: Call) -> Params:
    tags = _tags_of(call)
    for key in call.params["TagKeys"]:
        tags.pop(key, None)
    return _listed(tags)


def users_of(call: Call) -> list[tuple[str, list[str], list[str]]]:
    """Clusters with their security groups and subnets."""
    groups = table(call, "subnet groups")
    out: list[tuple[str, list[str], list[str]]] = []
    for name, cluster in table(call, "clusters").items():
        subnets: list[Any] = groups.get(cluster["CacheSubnetGroupName"], {}).get("Subnets", [])
        out.append(
            (name, [g["SecurityGroupId"] for g in cluster["SecurityGroups"]], [s["SubnetIdentifier"] for s in subnets])
        )
    return out
