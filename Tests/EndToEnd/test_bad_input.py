"""Bad input gets an answer with a place and a cure, and nothing is sent or changed."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
from dataclasses import dataclass
from pathlib import Path

import pytest
from harness import Cloud, Muster
from specs import NETWORK, PAIR, SMALL_VPC

PLACE = re.compile(r"--> specs/[\w/.-]+:\d+:\d+")


@dataclass
class Bad:
    """A spec that is wrong, and what is to be said of it."""

    what: str
    spec: str
    place: str
    says: tuple[str, ...]


TABLE = [
    Bad("an unknown section", "vcp:\n  main: { cidr_block: 10.0.0.0/16 }\n", "1:1", ("vcp", 'Did you mean "vpc"?')),
    Bad("an unknown key", "vpc:\n  main:\n    cidr_blok: 10.0.0.0/16\n", "3:5", ("cidr_blok", '"cidr_block"')),
    Bad("an unknown function", "vpc:\n  main:\n    cidr_block: ${uper('x')}\n", "3:19", ("uper", '"upper"')),
    Bad("an unknown variable", "variables: { network: { default: 10.0.0.0/16 } }\nvpc:\n  main: { cidr_block: \"${var.netwrk}\" }\n",
        "3:26", ("netwrk", '"network"')),
    Bad("an unknown reference", "vpc:\n  main: { cidr_block: 10.0.0.0/16 }\nsecurity_groups:\n  web: { vpc: mian }\n", "4:15",
        ("mian", '"main"')),
    Bad("an unknown output of a resource", "vpc:\n  main: { cidr_block: 10.0.0.0/16 }\noutputs:\n  x: ${vpc.main.idd}\n", "4:", ("idd", '"id"')),
    Bad("a wrong type", "vpc:\n  main:\n    cidr_block: 10.0.0.0/16\n    enable_dns_support: [1]\n", "4:25", ("enable_dns_support",)),
    Bad("yes for true", "vpc:\n  main:\n    cidr_block: 10.0.0.0/16\n    enable_dns_support: yes\n", "4:25", ("yes", "true")),
    Bad("something missing", "vpc:\n  main: { enable_dns_support: true }\n", "2:", ("cidr_block",)),
    Bad("a key twice", "vpc:\n  main:\n    cidr_block: 10.0.0.0/16\n    cidr_block: 10.1.0.0/16\n", "4:5", ("cidr_block", "3")),
    Bad("a name twice", "vpc:\n  main: { cidr_block: 10.0.0.0/16 }\n  main: { cidr_block: 10.1.0.0/16 }\n", "3:3", ("main",)),
    Bad("a remote name twice", SMALL_VPC.strip() + "\nsecurity_groups:\n  one: { vpc: main, name: web }\n  two: { vpc: main, name: web }\n",
        "5:", ("web",)),
    Bad("a name twice after expansion", "variables: { a: { default: x }, b: { default: x } }\nvpc:\n  main: { cidr_block: 10.0.0.0/16 }\nsecurity_groups:\n"
        "  ${var.a}: { vpc: main }\n  ${var.b}: { vpc: main }\n", "6:", ("x",)),
    Bad("an expression without quotes in flow", "variables: { n: { default: 10.0.0.0/16 } }\nvpc:\n  main: { cidr_block: ${var.n} }\n", "3:", ("quote",)),
    Bad("a cycle of variables", "variables:\n  a: { default: \"${var.b}\" }\n  b: { default: \"${var.a}\" }\nvpc:\n  main: { cidr_block: \"${var.a}\" }\n",
        "3:", ("a → b → a",)),
    Bad("a cycle of resources", "vpc:\n  one: { cidr_block: 10.0.0.0/16, tags: { Other: \"${vpc.two.id}\" } }\n"
        "  two: { cidr_block: 10.1.0.0/16, tags: { Other: \"${vpc.one.id}\" } }\n", "2:", ("aws.vpc/one", "aws.vpc/two", "3:")),
    Bad("a subnet outside its VPC", "vpc:\n  main:\n    cidr_block: 10.0.0.0/16\n    subnets:\n      a: { cidr_block: 10.1.0.0/24 }\n", "5:24",
        ("10.1.0.0/24", "10.0.0.0/16")),
    Bad("subnets that overlap", "vpc:\n  main:\n    cidr_block: 10.0.0.0/16\n    subnets:\n      a: { cidr_block: 10.0.0.0/23 }\n"
        "      b: { cidr_block: 10.0.1.0/24 }\n", "6:24", ("10.0.1.0/24", "10.0.0.0/23")),
    Bad("no network at all", "vpc:\n  main: { cidr_block: 10.0.0/16 }\n", "2:23", ("10.0.0/16",)),
    Bad("host bits", "vpc:\n  main: { cidr_block: 10.0.0.1/16 }\n", "2:23", ("10.0.0.1/16", "10.0.0.0/16")),
    Bad("ports upside down", SMALL_VPC.strip() + "\nsecurity_groups:\n  web: { vpc: main, ingress: [{ ports: 443-80, from: [any] }] }\n", "4:", ("443", "80")),
    Bad("a port that is none", SMALL_VPC.strip() + "\nsecurity_groups:\n  web: { vpc: main, ingress: [{ port: 70000, from: [any] }] }\n", "4:", ("70000", "65535")),
    Bad("a negative count", SMALL_VPC.strip() + "\nsecurity_groups:\n  web: { count: -1, vpc: main }\n", "4:17", ("-1",)),
    Bad("a huge count", SMALL_VPC.strip() + "\nsecurity_groups:\n  web: { count: 1000000000, vpc: main }\n", "4:17", ("1000000000",)),
    Bad("a count that is not whole", SMALL_VPC.strip() + "\nsecurity_groups:\n  web: { count: 1.5, vpc: main }\n", "4:17", ("1.5",)),
    Bad("a value that is not allowed", "vpc:\n  main: { cidr_block: 10.0.0.0/16, instance_tenancy: shared }\n", "2:", ("shared", "dedicated")),
    Bad("not YAML", "vpc: [\n", "", ()),
    Bad("a tab", "vpc:\n\tmain: { cidr_block: 10.0.0.0/16 }\n", "2:", ("tab",)),
    Bad("a list where a map is wanted", "- vpc\n", "1:", ("map",)),
    Bad("a rule in both forms", SMALL_VPC.strip() + "\nsecurity_groups:\n  web: { vpc: main, ingress: [{ port: 1, ports: 1-2, from: [any] }] }\n", "4:", ("port", "ports")),
    Bad("the same rule twice", SMALL_VPC.strip() + "\nsecurity_groups:\n  web:\n    vpc: main\n    ingress: [{ port: 1, from: [any] }, { port: 1, from: [any] }]\n", "6:", ()),
    Bad("a bad name", "vpc:\n  'self': { cidr_block: 10.0.0.0/16 }\nsecurity_groups:\n  'any': { vpc: main }\n", "", ("any",)),
    Bad("a foreign anchor", "vpc:\n  main: *nowhere\n", "2:", ("nowhere",)),
    Bad("no UTF-8", "vpc:\n  main: { cidr_block: 10.0.0.0/16, tags: { Name: \udcff } }\n", "2:", ("UTF-8",)),
    Bad("an expression that does not end", "vpc:\n  main: { cidr_block: \"${var.x\" }\n", "2:", ("}",)),
    Bad("a division by nothing", "vpc:\n  main:\n    cidr_block: 10.0.0.0/16\n    tags: { A: \"${1 / 0}\" }\n", "4:", ("zero",)),
]  # fmt: skip


def refused(muster: Muster, cloud: Cloud, *arguments: str, code: int = 1):  # type: ignore[no-untyped-def]
    """Every command that reads the workspace says the same; nothing is sent and the state is what it was."""
    state = muster.digest()
    cloud.sandbox.reset_log()
    run = muster.run("plan", *arguments).exits(code)
    assert cloud.requests() == [], run
    assert muster.digest() == state
    assert run.out == ""
    assert "bug in muster" not in run.err, run
    return run


@pytest.mark.parametrize("bad", TABLE, ids=lambda b: b.what)
def test_a_spec_that_is_wrong(muster: Muster, cloud: Cloud, bad: Bad) -> None:
    muster.write(net="")
    (muster.specs / "net.yaml").write_bytes(bad.spec.encode("utf-8", "surrogateescape"))
    run = refused(muster, cloud).says(*bad.says)
    assert all(PLACE.search(complaint) for complaint in run.err.split("error[")[1:]), run
    assert f"specs/net.yaml:{bad.place}" in run.err, run
    muster.run("validate").exits(1).says(*bad.says)
    assert cloud.requests() == []


def test_a_cycle_across_stacks_is_drawn(muster: Muster, cloud: Cloud) -> None:
    muster.write(
        one="vpc:\n  one: { cidr_block: 10.0.0.0/16, tags: { Other: \"${stack('two').vpc.two.id}\" } }\n",
        two="uses: [one]\nvpc:\n  two: { cidr_block: 10.1.0.0/16, tags: { Other: \"${vpc.one.id}\" } }\n",
    )
    (muster.specs / "one.yaml").write_text(
        'uses: [two]\nvpc:\n  one: { cidr_block: 10.0.0.0/16, tags: { Other: "${vpc.two.id}" } }\n'
    )
    refused(muster, cloud).says("one:aws.vpc/one", "two:aws.vpc/two", "specs/one.yaml:3", "specs/two.yaml:3")


def test_all_mistakes_are_told_at_once(muster: Muster, cloud: Cloud) -> None:
    muster.write(
        net="""\
        vpc:
          main: { cidr_block: 10.0.0.0/33, enable_dns: true }
        security_groups:
          web: { vpc: mian, ingress: [{ ports: 9-1, from: [any] }] }
        """
    )
    run = refused(muster, cloud)
    for place in ("2:23", "2:36", "4:15", "4:40"):
        assert f"specs/net.yaml:{place}" in run.err, run
    assert run.err.count("error[") == 4, run
    # What may stand in the section that nobody knows is not called missing.
    (muster.specs / "net.yaml").write_text("vcp: {}\n" + (muster.specs / "net.yaml").read_text())
    run = refused(muster, cloud)
    for place in ("1:1", "3:23", "3:36", "5:40"):
        assert f"specs/net.yaml:{place}" in run.err, run
    assert run.err.count("error[") == 4, run


def test_a_value_for_a_variable_that_is_none(muster: Muster, cloud: Cloud) -> None:
    muster.write(net="variables: { size: { type: integer, default: 1 } }\n" + SMALL_VPC)
    refused(muster, cloud, "--var", "sise=2").says("sise", '"size"')
    refused(muster, cloud, "--var", "size=many").says("many", "integer")
    refused(muster, cloud, "--var", "size").says("name=value")
    refused(muster, cloud, "--var-file", "nowhere.yaml").says("nowhere.yaml")


def test_a_secret_is_not_taken_from_the_command_line(muster: Muster, cloud: Cloud) -> None:
    muster.write(net="variables: { password: { secret: env:PASSWORD } }\n" + SMALL_VPC)
    refused(muster, cloud, "--var", "password=hunter2").says("password").says_not("hunter2")


def test_what_is_on_the_command_line(muster: Muster, cloud: Cloud) -> None:
    muster.write(net=SMALL_VPC)
    refused(muster, cloud, "--stack", "nett").says("nett", '"net"')
    refused(muster, cloud, "--only", "aws.vpc/mian", code=1).says("mian", "aws.vpc/main")
    muster.run("plna").exits(64).says("plan")
    muster.run("plan", "--onyl", "x").exits(64).says("--only")
    muster.run("apply", "--allow", "everything").exits(64).says("everything", "public-exposure")
    muster.run("apply", "--parallelism", "0").exits(64)


def test_no_workspace(muster: Muster, cloud: Cloud) -> None:
    shutil.rmtree(muster.specs)
    refused(muster, cloud).says("muster.yaml", "muster init")
    refused(muster, cloud, "-C", "elsewhere").says("elsewhere/muster.yaml")


def test_a_spec_that_is_not_there(muster: Muster, cloud: Cloud) -> None:
    muster.write(muster="workspace: test\nregion: us-east-1\nstacks:\n  net: nowhere.yaml\n")
    refused(muster, cloud).says("specs/muster.yaml:4:8", "nowhere.yaml")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_spec_that_may_not_be_read(muster: Muster, cloud: Cloud) -> None:
    muster.write(net=SMALL_VPC)
    (muster.specs / "net.yaml").chmod(0)
    refused(muster, cloud).says("net.yaml", "ermission")


def test_fifty_megabytes(muster: Muster, cloud: Cloud) -> None:
    muster.write(net="")
    with (muster.specs / "net.yaml").open("w") as file:
        file.write("x-big:\n")
        file.writelines(f'  key{n}: "{"x" * 1000}"\n' for n in range(50_000))
    refused(muster, cloud).says("specs/net.yaml", "MiB")


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "&a [", "? "], ids=["lists", "maps", "blocks", "anchors", "keys"])
def test_ten_thousand_deep(muster: Muster, cloud: Cloud, opening: str) -> None:
    muster.write(net="x-deep:\n  " + opening * 10_000 + "\n")
    run = refused(muster, cloud)
    assert PLACE.search(run.err), run.err[:2000]


def test_an_alias_bomb(muster: Muster, cloud: Cloud) -> None:
    lines = ["x-0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    lines += [f"x-{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    muster.write(net="\n".join(lines) + "\n")
    run = refused(muster, cloud).says("specs/net.yaml:", "alias")
    assert PLACE.search(run.err), run


def test_one_line_of_a_megabyte_is_not_printed_whole(muster: Muster, cloud: Cloud) -> None:
    muster.write(net="vpc: { main: { cidr_block: 10.0.0.0/16, nonsense: " + "x" * 1_000_000 + " } }\n")
    run = refused(muster, cloud).says("specs/net.yaml:1:", "nonsense")
    assert len(run.err) < 5000


def test_escape_codes_in_a_spec_do_not_reach_the_terminal(muster: Muster, cloud: Cloud) -> None:
    muster.write(net='vpc:\n  main: { cidr_block: 10.0.0.0/16, "\\e[31mred": 1 }\n')
    assert "\x1b" not in refused(muster, cloud).err


# State files


def broken_state(muster: Muster, cloud: Cloud, code: int, *texts: str) -> None:
    """What reads or writes the state says so, and changes neither state nor world."""
    state = muster.digest()
    for command in (["plan"], ["apply", "--auto-approve"], ["drift"], ["destroy", "--auto-approve"], ["state", "list"]):
        cloud.sandbox.reset_log()
        run = muster.run(*command).exits(code).says(*texts)
        assert cloud.changes() == [], run
        assert muster.digest() == state, run
    assert muster.run("doctor").exits(1).says(*texts)


@pytest.fixture
def running(muster: Muster) -> Muster:
    """A VPC and two groups, applied."""
    muster.write(net=SMALL_VPC + PAIR)
    muster.apply().exits(0)
    return muster


def test_a_state_that_is_text(muster: Muster, cloud: Cloud) -> None:
    muster.write(net=SMALL_VPC)
    muster.state.write_text("this is my shopping list\n" * 100)
    broken_state(muster, cloud, 1, str(muster.state), "database")


def test_a_state_that_is_a_folder(muster: Muster, cloud: Cloud) -> None:
    muster.write(net=SMALL_VPC)
    muster.state.mkdir()
    broken_state(muster, cloud, 1, str(muster.state))


def test_a_state_of_another_program(muster: Muster, cloud: Cloud) -> None:
    muster.write(net=SMALL_VPC)
    with sqlite3.connect(muster.state) as database:
        database.execute("CREATE TABLE customers (name TEXT)")
        database.execute("INSERT INTO customers VALUES ('Ada')")
    database.close()
    broken_state(muster, cloud, 1, str(muster.state))
    with sqlite3.connect(muster.state) as database:
        assert database.execute("SELECT * FROM customers").fetchall() == [("Ada",)]
    database.close()


def test_a_state_of_a_newer_muster(running: Muster, cloud: Cloud) -> None:
    with sqlite3.connect(running.state) as database:
        tables = {row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if "grdb_migrations" in tables:
            database.execute("INSERT INTO grdb_migrations VALUES ('v99-from-the-future')")
        else:
            (version,) = database.execute("PRAGMA user_version").fetchone()
            database.execute(f"PRAGMA user_version = {version + 98}")
    database.close()
    broken_state(running, cloud, 3, str(running.state), "newer")


def test_a_torn_state(running: Muster, cloud: Cloud) -> None:
    content = running.state.read_bytes()
    for name in ("-wal", "-shm"):
        Path(f"{running.state}{name}").unlink(missing_ok=True)
    running.state.write_bytes(content[: len(content) // 2])
    broken_state(running, cloud, 1, str(running.state))


def test_a_state_of_zero_bytes(muster: Muster, cloud: Cloud) -> None:
    """muster never leaves an empty file, so one that is empty has lost what it held."""
    muster.write(net=SMALL_VPC)
    muster.state.write_bytes(b"")
    broken_state(muster, cloud, 1, str(muster.state), "empty")


def test_a_lock_that_is_damaged(muster: Muster, cloud: Cloud) -> None:
    muster.write(
        net="""\
        lookups:
          amis: { node: { owners: [self], name: "packer-prod-rancher-containerhost_*", most_recent: true } }
        outputs:
          image: ${lookups.amis.node.id}
        """
    )
    muster.lock.write_text("{ torn")
    muster.run("plan").exits(1).says(str(muster.lock))
    assert muster.lock.read_text() == "{ torn"


def test_bad_input_leaves_what_runs_alone(running: Muster, cloud: Cloud) -> None:
    running.write(net=NETWORK + "nonsense: {}\n")
    before = cloud.count()
    refused(running, cloud)
    cloud.sandbox.reset_log()
    running.apply().exits(1)
    assert cloud.requests() == []
    assert cloud.count() == before
