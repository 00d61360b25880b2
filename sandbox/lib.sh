# Shared by up, down, reset and env; sourced, never run.

here=$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname -- "$here")
venv=$root/.sandbox/venv

say() { printf '%s\n' "$*" >&2; }
fail() { say "sandbox: $*"; exit 1; }

# The instance directory: pid, port and log of one running sandbox.
instance=${MUSTER_SANDBOX_DIR:-$root/.sandbox/default}
port=${MUSTER_SANDBOX_PORT:-}
# What is started: the AWS emulator, the simulators of Rancher and Spot, or both.
with_aws=1
with_simulators=

parse_arguments() {
    while [ $# -gt 0 ]; do
        case $1 in
            --dir) [ $# -ge 2 ] || fail "--dir wants a directory"; instance=$2; shift 2 ;;
            --dir=*) instance=${1#--dir=}; shift ;;
            --port) [ $# -ge 2 ] || fail "--port wants a number"; port=$2; shift 2 ;;
            --port=*) port=${1#--port=}; shift ;;
            --rancher) with_simulators=1; shift ;;
            --rancher-only) with_simulators=1; with_aws=; shift ;;
            -h|--help) usage; exit 0 ;;
            *) usage >&2; fail "unknown argument: $1" ;;
        esac
    done
    case $port in
        *[!0-9]*) fail "--port wants a number, not '$port'" ;;
    esac
    case $instance in
        /*) ;;
        *) instance=$PWD/$instance ;;
    esac
}

# Whether the process of a pid file is the one that wrote it, by a part of its arguments: pids are reused.
is_process() { # PIDFILE TEXT
    [ -s "$1" ] || return 1
    pid=$(cat "$1")
    case $pid in
        ''|*[!0-9]*) return 1 ;;
    esac
    kill -0 "$pid" 2>/dev/null || return 1
    if [ -r "/proc/$pid/cmdline" ]; then
        arguments=$(tr '\0' ' ' <"/proc/$pid/cmdline")
    else
        arguments=$(ps -ww -p "$pid" -o args= 2>/dev/null)
    fi
    case $arguments in
        *"$2"*) return 0 ;;
    esac
    return 1
}

is_running() { is_process "$instance/pid" "strict_aws --port" && is_process "$instance/pid" "--port-file $instance/port"; }
simulators_run() { is_process "$instance/rancher.pid" "--port-file $instance/rancher.port"; }
machines_run() { is_process "$instance/machines.pid" "--ready-file $instance/machines.ready"; }

# Ends the process of a pid file, by force after five seconds. CHECK says whether it still runs.
end_process() { # PIDFILE CHECK
    pid=$(cat "$1")
    kill "$pid" 2>/dev/null || true
    waited=0
    while "$2"; do
        waited=$((waited + 1))
        if [ $waited -eq 50 ]; then kill -9 "$pid" 2>/dev/null || true; fi
        [ $waited -lt 100 ] || fail "process $pid does not end"
        sleep 0.1
    done
}

# Starts a server in a session of its own, so that Ctrl-C in this terminal does not end it.
start_process() { # PIDFILE LOG COMMAND…
    python3 - "$@" <<'PYTHON'
import subprocess, sys
pid_file, log_file, *command = sys.argv[1:]
with open(log_file, "ab", buffering=0) as log:
    server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
with open(pid_file, "w") as file:
    file.write(f"{server.pid}\n")
PYTHON
}

# Waits until a server that was just started answers at its health page.
await_server() { # PIDFILE PORTFILE LOG
    waited=0
    until [ -s "$2" ] && request GET /muster-sandbox/health "$(address "$2")"; do
        if ! kill -0 "$(cat "$1")" 2>/dev/null; then
            tail -n 5 "$3" >&2
            rm -f "$1"
            fail "the server did not start; its output is in $3"
        fi
        waited=$((waited + 1))
        [ $waited -lt 900 ] || fail "the server does not answer after three minutes; its output is in $3"
        sleep 0.2
    done
}

address() { printf 'http://127.0.0.1:%s' "$(cat "$1")"; } # PORTFILE
endpoint() { address "$instance/port"; }
rancher_endpoint() { address "$instance/rancher.port"; }
spot_endpoint() { address "$instance/spot.port"; }

# A request without curl: python3 is there anyway.
request() { # METHOD PATH [ADDRESS]
    python3 -c '
import sys, urllib.request
method, url = sys.argv[1:]
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
try:
    with opener.open(urllib.request.Request(url, method=method, data=b"" if method == "POST" else None), timeout=30) as answer:
        sys.exit(answer.status != 200)
except OSError:
    sys.exit(1)
' "$1" "${3:-$(endpoint)}$2"
}

# One Python environment for all instances, made anew when the requirements or the Python change.
ready() { [ -x "$venv/bin/python" ] && [ "$(cat "$venv/stamp" 2>/dev/null)" = "$stamp" ]; }

make_environment() {
    say "sandbox: making the Python environment in .sandbox/venv (once)"
    rm -rf "$venv"
    mkdir -p "$root/.sandbox"
    log=$root/.sandbox/install.log
    : >"$log"
    if python3 -m venv "$venv" >>"$log" 2>&1 && "$venv/bin/python" -m pip --version >>"$log" 2>&1; then
        "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$here/requirements.txt" >>"$log" 2>&1 || install_failed
    elif rm -rf "$venv"; python3 -m virtualenv "$venv" >>"$log" 2>&1; then
        "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$here/requirements.txt" >>"$log" 2>&1 || install_failed
    elif rm -rf "$venv"; python3 -m pip --version >>"$log" 2>&1; then
        # No venv module: packages in a folder of their own, and a python that knows it.
        mkdir -p "$venv/bin" "$venv/site"
        python3 -m pip install --quiet --disable-pip-version-check --target "$venv/site" -r "$here/requirements.txt" >>"$log" 2>&1 || install_failed
        printf '#!/bin/sh\nPYTHONPATH="%s${PYTHONPATH:+:$PYTHONPATH}" exec "%s" "$@"\n' \
            "$venv/site" "$(command -v python3)" >"$venv/bin/python"
        for tool in "$venv"/site/bin/*; do
            [ -f "$tool" ] || continue
            printf '#!/bin/sh\nexec "%s/bin/python" "%s" "$@"\n' "$venv" "$tool" >"$venv/bin/$(basename "$tool")"
        done
        chmod +x "$venv"/bin/*
    else
        fail "no way to install Python packages. Install one of: python3-venv (Debian, Ubuntu: apt install python3-venv), virtualenv, or pip"
    fi
    printf '%s' "$stamp" >"$venv/stamp"
}

install_failed() {
    tail -n 5 "$log" >&2
    rm -rf "$venv"
    fail "could not install the packages of sandbox/requirements.txt; the whole output is in $log"
}

ensure_environment() {
    command -v python3 >/dev/null || fail "python3 is missing; install Python 3.10 or later (Debian, Ubuntu: apt install python3 python3-venv)"
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))' ||
        fail "python3 is $(python3 -V 2>&1 | cut -d' ' -f2); 3.10 or later is wanted"
    stamp=$(cat "$here/requirements.txt" && python3 -V)
    mkdir -p "$root/.sandbox"
    if ! ready; then
        # Several tests may come here at once: the first makes it, the others wait.
        lock=$root/.sandbox/install.lock
        waited=0
        until mkdir "$lock" 2>/dev/null; do
            holder=$(cat "$lock/pid" 2>/dev/null || true)
            if [ -n "$holder" ] && ! kill -0 "$holder" 2>/dev/null; then
                rm -rf "$lock"
                continue
            fi
            waited=$((waited + 1))
            [ $waited -lt 600 ] || fail "$lock is held for ten minutes; remove it if nobody is installing"
            sleep 1
        done
        echo $$ >"$lock/pid"
        trap 'rm -rf "$lock"' EXIT
        ready || make_environment
        rm -rf "$lock"
        trap - EXIT
    fi
}
