"""An SQL store by where it is, with all that can be asked of it, also when it is gone."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.core.care import Audit, Copied, MadeWith, Mended, Repair
from reconciler.core.conditions import Basis
from reconciler.core.ports.state import DriverContext, State
from reconciler.core.ports.store import RunInfo
from reconciler.core.progress import Interrupts
from reconciler.errors import StoreUnavailable
from reconciler.stores.sql import records
from reconciler.stores.sql.audit import audit
from reconciler.stores.sql.database import Database
from reconciler.stores.sql.lease import RunLease
from reconciler.stores.sql.observed import FACTS, note_facts
from reconciler.stores.sql.transaction import reading, writing

if TYPE_CHECKING:
    from reconciler.core.ports.live import Live
    from reconciler.core.ports.source import Sealer
    from reconciler.stores.sql.care import SqlKeys, SqlLocks
    from reconciler.stores.sql.history import SqlHistory
    from reconciler.stores.sql.paired import PairedStore
    from reconciler.stores.sql.session import SqlSession
    from reconciler.stores.sql.store import LiveSqlStore
    from reconciler.stores.sql.tokens import SqlTokens


class SqlState:
    """One database of ours, as far as it is the same on every engine; see `State`."""

    def __init__(self, database: Database, context: DriverContext, key: Path | None) -> None:
        """Open nothing yet.

        Args:
            key: where the store's key is, unless another place is named; None for nowhere.
        """
        self._database = database
        self._context = context
        self._key = key

    def lost(self) -> tuple[str, ...]:
        """What speaks of a store that was there and is gone."""
        return ()

    def store(self) -> "LiveSqlStore":
        """The live records, with what is known of them."""
        from reconciler.stores.sql.store import LiveSqlStore

        return LiveSqlStore(self._database, remains=self.lost, make_sealer=partial(self._context.make_sealer, self._key))  # fmt: skip

    def beside(self, live: "Live", owner: str) -> "PairedStore":
        """The records of another live store, with what is known of them here, as an owner's runs see them."""
        from reconciler.stores.sql.paired import PairedStore

        seal = partial(self._context.make_sealer, self._key)
        return PairedStore(self._database, live, owner, remains=self.lost, make_sealer=seal)

    def init(self) -> bool:
        """Make the store where there is none, or bring it up to date; whether there was none."""
        with reading(self._database) as connection:
            new = connection is None
        with writing(self._database, self._database.lock_seconds):
            return new

    def role_statements(self, prefix: str) -> Sequence[str]:
        """None: a file has no roles."""
        return ()

    def make_roles(self, prefix: str) -> None:
        """Nothing, as there are none."""

    def facts(self) -> str:
        """What the live store beside it was found to be able to do."""
        with reading(self._database) as connection:
            rows = connection.execute(FACTS).fetchall() if connection is not None else []
        return str(rows[0][0]) if rows else ""

    def keep_facts(self, text: str) -> None:
        """Remember it."""
        with writing(self._database, self._database.lock_seconds) as connection:
            note_facts(connection, text)

    def history(self) -> "SqlHistory":
        """What the store remembers."""
        from reconciler.stores.sql.history import SqlHistory

        return SqlHistory(self._database)

    def locks(self, owner: str) -> "SqlLocks":
        """The lease of an owner's runs."""
        from reconciler.stores.sql.care import SqlLocks

        return SqlLocks(self._database, owner)

    def keys(self) -> "SqlKeys":
        """The store's key."""
        from reconciler.stores.sql.care import SqlKeys

        return SqlKeys(self._database)

    def repairs(self) -> "SqlRepairs":
        """What mends the store."""
        return SqlRepairs(self._database)

    def take_over(self, source: State, made_with: MadeWith, interrupts: Interrupts) -> Copied:
        """Copy all of another store, which becomes this one; see `CanCopy`.

        Raises:
            StoreUnavailable: the other one is no database of ours.
        """
        from reconciler.stores.sql.transfer import Keys, copy

        if not isinstance(source, SqlState):
            raise StoreUnavailable("only a store in SQLite or PostgreSQL can be copied", hint="see docs/how-to/postgresql.md")  # fmt: skip
        keys = None
        if source.keys().key_check() is not None:
            keys = Keys(source._sealer(), self._sealer(), made_with)  # noqa: SLF001
        return copy(source._database, self._database, keys, interrupts)  # noqa: SLF001

    def _sealer(self) -> "Sealer":
        """What seals its secrets, also where it is the state of a live store elsewhere."""
        from reconciler.stores.sql.store import SqlStore

        seal = partial(self._context.make_sealer, self._key)
        return SqlStore(self._database, remains=self.lost, make_sealer=seal).sealer()

    def tokens(self, sealer: "Callable[[], Sealer]") -> "SqlTokens":
        """The access tokens that the store keeps."""
        from reconciler.stores.sql.tokens import SqlTokens

        return SqlTokens(self._database, sealer)

    def audit(self, noted: str) -> "Audit":
        """Look the store over; see `audit`."""
        return audit(self._database, self.lost(), noted, self._database.clock())


class SqlRepairs:
    """What mends one store."""

    def __init__(self, database: Database) -> None:
        """Open nothing yet."""
        self._database = database

    def audit(self) -> Audit:
        """What looking it over finds."""
        return audit(self._database, now=self._database.clock())

    def names_no_key(self) -> bool:
        """Whether something is sealed and the store does not say with which key."""
        with reading(self._database) as connection:
            if connection is None or not records.has_sealed(connection):
                return False
            return not connection.execute("SELECT 1 FROM meta WHERE key = 'key_check'").fetchone()

    def repair(self, run: RunInfo, basis: Basis | None, key_check: str, interrupts: Interrupts) -> Repair:
        """Mend what can be mended, in one transaction, and note it in the history; see `CanRepair`."""
        damaged = [fault.message for fault in self.audit().faults if fault.check == "file"]
        if damaged:
            raise StoreUnavailable(
                f"the store {self._database.name} is damaged in its pages, which cannot be mended",
                hint="restore it from a backup; what can still be read of it writes: reconciler export --out DIR",
                details=tuple(damaged),
            )

        def work(session: "SqlSession") -> tuple[tuple[Mended, ...], int | None]:
            if basis is not None:
                session.require(basis)
            return session.repair(key_check), session.run_id

        with RunLease(self._database, run, interrupts, prepare=lambda _: None) as lease:
            mended, number = lease.carry_out(run, work)
        return Repair(mended, self.audit(), number)
