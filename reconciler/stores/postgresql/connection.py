"""A connection as the statements of a store use it: what gives no rows waits for what does, or for the commit."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any, NoReturn

import psycopg
from psycopg import errors

from reconciler.stores.postgresql import limits as begun
from reconciler.stores.postgresql.rows import PostgresRows
from reconciler.stores.postgresql.shield import shielded
from reconciler.stores.postgresql.statements import array, common_type, quoted, translated, type_of, value_of
from reconciler.stores.sql.database import CommitUnknown, Query, Transient, Values

if TYPE_CHECKING:
    from reconciler.stores.postgresql.limits import Limits
    from reconciler.stores.postgresql.wire import Answer, Wire, Wires
    from reconciler.stores.sql.database import Engine

_AT_ONCE = 1_000  # rows that one statement inserts
_MOST_KNOWN = 1_000  # queries that are asked ahead in one transaction
_MOST_KEPT = 1_000  # rows of an answer that is kept for whoever asks again
_RETRIED = (errors.SerializationFailure, errors.DeadlockDetected)


class PostgresConnection:
    """One at a time; a lost one is made anew when something is begun."""

    def __init__(self, engine: "Engine", wires: "Wires", limits: "Limits") -> None:
        """Connect to nothing yet.

        Args:
            limits: of what is carried out in no transaction.
        """
        self.engine = engine
        self._wires = wires
        self._limits = limits
        self._wire: Wire | None = None
        self._began: Answer | None = None
        self._opening: tuple[Answer, Callable[[list[Any]], None]] | None = None
        self._reads = False
        self._in_transaction = False
        self._is_ignoring = False
        self._known: dict[tuple[str, tuple[object, ...]], Answer] = {}

    @property
    def in_transaction(self) -> bool:
        """Whether one has begun; also after it failed, until it is rolled back."""
        return self._in_transaction

    # asking

    def execute(self, statement: str, values: Values = (), /) -> PostgresRows:
        """Run one statement; it is sent, and waited for, once it has rows to give or is asked about.

        While only is read nothing can change, so that what was asked before is answered as it was then.
        """
        key = (statement, tuple(values))
        known = self._known.get(key) if self._known else None
        if known is not None:
            return PostgresRows(self, self._sending(), known)
        told = translated(statement)
        if not self._in_transaction:
            return self._alone(told.text, values, reads=told.asks)
        if not told.asks:
            self._known.clear()
        answer = self._told(told.text, values)
        if told.asks:
            self.flush(answer)
        if self._reads and answer.result is not None and answer.result.ntuples <= _MOST_KEPT:
            self._known[key] = answer
        return PostgresRows(self, self._sending(), answer)

    def prefetch(self, queries: Iterable[Query]) -> None:
        """Have queries asked together with the next statement, which are answered then without another wait."""
        assert self._in_transaction
        for statement, values in islice(queries, _MOST_KNOWN - len(self._known)):
            key = (statement, tuple(values))
            if key not in self._known:
                self._known[key] = self._told(translated(statement).text, values)

    def executemany(self, statement: str, rows: Iterable[Values], /) -> None:
        """Run one statement, which gives no rows, for each of `rows`."""
        waiting = iter(rows)
        text = translated(statement).text
        while part := [[value_of(value) for value in row] for row in islice(waiting, _AT_ONCE)]:
            self._known.clear()
            wire = self._sending()
            with self._guarded():
                wire.prepare(text, [common_type(column) for column in zip(*part, strict=True)])
                for row in part:
                    wire.repeat(row)

    def insert(self, table: str, columns: Sequence[str], rows: Iterable[Values], conflict: str = "") -> None:
        """Insert rows in bulk, as arrays; see `Connection.insert`.

        Raises:
            StoreUnavailable: a text holds what PostgreSQL cannot keep.
        """
        kinds = [type_of(table, column) for column in columns]
        marks = ", ".join(f"${at}::{kind}[]" for at, kind in enumerate(kinds, 1))
        names = ", ".join(map(quoted, columns))
        text = f"INSERT INTO {quoted(table)} ({names}) SELECT * FROM unnest({marks}) {conflict}".encode()
        waiting = iter(rows)
        while part := list(islice(waiting, _AT_ONCE)):
            self._known.clear()
            wire = self._sending()
            arrays = [array(column, kind) for column, kind in zip(zip(*part, strict=True), kinds, strict=True)]
            with self._guarded():
                wire.send(text, [(data, 0, 1) for data in arrays])

    def flush(self, answer: "Answer | None" = None) -> None:
        """Send what waits, and wait until it is carried out; not where an answer is there already.

        Raises:
            psycopg.Error: a statement failed; the transaction has to be rolled back.
            Transient: the transaction was given up, or the connection lost, before it was to be committed.
        """
        if answer is not None and (answer.result is not None or answer.failure is not None):
            return
        wire = self._sending()
        with self._guarded():
            wire.wait()
        began, self._began = self._began, None
        if began is not None:
            self._wires.note_time(wire.rows(began)[0][0], began.sent)
        opening, self._opening = self._opening, None
        if opening is not None:
            opening[1](wire.rows(opening[0]))

    # transactions

    def begin(self, limits: "Limits", *, reads: bool = False) -> None:
        """Begin a transaction, together with what is sent next.

        Args:
            reads: whether it sees one state and writes nothing.
        """
        assert not self._in_transaction
        if self._wire is not None and self._wire.is_lost:
            self._wire = None
        wire = self._wire = self._wire or self._wires.take()
        self._in_transaction, self._reads = True, reads
        with self._guarded():
            wire.send(begun.READING if reads else begun.WRITING)
            self._began = wire.send(begun.SETTINGS, [value_of(value) for value in limits.values()])

    def open_with(self, query: str, check: Callable[[list[Any]], None]) -> None:
        """Have a query asked first of all, and what it gives checked before anything that comes after counts.

        Args:
            check: raises where it is not as it should be.
        """
        self._opening = (self._told(translated(query).text, ()), check)

    def commit(self) -> None:
        """Commit what was begun, with all that waits to be sent.

        Raises:
            CommitUnknown: nobody said whether it was done, or whether it will last.
            Transient: the server gave it up; nothing was done.
            psycopg.Error: a statement failed that had waited to be sent; nothing was done.
        """
        if not self._in_transaction or self._reads:
            self.rollback()
            return
        self.watch()
        if self._opening is not None:
            self.flush()
        wire = self._sending()
        with shielded():
            with self._guarded():
                last = wire.send(b"COMMIT")
            try:
                wire.wait()
            except psycopg.Error as failure:
                if wire.is_lost and (failure.sqlstate is None or failure is last.failure):
                    self._forget()
                    raise CommitUnknown(_short(failure)) from failure
                self._raise(failure)
            self._end()
            if last.result.command_status != b"COMMIT":
                raise Transient("the transaction had failed before the commit")
            if last.was_warned:
                raise CommitUnknown("the server does not say whether the commit will last")

    def rollback(self) -> None:
        """Take the transaction back, where one has begun. What was only read is let go without a wait."""
        if not self._in_transaction:
            return
        wire, reads = self._wire, self._reads
        self._end()
        if wire is None or wire.is_lost:
            self._wire = None
            return
        try:
            wire.part()  # ends what may have failed, which would have what follows left out
            wire.send(b"ROLLBACK")
            if reads:
                wire.part()
            else:
                wire.wait()
        except psycopg.Error:  # the server is gone, and with it all of the transaction
            wire.close()
            self._wire = None

    def close(self) -> None:
        """Let go of the connection, and take back what was not committed."""
        self.rollback()
        wire, self._wire = self._wire, None
        if wire is not None and not wire.is_lost:
            self._wires.give_back(wire)

    def ignore(self) -> None:
        """Have the triggers that see writes of others keep quiet; the row says that the setting is no fake."""
        if not self._is_ignoring:
            self._is_ignoring = True
            self._told(b"INSERT INTO writing (xid) VALUES (pg_current_xact_id())", ())
            self._told(b"SELECT set_config('reconciler.writing', '1', true)", ())

    def watch(self) -> None:
        """Have them see again, and what somebody else's triggers have put off until the commit: it is read back next."""
        if self._is_ignoring:
            self._is_ignoring = False
            self._told(b"SELECT set_config('reconciler.writing', '', true)", ())
            self._told(b"DELETE FROM writing WHERE xid = pg_current_xact_id()", ())
            self._told(b"SET CONSTRAINTS ALL IMMEDIATE", ())

    # sending

    def _told(self, text: bytes, values: Values) -> "Answer":
        sent = [value_of(value) for value in values]
        wire = self._sending()
        with self._guarded():
            return wire.send(text, sent)

    def _sending(self) -> "Wire":
        if self._wire is None:
            raise Transient("the connection was lost")
        return self._wire

    def _alone(self, text: bytes, values: Values, *, reads: bool) -> PostgresRows:
        """One statement in a transaction of its own, and one wait."""
        self.begin(self._limits, reads=reads)
        wire = self._sending()
        answer = self._told(text, values)
        try:
            if reads:
                self.flush(answer)
            self.commit()
        finally:
            self.rollback()
        return PostgresRows(self, wire, answer)

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """Failures while nothing can have been committed yet."""
        try:
            yield
        except psycopg.Error as failure:
            self._raise(failure)
        except BaseException:  # an interrupt: the server is not to go on for nobody
            if self._wire is not None:
                self._wire.cancel()
            self._forget()
            raise

    def _raise(self, failure: psycopg.Error) -> NoReturn:
        lost = self._wire is None or self._wire.is_lost
        reads = self._reads
        if lost:
            self._forget()
        if not reads and (lost or isinstance(failure, _RETRIED)):
            raise Transient(_short(failure)) from failure
        raise failure

    def _end(self) -> None:
        """No transaction is under way."""
        self._in_transaction = self._is_ignoring = False
        self._known = {}
        self._began = self._opening = None

    def _forget(self) -> None:
        """The connection is lost, and what was begun on it; it is still to be rolled back."""
        self._wire = self._began = self._opening = None
        self._is_ignoring = False
        self._known = {}


def _short(failure: psycopg.Error) -> str:
    return "the connection was lost" if failure.sqlstate is None else str(failure)
