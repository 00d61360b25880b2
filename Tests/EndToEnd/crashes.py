"""Kills muster, and counts what is left: the laboratory of `test_crashes.py` and of `make crash-test`.

A case is: a world in a known condition, a run that is killed (SIGKILL) at a boundary of one of its calls or at an instant,
and then the same command again, unhurt. Afterwards independent clients count: nothing is there twice, nothing is there
that the state does not know, nothing foreign was touched, nothing is leased or open, and the next plan is empty.

    python Tests/EndToEnd/crashes.py --runs 200 --seed 1           # instants over apply, replace and destroy
    python Tests/EndToEnd/crashes.py --boundaries 20 --seed 1      # so many at each boundary, per kind of operation
    python Tests/EndToEnd/crashes.py --runs 100 --platform         # on the reference workspace
    python Tests/EndToEnd/crashes.py --boundaries 5 --power        # not only death: what was not synced is lost too
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness import ROOT, Cloud, Muster, Run, Sandbox
from machine import Platter
from proxy import Call, Proxy, Trap
from ranchers import Rancher
from specs import IDENTITY, NETWORK, PAIR

KINDS = ("create", "update", "replace", "destroy")
# "before the commit": the reply was read, and the write of its result is held up by somebody else's lock.
BOUNDARIES = ("before the send", "after the effect", "before the commit", "in the middle of the reply", "after the reply")

NODE = """
control_nodes:
  node:
    ami: ami-0a1b2c3d4e5f60711
    instance_type: m5.large
    subnets: [prod-a]
    security_groups: [node]
    user_data: |
      #!/bin/sh
      echo one
"""
WORKSPACE = """
workspace: crashes
region: us-east-1
tags: { ManagedBy: muster, Owner: one }
stacks:
  net: net.yaml
  base: base.yaml
"""
# By file: what is changed in place, and what makes new objects.
Edits = dict[str, list[tuple[str, str]]]
UPDATES: Edits = {
    "muster": [("Owner: one", "Owner: two")],
    "net": [
        ("description: user interface", "description: console"),
        ("enable_dns_hostnames: true", "enable_dns_hostnames: false"),
        ("203.0.113.0/24", "198.51.100.0/24"),
    ],
    "base": [("s3:GetObject", "s3:ListBucket"), ("198.51.100.7", "198.51.100.8"), ("What a node may do", "What it does")],
}
REPLACEMENTS: Edits = {
    "net": [
        ("description: behind", "description: far behind"),
        ("cidr_block: 10.0.32.0/20", "cidr_block: 10.0.48.0/20"),
        ("a: { subnet: public-a }", "a: { subnet: public-b }"),
        ("ami: ami-0a1b2c3d4e5f60711", "ami: ami-0f8bce65"),
    ],
    "base": [("AAAAC3NzaC1lZDI1NTE5AAAAIKXlJ0DOMYqoXtGuYt", "AAAAC3NzaC1lZDI1NTE5AAAAIBXlJ0DOMYqoXtGuYt")],
}
# The same for the reference workspace.
PLATFORM_UPDATES: Edits = {
    "muster": [("tags: { ManagedBy: muster }", "tags: { ManagedBy: muster, Owner: two }")],
    "base": [("203.0.113.0/24", "203.0.113.0/25")],
    "rancher": [("idle_timeout: 900", "idle_timeout: 600")],
    "rancher-rds": [("backup_retention_period: 14", "backup_retention_period: 7")],
    "container-hosts": [("above: 70", "above: 75")],
}
PLATFORM_REPLACEMENTS: Edits = {
    "security-groups": [("description: Where secrets are kept", "description: The vault")],
    "rancher": [
        ("root_volume: { size: 40, type: gp3 }", "root_volume: { size: 40, type: gp3, encrypted: true }"),
        ("AAAAC3NzaC1lZDI1NTE5AAAAIKXlJ0DOMYqoXtGuYt", "AAAAC3NzaC1lZDI1NTE5AAAAIBXlJ0DOMYqoXtGuYt"),
    ],
    "application": [("port: 8000", "port: 8001")],
}
ALLOW = ["--allow", "irreversible,downtime,data-loss,iam-widening,public-exposure"]


class Broken(AssertionError):
    """A law was broken."""


@dataclass
class Case:
    kind: str
    # A boundary of the `number`-th call that changes something; or seconds after the start.
    boundary: str = ""
    number: int = 0
    instant: float = 0.0

    def __str__(self) -> str:
        where = f"{self.boundary} of change {self.number}" if self.boundary else f"after {self.instant:.3f} s"
        return f"{self.kind}, killed {where}"


@dataclass
class Lab:
    """A world of its own: a sandbox, a proxy before it, and things that belong to somebody else."""

    sandbox: Any
    folder: Path
    # The power is cut instead: what the process had written and not synced is lost with it.
    cuts_power: bool = False
    # The reference workspace in specs/ instead of a smaller one, with a Rancher for it.
    rancher: Rancher | None = None
    counts: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    told: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.proxy = Proxy(self.sandbox.endpoint)
        self.cloud = Cloud(self.sandbox)
        self.muster = Muster(self.folder, self.proxy.endpoint)
        if self.rancher:
            self.muster.extra |= self.rancher.variables | {"RANCHER_GITHUB_SECRET": "correct-horse-battery"}
        self.platter = Platter(self.muster, self.folder / "images") if self.cuts_power else None
        self.condition = "?"
        self.variants: Counter[str] = Counter()
        self.expected: Counter[str] = Counter()

    def close(self) -> None:
        self.proxy.close()
        if self.platter:
            self.platter.close()

    @contextmanager
    def look(self) -> Iterator[sqlite3.Connection]:
        """The state, to be read without muster."""
        path = self.muster.state
        if self.platter:
            # SQLite follows links, and would leave the namespace through /proc.
            path = self.folder / "look" / "muster.db"
            shutil.rmtree(path.parent, ignore_errors=True)
            path.parent.mkdir()
            for name in ("muster.db", "muster.db-wal"):
                if self.platter.file(name).exists():
                    shutil.copyfile(self.platter.file(name), path.parent / name)
        with closing(sqlite3.connect(path)) as state:
            state.execute("PRAGMA query_only = 1")
            yield state

    # MARK: The world

    def fresh(self) -> None:
        """An empty cloud but for what is foreign, and no state."""
        self.proxy.reset()
        self.sandbox.reset()
        if self.rancher:
            self.rancher.reset()
        if self.platter:
            self.platter.renew()
        else:
            shutil.rmtree(self.muster.state.parent, ignore_errors=True)
            self.muster.state.parent.mkdir()
        self.variants.clear()
        self.foreign = Foreign(self.cloud)
        self._write()
        self.condition = "empty"

    def _write(self) -> None:
        if self.rancher:
            files = {path.stem: path.read_text() for path in (ROOT / "specs").glob("*.yaml")}
            variants = (("update", PLATFORM_UPDATES), ("replace", PLATFORM_REPLACEMENTS))
        else:
            files = {
                "muster": WORKSPACE, "net": NETWORK + PAIR + NODE, "base": IDENTITY.replace("ZONE", self.cloud.zone_id())
            }  # fmt: skip
            variants = (("update", UPDATES), ("replace", REPLACEMENTS))
        for kind, edits in variants:
            if self.variants[kind] % 2:
                for name, pairs in edits.items():
                    for old, new in pairs:
                        if files[name].count(old) != 1:
                            raise Broken(f"{old!r} stands {files[name].count(old)} times in {name}")
                        files[name] = files[name].replace(old, new)
        self.muster.write(**files)

    def prepare(self, kind: str) -> None:
        """The world as it is before an operation of this kind."""
        self.proxy.reset()
        if kind == "create":
            self.fresh()
            return
        if self.condition != "whole":
            self.fresh()
            self.check(self.muster.apply(*ALLOW), 0)
            self.condition = "whole"
        if kind in ("update", "replace"):
            self.variants[kind] += 1
            self._write()

    def command(self, kind: str) -> list[str]:
        return ["destroy" if kind == "destroy" else "apply", "--auto-approve", *ALLOW]

    def measure(self, kinds: tuple[str, ...] = KINDS) -> None:
        """An unhurt life, for the number of changes and the time that each kind takes."""
        for kind in kinds:
            self.prepare(kind)
            start = time.monotonic()
            run = self.muster.run(*self.command(kind))
            self.seconds[kind] = time.monotonic() - start
            self.check(run, 0)
            self.counts[kind] = sum(1 for c in self.proxy.calls if c.changes)
            if kind == "create":
                self.expected = self.cloud.count() - self.foreign.count
            self.condition = "empty" if kind == "destroy" else "whole"
            self.laws(kind)

    # MARK: A case

    def draw(self, kind: str, boundary: str, rng: random.Random) -> Case:
        if boundary:
            return Case(kind, boundary, rng.randint(1, self.counts[kind]))
        return Case(kind, instant=rng.uniform(0, self.seconds[kind] * 1.05))

    def run(self, case: Case) -> str:
        """Kills, recovers and checks. Says what the kill met: "killed", or "over" when the run had ended before."""
        self.prepare(case.kind)
        self.condition = "?"
        met = self._kill(case)
        self.proxy.reset()
        # What only looks works at once, and so does the next run: nothing is to be removed by hand.
        self.check(self.muster.run("doctor"), 0)
        recovery = self.muster.run(*self.command(case.kind))
        self.check(recovery, 0)
        self.condition = "empty" if case.kind == "destroy" else "whole"
        self.laws(case.kind, recovery)
        self.told[met] += 1
        return met

    def _kill(self, case: Case) -> str:
        started = threading.Event()
        process: subprocess.Popen[str] | None = None

        def kill(_: Call) -> None:
            started.wait()
            assert process is not None
            if self.platter:
                self.platter.cut(process)
            process.kill()
            process.wait()

        if case.boundary:
            commits = case.boundary == "before the commit"
            action: Callable[[Call], None] = self._holding(kill) if commits else kill
            boundary = "after the effect" if commits else case.boundary
            self.proxy.trap(Trap(boundary, action, number=case.number, goes_on=commits))
        process = self.muster.start(*self.command(case.kind))
        started.set()
        if not case.boundary:
            time.sleep(case.instant)
            if self.platter and process.poll() is None:
                self.platter.cut(process)
            process.kill()
        out, err = process.communicate(timeout=120)
        if process.returncode == 0:
            return "over"
        if self.platter:
            self.platter.restore()
        if process.returncode != -9:
            raise Broken(f"{case}: exit {process.returncode}\n{out}{err}")
        return "killed"

    def _holding(self, kill: Callable[[Call], None]) -> Callable[[Call], None]:
        """Takes the lock of the state, lets the reply pass, and kills while its result waits to be written."""

        def act(call: Call) -> None:
            lock = sqlite3.connect(self.muster.state, isolation_level=None, timeout=30, check_same_thread=False)
            lock.execute("BEGIN IMMEDIATE")

            def end() -> None:
                time.sleep(0.15)
                kill(call)
                lock.execute("ROLLBACK")
                lock.close()

            threading.Thread(target=end, daemon=True).start()

        return act

    # MARK: Laws

    def check(self, run: Run, code: int) -> None:
        if run.code != code:
            raise Broken(f"exit {run.code}, expected {code}\n{run}")

    def laws(self, kind: str, said: Run | None = None) -> None:
        """Everything that must hold after a run that came to its end."""
        context = f"\n{said}" if said else ""
        count = self.cloud.count() - self.foreign.count
        expected = Counter() if kind == "destroy" else self.expected
        if count != expected:
            more, less = count - expected, expected - count
            raise Broken(f"too many: {dict(more)}, too few: {dict(less)}{context}")
        if orphans := self.orphans():
            raise Broken(f"orphans: {orphans}{context}")
        if self.foreign.changes():
            raise Broken(f"touched what is foreign: {self.foreign.changes()}{context}")
        with self.look() as state:
            if rows := state.execute("SELECT * FROM intents").fetchall():
                raise Broken(f"intents are left: {rows}{context}")
            # Where there was nothing left to do, nothing was leased; the lease of the dead is nobody's then.
            stuck = [row for row in state.execute("SELECT stack, pid FROM leases") if Path(f"/proc/{row[1]}").exists()]
            if stuck:
                raise Broken(f"leases are stuck: {stuck}{context}")
            if rows := state.execute("SELECT address FROM resources WHERE incomplete OR deposed != ''").fetchall():
                raise Broken(f"unfinished rows: {rows}{context}")
        if kind != "destroy":
            self.check(self.muster.plan(), 0)
        elif self.muster.ids():
            raise Broken(f"still in the state: {self.muster.ids()}")
        if self.rancher:
            self._look_at_rancher(self.rancher, [] if kind == "destroy" else ["dev", "prod"])

    def _look_at_rancher(self, rancher: Rancher, wanted: list[str]) -> None:
        """Every environment is there once, and so is what is in it."""
        gone = ("removing", "removed", "purging", "purged")
        projects = [p for p in rancher.client().list_project(all=True).data if p.id != "1a5" and p.state not in gone]
        if sorted(p.name for p in projects) != wanted:
            raise Broken(f"environments: {[(p.id, p.name, p.state) for p in projects]}, expected {wanted}")
        for project in projects:
            inside = rancher.client(f"/v2-beta/projects/{project.id}/schemas")
            for kind, number in (("apiKey", 2), ("registrationToken", 1), ("registry", 1)):
                listed = getattr(inside, f"list_{kind}")().data
                found = [o for o in listed if o.accountId == project.id and o.state not in gone]
                if len(found) != number:
                    raise Broken(f"{len(found)} of {kind} in {project.name}, expected {number}")

    def orphans(self) -> set[str]:
        """EC2 objects with muster's mark that are there, and that the state does not know."""
        ec2 = self.cloud.ec2
        marked = {
            t["ResourceId"]
            for page in ec2.get_paginator("describe_tags").paginate(Filters=[{"Name": "key", "Values": ["muster:intent"]}])
            for t in page["Tags"]
        }
        gone = {
            i["InstanceId"]
            for r in ec2.describe_instances()["Reservations"]
            for i in r["Instances"]
            if i["State"]["Name"] in ("terminated", "shutting-down")
        } | {n["NatGatewayId"] for n in ec2.describe_nat_gateways()["NatGateways"] if n["State"] in ("deleted", "deleting")}
        with self.look() as state:
            rows = state.execute("SELECT remote_id, outputs FROM resources").fetchall()
        known = " ".join(text for row in rows for text in row)
        return {identifier for identifier in marked - gone if identifier not in known}


class Foreign:
    """What belongs to somebody else, with names that muster wants too where the cloud allows that."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        ec2 = cloud.ec2
        self.vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        ec2.create_tags(Resources=[self.vpc], Tags=[{"Key": "Name", "Value": "main"}])
        self.subnet = ec2.create_subnet(VpcId=self.vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
        self.group = ec2.create_security_group(VpcId=self.vpc, GroupName="alb", Description="in front")["GroupId"]
        ec2.authorize_security_group_ingress(
            GroupId=self.group,
            IpPermissions=[{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "203.0.113.0/24"}]}],
        )
        self.table = ec2.create_route_table(VpcId=self.vpc)["RouteTable"]["RouteTableId"]
        self.address = ec2.allocate_address(Domain="vpc")["AllocationId"]
        cloud.iam.create_role(
            RoleName="foreign",
            AssumeRolePolicyDocument=json.dumps(
                {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
            ),
        )
        record = {"Name": "foreign.tastycidr.net", "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "192.0.2.1"}]}
        cloud.route53.change_resource_record_sets(
            HostedZoneId=cloud.zone_id(), ChangeBatch={"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]}
        )
        self.before = self._look()
        self.count = cloud.count()

    def _look(self) -> dict[str, str]:
        ec2 = self.cloud.ec2
        looks: dict[str, Any] = {
            "vpc": ec2.describe_vpcs(VpcIds=[self.vpc])["Vpcs"],
            "subnet": ec2.describe_subnets(SubnetIds=[self.subnet])["Subnets"],
            "group": ec2.describe_security_groups(GroupIds=[self.group])["SecurityGroups"],
            "table": ec2.describe_route_tables(RouteTableIds=[self.table])["RouteTables"],
            "address": ec2.describe_addresses(AllocationIds=[self.address])["Addresses"],
            "role": self.cloud.iam.get_role(RoleName="foreign")["Role"],
            "record": [r for r in self.cloud.records() if r["Name"].startswith("foreign.")],
        }
        return {name: json.dumps(look, sort_keys=True, default=str) for name, look in looks.items()}

    def changes(self) -> list[str]:
        """What is not as it was made."""
        try:
            now = self._look()
        except Exception as error:  # noqa: BLE001 - gone is changed
            return [str(error)]
        return [name for name, look in self.before.items() if now[name] != look]


# MARK: As a program


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--runs", type=int, default=0, help="kills at random instants, over apply, replace and destroy")
    parser.add_argument("--boundaries", type=int, default=0, help="kills at each boundary, per kind of operation")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 31))
    parser.add_argument("--kinds", nargs="*", default=list(KINDS), choices=KINDS)
    parser.add_argument("--platform", action="store_true", help="on the reference workspace in specs/")
    parser.add_argument("--power", action="store_true", help="cut the power of the disk too (wants root)")
    parser.add_argument("--keep-going", action="store_true", help="count failures instead of ending with the first")
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    folder = Path(tempfile.mkdtemp(prefix="muster-crashes-"))
    sandbox = Sandbox(folder / "sandbox", MUSTER_SANDBOX_DELAY="0")
    rancher = Rancher(folder / "rancher") if options.platform else None
    lab = Lab(sandbox, folder / "workspace", cuts_power=options.power, rancher=rancher)
    failures = 0
    tally: Counter[tuple[str, str, str]] = Counter()
    try:
        lab.measure(tuple(options.kinds))
        print(f"changes: {lab.counts}; seconds: { {k: round(s, 2) for k, s in lab.seconds.items()} }", flush=True)
        rng = random.Random(options.seed)
        cases = [
            lab.draw(kind, boundary, rng)
            for kind in options.kinds for boundary in BOUNDARIES for _ in range(options.boundaries)
            # Its lock cannot be taken from outside the namespace; it is the same loss as after the reply.
            if not (options.power and boundary == "before the commit")
        ]  # fmt: skip
        kinds = [k for k in options.kinds if k != "update"] or options.kinds
        cases += [lab.draw(kinds[n % len(kinds)], "", rng) for n in range(options.runs)]
        for number, case in enumerate(cases, 1):
            try:
                met = lab.run(case)
            except Broken as broken:
                failures += 1
                met = "BROKEN"
                print(f"\n{number}: {case}\n{broken}\n", flush=True)
                if not options.keep_going:
                    return 1
            tally[case.kind, case.boundary or "at an instant", met] += 1
            if number % 20 == 0:
                print(f"{number} of {len(cases)}, {failures} broken", flush=True)
    finally:
        lab.close()
        sandbox.close()
        if rancher:
            rancher.close()
        shutil.rmtree(folder, ignore_errors=True)
        for (kind, boundary, met), count in sorted(tally.items()):
            print(f"{kind:8} {boundary:28} {met:7} {count}")
    print(f"{sum(tally.values())} kills, {failures} broken laws")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
