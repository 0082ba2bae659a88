"""What records held before somebody first changed them around the tool; the triggers keep it."""

import sqlite3


class Drifts:
    """Those that the store knows of; the next change of a record takes them over into its history."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Read them; mostly there are none."""
        self._connection = connection
        self._known = {uid: (since, body) for uid, since, body in connection.execute("SELECT * FROM drifts")}
        self._taken: list[tuple[str]] = []

    def take(self, uid: str) -> tuple[str | None, str | None]:
        """When a record was first changed around the tool since its last change, and what it held until then."""
        if uid not in self._known:
            return None, None
        self._taken.append((uid,))
        return self._known[uid]

    def drop_taken(self) -> None:
        """Forget what was taken over."""
        self._connection.executemany("DELETE FROM drifts WHERE uid = ?", self._taken)
