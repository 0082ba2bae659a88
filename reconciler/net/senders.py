"""Senders for the threads of a run."""

import threading
from typing import Self

from reconciler.core.calls import Trust
from reconciler.net.sending import Sender
from reconciler.net.trust import ContextCache


class Senders:
    """A sender for each thread and trust; TLS contexts are shared."""

    def __init__(self) -> None:
        self._mine = threading.local()
        self._contexts = ContextCache()
        self._all: list[Sender] = []

    def open(self, trust: Trust) -> Sender:
        """This thread's sender for servers that are trusted so.

        Raises:
            CertificateUnusable: see `reconciler.net.trust.make_context`.
        """
        mine: dict[Trust, Sender] = self._mine.__dict__.setdefault("senders", {})
        if trust not in mine:
            mine[trust] = Sender(trust, self._contexts.get(trust))
            self._all.append(mine[trust])
        return mine[trust]

    def abort(self) -> None:
        """End what is under way, from another thread."""
        for sender in list(self._all):
            sender.abort()

    def close(self) -> None:
        """Close all of them."""
        for sender in self._all:
            sender.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
