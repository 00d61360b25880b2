"""The fixtures of this suite; `sandboxes.py` has them, so that other suites can take them too."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))  # this file may be loaded by its path alone

from ranchers import _rancher, rancher, rancher_factory  # noqa: E402
from sandboxes import (  # noqa: E402
    Sandbox,
    code_of,
    ec2,
    quick,
    sandbox,
    sandbox_factory,
    slow,
    slow_sandbox,
)

__all__ = [
    "Sandbox", "_rancher", "code_of", "ec2", "quick", "rancher", "rancher_factory", "sandbox", "sandbox_factory", "slow",
    "slow_sandbox",
]  # fmt: skip
