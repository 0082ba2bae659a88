"""What an export wrote, what was taken over from the live side, and what not and why."""

from collections.abc import Iterable, Iterator, Mapping
from difflib import unified_diff
from typing import Any

from reconciler.core.diff import MISSING, FieldChange, Path
from reconciler.core.drift import (
    Adoption,
    AdoptionRefusal,
    Conflict,
    Deed,
    Definition,
    DriftOfAll,
    Export,
    Inexpressible,
    Sides,
)
from reconciler.core.model import Key
from reconciler.core.secret import mask_line, masked_field
from reconciler.diagnostics import Finding, Span
from reconciler.harmless import harmless
from reconciler.kinds.common import dotted
from reconciler.kinds.registry import address
from reconciler.render.style import json_text
from reconciler.render.values import field_name, reference, shown

VERSION = 1


def refused_lines(refused: Inexpressible) -> Iterator[str]:
    """Why a live record is no definition, one line for each reason and what to do about it."""
    for finding in refused.findings:
        first, *more = finding_lines(finding)
        yield f"{address(*refused.key)}: {first}"
        yield from more


def finding_lines(finding: Finding) -> Iterator[str]:
    """What is wrong with a live body, and what to do."""
    where = dotted(finding.place.path)
    yield f"{f'{where}: ' if where else ''}{finding.message} [{finding.code}]"
    if finding.hint:
        yield f"    {finding.hint}"


def export_json(done: Export, files: Mapping[str, list[Definition]] | None) -> str:
    """The export, versioned; schemas/export.schema.json describes it.

    Args:
        files: what went into which file; None when nothing was written, and the documents are part of the answer.
    """
    where = {item.key: path for path, items in (files or {}).items() for item in items}
    content = {
        "version": VERSION,
        "records": [
            {
                "address": address(*item.key),
                "owner": item.owner or None,
                "file": where.get(item.key),
                **({"document": item.document} if files is None else {}),
            }
            for item in done.definitions
        ],
        "refused": [
            {"address": address(*item.key), "findings": [finding_json(finding) for finding in item.findings]}
            for item in done.refused
        ],
        "notes": [{"address": address(*key), "note": note} for key, note in done.notes],
    }
    return json_text(content)


def finding_json(finding: Finding) -> dict[str, object]:
    """A finding about a live body."""
    return {
        "code": finding.code,
        "path": list(finding.place.path),
        "message": finding.message,
        "hint": finding.hint,
    }


Spans = Mapping[tuple[Key, Path], Span]
Files = Mapping[Key, str]
"""In which file each adopted record stands, or stood."""

_DONE = {Deed.UPDATE: "adopted", Deed.REMOVE: "removed", Deed.CREATE: "added"}


def adoption_line(found: Adoption, file: str) -> str:
    """One record that is taken over."""
    names = ", ".join(field_name(field) for field in found.fields)
    return harmless(f"{_DONE[found.deed]} {address(*found.key)}  {file}{f': {names}' if names else ''}")


def conflict_lines(conflict: Conflict, spans: Spans) -> Iterator[str]:
    """The fields of a record that both sides moved, three-way."""
    yield f"conflict {address(*conflict.key)}"
    for sides in conflict.fields:
        span = spans[(conflict.key, sides.path)]
        if not sides.path:
            yield f"    {harmless(str(span))}: it was deleted live, and git has changed it since"
            continue
        yield f"    {harmless(str(span))}: {field_name(_field(sides, sides.live))}"
        for word, value in (("last applied", sides.applied), ("git", sides.desired), ("live", sides.live)):
            yield f"        {word:<13} {_shown(sides, value)}"


def _field(sides: Sides, value: Any) -> FieldChange:
    return masked_field(FieldChange(sides.path, value, value, secret=sides.secret))


def _shown(sides: Sides, value: Any) -> str:
    if sides.secret and isinstance(value, str):
        return "(a text)"
    if sides.secret and isinstance(value, dict):
        return reference(value)
    return shown(_field(sides, value).before)


def refusal_lines(refusal: AdoptionRefusal) -> Iterator[str]:
    """Why a record is not taken over, and what to do."""
    where = f"{refusal.span}: " if refusal.span else ""
    yield f"{where}{address(*refusal.key)}: {refusal.message}"
    for finding in refusal.findings:
        yield from (f"    {line}" for line in finding_lines(finding))
    if refusal.hint:
        yield f"    {refusal.hint}"


def adopted_json(drifted: DriftOfAll, files: Files, spans: Spans, *, written: bool, branch: str, commit: str) -> str:
    """What became of the drift, versioned; schemas/adopt.schema.json describes it."""
    content = {
        "version": VERSION,
        "written": written,
        "branch": branch or None,
        "commit": commit or None,
        "adopted": [
            {
                "address": address(*found.key),
                "deed": found.deed.value,
                "file": files[found.key],
                "fields": [list(field.path) for field in found.fields],
            }
            for found in drifted.adoptions
        ],
        "conflicts": list(_conflicts_json(drifted.conflicts, spans)),
        "refused": [_refusal_json(refusal) for refusal in drifted.refusals],
        "pending": [address(*key) for key in drifted.pending],
        "unmanaged": drifted.unmanaged,
    }
    return json_text(content)


def _conflicts_json(conflicts: Iterable[Conflict], spans: Spans) -> Iterator[dict[str, Any]]:
    for conflict in conflicts:
        for sides in conflict.fields:
            span = spans[(conflict.key, sides.path)]
            found = {"address": address(*conflict.key), "path": list(sides.path), **_span_json(span)}
            for word, value in (("applied", sides.applied), ("git", sides.desired), ("live", sides.live)):
                masked = "(a text)" if sides.secret and isinstance(value, str) else _field(sides, value).before
                found |= {} if masked is MISSING or not sides.path else {word: masked}
            yield found


def _refusal_json(refusal: AdoptionRefusal) -> dict[str, Any]:
    return {
        "address": address(*refusal.key),
        "message": refusal.message,
        "hint": refusal.hint,
        "findings": [finding_json(finding) for finding in refusal.findings],
        **(_span_json(refusal.span) if refusal.span else {}),
    }


def _span_json(span: Span) -> dict[str, Any]:
    return {"file": span.file, "line": span.line, "column": span.column}


def commit_message(drifted: DriftOfAll, files: Files, target: str) -> str:
    """What the commit says."""
    lines = [adoption_line(found, files[found.key]) for found in drifted.adoptions]
    title = lines[0].split("  ")[0].capitalize() if len(lines) == 1 else f"Adopt {len(lines)} live changes"
    return f"{title}\n\nWhat was changed around reconciler in {target}:\n\n" + "".join(f"- {line}\n" for line in lines)


def file_diff(path: str, before: bytes | None, after: bytes | None) -> str:
    """A unified diff; None is a file that is not there."""
    old, new = ((content or b"").decode("utf-8", "replace").splitlines(keepends=True) for content in (before, after))
    old_name, new_name = (
        ("/dev/null" if before is None else f"a/{path}"),
        ("/dev/null" if after is None else f"b/{path}"),
    )
    lines = unified_diff(old, new, old_name, new_name)
    return "".join(harmless(mask_line(line.rstrip("\r\n"))) + "\n" for line in lines)
