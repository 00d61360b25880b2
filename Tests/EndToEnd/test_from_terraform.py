"""docs/from-terraform.md: its specs are one workspace that is valid and can be planned."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from harness import ROOT, Cloud, Muster

GUIDE = ROOT / "docs" / "from-terraform.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(language: str) -> list[str]:
    return [text for kind, text in BLOCK.findall(GUIDE.read_text()) if kind == language]


def files() -> dict[str, str]:
    """The specs of the guide: the first line of each is a comment with its name."""
    named = {}
    for text in blocks("yaml"):
        match = re.match(r"# ([\w-]+\.yaml)\n", text)
        assert match, f"this block does not say its file:\n{text}"
        assert match.group(1) not in named
        named[match.group(1)] = text
    return named


@pytest.fixture
def guide(muster: Muster) -> Muster:
    """muster in the workspace of the guide."""
    for name, text in files().items():
        (muster.specs / name).write_text(text)
    return muster


def test_the_specs_of_the_guide_are_valid(guide: Muster, cloud: Cloud) -> None:
    cloud.sandbox.reset_log()
    guide.run("validate").exits(0)
    assert not cloud.calls()
    listed = set(re.findall(r"([\w-]+\.yaml)", (guide.specs / "muster.yaml").read_text())) - {"muster.yaml"}
    assert {Path(name).name for name in files()} == listed | {"muster.yaml"}


def test_the_specs_of_the_guide_can_be_planned(guide: Muster, cloud: Cloud) -> None:
    legacy = cloud.ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    guide.edit("legacy", "vpc-0123456789abcdef0", legacy)
    guide.plan().exits(2).says("0 to destroy. 1 to import.")


def test_every_concept_stands_beside_its_hcl() -> None:
    text = GUIDE.read_text()
    assert len(blocks("hcl")) >= 12
    for word in ("provider", "backend", "variable", "data ", "count", "for_each", "module", "aws_vpc", "aws_security_group",
                 "aws_db_instance", "aws_lb_target_group", "aws_lb_listener", "aws_autoscaling_group",
                 "aws_launch_template", "aws_autoscaling_policy", "aws_cloudwatch_metric_alarm", "aws_iam_role",
                 "aws_route53_record", "lifecycle", "import {", "state mv", "output ", "terraform plan"):  # fmt: skip
        assert word in text, word


def test_every_row_of_its_tables_is_whole() -> None:
    text = GUIDE.read_text()
    for tag in ("table", "tr", "td", "th"):
        assert text.count(f"<{tag}>") == text.count(f"</{tag}>"), tag
