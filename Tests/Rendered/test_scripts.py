"""The scripts that machines of Rancher are given: free of complaints by shellcheck, and doing what they say."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import GOLDENS, INSTANCE, Machine, Rancher, environment_file, mode

SCRIPTS = sorted(GOLDENS.glob("Rancher/*.sh"))
LEAVE = "Rancher/leave.sh"


def shellcheck(path: Path) -> str:
    program = shutil.which("shellcheck") or str(Path(sys.executable).parent / "shellcheck")
    result = subprocess.run(
        [program, "--shell=sh", "--severity=style", str(path)], capture_output=True, text=True, check=False
    )
    return result.stdout + result.stderr


def embedded(script: str) -> dict[str, str]:
    """The files that a script writes."""
    return {path: text for path, word, text in re.findall(r"^cat >(\S+) <<'(\w+)'\n(.*?)^\2$", script, re.S | re.M)}


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda p: p.stem)
def test_shellcheck_has_nothing_to_say(path: Path, tmp_path: Path) -> None:
    assert shellcheck(path) == ""
    for name, text in embedded(path.read_text()).items():
        if text.startswith("#!"):
            inner = tmp_path / Path(name).name
            inner.write_text(text)
            assert shellcheck(inner) == "", name


def test_a_machine_joins_also_where_nothing_says_in_which_subnet_it_is(machine: Machine) -> None:
    machine.rancher.tells_subnet = False
    result = machine.run_golden("Rancher/systemd.sh")
    assert result.returncode == 0, result.stderr
    (run,) = machine.runs()
    assert any(word.startswith("CATTLE_HOST_LABELS=") and word.endswith(f"instance-id={INSTANCE}") for word in run)


def test_a_machine_joins_once_with_its_labels_and_its_address(machine: Machine) -> None:
    result = machine.run_golden("Rancher/systemd.sh")
    assert result.returncode == 0, result.stderr
    (run,) = machine.runs()
    assert run[:3] == ["run", "--rm", "--privileged"]
    assert "CATTLE_AGENT_IP=10.0.0.7" in run
    labels = f"CATTLE_HOST_LABELS=role=celery&note=it%27s%205%20o%27clock%20%26%20more&instance-id={INSTANCE}"
    assert f"{labels}&instance-account=123456789012&instance-subnet=subnet-0a1b2c3d" in run
    assert run.count("-v") == 2 and "/var/lib/rancher:/var/lib/rancher" in run
    assert run[-2:] == [
        "rancher/agent:v1.2.11",
        f"{machine.rancher.url}/v1/projects/1a5/scripts/TOKEN:1483142400000:abc",
    ]
    assert machine.run_golden("Rancher/join.sh").returncode == 0
    assert len(machine.runs()) == 1


def test_an_instance_of_an_elastigroup_says_twice_which_it_is(machine: Machine) -> None:
    result = machine.run_golden("Rancher/elastigroup.sh")
    assert result.returncode == 0, result.stderr
    (run,) = machine.runs()
    place = "instance-account=123456789012&instance-subnet=subnet-0a1b2c3d"
    assert f"CATTLE_HOST_LABELS=role=spot&instance-id={INSTANCE}&spotinst.instanceId={INSTANCE}&{place}" in run


def test_keys_are_in_files_that_only_root_reads_and_in_no_list_of_processes(machine: Machine) -> None:
    assert machine.run_golden("Rancher/systemd.sh").returncode == 0
    folder = machine.root / "etc/muster"
    assert (folder / "rancher.curl").read_text() == 'user = "ACCESS:SE\\\\x\\"CRET"\n'
    assert {mode(path) for path in folder.iterdir()} == {0o600}
    assert mode(machine.root / "usr/local/sbin/muster-rancher-join") == 0o700
    machine.rancher.add_host("1h7", INSTANCE)
    machine.rancher.stuck.add("deactivating")
    text = machine.installed("/usr/local/sbin/muster-rancher-leave").replace(
        "enter deactivate 60", "enter deactivate 1"
    )
    assert machine.run(text).returncode == 1
    log = machine.log.read_text()
    assert "ACCESS" not in log and "CRET" not in log and "PD-KEY" not in log and "/told/slack" not in log


def leave(machine: Machine, **changes: str) -> subprocess.CompletedProcess[str]:
    if not (machine.root / "etc/muster/host").exists():
        assert machine.run_golden("Rancher/join.sh").returncode == 0
    text = machine.script(LEAVE)
    for old, new in changes.items():
        text = text.replace(old.replace("_", " "), new)
    return machine.run(text)


def test_a_host_is_deactivated_evacuated_removed_and_purged(machine: Machine) -> None:
    rancher = machine.rancher
    rancher.add_host("1h1", "i-other")
    rancher.add_host("1h7", INSTANCE)
    rancher.containers = [{"state": "running"}, {"state": "running"}]
    result = leave(machine)
    assert result.returncode == 0, result.stderr
    assert rancher.actions_taken() == ["deactivate", "evacuate", "remove", "purge"]
    assert rancher.hosts["1h7"]["state"] == "purged" and rancher.hosts["1h1"]["state"] == "active"
    users = {base64.b64decode(a.removeprefix("Basic ")) for _, path, a, _ in rancher.requests if "/hosts" in path}
    assert len(users) == 1 and users.pop() == b'ACCESS:SE\\x"CRET'
    assert (machine.root / "var/lib/muster/left").exists()


def test_who_left_and_starts_again_is_a_new_host(machine: Machine) -> None:
    machine.rancher.add_host("1h7", INSTANCE)
    assert leave(machine).returncode == 0
    state = machine.root / "var/lib/rancher/state"
    state.mkdir(parents=True)
    (state / ".docker_uuid").write_text("x")
    assert machine.run_golden("Rancher/join.sh").returncode == 0
    assert len(machine.runs()) == 2 and not state.exists()
    assert not (machine.root / "var/lib/muster/left").exists()


@pytest.mark.parametrize("state", ["disconnected", "inactive", "deactivating", "removing", "removed"])
def test_leaving_begins_where_the_host_is(machine: Machine, state: str) -> None:
    machine.rancher.add_host("1h7", INSTANCE, state)
    result = leave(machine)
    assert result.returncode == 0, result.stderr
    # A host that is removed is in no list any more, for the server: ours shows it, and the script knows better.
    assert machine.rancher.hosts["1h7"]["state"] == ("removed" if state == "removed" else "purged")


def test_a_host_that_nobody_knows_has_nothing_to_leave(machine: Machine) -> None:
    machine.rancher.add_host("1h1", "i-other")
    assert leave(machine).returncode == 0
    assert machine.rancher.actions_taken() == []


def test_the_next_page_of_hosts_is_read_too(machine: Machine) -> None:
    machine.rancher.pages = 1
    machine.rancher.add_host("1h7", INSTANCE)
    assert leave(machine).returncode == 0
    assert machine.rancher.actions_taken() == ["deactivate", "evacuate", "remove", "purge"]


def test_a_server_that_starts_is_waited_for(machine: Machine) -> None:
    machine.rancher.add_host("1h7", INSTANCE)
    machine.rancher.failures = 5
    assert leave(machine).returncode == 0
    assert machine.rancher.hosts["1h7"]["state"] == "purged"


@pytest.mark.parametrize("job", ["reboot.target start waiting", "kexec.target start running"])
def test_a_restart_is_no_farewell(machine: Machine, job: str) -> None:
    machine.rancher.add_host("1h7", INSTANCE)
    machine.jobs.write_text(f" 123 {job}\n")
    assert leave(machine).returncode == 0
    assert machine.rancher.actions_taken() == []


def test_a_restart_by_init_is_no_farewell_and_a_halt_is_one(machine: Machine) -> None:
    machine.rancher.add_host("1h7", INSTANCE)
    machine.runlevel.write_text("2 6\n")
    assert leave(machine).returncode == 0
    assert machine.rancher.actions_taken() == []
    machine.runlevel.write_text("2 0\n")
    assert leave(machine).returncode == 0
    assert machine.rancher.actions_taken()[-1] == "purge"


def told(rancher: Rancher) -> dict[str, dict[str, object]]:
    return {
        path.removeprefix("/told/"): json.loads(body)
        for _, path, _, body in rancher.requests
        if path.startswith("/told")
    }


@pytest.mark.parametrize(
    ("phase", "limit"), [("deactivating", "deactivate 60"), ("removing", "remove 120"), ("purging", "purge 60")]
)
def test_what_takes_too_long_is_told_to_those_who_are_to_know(machine: Machine, phase: str, limit: str) -> None:
    machine.rancher.add_host("1h7", INSTANCE)
    machine.rancher.stuck.add(phase)
    name = limit.split()[0]
    result = leave(machine, **{f"enter_{limit.replace(' ', '_')}": f"enter {name} 1"})
    assert result.returncode == 1
    assert f"{name} took more than 1 s" in result.stderr
    reports = told(machine.rancher)
    assert set(reports) == {"pagerduty", "slack", "webhook"}
    assert reports["pagerduty"]["routing_key"] == "PD-KEY" and reports["pagerduty"]["event_action"] == "trigger"
    assert INSTANCE in str(reports["slack"]["text"]) and reports["webhook"]["host"] == INSTANCE


def test_a_key_that_is_refused_is_told_at_once(machine: Machine) -> None:
    machine.rancher.refuses_key = True
    result = leave(machine)
    assert result.returncode == 1 and "refuses the API key (HTTP 401)" in result.stderr
    assert set(told(machine.rancher)) == {"pagerduty", "slack", "webhook"}


def test_a_server_that_is_gone_is_told_when_the_time_is_up(machine: Machine) -> None:
    assert machine.run_golden("Rancher/join.sh").returncode == 0
    (machine.root / "etc/muster/api").write_text("http://127.0.0.1:9/v1\n")
    text = machine.script(LEAVE).replace("enter find 60", "enter find 1")
    result = machine.run(text)
    assert result.returncode == 1 and "find took more than 1 s (state unknown, HTTP 000)" in result.stderr
    assert "pagerduty" in told(machine.rancher)


def test_the_registration_url_is_fetched_where_it_is_kept(machine: Machine) -> None:
    result = machine.run_golden("Rancher/fetched.sh")
    assert result.returncode == 0, result.stderr
    assert machine.runs()[0][-1] == f"{machine.rancher.url}/v1/projects/1a5/scripts/FETCHED"
    machine.containers.joinpath("rancher-agent").unlink()
    text = machine.script("Rancher/fetched.sh")
    assert machine.run(text.replace("ssm:/rancher", "file:/rancher")).returncode == 1
    result = machine.run(text.replace("ssm:/rancher/registration-url", "secretsmanager:rancher/prod#secret"))
    assert result.returncode == 1 and "is none" in result.stderr


def test_older_images_join_and_leave_through_init(machine: Machine) -> None:
    result = machine.run_golden("Rancher/sysv.sh")
    assert result.returncode == 0, result.stderr
    assert machine.calls("update-rc.d") == [["muster-rancher-agent", "defaults"]]
    (run,) = machine.runs()
    assert run[:5] == ["run", "-d", "--privileged", "-e", "CA_FINGERPRINT=AA:BB"]
    assert "CATTLE_AGENT_IP=198.51.100.7" in run and run[-2] == "rancher/agent:v1.0.2"
    assert machine.calls("yum") == [["install", "-y", "docker"]]
    configuration = (machine.root / "etc/muster/rancher.curl").read_text()
    assert configuration == 'user = "KEY:it\'s the rancher_secret"\ncacert = "/etc/ssl/rancher.pem"\n'
    script = machine.installed("/etc/init.d/muster-rancher-agent")
    assert machine.run(script, "status").returncode == 0
    assert machine.run(script, "nonsense").returncode == 2


def test_an_agent_of_old_keeps_no_state(machine: Machine) -> None:
    assert machine.run_golden("Rancher/ancient.sh").returncode == 0
    (run,) = machine.runs()
    assert run[:3] == ["run", "-d", "--privileged"] and run.count("-v") == 1
    assert not any(word.startswith("CATTLE_AGENT_IP") for word in run)


def test_an_agent_before_1_2_2_is_detached(machine: Machine) -> None:
    assert machine.run_golden("Rancher/detached.sh").returncode == 0
    (run,) = machine.runs()
    assert run[1] == "-d" and run.count("-v") == 2 and "CATTLE_AGENT_IP=10.0.0.7" in run


def test_a_secret_that_is_not_in_its_object_stops_the_join(machine: Machine) -> None:
    machine.tool("aws", """case "$*" in *ssm*) echo X ;; *) echo '{"other": 1}' ;; esac\n""")
    result = machine.run_golden("Rancher/join.sh")
    assert result.returncode == 1 and "the secret key of Rancher cannot be read" in result.stderr


def test_a_secret_that_cannot_be_read_stops_the_join(machine: Machine) -> None:
    machine.tool("aws", "exit 255\n")
    result = machine.run_golden("Rancher/join.sh")
    assert result.returncode == 1 and "the access key of Rancher cannot be read" in result.stderr


def test_servers_since_1_2_share_a_database(machine: Machine) -> None:
    result = machine.run_golden("Rancher/server.sh")
    assert result.returncode == 0, result.stderr
    (run,) = machine.runs()
    assert run[:4] == ["run", "-d", "--name", "rancher-server"]
    assert run.count("-p") == 2 and "8080:8080" in run and "9345:9345" in run
    tail = run[run.index("rancher/server:v1.6.30") :]
    assert tail == [
        "rancher/server:v1.6.30", "--db-host", "rancher.address.test", "--db-port", "3306", "--db-user", "cattle",
        "--db-name", "cattle", "--advertise-address", "10.0.0.7",
    ]  # fmt: skip
    assert "JAVA_OPTS=-Xmx2g -Xms2g" in run
    environment = machine.root / "etc/muster/rancher-server.env"
    assert (
        environment_file(environment.read_text()) == {"CATTLE_DB_CATTLE_PASSWORD": "db pass"}
        and mode(environment) == 0o600
    )
    assert "db pass" not in machine.log.read_text()


def test_servers_before_1_2_have_all_their_variables_and_services(machine: Machine) -> None:
    result = machine.run_golden("Rancher/server-external.sh")
    assert result.returncode == 0, result.stderr
    server, proxy, service = machine.runs()
    variables = dict(word.split("=", 1) for before, word in zip(server, server[1:], strict=False) if before == "-e")
    assert variables == {
        "CATTLE_DB_CATTLE_MYSQL_HOST": "db.example.com", "CATTLE_DB_CATTLE_MYSQL_PORT": "3306",
        "CATTLE_DB_CATTLE_MYSQL_NAME": "cattle", "CATTLE_DB_CATTLE_USERNAME": "cattle",
        "CATTLE_ZOOKEEPER_CONNECTION_STRING": "10.0.1.2,10.0.1.3:2182",
        "CATTLE_REDIS_HOSTS": "cache.endpoint.test,10.0.1.4:6379", "CATTLE_HOST_API_PROXY_MODE": "ha",
        "CATTLE_HOST_API_PROXY_HOST": "ws.example.com:8081", "DEFAULT_CATTLE_MACHINE_EXECUTE": "false",
    }  # fmt: skip
    assert environment_file(machine.installed("/etc/muster/rancher-server.env")) == {
        "CATTLE_DB_CATTLE_PASSWORD": "db pass", "CATTLE_REDIS_PASSWORD": "redis pass",
    }  # fmt: skip
    assert proxy[-4:] == [
        "rancher/server:v1.1.4",
        "websocket-proxy",
        "-jwt-public-key-file=/api.crt",
        "-listen-address=0.0.0.0:8081",
    ]
    assert machine.installed("/etc/muster/api.crt") == "PUBLIC KEY\n"
    assert (
        service[-2:] == ["rancher/server:v1.1.4", "go-machine-service"]
        and "CATTLE_URL=http://10.0.0.7:8080/v1" in service
    )
    assert environment_file(machine.installed("/etc/muster/go-machine-service.env")) == {
        "CATTLE_ACCESS_KEY": "MS-ACCESS", "CATTLE_SECRET_KEY": "MS-SECRET",
    }  # fmt: skip
