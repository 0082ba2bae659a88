"""What has to hold before a write, what has to be read back after it, and what a permission rests on."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from hashlib import sha256
from typing import Any, NamedTuple

from msgspec import Struct

from reconciler.core.model import Key, Record


class Basis(Struct, frozen=True):
    """The policies and groups that a plan was judged by. The apply makes sure that they are so still.

    Attributes:
        enforced: whether the store has a super admin, so that every change takes a permission.
        actor: whose permissions were looked at; "" where nobody was named.
        approvals: who else was said to stand for the changes.
        kinds: of which kinds there are to be just the records named, and no others.
        records: (key, uid, version) of those records.
        until: RFC 3339, when the next grant ends that may have been counted; "" for never.
    """

    enforced: bool
    actor: str
    kinds: tuple[str, ...]
    records: frozenset[tuple[Key, str, str]]
    until: str = ""
    approvals: tuple[str, ...] = ()


class Expiring(Struct, frozen=True):
    """A grant that ends soon.

    Attributes:
        policy: its name.
        index: the grant's position in the policy.
        expires: as it is written in the policy.
        days: whole days that are left.
    """

    policy: str
    file: str
    index: int
    permissions: tuple[str, ...]
    expires: str
    days: int


Place = tuple[str, str, str]
"""Kind, name and version of a record as the store holds it now."""


def moved_since(records: Iterable[Record], found: Mapping[str, Place]) -> list[Record]:
    """The records that are not those that were planned with: gone, renamed or written to since.

    Args:
        found: by uid what there is now.
    """
    return [record for record in records if found.get(record.uid) != (*record.key, record.version)]


def basis_moved(basis: Basis, found: Iterable[tuple[Key, str, str]]) -> list[Key]:
    """The policies and groups that are not those that the plan was judged by, no more and no less; sorted.

    Args:
        found: key, uid and version of all records of the basis' kinds.
    """
    return sorted({key for key, _, _ in basis.records.symmetric_difference(found)})


def dangling(references: Iterable[tuple[Key, Key]], there: Collection[Key]) -> list[tuple[Key, Key]]:
    """Of pairs of a record and what it refers to, those that lead to nothing; sorted.

    Args:
        there: the keys that there is a record of, at least of those referred to.
    """
    return sorted({pair for pair in references if pair[1] not in there})


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
