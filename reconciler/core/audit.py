"""What looking a store over finds, and what a repair mends."""

from collections.abc import Mapping
from typing import Protocol

from msgspec import Struct

from reconciler.core.enforcement import Basis
from reconciler.core.interrupts import Interrupts
from reconciler.core.ports.runs import RunInfo

CHECKS = ("file", "values", "notes", "keys", "triggers", "bodies", "references", "history", "quarantine", "chain")
"""What is looked at, in this order."""


class Fault(Struct, frozen=True):
    """Something that is not as it should be.

    Attributes:
        check: one of `CHECKS`.
        hint: what to do.
    """

    check: str
    message: str
    hint: str


class Audit(Struct, frozen=True):
    """What looking a store over finds.

    Attributes:
        head: the last hash of the history; "" for none.
        counts: of what there is, by noun.
        notes: what is worth knowing and no fault.
    """

    head: str
    counts: Mapping[str, int]
    faults: tuple[Fault, ...]
    notes: tuple[str, ...]


class Mended(Struct, frozen=True):
    """What a repair mended.

    Attributes:
        what: one word for it, as the history keeps it.
        count: how many there were.
        message: what was done, and to what.
    """

    what: str
    count: int
    message: str


class Repair(Struct, frozen=True):
    """What came of a repair.

    Attributes:
        audit: what looking the store over finds afterwards.
        run: in the history; None where there was nothing to mend.
    """

    mended: tuple[Mended, ...]
    audit: Audit
    run: int | None


class CanRepair(Protocol):
    """A store that can be repaired."""

    def audit(self) -> Audit:
        """What looking it over finds."""
        ...

    def names_no_key(self) -> bool:
        """Whether something is sealed and the store does not say with which key."""
        ...

    def repair(self, run: RunInfo, basis: Basis | None, key_check: str, interrupts: Interrupts) -> Repair:
        """Mend what can be mended, in one transaction, and note it in the history.

        Args:
            key_check: what tells the key of what is sealed, where the store does not say so; "" for nothing.

        Raises:
            StoreUnavailable: the file itself is damaged.
            StoreLocked: another run did not end in time.
            RecordConflict: what the permission rests on has moved.
        """
        ...
