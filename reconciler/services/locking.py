"""Take the lease from a run that does not end."""

from msgspec import Struct

from reconciler.core.lease import Found, KeepsLocks
from reconciler.core.ports.runs import RunInfo
from reconciler.core.ports.store import Store
from reconciler.services.enforcing import super_admins_only


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
