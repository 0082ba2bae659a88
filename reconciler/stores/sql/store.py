"""The SQL store as the services take it: all ports in one, each answered by the module of its name."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any

from msgspec.structs import replace

from reconciler.core.baseline import Memory
from reconciler.core.drift import Moved
from reconciler.core.model import Bodies, Found, Key, LiveConnector, Record, Resource, content_of
from reconciler.core.ports.source import Sealer
from reconciler.core.ports.store import Lease, RunInfo
from reconciler.core.progress import Interrupts
from reconciler.core.quarantine import Deleted
from reconciler.core.secret import SealedSecret
from reconciler.errors import RecordConflict, StoreUnavailable, Unconfirmed
from reconciler.kinds.canonical import canonical, fingerprint
from reconciler.kinds.registry import KINDS
from reconciler.stores.sql import baselines, observed, quarantine, records
from reconciler.stores.sql.baselines import SqlIndex
from reconciler.stores.sql.columns import KEY_CHECK
from reconciler.stores.sql.database import CommitUnknown, Connection, Database, Engine, Query, Transient
from reconciler.stores.sql.transaction import writing

MakeSealer = Callable[[str | None, bool], tuple[Sealer, str]]
"""From the store's key check and whether a key may be made, to what seals secrets and the key check to keep."""


_IDENTITY = "SELECT value FROM meta WHERE key = 'store'"


class SqlStore:
    """Records and what is known of them in one database. One that is not there reads as an empty store.

    All reads until `close`, `lease` or a session see one state.
    """

    def __init__(self, database: Database, *, remains: Callable[[], tuple[str, ...]], make_sealer: MakeSealer) -> None:
        """Open nothing yet.

        Args:
            remains: says what speaks of a store that was there, where there is none.
        """
        self._database = database
        self._remains = remains
        self._make_sealer = make_sealer
        self._reader: Connection | None = None
        self._opened = False
        self._bodies: dict[str, Bodies] = {}
        self._sealer: tuple[Sealer, str] | None = None

    def identity(self) -> str:
        """What tells this store from every other one; "" when there is none yet."""
        with self._reading() as connection:
            row = connection.execute(_IDENTITY).fetchone() if connection else None
        return str(row[0]) if row else ""

    def lost(self) -> tuple[str, ...]:
        """What speaks of a store that was here and is gone."""
        with self._reading() as connection:
            return self._remains() if connection is None else ()

    def notes(self) -> tuple[str, ...]:
        """What whoever reads a plan of it has to know."""
        return self._database.notes()

    def records(self, near: Mapping[Key, Resource] | None = None) -> Mapping[Key, Record]:
        """All records, without their bodies; they share with `near` what both say."""
        with self._reading() as connection:
            return records.records(connection, fingerprint_of, near or {}) if connection else {}

    def bodies(self, uids: Iterable[str]) -> dict[str, Bodies]:
        """Bodies and secret states of the records named."""
        wanted = list(uids)
        found = {uid: self._bodies[uid] for uid in wanted if uid in self._bodies}
        with self._reading() as connection:
            unknown = [uid for uid in wanted if uid not in found]
            return found | records.bodies(connection, unknown) if connection and unknown else found

    def referrers(self, keys: Sequence[Key]) -> list[tuple[Key, Key]]:
        """Pairs (record, what it refers to) for all records that refer to one of `keys`."""
        with self._reading() as connection:
            return records.referrers(connection, keys) if connection else []

    def moved(self) -> list[Moved]:
        """The records that somebody wrote to outside of a run since they were last applied, also those that are gone."""
        with self._reading() as connection:
            return observed.moved(connection) if connection else []

    def taken_over(self, owner: str) -> list[Moved]:
        """The records that `owner` has applied and that belong to another owner by a later run of that one."""
        with self._reading() as connection:
            return observed.taken_over(connection, owner) if connection else []

    def earlier_names(self, uid: str) -> frozenset[str]:
        """The names that a record bore before, as far as applies gave it another one."""
        with self._reading() as connection:
            return observed.earlier_names(connection, uid) if connection else frozenset()

    def secret_states(self) -> dict[str, dict[str, str]]:
        """Keyed fingerprints of all secrets: uid to address to fingerprint."""
        with self._reading() as connection:
            return records.secret_states(connection) if connection else {}

    def deleted(self) -> list[Deleted]:
        """Deleted records that can be restored, in the order of their deletion."""
        with self._reading() as connection:
            return quarantine.deleted(connection) if connection else []

    def deleted_bodies(self, uids: Iterable[str]) -> dict[str, Bodies]:
        """What deleted records held, what was last applied, and the states of their secrets."""
        with self._reading() as connection:
            return quarantine.bodies(connection, uids) if connection else {}

    def deleted_secrets(self, uids: Iterable[str]) -> dict[str, Mapping[str, SealedSecret]]:
        """Sealed secrets of deleted records: uid to address to secret."""
        with self._reading() as connection:
            return quarantine.secrets(connection, uids) if connection else {}

    def search(self, kind: str | None, name: str | None) -> Iterator[Found]:
        """Records by kind and name, with their bodies."""
        with self._reading() as connection:
            if connection:
                yield from records.search(connection, kind, name)

    def connectors(self, names: Sequence[str] | None = None, *, secrets: bool = True) -> Iterator[LiveConnector]:
        """Live connectors in order of their names, all or those named; with their secrets opened, or without."""
        with self._reading() as connection:
            found = list(records.connectors(connection, names)) if connection else []
        for uid, name, owner, live, sealed in found:
            spec = live.get("spec") if isinstance(live, dict) else None
            if not isinstance(spec, dict):
                continue  # written outside of a run, and no connector
            opened = {address: self.sealer().open(uid, address, text) for address, text in sealed} if secrets else {}
            metadata = live.get("metadata")
            labels = metadata.get("labels") if isinstance(metadata, dict) else None
            yield LiveConnector(uid, name, owner, labels if isinstance(labels, dict) else {}, spec, opened)

    def sealer(self) -> Sealer:
        """What encrypts secrets for this store; makes the embedded store's key when there is none.

        Raises:
            KeyUnavailable: there is no key, or it is not the one that the store's secrets are sealed with.
        """
        if self._sealer is None:
            check, sealed = self._sealed()
            if check is None and sealed is None:
                with self._database.translated():
                    self._database.make_place()
            found = self._make_sealer(check, check is None and sealed is None)
            if check is None and sealed is not None:  # somebody has removed the note of the key
                found[0].open(*sealed)
            self._sealer = found
        return self._sealer[0]

    def _sealed(self) -> tuple[str | None, tuple[str, str, bytes] | None]:
        """What tells the key, and something that is sealed with it."""
        with self._reading() as connection:
            if connection is None:
                return None, None
            row = connection.execute(KEY_CHECK).fetchone()
            return (str(row[0]), None) if row else (None, records.one_sealed(connection))

    def clock(self) -> str:
        """The present time by the clock that all share who use the store; RFC 3339 in UTC."""
        return self._database.clock()

    def lease(self, run: RunInfo, interrupts: Interrupts, *, is_brief: bool = False) -> AbstractContextManager[Lease]:
        """The right to write, until the block ends; what is read from then on is read anew.

        The run begins by the store's clock, by which it ends: those of several machines are not the same.
        """
        from reconciler.stores.sql.lease import RunLease
        from reconciler.stores.sql.session import SqlSession

        if not is_brief:
            self.close()
        make_session = partial(SqlSession, sealer=self.sealer)
        return RunLease(
            self._database,
            replace(run, started=self.clock()),
            interrupts,
            prepare=self._prepare,
            make_session=make_session,
            brief=self.close if is_brief else None,
        )

    def _prepare(self, connection: Connection) -> None:
        self.close()
        self._keep_key_check(connection)

    def _keep_key_check(self, connection: Connection) -> None:
        """Remember which key the secrets are under; the check says nothing about the key itself."""
        if self._sealer is None:
            return
        row = connection.execute(KEY_CHECK).fetchone()
        if row is None:
            connection.execute("INSERT INTO meta VALUES ('key_check', ?)", (self._sealer[1],))
        elif row[0] != self._sealer[1]:  # another process was first, with another key
            self._make_sealer(str(row[0]), False)
            raise RecordConflict("the store's key was changed meanwhile; nothing was changed", hint="run the command again")  # fmt: skip

    def confirm(self) -> None:
        """Make sure that what has been read lasts.

        Raises:
            Unconfirmed: nobody says so.
        """
        with self._reading() as connection:
            if connection is None:
                return
        try:
            self._database.confirm()
        except (CommitUnknown, Transient) as failure:
            raise Unconfirmed(
                f"nothing is left to do, but the store {self._database.name} did not say whether what is there will last ({failure})",
                hint="run the command again once the store's server answers, or another one has taken over",
            ) from failure

    def close(self) -> None:
        """Close the connection that reads go through."""
        if self._reader is not None:
            self._reader.close()
        self._reader, self._opened = None, False
        self._bodies.clear()

    def _connect(self) -> Connection | None:
        """A connection that sees one state, whoever writes meanwhile; None where there is no store."""
        return self._database.reader()

    @contextmanager
    def _reading(self) -> Iterator[Connection | None]:
        if not self._opened:
            self._reader = self._connect()
            self._opened = True
        with self._database.translated():
            yield self._reader


class LiveSqlStore(SqlStore):
    """Live state in one database, with baselines of it."""

    _owner = ""
    """Whose baseline is going to be asked for."""

    def _connect(self) -> Connection | None:
        connection = self._database.reader(self._first)
        if connection is not None:
            try:
                with self._database.translated():
                    _refuse_state(connection)
            except BaseException:
                connection.close()
                raise
        return connection

    def _first(self, engine: Engine) -> Iterator[Query]:
        yield from ((observed.BESIDE, ()), (_IDENTITY, ()), (KEY_CHECK, ()))
        if self._owner:
            yield observed.moved_query(engine), ()
            yield quarantine.DELETED, ()
            yield from baselines.first(self._owner)

    def _prepare(self, connection: Connection) -> None:
        _refuse_state(connection)
        super()._prepare(connection)

    def index(self, owner: str) -> SqlIndex:
        """What it knows of the last time when live was just what git declared for an owner."""
        self._owner = owner
        return SqlIndex(owner, self._reading, fingerprint_of, self._bodies)

    def remember(self, memory: Memory) -> bool:
        """Move the baseline on, in a transaction of its own; False when the store is not as it was."""
        self.close()
        with writing(self._database, 0) as connection:
            (revision,) = connection.execute("SELECT value FROM meta WHERE key = 'revision'").fetchone()
            same = int(revision) == memory.baseline.revision
            if same:
                baselines.remember(connection, memory, memory.baseline.revision)
            return same


def _refuse_state(connection: Connection) -> None:
    """Stop where what is there is kept beside a live store: nothing reaches that one by writing here."""
    if observed.is_beside(connection):
        hint = "choose the target whose state it is, or name another store"
        raise StoreUnavailable("the store is the state of another live store, and none itself", hint=hint)


def fingerprint_of(content: dict[str, Any], kind: str) -> str:
    """Fingerprint of a body that was written outside of a run; one that is not a body at all gets its own."""
    try:
        return fingerprint(content_of(canonical(content, KINDS[kind])).body)
    except (KeyError, TypeError, AttributeError):
        return "unreadable"
