"""Care for a store: purge deleted records, change the key, end a lease, repair."""

from collections.abc import Sequence

from msgspec import Struct

from reconciler.core.care import (
    CanRepair,
    KeepsKey,
    NextKey,
    Rekeying,
    Repair,
    Rotation,
)
from reconciler.core.conditions import Basis
from reconciler.core.lease import Found, KeepsLocks
from reconciler.core.ports.store import RunInfo, Session, Store
from reconciler.core.progress import Interrupts
from reconciler.core.quarantine import Deleted, waiting
from reconciler.errors import NotPermitted
from reconciler.kinds.access import live_target
from reconciler.kinds.registry import address
from reconciler.services.enforcement import (
    NAME_YOURSELF,
    AccessStanding,
    Judge,
    basis_of,
    moment_of,
    standing,
    super_admins_only,
)
from reconciler.services.scope import refuse_lost
from reconciler.services.token_care import made_with

PURGE = "purge"


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


def _refuse(wanted: Sequence[Deleted], found: AccessStanding, store: Store, actor: str, now: str) -> None:
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

    def work(session: Session) -> str:
        session.require(purge.basis)
        session.purge(purge.wanted)
        return session.head

    with store.lease(run, interrupts) as lease:
        return lease.carry_out(run, work)


ROTATE_KEY = "rotate-key"


def change_key(
    keys: KeepsKey, store: Store, new: NextKey, run: RunInfo, named: str, interrupts: Interrupts
) -> Rotation:
    """Seal everything under a new key, and put the key in the place of the old one.

    In a store that has a super admin it takes one. A run that was cut off after the store had changed is completed.

    Args:
        run: who does it, when, and where.
        named: whom somebody named, or "".

    Raises:
        NotPermitted: whoever asks is no super admin.
        KeyUnavailable: the present key is missing or another one, or the new one cannot be kept; nothing is changed.
        GuardStopped: the store was lost.
        StoreLocked: another run, or a process that fetches tokens, did not end in time.
        RecordConflict: the key, or policies, moved meanwhile.
    """
    basis = super_admins_only(store, named, run.started, who="who changes its key", may="change the store's key")
    check = keys.key_check()
    if check is None:
        refuse_lost(store)
        return Rotation(None, None)
    if check == new.sealer.key_check():
        return Rotation(new.put_in_place(""), None, keys.scrub())
    rekeying = Rekeying(store.sealer(), new, made_with, basis)
    store.close()
    done = keys.rekey(run, rekeying, interrupts)
    return Rotation(new.put_in_place(check), done, keys.scrub())


class Releaser(Struct, frozen=True):
    """Who takes it.

    Attributes:
        named: whom somebody named, or "".
        actor: who is told to have acted.
    """

    named: str
    actor: str
    now: str


def release_lease(locks: KeepsLocks, store: Store, by: Releaser, *, owner: str, target: str, force: bool) -> Found | None:  # fmt: skip
    """End the lease that a run holds; returns it, or None when there was none.

    In a store that has a super admin it takes one.

    Raises:
        NotPermitted: whoever asks is none.
        StoreLocked: its holder seems to live, and `force` was not said.
    """
    basis = super_admins_only(store, by.named, by.now, who="who releases its lease", may="release the lease")
    store.close()
    return locks.release(RunInfo(by.actor, owner, target, "", by.now, "lock release"), basis, force=force)


REPAIR = "repair"


def repair_store(keeper: CanRepair, store: Store, run: RunInfo, named: str, interrupts: Interrupts) -> Repair:
    """Mend what can be mended, and note it in the history. In a store that has a super admin it takes one.

    Args:
        run: who does it, when, and where.
        named: whom somebody named, or "".

    Raises:
        GuardStopped: the store was lost.
        NotPermitted: whoever asks is no super admin.
        KeyUnavailable: something is sealed, the store does not say with which key, and the present one does not open it.
        StoreUnavailable: what keeps the store is damaged itself.
        StoreLocked: another run did not end in time.
        RecordConflict: policies moved meanwhile.
    """
    refuse_lost(store)
    found = keeper.audit()
    if not found.faults:
        return Repair((), found, None)
    basis = super_admins_only(store, named, run.started, who="who repairs it", may="repair the store")
    key_check = store.sealer().key_check() if keeper.names_no_key() else ""
    store.close()
    return keeper.repair(run, basis, key_check, interrupts)
