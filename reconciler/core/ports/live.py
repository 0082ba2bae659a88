"""A live store: what a driver answers.

`Live` is all that a driver has to be. What some stores can do beyond it is a protocol of its own, asked for by
`isinstance` where it is used. `docs/store-drivers.md` shows how to write one; `reconciler.testing` holds it to this.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

from msgspec import Struct

from reconciler.core.model import Key
from reconciler.core.secret import Secret
from reconciler.diagnostics import Finding


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


# stores that are servers with an API of their own


class Known(Struct, frozen=True):
    """What the state knows of a record: what it held when it was last looked at for good.

    Attributes:
        is_owned: whether it belongs to an owner.
    """

    key: Key
    body: Any
    version: str
    note: str
    is_owned: bool


class Recollection(Struct, frozen=True):
    """All that the state beside a live store gives back to it.

    Attributes:
        records: by id.
        names: what is declared, by kind and folded display name: what a record without a name of ours is called.
        facts: what `Probes.probe` found out last; "" for nothing.
    """

    records: Mapping[str, Known] = {}
    names: Mapping[tuple[str, str], str] = {}
    facts: str = ""


@runtime_checkable
class Remembers(Protocol):
    """A live store that cannot hold all that is declared: the state keeps the rest for it."""

    def recall(self, found: Recollection) -> None:
        """Be told what the state knows; before each `read` of everything."""
        ...


@runtime_checkable
class Recognises(Protocol):
    """A live store whose `identity` is a picture of it, parts of which may change while it stays the same store."""

    def is_same(self, noted: str) -> bool:
        """Whether it is the store that gave that identity.

        Raises:
            StoreUnavailable: it cannot be reached.
        """
        ...


@runtime_checkable
class Probes(Protocol):
    """A live store of which not everything can be known before one has asked it."""

    def probe(self) -> str:
        """Find out what it can do, and give that as text to be kept. It writes nothing.

        Raises:
            StoreUnavailable: it cannot be reached.
        """
        ...


class Intent(Struct, frozen=True):
    """One request that changes something, as it is noted before it is sent.

    Attributes:
        number: of the request among those of a run, from 0.
        write: the index of the write that it is part of.
        path: without what identifies the server.
        digest: of its body, keyed by nothing: such a body holds no secret, or the digest is of what is no secret.
    """

    number: int
    write: int
    verb: str
    path: str
    digest: str = ""


class Answer(Struct, frozen=True):
    """What a server said to a request.

    Attributes:
        number: of the intent.
        id: of what it made, "" for nothing.
    """

    number: int
    status: int
    id: str = ""


class Journal(Protocol):
    """Where requests are noted before they are sent, for the run after one that died."""

    def keep(self, answered: Sequence[Answer], intended: Sequence[Intent]) -> None:
        """Note for good what was answered, and what is about to be sent; one transaction.

        Raises:
            StoreLocked: the right to write is lost: nothing more may be sent.
        """
        ...


class Step(Struct, frozen=True):
    """One noted request of a run that died.

    Attributes:
        sent: when it was noted; RFC 3339 in UTC, by the state's clock.
        answer: None where none was noted.
    """

    intent: Intent
    sent: str
    answer: Answer | None


class Unfinished(Struct, frozen=True):
    """One write of a run that died, with its requests.

    Attributes:
        write: without secrets.
        before: the body that the record had, None for a new one.
        note: of the record then.
    """

    write: Write
    steps: Sequence[Step]
    before: Any = None
    note: str = ""


class Carrying(Struct, frozen=True):
    """How writes are carried out.

    Attributes:
        goes_on: whether what does not depend on a failed write is carried out all the same.
        tell: told how many writes are done.
        is_ending: whether somebody asked to stop: what is under way is ended, and nothing more is begun.
    """

    goes_on: bool
    tell: Callable[[int], None]
    is_ending: Callable[[], bool]


@runtime_checkable
class WritesByRequests(Protocol):
    """A live store without transactions: each write is one or more requests, whose answers may be lost."""

    def carry_out(self, writes: Sequence[Write], journal: Journal, how: Carrying) -> Sequence[Outcome]:
        """As `Live.write`, in an order of its own, with each request noted before it is sent.

        What was not begun has failed, with a reason. It raises only where nothing was sent.

        Raises:
            StoreLocked: from the journal.
        """
        ...

    def find_out(self, unfinished: Sequence[Unfinished], *, patiently: bool) -> Sequence[Outcome]:
        """What became of the writes of a run that died, by reading alone: of each whether it was done.

        One that has failed has a note where it may be by the run itself that the record's secrets are others now.

        Args:
            patiently: whether to wait until no lost request can be at work any more.
        """
        ...


class Forecast(Struct, frozen=True):
    """What carrying out a plan is going to take.

    Attributes:
        notes: what whoever reads the plan has to know, a sentence each.
    """

    requests: int
    seconds: float
    notes: tuple[str, ...] = ()


@runtime_checkable
class Foresees(Protocol):
    """A live store that can tell what writes are going to take."""

    def forecast(self, writes: Sequence[Write]) -> Forecast:
        """For these writes, without their secrets; after `read`, and without another request."""
        ...


@runtime_checkable
class Limits(Protocol):
    """A live store that cannot hold all that can be declared, and says so before anything is sent; without asking it."""

    def objections(self, declared: Mapping[Key, Mapping[str, Any]]) -> Iterable[tuple[Key, Finding]]:
        """Why bodies cannot be held as they are, judged by what the state knows of the store; see `Recollection.facts`.

        Args:
            declared: all that is to be live together; in canonical form, or as documents have them.
        """
        ...

    def secret_objections(self, body: Mapping[str, Any], secrets: Mapping[str, Secret]) -> Mapping[str, str]:
        """Why the values of a connector's secrets cannot be held as they are, by address.

        Each is the rest of a sentence that begins with the value, and repeats nothing of it.
        """
        ...

    def unseen_access(self) -> str:
        """What access there may be that live policies do not show, in a sentence; "" for none."""
        ...


@runtime_checkable
class HoldsTokens(Protocol):
    """A live store that sends connectors' requests itself, by access tokens that it cannot fetch: it is given them.

    It gets the present one with each write that says what it holds of secrets, and one alone when that was renewed:
    a write with the body as it is, `is_sealed_anew`, and the token.
    """

    def held_tokens(self, spec: Mapping[str, Any]) -> frozenset[str]:
        """The authorizations of a connector whose token it is given, by name, "" for the connector's own; it asks nobody.

        What it is given no token of needs none, or has it fetched by the store itself.
        """
        ...


class Trait(Struct, frozen=True):
    """One thing that was found out of a live store, for people.

    Attributes:
        what: in a word or two.
        hint: what to do about it; "" where nothing has to be done.
    """

    what: str
    found: str
    hint: str = ""


@runtime_checkable
class TellsFacts(Protocol):
    """A live store that can say in words what `Probes.probe` gave."""

    def traits(self, facts: str) -> Sequence[Trait]:
        """What such a text says; it asks nobody."""
        ...
