"""Caches: made, changed in their window and at once, resized, and left with a last snapshot where one is named."""

from __future__ import annotations

from typing import Any

import pytest
from harness import Cloud, Muster
from test_databases import BASE, LOOKUP, window

TOKEN = "a-token-of-many-letters"
NEXT_TOKEN = "another-token-of-many-letters"

CACHE = """
variables: { token: { type: string, secret: env:TOKEN } }
elasticache:
  queue:
    engine: redis
    engine_version: "7.0"
    node_type: cache.t3.micro
    num_cache_clusters: 2
    automatic_failover_enabled: true
    auth_token: ${var.token}
    subnets: [a, b]
    security_groups: [db]
    maintenance_window: WINDOW
    snapshot_retention_limit: 3
    dns: queue.tastycidr.net
"""


@pytest.fixture
def cache(muster: Muster) -> Muster:
    """A workspace with one cache, not yet applied."""
    muster.extra["TOKEN"] = TOKEN
    return muster.write(data=CACHE.replace("WINDOW", window()) + BASE + LOOKUP)


def shown(cloud: Cloud) -> dict[str, Any]:
    (found,) = cloud.client("elasticache").describe_replication_groups()["ReplicationGroups"]
    return dict(found)


def test_a_cache_lives_and_leaves_nothing(cache: Muster, cloud: Cloud) -> None:
    cache.plan().exits(2).says_not(TOKEN)
    cache.apply().exits(0).says_not(TOKEN)
    one = shown(cloud)
    assert (one["ReplicationGroupId"], one["CacheNodeType"], len(one["MemberClusters"])) == (
        "queue", "cache.t3.micro", 2
    )  # fmt: skip
    assert one["AtRestEncryptionEnabled"] and one["TransitEncryptionEnabled"] and one["AuthTokenEnabled"]
    nodes = cloud.client("elasticache").describe_cache_clusters()["CacheClusters"]
    assert {n["CacheSubnetGroupName"] for n in nodes} == {"queue"}
    (record,) = cloud.records()
    assert record["ResourceRecords"] == [{"Value": one["NodeGroups"][0]["PrimaryEndpoint"]["Address"]}]
    cache.plan().exits(0).says("No changes.")
    cache.drift().exits(0)
    cache.run("plan", "--destroy").exits(0).says("data-loss", "No final snapshot is made.")
    cache.run("destroy", "--auto-approve", "--allow", "irreversible,downtime").exits(3)
    cache.destroy().exits(0)
    assert cloud.count() == {}
    assert cloud.client("elasticache").describe_replication_groups()["ReplicationGroups"] == []
    assert cloud.client("elasticache").describe_cache_subnet_groups()["CacheSubnetGroups"] == []


def test_a_change_waits_for_the_window(cache: Muster, cloud: Cloud, sandbox: Any) -> None:
    cache.apply().exits(0)
    cache.edit("data", "cache.t3.micro", "cache.m5.large")
    cache.plan().exits(2).says(f"node_type takes effect, and may interrupt it, in the maintenance window {window()}")
    cache.apply().exits(0)
    assert shown(cloud)["CacheNodeType"] == "cache.t3.micro"
    cache.plan().exits(0).says("No changes.")
    cache.drift().exits(0)
    # Wanted at once it is a change again, and one that interrupts.
    cache.edit("data", "engine: redis", "engine: redis\n    apply_immediately: true")
    cache.plan().exits(2).says("node_type", "downtime")
    cache.apply("--allow", "downtime").exits(0)
    assert shown(cloud)["CacheNodeType"] == "cache.m5.large"
    cache.plan().exits(0)
    cache.edit("data", "apply_immediately: true", "apply_immediately: false").edit("data", '"7.0"', '"7.1"')
    cache.apply().exits(0)
    sandbox.advance(4 * 86_400)
    nodes = cloud.client("elasticache").describe_cache_clusters()["CacheClusters"]
    assert {n["EngineVersion"] for n in nodes} == {"7.1.0"}
    cache.plan().exits(0)
    cache.drift().exits(0)


def test_nodes_and_tokens_change_at_once(cache: Muster, cloud: Cloud) -> None:
    cache.apply().exits(0)
    cache.edit("data", "num_cache_clusters: 2", "num_cache_clusters: 3")
    cache.plan().exits(2).says("num_cache_clusters: AWS makes this at once")
    runs = [cache.apply().exits(0)]
    assert len(shown(cloud)["MemberClusters"]) == 3
    runs.append(cache.plan(TOKEN=NEXT_TOKEN).exits(2).says("auth_token"))
    runs.append(cache.apply(TOKEN=NEXT_TOKEN).exits(0))
    cache.plan(TOKEN=NEXT_TOKEN).exits(0)
    for run in runs:
        run.says_not(TOKEN, NEXT_TOKEN)
    for path in cache.folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert TOKEN.encode() not in content and NEXT_TOKEN.encode() not in content, path


def test_several_calls_of_one_change(cache: Muster, cloud: Cloud) -> None:
    cache.edit("data", "engine: redis", "engine: redis\n    apply_immediately: true").apply().exits(0)
    cache.edit("data", "num_cache_clusters: 2", "num_cache_clusters: 1")
    cache.edit("data", "automatic_failover_enabled: true", "automatic_failover_enabled: false")
    cloud.sandbox.reset_log()
    cache.apply("--allow", "downtime").exits(0)
    done = [e["operation"] for e in cloud.requests() if e["status"] == 200]
    assert [c for c in done if "Replica" in c and not c.startswith("Describe")] == [
        "ModifyReplicationGroup", "DecreaseReplicaCount"
    ]  # fmt: skip
    assert len(shown(cloud)["MemberClusters"]) == 1
    cache.plan().exits(0)


def test_a_named_snapshot_stays(cache: Muster, cloud: Cloud) -> None:
    cache.edit("data", "engine: redis", "engine: redis\n    final_snapshot_identifier: the-end")
    cache.apply().exits(0)
    cache.destroy().exits(0).says("Its final snapshot is the-end.")
    (left,) = cloud.client("elasticache").describe_snapshots()["Snapshots"]
    assert (left["SnapshotName"], left["ReplicationGroupId"]) == ("the-end", "queue")
