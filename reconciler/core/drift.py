"""What became of records outside of this repository's applies: outside of any run, or by another owner's."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NamedTuple

from msgspec import Struct

from reconciler.core.diff import FieldChange
from reconciler.core.model import Key


class StoredSecret(NamedTuple):
    """One secret as the store holds it; `ciphertext` is hexadecimal."""

    reference: str
    fingerprint: str
    ciphertext: str


class Side(Struct, frozen=True):
    """All that the store holds of one record at one moment.

    Attributes:
        owner: "" for none.
        display: the folded display name that the store keeps apart, or "".
        body: decoded; written by others it may be anything that JSON can say. None where there is none.
        declared: the body that git declared, where that is another one.
        applied: fingerprint of what was declared; "" where nothing was ever applied.
        refs: kind and name of what the store says that it refers to.
        secrets: by address.
    """

    key: Key
    owner: str
    display: str
    body: Any
    declared: Any
    applied: str
    refs: frozenset[tuple[str, str]]
    secrets: Mapping[str, StoredSecret]

    @property
    def last_declared(self) -> Any:
        """What git declared when it was last applied."""
        return self.body if self.declared is None else self.declared


class Fate(StrEnum):
    """What became of a record."""

    CHANGED = "changed"
    CREATED = "created"
    DELETED = "deleted"
    REPLACED = "replaced"


class Moved(Struct, frozen=True):
    """One record that somebody else has written to since it was last applied.

    Attributes:
        since: when first, RFC 3339 in UTC; "" where nobody knows.
        by: who, as far as the store knows, or "".
        before: what it was until then; None when it is new.
        now: None when it is gone.
        run: of another owner who wrote to it by this tool; None for a write outside of a run.
        replaced: whether another record stands where it was; `uid` is that one's.
    """

    uid: str
    since: str
    by: str
    before: Side | None
    now: Side | None
    run: int | None = None
    replaced: bool = False

    @property
    def fate(self) -> Fate:
        """What became of it."""
        if self.before is None:
            return Fate.CREATED
        if self.now is None:
            return Fate.DELETED
        return Fate.REPLACED if self.replaced else Fate.CHANGED


class Drifted(Struct, frozen=True):
    """One record that is not what was last applied.

    Attributes:
        key: as last applied; of one that is new its own.
        owner: whose it was when it was last applied; of one that is new whose it is.
        fields: from what was last applied (before) to what is live (after).
        content: of one that is new or gone, its body, as far as it can be read.
        notes: what else was changed that the store keeps of it.
    """

    key: Key
    fate: Fate
    since: str
    by: str
    run: int | None
    owner: str
    fields: tuple[FieldChange, ...] = ()
    content: Mapping[str, Any] | None = None
    notes: tuple[str, ...] = ()


class DriftReport(Struct, frozen=True):
    """Drift.

    Attributes:
        owner: whose records were looked at; "" for everybody's.
        drifted: in order of their addresses.
        others: how many records of others are not what was last applied, and were not asked for.
    """

    target: str
    owner: str
    drifted: tuple[Drifted, ...]
    others: int = 0
