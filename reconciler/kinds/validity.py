"""Whether a document satisfies the schema of its kind."""

from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING, Any

from reconciler.kinds import schemas
from reconciler.kinds.registry import API_VERSION, SCHEMA_FILES

if TYPE_CHECKING:
    from jsonschema_rs import Draft202012Validator


def is_valid(kind: str, document: Any) -> bool:
    """Whether a document satisfies the schema of `kind`, which is compiled when the first one is met.

    Raises:
        ValueError: for what JSON cannot express.
        TypeError: the same, such as keys that are not texts.
    """
    return compiled(kind).is_valid(document)


def prepare(kinds: Iterable[str]) -> None:
    """Compile the schemas of `kinds`, before processes are started that would all have to."""
    for kind in kinds:
        compiled(kind)


@cache
def compiled(kind: str) -> "Draft202012Validator":
    """The schema of `kind`, compiled."""
    import jsonschema_rs

    return jsonschema_rs.Draft202012Validator(schemas.load(SCHEMA_FILES[kind]))


def is_definition(kind: str, spec: Any, labels: Any) -> bool:
    """Whether a live record, which others may have written, is what a document could declare."""
    metadata = {"name": "live", "labels": labels} if labels else {"name": "live"}
    try:
        return is_valid(kind, {"apiVersion": API_VERSION, "kind": kind, "metadata": metadata, "spec": spec})
    except (ValueError, TypeError, RecursionError):
        return False
