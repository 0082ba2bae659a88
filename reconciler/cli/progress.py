"""A bar on the terminal for what takes more than a second, on one line of stderr that is gone when it is done.

click's own bar shows at once, stays on the screen, hides the cursor, which a kill leaves hidden, and knows no rate.
"""

import os
import time
from collections.abc import Callable
from typing import Self, TextIO

from reconciler.harmless import own

_QUIET_SECONDS = 1.0
_BETWEEN_SECONDS = 0.1
_BAR = 24
_COLUMNS = 80  # of a terminal that does not say
_TO_THE_BEGINNING, _TO_THE_END = own("\r"), own("\x1b[K")
"""Clears what is behind the cursor. A line is written over the last one before that, which does not flicker."""
_MINUTE, _HOUR = 60, 3600


class Bar:
    """Shows it, and takes it away at the end of each block of `with`, however that ends."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        """Show nothing before a second has gone."""
        self._stream = stream
        self._clock = clock
        self._next = clock() + _QUIET_SECONDS
        self._what = ""
        self._began = 0.0
        self._shown = False

    def tell(self, what: str, done: int, total: int) -> None:
        """Show how far it has come, at most ten times a second."""
        now = self._clock()
        if what != self._what:
            self._what, self._began = what, now
        if now < self._next:
            return
        self._next = now + _BETWEEN_SECONDS
        line = _line(what, done, total, now - self._began)
        self._shown = True
        self._write(f"{_TO_THE_BEGINNING}{line[: self._columns() - 1]}{_TO_THE_END}")

    def __enter__(self) -> Self:
        """Work begins."""
        return self

    def __exit__(self, *failure: object) -> None:
        """Take it away: what is said next begins on a clean line."""
        self._what = ""
        if self._shown:
            self._shown = False
            self._write(f"{_TO_THE_BEGINNING}{_TO_THE_END}")

    def _columns(self) -> int:
        try:
            return os.get_terminal_size(self._stream.fileno()).columns or _COLUMNS
        except OSError:
            return _COLUMNS

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


def _line(what: str, done: int, total: int, seconds: float) -> str:
    part = min(1.0, done / total) if total else 1.0
    filled = int(part * _BAR)
    bar = f"{what:<9} [{'#' * filled}{'-' * (_BAR - filled)}] {done:,} of {total:,}"
    if not done or seconds <= 0:
        return bar
    rate = done / seconds
    shown = f"{rate:,.0f}" if rate >= 10 else f"{rate:.1f}"
    return f"{bar}, {shown}/s, {_duration((total - done) / rate)} left"


def _duration(seconds: float) -> str:
    whole = int(seconds + 0.5)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE} s"
    return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE} min"
