"""Reads records, in bulk, and what they held before they drifted."""

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from msgspec.structs import replace

from reconciler.core.model import Bodies, Found, Key, Record, Resource, SecretState, beside
from reconciler.kinds.registry import KINDS
from reconciler.stores.sql.database import Connection, Damaged, Query, Values
from reconciler.stores.sql.statements import chunks

Fingerprint = Callable[[dict[str, Any], str], str]
"""From a decoded body and its kind to its fingerprint, for bodies that were changed outside of a run."""


def pairs_of(pairs: Collection[Sequence[str]]) -> str:
    """A table of pairs, with a mark for each value."""
    return "VALUES " + ",".join(["(?,?)"] * len(pairs))


def flat(pairs: Iterable[Sequence[str]]) -> list[str]:
    """The values of such a table."""
    return list(chain.from_iterable(pairs))


def records(connection: Connection, fingerprint: Fingerprint, near: Mapping[Key, Resource]) -> dict[Key, Record]:
    """All records without their bodies; they share with `near` what both say."""
    found: dict[Key, Record] = {}
    rows = connection.execute(
        "SELECT kind, name, uid, fingerprint, applied, owner, display, version FROM records ORDER BY kind, name"
    )
    changed = False
    for kind, name, uid, printed, applied, owner, display, version in rows:
        if kind not in KINDS:
            raise Damaged(f"there is no kind {kind!r}")
        if not uid.__class__ is name.__class__ is applied.__class__ is owner.__class__ is str:
            raise Damaged("a record cannot be read")
        key = Key(kind, name)
        record = Record(key, uid, printed or "", applied, owner, display or "", str(version), printed is None)
        record = beside(record, near.get(key))
        found[record.key] = record
        changed = changed or printed is None
    if changed:
        _recompute(connection, found, fingerprint)
    return found


def _recompute(connection: Connection, found: dict[Key, Record], fingerprint: Fingerprint) -> None:
    """Give the records whose bodies were changed outside of a run the fingerprints that they have now."""
    rows = connection.execute(
        "SELECT r.kind, r.name, d.live FROM records r JOIN documents d USING (uid) WHERE r.fingerprint IS NULL"
    )
    for kind, name, live in rows:
        key = Key(kind, name)
        found[key] = replace(found[key], fingerprint=fingerprint(decoded(live), kind))


Where = tuple[str, Values]
"""A condition on records `r`, with its values."""


def bodies(connection: Connection, uids: Iterable[str]) -> dict[str, Bodies]:
    """Live and last applied bodies, and secret states, of the records named."""
    found: dict[str, Bodies] = {}
    for chunk, marks in chunks(connection, uids):
        found |= bodies_where(connection, (f"r.uid IN ({marks})", chunk))
    return found


def queries(where: Where) -> list[Query]:
    """What `bodies_where` asks."""
    condition, values = where
    return [(query.format(condition), values) for query in (_SECRETS, _BODIES, _LAST_DECLARED)]


def bodies_where(connection: Connection, where: Where) -> dict[str, Bodies]:
    """The same of the records for which a condition is true."""
    asked = queries(where)
    connection.prefetch(asked)
    states, texts, last_declared = (connection.execute(*query) for query in asked)
    secrets: dict[str, dict[str, SecretState]] = {}
    for uid, address, reference, printed in states:
        secrets.setdefault(uid, {})[address] = SecretState(reference, printed)
    pictured = {uid: body for uid, body in last_declared if body is not None}
    found: dict[str, Bodies] = {}
    for uid, live, kept, was_applied, moved in texts:
        last = pictured.get(uid, kept) if moved else kept or live
        held = decoded(live)
        applied = (held if last == live else decoded(last)) if last and was_applied else None
        found[uid] = Bodies(held, applied, secrets.get(uid, {}))
    return found


_SECRETS = (
    "SELECT s.uid, s.address, s.reference, s.fingerprint FROM records r CROSS JOIN secrets s USING (uid) WHERE {}"
)
_BODIES = (
    "SELECT r.uid, coalesce(d.live, '{{}}'), a.body, r.applied <> '', r.fingerprint IS NULL FROM records r"
    " LEFT JOIN documents d USING (uid) LEFT JOIN applied a USING (uid) WHERE {}"
)
_LAST_DECLARED = (
    "SELECT w.uid, coalesce(w.declared, w.body) FROM records r CROSS JOIN drifts w USING (uid)"
    " WHERE w.kind IS NOT NULL AND ({})"
)
"""What was last applied to records that somebody has written to outside of a run since."""


def referrers(connection: Connection, keys: Sequence[Key]) -> list[tuple[Key, Key]]:
    """Pairs (record, what it refers to) for the records that refer to one of `keys`."""
    found = []
    for part, _ in chunks(connection, keys):
        rows = connection.execute(*referring(part))
        found += [(Key(kind, name), Key(*target)) for kind, name, *target in rows]
    return found


def referring(keys: Collection[Key]) -> Query:
    """What `referrers` asks about a few keys."""
    found = "wanted CROSS JOIN refs f ON f.kind = k AND f.name = n CROSS JOIN records r USING (uid)"
    return f"WITH wanted (k, n) AS ({pairs_of(keys)}) SELECT r.kind, r.name, k, n FROM {found}", flat(keys)


def secret_states(connection: Connection) -> dict[str, dict[str, str]]:
    """Keyed fingerprints of all secrets: uid to address to fingerprint."""
    found: dict[str, dict[str, str]] = {}
    for uid, address, printed in connection.execute("SELECT uid, address, fingerprint FROM secrets"):
        found.setdefault(uid, {})[address] = printed
    return found


def has_sealed(connection: Connection) -> bool:
    """Whether anything is sealed."""
    return connection.execute("SELECT 1 FROM secrets LIMIT 1").fetchone() is not None


def one_sealed(connection: Connection) -> tuple[str, str, bytes] | None:
    """Identity, address and ciphertext of something that is sealed, or None."""
    row: tuple[str, str, bytes] | None = connection.execute("SELECT uid, address, ciphertext FROM secrets LIMIT 1").fetchone()  # fmt: skip
    return row


def search(connection: Connection, kind: str | None, name: str | None) -> Iterator[Found]:
    """Records by kind and name, in order of kind and name."""
    wheres = [(column, value) for column, value in (("r.kind", kind), ("r.name", name)) if value is not None]
    where = " AND ".join(f"{column} = ?" for column, _ in wheres) or "1 = 1"
    rows = connection.execute(
        "SELECT r.kind, r.name, r.owner, r.uid, r.changed_at, coalesce(d.live, '{}')"
        f" FROM records r LEFT JOIN documents d USING (uid) WHERE {where} ORDER BY r.kind, r.name",
        [value for _, value in wheres],
    )
    for kind_, name_, owner, uid, changed_at, live in rows:
        yield Found(uid, kind_, name_, owner, changed_at, decoded(live))


Sealed = tuple[str, str, str, Any, list[tuple[str, bytes]]]
"""uid, name, owner and body of a connector, and address and ciphertext of its secrets."""


def connectors(connection: Connection, names: Sequence[str] | None) -> Iterator[Sealed]:
    """Connectors with their sealed secrets, in order of their names; all of them for None."""
    for chunk, marks in chunks(connection, sorted(names)) if names is not None else [([], "")]:
        where = f"AND r.name IN ({marks})" if names is not None else ""
        secrets: dict[str, list[tuple[str, bytes]]] = {}
        for uid, address, ciphertext in connection.execute(
            f"SELECT s.uid, s.address, s.ciphertext FROM secrets s JOIN records r USING (uid) WHERE r.kind = 'Connector' {where}",
            chunk,
        ):
            secrets.setdefault(uid, []).append((address, ciphertext))
        rows = connection.execute(
            f"SELECT r.uid, r.name, r.owner, d.live FROM records r JOIN documents d USING (uid) WHERE r.kind = 'Connector' {where} ORDER BY r.name",
            chunk,
        )
        for uid, name, owner, live in rows:
            yield uid, name, owner, decoded(live), secrets.get(uid, [])


def decoded(body: str) -> Any:
    """A body, decoded.

    Raises:
        Damaged: it is not JSON, which the table does not allow: the store is damaged.
    """
    try:
        return json.loads(body)
    except (ValueError, TypeError, RecursionError) as failure:
        raise Damaged("a body is not JSON") from failure


class Drifts:
    """Those that the store knows of; the next change of a record takes them over into its history."""

    QUERY = "SELECT uid, since, body FROM drifts"

    def __init__(self, connection: Connection) -> None:
        """Read them; mostly there are none."""
        self._connection = connection
        self._known = {uid: (since, body) for uid, since, body in connection.execute(self.QUERY)}
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


def known_key(kind: str, name: str) -> Key:
    """The key of a row.

    Raises:
        Damaged: there is no such kind.
    """
    if kind not in KINDS:
        raise Damaged(f"there is no kind {kind!r}")
    return Key(kind, name)
