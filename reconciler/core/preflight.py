"""What trying a plan's connectors found."""

from reconciler.value_class import value_class


@value_class
class Check:
    """One thing that was tried.

    Attributes:
        name: secrets, secret, token or server.
        message: what came of it; never a secret.
        hint: what to do when it failed, or "".
    """

    name: str
    passed: bool
    message: str
    hint: str = ""


@value_class
class Verdict:
    """All that was tried for one connector."""

    address: str
    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """Whether everything went well."""
        return all(check.passed for check in self.checks)
