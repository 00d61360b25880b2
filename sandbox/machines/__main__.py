"""`python -m machines --aws URL --rancher URL`: the machines of the sandbox, in the foreground."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from pathlib import Path

from .world import World, say


def main() -> int:
    parser = argparse.ArgumentParser(prog="machines", description=__doc__)
    parser.add_argument("--aws", required=True, help="where the AWS emulator listens")
    parser.add_argument("--rancher", required=True, help="where the simulated Rancher listens")
    parser.add_argument("--interval", type=float, default=0.2, help="seconds between two looks")
    parser.add_argument("--ready-file", type=Path, help="is made after the first look")
    arguments = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: os._exit(0))
    world = World(arguments.aws, arguments.rancher)
    complained = ""
    while True:
        try:
            world.look()
            if arguments.ready_file and not arguments.ready_file.exists():
                arguments.ready_file.write_text("ready\n")
            complained = ""
        except OSError as error:
            if str(error) != complained:
                say(f"the emulator does not answer: {error}")
                complained = str(error)
        time.sleep(arguments.interval)


if __name__ == "__main__":
    sys.exit(main())
