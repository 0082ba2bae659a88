"""Measurements as docs/figures/speed.json keeps them, run by run."""

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from measuring import Comparison, Sample
from workbench import Case, Goal

VERSION = 1
MEGABYTE = 1e6
FRACTION = 1 / 3
"""Ratio below which a fraction reads better."""


@dataclass(frozen=True, slots=True)
class Side:
    """What one command took.

    Attributes:
        seconds: median wall time.
        megabytes: largest memory of all its processes together.
        runs: how many runs these are of.
        requests: the most that one of them sent to a server; 0 where nobody counted.
    """

    label: str
    seconds: float
    megabytes: float
    runs: int
    requests: int = 0


@dataclass(frozen=True, slots=True)
class Measured:
    """A case's result.

    Attributes:
        run: when the run began of which it is part, RFC 3339.
        sides: ours, the other, and what was taken off ours, if anything.
        ratio: median of wall times' ratios, or the exponent with which they grow; least and most are the extremes.
        cpu_ratio: the same of processor time.
        others: how many cores somebody else kept busy meanwhile.
    """

    run: str
    sides: tuple[Side, ...]
    ratio: float
    least: float
    most: float
    cpu_ratio: float
    others: float

    @property
    def ours(self) -> Side:
        """Our side."""
        return self.sides[0]

    @property
    def other(self) -> Side:
        """What ours is compared with."""
        return self.sides[1]

    @property
    def peak_ratio(self) -> float:
        """Memory of ours to the other's."""
        return self.ours.megabytes / self.other.megabytes


@dataclass(frozen=True, slots=True)
class Stored:
    """All measurements that are kept.

    Attributes:
        runs: what has to be known of each run, by its time.
        results: by case.
    """

    runs: dict[str, dict[str, Any]]
    results: dict[str, Measured]


def measured(case: Case, labels: tuple[str, ...], comparison: Comparison, run: str) -> Measured:
    """A comparison in short."""
    ratios = [exponent(case, ratio) for ratio in comparison.ratios(lambda sample: sample.wall)]
    runs = (
        (comparison.ours, comparison.other, comparison.less) if comparison.less else (comparison.ours, comparison.other)
    )
    peaks = (*comparison.peaks, max((sample.peak for sample in comparison.less), default=0))
    sides = tuple(side(*facts) for facts in zip(labels, runs, peaks, strict=False))
    ratio = exponent(case, comparison.wall_ratio)
    return Measured(
        run=run,
        sides=sides,
        ratio=round(ratio, 5),
        least=round(min(ratios), 5),
        most=round(max(ratios), 5),
        cpu_ratio=round(exponent(case, comparison.cpu_ratio), 5),
        others=round(comparison.others, 2),
    )


def side(label: str, samples: tuple[Sample, ...], peak: int) -> Side:
    """One command's runs in short."""
    seconds = median(sample.wall for sample in samples)
    requests = max(sample.requests for sample in samples)
    return Side(label, round(seconds, 4), round(peak / MEGABYTE, 1), len(samples), requests)


def exponent(case: Case, ratio: float) -> float:
    """A ratio as the exponent of a case that is about growth; else as it is."""
    return math.log(ratio) / math.log(case.growth) if case.growth else ratio


def is_met(goal: Goal | None, result: Measured) -> bool | None:
    """Whether a goal was reached; None without one."""
    if goal is None:
        return None
    lean = goal.peak_megabytes is None or result.ours.megabytes <= goal.peak_megabytes
    flat = goal.peak_ratio is None or result.peak_ratio <= goal.peak_ratio
    few = goal.requests is None or result.ours.requests <= goal.requests
    return result.ratio <= goal.ratio and lean and flat and few


def number(ratio: float) -> str:
    """A ratio; a small one as the fraction that it is."""
    if ratio <= 0 or ratio >= FRACTION:
        return f"{ratio:.2f}"
    return f"1/{1 / ratio:.1f}" if ratio > 0.1 else f"1/{1 / ratio:,.0f}"


def goal_text(goal: Goal | None, growth: int = 0) -> str:
    """A goal in a few characters."""
    if goal is None:
        return ""
    flat = f", {goal.peak_ratio:g} times the memory" if goal.peak_ratio else ""
    lean = f", {goal.peak_megabytes:.0f} MB" if goal.peak_megabytes else ""
    few = f", {goal.requests:,} requests" if goal.requests else ""
    inverse = 1 / goal.ratio
    plain = f"{goal.ratio:g}" if inverse < 2 else f"1/{inverse:,.0f}"
    return f"≤ {'exponent ' if growth else ''}{plain}{flat}{lean}{few}"


def load(path: Path) -> Stored:
    """What was kept; nothing if there is no file."""
    if not path.exists():
        return Stored({}, {})
    document = json.loads(path.read_text(encoding="utf-8"))
    results = {
        name: Measured(**{**kept, "sides": tuple(Side(**one) for one in kept["sides"])})
        for name, kept in document["results"].items()
    }
    return Stored(document["runs"], results)


def merged(stored: Stored, new: dict[str, Measured], facts: dict[str, Any]) -> Stored:
    """What was kept, with a run's results in place of older ones; runs that nothing is of are dropped."""
    results = {**stored.results, **new}
    runs = {**stored.runs, facts["time"]: facts}
    return Stored({run: runs[run] for run in sorted({result.run for result in results.values()})}, results)


def save(path: Path, stored: Stored) -> None:
    """Keep measurements; the same ones always give the same bytes."""
    document = {
        "version": VERSION,
        "runs": stored.runs,
        "results": {name: asdict(stored.results[name]) for name in sorted(stored.results)},
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
