"""How much of the access that policies give is explained by access tests."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Coverage:
    """A count of grants; what makes super admins is one of them.

    Attributes:
        explained: those of which every permission is needed by some expectation.
    """

    grants: int
    explained: int
