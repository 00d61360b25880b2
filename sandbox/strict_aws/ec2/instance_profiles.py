"""Instance profiles on instances."""

from __future__ import annotations

from typing import Any

from ..call import Call, operation
from ..errors import AwsError
from ..wire import Params
from .instances import get, state_of
from .launches import profile_of
from .listing import Listing, describe, path


def _shown_association(call: Call, held: Any, state: str = "associated") -> Params:
    return {
        "AssociationId": held.association_id,
        "InstanceId": held.instance.id,
        "State": state,
        "IamInstanceProfile": {"Arn": held.iam_instance_profile.arn, "Id": held.iam_instance_profile.id},
    }


class _Associations(Listing):
    def items(self, call: Call, only: set[str] | None = None) -> list[Params]:
        held = call.ec2.iam_instance_profile_associations.values()
        return [_shown_association(call, a) for a in held if only is None or a.association_id in only]


describe(
    _Associations(
        name="DescribeIamInstanceProfileAssociations",
        member="IamInstanceProfileAssociations",
        objects=lambda call: (),
        ids="AssociationIds",
        id_of="AssociationId",
        prefix="iip-assoc",
        kind="InvalidAssociationID",
        unknown=("InvalidAssociationID.NotFound", "An invalid association-id of '{}' was given"),
        filters={"instance-id": path("InstanceId"), "state": path("State")},
    )
)


@operation("ec2", "AssociateIamInstanceProfile")
def associate_profile(call: Call) -> Params:
    instance = get(call, call.params["InstanceId"])
    profile = profile_of(call, call.params["IamInstanceProfile"])
    if instance.id in call.ec2.iam_instance_profile_associations:
        raise AwsError("IncorrectState", f"There is an existing association for instance {instance.id}")
    held = call.ec2.associate_iam_instance_profile(instance.id, iam_instance_profile_name=profile.name)
    return {"IamInstanceProfileAssociation": _shown_association(call, held, "associating")}


def _association(call: Call) -> Any:
    wanted = call.params["AssociationId"]
    for held in call.ec2.iam_instance_profile_associations.values():
        if held.association_id == wanted:
            return held
    raise AwsError("InvalidAssociationID.NotFound", f"An invalid association-id of '{wanted}' was given")


@operation("ec2", "ReplaceIamInstanceProfileAssociation")
def replace_profile(call: Call) -> Params:
    held = _association(call)
    profile = profile_of(call, call.params["IamInstanceProfile"])
    instance = held.instance
    if state_of(call, instance)[1] != "running":
        raise AwsError("IncorrectInstanceState", f"The instance '{instance.id}' is not in the 'running' state.")
    call.ec2.disassociate_iam_instance_profile(held.association_id)
    fresh = call.ec2.associate_iam_instance_profile(instance.id, iam_instance_profile_name=profile.name)
    return {"IamInstanceProfileAssociation": _shown_association(call, fresh, "associating")}


@operation("ec2", "DisassociateIamInstanceProfile")
def disassociate_profile(call: Call) -> Params:
    held = _association(call)
    call.ec2.disassociate_iam_instance_profile(held.association_id)
    return {"IamInstanceProfileAssociation": _shown_association(call, held, "disassociating")}
