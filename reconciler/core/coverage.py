"""How much of the access that policies give is explained by access tests."""

from reconciler.value_class import value_class


@value_class
class Coverage:
    """A count of grants; what makes super admins is one of them.

    Attributes:
        explained: those of which every permission is needed by some expectation.
    """

    grants: int
    explained: int
