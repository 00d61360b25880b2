"""`python -m strict_aws --port N`: the sandbox in the foreground."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

# Read by moto as it is imported.
os.environ.setdefault("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
os.environ.setdefault("MOTO_ENABLE_AMI_VALIDATION", "true")
os.environ.setdefault("MOTO_EC2_ENABLE_INSTANCE_TYPE_VALIDATION", "true")
os.environ.setdefault("MOTO_ENABLE_KEYPAIR_VALIDATION", "true")
os.environ.setdefault("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")
os.environ.setdefault("S3_IGNORE_SUBDOMAIN_BUCKETNAME", "1")
for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "MOTO_AMIS_PATH", "MOTO_ACCOUNT_ID"):
    os.environ.pop(name, None)


def main() -> int:
    parser = argparse.ArgumentParser(prog="strict_aws", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=5555, help="0 takes a free one")
    parser.add_argument("--port-file", type=Path, help="where to write the port once it listens")
    arguments = parser.parse_args()

    # Listening before the slow imports: a taken port is told at once.
    from .http11 import Answer, Request, Server

    answering: dict[str, Callable[[Request], Answer]] = {}

    def serve(request: Request) -> Answer:
        handle = answering.get("handle")
        return handle(request) if handle else Answer(503, {"Retry-After": "1"})

    try:
        server = Server(arguments.host, arguments.port, serve)
    except OSError as error:
        print(f"cannot listen on {arguments.host}:{arguments.port}: {error.strerror}", file=sys.stderr)
        return 1

    from . import app, journal, seeds, services

    services.load()
    journal.start()
    seeds.reset()
    answering["handle"] = app.handle

    def end(_: int, __: object) -> None:
        os._exit(0)

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    port = server.server_address[1]
    if arguments.port_file:
        temporary = arguments.port_file.with_suffix(".new")
        temporary.write_text(f"{port}\n")
        temporary.rename(arguments.port_file)
    print(f"listening on http://{arguments.host}:{port}", flush=True)
    server.serve_forever(poll_interval=0.5)
    return 0


if __name__ == "__main__":
    sys.exit(main())
