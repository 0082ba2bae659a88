"""Deleted records: where they are kept until they are purged, and how a change brings one back."""

from collections.abc import Iterable, Mapping
from typing import Protocol

from msgspec import Struct

from reconciler.core.calls import later
from reconciler.core.model import Bodies, Key
from reconciler.core.secret import SealedSecret


class Deleted(Struct, frozen=True):
    """A deleted record that can be restored.

    Attributes:
        key: the address that it had.
        uid: the identity that it gets back.
        owner: repository that it belonged to.
        deleted_at: RFC 3339 in UTC.
        run: which one deleted it.
        secrets: how many sealed secrets are kept.
        outlived: whether another record had the address after it, and was removed outside of a run.
    """

    key: Key
    uid: str
    owner: str
    deleted_at: str
    run: int
    secrets: int
    outlived: bool = False


class Revival(Struct, frozen=True):
    """That a change brings a deleted record back, under its identity.

    Attributes:
        uid: of the record.
        deleted_at: RFC 3339 in UTC; "" where nobody knows.
        run: which one deleted it; 0 where it was deleted outside of a run.
        quarantined: whether the quarantine holds it; else it comes from the history alone.
        secrets: addresses of the sealed secrets that it gets back as they are; the others are resolved.
    """

    uid: str
    deleted_at: str = ""
    run: int = 0
    quarantined: bool = False
    secrets: tuple[str, ...] = ()


class KeepsDeleted(Protocol):
    """What a store keeps of deleted records."""

    def deleted(self) -> list[Deleted]:
        """All that can be restored, in the order of their deletion."""
        ...

    def deleted_bodies(self, uids: Iterable[str]) -> dict[str, Bodies]:
        """What they held, what was last applied, and the states of their secrets."""
        ...

    def deleted_secrets(self, uids: Iterable[str]) -> dict[str, Mapping[str, SealedSecret]]:
        """Their sealed secrets: uid to address to secret."""
        ...


def waiting(deleted: Iterable[Deleted], owner: str, days: int, now: str) -> list[Deleted]:
    """Of those that belonged to an owner, the ones that were deleted that many days ago, or longer."""
    last = later(now, -days * 86_400.0)
    return [item for item in deleted if item.owner == owner and item.deleted_at <= last]


def latest_of(deleted: Iterable[Deleted], owner: str) -> dict[Key, Deleted]:
    """By address what was deleted last of it, of those that belonged to an owner; none where that was another's doing."""
    return {item.key: item for item in deleted if item.owner == owner and not item.outlived}
