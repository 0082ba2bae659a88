"""Results as Markdown and JSON, with what has to be known about the machine."""

import json
import os
import platform
import subprocess
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from measured import Measured, Side, goal_text, is_met, number
from measuring import Comparison
from workbench import Case, Workbench

PACKAGES = ("jsonschema", "jsonschema-rs", "msgspec", "pydantic", "ruamel.yaml", "yaml-rs")
BUSY = 0.5
"""Load a core from which on a report warns that others were at work."""

HEAD = (
    "| case | ours | s | MB | against | s | MB | pairs | ratio, wall (least to most) | ratio, CPU | others | goal | met |",
    "|---|---|--:|--:|---|--:|--:|--:|---|--:|--:|--:|---|",
)


@dataclass(frozen=True, slots=True)
class Result:
    """A measured case: every run, and the same in short."""

    case: Case
    comparison: Comparison
    measured: Measured


@dataclass(frozen=True, slots=True)
class Omission:
    """A case without a result, and why; `broken` when a command failed rather than was not there."""

    case: Case
    reason: str
    broken: bool = False


def markdown(results: list[Result], omissions: list[Omission], facts: dict[str, Any]) -> str:
    """The report for people."""
    lines = ["# Measurements", "", *(f"- {name}: {value}" for name, value in facts.items()), ""]
    if max(facts["load at start"], facts["load at end"]) > BUSY * facts["cores"]:
        lines += ["**The machine was busy: trust the ratios of processor time more than those of wall time.**", ""]
    lines += [*HEAD, *(row(result) for result in results)]
    if omissions:
        lines += ["", "Not measured:", "", *(f"- {item.case.name}: {one_line(item.reason)}" for item in omissions)]
    return "\n".join(lines) + "\n"


def row(result: Result) -> str:
    """One result as a row of the table."""
    case, short = result.case, result.measured
    ours, other, *less = short.sides
    cells = (
        case.name,
        *side(ours, "".join(f" less {one.label}" for one in less)),
        *side(other),
        str(ours.runs),
        f"{number(short.ratio)} ({number(short.least)} to {number(short.most)})",
        number(short.cpu_ratio),
        f"{short.others:.1f}",
        goal_text(case.goal, case.growth),
        {True: "yes", False: "**no**", None: ""}[is_met(case.goal, short)],
    )
    return f"| {' | '.join(cells)} |"


def side(one: Side, less: str = "") -> tuple[str, str, str]:
    """Cells of one side: what ran, median wall time, largest memory."""
    counted = f", {one.requests} requests" if one.requests else ""
    return (
        one.label + less + counted,
        f"{one.seconds:.3f}" + (" (one run)" if one.runs == 1 else ""),
        f"{one.megabytes:.0f}",
    )


def as_json(results: list[Result], omissions: list[Omission], facts: dict[str, Any]) -> str:
    """The report for programs, with every single run."""
    document = {
        "facts": facts,
        "results": [
            {
                "case": result.case.name,
                **asdict(result.measured),
                "goal": asdict(result.case.goal) if result.case.goal else None,
                "met": is_met(result.case.goal, result.measured),
                "comparison": asdict(result.comparison),
            }
            for result in results
        ],
        "omissions": [{"case": item.case.name, "reason": item.reason} for item in omissions],
    }
    return json.dumps(document, indent=1) + "\n"


def machine_facts(bench: Workbench) -> dict[str, Any]:
    """What the figures depend on."""
    versions = "import importlib.metadata as m, sys; print(*(f'{n} {m.version(n)}' for n in sys.argv[1:]), sep=', ')"
    return {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "processor": processor(),
        "cores": os.cpu_count() or 1,
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 1e9:.1f} GB",
        "system": platform.platform(),
        "python": answer(bench.python, "--version"),
        "packages": answer(bench.python, "-c", versions, *PACKAGES),
        "git": answer("git", "--version"),
        "terraform": first_line(answer("terraform", "version")),
        "reconciler": answer("git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty"),
        "load at start": os.getloadavg()[0],
    }


def processor() -> str:
    """Name of the processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())


def answer(*argv: str) -> str:
    """What a command says, or that it is not there."""
    try:
        done = subprocess.run(argv, check=True, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return done.stdout.strip()


def first_line(text: str) -> str:
    """First line of a text."""
    return text.partition("\n")[0]


def one_line(text: str) -> str:
    """A text of several lines on one."""
    return " / ".join(line.strip() for line in text.splitlines() if line.strip())
