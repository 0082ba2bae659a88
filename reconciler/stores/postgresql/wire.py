"""What goes over one connection to a server: many statements, then one wait for what came of them.

libpq's pipeline mode is used as it is, as psycopg's own cursors wait more often. No wait is longer than a limit
without anything being heard, also where a server stands still: a socket tells nothing of that.
"""

import selectors
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Protocol

import psycopg
from psycopg import pq
from psycopg.adapt import Loader, Transformer
from psycopg.errors import lookup

_SYNC = pq.ExecStatus.PIPELINE_SYNC
_FAILED = pq.ExecStatus.FATAL_ERROR
_SKIPPED = pq.ExecStatus.PIPELINE_ABORTED
_TUPLES = pq.ExecStatus.TUPLES_OK
_AT_ONCE = 1 << 20  # bytes after which the server is asked for what it has until then
_CANCEL_SECONDS = 2.0


class Silent(psycopg.OperationalError):
    """Nothing was heard of the server for too long."""


class Answer:
    """What became of one statement.

    Attributes:
        sent: when it was sent, by this process's clock.
        was_warned: whether a warning came with it.
    """

    __slots__ = ("failure", "is_sync", "is_unwanted", "result", "sent", "was_warned")

    def __init__(self, *, is_sync: bool = False) -> None:
        self.is_sync = is_sync
        self.result: Any = None
        self.failure: psycopg.Error | None = None
        self.is_unwanted = False
        self.sent = 0.0
        self.was_warned = False


class Wires(Protocol):
    """Where connections to one server come from, and go."""

    def take(self) -> "Wire":
        """One in no transaction.

        Raises:
            psycopg.Error, StoreUnavailable: none can be had.
        """
        ...

    def give_back(self, wire: "Wire") -> None:
        """Keep one that is in no transaction, or close it."""
        ...

    def note_time(self, epoch: float, sent: float) -> None:
        """The server's time, and when it was asked for, by this process's clock."""
        ...


class _Number(Loader):
    """A numeric, such as the sum of integers."""

    def load(self, data: Any) -> int | float:
        text = bytes(data).decode()
        return int(text) if text.lstrip("-").isdigit() else float(text)


class Wire:
    """One connection."""

    def __init__(self, parameters: dict[str, str], seconds: float) -> None:
        """Connect.

        Args:
            parameters: of libpq.
            seconds: how long to wait without hearing anything.

        Raises:
            psycopg.Error: that is not possible; its text may repeat names, and never a password.
        """
        self._raw = psycopg.connect(autocommit=True, prepare_threshold=None, **parameters)  # type: ignore[arg-type]
        self._raw.adapters.register_loader("numeric", _Number)
        self._raw.add_notice_handler(self._noticed)
        self._server = self._raw.pgconn
        self._server.enter_pipeline_mode()
        self._transformer = Transformer(self._raw)
        self._expected: deque[Answer] = deque()
        self._seconds = seconds
        self._unasked = 0
        self._failure: psycopg.Error | None = None
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._server.socket, selectors.EVENT_READ)

    @property
    def is_lost(self) -> bool:
        """Whether nothing can be sent any more."""
        return self._raw.closed

    @property
    def encoding(self) -> str:
        """That of the database."""
        return (self._server.parameter_status(b"server_encoding") or b"").decode()

    @property
    def is_standbys(self) -> bool:
        """Whether the server says that it is a standby, as from version 14 on it does unasked."""
        return self._server.parameter_status(b"in_hot_standby") == b"on"

    def send(self, text: bytes, values: Sequence[tuple[bytes | None, int, int]] = ()) -> Answer:
        """Have a statement sent, with what is sent next or at the next `wait` at the latest.

        Raises:
            psycopg.OperationalError: the connection is lost.
        """
        payload, types, formats = zip(*values, strict=True) if values else ((), (), ())
        self._server.send_query_params(text, payload, types, formats)
        return self._sent(len(text) + sum(len(value) for value in payload if value))

    def prepare(self, text: bytes, types: Sequence[int]) -> None:
        """Have a statement parsed that `repeat` carries out; another one ends it."""
        self._server.send_prepare(b"", text, types)
        self._sent(len(text))

    def repeat(self, values: Sequence[tuple[bytes | None, int, int]]) -> Answer:
        """Have what was prepared carried out."""
        payload, _, formats = zip(*values, strict=True)
        self._server.send_query_prepared(b"", payload, formats)
        return self._sent(sum(len(value) for value in payload if value))

    def _sent(self, size: int) -> Answer:
        answer = Answer()
        self._expected.append(answer)
        self._unasked += size + 64
        if self._unasked > _AT_ONCE:
            self._server.send_flush_request()
            self._unasked = 0
            self._pump(block=False)
        return answer

    def part(self) -> None:
        """Send all without waiting for what becomes of it, which nobody wants to know."""
        self._end_part()
        for answer in self._expected:
            answer.is_unwanted = True
        self._pump(block=False)

    def wait(self) -> None:
        """Send all, and wait until all of it is answered.

        Raises:
            psycopg.Error: the first failure; the statements after it were not carried out.
            Silent: nothing was heard for too long; the connection is lost then.
        """
        self._end_part()
        self._pump(block=True)
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure.with_traceback(None)

    def _end_part(self) -> None:
        self._server.pipeline_sync()
        now = time.monotonic()
        for answer in self._expected:
            answer.sent = answer.sent or now
        self._expected.append(Answer(is_sync=True))
        self._unasked = 0

    def rows(self, answer: Answer) -> list[tuple[Any, ...]]:
        """The rows that a statement gave."""
        result = answer.result
        if result is None or result.status != _TUPLES:
            return []
        self._transformer.set_pgresult(result)
        return self._transformer.load_rows(0, result.ntuples, tuple)

    @property
    def is_usable(self) -> bool:
        """Whether something can be begun, as far as is known: a server that goes away says so, or ends the connection."""
        if self._expected and not self.is_lost:
            with suppress(psycopg.Error):
                self._pump(block=False)
        return not self.is_lost and (bool(self._expected) or not self._selector.select(0))

    def cancel(self) -> None:
        """Tell the server that nobody waits any more, and let go."""
        if not self._raw.closed and self._expected:
            with suppress(psycopg.Error):
                self._raw.cancel_safe(timeout=_CANCEL_SECONDS)
        self.close()

    def close(self) -> None:
        """Let go of it."""
        self._selector.close()
        self._expected.clear()
        self._raw.close()

    # hearing

    def _pump(self, *, block: bool) -> None:
        """Send what is to be sent and take in what comes; until all is answered, or as long as that needs no wait."""
        try:
            self._exchange(block=block)
        except psycopg.OperationalError as failure:
            first = self._failure or failure
            self.close()
            self._failure = None
            raise first.with_traceback(None) from None

    def _exchange(self, *, block: bool) -> None:
        server, selector = self._server, self._selector
        unsent = True
        deadline = time.monotonic() + self._seconds
        while self._expected:
            if unsent:
                unsent = server.flush() == 1
            while self._expected and not server.is_busy():
                if not self._take(server.get_result()):
                    break
            if not self._expected:
                break
            selector.modify(server.socket, selectors.EVENT_READ | (selectors.EVENT_WRITE if unsent else 0))
            ready = selector.select(max(0.0, deadline - time.monotonic()) if block else 0)
            if not ready:
                if block:
                    raise Silent(f"nothing was heard for {self._seconds:g} s")
                break
            deadline = time.monotonic() + self._seconds
            if ready[0][1] & selectors.EVENT_READ:
                server.consume_input()
        selector.modify(server.socket, selectors.EVENT_READ)

    def _take(self, result: Any) -> bool:
        """Note one result of what is expected next; whether there may be more at once."""
        first = self._expected[0]
        if result is None:
            if first.is_sync or first.result is None:
                return False
            self._expected.popleft()
        elif result.status == _SYNC:
            self._expected.popleft()
        else:
            first.result = result
            if result.status in (_FAILED, _SKIPPED):
                first.failure = _failure_of(result)
                if result.status == _FAILED and self._failure is None and not first.is_unwanted:
                    self._failure = first.failure
        return True

    def _noticed(self, notice: psycopg.errors.Diagnostic) -> None:
        if self._expected and notice.severity_nonlocalized == "WARNING":
            self._expected[0].was_warned = True


def _failure_of(result: Any) -> psycopg.Error:
    """What a server said, without its details, which hold values."""
    code = (result.error_field(pq.DiagnosticField.SQLSTATE) or b"").decode()
    said = (result.error_field(pq.DiagnosticField.MESSAGE_PRIMARY) or b"").decode(errors="replace")
    try:
        kind = lookup(code)
    except KeyError:
        kind = psycopg.OperationalError
    return kind(said or "it was not carried out", info=result, encoding="utf-8")
