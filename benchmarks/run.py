"""Measure the product against its limit, itself and its neighbours.

    python benchmarks/run.py [CASE...] [--list] [--quick] [--runs N] [--reconciler PATH] [--out DIR]

CASE is a name or a pattern such as 'plan-*'; without one everything is measured. Corpora, peers and reports go to
benchmarks/out. A missed goal is said and never an error: exit code 1 means that a command did not work.
"""

import argparse
import os
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

from cases import CASES
from measuring import CommandFailed, Meter
from peers import PeerMissing
from report import (
    Omission,
    Result,
    as_json,
    goal_text,
    machine_facts,
    markdown,
    number,
    one_line,
)
from workbench import Case, Workbench

HERE = Path(__file__).resolve().parent
QUICK_RUNS = 3


def main() -> int:
    """Measure what the command line asks for and write the reports; returns the exit code."""
    args = parse_arguments()
    chosen = [case for case in CASES if is_chosen(case, args)]
    if args.list:
        print("\n".join(f"{case.name:32}{goal_text(case.goal)}" for case in chosen))
        return 0
    bench = open_workbench(args.out.resolve(), args.reconciler)
    facts = machine_facts(bench)
    meter = Meter(bench.environment, bench.out / "last-command.log")
    outcomes = [measure(bench, meter, case, runs=how_often(case, args)) for case in chosen]
    facts["load at end"] = os.getloadavg()[0]
    results = [outcome for outcome in outcomes if isinstance(outcome, Result)]
    omissions = [outcome for outcome in outcomes if isinstance(outcome, Omission)]
    text = markdown(results, omissions, facts)
    write_report(bench.out / "reports", facts["time"], text, as_json(results, omissions, facts))
    print(text)
    return int(any(item.broken for item in omissions))


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Measure reconciler against its limit, itself and its neighbours.")
    parser.add_argument("cases", nargs="*", metavar="CASE", help="name or pattern; default: all")
    parser.add_argument("--list", action="store_true", help="list the cases and their goals")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_RUNS} pairs each, without what takes minutes")
    parser.add_argument("--runs", type=int, metavar="N", help="pairs of each case, instead of its own number")
    parser.add_argument("--reconciler", type=Path, metavar="PATH", help="console script; default: this Python's own")
    parser.add_argument("--out", type=Path, default=HERE / "out", metavar="DIR")
    args = parser.parse_args()
    for pattern in args.cases:
        if not any(fnmatch(case.name, pattern) for case in CASES):
            parser.error(f"there is no case {pattern!r}; --list shows them")
    return args


def is_chosen(case: Case, args: argparse.Namespace) -> bool:
    """Whether a case is asked for; one that takes minutes is left out of a quick run unless named in full."""
    if case.heavy and args.quick:
        return case.name in args.cases
    return not args.cases or any(fnmatch(case.name, pattern) for pattern in args.cases)


def how_often(case: Case, args: argparse.Namespace) -> int:
    """How many pairs to run."""
    return args.runs or (min(QUICK_RUNS, case.runs) if args.quick else case.runs)


def open_workbench(out: Path, script: Path | None) -> Workbench:
    """Settle which product is measured and in which environment; the caller's settings stay out of it."""
    (out / "tmp").mkdir(parents=True, exist_ok=True)
    own = Path(sys.executable).with_name("reconciler")
    script = script or (own if own.exists() else None)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("RECONCILER_", "PYTHON", "TF_"))}
    own_places = {"XDG_CACHE_HOME": str(out / "cache"), "TMPDIR": str(out / "tmp")}
    environment = {**kept, **own_places, "NO_COLOR": "1", "CHECKPOINT_DISABLE": "1"}
    if script is None:
        return Workbench(out, sys.executable, (sys.executable, "-m", "reconciler"), environment)
    script = script.absolute()
    return Workbench(out, interpreter(script), (str(script),), environment)


def interpreter(script: Path) -> str:
    """The Python that a console script runs on, so that what it is compared with runs on the same."""
    first = script.read_text(encoding="utf-8", errors="replace").partition("\n")[0]
    named = first.removeprefix("#!").strip()
    return named if first.startswith("#!") and Path(named).name.startswith("python") else sys.executable


def measure(bench: Workbench, meter: Meter, case: Case, *, runs: int) -> Result | Omission:
    """Measure one case; what goes wrong leaves out the case and not the rest."""
    try:
        commands = case.build(bench)
        comparison = meter.compare(commands, runs=runs)
    except PeerMissing as missing:
        outcome: Result | Omission = Omission(case, str(missing))
    except (CommandFailed, subprocess.CalledProcessError) as failure:
        outcome = Omission(case, str(failure), broken=True)
    else:
        outcome = Result(case, commands, comparison)
    said = number(outcome.ratio) if isinstance(outcome, Result) else one_line(outcome.reason)
    print(f"{case.name}: {said}", file=sys.stderr)
    return outcome


def write_report(directory: Path, time: str, text: str, document: str) -> None:
    """Keep the report under its time and as the latest one."""
    directory.mkdir(parents=True, exist_ok=True)
    for stem in (time[:19].replace(":", ""), "latest"):
        (directory / f"{stem}.md").write_text(text, encoding="utf-8")
        (directory / f"{stem}.json").write_text(document, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
