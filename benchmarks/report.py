"""Results as Markdown and JSON, with what has to be known about the machine."""

import json
import os
import platform
import subprocess
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from cases import Case, Goal, Workbench
from measuring import Command, Comparison, Sample

PACKAGES = ("jsonschema", "jsonschema-rs", "orjson", "pydantic", "ruamel.yaml", "yaml-rs")
MEGABYTE = 1e6
BUSY = 0.5
"""Load a core from which on a report warns that others were at work."""

SMALL = 0.1
"""Ratio below which a fraction reads better."""

HEAD = (
    "| case | ours | s | MB | against | s | MB | pairs | ratio, wall (least to most) | ratio, CPU | goal | met |",
    "|---|---|--:|--:|---|--:|--:|--:|---|--:|--:|---|",
)


@dataclass(frozen=True, slots=True)
class Result:
    """A measured case."""

    case: Case
    ours: Command
    other: Command
    comparison: Comparison


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
    comparison, goal = result.comparison, result.case.goal
    ratios = comparison.ratios(lambda sample: sample.wall)
    cells = (
        result.case.name,
        *side(result.ours, comparison.ours),
        *side(result.other, comparison.other),
        str(len(ratios)),
        f"{number(comparison.wall_ratio)} ({number(min(ratios))} to {number(max(ratios))})",
        number(comparison.cpu_ratio),
        goal_text(goal),
        {True: "yes", False: "**no**", None: ""}[is_met(goal, comparison)],
    )
    return f"| {' | '.join(cells)} |"


def side(command: Command, samples: tuple[Sample, ...]) -> tuple[str, str, str]:
    """Cells of one side: what ran, median wall time, largest peak."""
    seconds = f"{median(sample.wall for sample in samples):.3f}"
    return command.label, seconds + (" (one run)" if len(samples) == 1 else ""), f"{peak(samples):.0f}"


def peak(samples: tuple[Sample, ...]) -> float:
    """Largest peak of all runs, in megabytes."""
    return max(sample.peak for sample in samples) / MEGABYTE


def number(ratio: float) -> str:
    """A ratio; a very small one as the fraction that it is."""
    return f"{ratio:.2f}" if ratio >= SMALL else f"1/{1 / ratio:.0f}"


def goal_text(goal: Goal | None) -> str:
    """A goal in a few characters."""
    if goal is None:
        return ""
    memory = f", {goal.peak_megabytes:.0f} MB" if goal.peak_megabytes else ""
    return f"≤ {number(goal.ratio)}{memory}"


def is_met(goal: Goal | None, comparison: Comparison) -> bool | None:
    """Whether the goal was reached; None without one."""
    if goal is None:
        return None
    lean = goal.peak_megabytes is None or peak(comparison.ours) < goal.peak_megabytes
    return comparison.wall_ratio <= goal.ratio and lean


def as_json(results: list[Result], omissions: list[Omission], facts: dict[str, Any]) -> str:
    """The report for programs, with every single run."""
    document = {
        "facts": facts,
        "results": [
            {
                "case": result.case.name,
                "ours": {"label": result.ours.label, "runs": [asdict(sample) for sample in result.comparison.ours]},
                "other": {"label": result.other.label, "runs": [asdict(sample) for sample in result.comparison.other]},
                "wallRatio": result.comparison.wall_ratio,
                "cpuRatio": result.comparison.cpu_ratio,
                "goal": asdict(result.case.goal) if result.case.goal else None,
                "met": is_met(result.case.goal, result.comparison),
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
