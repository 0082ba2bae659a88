"""The options of ``reconciler call``."""

from typing import NamedTuple


class CallFlags(NamedTuple):
    """What the user said."""

    settings: tuple[str, ...]
    data: str | None
    params: tuple[str, ...]
    headers: tuple[str, ...]
    base_url: str
    max_bytes: int
    yes: bool
    fail: bool
    dry_run: bool
