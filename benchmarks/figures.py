"""The table of docs/performance.md and the three figures of README.md, from stored measurements."""

from cases import CASES
from measured import Measured, Side, Stored, goal_text, is_met, number
from rows import ROWS, Row, names
from workbench import HERE

ROOT = HERE.parent
FIGURES = ROOT / "docs/figures"
STORED = FIGURES / "speed.json"
PAGE, README = ROOT / "docs/performance.md", ROOT / "README.md"
BEGIN, END = "<!-- figures -->", "<!-- end of figures -->"
BUSY = 0.3
"""Cores that others kept busy from which on a result is marked."""

MISSED = "**no**"
KNOWN = {case.name: case for case in CASES}
SHORT = (
    (
        "plan of 1 change in 10,000 connectors",
        (("plan-one-10k-octodns", "octoDNS takes"), ("plan-one-10k-terraform", "Terraform takes")),
    ),
    (
        "check all 10,000, nothing cached",
        (("validate-10k-sourcemeta", "a native C++ validator takes for the schema alone"),),
    ),
    ("apply 1,000 new", (("apply-1k-terraform", "Terraform takes"),)),
)
"""README's figures: work, and the cases that measure it, each with what ours is compared with."""

HEAD = ("| work | takes | beside | takes | ratio | goal | met |", "|---|--:|---|--:|--:|--:|:-:|")


def rewrite(text: str, made: str) -> str:
    """A text with what stands between its marks made anew."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    assert begin and end, f"there is no {BEGIN} ... {END}"
    return f"{before}{BEGIN}\n{made}{END}{after}"


def short(stored: Stored) -> str:
    """The figures that matter most, for README.md: a row of a table for each that was measured."""
    rows = []
    for work, names in SHORT:
        found = [(stored.results[name], name, beside) for name, beside in names if name in stored.results]
        if found:
            beside = "; ".join(f"{ratio_text(name, result)} of what {words}" for result, name, words in found)
            rows.append(f"| {work} | {took(found[0][0].ours)} | {beside} |")
    return "\n".join(("| work | takes | that is |", "|---|--:|---|", *rows)) + "\n" if rows else "Not measured yet.\n"


def section(stored: Stored) -> str:
    """When and where it was measured, the plot, the table, the limits, and the notes."""
    notes = Notes(stored)
    table = [*HEAD, *(line for row in ROWS for line in lines(row, stored, notes))]
    return "\n".join((notes.headline(), "", *PICTURE, "", *table, "", *limits(stored), "", *notes.told())) + "\n"


PICTURE = (
    "<picture>",
    '  <source media="(prefers-color-scheme: dark)" srcset="figures/speed-dark.svg">',
    '  <img alt="Seconds of the product, of the least program and of its peers; time and memory as a repository grows: '
    'the table below has the figures" src="figures/speed-light.svg">',
    "</picture>",
)


LIMITS = (
    "What bounds each, and how far it is from that. The least program (`benchmarks/limit.py`) checks nothing but the",
    "schema, knows no positions, keeps no history, guards nothing:",
)


class Notes:
    """What has to be said about results that are not like the rest."""

    def __init__(self, stored: Stored) -> None:
        """The run that most results are of is the main one; the latest of several."""
        self._stored = stored
        shown = [result.run for name, result in stored.results.items() if name in names()]
        self._main = max(sorted(set(shown), reverse=True), key=shown.count, default="") if shown else ""
        self._others = [run for run in sorted(set(shown)) if run != self._main]
        self._busy = any(result.others > BUSY for name, result in stored.results.items() if name in names())

    def headline(self) -> str:
        """The main run: when, what, where."""
        if not self._main:
            return "Not measured yet."
        facts = self._stored.runs[self._main]
        machine = f"{facts['cores']} cores of an {facts['processor']} with {facts['memory']}"
        return (
            f"Measured on {facts['time'][:10]} at commit `{facts['reconciler']}` on {machine}, {facts['python']}: whole\n"
            "processes, in turn; a ratio is the median of the pairs', memory that of all processes together\n"
            "(how: `benchmarks/README.md`). `python benchmarks/run.py --figures` makes all of this anew."
        )

    def mark(self, result: Measured) -> str:
        """Marks behind a ratio."""
        other_run = f" <sup>{self._others.index(result.run) + 1}</sup>" if result.run in self._others else ""
        return other_run + (" †" if result.others > BUSY else "")

    def told(self) -> list[str]:
        """What the marks mean."""
        lines = [f"<sup>{number}</sup> {self._of_run(run)}" for number, run in enumerate(self._others, start=1)]
        if self._busy:
            lines.append(f"† Others kept more than {BUSY:g} cores busy meanwhile: not to be trusted.")
        return [line for one in lines for line in (one, "")][:-1]

    def _of_run(self, run: str) -> str:
        facts = self._stored.runs[run]
        return f"Not of the run named above, but of one of {facts['time'][:16].replace('T', ' ')} UTC at commit `{facts['reconciler']}`."


def lines(row: Row, stored: Stored, notes: Notes) -> list[str]:
    """The table's lines of one kind of work."""
    found = [(stored.results[name], name, beside) for name, beside in row.beside if name in stored.results]
    return [
        f"| {' | '.join((row.work if first else '', *cells(result, name, beside, notes, first=first)))} |"
        for first, (result, name, beside) in zip([True, *[False] * len(found)], found, strict=False)
    ]


def cells(result: Measured, name: str, beside: str, notes: Notes, *, first: bool) -> tuple[str, ...]:
    """Cells of one comparison."""
    case = KNOWN[name]
    ours = extra(result) if len(result.sides) > 2 else took(result.ours)
    ratio = ("exponent " if case.growth else "") + ratio_text(name, result)
    if case.goal and case.goal.peak_ratio:
        ratio += f", {result.peak_ratio:.1f} times the memory"
    goal = goal_text(case.goal, case.growth)
    return ours, beside, took(result.other), ratio + notes.mark(result), goal, verdict(name, result)


def ratio_text(name: str, result: Measured) -> str:
    """A ratio or an exponent in few digits."""
    return f"{result.ratio:.2f}" if KNOWN[name].growth else number(result.ratio)


def took(side: Side) -> str:
    """Time and memory."""
    return f"{duration(side.seconds)}, {side.megabytes:,.0f} MB"


def extra(result: Measured) -> str:
    """What ours took more than the third command."""
    return duration(result.ours.seconds - result.sides[2].seconds)


def duration(seconds: float) -> str:
    """Seconds or milliseconds, in three digits."""
    return (
        f"{seconds * 1e3:.0f} ms" if seconds < 0.9995 else f"{seconds:.2f} s" if seconds < 9.995 else f"{seconds:.0f} s"
    )


def limits(stored: Stored) -> list[str]:
    """What bounds each kind of work, how far it is from that, and why a goal was missed."""
    told = [
        f"- **{row.work}**: {' '.join(words)}"
        for row in ROWS
        if (words := [*bounds(row, stored), *excuses(row, stored)])
    ]
    return [*LIMITS, "", *told] if told else []


def bounds(row: Row, stored: Stored) -> list[str]:
    """What bounds one kind of work, if it was measured."""
    case = row.limit_case or row.beside[0][0]
    if not row.limit or case not in stored.results:
        return []
    return [row.limit.format(ratio_text(case, stored.results[case])) + "."]


def excuses(row: Row, stored: Stored) -> list[str]:
    """Why one kind of work misses a goal."""
    return [f"Missed: {row.missed}."] if row.missed and is_missed(row, stored) else []


def is_missed(row: Row, stored: Stored) -> bool:
    """Whether some goal was missed, by a result that is to be trusted."""
    return any(verdict(name, stored.results[name]) == MISSED for name, _ in row.beside if name in stored.results)


def unexplained(stored: Stored) -> list[str]:
    """Work that misses a goal without a word of why."""
    return [row.work for row in ROWS if is_missed(row, stored) and not row.missed]


def verdict(name: str, result: Measured) -> str:
    """Whether a goal was met; "?" when others were at work, "" without a goal."""
    met = is_met(KNOWN[name].goal, result)
    if met is None:
        return ""
    return "?" if result.others > BUSY else "yes" if met else MISSED
