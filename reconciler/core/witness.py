"""What is noted outside of a store of how far its history has come, and whether the store still agrees.

A store that was put back, or that a standby without the last commits has become, agrees with itself: nothing in it
tells. The runs of a store are numbered, and a hash after each of them stands for all before.
"""

from collections.abc import Sequence

from msgspec import Struct

from reconciler.core.history import RunEntry
from reconciler.core.plan import Problem
from reconciler.errors import ExitCode

GUARD = "gone-back"
_HINT = (
    "a backup was restored, or a standby took over that lacked the last commits: bring back the store that has"
    " run {run}, or go on with this one; what git declares comes back by an apply, what was deleted or sealed does not"
)


class Witness(Struct, frozen=True):
    """How far a history had come.

    Attributes:
        store: identity of the store.
        run: number of the last run, which is how many there were.
        head: hash of the history after it.
        noted: when; RFC 3339.
    """

    store: str
    run: int
    head: str
    noted: str


class Testimony(Struct, frozen=True):
    """What a witness says of a store.

    Attributes:
        problem: that the store has gone back; None where it has not.
        notices: what whoever plans should know.
    """

    problem: Problem | None = None
    notices: tuple[str, ...] = ()


def gone_back(witness: Witness, identity: str, found: Sequence[RunEntry], last: int) -> Problem | None:
    """That a history does not contain what was noted.

    Args:
        identity: of the store that is there; "" for none.
        found: its run of the number that was noted, or nothing.
        last: number of its last run; 0 for none.
    """
    if identity == witness.store and any(entry.head == witness.head for entry in found):
        return None
    details: tuple[str, ...]
    noted = f"noted at {witness.noted}: run {witness.run}, history head {witness.head}"
    if not identity or identity != witness.store:
        what, count = ("this is another store than the one that was noted" if identity else "the store that was noted is not there"), witness.run  # fmt: skip
        details = (noted, f"the store is {identity or 'empty'}; the one that was noted is {witness.store}")
    elif last < witness.run:
        count = witness.run - last
        missing = "the last run that was noted is" if count == 1 else f"the last {count:,} runs that were noted are"
        what = f"the store has gone back: {missing} missing"
        there = f"the last run that the store has is {last}" if last else "the store has no run"
        details = (noted, f"{there}; a standby that is read may only be behind, and then has it in a moment")
    else:
        what, count = f"the store has gone back: its run {witness.run} is another one than was noted", 1
        details = (noted, *(f"run {entry.id} of the store: {entry.actor}, {entry.finished}, history head {entry.head}" for entry in found))  # fmt: skip
    return Problem(ExitCode.GUARDED, what, _HINT.format(run=witness.run), details, guard=GUARD, count=count)
