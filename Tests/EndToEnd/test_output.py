"""What muster says, to whom and in which form."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from harness import BINARY, ESCAPE, Cloud, Muster
from specs import NETWORK, PAIR, SMALL_VPC


def check(muster: Muster, kind: str, document: Any) -> None:
    """Against the schema that muster prints."""
    schema = muster.run("schema", kind).exits(0).json
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(document)


@pytest.fixture
def running(muster: Muster) -> Muster:
    """A VPC and two groups, applied, with an output."""
    muster.write(net=SMALL_VPC + PAIR + "outputs:\n  vpc_id: ${vpc.main.id}\n")
    muster.apply().exits(0)
    return muster


def disturb(cloud: Cloud) -> None:
    """Something changed, something foreign, something gone."""
    groups = cloud.groups()
    permission = {"IpProtocol": "tcp", "FromPort": 23, "ToPort": 23, "IpRanges": [{"CidrIp": "192.0.2.0/24"}]}
    (rule,) = cloud.rules("node")
    cloud.ec2.authorize_security_group_ingress(GroupId=groups["node"]["GroupId"], IpPermissions=[permission])
    cloud.ec2.create_tags(Resources=[groups["alb"]["GroupId"]], Tags=[{"Key": "Name", "Value": "hand"}])
    cloud.ec2.revoke_security_group_ingress(GroupId=rule["GroupId"], SecurityGroupRuleIds=[rule["SecurityGroupRuleId"]])


def test_plans_fit_their_schema(muster: Muster, cloud: Cloud) -> None:
    muster.write(net=NETWORK + PAIR)
    check(muster, "plan", muster.run("plan", "--format", "json").exits(0).json)
    muster.run("plan", "--out", "a.plan").exits(0)
    check(muster, "plan", json.loads((muster.folder / "a.plan").read_text()))
    muster.apply().exits(0)
    check(muster, "plan", muster.run("plan", "--format", "json").exits(0).json)
    disturb(cloud)
    muster.edit("net", "description: in front", "description: far in front")
    changed = muster.run("plan", "--format", "json").exits(0).json
    check(muster, "plan", changed)
    assert {c["action"] for c in changed["changes"]} >= {"create", "delete", "replace-create-first"}
    check(muster, "plan", muster.run("plan", "--destroy", "--format", "json").exits(0).json)


def test_drift_fits_its_schema(running: Muster, cloud: Cloud) -> None:
    check(running, "drift", running.drift("--format", "json").exits(0).json)
    disturb(cloud)
    found = running.drift("--format", "json").exits(2).json
    check(running, "drift", found)
    assert found["summary"] == {"changed": 1, "foreign": 1, "gone": 1, "phantoms": 0, "checked": 6}


def test_the_other_documents_fit_their_schemas(running: Muster) -> None:
    check(running, "state-list", running.run("state", "list", "--format", "json").exits(0).json)
    check(running, "state-show", running.run("state", "show", "aws.vpc/main", "--format", "json").exits(0).json)
    check(running, "outputs", running.run("output", "--format", "json").exits(0).json)
    check(running, "validate", running.run("validate", "--format", "json").exits(0).json)
    running.write(net=SMALL_VPC + "nonsense: 1\n")
    wrong = running.run("validate", "--format", "json").exits(1).json
    check(running, "validate", wrong)
    assert (wrong["valid"], wrong["errors"]) == (False, 1)


def test_events_fit_their_schema(muster: Muster, cloud: Cloud, tmp_path: Path) -> None:
    muster.write(net=NETWORK)
    events = tmp_path / "events.jsonl"
    cloud.sandbox.faults({"operation": "CreateNatGateway", "status": 403, "code": "UnauthorizedOperation", "times": 1})
    muster.apply("--events", events).exits(1)
    lines = [json.loads(line) for line in events.read_text().splitlines()]
    schema = jsonschema.Draft202012Validator(muster.run("schema", "events").json)
    for line in lines:
        schema.validate(line)
    assert {line["event"] for line in lines} >= {"started", "step-started", "step-finished", "step-failed", "step-skipped"}
    assert [line["at"] for line in lines] == sorted(line["at"] for line in lines)


@pytest.mark.parametrize("name", ["spec", "workspace", "plan", "drift", "state-list", "state-show", "validate", "outputs", "events"])
def test_schemas_are_schemas(muster: Muster, name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(muster.run("schema", name).exits(0).json)


def test_the_schema_of_specs_knows_right_from_wrong(muster: Muster) -> None:
    import yaml

    schema = jsonschema.Draft202012Validator(muster.run("schema", "spec").exits(0).json)
    for right in (NETWORK, PAIR, SMALL_VPC):
        schema.validate(yaml.safe_load(right))
    with pytest.raises(jsonschema.ValidationError):
        schema.validate({"vpc": {"main": {"cidr_blok": "10.0.0.0/16"}}})
    with pytest.raises(jsonschema.ValidationError):
        schema.validate({"vcp": {}})


def test_markdown_fits_into_a_comment(muster: Muster) -> None:
    groups = "".join(f"  g{n}: {{ vpc: main, ingress: [{{ port: 22, from: [any] }}] }}\n" for n in range(600))
    muster.write(net=SMALL_VPC + "security_groups:\n" + groups)
    text = muster.run("plan", "--format", "markdown").exits(0).out
    assert len(text) <= 65_536
    assert "1801 to add" in text or "1,801 to add" in text
    # What is dangerous stands first.
    assert text.index("public-exposure") < text.index("aws.security_group/")


def test_markdown_of_a_small_plan(running: Muster, cloud: Cloud) -> None:
    disturb(cloud)
    text = running.run("plan", "--format", "markdown").exits(0).out
    assert "aws.security_group_rule/node/ingress/tcp/8080/alb" in text
    text = running.drift("--format", "markdown").exits(2).out
    assert "net:aws.security_group/alb" in text or "aws.security_group/alb" in text
    assert "net.yaml:" in text


def test_the_result_is_on_stdout_and_talk_on_stderr(muster: Muster) -> None:
    muster.write(net=SMALL_VPC)
    plan = muster.plan("--out", "a.plan")
    assert "Plan: 1 to add" in plan.out
    assert "a.plan" in plan.err
    assert "Plan:" not in plan.err
    apply = muster.run("apply", "a.plan")
    assert "Apply complete" in apply.out
    assert "creating" in apply.err
    assert "creating" not in apply.out
    wrong = muster.write(net="nonsense: 1\n").run("plan")
    assert wrong.out == ""


def test_json_is_nothing_but_json(running: Muster) -> None:
    for command in (["plan", "-v"], ["drift", "-v"], ["output"], ["state", "list"], ["validate"]):
        run = running.run(*command, "--format", "json")
        json.loads(run.out)
        assert run.out.endswith("}\n")


@pytest.mark.parametrize("variables", [{}, {"NO_COLOR": "1"}, {"NO_COLOR": "1", "CLICOLOR_FORCE": "1"}, {"TERM": "dumb"}])
def test_no_escape_codes_in_pipes(running: Muster, cloud: Cloud, variables: dict[str, str]) -> None:
    disturb(cloud)
    for command in (["plan"], ["drift"], ["apply"], ["state", "list"], ["doctor"], ["graph"]):
        assert ESCAPE not in running.run(*command, **variables).text
    (running.specs / "net.yaml").write_text("nonsense: 1\n")
    assert ESCAPE not in running.run("plan", **variables).text


def test_colour_where_it_is_forced(running: Muster, cloud: Cloud) -> None:
    disturb(cloud)
    assert ESCAPE in running.run("plan", CLICOLOR_FORCE="1").out
    assert ESCAPE not in running.run("plan", "--plain", CLICOLOR_FORCE="1").text


def test_a_reader_that_goes_away(running: Muster) -> None:
    command = f"'{BINARY}' state list | head -n 1"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], cwd=running.folder, env=running.environment, capture_output=True, text=True
    )
    assert done.stdout.count("\n") == 1
    assert done.stderr == ""


def test_symbols_and_the_line_that_is_looked_for(running: Muster, cloud: Cloud) -> None:
    disturb(cloud)
    running.edit("net", "description: in front", "description: far in front")
    out = running.plan("--out", "a.plan").exits(2).out
    assert re.search(r"^Plan: \d+ to add, \d+ to change, \d+ to destroy\.", out, re.MULTILINE)
    for symbol in (" + aws.", " - aws.", " +/- aws."):
        assert symbol in out, out
    assert running.run("show", "a.plan").exits(0).out == out


def test_outputs(running: Muster, cloud: Cloud) -> None:
    vpc = cloud.vpc()["VpcId"]
    assert running.run("output", "vpc_id", "--raw").exits(0).out == f"{vpc}\n"
    running.run("output").exits(0).says("net:vpc_id", vpc)
    running.run("output", "vpc_idd").exits(1).says('"vpc_id"')
    assert running.run("output", "net:vpc_id", "--format", "json").json["outputs"]["net"]["vpc_id"]["value"] == vpc


def test_version_and_help() -> None:
    for arguments in (["--version"], ["--help"], ["help", "plan"], ["plan", "--help"]):
        done = subprocess.run([BINARY, *arguments], env={}, cwd="/", capture_output=True, text=True)
        assert done.returncode == 0, arguments
        assert done.stdout
        assert done.stderr == ""


def test_verbose_names_each_request(running: Muster, cloud: Cloud) -> None:
    cloud.sandbox.reset_log()
    run = running.plan("-v").exits(0)
    said = re.findall(r"^→ \w+ (\w+) ", run.err, re.MULTILINE)
    assert sorted(said) == sorted(e["operation"] for e in cloud.requests())
