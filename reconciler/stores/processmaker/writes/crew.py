"""Who sends requests: a few at once, each noted before it is sent, many notes in one transaction."""

from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Self

from msgspec import Struct

from reconciler.core.ports.live import Result
from reconciler.core.ports.requests import Answer, Carrying, Intent, Journal
from reconciler.errors import Interrupted, ReconcilerError
from reconciler.stores.processmaker.wire.answers import Lost, Refused
from reconciler.stores.processmaker.wire.line import Line
from reconciler.stores.processmaker.writes.change import Change, NotDone
from reconciler.stores.processmaker.writes.hand import Hand

if TYPE_CHECKING:
    from reconciler.stores.processmaker.wire.answers import Reply
    from reconciler.stores.processmaker.wire.client import Client


class Job(Struct, frozen=True, eq=False):
    """What is done of one write in one go, by one thread.

    Attributes:
        others: further writes that it is part of, and that fail with it.
    """

    write: int
    do: Callable[[Hand], None]
    others: tuple[int, ...] = ()

    @property
    def writes(self) -> tuple[int, ...]:
        """All that it is part of."""
        return (self.write, *self.others)


class Limits(Struct, frozen=True):
    """What the instance is asked at most.

    Attributes:
        in_flight: requests at once.
        patience: seconds after which it is at work at none that was sent before.
    """

    in_flight: int
    patience: float


class _Ask(Struct, frozen=True, eq=False):
    """A request that waits to be noted; told its number then."""

    write: int
    change: Change
    noted: "Future[int]"


_BROKEN = Interrupted("the run was broken off")


class Crew:
    """The threads of a run. The thread that made it keeps the journal; the others send.

    There are twice as many as requests may be in flight, so that some wait for the journal while others are sent.
    """

    def __init__(
        self, client: "Client", journal: Journal, how: Carrying, limits: Limits, called: Callable[[int], str]
    ) -> None:
        """Start nothing yet.

        Args:
            called: what a write is called in messages.
        """
        self._client = client
        client.is_ending = how.is_ending
        self._journal = journal
        self._how = how
        self._called = called
        self._hands = 2 * limits.in_flight
        self._line = Line(limits.in_flight)
        self._patience = limits.patience
        self._desk: SimpleQueue[_Ask | Job] = SimpleQueue()
        self._answers: SimpleQueue[Answer] = SimpleQueue()
        self._noted = self._running = 0
        self._ahead = timedelta()
        self._failed: dict[int, NotDone] = {}
        self._done: set[int] = set()
        self._why = ""
        self.closed: ReconcilerError | None = None
        """What keeps anything more from being sent."""
        self.has_sent = False
        """Whether anything was that changes something."""

    @property
    def failed(self) -> Mapping[int, NotDone]:
        """By write what went wrong."""
        return self._failed

    @property
    def is_stopping(self) -> bool:
        """Whether nothing more is begun."""
        return bool(self._why) or self.closed is not None or self._how.is_ending()

    def end(self, job: Job, failure: NotDone) -> None:
        """Note that all writes of a job go no further."""
        for write in job.writes:
            self.fail(write, failure)

    def fail(self, write: int, failure: NotDone) -> None:
        """Note that a write goes no further; the first reason stays."""
        self._failed.setdefault(write, failure)
        if not self._how.goes_on and not self._why:
            self._why = f"{self._called(write)} was not done"

    def work(self, jobs: Sequence[Job], after: Mapping[int, Collection[int]]) -> None:
        """Do them, a few at once and in any order, and note what goes wrong.

        Args:
            after: by write the writes without which it cannot be done.
        """
        self.miss(after)
        waiting = deque(jobs)
        begun: list[Future[None]] = []
        try:
            while waiting or self._running:
                while waiting and self._running < self._hands:
                    job = waiting.popleft()
                    if (refused := self._refusal(job)) is not None:
                        self.end(job, refused)
                    else:
                        begun.append(self._pool.submit(self._do, job))
                        self._running += 1
                if self._running:
                    self._keep()
        except BaseException:
            self.closed = _BROKEN
            while self._running:
                self._keep()
            raise
        self._write_down(())
        for one in begun:
            one.result()  # a bug is raised here

    def __enter__(self) -> Self:
        """Threads are there until the block ends, as each keeps its connection."""
        self._pool = ThreadPoolExecutor(self._hands, "processmaker")
        return self

    def __exit__(self, *failure: object) -> None:
        """End the threads."""
        self._pool.shutdown()

    def miss(self, after: Mapping[int, Collection[int]]) -> None:
        """Give up what needs what was not done."""
        while needy := [(write, need) for write, needs in after.items() for need in needs if need in self._failed and write not in self._failed]:  # fmt: skip
            for write, need in needy:
                self.fail(write, NotDone(Result.FAILED, f"not begun, as it needs {self._called(need)}"))

    def _refusal(self, job: Job) -> NotDone | None:
        """Why a job is not begun."""
        if all(write in self._failed for write in job.writes):
            return self._failed[job.write]
        if self.closed is not None:
            return NotDone(Result.FAILED, f"not begun: {self.closed.message}")
        if self._how.is_ending():
            return NotDone(Result.FAILED, "not begun, as the run was to end")
        return NotDone(Result.FAILED, f"not begun, as {self._why}") if self._why else None

    def _do(self, job: Job) -> None:
        hand = Hand(self, job.write)
        try:
            job.do(hand)
        except NotDone as failure:
            self.end(job, failure)
        except Refused as refusal:
            reason = f"{refusal.message}; {refusal.hint}" if refusal.hint else refusal.message
            self.end(job, NotDone(Result.FAILED, reason))
        except ReconcilerError as failure:
            self.closed = self.closed or failure
            said = Result.UNKNOWN if hand.has_sent else Result.FAILED
            self.end(job, NotDone(said, failure.message))
        finally:
            self._desk.put(job)

    def _keep(self) -> None:
        """Wait for a request to be noted, or a job to end, and take down all that there is."""
        found = [self._desk.get(), *_rest(self._desk)]
        asked = [one for one in found if isinstance(one, _Ask)]
        ended = [one for one in found if isinstance(one, Job)]
        self._running -= len(ended)
        self._done |= {one.write for one in ended} - self._failed.keys()
        self._how.tell(len(self._done))
        intents = [
            Intent(self._noted + place, one.write, one.change.verb, one.change.path, one.change.digest)
            for place, one in enumerate(asked)
        ]
        self._noted += len(asked)
        refused: ReconcilerError | None = _BROKEN
        try:
            if intents:
                self._write_down(intents)
            refused = self.closed
        finally:
            for intent, one in zip(intents, asked, strict=True):
                if refused is None:
                    one.noted.set_result(intent.number)
                else:
                    one.noted.set_exception(refused)

    def _write_down(self, intents: Sequence[Intent]) -> None:
        answers = list(_rest(self._answers))
        if self.closed is None and (answers or intents):
            try:
                self._journal.keep(answers, intents)
            except ReconcilerError as failure:
                self.closed = failure

    # what hands call, each in its own thread

    def get(self, path: str, params: Mapping[str, Any] | None, etag: str) -> "Reply":
        """Read."""
        with self._line.place():
            reply = self._client.get(path, params, etag)
        return self._dated(reply)

    def moment(self) -> datetime:
        """Now, by the server's clock as far as it is known."""
        return datetime.now(UTC) + self._ahead

    def send(self, hand: Hand, change: Change) -> "Reply":
        """Have a request noted, send it, and have its answer noted with the next one.

        Raises:
            Lost: nobody knows whether it was done.
            Refused: it was not.
            ReconcilerError: it was not, and no other will be.
        """
        noted: Future[int] = Future()
        self._desk.put(_Ask(hand.write, change, noted))
        number = noted.result()
        with self._line.place(is_change=True):
            try:
                reply = self._client.change(change.verb, change.path, change.body, change.secrets)
            except Lost:
                hand.has_sent = self.has_sent = True
                raise
        hand.has_sent = self.has_sent = True
        made = reply.body.get("id") if isinstance(reply.body, dict) else None
        self._answers.put(Answer(number, reply.status, str(made) if type(made) is int else ""))
        return self._dated(reply)

    def wait(self) -> None:
        """Until the server can be at work at nothing any more; see `Hand.wait`."""
        self._client.wait(self._patience)

    def _dated(self, reply: "Reply") -> "Reply":
        if reply.date is not None:
            self._ahead = reply.date - datetime.now(UTC)
        return reply


def _rest(desk: SimpleQueue[Any]) -> Iterator[Any]:
    while True:
        try:
            yield desk.get_nowait()
        except Empty:
            return
