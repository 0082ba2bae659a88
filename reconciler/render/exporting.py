"""What an export wrote, what it could not write, and why."""

from collections.abc import Iterator, Mapping

from reconciler.core.drift import Definition, Export, Inexpressible
from reconciler.diagnostics import Finding
from reconciler.kinds.common import dotted
from reconciler.kinds.registry import address
from reconciler.render.json_text import json_text

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
