"""The hash chain of runs and history.

Each run and each history row is an entry; an entry's hash is SHA-256 over the hash of the entry before it and its
own columns as canonical JSON: those that are not NULL, and without the hash. A run comes before its rows. `meta`
keeps the last hash and the number of entries, so that a missing end is noticed. Whoever may write to the store can
compute all of it anew: that is noticed by whoever has noted a head elsewhere.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from hashlib import sha256

from msgspec import Struct

from reconciler.core.history import REPAIR
from reconciler.core.model import encode
from reconciler.stores.sql.columns import LARGEST
from reconciler.stores.sql.database import Connection, Query

RUN = ("id", "started", "finished", "actor", "owner", "target", "git_commit", "changes", "verb", "outcome", "plan", "overrides", "approvals")  # fmt: skip
ROW = ("seq", "run", "uid", "kind", "name", "action", "fingerprint", "before", "was", "drifted_at", "drifted_from")
_RUNS = f"SELECT {', '.join(RUN)}, hash FROM runs ORDER BY id"
_ROWS = f"SELECT {', '.join(ROW)}, hash FROM history ORDER BY seq"
_END = "SELECT key, value FROM meta WHERE key IN ('history_head', 'history_count')"
_LAST_RUN = (
    "SELECT coalesce(max(run), 0) FROM (SELECT max(id) AS run FROM runs UNION ALL SELECT * FROM"
    f" (SELECT run FROM history WHERE run <= {LARGEST} ORDER BY seq DESC LIMIT 1) h UNION ALL SELECT * FROM"
    f" (SELECT run FROM attempts WHERE run <= {LARGEST} ORDER BY id DESC LIMIT 1) a) known"
)
_LAST_ROW = "SELECT coalesce(max(seq), 0) FROM history"
QUERIES: Sequence[Query] = ((_END, ()), (_LAST_RUN, ()), (_LAST_ROW, ()))
"""What is asked to take up the chain."""
_START = b""
_BROKEN, _SEAL = "broken=", "seal="
"""How the words begin with which a repair says what was broken, and what the entries before it were."""

Row = tuple[object, ...]


def hash_of(previous: bytes, columns: Sequence[str], values: Sequence[object]) -> bytes:
    """The hash of an entry."""
    content = {column: value for column, value in zip(columns, values, strict=True) if value is not None}
    return sha256(previous + encode(content)).digest()


class Chain:
    """The end of the chain, to which a transaction adds."""

    def __init__(self, connection: Connection) -> None:
        """Take up the chain where it ends."""
        self._connection = connection
        self._head, self._count = _kept(connection)
        self._run = next_run(connection)
        (last,) = connection.execute(_LAST_ROW).fetchone()
        self._row = int(last)

    @property
    def head(self) -> str:
        """The last hash, in hexadecimal; "" for an empty chain."""
        return self._head.hex()

    def add_run(self, values: Row) -> int:
        """Insert a run.

        Args:
            values: of the columns `RUN`, without the first.

        Returns:
            Its id.
        """
        number, self._run = self._run, self._run + 1
        row = (number, *values)
        self._insert("runs", RUN, [(*row, self._next(RUN, row))])
        return number

    def add_rows(self, rows: Iterable[Row]) -> None:
        """Insert history rows.

        Args:
            rows: values of the columns `ROW`, without the first.
        """
        numbered = [(seq, *values) for seq, values in enumerate(rows, self._row + 1)]
        self._row += len(numbered)
        self._insert("history", ROW, ((*row, self._next(ROW, row)) for row in numbered))

    def take_up_what_is_there(self) -> None:
        """Go on after the last entry, whatever the store has noted of it."""
        self._head, self._count = _START, 0
        for _, _, row in _entries(self._connection):
            self._head, self._count = row[-1] if isinstance(row[-1], bytes) else _START, self._count + 1

    def keep(self) -> None:
        """Note where the chain ends now."""
        self._connection.executemany(
            "INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            [("history_head", self.head), ("history_count", str(self._count))],
        )

    def _next(self, columns: Sequence[str], values: Row) -> bytes:
        self._head = hash_of(self._head, columns, values)
        self._count += 1
        return self._head

    def _insert(self, table: str, columns: Sequence[str], rows: Iterable[Row]) -> None:
        self._connection.insert(table, (*columns, "hash"), rows)


def next_run(connection: Connection) -> int:
    """The number of the next run: none that was removed is given again, as far as its traces go."""
    (last,) = connection.execute(_LAST_RUN).fetchone()
    return int(last) + 1


def _kept(connection: Connection) -> tuple[bytes, int]:
    """Last hash and number of entries, as `meta` says."""
    kept = dict(connection.execute(_END))
    try:
        return bytes.fromhex(kept.get("history_head", "")), int(kept.get("history_count", 0))
    except (ValueError, TypeError):
        return _START, -1  # it was altered; what is added then does not fit to what is there, as it should


def _entries(connection: Connection) -> Iterator[tuple[str, Sequence[str], Row]]:
    """Table, columns and values, with the hash behind them, of each entry in the order of the chain."""
    runs: Iterator[Row] = iter(connection.execute(_RUNS))
    run = next(runs, None)
    for row in connection.execute(_ROWS):
        while run is not None and isinstance(row[1], int) and (not isinstance(run[0], int) or run[0] <= row[1]):
            yield "runs", RUN, run
            run = next(runs, None)
        yield "history", ROW, row
    while run is not None:
        yield "runs", RUN, run
        run = next(runs, None)


class ChainVerdict(Struct, frozen=True):
    """What following the chain finds.

    Attributes:
        head: the last hash that is stored, in hexadecimal.
        runs, rows: how many entries there are.
        fault: what is wrong with the first entry that does not fit, or with the end; "" for nothing.
        noted: whether the head that somebody noted is in the chain as far as it holds; None when none was given.
        acknowledged: what was wrong earlier, and the run of the repair that says so.
    """

    head: str
    runs: int
    rows: int
    fault: str
    noted: bool | None
    acknowledged: tuple[tuple[str, int], ...] = ()


def follow(connection: Connection, noted: str = "") -> ChainVerdict:
    """Compute the chain anew and compare.

    Args:
        noted: a head that was noted earlier, in hexadecimal.
    """
    repairs = _repairs(connection)
    walk = _Walk(repairs, noted, digests=bool(repairs))
    for table, columns, row in _entries(connection):
        walk.step(table, columns, row)
    head, count = _kept(connection)
    entries = sum(walk.found.values())
    fault = walk.fault
    if not fault and (head, count) != (walk.previous, entries):
        fault = _end(count, entries)
    seen = walk.seen if noted else None
    return ChainVerdict(walk.previous.hex(), walk.found["runs"], walk.found["history"], fault, seen, tuple(walk.acknowledged))  # fmt: skip


def content_of(connection: Connection) -> str:
    """A digest of all entries as they are, for a repair to acknowledge."""
    walk = _Walk({}, "", digests=True)
    for table, columns, row in _entries(connection):
        walk.step(table, columns, row)
    return walk.content.hex()


def acknowledging(fault: str, content: str) -> tuple[str, ...]:
    """What a repair says in the history of what is broken in it; nothing where nothing is.

    Args:
        content: as `content_of` gives it.
    """
    return (f"{_BROKEN}{fault}", f"{_SEAL}{content}") if fault else ()


def _repairs(connection: Connection) -> dict[int, tuple[str, str]]:
    """The repairs that acknowledged something: by run what was broken, and the digest of the entries before it."""
    found = {}
    for run, said in connection.execute("SELECT id, overrides FROM runs WHERE verb = ?", (REPAIR,)):
        with suppress(ValueError, TypeError, AttributeError):
            words = [(begin, one.removeprefix(begin)) for one in json.loads(said) for begin in (_BROKEN, _SEAL) if one.startswith(begin)]  # fmt: skip
            if {begin for begin, _ in words} == {_BROKEN, _SEAL}:
                found[run] = (dict(words)[_BROKEN], dict(words)[_SEAL])
    return found


class _Walk:
    """What is known on the way along the chain."""

    def __init__(self, repairs: Mapping[int, tuple[str, str]], noted: str, *, digests: bool) -> None:
        self.found = {"runs": 0, "history": 0}
        self.previous, self.fault, self.seen = _START, "", False
        self.acknowledged: list[tuple[str, int]] = []
        self.content = _START
        self._last = {"runs": 0, "history": 0}
        self._repairs = repairs
        self._digests = digests
        self._noted = noted

    def step(self, table: str, columns: Sequence[str], row: Row) -> None:
        """Go on by one entry."""
        if table == "runs" and isinstance(row[0], int) and row[0] in self._repairs:
            self._meet_repair(row[0])
        self.found[table] += 1
        if not self.fault:
            self.fault = _fault(table, columns, row, self._last, self.previous)
            self.seen = self.seen or (not self.fault and isinstance(row[-1], bytes) and row[-1].hex() == self._noted)
        self._last[table] = row[0] if isinstance(row[0], int) else self._last[table] + 1
        self.previous = row[-1] if isinstance(row[-1], bytes) else _START
        if self._digests:
            said = json.dumps([table, *row], default=lambda value: {"bytes": value.hex()})
            self.content = sha256(self.content + said.encode()).digest()

    def _meet_repair(self, run: int) -> None:
        """What was wrong up to here is acknowledged, if it is still what the repair found."""
        broken, content = self._repairs[run]
        if content == self.content.hex():
            self.acknowledged.append((broken, run))
            self.fault = ""
        elif not self.fault:
            self.fault = f"the entries before run {run} are not those that this repair acknowledged: altered"


def _end(count: int, entries: int) -> str:
    if count > entries:
        missing = count - entries
        return f"{missing} {'entry is' if missing == 1 else 'entries are'} missing at the end: removed"
    if count < entries:
        return "the end is not where the store noted it: entries were added outside of a run, or the note was altered"
    return "the last hash is not the one that the store noted: altered"


def _fault(table: str, columns: Sequence[str], row: Row, last: Mapping[str, int], previous: bytes) -> str:
    """Why an entry does not fit, or "".

    Args:
        last: the number of the last entry of each table.
    """
    what, position = ("run" if table == "runs" else "history row"), last[table] + 1
    if table == "history" and isinstance(row[1], int) and row[1] > last["runs"]:
        return f"run {last['runs'] + 1} is missing: removed"
    if row[0] != position:
        return f"{what} {position} is missing: removed"
    if not isinstance(row[-1], bytes):
        return f"{what} {position} has no hash: added outside of a run, or altered"
    try:
        same = hash_of(previous, columns, row[:-1]) == row[-1]
    except TypeError:  # a value that canonical JSON cannot hold
        same = False
    return "" if same else f"{what} {position}{_about(table, row)} or its place is not what was written: altered"


def _about(table: str, row: Row) -> str:
    return f" ({row[5]} {row[3]}/{row[4]}, run {row[1]})" if table == "history" else f" (by {row[3]})"
