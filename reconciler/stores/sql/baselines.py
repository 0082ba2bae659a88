"""Baselines in the SQL store: what `core/baseline.py` speaks of, in three tables and one index of `records`."""

import json
import operator
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import AbstractContextManager
from operator import itemgetter
from typing import Any

from msgspec.structs import astuple

from reconciler.core.baseline import Baseline, DatedGrant, Memory
from reconciler.core.model import Key, Record, encode
from reconciler.diagnostics import Diagnostic, Span
from reconciler.stores.sql.database import Connection, Damaged, chunks, ignored, marks
from reconciler.stores.sql.records import Fingerprint, decoded

_RECORD = "kind, name, uid, fingerprint, applied, owner, display, version"
_ADDRESS = itemgetter(0, 1)

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


class SqlIndex:
    """Answers about one owner's baseline; see `core.baseline.Index`."""

    def __init__(self, owner: str, reading: Reading, fingerprint: Fingerprint) -> None:
        """Read nothing yet.

        Args:
            reading: gives the connection that all of a plan's reads go through.
        """
        self._owner = owner
        self._reading = reading
        self._fingerprint = fingerprint

    def revision(self) -> int:
        """The store's revision now."""
        rows = self._rows("SELECT value FROM meta WHERE key = 'revision'")
        return int(rows[0][0]) if rows else 0

    def baseline(self) -> Baseline | None:
        """The last one; None where there is none, or somebody has taken away some of what it rests on."""
        rows = self._rows(
            "SELECT connectors, policies, rules, revision, records, judged, warnings, dated FROM baselines b"
            " WHERE owner = ? AND total = (SELECT count(*) FROM declared d WHERE d.owner = b.owner)",
            self._owner,
        )
        if not rows:
            return None
        try:
            return _baseline(rows[0])
        except (ValueError, TypeError, AttributeError, RecursionError):  # somebody has written to it
            return None

    def moved(self, revision: int) -> list[Record]:
        """Records, of whomever, that were written after a revision; in order of kind and name."""
        select = f"SELECT {_RECORD} FROM records INDEXED BY records_by_revision WHERE revision"
        return self._read(sorted(self._rows(f"{select} > ? UNION ALL {select} IS NULL", revision), key=_ADDRESS))

    def untouched(self, revision: int) -> dict[str, int]:
        """How many records of the owner were not, by kind."""
        query = "SELECT kind, count(*) FROM records WHERE revision <= ? AND owner = ? GROUP BY kind"
        return dict(self._rows(query, revision, self._owner))

    def records(self, keys: Iterable[Key], kinds: Collection[str] = ()) -> list[Record]:
        """Records, of whomever, at the addresses or of the kinds; in order of kind and name."""
        select = f"SELECT {_RECORD} FROM"
        found = self._rows(f"{select} records WHERE kind IN ({marks(kinds)})", *kinds) if kinds else []
        found += self._rows_of(keys, f"{select} wanted CROSS JOIN records ON kind = k AND name = n")
        return self._read(sorted({_ADDRESS(row): row for row in found}.values(), key=_ADDRESS))

    def identified(self, uids: Iterable[str]) -> list[Record]:
        """Records, of whomever, by their identities."""
        query = f"SELECT {_RECORD} FROM records WHERE uid IN ({{}})"
        return self._read(self._rows_in(uids, query))

    def owned(self) -> dict[str, int]:
        """How many records of the owner there are, by kind."""
        return dict(self._rows("SELECT kind, count(*) FROM records WHERE owner = ? GROUP BY kind", self._owner))

    def has_others(self) -> bool:
        """Whether another owner, or nobody, has some of the records."""
        return bool(self._rows("SELECT 1 FROM records WHERE owner <> ? LIMIT 1", self._owner))

    def files(self, keys: Iterable[Key]) -> dict[Key, str]:
        """Where the addresses were declared, of those that were."""
        query = "SELECT k, n, file FROM wanted CROSS JOIN declared ON owner = ? AND kind = k AND name = n"
        return {Key(kind, name): file for kind, name, file in self._rows_of(keys, query, self._owner)}

    def declared_in(self, files: Iterable[str]) -> list[Key]:
        """What the files declared."""
        query = "SELECT kind, name FROM declared WHERE owner = ? AND file IN ({})"
        return [Key(*row) for row in self._rows_in(files, query, self._owner)]

    def claimants(self, keys: Iterable[Key]) -> set[str]:
        """The files of which a resource claims one of the addresses as its earlier one."""
        query = "SELECT file FROM wanted CROSS JOIN claimed ON owner = ? AND kind = k AND name = n"
        return {file for (file,) in self._rows_of(keys, query, self._owner)}

    def odd(self) -> set[str]:
        """The files with a resource that leaves fields to the live side."""
        return {
            file
            for (file,) in self._rows(
                "SELECT file FROM declared INDEXED BY declared_odd WHERE owner = ? AND odd", self._owner
            )
        }

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
        query = (
            "SELECT d.kind, d.name FROM declared d INDEXED BY declared_with_token CROSS JOIN records r USING (kind, name)"
            " WHERE d.owner = ? AND d.token > 0 AND d.token >"
            " (SELECT count(*) FROM tokens t WHERE t.uid = r.uid AND (t.expires IS NULL OR t.expires > ?))"
        )
        return [Key(*row) for row in self._rows(query, self._owner, until)]

    def referrers(self, keys: Iterable[Key], kinds: Collection[str] = ()) -> list[Key]:
        """Records that refer to one of the addresses, all or those of some kinds."""
        where = f" WHERE r.kind IN ({marks(kinds)})" if kinds else ""
        query = "SELECT r.kind, r.name FROM wanted CROSS JOIN refs f ON f.kind = k AND f.name = n CROSS JOIN records r USING (uid)"
        return [Key(*row) for row in self._rows_of(keys, query + where, *kinds)]

    def namesakes(self, names: Iterable[tuple[str, str]]) -> list[Key]:
        """Records with one of the folded display names, each given with its kind."""
        query = "SELECT kind, name FROM wanted CROSS JOIN records ON kind = k AND display = n"
        return [Key(*row) for row in self._rows_of(names, query)]

    def _rows_of(self, pairs: Iterable[tuple[str, str]], query: str, *values: object) -> list[tuple[Any, ...]]:
        """Rows of a query about the pairs (k, n) of a table `wanted`, to which others are joined in this order.

        As `(kind, name) IN (VALUES ...)` they would be looked for in all rows.
        """
        found: list[tuple[Any, ...]] = []
        with self._reading() as connection:
            for part, _ in chunks(connection, pairs) if connection else ():
                rows = ",".join(["(?,?)"] * len(part))
                wanted = [value for pair in part for value in pair]
                found += self._rows(f"WITH wanted (k, n) AS (VALUES {rows}) {query}", *wanted, *values)
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
        for kind, name, uid, printed, *rest in rows:
            now = printed or ""
            if printed is None:
                kept = self._rows("SELECT live FROM documents WHERE uid = ?", uid)
                now = self._fingerprint(decoded(kept[0][0]), kind) if kept else ""
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
