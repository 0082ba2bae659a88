"""One request that changes something, and that a write goes no further."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from reconciler.core.ports.live import Result
from reconciler.stores.processmaker.forms.canonical import digest


class NotDone(Exception):
    """A write ends here. Its reason is one sentence without any value."""

    def __init__(self, result: Result, reason: str) -> None:
        super().__init__(reason)
        self.result = result
        self.reason = reason


class Change(Struct, frozen=True):
    """One request that changes something.

    Attributes:
        shown: its body without secrets, where it has some: what is noted is a digest of that.
    """

    verb: str
    path: str
    body: Mapping[str, Any] | None = None
    shown: Mapping[str, Any] | None = None

    @property
    def digest(self) -> str:
        """Of what it says, less what is secret."""
        shown = self.body if self.shown is None else self.shown
        return "" if shown is None else digest(shown)
