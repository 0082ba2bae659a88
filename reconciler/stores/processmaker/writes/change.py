"""One request that changes something, and that a write goes no further."""

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from reconciler.core.ports.live import Result
from reconciler.core.secret import Secret
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

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """The texts that it says and does not show."""
        return () if self.shown is None else tuple(map(Secret, _hidden(self.body, self.shown)))


def _hidden(told: Any, shown: Any) -> Iterator[str]:
    if isinstance(told, str):
        if told not in ("", shown):
            yield told
    elif isinstance(told, Mapping):
        for key, item in told.items():
            yield from _hidden(item, shown.get(key) if isinstance(shown, Mapping) else None)
    elif isinstance(told, list):
        beside = shown if isinstance(shown, list) and len(shown) == len(told) else [None] * len(told)
        for item, other in zip(told, beside, strict=True):
            yield from _hidden(item, other)
