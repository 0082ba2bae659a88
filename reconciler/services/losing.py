"""Stop where a store was lost: what needs what was in it cannot be done, and would say that there was nothing."""

from reconciler.core import guards
from reconciler.core.ports.store import Store
from reconciler.errors import GuardStopped


def refuse_lost(store: Store) -> None:
    """Stop when there is no store and something speaks of one that was there.

    Raises:
        GuardStopped: so it is.
    """
    problem = guards.lost_store(store.lost())
    if problem:
        raise GuardStopped(problem.message, hint=problem.hint, details=problem.details)
