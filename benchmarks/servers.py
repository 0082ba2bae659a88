"""A store in PostgreSQL, beside the same in SQLite. The server is that of examples/team, and ends with the run."""

import atexit
import signal
import subprocess
import sys
from collections.abc import Callable
from functools import cache, partial

import plans
from measuring import Command
from workbench import HERE, Sides, Workbench

TEAM = HERE.parent / "examples" / "team"


@cache
def server() -> dict[str, str]:
    """Start it; the variables that it takes to reach it, with the URL of its store and a key."""
    process = subprocess.Popen((sys.executable, str(TEAM / "serve")), stdout=subprocess.PIPE, text=True)
    atexit.register(_end, process)
    assert process.stdout is not None
    process.stdout.readline()  # it is up once it says where
    lines = (TEAM / ".live" / "environment").read_text().splitlines()
    return {name: value.strip("'") for name, value in (line.removeprefix("export ").split("=", 1) for line in lines)}


def _end(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGINT)
    process.wait(30)


def on_server(bench: Workbench, n: int, command: Command, prepare: Callable[[], None] = lambda: None) -> Command:
    """The same command with a schema of the server for a store."""
    said = {**server(), "RECONCILER_STORE": f"{server()['RECONCILER_STORE']}?schema=bench_{n}"}
    argv = ("env", *(f"{name}={value}" for name, value in said.items()), *command.argv)
    return Command(f"{command.label}, PostgreSQL", argv, cwd=command.cwd, prepare=prepare, says=command.says)


def empty(bench: Workbench, n: int) -> None:
    """Drop the schema, and whatever the product caches."""
    import psycopg

    said = server()
    bench.forget(bench.corpus(n))
    with psycopg.connect(said["RECONCILER_STORE"], passfile=said["PGPASSFILE"], autocommit=True) as connection:
        connection.execute(f"DROP SCHEMA IF EXISTS bench_{n} CASCADE")


def apply_against_sqlite(bench: Workbench, n: int) -> Sides:
    """Applying everything for the first time, on a server and in a file."""
    command = bench.cold(bench.corpus(n), "apply", "--yes")
    return on_server(bench, n, command, partial(empty, bench, n)), command


def plan_against_sqlite(bench: Workbench, n: int) -> Sides:
    """A plan of one change, on a server and in a file."""
    corpus = bench.apply_both(n, plans.BEFORE)
    with bench.checked_out(corpus, plans.BEFORE):
        bench.call(*on_server(bench, n, bench.ours(corpus, "apply", "--yes", "--quiet")).argv)
    command = bench.ours(corpus, "plan", says=plans.ONE)
    return on_server(bench, n, command), command
