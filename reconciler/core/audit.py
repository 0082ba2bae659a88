"""What looking a store over finds."""

from collections.abc import Mapping

from reconciler.value_class import value_class

CHECKS = ("file", "keys", "triggers", "bodies", "references", "history", "quarantine", "chain")
"""What is looked at, in this order."""


@value_class
class Fault:
    """Something that is not as it should be.

    Attributes:
        check: one of `CHECKS`.
        hint: what to do.
    """

    check: str
    message: str
    hint: str


@value_class
class Audit:
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
