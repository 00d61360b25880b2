"""What the tests drive muster with, and what they check it with.

`Muster` runs the real binary in a workspace of its own; `Cloud` looks at the sandbox with boto3, never through muster.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import textwrap
from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Tests" / "Sandbox"))

from ranchers import Rancher  # noqa: E402
from sandboxes import Sandbox  # noqa: E402

__all__ = ["BINARY", "ESCAPE", "PUBLIC_KEY", "READS", "ROOT", "ZONE", "Cloud", "Muster", "Run", "Sandbox", "tags_of"]

BINARY = Path(os.environ.get("MUSTER_BINARY", ROOT / ".build" / "debug" / "muster"))
ZONE = "tastycidr.net"
PUBLIC_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKXlJ0DOMYqoXtGuYt+7gcOqNWHkPsH0UC9EjgNGoTDi operator"
ESCAPE = "\x1b"


@dataclass
class Run:
    """What a run of muster said, and how it ended."""

    command: list[str]
    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        return self.out + self.err

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    def __str__(self) -> str:
        return f"$ muster {' '.join(self.command)}\n{self.out}--- stderr\n{self.err}--- exit {self.code}"

    def exits(self, code: int) -> Run:
        """Itself, if it ended so; else the test fails with all that was said."""
        assert self.code == code, f"exit {self.code}, expected {code}\n{self}"
        return self

    def says(self, *texts: str) -> Run:
        """Itself, if each text is somewhere in what was said."""
        for text in texts:
            assert text in self.text, f"{text!r} is not in\n{self}"
        return self

    def says_not(self, *texts: str) -> Run:
        """Itself, if none of the texts is in what was said."""
        for text in texts:
            assert text not in self.text, f"{text!r} is in\n{self}"
        return self


@dataclass
class Muster:
    """A workspace in a folder of its own, with its own state, lock, key and home."""

    folder: Path
    endpoint: str
    extra: dict[str, str | None] = field(default_factory=dict)
    # Words before the program: how it gets into another mount namespace, say.
    wrapper: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        for part in (self.specs, self.home, self.state.parent):
            part.mkdir(parents=True, exist_ok=True)

    @property
    def specs(self) -> Path:
        return self.folder / "specs"

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def state(self) -> Path:
        return self.folder / "state" / "muster.db"

    @property
    def lock(self) -> Path:
        return self.folder / "state" / "muster.lock"

    @property
    def environment(self) -> dict[str, str]:
        variables: dict[str, str | None] = {
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "USER": "tester",
            "HOME": str(self.home),
            "MUSTER_STATE": str(self.state),
            "MUSTER_LOCK": str(self.lock),
            "MUSTER_KEY_FILE": str(self.home / "digest.key"),
            # The sandbox shows at once what was made.
            "MUSTER_CONSISTENCY_WINDOW": "1s",
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "AKIAMUSTERSANDBOX",
            "AWS_SECRET_ACCESS_KEY": "sandbox-secret",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": "127.0.0.1,localhost",
            "no_proxy": "127.0.0.1,localhost",
        } | self.extra
        return {name: value for name, value in variables.items() if value is not None}

    def write(self, **files: str) -> Muster:
        """Writes specs (`net` is `net.yaml`); without a `muster` one, a workspace with each as a stack is written."""
        for name, text in files.items():
            (self.specs / f"{name}.yaml").write_text(textwrap.dedent(text))
        if "muster" not in files and not (self.specs / "muster.yaml").exists():
            stacks = "".join(f"  {name}: {name}.yaml\n" for name in files)
            (self.specs / "muster.yaml").write_text(
                "workspace: test\nregion: us-east-1\ntags: { ManagedBy: muster }\nstacks:\n" + stacks
            )
        return self

    def edit(self, name: str, old: str, new: str) -> Muster:
        """Replaces text that stands once in a spec."""
        path = self.specs / f"{name}.yaml"
        text = path.read_text()
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {path}"
        path.write_text(text.replace(old, new))
        return self

    def start(self, *arguments: str | Path, **variables: str | None) -> subprocess.Popen[str]:
        """A run in the background, with pipes."""
        environment = {k: v for k, v in (self.environment | variables).items() if v is not None}
        return subprocess.Popen(
            [*self.wrapper, BINARY, *map(str, arguments)], cwd=self.folder, env=environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def run(self, *arguments: str | Path, **variables: str | None) -> Run:
        """A run without a terminal; variables given as None are unset."""
        process = self.start(*arguments, **variables)
        out, err = process.communicate(timeout=120)
        return Run([str(a) for a in arguments], process.returncode, out, err)

    def plan(self, *arguments: str | Path, **variables: str | None) -> Run:
        return self.run("plan", "--detailed-exitcode", *arguments, **variables)

    def apply(self, *arguments: str | Path, **variables: str | None) -> Run:
        return self.run("apply", "--auto-approve", *arguments, **variables)

    def drift(self, *arguments: str | Path, **variables: str | None) -> Run:
        return self.run("drift", *arguments, **variables)

    def reference(self, rancher: Rancher) -> Muster:
        """In a copy of the reference workspace, with a Rancher for it."""
        shutil.rmtree(self.specs)
        shutil.copytree(ROOT / "specs", self.specs)
        self.extra |= rancher.variables | {"RANCHER_GITHUB_SECRET": "correct-horse-battery"}
        return self

    def destroy(self, *arguments: str | Path, **variables: str | None) -> Run:
        hazards = [word for kind in ("irreversible", "downtime", "data-loss") for word in ("--allow", kind)]
        return self.run("destroy", "--auto-approve", *hazards, *arguments, **variables)

    def ids(self) -> dict[str, str]:
        """The remote id of each address, as `state list` tells it."""
        listed = self.run("state", "list", "--format", "json").exits(0).json
        return {r["address"]: r["id"] for r in listed["resources"]}

    def digest(self) -> str:
        """A digest of every file of the state: what must not change did not, byte for byte."""
        digest = hashlib.sha256()
        for path in sorted(self.state.parent.rglob("*")):
            if path.is_file() and not path.name.endswith("-shm"):
                digest.update(path.name.encode() + b"\0" + path.read_bytes())
        return digest.hexdigest()

    def rows(self) -> list[Any]:
        """What the state knows of the world, read without muster; nothing where there is none."""
        if not self.state.exists():
            return []
        with closing(sqlite3.connect(f"file:{self.state}?mode=ro", uri=True)) as database:
            return [row for table in _KNOWLEDGE for row in database.execute(f"SELECT '{table}', * FROM {table}")]


# What the state knows of the world; runs, leases and versions of rows that went are its own business.
_KNOWLEDGE = ("bindings", "resources", "edges", "intents", "outputs")


READS = re.compile(r"^(Describe|Get|List|Search|Head|TestDNS)")


class Cloud:
    """What is in the sandbox, by boto3."""

    def __init__(self, sandbox: Any) -> None:
        self.sandbox = sandbox
        self._clients: dict[str, Any] = {}

    def client(self, service: str) -> Any:
        if service not in self._clients:
            self._clients[service] = self.sandbox.client(service)
        return self._clients[service]

    @property
    def ec2(self) -> Any:
        return self.client("ec2")

    @property
    def autoscaling(self) -> Any:
        return self.client("autoscaling")

    @property
    def iam(self) -> Any:
        return self.client("iam")

    @property
    def route53(self) -> Any:
        return self.client("route53")

    def zone_id(self, name: str = ZONE) -> str:
        zones = self.route53.list_hosted_zones()["HostedZones"]
        return str(next(z["Id"] for z in zones if z["Name"] == f"{name}.").rpartition("/")[2])

    def records(self) -> list[dict[str, Any]]:
        """The records of the seeded zone besides its own two."""
        sets = self.route53.list_resource_record_sets(HostedZoneId=self.zone_id())["ResourceRecordSets"]
        return [s for s in sets if s["Type"] not in ("NS", "SOA")]

    def groups(self) -> dict[str, dict[str, Any]]:
        """Security groups by name, besides the default ones."""
        listed = self.ec2.describe_security_groups()["SecurityGroups"]
        return {g["GroupName"]: g for g in listed if g["GroupName"] != "default"}

    def rules(self, group: str) -> list[dict[str, Any]]:
        """The rules of a group, by its name."""
        identifier = self.groups()[group]["GroupId"]
        filters = [{"Name": "group-id", "Values": [identifier]}]
        listed: list[dict[str, Any]] = self.ec2.describe_security_group_rules(Filters=filters)["SecurityGroupRules"]
        return listed

    def vpc(self) -> dict[str, Any]:
        """The only VPC besides the default one."""
        (found,) = [v for v in self.ec2.describe_vpcs()["Vpcs"] if not v["IsDefault"]]
        return dict(found)

    def count(self) -> Counter[str]:
        """How many of each kind there are, besides what an account has from the start."""
        ec2, iam = self.ec2, self.iam
        defaults = {v["VpcId"] for v in ec2.describe_vpcs()["Vpcs"] if v["IsDefault"]}

        def ours(things: Iterable[dict[str, Any]]) -> int:
            return sum(1 for t in things if t.get("VpcId") not in defaults)

        instances = [i for r in ec2.describe_instances()["Reservations"] for i in r["Instances"]]
        tables = [t for t in ec2.describe_route_tables()["RouteTables"] if t["VpcId"] not in defaults]
        acls = [a for a in ec2.describe_network_acls()["NetworkAcls"] if a["VpcId"] not in defaults]
        gateways = ec2.describe_internet_gateways()["InternetGateways"]
        asg = self.autoscaling
        fleets = [g["AutoScalingGroupName"] for g in asg.describe_auto_scaling_groups()["AutoScalingGroups"]]
        rds, cache = self.client("rds"), self.client("elasticache")
        roles = [r["RoleName"] for r in iam.list_roles()["Roles"]]
        listed = ec2.describe_security_groups()["SecurityGroups"]
        # By id: two VPCs may have groups of one name.
        groups = {g["GroupId"] for g in listed if g["GroupName"] != "default"}
        found = {
            "vpcs": ours(ec2.describe_vpcs()["Vpcs"]),
            "subnets": ours(ec2.describe_subnets()["Subnets"]),
            "internet gateways": sum(1 for g in gateways if not {a["VpcId"] for a in g["Attachments"]} & defaults),
            "NAT gateways": sum(
                1 for g in ec2.describe_nat_gateways()["NatGateways"] if g["State"] not in ("deleted", "failed")
            ),
            "elastic IPs": len(ec2.describe_addresses()["Addresses"]),
            "route tables": sum(1 for t in tables if not any(a.get("Main") for a in t["Associations"])),
            "associations": sum(1 for t in tables for a in t["Associations"] if not a.get("Main")),
            # An endpoint brings its own routes.
            "routes": sum(
                1
                for t in tables
                for r in t["Routes"]
                if r["Origin"] == "CreateRoute" and not r.get("GatewayId", "").startswith("vpce-")
            ),
            "network ACLs": sum(1 for a in acls if not a["IsDefault"]),
            "network ACL rules": sum(
                1 for a in acls if not a["IsDefault"] for e in a["Entries"] if e["RuleNumber"] < 32767
            ),
            "endpoints": sum(
                1 for e in ec2.describe_vpc_endpoints()["VpcEndpoints"] if e["State"].lower() not in ("deleted", "failed")
            ),
            "security groups": len(groups),
            "security group rules": sum(
                1
                for r in ec2.describe_security_group_rules()["SecurityGroupRules"]
                if r["GroupId"] in groups
            ),
            "key pairs": len(ec2.describe_key_pairs()["KeyPairs"]),
            "instances": sum(1 for i in instances if i["State"]["Name"] not in ("terminated", "shutting-down")),
            "volumes": len(ec2.describe_volumes()["Volumes"]),
            "roles": len(roles),
            "role policies": sum(len(iam.list_role_policies(RoleName=r)["PolicyNames"]) for r in roles),
            "attachments": sum(len(iam.list_attached_role_policies(RoleName=r)["AttachedPolicies"]) for r in roles),
            "profiles": len(iam.list_instance_profiles()["InstanceProfiles"]),
            "records": len(self.records()),
            **self.data(),
            "topics": len(self.client("sns").list_topics()["Topics"]),
            "repositories": len(self.client("ecr").describe_repositories()["repositories"]),
            "launch templates": len(ec2.describe_launch_templates()["LaunchTemplates"]),
            "launch configurations": len(asg.describe_launch_configurations()["LaunchConfigurations"]),
            "autoscaling groups": len(fleets),
            "scaling policies": len(asg.describe_policies()["ScalingPolicies"]),
            "scheduled actions": len(asg.describe_scheduled_actions()["ScheduledUpdateGroupActions"]),
            "lifecycle hooks": sum(
                len(asg.describe_lifecycle_hooks(AutoScalingGroupName=f)["LifecycleHooks"]) for f in fleets
            ),
            "alarms": len(self.client("cloudwatch").describe_alarms()["MetricAlarms"]),
            **self.balancing(),
            "databases": len(rds.describe_db_instances()["DBInstances"]),
            "DB subnet groups": len(rds.describe_db_subnet_groups()["DBSubnetGroups"]),
            "DB parameter groups": sum(
                1
                for g in rds.describe_db_parameter_groups()["DBParameterGroups"]
                if not g["DBParameterGroupName"].startswith("default.")
            ),
            "replication groups": len(cache.describe_replication_groups()["ReplicationGroups"]),
            "cache subnet groups": sum(
                1
                for g in cache.describe_cache_subnet_groups()["CacheSubnetGroups"]
                if g["CacheSubnetGroupName"] != "default"
            ),
            "zones": len(self.route53.list_hosted_zones()["HostedZones"]) - 1,
        }
        return Counter({kind: number for kind, number in found.items() if number})

    def balancing(self) -> dict[str, int]:
        """How many of each kind of load balancing there are, and certificates besides the seeded one."""
        elb = self.client("elbv2")
        balancers = [b["LoadBalancerArn"] for b in elb.describe_load_balancers()["LoadBalancers"]]
        listeners = [x for b in balancers for x in elb.describe_listeners(LoadBalancerArn=b)["Listeners"]]
        groups = [g["TargetGroupArn"] for g in elb.describe_target_groups()["TargetGroups"]]
        kinds = {"keyTypes": ["RSA_2048", "EC_prime256v1"]}
        return {
            "load balancers": len(balancers),
            "listeners": len(listeners),
            "rules": sum(
                1
                for x in listeners
                for r in elb.describe_rules(ListenerArn=x["ListenerArn"])["Rules"]
                if not r["IsDefault"]
            ),
            "target groups": len(groups),
            "targets": sum(
                len(elb.describe_target_health(TargetGroupArn=g)["TargetHealthDescriptions"]) for g in groups
            ),
            "certificates": len(self.client("acm").list_certificates(Includes=kinds)["CertificateSummaryList"]) - 1,
        }

    def data(self) -> dict[str, int]:
        """Databases and caches with their groups; snapshots that deletions left are nobody's."""
        rds, cache = self.client("rds"), self.client("elasticache")
        settings = [g["DBParameterGroupName"] for g in rds.describe_db_parameter_groups()["DBParameterGroups"]]
        return {
            "databases": len(rds.describe_db_instances()["DBInstances"]),
            "DB subnet groups": len(rds.describe_db_subnet_groups()["DBSubnetGroups"]),
            "DB parameter groups": sum(1 for name in settings if not name.startswith("default.")),
            "caches": len(cache.describe_replication_groups()["ReplicationGroups"]),
            "cache subnet groups": len(cache.describe_cache_subnet_groups()["CacheSubnetGroups"]),
        }

    def changes(self) -> list[str]:
        """The operations since the log was reset that change something, boto3's own ones left out."""
        return [e["operation"] for e in self.requests() if not READS.match(e["operation"])]

    def requests(self) -> list[dict[str, Any]]:
        """muster's requests since the log was reset."""
        return [e for e in self.sandbox.log() if "muster" in (e["user_agent"] or "")]

    def calls(self) -> Counter[str]:
        """How often muster asked for each operation since the log was reset."""
        return Counter(e["operation"] for e in self.requests())


def tags_of(thing: dict[str, Any]) -> dict[str, str]:
    """Tags as a dictionary."""
    return {t["Key"]: t["Value"] for t in thing.get("Tags", [])}
