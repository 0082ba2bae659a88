"""Destroy deleted records whose time is over."""

from collections.abc import Sequence

from msgspec import Struct

from reconciler.core.conditions import Basis
from reconciler.core.ports.runs import RunInfo
from reconciler.core.ports.store import Store
from reconciler.core.progress import Interrupts
from reconciler.core.quarantine import Deleted, waiting
from reconciler.errors import NotPermitted
from reconciler.kinds.access import live_target
from reconciler.kinds.registry import address
from reconciler.services.enforcing import NAME_YOURSELF, Judge, Standing, basis_of, moment_of, standing
from reconciler.services.losing import refuse_lost

VERB = "purge"


class Purge(Struct, frozen=True):
    """What is to be destroyed, and what the permission rests on."""

    wanted: tuple[Deleted, ...]
    basis: Basis


def make_purge(store: Store, owner: str, days: int, actor: str, now: str) -> Purge:
    """What an owner deleted that many days ago, or longer.

    Args:
        actor: whom somebody named; "" for nobody.

    Raises:
        NotPermitted: the store has a super admin, and the actor may not delete such records.
        GuardStopped: the store was lost.
    """
    refuse_lost(store)
    wanted = tuple(waiting(store.deleted(), owner, days, now))
    found = standing(store.records(), store)
    if found.enforced and wanted:
        _refuse(wanted, found, store, actor, now)
    return Purge(wanted, basis_of(found, actor, moment_of(now)))


def _refuse(wanted: Sequence[Deleted], found: Standing, store: Store, actor: str, now: str) -> None:
    if not actor:
        raise NotPermitted("this store has a super admin, so who purges has to be known", hint=NAME_YOURSELF)
    ruling = found.ruling
    judge = Judge(ruling, actor, moment_of(now))
    bodies = store.deleted_bodies(item.uid for item in wanted) if not judge.passes else {}
    refused: list[str] = []
    for item in wanted if not judge.passes else ():
        needs = ruling.needs(live_target(item.key, bodies[item.uid].live), None)
        refused += judge.refused(f"purge {address(*item.key)}", needs)
    if refused:
        message = f"'{actor}' may not purge {len(refused):,} of {len(wanted):,} deleted records; nothing was purged"
        raise NotPermitted(message, hint=judge.hint("let somebody who may do it purge them"), details=tuple(refused))


def carry_out_purge(purge: Purge, store: Store, run: RunInfo, interrupts: Interrupts) -> str:
    """Destroy them, in one transaction; returns the last hash of the history.

    Args:
        run: of the command `VERB`.

    Raises:
        StoreLocked: another run holds the lease on the store.
        RecordConflict: one was restored or purged meanwhile, or policies moved.
    """
    with store.lease(run, interrupts) as lease, lease.session(run) as session:
        session.require(purge.basis)
        session.purge(purge.wanted)
        interrupts.hold()
    return session.head
