"""What reading files of definitions came to, kept by the id of their content in one SQLite file.

It is a cache that may be removed, or damaged, at any time. Each row of facts has its checksum, and each body is proven
by the fingerprint of its resource; of a file in which anything is wrong nothing is believed, and it is removed. Nothing
waits for the disk. There is no journal beside it, so that whoever has the file open may go on when it was removed. A
folder that others may write to is not used, as whoever writes there says what is valid.

The bodies of a run that keeps nothing for others are in a database without a name, which SQLite removes.
"""

import os
import sqlite3
import sys
import time
import zlib
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from hashlib import sha256
from importlib.util import find_spec

from msgspec import Struct

from reconciler.core.model import Resource
from reconciler.durable import is_private_file, is_private_folder
from reconciler.kinds.registry import rules_digest

Restore = Callable[[Resource], bytes]
"""Reads the body of a resource from its definition once more."""
Row = tuple[bytes, bytes, bytes]
"""What a content is found by, the facts of the file, and the bodies of its resources behind each other."""

_SECONDS = 5.0
"""So long another process may take for its writes, which are short."""
_NEAR = 16
"""So many rows are read for one, as whoever asks for a body mostly asks for the next one too."""
_MOST_TIMES, _SPARE = 4, 1000
"""There may be so many times as many rows as a run reads files, and some more."""
_MOST_BYTES = 1 << 30
_DAY = 86400.0
_TABLES = (
    "PRAGMA page_size = 16384",
    "PRAGMA journal_mode = MEMORY",
    "PRAGMA synchronous = OFF",
    "CREATE TABLE IF NOT EXISTS facts (id INTEGER PRIMARY KEY, name BLOB, facts BLOB, proof INTEGER)",
    "CREATE TABLE IF NOT EXISTS bodies (id INTEGER PRIMARY KEY, bodies BLOB)",
)


class BodyPlace(Struct, frozen=True):
    """Where a body is that is not held in memory."""

    cache: "Cache"
    row: int
    offset: int
    length: int

    def body(self, resource: Resource) -> bytes:
        """The body of the resource that it is of."""
        return self.cache.body(resource, self.row, self.offset, self.length)


class Cache:
    """What is kept of one repository.

    Attributes:
        known: row and facts of each file that was read before, by what its content is found by.
    """

    def __init__(self, folder: str, scope: str, restore: Restore) -> None:
        """Read the facts of whatever is there.

        Args:
            folder: the repository's in the user's cache; "" to keep nothing for other runs.
            scope: what of the repository is read: runs that read something else have a file of their own.
        """
        self._restore = restore
        self._path = f"{folder}/{_judges(scope)}.db" if folder and is_private_folder(folder) else ""
        self._path, self._connection = _open(self._path)
        self.known: dict[bytes, tuple[int, bytes]] = {}
        self._near: dict[int, object] = {}
        self._beside: Cache | None = None
        self._last = self._rows = 0
        with self._doubting():
            self._read()

    def _read(self) -> None:
        rows = self._connection.execute("SELECT id, name, facts, proof FROM facts").fetchall()
        if any(zlib.crc32(facts, zlib.crc32(name)) != proof for _, name, facts, proof in rows):
            raise ValueError("damaged")
        self.known = {name: (row, facts) for row, name, facts, _ in rows}
        self._rows = len(rows)
        self._last = rows[-1][0] if rows else 0

    def add(self, rows: Sequence[Row]) -> "tuple[Cache, range] | None":
        """Keep what files came to: where, and the numbers of the rows; None where there is no place for them."""
        numbers = self._add(rows) if self._beside is None else None
        if numbers is not None:
            return self, numbers
        if not self._path:
            return None
        if self._beside is None:  # another process writes for too long, the file was removed, or there is no room
            self._beside = Cache("", "", self._restore)
        return self._beside.add(rows)

    def _add(self, rows: Sequence[Row]) -> range | None:
        connection = self._connection
        try:
            connection.execute("BEGIN IMMEDIATE")
            (last,) = connection.execute("SELECT coalesce(max(id), 0) FROM bodies").fetchone()
            numbers = range(last + 1, last + 1 + len(rows))
            bodies = ((row, body) for row, (_, _, body) in zip(numbers, rows, strict=True))
            connection.executemany("INSERT INTO bodies VALUES (?, ?)", bodies)
            if self._path:
                facts = ((row, *one[:2], zlib.crc32(one[1], zlib.crc32(one[0]))) for row, one in zip(numbers, rows, strict=True))  # fmt: skip
                connection.executemany("INSERT INTO facts VALUES (?, ?, ?, ?)", facts)
            connection.execute("COMMIT")
        except (sqlite3.Error, OverflowError) as failure:
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            if isinstance(failure, OverflowError):  # no run came to such a number
                _drop_damaged(self._path, failure)
            return None
        return numbers

    def body(self, resource: Resource, row: int, offset: int, length: int) -> bytes:
        """A body; should the file have been damaged, the same once more from the definition."""
        if row not in self._near:
            query = "SELECT id, bodies FROM bodies WHERE id >= ? ORDER BY id LIMIT ?"
            with suppress(sqlite3.Error):
                self._near = dict(self._connection.execute(query, (row, _NEAR)).fetchall())
        bodies = self._near.get(row)
        if isinstance(bodies, bytes):
            body = bodies[offset : offset + length]
            if sha256(body).hexdigest() == resource.fingerprint:
                return body
        _drop_damaged(self._path, ValueError("a body is not there, or not the one that was kept"))
        return self._restore(resource)

    def settle(self, used: Collection[int], files: int) -> None:
        """Let go of the facts, once everything was read, and tidy up, so that the file does not grow for ever.

        Args:
            used: rows of what was known.
            files: how many were read.
        """
        self.known = {}
        if not self._path:
            return
        if self._rows > _MOST_TIMES * files + _SPARE:
            with self._doubting():
                self._connection.execute("CREATE TEMP TABLE used (id INTEGER PRIMARY KEY)")
                self._connection.execute("BEGIN IMMEDIATE")
                self._connection.executemany("INSERT OR IGNORE INTO used VALUES (?)", ((row,) for row in used))
                self._connection.execute("DELETE FROM facts WHERE id <= ? AND id NOT IN used", (self._last,))
                self._connection.execute("DELETE FROM bodies WHERE id <= ? AND id NOT IN used", (self._last,))
                self._connection.execute("COMMIT")
        with suppress(OSError):
            if time.time() - os.stat(self._path).st_mtime > _DAY:
                os.utime(self._path)
            _drop_oldest(os.path.dirname(os.path.dirname(self._path)))

    @contextmanager
    def _doubting(self) -> Iterator[None]:
        """Begin anew with an empty file if this one turns out to be damaged."""
        try:
            yield
        except (sqlite3.Error, TypeError, ValueError) as failure:
            self._connection.close()
            _drop_damaged(self._path, failure)
            self._path, self._connection = _open(self._path)

    def __del__(self) -> None:
        """Close the file, once no resource refers to it any more."""
        self._connection.close()


def _open(path: str) -> tuple[str, sqlite3.Connection]:
    """The file, made anew where it cannot be used, or else a database without a name."""
    for _ in range(2):
        if path and is_private_file(path):
            try:
                return path, _connect(path)
            except sqlite3.Error as failure:
                _drop_damaged(path, failure)
    return "", _connect("")


def _connect(path: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, timeout=_SECONDS)
    try:
        for statement in _TABLES:
            connection.execute(statement)
    except BaseException:
        connection.close()
        raise
    return connection


def _drop_damaged(path: str, failure: Exception) -> None:
    """Remove a file that cannot be read; one that another process only keeps too long is left alone."""
    if path and getattr(failure, "sqlite_errorname", "") != "SQLITE_BUSY":
        with suppress(OSError):
            os.unlink(path)


def _drop_oldest(above: str) -> None:
    """Remove what was used longest ago, of all repositories, where it is too much."""
    found = []
    for place in os.listdir(above):
        with suppress(OSError), os.scandir(f"{above}/{place}") as entries:
            for entry in entries:
                about = entry.stat(follow_symlinks=False)
                found.append((-about.st_mtime, entry.path, about.st_size))
    total = 0
    for _, path, size in sorted(found):
        total += size
        if total > _MOST_BYTES:
            with suppress(OSError):
                os.unlink(path)


_JUDGES = ("core", "kinds", "source", "yaml")
_LIBRARIES = ("yaml_rs", "jsonschema_rs", "msgspec", "yaml")


def _judges(scope: str) -> str:
    """A digest that is another one as soon as the same bytes might be judged, or written down, otherwise."""
    found = sha256(f"{scope} {sys.version} {sys.byteorder} {rules_digest()}".encode())
    for path in _modules():
        with open(path, "rb") as module:
            found.update(f"\n{path}\n".encode())
            found.update(module.read())
    for name in _LIBRARIES:
        found.update(f"\n{name} {_version(name)}".encode())
    return found.hexdigest()[:32]


def _modules() -> Iterator[str]:
    """Paths of the program's modules that have a part in it."""
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    for folder in (package, *sorted(folder for part in _JUDGES for folder, _, _ in os.walk(f"{package}/{part}"))):
        yield from sorted(entry.path for entry in os.scandir(folder) if entry.name.endswith(".py"))


def _version(library: str) -> str:
    """What tells versions of a library apart, without what takes long to load to ask for it; "" where there is none."""
    spec = find_spec(library)
    if spec is None or not spec.submodule_search_locations:
        return ""
    (folder, *_) = spec.submodule_search_locations
    beside = os.listdir(os.path.dirname(folder))
    installed = sorted(name for name in beside if name.endswith(".dist-info") and library in name.lower())
    sizes = [f"{entry.name}={entry.stat().st_size}" for entry in os.scandir(folder) if entry.is_file()]
    return " ".join([*installed, *sorted(sizes)])
