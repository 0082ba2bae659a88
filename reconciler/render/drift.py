"""Drift, as text."""

from collections import Counter
from collections.abc import Iterator

from msgspec.structs import replace

from reconciler.core.diff import Origin
from reconciler.core.drift import Drifted, DriftReport, Fate
from reconciler.core.secret import masked
from reconciler.harmless import harmless
from reconciler.kinds.registry import address
from reconciler.render.moves import when_text
from reconciler.render.plan_text import field_lines
from reconciler.render.style import BOLD, CYAN, GREEN, RED, YELLOW, paint, plural
from reconciler.render.values import content_lines, shown

MARKS = {Fate.CHANGED: "~", Fate.CREATED: "+", Fate.DELETED: "-", Fate.REPLACED: "±"}
_COLORS = {Fate.CHANGED: YELLOW, Fate.CREATED: GREEN, Fate.DELETED: RED, Fate.REPLACED: CYAN}


def drift_text(report: DriftReport, now: str, *, color: bool) -> str:
    """As people read it; the values are what was last applied and what is live."""
    if not report.drifted:
        return nothing_text(report) + "\n"
    lines = [f"Drift in {paint(harmless(report.target), BOLD, color=color)}: last applied -> live", ""]
    for found in report.drifted:
        lines += [*_lines(found, now, color=color), ""]
    return "\n".join([*lines, totals(report) + "."]) + "\n"


def nothing_text(report: DriftReport) -> str:
    """That there is none."""
    whose = f"the records of {harmless(report.owner)}" if report.owner else "all records"
    return f"No drift: {whose} in {harmless(report.target)} are as last applied{others_text(report)}."


def totals(report: DriftReport) -> str:
    """How many records, by what became of them."""
    counts = Counter(found.fate for found in report.drifted)
    return ", ".join(f"{counts[fate]:,} {fate.value}" for fate in Fate if counts[fate]) + others_text(report)


def others_text(report: DriftReport) -> str:
    """That there is more."""
    return f"; {plural(report.others, 'record')} of others too, see --all" if report.others else ""


def title(found: Drifted, now: str | None) -> str:
    """What became of it, when first, and by whom; see `when_text`."""
    verb = "taken over" if found.run is not None else found.fate.value
    whose = f", belongs to {harmless(found.owner) or 'nobody'}" if found.fate is Fate.CREATED else ""
    return verb + when_text(found, now) + whose


def _lines(found: Drifted, now: str, *, color: bool) -> Iterator[str]:
    mark = paint(MARKS[found.fate], _COLORS[found.fate], BOLD, color=color)
    yield f"{mark} {paint(address(*found.key), BOLD, color=color)}  {title(found, now)}"
    for note in found.notes:
        yield f"    {paint('! ' + harmless(note), YELLOW, color=color)}"
    for field in found.fields:
        yield from field_lines(replace(field, origin=Origin.GIT), color=color)
    if found.fate is Fate.CREATED and found.content:
        for name, value in content_lines(masked(found.content)):
            yield f"    {paint('+', GREEN, color=color)} {name}: {value}"
    elif found.fate is Fate.DELETED and found.content and found.content.get("spec", {}).get("displayName"):
        yield f"    {paint('-', RED, color=color)} displayName: {shown(found.content['spec']['displayName'])}"
