"""Whether a write came out as planned, whatever store it went to: what was planned against rows that were read back."""

from collections.abc import Collection, Iterator, Mapping
from hashlib import sha256
from typing import Any, NamedTuple

COLUMNS = ("kind", "name", "owner", "unique name", "fingerprint", "applied fingerprint")
"""What a store holds of a record beside its body, in the words of a message."""
_FINGERPRINT = COLUMNS.index("fingerprint")
GONE, LEFT, BODY = "gone", "left", "body"


class Held(NamedTuple):
    """A record as it was read back.

    Attributes:
        columns: one value for each of `COLUMNS`.
        body: canonical text; None where there is none.
    """

    columns: tuple[Any, ...]
    body: str | None


def unlike(planned: Mapping[str, tuple[str, ...] | None], found: Mapping[str, Held]) -> Iterator[tuple[str, str]]:
    """The uids of the records that are not what was planned, each with what differs: a column, or one of the three words.

    Args:
        planned: by uid a value for each of `COLUMNS`; None for what was to be deleted.
        found: by uid what was read back.
    """
    for uid, wanted in planned.items():
        held = found.get(uid)
        if wanted is None or held is None:
            if wanted is not None or held is not None:
                yield uid, LEFT if wanted is None else GONE
        elif not isinstance(held.body, str) or sha256(held.body.encode()).hexdigest() != wanted[_FINGERPRINT]:
            yield uid, BODY
        elif held.columns != wanted:
            yield uid, next(name for name, want, has in zip(COLUMNS, wanted, held.columns, strict=True) if want != has)


def moved_along(
    before: Mapping[str, tuple[Any, ...]], now: Mapping[str, tuple[Any, ...]], planned: Collection[str]
) -> Iterator[str]:
    """The uids of the records that changed and that no plan speaks of: those known before come first.

    Args:
        before, now: by uid all that the store holds of a record.
        planned: uids that are left out.
    """
    for uid in (*before, *(uid for uid in now if uid not in before)):
        if uid not in planned and before.get(uid) != now.get(uid):
            yield uid
