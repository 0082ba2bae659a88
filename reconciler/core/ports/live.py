"""A live store: what a driver answers.

`Live` is all that a driver has to be. What some stores can do beyond it is a protocol of its own, asked for by
`isinstance` where it is used. `docs/store-drivers.md` shows how to write one; `reconciler.testing` holds it to this.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

from msgspec import Struct

from reconciler.core.model import Key
from reconciler.core.secret import Secret


class LiveRecord(Struct, frozen=True):
    """One record as a live store holds it.

    Attributes:
        id: what tells it from every other record, for ever: a rename keeps it, and no later record gets it.
        body: decoded, {"metadata": {"labels": ...}, "spec": ...}; where a secret belongs its reference stands, as it
            was written. Written by others it may be anything that JSON can say.
        version: the store's own word for what the record holds now: another one once it was changed, whoever did it.
        note: what the driver wants to find again with the record; see `Remembers`. Never a secret value.
        is_resealed: whether others wrote its secrets since the note, so that nobody knows which it has now.
    """

    id: str
    key: Key
    body: Any
    version: str
    note: str = ""
    is_resealed: bool = False


class Write(Struct, frozen=True):
    """One record to be written.

    Attributes:
        key: its address afterwards; of a delete the one that it has.
        id: "" for a new record.
        version: that it must still have; "" for a new record.
        body: as `LiveRecord` has it, in canonical form; None to delete the record.
        secrets: by address all secrets that it has from then on. They are for the store alone, which never shows them.
        is_sealed_anew: whether the secrets, or what obtains a token by them, are others than those that the record has.
        tokens: the access tokens that were fetched for it, by the name of the authorization, "" for the record's own.
    """

    key: Key
    id: str
    version: str
    body: Mapping[str, Any] | None
    secrets: Mapping[str, Secret]
    is_sealed_anew: bool = True
    tokens: Mapping[str, Secret] = {}


class Result(StrEnum):
    """What came of a write."""

    DONE = "done"
    CONFLICT = "conflict"
    FAILED = "failed"
    UNKNOWN = "unknown"
    """It was begun, and nobody can say now how it ended; see `WritesByRequests`."""


class Outcome(Struct, frozen=True):
    """What came of one write.

    Attributes:
        id, version: of the record, when it was done; of a delete the id alone.
        reason: what stood in the way, or went wrong; one sentence, never a secret value.
        note: of the record, as `LiveRecord` has it.
    """

    result: Result
    id: str = ""
    version: str = ""
    reason: str = ""
    note: str = ""


@runtime_checkable
class Live(Protocol):
    """A live store. Nothing is opened before it is used."""

    def identity(self) -> str:
        """What tells this store from every other one, a copy of it included where that is possible; "" for none yet."""
        ...

    def read(self, ids: Sequence[str] | None = None) -> Iterable[LiveRecord]:
        """All records, or those of `ids` that there are; in any order, each once.

        Raises:
            StoreUnavailable: the store cannot be reached, or gives no answer that can be understood.
        """
        ...

    def write(self, writes: Sequence[Write]) -> Sequence[Outcome]:
        """Carry out the writes in their order, and say for each what came of it; one that fails ends nothing.

        A write whose record has another version, or is gone, or whose address another record has, is a conflict and
        changes nothing. Names may be swapped and passed on among the writes of one call.
        """
        ...

    def close(self) -> None:
        """Release the store; it may be used again, and is opened anew then."""
        ...


class Touch(Struct, frozen=True):
    """Who wrote to a record last.

    Attributes:
        at: RFC 3339 in UTC; "" where nobody knows.
        by: "" where nobody knows.
    """

    at: str
    by: str


@runtime_checkable
class SeesOthers(Protocol):
    """A live store that knows who wrote to a record last."""

    def touches(self, ids: Sequence[str]) -> Mapping[str, Touch]:
        """The last write to each of the records, as far as the store knows; also to those that are gone."""
        ...
