"""What runs on the instances of the emulator is not run here: `sandbox/machines` does it, and asks what there is."""

from __future__ import annotations

from typing import Any

from . import clock
from .call import Call, store_of

# An instance whose machine says its goodbyes is shutting down so long, at most.
GOODBYE_SECONDS = 20.0


def is_held(account: str, region: str, identifier: str) -> bool:
    """Whether an instance that was told to go still runs what runs at shutdown."""
    notes = store_of(account, region).extra.get(identifier, {})
    if not notes.get("has_goodbyes") or "transition" not in notes:
        return False
    name, since = notes["transition"]
    return name in ("shutting-down", "stopping") and clock.now() - since < GOODBYE_SECONDS


def listed() -> list[dict[str, Any]]:
    """Every instance of every account and region, with its state."""
    from .ec2 import instances

    out = []
    for call in _regions():
        for _, instance in instances.all_of(call):
            out.append({"id": instance.id, "state": instances.state_of(call, instance)[1]})
    return out


def one(identifier: str) -> dict[str, Any] | None:
    """What a machine knows of itself: addresses, user data, and what its profile allows."""
    from .ec2 import instances

    for call in _regions():
        for _, instance in instances.all_of(call):
            if instance.id == identifier:
                return {
                    "id": identifier,
                    "account": call.account,
                    "region": call.region,
                    "zone": instance._placement.zone,
                    "hostname": instances.shown(call, instance).get("PrivateDnsName", ""),
                    "private_ip": instance.private_ip,
                    "public_ip": instance.public_ip,
                    "user_data": str(instance.user_data or ""),
                    "policies": _policies(call, instance),
                }
    return None


def say_goodbyes(identifier: str, are_due: bool) -> bool:
    """Notes whether a machine has something to do before it goes; whether the instance is there."""
    for call in _regions():
        if identifier in call.ec2_ids():
            call.store.notes(identifier)["has_goodbyes"] = are_due
            return True
    return False


class _Region(Call):
    def ec2_ids(self) -> set[str]:
        return {i.id for r in self.ec2.reservations.values() for i in r.instances}


def _regions() -> list[_Region]:
    from moto.ec2.models import ec2_backends

    return [
        _Region("ec2", "DescribeInstances", {}, account, region)
        for account, backends in list(ec2_backends.items())
        for region, backend in list(backends.items())
        if backend.reservations
    ]


def _policies(call: Call, instance: Any) -> list[Any] | None:
    """The documents of the profile's role; None for a machine without a profile."""
    held = instance.iam_instance_profile
    if not held:
        return None
    roles = [r for p in call.iam.instance_profiles.values() if p.arn == held["Arn"] for r in p.roles]
    inline = [document for role in roles for document in role.policies.values()]
    return inline + [policy.document for role in roles for policy in role.managed_policies.values()]
