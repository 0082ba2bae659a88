"""Change the key that a store's secrets are sealed with."""

from reconciler.core.care import KeepsKey, NextKey, Rekeying, Rotation
from reconciler.core.ports.runs import RunInfo
from reconciler.core.ports.store import Store
from reconciler.core.progress import Interrupts
from reconciler.services.authorizing import made_with
from reconciler.services.enforcing import super_admins_only
from reconciler.services.losing import refuse_lost

VERB = "rotate-key"


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
