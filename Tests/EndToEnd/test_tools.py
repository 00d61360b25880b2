"""What surrounds plan and apply: graphs, the state by hand, adopting, selecting, a first workspace, a check-up."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import xml.etree.ElementTree as ElementTree
from typing import Any

import pytest
import yaml
from harness import BINARY, ROOT, Cloud, Muster, tags_of
from specs import NETWORK, NETWORK_COUNT, PAIR, SMALL_VPC


@pytest.fixture
def running(muster: Muster) -> Muster:
    """A VPC and two groups, applied."""
    muster.write(net=SMALL_VPC + PAIR)
    muster.apply().exits(0)
    return muster


# Graphs


def test_a_graph_for_graphviz(muster: Muster) -> None:
    muster.write(net=SMALL_VPC + PAIR)
    dot = muster.run("graph").exits(0).out
    assert dot.startswith("digraph")
    assert dot.count("{") == dot.count("}")
    assert '"net:aws.security_group/alb" -> "net:aws.vpc/main"' in dot
    if shutil.which("dot"):
        done = subprocess.run(["dot", "-Tsvg"], input=dot, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


def test_a_graph_for_markdown(muster: Muster) -> None:
    muster.write(net=SMALL_VPC + PAIR)
    text = muster.run("graph", "--format", "mermaid").exits(0).out
    assert text.startswith("flowchart")
    assert text.count("-->") + text.count("-.->") >= 5


def test_a_graph_as_a_picture(muster: Muster) -> None:
    muster.write(net=NETWORK + PAIR)
    root = ElementTree.fromstring(muster.run("graph", "--format", "svg").exits(0).out)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    texts = {e.text for e in root.iter() if e.text}
    assert any("nat_gateway/a" in t for t in texts)


def test_a_graph_of_one_stack_and_of_a_plan(running: Muster) -> None:
    running.write(muster="workspace: test\nregion: us-east-1\nstacks: { net: net.yaml, other: other.yaml }\n", other=SMALL_VPC)
    dot = running.run("graph", "--stack", "other").exits(0).out
    assert "other:aws.vpc/main" in dot
    assert "net:aws.vpc/main" not in dot
    assert running.run("graph", "--plan").exits(0).out != running.run("graph").exits(0).out


# The state


def test_the_state_is_listed_and_shown(running: Muster, cloud: Cloud) -> None:
    out = running.run("state", "list").exits(0).out
    assert "net:aws.vpc/main" in out
    assert cloud.vpc()["VpcId"] in out
    only = running.run("state", "list", "security_group_rule").exits(0).out
    assert "aws.vpc/main" not in only
    shown = running.run("state", "show", "net:aws.vpc/main").exits(0)
    shown.says(cloud.vpc()["VpcId"], "cidr_block", "10.0.0.0/16")
    assert running.run("state", "show", "main").exits(0).out == shown.out
    assert running.run("show", "net:aws.vpc/main").exits(0).out == shown.out
    running.run("state", "show", "aws.vpc/mian").exits(1).says("mian")


def test_an_address_is_changed_by_hand(running: Muster, cloud: Cloud) -> None:
    vpc = cloud.vpc()["VpcId"]
    cloud.sandbox.reset_log()
    running.run("state", "mv", "net:aws.vpc/main", "net:aws.vpc/primary").exits(0).says("backup")
    assert cloud.requests() == []
    assert running.ids()["net:aws.vpc/primary"] == vpc
    assert list(running.state.parent.glob("muster.db.backup-*"))
    running.write(net=(SMALL_VPC + PAIR).replace("  main: {", "  primary: { name: main,").replace("vpc: main", "vpc: primary"))
    running.plan().exits(0)
    running.run("state", "mv", "net:aws.vpc/primary", "net:aws.subnet/primary").exits(1).says("aws.subnet")
    running.run("state", "mv", "net:aws.vpc/primary", "net:aws.security_group/alb").exits(1)
    running.run("state", "mv", "net:aws.vpc/primary", "nonsense").exits(1).says("nonsense")


def test_an_object_is_forgotten_and_adopted_again(running: Muster, cloud: Cloud) -> None:
    before = cloud.count()
    cloud.sandbox.reset_log()
    rule = running.ids()["net:aws.security_group_rule/node/ingress/tcp/8080/alb"]
    running.run("state", "rm", "net:aws.security_group_rule/node/ingress/tcp/8080/alb").exits(0)
    assert cloud.requests() == []
    assert cloud.count() == before
    running.run("import", "net:aws.security_group_rule/node/ingress/tcp/8080/alb", rule).exits(0)
    running.plan().exits(0)
    running.run("state", "rm", "net:aws.vpc/nowhere").exits(1).says("nowhere")


def test_the_backup_is_a_state(running: Muster) -> None:
    known = running.ids()
    running.run("state", "rm", "net:aws.vpc/main").exits(0)
    (backup,) = running.state.parent.glob("muster.db.backup-*")
    running.extra["MUSTER_STATE"] = str(backup)
    assert running.ids() == known


# Adopting


def test_import_prints_spec_lines_that_match(muster: Muster, cloud: Cloud) -> None:
    vpc = cloud.ec2.create_vpc(CidrBlock="10.5.0.0/16")["Vpc"]["VpcId"]
    cloud.ec2.create_tags(Resources=[vpc], Tags=[{"Key": "Owner", "Value": "ada"}])
    muster.write(net="x-nothing: true\n")
    cloud.sandbox.reset_log()
    run = muster.run("import", "net:aws.vpc/old", vpc).exits(1)
    assert cloud.changes() == []
    lines: dict[str, Any] = yaml.safe_load(run.out)
    assert lines["resources"]["aws.vpc"]["old"]["cidr_block"] == "10.5.0.0/16"

    (muster.specs / "net.yaml").write_text(run.out)
    (muster.specs / "muster.yaml").write_text("workspace: test\nregion: us-east-1\nstacks: { net: net.yaml }\n")
    cloud.sandbox.reset_log()
    muster.run("import", "net:aws.vpc/old", vpc).exits(0)
    assert cloud.changes() == []
    assert muster.ids() == {"net:aws.vpc/old": vpc}
    muster.plan().exits(0)
    muster.run("import", "net:aws.vpc/old", vpc).exits(3).says(vpc)


def test_tags_of_others_survive_an_import(muster: Muster, cloud: Cloud) -> None:
    vpc = cloud.ec2.create_vpc(CidrBlock="10.5.0.0/16")["Vpc"]["VpcId"]
    cloud.ec2.create_tags(Resources=[vpc], Tags=[{"Key": "Owner", "Value": "ada"}, {"Key": "Name", "Value": "x"}])
    muster.write(net="vpc:\n  old: { cidr_block: 10.5.0.0/16 }\n")
    muster.run("import", "net:aws.vpc/old", vpc).exits(0)
    muster.plan().exits(2).says("x → old").says_not("Owner")
    muster.apply().exits(0)
    assert tags_of(cloud.vpc()) == {"Owner": "ada", "Name": "old", "ManagedBy": "muster"}
    muster.plan().exits(0)


@pytest.mark.parametrize("kind", ["subnet", "security_group", "iam_role", "dns_record", "route_table", "key_pair"])
def test_each_kind_is_imported_as_it_is(muster: Muster, cloud: Cloud, kind: str) -> None:
    """What import prints, written into the spec, is adopted without a change."""
    vpc = cloud.ec2.create_vpc(CidrBlock="10.5.0.0/16")["Vpc"]["VpcId"]
    match kind:
        case "subnet":
            made = cloud.ec2.create_subnet(VpcId=vpc, CidrBlock="10.5.1.0/24")["Subnet"]["SubnetId"]
            cloud.ec2.modify_subnet_attribute(SubnetId=made, MapPublicIpOnLaunch={"Value": True})
        case "security_group":
            made = cloud.ec2.create_security_group(GroupName="g", Description="old", VpcId=vpc)["GroupId"]
        case "iam_role":
            made = "old"
            trust = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}'
            cloud.iam.create_role(RoleName=made, AssumeRolePolicyDocument=trust, Description="an old role")
        case "dns_record":
            record = {"Name": "old.tastycidr.net.", "Type": "TXT", "TTL": 5, "ResourceRecords": [{"Value": '"a \\"b"'}]}
            change = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]}
            cloud.route53.change_resource_record_sets(HostedZoneId=cloud.zone_id(), ChangeBatch=change)
            made = f"{cloud.zone_id()}_old.tastycidr.net_TXT"
        case "route_table":
            made = cloud.ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
        case _:
            made = "old"
            cloud.ec2.import_key_pair(KeyName=made, PublicKeyMaterial=b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIkcm1CT0fYaHxB/sBPRVCM0OMT3vgmK5pLmZ5JS+C3D other")
    (muster.specs / "muster.yaml").write_text("workspace: test\nregion: us-east-1\nstacks: { net: net.yaml }\n")
    (muster.specs / "net.yaml").write_text("x-nothing: true\n")
    cloud.sandbox.reset_log()
    lines = muster.run("import", f"net:aws.{kind}/old", made).exits(1).out
    (muster.specs / "net.yaml").write_text(lines)
    muster.run("import", f"net:aws.{kind}/old", made).exits(0)
    muster.plan().exits(0)
    assert cloud.changes() == []


def test_what_is_to_be_imported_is_not_there(muster: Muster, cloud: Cloud) -> None:
    muster.write(net=SMALL_VPC)
    muster.run("import", "net:aws.vpc/main", "vpc-00000000000000000").exits(1).says("vpc-00000000000000000")
    muster.run("import", "net:aws.vpc/main", "subnet-1").exits(1).says("vpc-")
    muster.run("import", "net:aws.vcp/main", "vpc-1").exits(1).says('"aws.vpc"')
    muster.run("import", "nett:aws.vpc/main", "vpc-1").exits(1).says('"net"')
    assert cloud.changes() == []


def test_an_import_block(muster: Muster, cloud: Cloud) -> None:
    vpc = cloud.ec2.create_vpc(CidrBlock="10.5.0.0/16")["Vpc"]["VpcId"]
    muster.write(
        net=f"vpc:\n  old: {{ cidr_block: 10.5.0.0/16 }}\nimport:\n  - {{ to: aws.vpc/old, id: {vpc} }}\n"
    )
    muster.plan().exits(2).says("aws.vpc/old", vpc)
    muster.apply().exits(0)
    assert cloud.vpc()["VpcId"] == vpc
    assert muster.ids() == {"net:aws.vpc/old": vpc}
    muster.plan().exits(0)
    muster.destroy().exits(0)
    assert cloud.count() == {}


def test_an_import_block_of_what_is_not_there(muster: Muster, cloud: Cloud) -> None:
    muster.write(
        net="vpc:\n  old: { cidr_block: 10.5.0.0/16 }\nimport:\n  - { to: aws.vpc/old, id: vpc-00000000000000000 }\n"
    )
    run = muster.apply()
    assert run.code in (1, 3), run
    run.says("vpc-00000000000000000", "specs/net.yaml:4")
    assert cloud.changes() == []


# Selecting


def test_only_this_and_what_it_needs(muster: Muster, cloud: Cloud) -> None:
    muster.write(net=NETWORK + PAIR)
    muster.apply("--only", "aws.security_group/node").exits(0)
    assert cloud.count() == {"vpcs": 1, "security groups": 1}
    muster.apply("--only", "net:aws.subnet/prod-a", "--only", "net:aws.subnet/prod-b").exits(0)
    assert cloud.count() == {"vpcs": 1, "security groups": 1, "subnets": 2}
    muster.drift("--only", "aws.subnet/prod-a").exits(0)


def test_everything_but_this(muster: Muster, cloud: Cloud) -> None:
    muster.write(net=NETWORK)
    # The route through the gateway cannot be made without it, which is said before anything is sent.
    muster.apply("--except", "aws.nat_gateway/a").exits(3).says("net:aws.route/private/0.0.0.0/0", "specs/net.yaml:16")
    assert cloud.count() == {}
    muster.apply("--except", "aws.nat_gateway/a", "--except", "aws.route/private/0.0.0.0/0").exits(0)
    assert cloud.count() == {k: n for k, n in (NETWORK_COUNT | {"routes": 1}).items() if k != "NAT gateways"}
    muster.apply().exits(0)
    muster.plan().exits(0)


def test_destroying_only_this(running: Muster, cloud: Cloud) -> None:
    running.destroy("--only", "net:aws.security_group_rule/alb/egress/tcp/8080/node").exits(0)
    assert cloud.count() == {"vpcs": 1, "security groups": 2, "security group rules": 2}
    # What is needed by others goes with them or not at all.
    run = running.destroy("--only", "aws.vpc/main")
    assert run.code in (0, 3), run
    assert cloud.count() in ({}, {"vpcs": 1, "security groups": 2, "security group rules": 2}), run


def test_replaced_on_demand(running: Muster, cloud: Cloud) -> None:
    before = running.ids()
    running.plan("--replace", "aws.security_group_rule/alb/ingress/tcp/443/203.0.113.0/24").exits(2).says("its replacement was asked for")
    running.apply("--replace", "aws.security_group_rule/alb/ingress/tcp/443/203.0.113.0/24").exits(0)
    after = running.ids()
    assert {a for a in after if after[a] != before[a]} == {
        "net:aws.security_group_rule/alb/ingress/tcp/443/203.0.113.0/24"
    }
    assert len(cloud.rules("alb")) == 2
    running.plan().exits(0)


def test_one_stack_at_a_time(muster: Muster, cloud: Cloud) -> None:
    muster.write(net=SMALL_VPC, groups="uses: [net]\n" + PAIR)
    muster.apply("--stack", "net").exits(0)
    assert cloud.count() == {"vpcs": 1}
    muster.plan("--stack", "net").exits(0)
    muster.apply("--stack", "groups").exits(0)
    muster.plan("--stack", "groups,net").exits(0)


def test_a_stack_whose_need_is_not_applied(muster: Muster, cloud: Cloud) -> None:
    """It says what is missing, or makes it too; but nothing half."""
    muster.write(net=SMALL_VPC, groups="uses: [net]\n" + PAIR)
    run = muster.apply("--stack", "groups")
    if run.code == 0:
        assert cloud.count() == {"vpcs": 1, "security groups": 2, "security group rules": 3}
    else:
        run.says("net:aws.vpc/main")
        assert cloud.changes() == []


# Variables


def test_values_from_the_command_line_and_from_files(muster: Muster, cloud: Cloud) -> None:
    muster.write(net='variables:\n  network: { type: string, default: 10.0.0.0/16 }\nvpc:\n  main: { cidr_block: "${var.network}" }\n')
    (muster.folder / "values.yaml").write_text("network: 10.1.0.0/16\n")
    assert "10.0.0.0/16" in muster.plan().out
    assert "10.1.0.0/16" in muster.plan("--var-file", "values.yaml").out
    assert "10.2.0.0/16" in muster.plan("--var-file", "values.yaml", "--var", "network=10.2.0.0/16").out


def test_the_same_spec_twice(muster: Muster, cloud: Cloud) -> None:
    muster.write(
        muster="""
            workspace: test
            region: us-east-1
            stacks:
              prod: { spec: net.yaml, with: { environment: prod, network: 10.0.0.0/16 } }
              dev: { spec: net.yaml, with: { environment: dev, network: 10.1.0.0/16 } }
        """,
        net="""
            variables: { environment: { type: string, allowed: [prod, dev] }, network: { type: string } }
            vpc:
              ${var.environment}: { cidr_block: "${var.network}" }
        """,
    )
    muster.apply().exits(0)
    assert set(muster.ids()) == {"prod:aws.vpc/prod", "dev:aws.vpc/dev"}
    muster.destroy("--stack", "dev").exits(0)
    assert cloud.vpc()["CidrBlock"] == "10.0.0.0/16"


# The first day


def test_init_writes_what_can_be_applied(muster: Muster, cloud: Cloud) -> None:
    shutil.rmtree(muster.specs)
    muster.extra["MUSTER_STATE"] = None
    muster.extra["MUSTER_LOCK"] = None
    muster.run("init").exits(0).says("specs/muster.yaml")
    muster.run("validate").exits(0)
    muster.plan().exits(2).says("12 to add")
    muster.apply().exits(0)
    muster.plan().exits(0)
    assert cloud.count()["subnets"] == 2
    before = {p: p.read_bytes() for p in muster.specs.glob("*.yaml")}
    muster.run("init").exits(1).says("specs/muster.yaml")
    assert before == {p: p.read_bytes() for p in muster.specs.glob("*.yaml")}
    muster.run("init", "elsewhere/deep").exits(0)
    muster.run("validate", "-C", "elsewhere/deep").exits(0)
    muster.destroy().exits(0)
    assert cloud.count() == {}


def test_the_workspace_is_found(running: Muster) -> None:
    running.plan("-C", "specs").exits(0)
    running.plan("-C", running.specs).exits(0)
    done = subprocess.run(
        [BINARY, "plan", "--detailed-exitcode"], cwd=running.specs, env=running.environment
    )
    assert done.returncode == 0


def test_the_state_of_the_workspace_file(muster: Muster, cloud: Cloud) -> None:
    muster.extra["MUSTER_STATE"] = None
    muster.write(
        muster="workspace: test\nregion: us-east-1\nstate: ../kept/here.db\nstacks: { net: net.yaml }\n", net=SMALL_VPC
    )
    muster.apply().exits(0)
    kept = muster.folder / "kept" / "here.db"
    with sqlite3.connect(f"file:{kept}?mode=ro", uri=True) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert database.execute("SELECT address FROM resources").fetchall() == [("net:aws.vpc/main",)]
    database.close()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(muster: Muster, shell: str) -> None:
    script = muster.run("completion", shell).exits(0).out
    assert "muster" in script
    if shutil.which(shell):
        done = subprocess.run([shell, "-n"], input=script, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


def test_a_check_up(running: Muster, cloud: Cloud, other_sandbox: Any) -> None:
    running.run("doctor").exits(0).says("✓ workspace", "✓ specs: 6 resources", "✓ state", "123456789012")
    assert cloud.changes().count("CreateVpc") == 1
    running.run("doctor", AWS_ACCESS_KEY_ID=None, AWS_SECRET_ACCESS_KEY=None).exits(1).says("✗ credentials")
    running.run("doctor", AWS_ENDPOINT_URL=other_sandbox.endpoint).exits(1).says(other_sandbox.endpoint)
    running.write(net="nonsense: 1\n")
    running.run("doctor").exits(1).says("✗", "nonsense")


def test_the_reference_page_is_current(muster: Muster) -> None:
    assert muster.run("schema", "reference").exits(0).out == (ROOT / "docs" / "spec-reference.md").read_text()


def test_a_plan_file_is_shown(running: Muster) -> None:
    running.edit("net", "description: user interface", "description: changed")
    shown = running.plan("--out", "a.plan").exits(2).out
    assert running.run("show", "a.plan").exits(0).out == shown
    document = running.run("show", "a.plan", "--format", "json").exits(0).json
    assert document == json.loads((running.folder / "a.plan").read_text())
    assert "changed" in running.run("show", "a.plan", "--format", "markdown").exits(0).out
