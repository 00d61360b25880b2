"""On a terminal: questions, colours and what moves."""

from __future__ import annotations

import pytest
from harness import Cloud, Muster
from specs import NETWORK, PAIR, SMALL_VPC
from terminal import COLOUR, CONTROL, Terminal

WORLD_OPEN = SMALL_VPC + "security_groups:\n  bastion: { vpc: main, ingress: [{ port: 22, from: [any] }] }\n"


def test_yes_applies(muster: Muster, cloud: Cloud) -> None:
    muster.write(net=SMALL_VPC + PAIR)
    with Terminal(muster, "apply") as terminal:
        terminal.expect("Plan: 6 to add")
        terminal.expect('Only "yes" is taken as yes:')
        assert cloud.count() == {}
        terminal.type("yes\n")
        assert terminal.end() == 0
        assert "Apply complete: 6 added" in terminal.text
        assert COLOUR.search(terminal.seen)
    assert cloud.count() == {"vpcs": 1, "security groups": 2, "security group rules": 3}


@pytest.mark.parametrize("answer", ["no\n", "\n", "y\n", "yes please\n", "\x04"], ids=["no", "nothing", "y", "more", "end"])
def test_anything_else_does_not(muster: Muster, cloud: Cloud, answer: str) -> None:
    muster.write(net=SMALL_VPC)
    with Terminal(muster, "apply") as terminal:
        terminal.expect('Only "yes" is taken as yes:')
        terminal.type(answer)
        assert terminal.end() == 3
        assert "Nothing was changed" in terminal.text
    assert cloud.changes() == []
    assert not muster.state.exists()


def test_a_hazard_is_allowed_by_typing_its_name(muster: Muster, cloud: Cloud) -> None:
    muster.write(net=WORLD_OPEN)
    with Terminal(muster, "apply") as terminal:
        terminal.expect("hazard public-exposure")
        terminal.type("yes\n")
        assert terminal.end() == 3
    assert cloud.count() == {}
    with Terminal(muster, "apply") as terminal:
        terminal.expect("hazard public-exposure")
        terminal.type("public-exposure\n")
        terminal.expect('Only "yes" is taken as yes:')
        terminal.type("yes\n")
        assert terminal.end() == 0
    assert cloud.count()["security groups"] == 1


def test_progress_moves_and_leaves_the_terminal_as_it_was(muster: Muster) -> None:
    muster.write(net=NETWORK)
    with Terminal(muster, "apply", "--auto-approve") as terminal:
        assert terminal.end() == 0
        assert "\x1b[?25l" in terminal.seen
        assert terminal.seen.rindex("\x1b[?25h") > terminal.seen.rindex("\x1b[?25l")
        assert "\x1b[J" in terminal.seen
        assert "aws.nat_gateway/a" in terminal.text
        assert "Apply complete: 20 added" in terminal.text


@pytest.mark.parametrize("how", [{"NO_COLOR": "1"}, {"CI": "true"}, {"TERM": "dumb"}], ids=lambda h: next(iter(h)))
def test_what_turns_colour_or_motion_off(muster: Muster, how: dict[str, str]) -> None:
    muster.write(net=SMALL_VPC)
    with Terminal(muster, "apply", "--auto-approve", **how) as terminal:
        assert terminal.end() == 0
        if "CI" in how:
            assert "\x1b[?25l" not in terminal.seen
        else:
            assert not COLOUR.search(terminal.seen)
        if "TERM" in how:
            assert not CONTROL.search(terminal.seen)


def test_plain_has_no_codes_at_all(muster: Muster) -> None:
    muster.write(net=SMALL_VPC + PAIR)
    with Terminal(muster, "apply", "--auto-approve", "--plain") as terminal:
        assert terminal.end() == 0
        assert "\x1b" not in terminal.seen


@pytest.mark.parametrize("columns", [20, 40, 80])
def test_a_narrow_terminal_is_not_torn(muster: Muster, columns: int) -> None:
    """A frame that is wider than the terminal would wrap, and going back up would end in the wrong line."""
    muster.write(net=NETWORK)
    with Terminal(muster, "apply", "--auto-approve", columns=columns, rows=12) as terminal:
        assert terminal.end() == 0
        assert "Apply complete" in terminal.text.replace("\n", " ")


def test_control_c_at_the_question(muster: Muster, cloud: Cloud) -> None:
    muster.write(net=SMALL_VPC)
    with Terminal(muster, "apply") as terminal:
        terminal.expect('Only "yes" is taken as yes:')
        terminal.type("\x03")
        assert terminal.end() in (-2, 130)
    assert cloud.changes() == []


def test_control_c_while_it_applies(muster: Muster, cloud: Cloud) -> None:
    muster.write(net=SMALL_VPC + PAIR)
    cloud.sandbox.faults({"operation": "CreateVpc", "kind": "delay", "delay": 1})
    with Terminal(muster, "apply", "--auto-approve") as terminal:
        terminal.expect("aws.vpc/main")
        while cloud.sandbox.control("GET", "faults"):  # until the call is under way
            assert terminal.process.poll() is None
        terminal.type("\x03")
        assert terminal.end() == 130
        assert terminal.seen.rindex("\x1b[?25h") > terminal.seen.rindex("\x1b[?25l")
    assert cloud.count() == {"vpcs": 1}
    assert set(muster.ids()) == {"net:aws.vpc/main"}
    muster.apply().exits(0)
    assert cloud.count() == {"vpcs": 1, "security groups": 2, "security group rules": 3}
