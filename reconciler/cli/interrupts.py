"""Ctrl-C, and the signals that mean the same: the first one interrupts, the second one does no harm.

The first raises KeyboardInterrupt, which takes back what is not done yet. Those that come while it does are ignored:
taking back is short. The third ends the process on the spot, which the store survives as it survives a power cut.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from reconciler.cli.descriptors import warn
from reconciler.errors import ExitCode

SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")
_LAST_WARNING = 3


class SignalInterrupts:
    """What signals do.

    Attributes:
        noted: whether one came after `hold`.
    """

    def __init__(self) -> None:
        """Catch nothing yet."""
        self.noted = False
        self._count = 0
        self._shields = 0
        self._waiting = False
        self._holding = False

    def catch(self) -> None:
        """Catch the signals that are not ignored, as nohup ignores them."""
        for number in (getattr(signal, name) for name in SIGNALS if hasattr(signal, name)):
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._on_signal)

    @contextmanager
    def shielded(self) -> Iterator[None]:
        """They wait until the block ends, and are raised then."""
        self._shields += 1
        try:
            yield
        finally:
            self._shields -= 1
            if self._waiting and not self._shields:
                self._waiting = False
                raise KeyboardInterrupt

    def hold(self) -> None:
        """From now on they are noted alone.

        Raises:
            KeyboardInterrupt: one came before, and Python lost it, as it does in a finalizer.
        """
        if self._count:
            raise KeyboardInterrupt
        self._holding = True

    def end(self) -> None:
        """From now on nothing interrupts: the process is about to end."""
        self._holding = True

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self._holding:
            self.noted = True
            return
        self._count += 1
        if self._count >= _LAST_WARNING:
            warn(b"error: interrupted again and again; ended at once\n")
            os._exit(ExitCode.INTERRUPTED)
        if self._count == 1:
            self._waiting = self._shields > 0
            if not self._waiting:
                raise KeyboardInterrupt
