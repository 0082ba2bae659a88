"""Mend what somebody has done to a store outside of a run."""

from reconciler.core.care import CanRepair, Repair
from reconciler.core.ports.runs import RunInfo
from reconciler.core.ports.store import Store
from reconciler.core.progress import Interrupts
from reconciler.services.enforcing import super_admins_only
from reconciler.services.losing import refuse_lost

VERB = "repair"


def repair_store(keeper: CanRepair, store: Store, run: RunInfo, named: str, interrupts: Interrupts) -> Repair:
    """Mend what can be mended, and note it in the history. In a store that has a super admin it takes one.

    Args:
        run: who does it, when, and where.
        named: whom somebody named, or "".

    Raises:
        GuardStopped: the store was lost.
        NotPermitted: whoever asks is no super admin.
        KeyUnavailable: something is sealed, the store does not say with which key, and the present one does not open it.
        StoreUnavailable: the file itself is damaged.
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
