"""Results as Markdown and JSON, with what has to be known about the machine."""

import json
import math
import os
import platform
import subprocess
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from measuring import Command, Comparison, Sample
from workbench import Case, Goal, Workbench

PACKAGES = ("jsonschema", "jsonschema-rs", "orjson", "pydantic", "ruamel.yaml", "yaml-rs")
MEGABYTE = 1e6
BUSY = 0.5
"""Load a core from which on a report warns that others were at work."""

SMALL = 0.1
"""Ratio below which a fraction reads better."""

HEAD = (
    "| case | ours | s | MB | against | s | MB | pairs | ratio, wall (least to most) | ratio, CPU | others | goal | met |",
    "|---|---|--:|--:|---|--:|--:|--:|---|--:|--:|--:|---|",
)


@dataclass(frozen=True, slots=True)
class Result:
    """A measured case."""

    case: Case
    commands: tuple[Command, ...]
    comparison: Comparison

    @property
    def ratio(self) -> float:
        """What the goal is about: the ratio of wall times, or the exponent with which they grow."""
        return self.exponent(self.comparison.wall_ratio)

    def exponent(self, ratio: float) -> float:
        """A ratio as the exponent of a case that is about growth; else as it is."""
        return math.log(ratio) / math.log(self.case.growth) if self.case.growth else ratio

    @property
    def peak_ratio(self) -> float:
        """Memory of ours to the other's."""
        ours, other = self.comparison.peaks
        return ours / other

    @property
    def met(self) -> bool | None:
        """Whether the goal was reached; None without one."""
        goal = self.case.goal
        if goal is None:
            return None
        lean = goal.peak_megabytes is None or self.comparison.peaks[0] / MEGABYTE <= goal.peak_megabytes
        flat = goal.peak_ratio is None or self.peak_ratio <= goal.peak_ratio
        return self.ratio <= goal.ratio and lean and flat


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
    comparison = result.comparison
    ratios = [result.exponent(ratio) for ratio in comparison.ratios(lambda sample: sample.wall)]
    ours, other, *less = result.commands
    label = ours.label + "".join(f" less {command.label}" for command in less)
    cells = (
        result.case.name,
        *side(label, comparison.ours, comparison.peaks[0]),
        *side(other.label, comparison.other, comparison.peaks[1]),
        str(len(ratios)),
        f"{number(result.ratio)} ({number(min(ratios))} to {number(max(ratios))})",
        number(result.exponent(comparison.cpu_ratio)),
        f"{comparison.others:.1f}",
        goal_text(result.case.goal),
        {True: "yes", False: "**no**", None: ""}[result.met],
    )
    return f"| {' | '.join(cells)} |"


def side(label: str, samples: tuple[Sample, ...], peak: int) -> tuple[str, str, str]:
    """Cells of one side: what ran, median wall time, largest memory."""
    return label, f"{seconds(samples):.3f}" + (" (one run)" if len(samples) == 1 else ""), f"{peak / MEGABYTE:.0f}"


def seconds(samples: tuple[Sample, ...]) -> float:
    """Median wall time."""
    return median(sample.wall for sample in samples)


def number(ratio: float) -> str:
    """A ratio; a very small one as the fraction that it is."""
    return f"{ratio:.2f}" if ratio >= SMALL else f"1/{1 / ratio:.0f}"


def goal_text(goal: Goal | None) -> str:
    """A goal in a few characters."""
    if goal is None:
        return ""
    flat = f", {goal.peak_ratio:g} times the memory" if goal.peak_ratio else ""
    lean = f", {goal.peak_megabytes:.0f} MB" if goal.peak_megabytes else ""
    return f"≤ {number(goal.ratio)}{flat}{lean}"


def as_json(results: list[Result], omissions: list[Omission], facts: dict[str, Any]) -> str:
    """The report for programs, with every single run."""
    document = {
        "facts": facts,
        "results": [
            {
                "case": result.case.name,
                "labels": [command.label for command in result.commands],
                "comparison": asdict(result.comparison),
                "ratio": result.ratio,
                "cpuRatio": result.exponent(result.comparison.cpu_ratio),
                "goal": asdict(result.case.goal) if result.case.goal else None,
                "met": result.met,
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
