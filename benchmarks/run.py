"""Measure the product against its limit, itself and its neighbours.

    python benchmarks/run.py [CASE...] [--section NAME] [--list] [--quick] [--runs N] [--reconciler PATH] [--out DIR]
    python benchmarks/run.py --figures [CASE...] [--section NAME] [--busy]
    python benchmarks/run.py --redraw | --check

CASE is a name or a pattern such as 'plan-*'; without one everything is measured. Corpora, peers and reports go to
benchmarks/out. A missed goal is said and never an error: exit code 1 means that a command did not work.

`--figures` measures what docs/performance.md shows, keeps it in docs/figures/speed.json, and makes table and plot anew.
With CASE or --section it measures these alone; the page then says that they are of another run.
"""

import argparse
import os
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

from cases import CASES
from figures import FIGURES, PAGE, README, STORED, rewrite, section, short, unexplained
from measured import Stored, goal_text, load, measured, merged, number, save
from measuring import CommandFailed, Meter
from peers import PeerMissing
from plot import DARK, LIGHT, svg
from report import Omission, Result, as_json, machine_facts, markdown, one_line
from rows import SECTIONS, names
from workbench import Case, Workbench

HERE = Path(__file__).resolve().parent
QUICK_RUNS = 3
CALM = 0.5
"""Load from which on figures are refused: somebody else is at work."""


def main() -> int:
    """Measure what the command line asks for and write the reports; returns the exit code."""
    args = parse_arguments()
    chosen = [case for case in CASES if is_chosen(case, args)]
    if args.list:
        print("\n".join(f"{case.name:32}{goal_text(case.goal, case.growth)}" for case in chosen))
        return 0
    if args.redraw or args.check:
        return draw(load(STORED), check=args.check)
    if args.figures and not args.busy and os.getloadavg()[0] > CALM:
        print(f"the load is {os.getloadavg()[0]:.1f}: wait until the machine is quiet, or say --busy", file=sys.stderr)
        return 1
    bench = open_workbench(args.out.resolve(), args.reconciler)
    facts = machine_facts(bench)
    meter = Meter(bench.environment, bench.out / "last-command.log")
    outcomes = [measure(bench, meter, case, runs=how_often(case, args), run=facts["time"]) for case in chosen]
    facts["load at end"] = os.getloadavg()[0]
    results = [outcome for outcome in outcomes if isinstance(outcome, Result)]
    omissions = [outcome for outcome in outcomes if isinstance(outcome, Omission)]
    text = markdown(results, omissions, facts)
    write_report(bench.out / "reports", facts["time"], text, as_json(results, omissions, facts))
    print(text)
    if args.figures:
        stored = merged(load(STORED), {result.case.name: result.measured for result in results}, facts)
        save(STORED, stored)
        draw(stored, check=False)
    return int(any(item.broken for item in omissions))


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Measure reconciler against its limit, itself and its neighbours.")
    parser.add_argument("cases", nargs="*", metavar="CASE", help="name or pattern; default: all")
    parser.add_argument("--section", action="append", choices=SECTIONS, help="cases of a part of the table")
    parser.add_argument("--list", action="store_true", help="list the cases and their goals")
    parser.add_argument(
        "--figures", action="store_true", help="of the cases of docs/performance.md; makes its table and plot anew"
    )
    parser.add_argument("--busy", action="store_true", help="make figures even while others are at work")
    parser.add_argument("--redraw", action="store_true", help="measure nothing; table and plot as stored")
    parser.add_argument("--check", action="store_true", help="exit code 1 if pages and plots are not as stored")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_RUNS} pairs each, without what takes minutes")
    parser.add_argument("--runs", type=int, metavar="N", help="pairs of each case, instead of its own number")
    parser.add_argument("--reconciler", type=Path, metavar="PATH", help="console script; default: this Python's own")
    parser.add_argument("--out", type=Path, default=HERE / "out", metavar="DIR")
    args = parser.parse_args()
    for pattern in args.cases:
        if not any(fnmatch(case.name, pattern) for case in CASES):
            parser.error(f"there is no case {pattern!r}; --list shows them")
    return args


def draw(stored: Stored, *, check: bool) -> int:
    """Make the pages' sections and the plots of what is stored, or tell which of them are not so; returns the exit code."""
    made = {
        PAGE: rewrite(PAGE.read_text(encoding="utf-8"), section(stored)),
        README: rewrite(README.read_text(encoding="utf-8"), short(stored)),
        FIGURES / "speed-light.svg": svg(stored, LIGHT),
        FIGURES / "speed-dark.svg": svg(stored, DARK),
    }
    stale = [path for path, text in made.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    for path in stale:
        if check:
            print(f"{path} is not as stored: python benchmarks/run.py --redraw", file=sys.stderr)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(made[path], encoding="utf-8")
    silent = unexplained(stored) if check else []
    for work in silent:
        print(f"{work}: a goal is missed, and no row of rows.py says why", file=sys.stderr)
    return int(check and bool(stale or silent))


def is_chosen(case: Case, args: argparse.Namespace) -> bool:
    """Whether a case is asked for; one that takes minutes is left out of a quick run unless named in full."""
    if case.heavy and args.quick:
        return case.name in args.cases
    if (args.section or args.figures) and case.name not in names(tuple(args.section or SECTIONS)):
        return False
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


def measure(bench: Workbench, meter: Meter, case: Case, *, runs: int, run: str) -> Result | Omission:
    """Measure one case; what goes wrong leaves out the case and not the rest."""
    try:
        commands = case.build(bench)
        comparison = meter.compare(commands, runs=runs)
    except PeerMissing as missing:
        outcome: Result | Omission = Omission(case, str(missing))
    except (CommandFailed, subprocess.CalledProcessError) as failure:
        outcome = Omission(case, str(failure), broken=True)
    else:
        labels = tuple(command.label for command in commands)
        outcome = Result(case, comparison, measured(case, labels, comparison, run))
    said = number(outcome.measured.ratio) if isinstance(outcome, Result) else one_line(outcome.reason)
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
