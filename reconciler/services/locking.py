"""Take the lease from a run that does not end."""

from dataclasses import dataclass

from reconciler.core.access import is_super_admin
from reconciler.core.enforcement import Basis
from reconciler.core.lease import Found, KeepsLocks
from reconciler.core.ports import RunInfo, Store
from reconciler.errors import NotPermitted
from reconciler.services.enforcing import NAME_YOURSELF, Judge, basis_of, moment_of, standing


@dataclass(frozen=True, slots=True)
class Releaser:
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
    basis = _permitted(store, by)
    store.close()
    return locks.release(RunInfo(by.actor, owner, target, "", by.now, "lock release"), basis, force=force)


def _permitted(store: Store, by: Releaser) -> Basis | None:
    found = standing(store.records(), store)
    if not found.enforced:
        return None
    if not by.named:
        raise NotPermitted("this store has a super admin, so who releases its lease has to be known", hint=NAME_YOURSELF)  # fmt: skip
    if not is_super_admin(found.access, by.named):
        hint = Judge(found.access, by.named, moment_of(by.now)).hint("let a super admin do it")
        raise NotPermitted(f"'{by.named}' may not release the lease: it takes a super admin", hint=hint)
    return basis_of(found, by.named, moment_of(by.now))
