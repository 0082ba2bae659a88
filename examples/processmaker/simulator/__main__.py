"""Starts a simulator and prints where it is: see README.md."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
from typing import Any

sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # started as a folder

from simulator.profiles import PROFILES
from simulator.running import start
from simulator.values import read_json


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="A simulator of the ProcessMaker REST API.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    parser.add_argument("--profile", choices=sorted(PROFILES), default="4.14")
    parser.add_argument("--tls", nargs=2, metavar=("CERT", "KEY"))
    parser.add_argument("--seed", metavar="FILE", help="JSON: what is there at the start (README)")
    parser.add_argument("--state", metavar="FILE", help="JSON: kept after every write, read at the start")
    parser.add_argument("--faults", metavar="FILE", help="JSON: a list of faults (README)")
    parser.add_argument("--random-seed", type=int, default=1)
    parser.add_argument("--switch", action="append", default=[], metavar="NAME=VALUE", help="value in JSON")
    return parser.parse_args()


def _read(path: str | None) -> Any:
    if path is None:
        return None
    with open(path, encoding="utf-8") as source:
        return json.load(source)


def main() -> int:
    given = _arguments()
    switches = {}
    for pair in given.switch:
        name, _, value = pair.partition("=")
        switches[name] = read_json(value.encode()) if read_json(value.encode()) is not None else value
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    handle = start(
        given.profile,
        _read(given.faults),
        tuple(given.tls) if given.tls else None,
        port=given.port,
        host=given.host,
        seed=_read(given.seed),
        random_seed=given.random_seed,
        state=given.state,
        **switches,
    )
    handle.simulator.on_kill = lambda: os._exit(137)
    print(json.dumps({"url": handle.url, "profile": given.profile, "tokens": handle.tokens}), flush=True)
    while not ended.wait(0.2):
        pass
    handle.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
