# Shared by up, down, reset and env; sourced, never run.

here=$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname -- "$here")
venv=$root/.sandbox/venv

say() { printf '%s\n' "$*" >&2; }
fail() { say "sandbox: $*"; exit 1; }

# The instance directory: pid, port and log of one running sandbox.
instance=${MUSTER_SANDBOX_DIR:-$root/.sandbox/default}
port=${MUSTER_SANDBOX_PORT:-}

parse_arguments() {
    while [ $# -gt 0 ]; do
        case $1 in
            --dir) [ $# -ge 2 ] || fail "--dir wants a directory"; instance=$2; shift 2 ;;
            --dir=*) instance=${1#--dir=}; shift ;;
            --port) [ $# -ge 2 ] || fail "--port wants a number"; port=$2; shift 2 ;;
            --port=*) port=${1#--port=}; shift ;;
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

# Whether the process of the pid file is the sandbox that wrote it: pids are reused.
is_running() {
    [ -s "$instance/pid" ] || return 1
    pid=$(cat "$instance/pid")
    case $pid in
        ''|*[!0-9]*) return 1 ;;
    esac
    kill -0 "$pid" 2>/dev/null || return 1
    ps -p "$pid" -o args= 2>/dev/null | grep -qF -- "strict_aws" || return 1
    ps -p "$pid" -o args= 2>/dev/null | grep -qF -- "--port-file $instance/port"
}

endpoint() {
    printf 'http://127.0.0.1:%s' "$(cat "$instance/port")"
}

# A request without curl: python3 is there anyway.
request() { # METHOD PATH
    python3 -c '
import sys, urllib.request
method, url = sys.argv[1:]
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
try:
    with opener.open(urllib.request.Request(url, method=method, data=b"" if method == "POST" else None), timeout=30) as answer:
        sys.exit(answer.status != 200)
except OSError:
    sys.exit(1)
' "$1" "$(endpoint)$2"
}
