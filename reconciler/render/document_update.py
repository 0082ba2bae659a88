"""Updates of a definition from a document: as lines, and as data."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from reconciler.core.diff import MISSING, FieldChange
from reconciler.core.document_update import DocumentUpdate, UpdateField, said
from reconciler.core.secret import masked
from reconciler.harmless import harmless
from reconciler.render.style import json_text
from reconciler.render.values import cut, field_name, shown

_SIDES = ("base", "mine", "theirs")
_WORDS = {"base": "earlier document", "mine": "definition", "theirs": "newer document"}


class UpdateReport(Struct, frozen=True):
    """What else is told.

    Attributes:
        file: of the definition.
        base: the earlier document; "" for none.
        changed: whether the file's content changes.
        written: whether it was written.
    """

    file: str
    base: str
    changed: bool
    written: bool


def lines(update: DocumentUpdate, report: UpdateReport) -> Iterator[str]:
    """What became of each field, and the sum of it."""
    counts: Counter[str] = Counter()
    for word, found in said(update):
        counts[word] += 1
        yield f"{word}: {_name(found)}"
        if word in ("conflict", "differs"):
            for side in _SIDES if update.based else _SIDES[1:]:
                yield f"  {_WORDS[side] + ':':<18} {cut(shown(_value(found, side)))}"
    if not update.based:
        yield "no earlier document is known, so that only what is new was taken over; name one with --base"
    elif report.base:
        yield f"compared with {harmless(report.base)}"
    if counts["conflict"]:
        yield "where both changed a field the definition's value stands: edit it by hand where the document is right"
    done = "wrote" if report.written else "would change" if report.changed else "nothing to change in"
    total = ", ".join(f"{count:,} {word}" for word, count in counts.items())
    yield f"{done} {harmless(report.file)}" + (f": {total}" if total else "")


def json_of(update: DocumentUpdate, report: UpdateReport) -> str:
    """The same as JSON."""
    fields = [
        {
            "path": list(found.path),
            "effect": word,
            **{side: _value(found, side) for side in _SIDES if getattr(found, side) is not MISSING},
        }
        for word, found in said(update)
    ]
    written = [report.file] if report.written else []
    return json_text({"version": 1, "written": written, "base": report.base or None, "fields": fields})


def _name(found: UpdateField) -> str:
    return field_name(FieldChange(found.path, found.mine, found.theirs))


def _value(found: UpdateField, side: str) -> Any:
    value = getattr(found, side)
    return value if value is MISSING else masked(value, found.path)
