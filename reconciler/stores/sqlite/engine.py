"""What SQLite has words of its own for, and a connection of it."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from itertools import chain, islice

from reconciler.stores.sql.columns import PICTURED
from reconciler.stores.sql.database import Connection, Engine, Query, Values
from reconciler.stores.sqlite import schema
from reconciler.stores.sqlite.triggers import PICTURE, misfits

_MOST = 400  # pairs of values stay below the smallest limit that SQLite has been built with
_ROWS = 50  # with the widest table still below that limit


class SqliteEngine:
    """SQLite; see `Engine`. A file is locked as a whole, so that no rows are."""

    most = _MOST
    picture = PICTURE
    pictured = ", ".join(PICTURED)
    renewable = "refresh IS NOT NULL"
    elements = "SELECT value FROM json_each(?)"
    pairs = "json_each(?)"
    for_update = for_share = nearby = ""
    ends_at_refusals = False
    triggers = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
    refusals: tuple[type[Exception], ...] = (sqlite3.IntegrityError,)

    def is_taken(self, failure: Exception) -> bool:
        """Whether a refusal says that a name or an identity is taken."""
        return "UNIQUE" in str(failure)

    def said(self, failure: Exception) -> str:
        """What a refusal says, without any value."""
        return str(failure)

    def broken(self, connection: Connection, most: int) -> Iterator[str]:
        """What SQLite finds broken in the file."""
        for (text,) in connection.execute(f"PRAGMA integrity_check({most})"):
            if text != "ok":
                yield f"SQLite says: {text}"

    def silenced(self, connection: Connection) -> Iterator[tuple[str, str]]:
        """The note that only an apply leaves, for as long as it writes."""
        if connection.execute("SELECT 1 FROM meta WHERE key = 'writing'").fetchone():
            message = "meta holds the key 'writing', which silences the triggers; writes outside of runs are not seen"
            yield message, "find out who put it there; then: reconciler store check --repair"

    def unsilence(self, connection: Connection) -> Iterator[str]:
        """Remove that note."""
        if connection.execute("DELETE FROM meta WHERE key = 'writing'").rowcount:
            yield "meta.writing"

    def misfits(self, connection: Connection) -> Iterator[tuple[str, str]]:
        """Of each table a condition that is true of rows which hold what does not fit; "" for a table that is missing."""
        there = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        for table, condition in misfits():
            yield table, condition if table in there else ""

    def own_triggers(self) -> Mapping[str, object]:
        """The statements that a store of this version has, without regard to white space."""
        every = (statement.rstrip().removesuffix(";").split() for statement in schema.statements(schema.EVERYTHING))
        return {words[2]: words for words in every if words[:2] == ["CREATE", "TRIGGER"]}

    def found_triggers(self, connection: Connection) -> Mapping[str, object]:
        """The same of those that are there."""
        rows = connection.execute(self.triggers)
        return {name: (text or "").split() for name, text in rows}

    def differing(self, connection: Connection) -> Iterator[tuple[str, str]]:
        """Sort and name of what is missing in a store of this version, or of triggers that were altered."""
        for sort, name, _, _ in _differing(connection):
            yield sort, name

    def put_back(self, connection: Connection) -> Iterator[tuple[str, str]]:
        """Make what differs anew; sort and name of each."""
        for sort, name, text, is_there in list(_differing(connection)):
            if is_there:
                connection.execute(f'DROP TRIGGER "{name}"')
            connection.execute(text)
            yield sort, name

    @contextmanager
    def as_present(self, connection: Connection) -> Iterator[Connection]:
        """The store, or a copy in memory that is brought to this version where it is older."""
        assert isinstance(connection, SqliteConnection)
        if not schema.is_older(connection):
            yield connection
            return
        with closing(in_memory()) as copy:
            connection.backup(copy)
            schema.migrate(copy)
            yield copy

    def overwrite(self, connection: Connection, table: str) -> None:
        """Free all pages of a table, which overwrites them, and write what is left of it anew."""
        rows = connection.execute(f"SELECT * FROM {table}").fetchall()
        connection.execute(f"DELETE FROM {table}")
        if rows:
            connection.executemany(f"INSERT INTO {table} VALUES ({','.join('?' * len(rows[0]))})", rows)


def _differing(connection: Connection) -> Iterator[tuple[str, str, str, bool]]:
    """Sort, name, statement and whether it is there."""
    query = "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL"
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as pristine:
        schema.create(pristine)
        wanted = pristine.execute(query).fetchall()
    there = {(sort, name): text for sort, name, text in connection.execute(query)}
    for sort, name, text in wanted:
        state = there.get((sort, name))
        if state is None or (sort == "trigger" and state.split() != text.split()):
            yield sort, name, text, state is not None


class SqliteConnection(sqlite3.Connection):
    """A connection to a file; see `Connection`."""

    engine: Engine = SqliteEngine()

    def prefetch(self, queries: Iterable[Query], /) -> None:
        """Nothing: no question takes a way."""

    def insert(self, table: str, columns: Sequence[str], rows: Iterable[Values], conflict: str = "") -> None:
        """Insert rows, many with each statement: to begin one costs more than to insert a row."""
        one = f"({','.join('?' * len(columns))})"
        into = f"{table} ({', '.join(map(_quoted, columns))})"
        many = f"INSERT INTO {into} VALUES {','.join([one] * _ROWS)} {conflict}"
        waiting = iter(rows)
        while part := list(islice(waiting, _ROWS)):
            if len(part) == _ROWS:
                self.execute(many, tuple(chain.from_iterable(part)))
            else:
                self.executemany(f"INSERT INTO {into} VALUES {one} {conflict}", part)

    def commit(self) -> None:
        """Commit."""
        self.execute("COMMIT")

    def rollback(self) -> None:
        """Take the transaction back, where one has begun."""
        if self.in_transaction:
            self.execute("ROLLBACK")

    def ignore(self) -> None:
        """Have the triggers that see writes of others keep quiet, from here on in this transaction."""
        self.execute("INSERT INTO meta VALUES ('writing', '') ON CONFLICT DO NOTHING")

    def watch(self) -> None:
        """Have them see again."""
        self.execute("DELETE FROM meta WHERE key = 'writing'")


def _quoted(column: str) -> str:
    return f'"{column}"'


def connect(uri: str, timeout: float) -> SqliteConnection:
    """A connection; nothing is begun on it.

    Args:
        timeout: how many seconds SQLite waits for a lock.
    """
    return sqlite3.connect(uri, uri=True, isolation_level=None, timeout=timeout, cached_statements=64, factory=SqliteConnection)  # fmt: skip


PRAGMAS = (
    "PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL; PRAGMA recursive_triggers = OFF;"
    "PRAGMA secure_delete = ON;"  # what is deleted is overwritten: access tokens, and secrets that are purged
    "PRAGMA temp_store = MEMORY;"  # each statement that a trigger can abort keeps what it may have to take back
)


def in_memory() -> SqliteConnection:
    """A connection to a database that is gone once it is closed."""
    connection = connect(":memory:", 0)
    connection.executescript(PRAGMAS)
    return connection
