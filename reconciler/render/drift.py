"""Drift, as text, JSON and Markdown; schemas/drift.schema.json describes the JSON."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from reconciler.core.diff import MISSING, FieldChange, Origin
from reconciler.core.drift import Drifted, DriftReport, Fate
from reconciler.core.secret import masked, masked_field
from reconciler.harmless import harmless
from reconciler.kinds.defaults import Default, with_default
from reconciler.kinds.registry import address
from reconciler.render.contents import content_lines
from reconciler.render.plan import field_lines
from reconciler.render.plan_formats import field_block, value_json
from reconciler.render.style import (
    BOLD,
    CYAN,
    GREEN,
    RED,
    YELLOW,
    code,
    diff_block,
    escape,
    fitted,
    json_text,
    paint,
    plural,
)
from reconciler.render.values import shown, when_text

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
    yield f"{mark} {paint(harmless(address(*found.key)), BOLD, color=color)}  {title(found, now)}"
    for note in found.notes:
        yield f"    {paint('! ' + harmless(note), YELLOW, color=color)}"
    for field in found.fields:
        yield from field_lines(replace(with_default(found.key.kind, field), origin=Origin.GIT), color=color)
    if found.fate is Fate.CREATED and found.content:
        for line in content_lines(masked(found.content)):
            yield f"    {paint('+', GREEN, color=color)} {line}"
    elif found.fate is Fate.DELETED and found.content and found.content.get("spec", {}).get("displayName"):
        yield f"    {paint('-', RED, color=color)} displayName: {shown(found.content['spec']['displayName'])}"


VERSION = 1


def drift_json(report: DriftReport) -> str:
    """The report, versioned."""
    counts = Counter(found.fate for found in report.drifted)
    content = {
        "version": VERSION,
        "type": "drift",
        "target": report.target,
        "owner": report.owner or None,
        "summary": {**{fate.value: counts[fate] for fate in Fate}, "others": report.others},
        "records": [_record(found) for found in report.drifted],
    }
    return json_text(content)


def _record(found: Drifted) -> dict[str, Any]:
    record: dict[str, Any] = {
        "address": address(*found.key),
        "kind": found.key.kind,
        "name": found.key.name,
        "fate": found.fate.value,
        "since": found.since or None,
        "by": found.by or None,
        "run": found.run,
        "owner": found.owner or None,
        "notes": list(found.notes),
        "fields": [_field(with_default(found.key.kind, field)) for field in found.fields],
    }
    if found.content is not None:
        record["content"] = masked(found.content)
    return record


def _field(unmasked: FieldChange) -> dict[str, Any]:
    field = masked_field(unmasked)
    content: dict[str, Any] = {"path": [str(step) for step in field.path], "secret": field.secret}
    for name, value in (("applied", field.before), ("live", field.after)):
        if isinstance(value, Default):
            content["default"] = value.value
        elif value is not MISSING:
            content[name] = value_json(field, value)
    return content


def drift_markdown(report: DriftReport) -> str:
    """As a comment or summary, cut to fit."""
    if not report.drifted:
        return f"### {escape(nothing_text(report))}\n"
    head = (f"### Drift in {escape(report.target)}: {escape(totals(report))}", "")
    return fitted(head, map(_block, report.drifted), len(report.drifted), "drift")


def _block(found: Drifted) -> Iterator[str]:
    yield f"#### `{MARKS[found.fate]}` {code(address(*found.key))} {escape(title(found, None))}"
    yield ""
    for note in found.notes:
        yield from (f"> **{escape(note)}**", "")
    body = [
        line
        for field in found.fields
        for line in field_block(replace(with_default(found.key.kind, field), origin=Origin.GIT))
    ]
    name = (found.content or {}).get("spec", {}).get("displayName")
    if name:
        body.append(f"{'-' if found.fate is Fate.DELETED else '+'} displayName: {shown(name)}")
    yield from diff_block(body)
