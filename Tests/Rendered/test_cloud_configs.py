"""Cloud-configs of RancherOS: read by an independent reader of YAML, checked by the rules of RancherOS, and their scripts run."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import GOLDENS, INSTANCE, Machine
from test_scripts import shellcheck

CONFIGS = sorted(GOLDENS.glob("RancherOS/*.yaml"))
RANCHER = [
    "console",
    "environment",
    "services",
    "cloud_init_services",
    "bootstrap",
    "services_include",
    "repositories",
    "modules",
    "network",
    "docker",
    "system_docker",
    "bootstrap_docker",
    "cloud_init",
    "state",
    "ssh",
    "upgrade",
    "registry_auths",
    "defaults",
    "sysctl",
    "resize_device",
    "restart_services",
    "disable",
    "debug",
    "log",
    "rm_usr",
    "no_sharedroot",
    "force_console_rebuild",
    "shutdown_timeout",
    "http_load_retries",
    "preload_wait",
    "hypervisor_service",
]
DOCKER = [
    "engine",
    "tls",
    "tls_args",
    "extra_args",
    "args",
    "environment",
    "storage_context",
    "exec",
    "ca_cert",
    "ca_key",
    "server_cert",
    "server_key",
    "bridge",
    "bip",
    "config_file",
    "containerd",
    "debug",
    "exec_root",
    "group",
    "graph",
    "host",
    "insecure_registry",
    "live_restore",
    "log_driver",
    "log_opts",
    "pid_file",
    "registry_mirror",
    "restart",
    "selinux_enabled",
    "storage_driver",
    "userland_proxy",
]


def read(path: Path) -> dict[str, Any]:
    text = path.read_text()
    assert text.splitlines()[0] == "#cloud-config"
    config: dict[str, Any] = yaml.safe_load(text)
    return config


@pytest.mark.parametrize("path", CONFIGS, ids=lambda p: p.stem)
def test_only_what_rancheros_reads_is_there(path: Path, tmp_path: Path) -> None:
    config = read(path)
    assert set(config) <= {"hostname", "ssh_authorized_keys", "write_files", "runcmd", "bootcmd", "mounts", "rancher"}
    rancher = config.get("rancher", {})
    assert set(rancher) <= set(RANCHER)
    for name in ("docker", "system_docker", "bootstrap_docker"):
        assert set(rancher.get(name, {})) <= set(DOCKER)
    for name, value in rancher.get("environment", {}).items():
        assert isinstance(name, str) and isinstance(value, str)
    for file in config.get("write_files", []):
        assert re.fullmatch("0[0-7]{3}", file["permissions"]) and file["path"].startswith("/")
        assert isinstance(file["content"], str) and file["owner"] == "root:root"
        if file["content"].startswith("#!"):
            script = tmp_path / Path(file["path"]).name
            script.write_text(file["content"])
            assert shellcheck(script) == ""


def test_texts_come_back_as_they_were() -> None:
    for line in (GOLDENS / "scalars.txt").read_text().splitlines():
        encoded, written = re.fullmatch(r"\[([0-9, ]*)\] (.*)", line).groups()  # type: ignore[union-attr]
        text = bytes(int(b) for b in encoded.split(",") if b.strip()).decode()
        assert yaml.safe_load(f"key: {written}") == {"key": text}
        assert yaml.load(f"- {written}", yaml.FullLoader) == [text]


def boot(machine: Machine, golden: str) -> list[subprocess.CompletedProcess[str]]:
    """What the console does: files, then commands."""
    config = read(GOLDENS / golden)
    contents = {}
    for file in config.get("write_files", []):
        text = file["content"]
        path = machine.root / file["path"].lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(int(file["permissions"], 8))
        contents[file["path"]] = text
    results = []
    for command in config["runcmd"]:
        if isinstance(command, list):
            results.append(machine.run(contents[command[0]]))
    return results


def test_a_host_without_a_disk_is_the_same_host_again(machine: Machine) -> None:
    (result,) = boot(machine, "RancherOS/diskless.yaml")
    assert result.returncode == 0, result.stderr
    state = machine.root / "var/lib/rancher/state"
    assert {path.name for path in state.iterdir()} == {".registration_token", ".physical_host_uuid", ".docker_uuid"}
    assert (state / ".registration_token").read_text().strip() == "0f" * 64
    (run,) = machine.runs()
    assert "CATTLE_HOST_LABELS=site=edge&instance-id=edge-1" in run and machine.calls("wget") == []


def test_an_instance_of_an_elastigroup_says_twice_which_it_is(machine: Machine) -> None:
    (result,) = boot(machine, "RancherOS/elastigroup.yaml")
    assert result.returncode == 0, result.stderr
    (run,) = machine.runs()
    place = "instance-account=123456789012&instance-subnet=subnet-0a1b2c3d"
    assert f"CATTLE_HOST_LABELS=role=spot&instance-id={INSTANCE}&spotinst.instanceId={INSTANCE}&{place}" in run


@pytest.mark.parametrize("name", ["swarm", "swarm-0.6"])
def test_a_swarm_node_joins_once(machine: Machine, name: str) -> None:
    for _ in range(2):
        (result,) = boot(machine, f"RancherOS/{name}.yaml")
        assert result.returncode == 0, result.stderr
        for run in machine.runs():
            (machine.containers / run[run.index("--name") + 1]).touch()
    agent, manager = machine.runs()
    store = "consul://consul.example.com:8500/swarm"
    assert agent[-4:] == ["swarm:1.2.8", "join", "--advertise=10.0.0.7:2375", store]
    assert manager[-6:] == ["-H", ":4000", "--replication", "--advertise", "10.0.0.7:4000", store]


def test_tags_are_labels_of_the_engine_and_variables() -> None:
    rancher = read(GOLDENS / "RancherOS/swarm.yaml")["rancher"]
    labels = [a.removeprefix("--label=") for a in rancher["docker"]["extra_args"] if a.startswith("--label=")]
    assert labels == ["docker.environment=prod", "docker.role=web", "example.db.host=db.example.com"]
    # What the user set himself is left alone.
    assert rancher["environment"] == {
        "DOCKER_ROLE": "mine",
        "DOCKER_ENVIRONMENT": "prod",
        "EXAMPLE_DB_HOST": "db.example.com",
    }
    assert rancher["registry_auths"] == {"registry.example.com:5000": {"username": "ci", "password": "it's secret"}}
    assert rancher["docker"]["insecure_registry"] == ["registry.example.com:5000"]
    old = read(GOLDENS / "RancherOS/swarm-0.6.yaml")["rancher"]["docker"]
    assert set(old) == {"args"} and old["args"][0] == "daemon"
    assert "--insecure-registry=registry.example.com:5000" in old["args"]
