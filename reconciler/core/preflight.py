"""What trying a plan's connectors found."""

from msgspec import Struct


class Check(Struct, frozen=True):
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


class Verdict(Struct, frozen=True):
    """All that was tried for one connector."""

    address: str
    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """Whether everything went well."""
        return all(check.passed for check in self.checks)
