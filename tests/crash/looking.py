"""Looks at a state that a cut may have left: through the product's own code, as the next command would."""

import os
import shutil
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from crash.disk import Disk, Files

from reconciler.secrets.sealer import make_sealer
from reconciler.stores.sqlite import file as sqlite
from live_state import database_at

from reconciler.stores.sql.audit import audit

Rows = frozenset[tuple[tuple[str, object], ...]]
_VOLATILE = ("leases", "attempts")
"""What may differ although the store is the old one, or the new one."""
_OWN_MARKS = ("store", "key_check", "history_head", "history_count")
"""Keys of `meta` that an older or an empty store gets on the way."""


@dataclass(frozen=True)
class View:
    """What a store holds.

    Attributes:
        tables: all rows of all tables.
    """

    tables: tuple[tuple[str, Rows], ...]

    @property
    def tokens(self) -> Rows:
        """The access tokens."""
        return dict(self.tables).get("tokens", frozenset())

    @property
    def content(self) -> tuple[tuple[str, Rows], ...]:
        """All else that somebody relies on."""
        return tuple(
            (table, _comparable(table, rows))
            for table, rows in self.tables
            if table not in (*_VOLATILE, "tokens") and _comparable(table, rows)
        )

    def count(self, table: str) -> int:
        """How many rows there are."""
        return len(dict(self.tables).get(table, ()))


def _comparable(table: str, rows: Rows) -> Rows:
    if table == "meta":
        return frozenset(
            row for row in rows if dict(row)["key"] not in _OWN_MARKS and dict(row) != {"key": "revision", "value": "0"}
        )
    return frozenset(tuple(cell for cell in row if cell[0] != "hash") for row in rows)


class Stage:
    """A repository, into which states are put one after the other."""

    def __init__(self, root: Path, environment: Mapping[str, str], store: str = ".reconciler/store.db") -> None:
        self.root = root
        self.environment = environment
        self.store = root / store
        self._placed: Files = {}
        self._opened: dict[tuple[bytes, View], None] = {}
        self._seen: dict[View, View] = {}

    def place(self, disk: Disk) -> None:
        """Make the files of the state."""
        files = disk.files()
        part = self.store.parent
        if part.exists():
            for path in sorted(part.rglob("*"), reverse=True):
                if path.relative_to(self.root).as_posix() not in files:
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
            if part.relative_to(self.root).as_posix() not in files:
                part.rmdir()
        for name, (mode, content) in files.items():
            path = self.root / name
            if content is None:
                path.mkdir(exist_ok=True)
            elif self._placed.get(name) != (mode, content) or not path.exists():
                path.write_bytes(content)
            path.chmod(mode)
        self._placed = files

    def spoiled(self) -> None:
        """Say that something else wrote to the files."""
        self._placed = {}

    def look(self) -> View:
        """Read everything, and check that it is whole: the file, the chain, references, secrets and their key."""
        self._look_at_files()
        connection = sqlite.connect_for_reading(self.store)
        if connection is None:
            return View(())
        with closing(connection):
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            view = _view(connection)
            self._look_at_secrets(connection, view)
        if view not in self._seen:
            found = audit(database_at(self.store))
            assert not found.faults, found.faults
            self._seen[view] = view
        return self._seen[view]

    def _look_at_files(self) -> None:
        """What must not get into git is never there without the file that keeps it out."""
        part = self.store.parent
        if part.exists() and any(not name.startswith(".gitignore") for name in os.listdir(part)):
            assert (part / ".gitignore").read_text() == "*\n", "the store or its key would get into git"

    def _look_at_secrets(self, connection: sqlite3.Connection, view: View) -> None:
        """The key is there, private, and opens every secret."""
        key = self.store.with_suffix(".key")
        check = dict(connection.execute("SELECT key, value FROM meta")).get("key_check")
        if check is None and not key.exists():
            return
        found = (key.read_bytes() if key.exists() else b"", view)
        if found in self._opened:
            assert key.stat().st_mode & 0o077 == 0
            return
        sealer, _ = make_sealer(self.environment, None, key, check, False)
        for uid, address, ciphertext in connection.execute("SELECT uid, address, ciphertext FROM secrets"):
            assert sealer.open(uid, address, ciphertext).reveal()
        for uid, access, refresh in connection.execute("SELECT uid, access, refresh FROM tokens"):
            assert sealer.open(uid, "token.access", access).reveal()
            assert refresh is None or sealer.open(uid, "token.refresh", refresh).reveal()
        self._opened[found] = None


def _view(connection: sqlite3.Connection) -> View:
    names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    tables = []
    for (table,) in sorted(names.fetchall()):
        cursor = connection.execute(f"SELECT * FROM {table}")
        columns = [column[0] for column in cursor.description]
        rows = (zip(columns, row, strict=True) for row in cursor)
        tables.append((table, frozenset(tuple(cell for cell in row if cell[1] is not None) for row in rows)))
    return View(tuple(tables))
