"""The fixtures of this suite; `sandboxes.py` has them, so that other suites can take them too."""

from sandboxes import ec2, quick, sandbox, sandbox_factory, slow, slow_sandbox

__all__ = ["ec2", "quick", "sandbox", "sandbox_factory", "slow", "slow_sandbox"]
