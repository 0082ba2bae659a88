"""Secrets that have no value, told together: which, why, and what to do."""

from collections.abc import Sequence
from typing import NamedTuple

from reconciler.core.model import Key
from reconciler.errors import SecretUnavailable
from reconciler.kinds.common import SecretField
from reconciler.kinds.registry import address


class Unresolved(NamedTuple):
    """One of them.

    Attributes:
        field: where its reference stands.
    """

    key: Key
    field: SecretField
    failure: SecretUnavailable


def refuse_unresolved(found: Sequence[Unresolved], consequence: str = "") -> None:
    """Stop when there are any.

    Args:
        consequence: what comes of it, e.g. "nothing was changed".

    Raises:
        SecretUnavailable: with all of them in the details.
    """
    if not found:
        return
    count = f"{len(found)} secrets" if len(found) > 1 else "a secret"
    general = "provide them; --env-file FILE names a file of NAME=value lines for {env: NAME}"
    raise SecretUnavailable(
        f"{count} cannot be resolved" + (f"; {consequence}" if consequence else ""),
        hint=general if len(found) > 1 else found[0].failure.hint,
        details=tuple(_line(item, alone=len(found) == 1) for item in found),
    )


def _line(item: Unresolved, *, alone: bool) -> str:
    """What to do about a variable or a file is plain; other references say it."""
    line = f"{address(*item.key)} {item.field.address}: {item.failure.message}"
    plain = alone or not item.failure.hint or item.field.reference.keys() & {"env", "file"}
    return line if plain else f"{line} ({item.failure.hint})"
