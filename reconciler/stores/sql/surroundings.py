"""What a plan of a few changes is going to ask, asked at once of a server that is some way off.

A plan goes from what changed to what that refers to, and on. Here the server goes that way, by what was live and
declared at the baseline; what git says otherwise by now the plan asks by itself. So this need not be exact: it is only
what is known already when the plan asks.
"""

from collections.abc import Collection, Sequence
from typing import Any

from reconciler.core.baseline import POLICY_KINDS
from reconciler.core.model import Bodies, Resource
from reconciler.stores.sql import records
from reconciler.stores.sql.database import Connection, Query
from reconciler.stores.sql.records import flat, pairs_of
from reconciler.stores.sql.statements import marks

Pair = tuple[str, str]
Answers = dict[Pair, list[Sequence[Any]]]
"""The rows of each pair; none is an answer too."""

RECORD = "kind, name, uid, fingerprint, applied, owner, display, version"
_REST = RECORD.removeprefix("kind, name, ")

# each about a table `wanted` (k, n), with the pair before what is found of it
FILES = "SELECT k, n, file FROM wanted CROSS JOIN declared ON owner = ? AND kind = k AND name = n"
CLAIMANTS = "SELECT k, n, file FROM wanted CROSS JOIN claimed ON owner = ? AND kind = k AND name = n"
RECORDS = f"SELECT k, n, {_REST} FROM wanted CROSS JOIN records ON kind = k AND name = n"
NAMESAKES = "SELECT k, n, kind, name FROM wanted CROSS JOIN records ON kind = k AND display = n"
DECLARED = "SELECT k, n, kind, name FROM wanted CROSS JOIN declared ON owner = k AND file = n"

_JUDGED = ("Group", "PermissionPolicy")
"""By these every change is judged."""
_MOST = 1_000
"""Of so many pairs all around is asked ahead; of more, the few waits that it spares matter little."""


def of_kinds(kinds: Collection[str]) -> str:
    """A query of all records of some kinds."""
    return f"SELECT {RECORD} FROM records WHERE kind IN ({marks(kinds)})"


def references(kinds: Collection[str]) -> str:
    """A query of what records of some kinds refer to, each with the record."""
    found = f"records r CROSS JOIN refs f USING (uid) WHERE r.kind IN ({marks(kinds)})"
    return f"SELECT f.kind, f.name, r.kind, r.name FROM {found}"


class Surroundings:
    """What is around some files and what they declare now."""

    def __init__(
        self,
        connection: Connection,
        owner: str,
        changed: Collection[str],
        resources: Sequence[Resource],
        revision: int,
    ) -> None:
        """Ask nothing yet.

        Args:
            revision: what was written after it matters too.
        """
        self._connection = connection
        self._owner = owner
        self._changed = changed
        self._revision = revision
        keys: set[Pair] = {resource.key for resource in resources}
        claims = {(resource.key.kind, name) for resource in resources for name in resource.previously}
        self._own = sorted(map(tuple, keys | claims))
        self._seeds = sorted({*self._own, *(tuple(ref) for resource in resources for ref in resource.refs)})
        self._names = sorted({(resource.key.kind, resource.display) for resource in resources if resource.display})

    @property
    def is_small(self) -> bool:
        """Whether it is worth asking for."""
        return len(self._seeds) + len(self._changed) <= _MOST

    def answers(self) -> dict[str, Answers]:
        """By query what is known of each pair."""
        nearby, named = self._nearby(), self._named()
        connection = self._connection
        connection.prefetch([nearby, named, (of_kinds(_JUDGED), _JUDGED), (references(POLICY_KINDS), POLICY_KINDS)])
        connection.prefetch(records.queries(self._where()))
        files: Answers = {}
        claimants: Answers = {}
        there: Answers = {}
        bearers: Answers = {name: [] for name in self._names}
        declared: Answers = {(self._owner, file): [] for file in self._changed}
        for kind, name, file, claimed_by, uid, *rest in connection.execute(*nearby):
            pair = (kind, name)
            if pair not in files:
                files[pair], claimants[pair], there[pair] = [], [], []
                if file is not None:
                    files[pair].append((file,))
                    declared.setdefault((self._owner, file), []).append(pair)
                if uid is not None:
                    there[pair].append((uid, *rest))
                    if display := rest[_DISPLAY]:
                        bearers[kind, display] = [pair]
            if claimed_by is not None:
                claimants[pair].append((claimed_by,))
        for kind, display, *bearer in connection.execute(*named):
            bearers[kind, display] = [bearer]
        return {FILES: files, CLAIMANTS: claimants, RECORDS: there, NAMESAKES: bearers, DECLARED: declared}

    def bodies(self) -> dict[str, Bodies]:
        """Those of what changed, and of what that is judged by, by identity."""
        return records.bodies_where(self._connection, self._where())

    def _nearby(self) -> Query:
        engine = self._connection.engine
        starts: list[str] = []
        values: list[object] = []
        if self._seeds:
            starts.append(f"SELECT * FROM ({pairs_of(self._seeds)}) seeds")
            values += flat(self._seeds)
        if self._changed:
            starts.append(f"SELECT kind, name FROM declared WHERE owner = ? AND file IN ({marks(self._changed)})")
            values += [self._owner, *self._changed]
        starts.append("SELECT kind, name FROM records WHERE revision > ? OR revision IS NULL")
        values.append(self._revision)
        query = (
            f"WITH RECURSIVE near (k, n) AS ({' UNION '.join([*starts, engine.nearby])})"
            f" SELECT k, n, d.file, c.file, {_REST_OF_R} FROM near"
            " LEFT JOIN declared d ON d.owner = ? AND d.kind = k AND d.name = n"
            " LEFT JOIN claimed c ON c.owner = ? AND c.kind = k AND c.name = n"
            " LEFT JOIN records r ON r.kind = k AND r.name = n"
        )
        return query, (*values, self._owner, self._owner, self._owner)

    def _named(self) -> Query:
        if not self._names:
            return "SELECT 1 WHERE 1 = 0", ()
        return f"WITH wanted (k, n) AS ({pairs_of(self._names)}) {NAMESAKES}", flat(self._names)

    def _where(self) -> Query:
        """Which bodies a plan reads: what changed may be compared, and is judged by policies and groups."""
        where, values = f"r.kind IN ({marks(_JUDGED)})", [*_JUDGED]
        if self._own:
            where += f" OR (r.kind, r.name) IN ({pairs_of(self._own)})"
            values += flat(self._own)
        if self._changed:
            declared = f"SELECT kind, name FROM declared WHERE owner = ? AND file IN ({marks(self._changed)})"
            where += f" OR (r.kind, r.name) IN ({declared})"
            values += [self._owner, *self._changed]
        return where, tuple(values)


_REST_OF_R = ", ".join(f"r.{column}" for column in _REST.split(", "))
_DISPLAY = _REST.split(", ").index("display") - 1
