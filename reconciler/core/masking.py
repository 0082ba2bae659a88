"""Live bodies without the secrets that others may have written into them literally.

Definitions cannot hold any, as validation refuses them; a live record that was changed around the tool can.
"""

from typing import Any

from reconciler.core.diff import FieldChange, Path
from reconciler.core.sensitive import MASK, carries_credentials, mask_text
from reconciler.value_class import replace

_SECRET_KEYS = frozenset(("password", "token", "clientSecret", "clientKey"))


def masked(value: Any, path: Path = ()) -> Any:
    """`value`, which stands at `path` of a body, with literal secrets and known token forms masked."""
    if isinstance(value, str):
        return MASK if value and _is_secret_place(path) else mask_text(value)
    if isinstance(value, dict):
        name = value.get("name")
        return {
            key: masked(item, (*path, name, key) if key == "value" and isinstance(name, str) else (*path, key))
            for key, item in value.items()
        }
    return [masked(item, path) for item in value] if isinstance(value, list) else value


def _is_secret_place(path: Path) -> bool:
    if "sample" in path:
        return False
    if path[-1:] == ("value",) and len(path) > 1:
        return carries_credentials(str(path[-2]))
    return bool(path) and path[-1] in _SECRET_KEYS and ("authorization" in path or "tls" in path)


def masked_field(field: FieldChange) -> FieldChange:
    """`field` with masked values; secret references and fingerprints stay."""
    if field.secret:
        return field
    before, after, applied = (masked(value, field.path) for value in (field.before, field.after, field.applied))
    return replace(field, before=before, after=after, applied=applied)
