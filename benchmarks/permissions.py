"""What decisions, the access diff and the gate are set against."""

from pathlib import Path

import peers
from measuring import Command
from workbench import HERE, Sides, Workbench


def people(bench: Workbench, n: int) -> Path:
    """A corpus with 10,000 users, 1,000 nested groups and 1,000 policies; see people.py."""
    directory = bench.out / "corpora" / f"{n}-people"
    stamp = directory.with_suffix(".stamp")
    made_by = b"".join((HERE / name).read_bytes() for name in ("corpus.py", "people.py"))
    if not (stamp.exists() and stamp.read_bytes() == made_by):
        bench.call(bench.python, str(HERE / "people.py"), str(bench.corpus(n)), str(directory))
        stamp.write_bytes(made_by)
    return directory


def decide(bench: Workbench, count: int, against: str) -> Sides:
    """Loading people and policies and deciding `count` times, against another engine or a millisecond for each."""

    def command(python: str, engine: str) -> Command:
        argv = (python, str(HERE / "decisions.py"), engine, "--count", str(count))
        return Command(f"decisions.py {engine}", argv)

    other = command(peers.script(bench.peers, "python"), against) if against else bench.waiting(count / 1_000)
    return command(bench.python, "ours"), other


def access_diff_against_waiting(bench: Workbench, n: int, seconds: float, base: str, head: str) -> Sides:
    """The access diff of one policy changed."""
    return bench.ours(people(bench, n), "access-diff", "--base", base, "--head", head), bench.waiting(seconds)


def access_diff_against_validate(bench: Workbench, n: int, base: str, head: str) -> Sides:
    """The access diff of one policy changed, against a cold validation of the connectors alone."""
    ours = bench.ours(people(bench, n), "access-diff", "--base", base, "--head", head)
    return ours, bench.cold(bench.corpus(n), "validate")


def authorize_growth(bench: Workbench, large: int, small: int) -> Sides:
    """The gate's judgement of one connector changed in a large repository, against the same in a small one."""

    def command(n: int) -> Command:
        words = ("authorize", "--base", "root", "--head", "connector", "--actor", "owner-0")
        return bench.ours(people(bench, n), *words)

    return command(large), command(small)
