"""Rendered user data on its way to machines: what AWS holds is what was rendered, and what is wrong is said before."""

from __future__ import annotations

import base64
import gzip
import json
import re
import shutil
import stat
from pathlib import Path
from typing import Any

import pytest
from harness import ROOT, Cloud, Muster


IDENTITY = [".docker_uuid", ".physical_host_uuid", ".registration_token"]
VPC = """
vpc:
  main:
    cidr_block: 10.0.0.0/16
    subnets:
      a: { cidr_block: 10.0.0.0/24 }
"""
NODE = """
control_nodes:
  node:
    ami: ami-0a1b2c3d4e5f60711
    instance_type: m5.large
    subnets: [a]
"""
AGENT = """    rancher_agent:
      registration_url: http://rancher.test:8080/v1/scripts/${vpc.main.id}
      labels: { vpc: "${vpc.main.arn}" }
"""


def user_data(cloud: Cloud) -> bytes:
    (reservation,) = cloud.ec2.describe_instances(
        Filters=[{"Name": "instance-state-name", "Values": ["running"]}, {"Name": "tag:Name", "Values": ["node"]}]
    )["Reservations"]
    (instance,) = reservation["Instances"]
    answer = cloud.ec2.describe_instance_attribute(InstanceId=instance["InstanceId"], Attribute="userData")
    return base64.b64decode(answer["UserData"]["Value"])


def test_what_is_known_later_is_filled_in_with_its_quotes(muster: Muster, cloud: Cloud) -> None:
    muster.write(net=VPC + NODE + AGENT)
    muster.plan().exits(2).says("muster-rancher-join")
    muster.apply().exits(0)
    text = user_data(cloud).decode()
    vpc = cloud.vpc()
    assert f"url='http://rancher.test:8080/v1/scripts/{vpc['VpcId']}'" in text
    labels = re.search(r"^labels=(.*)$", text, re.M)
    assert labels and "vpc=arn%3Aaws%3Aec2%3A" in labels.group(1)
    muster.plan().exits(0)
    muster.drift().exits(0)


def test_another_script_is_another_machine(muster: Muster, cloud: Cloud) -> None:
    muster.write(net=VPC + NODE + AGENT)
    muster.apply().exits(0)
    muster.edit("net", "labels: {", "labels: { role: web,")
    before = muster.ids()["net:aws.instance/node"]
    muster.apply("--allow", "downtime").exits(0)
    assert muster.ids()["net:aws.instance/node"] != before
    assert "role=web" in user_data(cloud).decode()


def test_much_is_compressed_and_comes_back(muster: Muster, cloud: Cloud) -> None:
    long = "\n".join(f"        echo line {n}" for n in range(1500))
    muster.write(net=VPC + NODE + AGENT + "      before_join: |\n" + long + "\n")
    muster.apply().exits(0)
    data = user_data(cloud)
    assert len(data) < 16384
    text = gzip.decompress(data).decode()
    assert "echo line 1499" in text and f"/v1/scripts/{cloud.vpc()['VpcId']}" in text
    muster.plan().exits(0)
    muster.edit("net", "echo line 7\n", "echo line seven\n")
    muster.apply("--allow", "downtime").exits(0)
    assert "echo line seven" in gzip.decompress(user_data(cloud)).decode()


def test_a_secret_that_is_written_into_them_is_a_hazard_and_is_not_kept_by_us(muster: Muster, cloud: Cloud) -> None:
    long = "\n".join(f"        echo line {n}" for n in range(1500))
    secret = "variables: { key: { type: string, secret: env:RANCHER_SECRET } }\n"
    leave = '      leave: { access_key: ACCESS, secret_key: "${var.key}" }\n'
    muster.extra["RANCHER_SECRET"] = "canary-4711"
    muster.write(net=secret + VPC + NODE + AGENT + leave + "      before_join: |\n" + long + "\n")
    muster.apply().exits(3).says("secret-exposure")
    muster.apply("--allow", "secret-exposure").exits(0)
    data = user_data(cloud)
    assert "canary-4711" in gzip.decompress(data).decode()
    muster.plan().exits(0)
    held = base64.b64encode(data)[:400]
    for path in muster.folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            content = path.read_bytes()
            assert held not in content and b"canary-4711" not in content, path


def test_bad_input_is_refused_before_the_first_request(muster: Muster, cloud: Cloud) -> None:
    bad = AGENT + "      image: rancher/agent\n      agent_ip: 127.0.0.1\n"
    muster.write(net=VPC + NODE + bad.replace("vpc:", '"bad key":'))
    cloud.sandbox.reset_log()
    run = muster.apply().exits(1)
    run.says("net.yaml:", '"bad key" cannot be the key of a label', "Version not known", "Not an address of a host")
    assert not cloud.calls()


# MARK: hosts


@pytest.fixture
def hosts(muster: Muster) -> Muster:
    shutil.rmtree(muster.specs)
    shutil.copytree(ROOT / "examples" / "rancheros", muster.specs)
    return muster


def drive(folder: Path) -> dict[str, str]:
    return {str(p.relative_to(folder)): p.read_text() for p in folder.rglob("*") if p.is_file()}


def test_a_host_without_a_disk_keeps_its_identity(hosts: Muster, cloud: Cloud) -> None:
    folder = hosts.folder / "edge-1"
    cloud.sandbox.reset_log()
    hosts.run("render", "host", "edge-1", "--config-drive", folder).exits(0).says("new identity")
    assert not cloud.calls()
    files = drive(folder)
    assert sorted(Path(name).name for name in files if "state" in name) == IDENTITY
    assert json.loads(files["openstack/latest/meta_data.json"])["hostname"] == "edge-1"
    text = files["openstack/latest/user_data"]
    assert text.startswith("#cloud-config\n") and "CATTLE_AGENT_IP" in text
    for name in IDENTITY:
        assert files[f"var/lib/rancher/state/{name}"].strip() in text
    for path in [folder, *folder.rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    hosts.edit("machines", "site: edge", "site: other")
    hosts.run("render", "host", "edge-1", "--config-drive", folder).exits(0).says("keeps its identity")
    again = drive(folder)
    assert {n: t for n, t in again.items() if "state" in n} == {n: t for n, t in files.items() if "state" in n}
    assert "site=other" in again["openstack/latest/user_data"]


def test_an_image_is_labelled_as_rancheros_looks_for_it(hosts: Muster) -> None:
    folder = hosts.folder / "edge-1"
    run = hosts.run("render", "host", "edge-1", "--config-drive", folder).exits(0)
    if not any(shutil.which(tool) for tool in ("genisoimage", "mkisofs", "xorriso")):
        run.says("No image: none of genisoimage, mkisofs, xorriso is installed")
        return
    image = folder.with_name("edge-1.iso").read_bytes()
    # The volume's label, in the primary volume descriptor.
    assert image[0x8001:0x8006] == b"CD001" and image[0x8028:0x8048].strip() == b"config-2"
    assert stat.S_IMODE(folder.with_name("edge-1.iso").stat().st_mode) & 0o077 == 0
    assert b"#cloud-config" in image


def fake_tool(folder: Path, body: str) -> dict[str, Any]:
    tools = folder / "tools"
    tools.mkdir()
    (tools / "genisoimage").write_text(f"#!/bin/sh\n{body}\n")
    (tools / "genisoimage").chmod(0o755)
    return {"PATH": f"{tools}:/usr/bin:/bin"}


def test_the_tool_is_told_the_label_and_the_folder(hosts: Muster) -> None:
    folder = hosts.folder / "edge-1"
    variables = fake_tool(
        hosts.folder, f'echo "$@" >{hosts.folder}/words; while [ "$1" != -output ]; do shift; done; echo iso >"$2"'
    )
    hosts.run("render", "host", "edge-1", "--config-drive", f"{folder}/", **variables).exits(0).says(
        "edge-1.iso, labelled config-2"
    )
    words = (hosts.folder / "words").read_text().split()
    assert words[words.index("-volid") + 1] == "config-2" and words[-1] == str(folder)
    assert folder.with_name("edge-1.iso").read_text() == "iso\n"


def test_a_tool_that_fails_is_an_error_and_leaves_no_half_image(hosts: Muster) -> None:
    variables = fake_tool(hosts.folder, "echo no space left >&2; exit 3")
    run = hosts.run("render", "host", "edge-1", "--config-drive", hosts.folder / "edge-1", **variables).exits(1)
    run.says("genisoimage ended with 3", "no space left")
    assert not list(hosts.folder.glob("edge-1.iso*"))


def test_a_damaged_identity_and_an_unknown_host_are_errors(hosts: Muster) -> None:
    folder = hosts.folder / "edge-1"
    hosts.run("render", "host", "edge-1", "--config-drive", folder).exits(0)
    (folder / "var/lib/rancher/state/.docker_uuid").write_text("x")
    hosts.run("render", "host", "edge-1", "--config-drive", folder).exits(1).says("The identity of the host is damaged")
    hosts.run("render", "host", "edge1", "--config-drive", folder).exits(1).says(
        "Unknown host", 'Did you mean "edge-1"?'
    )


def test_a_host_that_needs_what_is_not_there_yet_says_what(hosts: Muster) -> None:
    hosts.edit(
        "machines",
        "    rancheros:\n      rancher:\n        cloud_init",
        "    rancheros:\n      hostname: ${vpc.main.id}\n      rancher:\n        cloud_init",
    )
    folder = hosts.folder / "edge-1"
    hosts.run("render", "host", "edge-1", "--config-drive", folder).exits(1).says("Apply first", "aws.vpc/main.id")
    assert not folder.exists() or not drive(folder)
    hosts.apply().exits(0)
    hosts.run("render", "host", "edge-1", "--config-drive", folder).exits(0)
    assert re.fullmatch("vpc-[0-9a-f]+", json.loads(drive(folder)["openstack/latest/meta_data.json"])["hostname"])


def test_the_drive_is_written_where_nobody_else_reads(hosts: Muster) -> None:
    file = hosts.folder / "file"
    file.write_text("x")
    hosts.run("render", "host", "edge-1", "--config-drive", file).exits(1).says("The config drive cannot be")
    assert file.read_text() == "x"
