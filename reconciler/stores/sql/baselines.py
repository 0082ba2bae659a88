"""Baselines in the SQL store: what `core/baseline.py` speaks of, in three tables and one index of `records`."""

import json
import operator
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from operator import itemgetter
from typing import Any

from msgspec.structs import astuple

from reconciler.core.baseline import POLICY_KINDS, Baseline, DatedGrant, Memory
from reconciler.core.model import Bodies, Key, Record, Resource, encode
from reconciler.diagnostics import Diagnostic, Span
from reconciler.stores.sql.database import Connection, Damaged, Query
from reconciler.stores.sql.records import Fingerprint, decoded, flat, pairs_of
from reconciler.stores.sql.statements import chunks, ignored, marks
from reconciler.stores.sql.surroundings import (
    CLAIMANTS,
    DECLARED,
    FILES,
    NAMESAKES,
    RECORD,
    RECORDS,
    Answers,
    Pair,
    Surroundings,
    of_kinds,
    references,
)

_ADDRESS = itemgetter(0, 1)
_REVISION = "SELECT value FROM meta WHERE key = 'revision'"
_BASELINE_OF = (
    "SELECT connectors, policies, rules, revision, records, judged, warnings, dated FROM baselines b"
    " WHERE owner = ? AND total = (SELECT count(*) FROM declared d WHERE d.owner = b.owner)"
)
_SINCE = f"SELECT {RECORD} FROM records INDEXED BY records_by_revision WHERE revision"
_MOVED = f"{_SINCE} > ? UNION ALL {_SINCE} IS NULL"
_UNTOUCHED = "SELECT kind, count(*) FROM records WHERE revision <= ? AND owner = ? GROUP BY kind"
_ODD = "SELECT file FROM declared INDEXED BY declared_odd WHERE owner = ? AND odd"
_DUE = (
    "SELECT d.kind, d.name FROM declared d INDEXED BY declared_with_token CROSS JOIN records r USING (kind, name)"
    " WHERE d.owner = ? AND d.token > 0 AND d.token >"
    " (SELECT count(*) FROM tokens t WHERE t.uid = r.uid AND (t.expires IS NULL OR t.expires > ?))"
)

Reading = Callable[[], AbstractContextManager[Connection | None]]


def _baseline(row: Sequence[Any]) -> Baseline:
    connectors, policies, rules, revision, records, judged, warnings, dated = row
    counts = {str(kind): operator.index(count) for kind, count in json.loads(records).items()}
    return Baseline(
        (connectors, policies), rules, operator.index(revision), counts, judged,
        tuple(Diagnostic(code, message, Span(*span), *rest) for code, message, span, *rest in json.loads(warnings)),
        tuple(DatedGrant(policy, file, index, tuple(permissions), expires)
              for policy, file, index, permissions, expires in json.loads(dated)),
    )  # fmt: skip


def first(owner: str) -> list[Query]:
    """What a plan asks before it looks at what changed."""
    return [(_REVISION, ()), (_BASELINE_OF, (owner,))]


class SqlIndex:
    """Answers about one owner's baseline; see `core.baseline.Index`.

    What is known of an address, a file or a name is not asked again, as long as the same state is read.
    """

    def __init__(self, owner: str, reading: Reading, fingerprint: Fingerprint, bodies: dict[str, Bodies]) -> None:
        """Read nothing yet.

        Args:
            reading: gives the connection that all of a plan's reads go through.
            bodies: where those that are asked ahead are put, by identity.
        """
        self._owner = owner
        self._reading = reading
        self._fingerprint = fingerprint
        self._bodies = bodies
        self._answers: dict[str, Answers] = {}

    def foresee(self, changed: Collection[str], resources: Sequence[Resource], revision: int, until: str) -> None:
        """Have a server asked at once what a plan is going to ask; see `core.baseline.Index`."""
        with self._reading() as connection:
            if connection is None or not connection.engine.nearby:
                return
            connection.prefetch([(_ODD, (self._owner,)), (_DUE, (self._owner, until)), (_MOVED, (revision,))])
            if changed or self._rows(_MOVED, revision):
                connection.prefetch([(_UNTOUCHED, (revision, self._owner))])
                around = Surroundings(connection, self._owner, changed, resources, revision)
                if around.is_small:
                    self._answers |= around.answers()
                    self._bodies |= around.bodies()

    def revision(self) -> int:
        """The store's revision now."""
        rows = self._rows(_REVISION)
        return int(rows[0][0]) if rows else 0

    def baseline(self) -> Baseline | None:
        """The last one; None where there is none, or somebody has taken away some of what it rests on."""
        rows = self._rows(_BASELINE_OF, self._owner)
        if not rows:
            return None
        try:
            return _baseline(rows[0])
        except (ValueError, TypeError, AttributeError, RecursionError):  # somebody has written to it
            return None

    def moved(self, revision: int) -> list[Record]:
        """Records, of whomever, that were written after a revision; in order of kind and name."""
        return self._read(sorted(self._rows(_MOVED, revision), key=_ADDRESS))

    def untouched(self, revision: int) -> dict[str, int]:
        """How many records of the owner were not, by kind."""
        return dict(self._rows(_UNTOUCHED, revision, self._owner))

    def records(self, keys: Iterable[Key], kinds: Collection[str] = ()) -> list[Record]:
        """Records, of whomever, at the addresses or of the kinds; in order of kind and name."""
        found = self._rows(of_kinds(kinds), *kinds) if kinds else []
        found += [(*pair, *row) for pair, row in self._known(RECORDS, keys)]
        return self._read(sorted({_ADDRESS(row): row for row in found}.values(), key=_ADDRESS))

    def identified(self, uids: Iterable[str]) -> list[Record]:
        """Records, of whomever, by their identities."""
        query = f"SELECT {RECORD} FROM records WHERE uid IN ({{}})"
        return self._read(self._rows_in(uids, query))

    def owned(self) -> dict[str, int]:
        """How many records of the owner there are, by kind."""
        return dict(self._rows("SELECT kind, count(*) FROM records WHERE owner = ? GROUP BY kind", self._owner))

    def has_others(self) -> bool:
        """Whether another owner, or nobody, has some of the records."""
        return bool(self._rows("SELECT 1 FROM records WHERE owner <> ? LIMIT 1", self._owner))

    def files(self, keys: Iterable[Key]) -> dict[Key, str]:
        """Where the addresses were declared, of those that were."""
        return {Key(*pair): file for pair, (file,) in self._known(FILES, keys, self._owner)}

    def declared_in(self, files: Iterable[str]) -> list[Key]:
        """What the files declared."""
        return [Key(*row) for _, row in self._known(DECLARED, ((self._owner, file) for file in files))]

    def claimants(self, keys: Iterable[Key]) -> set[str]:
        """The files of which a resource claims one of the addresses as its earlier one."""
        return {file for _, (file,) in self._known(CLAIMANTS, keys, self._owner)}

    def odd(self) -> set[str]:
        """The files with a resource that leaves fields to the live side."""
        return {file for (file,) in self._rows(_ODD, self._owner)}

    def declared_of(self, kind: str) -> list[tuple[str, str]]:
        """Name and file of all that was declared of a kind."""
        return self._rows("SELECT name, file FROM declared WHERE owner = ? AND kind = ?", self._owner, kind)

    def filed_under(self, category: str) -> list[tuple[str, str]]:
        """Name and file of the declared connectors whose live record is in a category."""
        query = (
            "SELECT d.name, d.file FROM refs f CROSS JOIN records r USING (uid) CROSS JOIN declared d"
            " ON d.owner = ? AND d.kind = r.kind AND d.name = r.name"
            " WHERE f.kind = 'Category' AND f.name = ? AND r.kind = 'Connector'"
        )
        return self._rows(query, self._owner, category)

    def labelled(self, kind: str, label: tuple[str, str]) -> list[tuple[str, str]]:
        """Name and file of what was declared of a kind and whose live record, as an apply wrote it, has a label.

        No index knows labels. A search for the canonical text spares the decoding of all other bodies.
        """
        query = (
            "SELECT d.name, d.file, live FROM declared d CROSS JOIN records r USING (kind, name)"
            " CROSS JOIN documents USING (uid) WHERE d.owner = ? AND d.kind = ? AND replace(live, ?, '') <> live"
        )
        text = encode(dict([label])).decode().strip("{}")
        rows = self._rows(query, self._owner, kind, text)
        return [(name, file) for name, file, live in rows if _has_label(live, *label)]

    def missing(self) -> list[Key]:
        """Declared addresses at which there is no record."""
        query = (
            "SELECT kind, name FROM declared d WHERE owner = ?"
            " AND NOT EXISTS (SELECT 1 FROM records r WHERE r.kind = d.kind AND r.name = d.name)"
        )
        return [Key(*row) for row in self._rows(query, self._owner)]

    def due(self, until: str) -> list[Key]:
        """Declared connectors of which an access token is missing, or expires by a time."""
        return [Key(*row) for row in self._rows(_DUE, self._owner, until)]

    def referrers(self, keys: Iterable[Key], kinds: Collection[str] = ()) -> list[Key]:
        """Records that refer to one of the addresses, all or those of some kinds."""
        if tuple(kinds) == POLICY_KINDS:  # they are few, and most that is referred to is by others
            wanted = set(keys)
            rows = self._rows(references(POLICY_KINDS), *POLICY_KINDS) if wanted else []
            return list({Key(*rest): None for kind, name, *rest in rows if (kind, name) in wanted})
        where = f" WHERE r.kind IN ({marks(kinds)})" if kinds else ""
        query = "SELECT r.kind, r.name FROM wanted CROSS JOIN refs f ON f.kind = k AND f.name = n CROSS JOIN records r USING (uid)"
        return [Key(*row) for row in self._rows_of(keys, query + where, *kinds)]

    def namesakes(self, names: Iterable[tuple[str, str]]) -> list[Key]:
        """Records with one of the folded display names, each given with its kind."""
        return [Key(*row) for _, row in self._known(NAMESAKES, names)]

    def _known(self, query: str, pairs: Iterable[Pair], *values: object) -> Iterator[tuple[Pair, Sequence[Any]]]:
        """Of each pair of a table `wanted` (k, n) all rows that are left of it, without the pair; see `surroundings`."""
        wanted = list(dict.fromkeys(pairs))
        answers = self._answers.setdefault(query, {})
        unknown = [pair for pair in wanted if pair not in answers]
        answers.update((pair, []) for pair in unknown)
        for k, n, *row in self._rows_of(unknown, query, *values):
            answers[k, n].append(row)
        return ((pair, row) for pair in wanted for row in answers[pair])

    def _rows_of(self, pairs: Iterable[Pair], query: str, *values: object) -> list[tuple[Any, ...]]:
        """Rows of a query about the pairs (k, n) of a table `wanted`, to which others are joined in this order.

        As `(kind, name) IN (VALUES ...)` they would be looked for in all rows.
        """
        found: list[tuple[Any, ...]] = []
        with self._reading() as connection:
            for part, _ in chunks(connection, pairs) if connection else ():
                found += self._rows(f"WITH wanted (k, n) AS ({pairs_of(part)}) {query}", *flat(part), *values)
        return found

    def _rows_in(self, items: Iterable[str], query: str, *values: object) -> list[tuple[Any, ...]]:
        """Rows of a query in which `{}` stands for some of the items, behind all other values."""
        found: list[tuple[Any, ...]] = []
        with self._reading() as connection:
            for part, some in chunks(connection, items) if connection else ():
                found += self._rows(query.format(some), *values, *part)
        return found

    def _read(self, rows: Iterable[Sequence[Any]]) -> list[Record]:
        """The records of rows; those that were changed outside of a run with the fingerprints that they have now."""
        found = []
        rows = list(rows)
        drifted = [row[2] for row in rows if row[3] is None]
        live = dict(self._rows_in(drifted, "SELECT uid, live FROM documents WHERE uid IN ({})"))
        for kind, name, uid, printed, *rest in rows:
            now = printed or ""
            if printed is None:
                now = self._fingerprint(decoded(live[uid]), kind) if uid in live else ""
            applied, owner, display, version = rest
            found.append(
                Record(Key(kind, name), uid, now, applied, owner, display or "", str(version), printed is None)
            )
        return found

    def _rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with self._reading() as connection:
            return connection.execute(query, values).fetchall() if connection else []


def remember(connection: Connection, memory: Memory, revision: int) -> None:
    """Put the baseline in the place of the last one, inside the caller's transaction.

    Args:
        revision: that it holds at.
    """
    owner, base = memory.owner, memory.baseline
    with ignored(connection):
        for table in ("declared", "claimed"):
            if memory.files is None:
                connection.execute(f"DELETE FROM {table} WHERE owner = ?", (owner,))
            else:
                files = ((owner, file) for file in memory.files)
                connection.executemany(f"DELETE FROM {table} WHERE owner = ? AND file = ?", files)
        declared = ((owner, *item.key, item.file, item.odd, item.tokens) for item in memory.declared)
        connection.insert("declared", ("owner", "kind", "name", "file", "odd", "token"), declared)
        claims = {(owner, item.key.kind, name, item.file) for item in memory.declared for name in item.claims}
        connection.insert("claimed", ("owner", "kind", "name", "file"), sorted(claims), "ON CONFLICT DO NOTHING")
        connection.execute("DELETE FROM baselines WHERE owner = ?", (owner,))
        connection.insert("baselines", _BASELINE, [_row(owner, base, revision)])


_BASELINE = ("owner", "connectors", "policies", "rules", "revision", "total", "records", "judged", "warnings", "dated")


def _row(owner: str, base: Baseline, revision: int) -> Sequence[object]:
    warnings = [(one.code, one.message, astuple(one.span), one.snippet, one.hint) for one in base.warnings]
    return (
        owner, *base.trees, base.rules, revision, sum(base.records.values()), json.dumps(dict(base.records)),
        base.judged, json.dumps(warnings), json.dumps([astuple(one) for one in base.dated]),
    )  # fmt: skip


def _has_label(live: str, name: str, value: str) -> bool:
    """Whether a body, as an apply wrote it, has a label."""
    try:
        found: bool = decoded(live)["metadata"]["labels"][name] == value
    except (KeyError, TypeError, Damaged):
        return False
    return found
