"""Drift, as Markdown."""

from collections.abc import Iterator

from msgspec.structs import replace

from reconciler.core.diff import Origin
from reconciler.core.drift import Drifted, DriftReport, Fate
from reconciler.kinds.registry import address
from reconciler.render.drift import MARKS, nothing_text, title, totals
from reconciler.render.markdown import code, diff_block, escape, fitted
from reconciler.render.plan_markdown import field_block
from reconciler.render.values import shown


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
    body = [line for field in found.fields for line in field_block(replace(field, origin=Origin.GIT))]
    name = (found.content or {}).get("spec", {}).get("displayName")
    if name:
        body.append(f"{'-' if found.fate is Fate.DELETED else '+'} displayName: {shown(name)}")
    yield from diff_block(body)
