"""Live bodies without the secrets that others may have written into them literally.

Definitions cannot hold any, as validation refuses them; a live record that was changed outside of a run can.
"""

from typing import Any

from msgspec.structs import replace

from reconciler.core.diff import FieldChange, Path
from reconciler.core.sensitive import MASK, carries_credentials, mask_text

_SECRET_KEYS = frozenset(("password", "token", "clientSecret", "clientKey"))


_LEVELS = 200
"""What is nested more deeply is not shown. No definition is, and whoever shows it would come to no end."""
_DEEPER = "(nested too deeply to be shown)"


def masked(value: Any, path: Path = (), levels: int = _LEVELS) -> Any:
    """`value`, which stands at `path` of a body, with literal secrets and known token forms masked."""
    if isinstance(value, str):
        return MASK if value and _is_secret_place(path) else mask_text(value)
    if not isinstance(value, dict | list):
        return value
    if not levels:
        return _DEEPER
    if isinstance(value, list):
        return [masked(item, path, levels - 1) for item in value]
    name = value.get("name")
    return {
        key: masked(item, (*path, name, key) if key == "value" and isinstance(name, str) else (*path, key), levels - 1)
        for key, item in value.items()
    }


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
