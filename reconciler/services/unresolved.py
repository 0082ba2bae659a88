"""Secret references that a plan would follow, and those that lead to nothing: told together, why, and what to do."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from reconciler.core.model import Key
from reconciler.core.plan import Change, Problem
from reconciler.core.references import BOUNDS_HINT, Bounds, only, own
from reconciler.errors import ExitCode, SecretRefused, SecretUnavailable
from reconciler.kinds.canonical import written_references
from reconciler.kinds.common import SecretField
from reconciler.kinds.registry import KINDS, address

Refuse = Callable[[Mapping[str, str]], None]
"""Raises SecretRefused for a reference that nobody may follow."""


class Unresolved(NamedTuple):
    """One of them.

    Attributes:
        field: where its reference stands.
    """

    key: Key
    field: SecretField
    failure: SecretUnavailable


def followed(change: Change) -> Iterator[SecretField]:
    """The references that carrying out a change follows; sealed secrets that come back are left as they are."""
    kept = change.revival.secrets if change.revival is not None else ()
    fields = KINDS[change.key.kind].secret_fields(change.after["spec"]) if change.after else ()
    yield from (field for field in fields if field.address not in kept)


def forbidden(changes: Iterable[Change], refuse: Refuse) -> list[Unresolved]:
    """The references that carrying out changes would follow, and that nobody may. Nothing is read."""
    bodies = ((change.key, change.body, partial(followed, change)) for change in changes if not change.is_token_only)
    return forbidden_in(bodies, refuse)


def forbidden_in(
    bodies: Iterable[tuple[Key, bytes, Callable[[], Iterable[SecretField]]]], refuse: Refuse
) -> list[Unresolved]:
    """The same of records.

    Args:
        bodies: address, canonical body and what gives its references; called only where one may be refused.
    """
    found: list[Unresolved] = []
    known: dict[tuple[bytes, bytes], bool] = {}
    for key, body, fields in bodies:
        for written in written_references(body):
            if written not in known:
                known[written] = _refused({written[0].decode(): json.loads(b'"%s"' % written[1])}, refuse) is None
            if not known[written]:
                pairs = ((field, _refused(field.reference, refuse)) for field in fields())
                found += [Unresolved(key, field, failure) for field, failure in pairs if failure is not None]
                break
    return found


def _refused(reference: Mapping[str, str], refuse: Refuse) -> SecretRefused | None:
    try:
        refuse(reference)
    except SecretRefused as failure:
        return failure
    return None


def bounds_problem(changes: Iterable[Change], bounds: Bounds) -> list[Problem]:
    """What stands against a plan whose references lead out of the bounds; see `refuse_unresolved` for the rest."""

    def refuse(reference: Mapping[str, str]) -> None:
        scheme, target = only(reference)
        if own(scheme, target) or not bounds.permit(scheme, target):
            raise SecretRefused(f"{{{scheme}: {target}}}", hint=BOUNDS_HINT)

    found = forbidden(changes, refuse) if bounds.lists else []
    if not found:
        return []
    count = f"{len(found)} secret references lead" if len(found) > 1 else "a secret reference leads"
    details = tuple(_line(item, alone=True) for item in found)
    return [Problem(ExitCode.NOT_PERMITTED, f"{count} where none may lead here", BOUNDS_HINT, details)]


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
