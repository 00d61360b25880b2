"""Killed (SIGKILL) at a boundary of a call, or at any instant: the next run converges, and nothing was lost or doubled."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from crashes import BOUNDARIES, KINDS, Lab
from machine import Platter

SEED = int(os.environ.get("MUSTER_SEED", "1"))


@pytest.fixture(scope="module")
def lab(start_sandbox: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    made = Lab(start_sandbox(MUSTER_SANDBOX_DELAY="0"), tmp_path_factory.mktemp("crashes"))
    made.measure()
    yield made
    made.close()


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("kind", KINDS)
def test_killed_at_a_boundary(lab: Lab, kind: str, boundary: str) -> None:
    case = lab.draw(kind, boundary, random.Random(f"{SEED}/{kind}/{boundary}"))
    print(f"MUSTER_SEED={SEED}: {case}")
    assert lab.run(case) == "killed"


@pytest.fixture(scope="module")
def power_lab(start_sandbox: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    if not Platter.is_possible():
        pytest.skip("mounting an image wants root, a loop device and mkfs.ext4")
    made = Lab(start_sandbox(MUSTER_SANDBOX_DELAY="0"), tmp_path_factory.mktemp("power"), cuts_power=True)
    made.measure()
    yield made
    made.close()


@pytest.mark.parametrize("boundary", ["before the send", "after the effect", "after the reply", ""])
@pytest.mark.parametrize("kind", KINDS)
def test_the_power_is_cut(power_lab: Lab, kind: str, boundary: str) -> None:
    """What was written and not synced is lost too."""
    case = power_lab.draw(kind, boundary, random.Random(f"{SEED}/power/{kind}/{boundary}"))
    print(f"MUSTER_SEED={SEED}: {case}")
    power_lab.run(case)


@pytest.mark.parametrize("number", range(20))
def test_killed_at_an_instant(lab: Lab, number: int) -> None:
    kind = ("create", "replace", "destroy")[number % 3]
    case = lab.draw(kind, "", random.Random(f"{SEED}/{number}"))
    print(f"MUSTER_SEED={SEED}: {case}")
    lab.run(case)
