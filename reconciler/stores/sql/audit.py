"""Looks a whole store over: is everything in it what was written, and can it be read?"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from hashlib import sha256

from reconciler.core.care import Audit, Fault
from reconciler.core.guards import BRING_BACK
from reconciler.core.history import GONE
from reconciler.kinds.canonical import may_hold_references, readable
from reconciler.kinds.drift import drifted, paired
from reconciler.kinds.registry import KINDS, address
from reconciler.stores.sql import chain
from reconciler.stores.sql.database import Connection, Database
from reconciler.stores.sql.observed import moved
from reconciler.stores.sql.records import decoded, has_sealed
from reconciler.stores.sql.repair import is_json, references_of, unkept

REPAIR_IT = "somebody wrote to the store outside of a run; restore a backup, or mend what can be mended: reconciler store check --repair"
_RESOLVE = "find out who writes to the store; then run: reconciler apply --secrets check"
_Found = Iterator[tuple[str, str]]


def values(connection: Connection) -> _Found:
    """That each value is of its column's type, or it could not be read."""
    for table, condition in connection.engine.misfits(connection):
        if not condition:
            yield f"the table {table} is missing", REPAIR_IT
        elif count := connection.execute(f"SELECT count(*) FROM {table} WHERE {condition}").fetchone()[0]:
            rows = "1 row holds" if count == 1 else f"{count:,} rows hold"
            yield f"{rows} in {table} what does not fit to its columns", REPAIR_IT


def notes(connection: Connection) -> _Found:
    """That the store notes its revision, none of a record being higher, its identity, and which key seals."""
    kept = dict(connection.execute("SELECT key, value FROM meta"))
    (highest,) = connection.execute("SELECT coalesce(max(revision), 0) FROM records").fetchone()
    revision = str(kept.get("revision", ""))
    if not (revision.isascii() and revision.isdigit()):
        yield "the store does not note its revision", REPAIR_IT
    elif isinstance(highest, int) and int(revision) < highest:
        yield f"the store notes the revision {revision}, and records have {highest}: it was set back", REPAIR_IT
    if not kept.get("store"):
        yield "the store does not note its identity, by which saved plans know it", REPAIR_IT
    if not kept.get("key_check") and has_sealed(connection):
        yield "the store does not note with which key its secrets are sealed", REPAIR_IT


def missing_secrets(connection: Connection) -> _Found:
    """That of each secret that a connector refers to there is a value."""
    held: dict[str, set[str]] = {}
    for uid, place in connection.execute("SELECT uid, address FROM secrets"):
        held.setdefault(uid, set()).add(place)
    query = "SELECT uid, name, live FROM records JOIN documents USING (uid) WHERE kind = 'Connector' AND fingerprint IS NOT NULL ORDER BY name"
    for uid, name, live in connection.execute(query):
        if not is_json(live) or not may_hold_references(live.encode()):
            continue
        places = {field.address for field in KINDS["Connector"].secret_fields(decoded(live)["spec"])}
        if missing := sorted(places - held.get(uid, set())):
            yield f"the store has no value of {address('Connector', name)}: {', '.join(missing)}", _RESOLVE


_RESTORE = "restore the store from a backup"
_PLAN = "find out who writes to the store; then run: reconciler plan"
_TAMPERED = (
    "somebody wrote to the store outside of a run: compare with a backup and with git before you trust the history;"
    " restore the backup, or mend what can be mended: reconciler store check --repair"
)

MOST = 20
"""So many faults of one check are named."""


def audit(database: Database, lost: Sequence[str] = (), noted: str = "", now: str = "") -> Audit:
    """Look a store over; nothing is written.

    Args:
        lost: what speaks of a store that was there, where there is none.
        noted: a head of the history that was noted earlier, in hexadecimal.
        now: RFC 3339; grants that have ended by then are no drift when they are gone.

    Raises:
        StoreUnavailable: it cannot be read.
    """
    connection = database.reader()
    if connection is None:
        gone = [Fault("file", f"there is no store, and {sign}", BRING_BACK) for sign in lost]
        if noted:
            gone.append(Fault("chain", f"the head {noted} is not in the history: the store is empty", _TAMPERED))
        return Audit("", {}, tuple(gone), ("the store is empty",))
    with closing(connection), database.translated():
        return audit_open(connection, noted, now)


def audit_open(connection: Connection, noted: str = "", now: str = "") -> Audit:
    """Look over the store that is open; see `audit`."""
    found = list(_at_most("file", _file(connection)))
    if found:
        return _looked_over(connection, found, noted, now)
    with connection.engine.as_present(connection) as present:  # its next run would bring it up to date before all else
        return _looked_over(present, found, noted, now)


def _looked_over(connection: Connection, found: list[Fault], noted: str, now: str) -> Audit:
    if not found:  # else the rest would say nothing new
        found = [fault for name, check in _CHECKS.items() for fault in _at_most(name, check(connection))]
    whole = not any(fault.check in ("file", "bodies") for fault in found)
    notes = _drift(connection, now) if whole else ()
    return _with_chain(connection, found, noted, notes)


def _at_most(check: str, found: Iterable[tuple[str, str]]) -> Iterator[Fault]:
    listed = list(found)
    for message, hint in listed[:MOST]:
        yield Fault(check, message, hint)
    if len(listed) > MOST:
        yield Fault(check, f"and {len(listed) - MOST} more", listed[MOST][1])


def _drift(connection: Connection, now: str) -> tuple[str, ...]:
    count = sum(drifted(one, now) is not None for one in paired(moved(connection)))
    said = "records have" if count != 1 else "record has"
    return (f"{count:,} {said} drifted; see: reconciler drift --all",) if count else ()


def _with_chain(connection: Connection, found: list[Fault], noted: str, said: Sequence[str]) -> Audit:
    counts = {"records": _count(connection, "records"), "secrets": _count(connection, "secrets")}
    deleted = _count(connection, "quarantine")
    if deleted:
        counts["deleted records"] = deleted
    notes = list(said)
    verdict = chain.follow(connection, noted)
    notes += [f"the history is broken, which run {run} acknowledged: {broken}" for broken, run in verdict.acknowledged]
    if verdict.fault:
        found.append(Fault("chain", verdict.fault, _TAMPERED))
    if verdict.noted is False:
        message = f"the head {noted} is not in the history"
        found.append(Fault("chain", f"{message}: it was removed, or all that follows was written anew", _TAMPERED))
    return Audit(verdict.head, {**counts, "runs": verdict.runs, "changes": verdict.rows}, tuple(found), tuple(notes))


def _count(connection: Connection, table: str) -> int:
    return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def _file(connection: Connection) -> _Found:
    """That the engine finds it whole."""
    for message in connection.engine.broken(connection, MOST):
        yield message, _RESTORE


def _keys(connection: Connection) -> _Found:
    """That what belongs to a record has one: bodies, secrets, tokens; and that history has its run."""
    for table, column, parent, key, what in _BELONGS:
        loose = (
            f"SELECT count(*) FROM {table} c WHERE c.{column} IS NOT NULL"
            f" AND NOT EXISTS (SELECT 1 FROM {parent} p WHERE p.{key} = c.{column})"
        )
        for _ in range(connection.execute(loose).fetchone()[0]):
            yield f"{what} belongs to {_PARENTS[parent]} that is not there", _TAMPERED
    yield from missing_secrets(connection)


_BELONGS = (
    ("documents", "uid", "records", "uid", "a body"),
    ("applied", "uid", "records", "uid", "an applied body"),
    ("refs", "uid", "records", "uid", "a reference"),
    ("secrets", "uid", "records", "uid", "a secret"),
    ("tokens", "uid", "records", "uid", "an access token"),
    ("history", "run", "runs", "id", "a history row"),
    ("attempts", "run", "runs", "id", "an attempt"),
    ("quarantine", "run", "runs", "id", "a deleted record"),
    ("declarations", "run", "runs", "id", "a declared body"),
    ("quarantined_secrets", "uid", "quarantine", "uid", "a secret in quarantine"),
)
"""Of each table that belongs to another: its column, the other table and its key, and what a row is."""
_PARENTS = {"records": "a record", "runs": "a run", "quarantine": "a deleted record"}


def _triggers(connection: Connection) -> _Found:
    """That the triggers are there which see what is written outside of a run, and keep the history as it is."""
    found = connection.engine.found_triggers(connection)
    for name, words in connection.engine.own_triggers().items():
        if found.get(name) != words:
            state = "is missing" if name not in found else "was altered"
            yield f"the trigger {name} {state}; writes outside of runs may not have been seen", _TAMPERED
    for sort, name in connection.engine.differing(connection):
        if sort != "trigger":
            yield f"the {sort} {name} is missing", REPAIR_IT
    yield from connection.engine.silenced(connection)


def _bodies(connection: Connection) -> _Found:
    """That records have bodies, these are JSON, and the fingerprints are theirs. What drifted has no fingerprint."""
    query = "SELECT r.kind, r.name, r.fingerprint, d.live FROM records r LEFT JOIN documents d USING (uid) ORDER BY r.kind, r.name"
    for kind, name, printed, live in connection.execute(query):
        if kind not in KINDS:
            yield f"there is no kind {kind!r}, of which the record {name!r} is said to be", REPAIR_IT
        elif live is None:
            if printed is not None:
                yield f"{address(kind, name)} has no body", REPAIR_IT
        elif not is_json(live):
            yield f"the body of {address(kind, name)} is not JSON", REPAIR_IT
        elif printed is not None and sha256(live.encode()).hexdigest() != printed:
            yield f"the body of {address(kind, name)} is not the one that was written", _TAMPERED
    for table, column in _FURTHER:
        for key, text in connection.execute(f"SELECT uid, {column} FROM {table} WHERE {column} IS NOT NULL"):
            if not is_json(text):
                yield f"{column} of {key} in {table} is not JSON", REPAIR_IT


_FURTHER = (("applied", "body"), ("quarantine", "live"), ("quarantine", "applied"), ("declarations", "body"))
"""Bodies beside those that are live: column by table. Those of the history are chained."""


def _references(connection: Connection) -> _Found:
    """That references lead somewhere, and are those of the bodies."""
    query = (
        "SELECT r.kind, r.name, f.kind, f.name FROM refs f JOIN records r USING (uid)"
        " WHERE NOT EXISTS (SELECT 1 FROM records t WHERE t.kind = f.kind AND t.name = f.name) ORDER BY 1, 2, 3, 4"
    )
    for kind, name, *target in connection.execute(query):
        yield f"{_named(kind, name)} refers to {_named(*target)}, which is not there", _PLAN
    stored: dict[str, set[tuple[str, str]]] = {}
    for uid, kind, name in connection.execute("SELECT uid, kind, name FROM refs"):
        stored.setdefault(uid, set()).add((kind, name))
    query = "SELECT uid, kind, name, live FROM records JOIN documents USING (uid) WHERE fingerprint IS NOT NULL ORDER BY kind, name"
    for uid, kind, name, live in connection.execute(query):
        wanted = references_of(kind, live)  # where there are none to be read, another check has said so
        if wanted is not None and wanted != stored.get(uid, set()):
            yield f"the references noted of {address(kind, name)} are not those of its body", REPAIR_IT


def _history(connection: Connection) -> _Found:
    """That each record is what its last change left."""
    query = (
        "SELECT r.kind, r.name, r.fingerprint, r.applied, h.action, h.fingerprint FROM records r"
        " LEFT JOIN history h ON h.seq = (SELECT max(seq) FROM history WHERE uid = r.uid)"
        " ORDER BY r.kind, r.name"
    )
    for kind, name, printed, applied, action, last in connection.execute(query):
        if action is None:
            if applied:
                yield f"{_named(kind, name)} is said to have been applied, and the history does not know it", _TAMPERED
        elif action in GONE:
            yield f"{_named(kind, name)} is there, and the history says that it was deleted", _TAMPERED
        elif printed is not None and printed != last:
            yield f"{_named(kind, name)} is not what its last change left", _TAMPERED


def _deleted(connection: Connection) -> _Found:
    """That what is in quarantine is what its deletion took away, and is not live as well."""
    query = (
        "SELECT q.kind, q.name, q.live, q.run, h.run, h.action, h.before, EXISTS (SELECT 1 FROM records r WHERE r.uid = q.uid)"
        " FROM quarantine q LEFT JOIN history h ON h.seq = (SELECT max(seq) FROM history WHERE uid = q.uid)"
        " ORDER BY q.kind, q.name"
    )
    for kind, name, live, run, last_run, action, before, is_live in connection.execute(query):
        if is_live:
            yield f"{_named(kind, name)} is live, and in quarantine too", _TAMPERED
        elif action != "delete" or run != last_run:
            yield f"{_named(kind, name)} is in quarantine, and the history does not know of its deletion", _TAMPERED
        elif kind not in KINDS or not is_json(live) or readable(kind, decoded(live))[0].body.decode() != before:
            yield f"what quarantine holds of {_named(kind, name)} is not what was deleted", _TAMPERED

    for _, kind, name, _, run, _, _ in unkept(connection):
        yield f"{_named(kind, name)}, which run {run} deleted, is in quarantine no more, and was not purged", REPAIR_IT


def _named(kind: str, name: str) -> str:
    return address(kind, name) if kind in KINDS else f"{kind}/{name}"


_CHECKS: dict[str, Callable[[Connection], _Found]] = {
    "values": values,
    "notes": notes,
    "keys": _keys,
    "triggers": _triggers,
    "bodies": _bodies,
    "references": _references,
    "history": _history,
    "quarantine": _deleted,
}
