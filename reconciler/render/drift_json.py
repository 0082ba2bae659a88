"""Drift, as JSON; schemas/drift.schema.json describes it."""

from collections import Counter
from typing import Any

from reconciler.core.diff import MISSING, FieldChange
from reconciler.core.drift import Drifted, DriftReport, Fate
from reconciler.core.secret import masked, masked_field
from reconciler.kinds.registry import address
from reconciler.render.json_text import json_text
from reconciler.render.plan_json import value_json

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
        "fields": [_field(field) for field in found.fields],
    }
    if found.content is not None:
        record["content"] = masked(found.content)
    return record


def _field(unmasked: FieldChange) -> dict[str, Any]:
    field = masked_field(unmasked)
    sides = {"applied": field.before, "live": field.after}
    return {
        "path": [str(step) for step in field.path],
        "secret": field.secret,
        **{name: value_json(field, value) for name, value in sides.items() if value is not MISSING},
    }
