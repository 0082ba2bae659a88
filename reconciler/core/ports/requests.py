"""A live store without transactions: its writes are requests, noted in a journal before they are sent."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol, runtime_checkable

from msgspec import Struct

from reconciler.core.ports.live import Outcome, Write


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
