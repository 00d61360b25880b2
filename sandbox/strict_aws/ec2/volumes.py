"""EBS volumes and their modifications."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from .. import clock
from ..call import Call, once, operation
from ..errors import AwsError
from ..wire import Params
from . import tagging
from .listing import Listing, check_ids, describe, one, path


def get(call: Call, volume_id: str) -> Any:
    """moto's volume."""
    check_ids([volume_id], "vol", "InvalidVolumeID")
    volume = call.ec2.volumes.get(volume_id)
    if volume is None:
        raise AwsError("InvalidVolume.NotFound", f"The volume '{volume_id}' does not exist.")
    return volume


def baseline_iops(kind: str, size: int) -> int | None:
    """The IOPS that AWS gives a volume nobody asked IOPS for."""
    return {"gp2": min(max(100, 3 * size), 16000), "gp3": 3000}.get(kind)


def _view(call: Call, item: Params, volume: Any) -> Params:
    if volume.attachment is None and call.store.is_young(volume.id, "volume"):
        item["State"] = "creating"
    item["Encrypted"] = bool(volume.encrypted)
    if not volume.encrypted:
        item.pop("KmsKeyId", None)
    iops = volume.iops or baseline_iops(volume.volume_type, volume.size)
    if iops is not None:
        item["Iops"] = iops
    if volume.volume_type == "gp3":
        item["Throughput"] = volume.throughput or 125
    item["MultiAttachEnabled"] = bool(volume.multi_attach_enabled)
    item["SnapshotId"] = volume.snapshot_id or ""
    item["Size"] = volume.size
    for attachment in item.get("Attachments", []):
        held = volume.attachment.instance.block_device_mapping.get(volume.attachment.device)
        attachment["DeleteOnTermination"] = bool(held.delete_on_termination) if held is not None else False
        attachment["State"] = "attached"
    return item


describe(
    Listing(
        name="DescribeVolumes",
        member="Volumes",
        objects=lambda call: call.ec2.volumes.values(),
        ids="VolumeIds",
        id_of="VolumeId",
        prefix="vol",
        kind="InvalidVolumeID",
        unknown=("InvalidVolume.NotFound", "The volume '{}' does not exist."),
        view=_view,
        filters={
            "attachment.attach-time": path("Attachments[].AttachTime"),
            "attachment.delete-on-termination": path("Attachments[].DeleteOnTermination"),
            "attachment.device": path("Attachments[].Device"),
            "attachment.instance-id": path("Attachments[].InstanceId"),
            "attachment.status": path("Attachments[].State"),
            "availability-zone": path("AvailabilityZone"),
            "create-time": path("CreateTime"),
            "encrypted": path("Encrypted"),
            "multi-attach-enabled": path("MultiAttachEnabled"),
            "size": path("Size"),
            "snapshot-id": path("SnapshotId"),
            "status": path("State"),
            "volume-id": path("VolumeId"),
            "volume-type": path("VolumeType"),
        },
    )
)


@operation("ec2", "CreateVolume")
def create(call: Call) -> Params:
    def make() -> Params:
        tags = tagging.of(call, "volume")["volume"]
        params = {k: v for k, v in call.params.items() if k not in ("TagSpecifications", "ClientToken")}
        made = call.moto(params)
        call.store.bear(made["VolumeId"])
        tagging.put(call, made["VolumeId"], tags)
        return one(call, "DescribeVolumes", made["VolumeId"])

    return once(call, make)


@operation("ec2", "DeleteVolume")
def delete(call: Call) -> None:
    volume = get(call, call.params["VolumeId"])
    if volume.attachment is not None:
        raise AwsError("VolumeInUse", f"Volume {volume.id} is currently attached to {volume.attachment.instance.id}")
    del call.ec2.volumes[volume.id]
    call.ec2.tags.pop(volume.id, None)


@operation("ec2", "AttachVolume")
def attach(call: Call) -> Params:
    from .instances import get as get_instance
    from .instances import state_of

    volume = get(call, call.params["VolumeId"])
    instance = get_instance(call, call.params["InstanceId"])
    device = call.params["Device"]
    if volume.attachment is not None:
        raise AwsError("VolumeInUse", f"{volume.id} is already attached to an instance")
    if call.store.is_young(volume.id, "volume"):
        raise AwsError("IncorrectState", f"The volume '{volume.id}' is not 'available'.")
    state = state_of(call, instance)[1]
    if state not in ("running", "stopped"):
        raise AwsError("IncorrectState", f"Instance '{instance.id}' is not 'running'.")
    if device in instance.block_device_mapping:
        raise AwsError(
            "InvalidParameterValue",
            f"Invalid value '{device}' for unixDevice. Attachment point {device} is already in use",
        )
    if volume.zone is not None and volume.zone.name != instance._placement.zone:
        raise AwsError(
            "InvalidVolume.ZoneMismatch",
            f"The volume '{volume.id}' is not in the same availability zone as instance '{instance.id}'",
        )
    made = call.ec2.attach_volume(volume.id, instance.id, device)
    return {
        "VolumeId": volume.id,
        "InstanceId": instance.id,
        "Device": device,
        "State": "attaching",
        "AttachTime": made.attach_time,
    }


@operation("ec2", "DetachVolume")
def detach(call: Call) -> Params:
    volume = get(call, call.params["VolumeId"])
    held = volume.attachment
    if held is None:
        raise AwsError("IncorrectState", f"Volume '{volume.id}' is in the 'available' state.")
    for parameter, value in (("InstanceId", held.instance.id), ("Device", held.device)):
        if call.params.get(parameter, value) != value:
            raise AwsError(
                "InvalidAttachment.NotFound", f"Volume '{volume.id}' is not attached to '{call.params[parameter]}'."
            )
    if held.device == held.instance.root_device_name and held.instance._state.name != "stopped":
        raise AwsError(
            "OperationNotPermitted", f"Unable to detach root volume '{volume.id}' from instance '{held.instance.id}'"
        )
    instance_id, device = held.instance.id, held.device
    call.ec2.detach_volume(volume.id, instance_id, device)
    return {
        "VolumeId": volume.id,
        "InstanceId": instance_id,
        "Device": device,
        "State": "detaching",
        "AttachTime": held.attach_time,
    }


# MARK: modifications


def _progress(modification: Params) -> Params:
    """A modification as it stands now: modifying, then optimizing, then completed."""
    shown = {k: v for k, v in modification.items() if k != "since"}
    if clock.is_pending("volume", modification["since"]):
        shown |= {"ModificationState": "modifying", "Progress": 0}
    elif clock.is_pending("instance", modification["since"]):
        shown |= {"ModificationState": "optimizing", "Progress": 50}
    else:
        shown |= {"ModificationState": "completed", "Progress": 100, "EndTime": datetime.now(timezone.utc)}
    return shown


@operation("ec2", "ModifyVolume")
def modify(call: Call) -> Params:
    volume = get(call, call.params["VolumeId"])
    table = call.store.table("volume_modifications")
    running = table.get(volume.id)
    if running is not None and _progress(running)["ModificationState"] != "completed":
        raise AwsError(
            "IncorrectModificationState",
            f"Volume '{volume.id}' cannot be modified while in modification state '{_progress(running)['ModificationState'].upper()}'",
        )
    notes = call.store.notes(volume.id)
    recent = [t for t in notes.get("modified_at", []) if clock.now() - t < 86400]
    if len(recent) >= 4:
        raise AwsError(
            "VolumeModificationRateExceeded",
            f"You've reached the maximum modification rate per volume limit. Volume {volume.id}",
        )
    size = call.params.get("Size", volume.size)
    kind = call.params.get("VolumeType", volume.volume_type)
    if size < volume.size:
        raise AwsError(
            "InvalidParameterValue", f"New size cannot be smaller than existing size: {volume.id} is {volume.size} GiB"
        )
    if not any(k in call.params for k in ("Size", "VolumeType", "Iops", "Throughput", "MultiAttachEnabled")):
        raise AwsError("MissingParameter", "The request must contain a size, a volume type, IOPS or throughput.")
    if call.params.get("Iops") is not None and kind not in ("io1", "io2", "gp3"):
        raise AwsError("InvalidParameterCombination", f"The parameter iops is not supported for {kind} volumes.")
    if call.params.get("Throughput") is not None and kind != "gp3":
        raise AwsError("InvalidParameterCombination", f"The parameter throughput is not supported for {kind} volumes.")
    if kind in ("io1", "io2") and not (call.params.get("Iops") or volume.iops):
        raise AwsError("MissingParameter", f"The request must contain the parameter iops for {kind} volumes.")
    changes_kind = kind != volume.volume_type
    old_iops = volume.iops or baseline_iops(volume.volume_type, volume.size)
    iops = call.params.get("Iops") or (None if changes_kind else volume.iops) or baseline_iops(kind, size)
    throughput = (
        (call.params.get("Throughput") or (volume.throughput if not changes_kind else None) or 125)
        if kind == "gp3"
        else None
    )
    modification: Params = {
        "VolumeId": volume.id,
        "TargetSize": size,
        "TargetVolumeType": kind,
        "TargetIops": iops,
        "TargetThroughput": throughput,
        "TargetMultiAttachEnabled": False,
        "OriginalSize": volume.size,
        "OriginalVolumeType": volume.volume_type,
        "OriginalIops": old_iops,
        "OriginalThroughput": volume.throughput or (125 if volume.volume_type == "gp3" else None),
        "OriginalMultiAttachEnabled": False,
        "StartTime": datetime.now(timezone.utc),
        "since": clock.now(),
    }
    volume.size, volume.volume_type, volume.throughput = size, kind, throughput
    volume.iops = iops if kind in ("io1", "io2", "gp3") else None
    table[volume.id] = modification
    notes["modified_at"] = [*recent, clock.now()]
    return {"VolumeModification": _progress(modification) | {"ModificationState": "modifying", "Progress": 0}}


class _Modifications(Listing):
    def items(self, call: Call, only: set[str] | None = None) -> list[Params]:
        return [_progress(m) for v, m in call.store.table("volume_modifications").items() if only is None or v in only]


describe(
    _Modifications(
        name="DescribeVolumesModifications",
        member="VolumesModifications",
        objects=lambda call: (),
        ids="VolumeIds",
        id_of="VolumeId",
        prefix="vol",
        kind="InvalidVolumeID",
        unknown=("InvalidVolumeModification.NotFound", "Modification for volume '{}' does not exist."),
        maximum=500,
        filters={
            "volume-id": path("VolumeId"),
            "modification-state": path("ModificationState"),
            "original-iops": path("OriginalIops"),
            "original-size": path("OriginalSize"),
            "original-volume-type": path("OriginalVolumeType"),
            "start-time": path("StartTime"),
            "target-iops": path("TargetIops"),
            "target-size": path("TargetSize"),
            "target-volume-type": path("TargetVolumeType"),
        },
    )
)
