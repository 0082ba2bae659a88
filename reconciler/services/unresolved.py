"""Secret references that a plan would follow, and those that lead to nothing: told together, why, and what to do."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from reconciler.core.model import Key
from reconciler.core.plan import Change, Problem
from reconciler.core.ports import SecretBackend
from reconciler.core.references import BOUNDS_HINT, Bounds, only, own
from reconciler.errors import ExitCode, SecretRefused, SecretUnavailable
from reconciler.kinds.canonical import decode, may_hold_references
from reconciler.kinds.common import SecretField
from reconciler.kinds.registry import KINDS, address


class Unresolved(NamedTuple):
    """One of them.

    Attributes:
        field: where its reference stands.
    """

    key: Key
    field: SecretField
    failure: SecretUnavailable


def followed(
    changes: Iterable[Change], may_hold: Callable[[bytes], bool] = may_hold_references
) -> Iterator[tuple[Change, SecretField]]:
    """The references that carrying out changes would follow; sealed secrets that come back are left as they are.

    Args:
        may_hold: tells from a body whether to look at it.
    """
    for change in changes:
        if change.is_token_only or not may_hold(change.body or b""):
            continue
        spec = decode(change.body or b"{}")["spec"]
        kept = change.revival.secrets if change.revival is not None else ()
        yield from (
            (change, field) for field in KINDS[change.key.kind].secret_fields(spec) if field.address not in kept
        )


def forbidden(wanted: Iterable[tuple[Key, SecretField]], secrets: SecretBackend) -> list[Unresolved]:
    """The references that nobody may follow. Nothing is read."""
    found = []
    for key, field in wanted:
        try:
            secrets.refuse(field.reference)
        except SecretRefused as failure:
            found.append(Unresolved(key, field, failure))
    return found


def bounds_problem(changes: Iterable[Change], bounds: Bounds) -> list[Problem]:
    """What stands against a plan whose references lead out of the bounds; see `refuse_unresolved` for the rest."""
    if not bounds.lists:
        return []
    found = [
        f"{address(*change.key)} {field.address}: {{{scheme}: {target}}}"
        for change, field in followed(changes)
        for scheme, target in [only(field.reference)]
        if own(scheme, target) or not bounds.permit(scheme, target)
    ]
    if not found:
        return []
    count = f"{len(found)} secret references lead" if len(found) > 1 else "a secret reference leads"
    return [Problem(ExitCode.NOT_PERMITTED, f"{count} where none may lead here", BOUNDS_HINT, tuple(found))]


def refuse_unresolved(found: Sequence[Unresolved], consequence: str = "") -> None:
    """Stop when there are any.

    Args:
        consequence: what comes of it, e.g. "nothing was changed".

    Raises:
        SecretUnavailable: with all of them in the details.
        SecretRefused: nobody may read one of them; with all such in the details.
    """
    if not found:
        return
    refused = [item for item in found if isinstance(item.failure, SecretRefused)]
    if refused:
        what = f"{len(refused)} secret references lead" if len(refused) > 1 else "a secret reference leads"
        raise SecretRefused(
            f"{what} where none may lead" + (f"; {consequence}" if consequence else ""),
            hint=refused[0].failure.hint,
            details=tuple(_line(item, alone=True) for item in refused),
        )
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
