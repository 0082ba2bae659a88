"""Categories of connectors: what an instance says of them, and what it is told."""

from collections.abc import Mapping
from typing import Any

from reconciler.kinds.connector import canonical_category
from reconciler.stores.processmaker.forms.canonical import digest, is_set, text_of, trimmed
from reconciler.stores.processmaker.forms.carryover import carried, metadata_of, sound_spec
from reconciler.stores.processmaker.forms.parts import optional, record, text
from reconciler.stores.processmaker.forms.rows import CategoryRow

ACTIVE, INACTIVE = "ACTIVE", "INACTIVE"


def category_row(raw: Any) -> CategoryRow:
    """A category as the API gives it.

    Raises:
        StoreUnavailable: it is none.
    """
    fields, number, what = record(raw, "category")
    return CategoryRow(
        number,
        text(fields, "name", what),
        status_of(fields.get("status")),
        is_set(fields.get("is_system")),
        optional(fields, "created_at", what) or "",
    )


def status_of(value: Any) -> str:
    """ACTIVE, which is the default, or INACTIVE; another word stays as it is."""
    return text_of(value).upper() or ACTIVE


def category_digest(row: CategoryRow) -> str:
    """What tells a row from what it was: its version."""
    return digest([trimmed(row.name), row.status, row.is_system])


def category_body(row: CategoryRow, known: Any) -> Any:
    """The canonical body of a row, with what it cannot hold from the known body; that one itself where it holds it.

    Args:
        known: what was last seen of it, None for nothing.
    """
    live = {"displayName": trimmed(row.name), "status": row.status.lower()}
    spec = sound_spec("Category", known)
    made = carried(spec, image(spec), live)
    return known if made is spec else metadata_of(known) | {"spec": canonical_category(made)}


def image(spec: Mapping[str, Any]) -> dict[str, Any]:
    """What of a spec an instance holds, in the form in which it comes back."""
    return {"displayName": text_of(spec.get("displayName")), "status": spec.get("status", "active")}


def category_fields(body: Mapping[str, Any]) -> dict[str, Any]:
    """What is sent to make or change the category."""
    held = image(body["spec"])
    return {"name": held["displayName"], "status": held["status"].upper()}
