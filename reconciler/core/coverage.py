"""How much of the access that policies give is explained by access tests."""

from msgspec import Struct


class Coverage(Struct, frozen=True):
    """A count of grants; what makes super admins is one of them.

    Attributes:
        explained: those of which every permission is needed by some expectation.
    """

    grants: int
    explained: int
