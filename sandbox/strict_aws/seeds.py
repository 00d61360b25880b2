"""What is there from the start and after each reset, with the same ids every time."""

from __future__ import annotations

import copy
from datetime import datetime
from functools import cache
from typing import Any

from moto.acm.models import CertBundle, acm_backends
from moto.core.base_backend import BackendDict
from moto.core.model_instances import reset_model_data
from moto.ec2.models import ec2_backends
from moto.ec2.models.amis import Ami
from moto.moto_api._internal import mock_random
from moto.ssm.models import ssm_backends

from . import call, clock, iam, identities

SEED = 42
REGION = "us-east-1"
DOMAIN = "tastycidr.net"
CERTIFICATE = f"rancher.{DOMAIN}"
BASE_PARAMETER = "/muster/ami/base"
NEWEST_IMAGE = "ami-0a1b2c3d4e5f60711"

# id, name, owner (None: the account itself), alias, root device, size, created
IMAGES: list[tuple[str, str, str | None, str | None, str, int, str]] = [
    (NEWEST_IMAGE, "packer-prod-rancher-containerhost_2026-11-01", None, None, "/dev/sda1", 8, "2026-11-01T08:30:00"),
    (
        "ami-0a1b2c3d4e5f60710",
        "packer-prod-rancher-containerhost_2026-10-01",
        None,
        None,
        "/dev/sda1",
        8,
        "2026-10-01T08:30:00",
    ),
    ("ami-0f8bce65", "rancheros-v1.5.8-hvm-1", "605812595337", None, "/dev/sda1", 8, "2020-11-30T04:26:41"),
    (
        "ami-0c02fb55956c7d316",
        "al2023-ami-2023.9.20261101.0-kernel-6.1-x86_64",
        "137112412989",
        "amazon",
        "/dev/xvda",
        8,
        "2026-11-03T20:11:07",
    ),
    (
        "ami-0c02fb55956c7d315",
        "al2023-ami-2023.9.20261001.0-kernel-6.1-x86_64",
        "137112412989",
        "amazon",
        "/dev/xvda",
        8,
        "2026-10-02T20:11:07",
    ),
    (
        "ami-0e2c8caa4b6378d8c",
        "ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-amd64-server-20261015",
        "099720109477",
        None,
        "/dev/sda1",
        8,
        "2026-10-15T05:01:44",
    ),
]


def plant_region(account: str, region: str) -> None:
    """The images of an account and region, before its first EC2 call."""
    try:
        backend: Any = ec2_backends[account][region]
    except KeyError:
        return
    for identifier, name, owner, alias, root, size, created in IMAGES:
        image = Ami(
            backend,
            identifier,
            name=name,
            description=name,
            owner_id=owner or account,
            owner_alias=alias,
            public=owner is not None,
            virtualization_type="hvm",
            architecture="x86_64",
            creation_date=datetime.fromisoformat(created),
            image_location=f"{owner or account}/{name}",
            hypervisor="xen",
            root_device_type="ebs",
            root_device_name=root,
            region_name=f"{region}a",
        )
        image.ebs_snapshot.volume.size = size
        backend.amis[identifier] = image


call.on_first_use(plant_region)


@cache
def _certificate() -> CertBundle:
    """Made once: a key takes a tenth of a second."""
    made = CertBundle.generate_cert(CERTIFICATE, identities.DEFAULT_ACCOUNT, REGION)
    made.status = "ISSUED"
    made.asked_names = []  # type: ignore[attr-defined]
    return made


def plant() -> None:
    """Everything that the default account has in its default region."""
    account = identities.DEFAULT_ACCOUNT
    call.Call("ec2", "DescribeVpcs", {}, account, REGION).run()
    certificate = copy.copy(_certificate())
    acm_backends[account][REGION]._certificates[certificate.arn] = certificate
    zone = {"Name": DOMAIN, "CallerReference": "sandbox-seed"}
    call.Call("route53", "CreateHostedZone", zone, account, REGION).run()
    ssm_backends[account][REGION].put_parameter(
        BASE_PARAMETER, "The base image", NEWEST_IMAGE, "String", "", "", False, [], "text", None, None
    )


def reset() -> None:
    """Empties everything and plants anew."""
    BackendDict.reset()
    reset_model_data()
    call.forget_everything()
    clock.restart()
    call.forget_planting()
    # What is made once for all resets must not move the ids of what is made for each.
    mock_random.seed(SEED)
    iam.aws_policies()
    _certificate()
    mock_random.seed(SEED)
    plant()
