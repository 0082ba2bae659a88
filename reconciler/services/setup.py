"""Make a store with the roles of its server, and move another one into it."""

from contextlib import closing

from reconciler.core.care import CanCopy, CanInit, Copied, Made
from reconciler.core.ports.state import State
from reconciler.core.progress import Interrupts
from reconciler.errors import RecordConflict, StoreUnavailable, UsageError
from reconciler.services.scope import refuse_lost
from reconciler.services.token_care import made_with


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
    with closing(state.store()) as store:  # what reads from tables keeps their owner from being changed
        refuse_lost(store)
    if not isinstance(state, CanInit):
        raise UsageError("a store of this sort is made by the first apply", hint="run: reconciler apply")
    statements = tuple(state.role_statements(prefix))
    if roles and not statements:
        raise UsageError("this store is no server's, so it has no roles", hint="leave --roles out: who may write to a file is said by its mode")  # fmt: skip
    new = state.init()
    if roles:
        state.make_roles(prefix)
    return Made(new, statements, roles)


def copy_store(source: State, to: State, interrupts: Interrupts) -> Copied:
    """Copy a store into one that is empty, and make sure that the copy is whole.

    Raises:
        UsageError: there is nothing to copy, or the other store cannot take it over.
        RecordConflict: the other store holds something.
        GuardStopped: the store was lost.
        StoreUnavailable: the store is damaged, or the copy is not what it was made of; see `CanCopy.take_over`.
    """
    if not isinstance(to, CanCopy):
        raise UsageError("a store of this sort cannot be copied to", hint="name a file or a server: sqlite:PATH, postgresql://HOST/DATABASE")  # fmt: skip
    with closing(source.history()) as history:
        if not history.runs(limit=1):
            with closing(source.store()) as store:
                refuse_lost(store)
            raise UsageError("nothing was ever applied to the store that is to be copied", hint="check the first URL")
    _refuse_faults(source, "", "the store is not whole, so it is not copied", "look it over with: reconciler store check --store URL")  # fmt: skip
    with closing(to.history()) as history:
        if history.runs(limit=1) or to.store().records():
            raise RecordConflict("the store that is copied to is not empty; nothing was copied", hint="name another one, or another ?schema=")  # fmt: skip
    done = to.take_over(source, made_with, interrupts)
    _refuse_faults(to, done.head, "the copy is not whole", "use the old store, and report this")
    return done


def _refuse_faults(state: State, head: str, what: str, hint: str) -> None:
    faults = state.audit(head).faults
    if faults:
        raise StoreUnavailable(what, hint=hint, details=tuple(fault.message for fault in faults))
