"""What records held before somebody first changed them outside of a run; the triggers keep it."""

import sqlite3
from collections.abc import Iterable

from reconciler.core.model import Key


class Drifts:
    """Those that the store knows of; the next change of a record takes them over into its history."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Read them; mostly there are none."""
        self._connection = connection
        self._known = {
            uid: (since, body) for uid, since, body in connection.execute("SELECT uid, since, body FROM drifts")
        }
        self._taken: list[tuple[str]] = []

    def knows(self, uid: str) -> bool:
        """Whether somebody has written to a record outside of a run since its last change."""
        return uid in self._known

    def take(self, uid: str) -> tuple[str | None, str | None]:
        """When a record was first changed outside of a run since its last change, and what it held until then."""
        if uid not in self._known:
            return None, None
        self._taken.append((uid,))
        return self._known[uid]

    def drop_taken(self) -> None:
        """Forget what was taken over."""
        self._connection.executemany("DELETE FROM drifts WHERE uid = ?", self._taken)

    def settle(self, run: int, keys: Iterable[Key], owner: str | None) -> None:
        """Note that records which are gone need not be spoken of any more; the history still needs them.

        Args:
            keys: those that were made anew.
            owner: all of this one, whose definitions were just applied as a whole; None for none.
        """
        if not self._known:
            return
        gone = "settled IS NULL AND NOT EXISTS (SELECT 1 FROM records r WHERE r.uid = drifts.uid)"
        settle = f"UPDATE drifts SET settled = ? WHERE {gone}"
        self._connection.executemany(f"{settle} AND kind = ? AND name = ?", ((run, *key) for key in keys))
        if owner is not None:
            self._connection.execute(f"{settle} AND coalesce(owner, ?) = ?", (run, owner, owner))
