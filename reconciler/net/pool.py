"""Senders that are lent to whichever thread has a request to send, so that few connections serve many threads."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from reconciler.core.calls import Trust
from reconciler.net.client import Sender
from reconciler.net.trust import make_context


class SenderPool:
    """Senders to servers that are trusted in the same way; as many as requests were under way at once."""

    def __init__(self, trust: Trust) -> None:
        """Open nothing yet.

        Raises:
            CertificateUnusable: see `reconciler.net.trust.make_context`.
        """
        self._trust, self._context = trust, make_context(trust)
        self._lock = Lock()
        self._all: list[Sender] = []
        self._idle: list[Sender] = []

    @contextmanager
    def lent(self) -> Iterator[Sender]:
        """A sender that nobody else uses within the block; the one that was used last, as it is connected."""
        with self._lock:
            if not self._idle:
                self._idle.append(Sender(self._trust, self._context))
                self._all.append(self._idle[-1])
            sender = self._idle.pop()
        try:
            yield sender
        finally:
            self._idle.append(sender)

    def close(self) -> None:
        """Close all of them."""
        for sender in self._all:
            sender.close()
