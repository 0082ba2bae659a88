"""Make a store, and the roles of its server."""

from reconciler.core.care import CanInit, Made
from reconciler.core.ports.state import State
from reconciler.errors import UsageError
from reconciler.services.scope import refuse_lost


def make_store(state: State, prefix: str, *, roles: bool) -> Made:
    """Make the store where there is none, and the roles that its server is to have.

    Args:
        prefix: how the names of the roles begin.
        roles: whether they are made, and not only told.

    Raises:
        GuardStopped: the store was lost.
        UsageError: a store of this sort is made by its first apply, or has no roles that could be made.
        StoreUnavailable: it cannot be made.
    """
    refuse_lost(state.store())
    if not isinstance(state, CanInit):
        raise UsageError("a store of this sort is made by the first apply", hint="run: reconciler apply")
    statements = tuple(state.role_statements(prefix))
    if roles and not statements:
        raise UsageError("this store is no server's, so it has no roles", hint="leave --roles out: who may write to a file is said by its mode")  # fmt: skip
    new = state.init()
    if roles:
        state.make_roles(prefix)
    return Made(new, statements, roles)
