"""The plot of docs/performance.md as SVG, from stored measurements."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import NamedTuple

from figures import duration
from measured import Side, Stored

WIDTH = 860
LEFT, RIGHT = 236, 790
"""Where bars begin and where the longest axis ends."""
BAR, GAP, GROUP_GAP, HEADING = 15, 5, 16, 22
SHORTEST, LONGEST = 0.01, 1000.0
"""Seconds at the ends of the bars' axis."""
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, 'DejaVu Sans', sans-serif"
LABEL_HEIGHT = 34
SIZES = (1_000, 10_000, 100_000)


@dataclass(frozen=True, slots=True)
class Colours:
    """One for each role."""

    ground: str
    text: str
    quiet: str
    grid: str
    ours: str
    limit: str
    peer: str
    series: tuple[str, str, str]


LIGHT = Colours(
    "#ffffff", "#1f2328", "#59636e", "#d1d9e0", "#0969da", "#8c959f", "#d4763b", ("#0969da", "#8250df", "#1a7f37")
)
DARK = Colours(
    "#0d1117", "#f0f6fc", "#9198a1", "#30363d", "#4493f8", "#6e7681", "#c9692f", ("#4493f8", "#ab7df8", "#3fb950")
)


class Bar(NamedTuple):
    """One command's time; `role` is the name of its colour."""

    label: str
    case: str
    side: int
    role: str


OURS, LIMIT = "reconciler", "the least program"
GROUPS = (
    (
        "Plan of a commit, nothing to do in 10,000",
        (
            Bar(OURS, "plan-nothing-10k-commit-python", 0, "ours"),
            Bar(LIMIT, "plan-nothing-10k-commit-limit", 1, "limit"),
            Bar("python -c pass", "plan-nothing-10k-commit-python", 1, "limit"),
        ),
    ),
    (
        "Plan of a commit, 1 change in 10,000",
        (
            Bar(OURS, "plan-one-10k-commit-python", 0, "ours"),
            Bar(LIMIT, "plan-one-10k-commit-limit", 1, "limit"),
            Bar("octodns-sync", "plan-one-10k-octodns", 1, "peer"),
            Bar("terraform plan", "plan-one-10k-terraform", 1, "peer"),
        ),
    ),
    (
        "Full plan of 10,000, nothing cached",
        (
            Bar(OURS, "plan-full-10k-octodns", 0, "ours"),
            Bar(LIMIT, "plan-full-10k-limit", 1, "limit"),
            Bar("octodns-sync", "plan-full-10k-octodns", 1, "peer"),
            Bar("terraform plan", "plan-full-10k-terraform", 1, "peer"),
        ),
    ),
    (
        "Cold validation of 10,000 files",
        (
            Bar(OURS, "validate-10k-sourcemeta", 0, "ours"),
            Bar(LIMIT, "validate-10k-limit", 1, "limit"),
            Bar("jsonschema --fast (C++)", "validate-10k-sourcemeta-fast", 1, "peer"),
            Bar("jsonschema (C++)", "validate-10k-sourcemeta", 1, "peer"),
            Bar("ajv (JavaScript)", "validate-10k-ajv", 1, "peer"),
        ),
    ),
    (
        "First apply of 1,000",
        (
            Bar(OURS, "apply-1k-octodns", 0, "ours"),
            Bar(LIMIT, "apply-1k-limit", 1, "limit"),
            Bar("octodns-sync --doit", "apply-1k-octodns", 1, "peer"),
            Bar("written plainly", "apply-1k-plain", 1, "peer"),
            Bar("terraform apply", "apply-1k-terraform", 1, "peer"),
        ),
    ),
)
SERIES = (
    (
        "plan, 1 change",
        (("plan-one-100k-1k-commit", 1), ("plan-one-10k-commit-python", 0), ("plan-one-100k-1k-commit", 0)),
    ),
    ("full plan", (("plan-full-100k-1k", 1), ("plan-full-10k-octodns", 0), ("plan-full-100k-1k", 0))),
    ("validate, cold", (("validate-100k-1k", 1), ("validate-10k-sourcemeta", 0), ("validate-100k-1k", 0))),
)


def svg(stored: Stored, colours: Colours) -> str:
    """The whole plot: bars of seconds above, how time and memory grow below."""
    bars, below = bar_chart(stored, colours)
    height = below + 300
    time = growth_chart(stored, colours, Frame("Seconds, as the repository grows", 62, below + 44, 250, 200, 0.01, 100))
    memory = growth_chart(
        stored, colours, Frame("Megabytes, as the repository grows", 482, below + 44, 250, 200, 10, 1000), memory=True
    )
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
            f' font-family="{FONT}" font-size="13" role="img">',
            "<title>How fast it is</title>",
            # lines of the grid keep clear of words; drawn twice, as not every program knows what paint-order is
            f"<style>.under{{stroke:{colours.ground};stroke-width:5px;stroke-linejoin:round}}</style>",
            *bars,
            *time,
            *memory,
            "</svg>",
            "",
        )
    )


def bar_chart(stored: Stored, colours: Colours) -> tuple[list[str], int]:
    """Groups of bars on one logarithmic axis, and where they end."""
    drawn: list[str] = []
    y = 52
    for heading, bars in GROUPS:
        known = [(bar, side) for bar in bars if (side := side_of(stored, bar.case, bar.side))]
        if not known:
            continue
        drawn.append(text(LEFT, y + 12, heading, colours.text, weight="600"))
        y += HEADING
        for bar, side in known:
            drawn += draw_bar(bar, side, y, colours)
            y += BAR + GAP
        y += GROUP_GAP
    title = text(
        10,
        20,
        "Seconds, on a logarithmic scale: each line is ten times the one before",
        colours.text,
        size=15,
        weight="600",
    )
    return [title, *bar_axis(colours, y - GROUP_GAP + 4), *drawn], y + 14


def bar_axis(colours: Colours, bottom: int) -> Iterator[str]:
    """A line for each power of ten."""
    for power in range(round(math.log10(SHORTEST)), round(math.log10(LONGEST)) + 1):
        x = along(10.0**power)
        yield line(x, 48, x, bottom, colours.grid)
        yield text(x, 42, tick(10.0**power), colours.quiet, anchor="middle", size=12)


def draw_bar(bar: Bar, side: Side, y: int, colours: Colours) -> Iterator[str]:
    """One bar, what it is of, and how long it took."""
    weight = "600" if bar.role == "ours" else "400"
    end = along(side.seconds)
    yield text(LEFT - 10, y + 12, bar.label, colours.text, anchor="end", weight=weight)
    yield f'<rect x="{LEFT}" y="{y}" width="{end - LEFT:.1f}" height="{BAR}" rx="2" fill="{getattr(colours, bar.role)}"/>'
    yield text(end + 7, y + 12, duration(side.seconds), colours.text, weight=weight)


def along(seconds: float) -> float:
    """Where seconds are on the bars' axis."""
    return LEFT + (RIGHT - LEFT) * math.log(max(seconds, SHORTEST) / SHORTEST) / math.log(LONGEST / SHORTEST)


@dataclass(frozen=True, slots=True)
class Frame:
    """A chart's place, and what its vertical axis reaches from and to."""

    title: str
    x: int
    y: int
    width: int
    height: int
    least: float
    most: float

    def across(self, size: float) -> float:
        """Where a size of repository is."""
        return self.x + self.width * math.log(size / SIZES[0]) / math.log(SIZES[-1] / SIZES[0])

    def up(self, value: float) -> float:
        """Where a value is."""
        return self.y + self.height * (1 - math.log(value / self.least) / math.log(self.most / self.least))


def growth_chart(stored: Stored, colours: Colours, frame: Frame, *, memory: bool = False) -> Iterator[str]:
    """Lines over the size of the repository, both axes logarithmic."""
    yield text(frame.x - 52, frame.y - 22, frame.title, colours.text, size=15, weight="600")
    yield from frame_of(frame, colours)
    ends: list[tuple[float, str, str, str]] = []
    for number, (label, points) in enumerate(SERIES):
        sides = [
            (size, side)
            for size, (case, index) in zip(SIZES, points, strict=True)
            if (side := side_of(stored, case, index))
        ]
        places = [(frame.across(size), frame.up(side.megabytes if memory else side.seconds)) for size, side in sides]
        if not places:
            continue
        colour = colours.series[number]
        yield f'<polyline points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in places)}" fill="none" stroke="{colour}" stroke-width="2.5"/>'
        yield from (marker(number, x, y, colour) for x, y in places)
        last = sides[-1][1]
        ends.append((places[-1][1], label, amount(last, memory=memory), colour))
    yield from end_labels(frame, ends)


def frame_of(frame: Frame, colours: Colours) -> Iterator[str]:
    """Grid lines, their values, and the sizes below."""
    for power in range(round(math.log10(frame.least)), round(math.log10(frame.most)) + 1):
        y = frame.up(10.0**power)
        yield line(frame.x, y, frame.x + frame.width, y, colours.grid)
        yield text(frame.x - 9, y + 4, f"{10.0**power:g}", colours.quiet, anchor="end", size=12)
    for size in SIZES:
        yield text(
            frame.across(size), frame.y + frame.height + 20, f"{size:,}", colours.quiet, anchor="middle", size=12
        )
    yield text(
        frame.x + frame.width / 2, frame.y + frame.height + 40, "connectors", colours.quiet, anchor="middle", size=12
    )


def end_labels(frame: Frame, ends: list[tuple[float, str, str, str]]) -> Iterator[str]:
    """What a line is and ends at, moved apart where two would touch."""
    x, free = frame.x + frame.width + 12, -math.inf
    for y, label, value, colour in sorted(ends):
        free = max(y, free + LABEL_HEIGHT)
        yield text(x, free, label, colour, size=12, weight="600")
        yield text(x, free + 15, value, colour, size=12)


def marker(number: int, x: float, y: float, colour: str) -> str:
    """A point, of another form for each line, so that colour is not all that tells them apart."""
    if number == 0:
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.5" fill="{colour}"/>'
    if number == 1:
        return f'<rect x="{x - 4:.1f}" y="{y - 4:.1f}" width="8" height="8" fill="{colour}"/>'
    return f'<path d="M{x:.1f} {y - 5.5:.1f}l5.5 9.5h-11z" fill="{colour}"/>'


def amount(side: Side, *, memory: bool) -> str:
    """What a line ends at."""
    return f"{side.megabytes:,.0f} MB" if memory else duration(side.seconds)


def side_of(stored: Stored, case: str, index: int) -> Side | None:
    """One side of a case; None if it was not measured."""
    return stored.results[case].sides[index] if case in stored.results else None


def tick(seconds: float) -> str:
    """A power of ten of seconds."""
    return f"{seconds * 1e3:g} ms" if seconds < 1 else f"{seconds:,.0f} s"


def line(x1: float, y1: float, x2: float, y2: float, colour: str) -> str:
    """A thin line."""
    return f'<path d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}" stroke="{colour}" stroke-width="1"/>'


def text(
    x: float, y: float, words: str, colour: str, *, anchor: str = "start", size: int = 13, weight: str = "400"
) -> str:
    """Words; `y` is that of their base line."""
    about = f'x="{x:.1f}" y="{y:.1f}" fill="{colour}" text-anchor="{anchor}" font-size="{size}" font-weight="{weight}"'
    return f'<text class="under" {about} aria-hidden="true">{escape(words)}</text><text {about}>{escape(words)}</text>'
