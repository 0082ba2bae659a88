"""A live store of another kind, with what is known of it in an SQL store of ours beside it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

from reconciler.core.calls import TokenKey
from reconciler.core.lease import Standing
from reconciler.core.model import Key, Resource
from reconciler.core.plan import UNWRITTEN, Change
from reconciler.core.ports.abilities import Forecast, Foresees, HoldsTokens, Limits, TellsOfItself
from reconciler.core.ports.live import Live, Write
from reconciler.core.ports.store import Lease, RunInfo
from reconciler.core.progress import NOTHING_INTERRUPTS, Interrupts
from reconciler.core.secret import Secret
from reconciler.diagnostics import Finding
from reconciler.kinds.drift import secret_paths
from reconciler.stores.sql import handover, leases, unfinished
from reconciler.stores.sql.database import Connection, Database
from reconciler.stores.sql.journal import steps_of
from reconciler.stores.sql.lease import RunLease
from reconciler.stores.sql.observed import observe, recall
from reconciler.stores.sql.paired_session import PairedSession, Side
from reconciler.stores.sql.store import MakeSealer, SqlStore
from reconciler.stores.sql.transaction import reading


class PairedStore(SqlStore):
    """The records of `live`. Reading notes what is live in a copy of the state; a run notes it in the state itself."""

    def __init__(
        self,
        database: Database,
        live: Live,
        owner: str,
        *,
        remains: Callable[[], tuple[str, ...]],
        make_sealer: MakeSealer,
    ) -> None:
        """Open nothing yet.

        Args:
            owner: whose runs may have left something behind.
        """
        super().__init__(database, remains=remains, make_sealer=make_sealer)
        self._live = live
        self._owner = owner
        self._versions: Mapping[str, str] = {}
        self._names: Mapping[tuple[str, str], str] = {}
        self._told: tuple[str, ...] = ()
        self._undone: tuple[Key, ...] = ()

    def identity(self) -> str:
        """What tells the state from every other one."""
        with reading(self._database) as connection:
            row = connection.execute("SELECT value FROM meta WHERE key = 'store'").fetchone() if connection else None
        return str(row[0]) if row else ""

    def lost(self) -> tuple[str, ...]:
        """What speaks of a state that was here and is gone."""
        return self._remains()

    def notes(self) -> tuple[str, ...]:
        """What whoever reads a plan has to know of both, and of a run that was cut off."""
        said = self._live.notes() if isinstance(self._live, TellsOfItself) else ()
        return (*self._told, *super().notes(), *said)

    def expect(self, desired: Mapping[Key, Resource]) -> None:
        """Have records without a name of ours called as what is declared and shown like them."""
        names = {(key.kind, one.display): key.name for key, one in desired.items() if one.display}
        if names != self._names:
            self._names = names
            self.close()

    def forecast(self, changes: Sequence[Change]) -> Forecast:
        """What carrying out changes is going to take."""
        if not isinstance(self._live, Foresees):
            return Forecast(0, 0.0)
        with self._reading() as connection:  # so that the live store was read
            sealed = handover.sealed(connection) if connection is not None else {}
            return self._live.forecast([_foreseen(change, sealed) for change in changes])

    def objections(self, declared: Mapping[Key, Mapping[str, Any]]) -> Iterable[tuple[Key, Finding]]:
        """Why the live store cannot hold bodies as they are."""
        return self._live.objections(declared) if isinstance(self._live, Limits) else ()

    def secret_objections(self, body: Mapping[str, Any], secrets: Mapping[str, Secret]) -> Mapping[str, str]:
        """Why it cannot hold values of secrets as they are."""
        return self._live.secret_objections(body, secrets) if isinstance(self._live, Limits) else {}

    def unseen_access(self) -> str:
        """What access there may be that its policies do not show."""
        return self._live.unseen_access() if isinstance(self._live, Limits) else ""

    def held_tokens(self, spec: Mapping[str, Any]) -> frozenset[str] | None:
        """The authorizations of a connector whose token the live store is given."""
        return self._live.held_tokens(spec) if isinstance(self._live, HoldsTokens) else None

    def held(self) -> dict[TokenKey, str]:
        """Of the tokens that the live store was given, when the one that it has was obtained."""
        with self._reading() as connection:
            return handover.held(connection) if connection is not None else {}

    def lacking_secrets(self) -> frozenset[str]:
        """The ids of records whose secrets the live store may have got from a run that was cut off, and the state not."""
        with self._reading() as connection:
            return handover.lacking(connection) if connection is not None else frozenset()

    def lease(self, run: RunInfo, interrupts: Interrupts, *, is_brief: bool = False) -> AbstractContextManager[Lease]:
        """The right to write to both."""
        self.close()
        database = self._database

        def session(connection: Connection, run: RunInfo, now: str) -> PairedSession:
            begin = lambda: lease.resume(connection)  # noqa: E731
            side = Side(self._live, lambda: self._versions, self.sealer, interrupts, begin, database.clock)
            return PairedSession(connection, run, now, side)

        def prepare(connection: Connection) -> None:
            self._prepare_run(connection, partial(lease.resume, connection))

        lease = RunLease(database, run, interrupts, prepare=prepare, make_session=session, is_long=True)
        return lease

    def remade(self) -> str:
        """How a deleted record comes back: the live store makes it, and names it."""
        return "with another identity: what refers to it by the one that it had, outside of here, has to be told"

    def undone(self) -> tuple[Key, ...]:
        """What the last run was about to change and did not, where it was cut off, or nobody noted as a whole."""
        with self._reading() as connection:
            lacking = handover.lacking(connection) if connection is not None else ()
            owned = self.records() if lacking else {}
            return (
                *self._undone,
                *(key for key, one in owned.items() if one.uid in lacking and one.owner == self._owner),
            )

    def confirm(self) -> None:
        """Make sure that what has been read lasts: also what a run did that was cut off."""
        super().confirm()
        with reading(self._database) as connection:
            found = unfinished.left(connection, self._owner) if connection is not None else None
        if found is not None:
            with self.lease(found.run, NOTHING_INTERRUPTS) as lease:
                lease.carry_out(found.run, lambda _: None)

    def close(self) -> None:
        """Close both."""
        super().close()
        self._live.close()

    def _prepare_run(self, connection: Connection, begin: Callable[[], None]) -> None:
        """See what is live, and what became of a run that was cut off.

        Args:
            begin: begins another transaction, once this one has ended.
        """
        self._prepare(connection)
        self._settle(connection, begin)
        self._versions = observe(connection, self._live, self._names, begin)

    def _connect(self) -> Connection:
        copy = self._database.copy()
        self._settle(copy)
        observe(copy, self._live, self._names)
        return copy

    def _settle(self, connection: Connection, begin: Callable[[], None] | None = None) -> None:
        """Note what became of a run that was cut off, and tell of it.

        Args:
            begin: of a run that writes: it may have to wait until no request can be at work any more, and nobody else
                is to wait for its transaction meanwhile.

        Raises:
            RecordConflict: of a run that writes: nobody knows what became of some changes.
        """
        found = unfinished.left(connection, self._owner)
        if found is None:
            return
        recall(connection, self._live, self._names)
        steps = steps_of(connection, self._owner)
        if begin is not None:
            connection.commit()
        outcomes = unfinished.find_out(found, steps, self._live, patiently=begin is not None)
        if begin is not None:
            begin()
        is_at_work = begin is None and self._is_at_work()
        self._told = (unfinished.told(found, outcomes, is_at_work=is_at_work),)
        self._undone = unfinished.undone(found, outcomes)
        if begin is not None:
            unfinished.refuse_unknown(found, outcomes)
        unfinished.note_done(connection, found, outcomes, self._database.clock())
        unfinished.forget(connection, self._owner)

    def _is_at_work(self) -> bool:
        """Whether the run that left something unfinished is alive."""
        with reading(self._database) as connection:
            held = leases.read(connection, [leases.of_owner(self._owner)]) if connection is not None else []
        return any(one.standing(self._database.host()) is Standing.HELD for one in held)


_SEALED = (("spec", "authorization"), ("spec", "authorizations"), ("spec", "tls"))
"""What a live store may keep with the secrets."""


def _foreseen(change: Change, sealed: Mapping[str, frozenset[str]]) -> Write:
    """A change as the live store would be asked for it, without what only the run finds out.

    Args:
        sealed: by uid the addresses of the secrets that are known.
    """
    uid = change.record.uid if change.record else ""
    wanted = frozenset(secret_paths(change.key.kind, change.after))
    anew = (
        not uid
        or wanted != sealed.get(uid, frozenset())
        or any(field.origin in UNWRITTEN or field.path[:2] in _SEALED for field in change.fields)
    )
    return Write(change.key, uid, "", change.after, {}, anew)
