"""Throttles, errors, resets and lost replies all the time: an apply ends well, and nothing is there twice."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from crashes import ALLOW, Foreign
from harness import Cloud, Muster
from proxy import Proxy, Weather
from ranchers import Rancher
from specs import IDENTITY, NETWORK, NETWORK_COUNT, PAIR

SEED = int(os.environ.get("MUSTER_SEED", "1"))
COUNT = NETWORK_COUNT | {
    "security groups": 2, "security group rules": 3, "roles": 1, "role policies": 1, "attachments": 1, "profiles": 1,
    "key pairs": 1, "records": 1,
}  # fmt: skip


def storm(seed: int) -> Weather:
    return Weather(seed, throttle=0.20, error=0.05, reset=0.02, lost=0.02)


@pytest.fixture
def proxy(sandbox: object, muster: Muster) -> Iterator[Proxy]:
    """A proxy that muster talks through."""
    with Proxy(muster.endpoint) as made:
        muster.endpoint = made.endpoint
        yield made


@pytest.mark.parametrize("seed", [SEED])
def test_a_life_in_bad_weather(muster: Muster, cloud: Cloud, proxy: Proxy, seed: int) -> None:
    foreign = Foreign(cloud)
    muster.write(net=NETWORK + PAIR, base=IDENTITY.replace("ZONE", cloud.zone_id()))
    proxy.weather = storm(seed)
    muster.apply().exits(0)
    assert cloud.count() - foreign.count == COUNT
    muster.plan().exits(0)
    muster.edit("net", "description: behind", "description: far behind")
    muster.apply(*ALLOW).exits(0)
    assert cloud.count() - foreign.count == COUNT
    muster.destroy().exits(0)
    assert cloud.count() == foreign.count
    assert foreign.changes() == []
    print(f"seed {seed}: {proxy.weather.told} of {len(proxy.calls)} calls")
    assert {"throttle", "error", "reset", "lost"} <= set(proxy.weather.told)


def test_the_reference_workspace_in_bad_weather(muster: Muster, cloud: Cloud, proxy: Proxy, rancher: Rancher) -> None:
    muster.reference(rancher)
    muster.apply().exits(0)
    calm = cloud.count()
    muster.destroy("--allow", "public-exposure").exits(0)
    assert cloud.count() == {}
    proxy.weather = storm(SEED)
    run = muster.apply().exits(0)
    assert cloud.count() == calm, run
    muster.plan().exits(0)
    muster.destroy("--allow", "public-exposure").exits(0)
    assert cloud.count() == {}
    print(f"seed {SEED}: {proxy.weather.told} of {len(proxy.calls)} calls")
