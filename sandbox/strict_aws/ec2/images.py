"""Images."""

from __future__ import annotations

from typing import Any

from moto.ec2.models.amis import Ami

from ..call import Call
from ..errors import AwsError
from ..wire import Params
from . import tagging
from .listing import Listing, check_ids, describe, path


def root_mapping(image: Any) -> Params:
    """The root device of an image."""
    return {
        "DeviceName": image.root_device_name,
        "Ebs": {
            "SnapshotId": image.ebs_snapshot.id,
            "VolumeSize": image.ebs_snapshot.volume.size,
            "VolumeType": getattr(image, "root_volume_type", "gp2"),
            "DeleteOnTermination": True,
            "Encrypted": False,
        },
    }


Ami.block_device_mappings = property(lambda self: [root_mapping(self)])  # type: ignore[method-assign,assignment]


def get(call: Call, image_id: str) -> Any:
    """moto's image."""
    check_ids([image_id], "ami", "InvalidAMIID")
    image = call.ec2.amis.get(image_id)
    if image is None:
        raise AwsError("InvalidAMIID.NotFound", f"The image id '[{image_id}]' does not exist")
    if image.state != "available":
        raise AwsError("InvalidAMIID.Unavailable", f"The image id '[{image_id}]' is no longer available")
    return image


def _view(call: Call, item: Params, image: Any) -> Params | None:
    if not image.is_public and image.owner_id != call.account:
        return None
    owners = call.params.get("Owners") or []
    if owners and not any(_owns(call, image, owner) for owner in owners):
        return None
    if image.owner_alias:
        item["ImageOwnerAlias"] = image.owner_alias
    item["OwnerId"] = image.owner_id
    item["Tags"] = tagging.listed(call, image.id)
    item["EnaSupport"] = True
    item["Hypervisor"] = "xen"
    return item


def _owns(call: Call, image: Any, owner: str) -> bool:
    if owner == "self":
        return bool(image.owner_id == call.account)
    return owner in (image.owner_id, image.owner_alias)


describe(
    Listing(
        name="DescribeImages",
        member="Images",
        objects=lambda call: call.ec2.amis.values(),
        ids="ImageIds",
        id_of="ImageId",
        prefix="ami",
        kind="InvalidAMIID",
        unknown=("InvalidAMIID.NotFound", "The image id '[{}]' does not exist"),
        view=_view,
        filters={
            "architecture": path("Architecture"),
            "block-device-mapping.snapshot-id": path("BlockDeviceMappings[].Ebs.SnapshotId"),
            "block-device-mapping.volume-type": path("BlockDeviceMappings[].Ebs.VolumeType"),
            "block-device-mapping.encrypted": path("BlockDeviceMappings[].Ebs.Encrypted"),
            "creation-date": path("CreationDate"),
            "description": path("Description"),
            "ena-support": path("EnaSupport"),
            "hypervisor": path("Hypervisor"),
            "image-id": path("ImageId"),
            "image-type": path("ImageType"),
            "is-public": path("Public"),
            "manifest-location": path("ImageLocation"),
            "name": path("Name"),
            "owner-alias": path("ImageOwnerAlias"),
            "owner-id": path("OwnerId"),
            "platform": path("Platform"),
            "root-device-name": path("RootDeviceName"),
            "root-device-type": path("RootDeviceType"),
            "state": path("State"),
            "virtualization-type": path("VirtualizationType"),
        },
    )
)
