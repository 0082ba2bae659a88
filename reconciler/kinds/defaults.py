"""What holds where a definition says nothing."""

from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from reconciler.core.diff import MISSING, FieldChange, Path
from reconciler.kinds import registry
from reconciler.kinds.registry import SCHEMA_FILES


class Default(Struct, frozen=True):
    """Stands for a field that is not there and means `value`."""

    value: bool | int | float | str


def with_default(kind: str, field: FieldChange) -> FieldChange:
    """The field, with the default of its schema on the side where it is not there, if that is a number, a word or a truth."""
    if field.secret or (field.before is MISSING) == (field.after is MISSING) or kind not in SCHEMA_FILES:
        return field
    value = _default_at(kind, field.path)
    if not isinstance(value, bool | int | float | str) or value == "":
        return field
    return replace(field, **{"before" if field.before is MISSING else "after": Default(value)})


def _default_at(kind: str, path: Path) -> object:
    """What the schema has as default at a path; entries of lists stand there by their names."""
    schema = registry.load(SCHEMA_FILES[kind])
    node: dict[str, Any] = schema
    for step in path:
        below = node.get("properties", {}).get(step) or node.get("items") or node.get("additionalProperties")
        if not isinstance(below, dict):
            return None
        node = registry.resolve(schema, below)
    return node.get("default")
