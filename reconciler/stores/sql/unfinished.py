"""The changes of a run on a live store without transactions, kept until the state says what became of them."""

import json
from collections.abc import Mapping, Sequence

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from reconciler.core.calls import TokenKey
from reconciler.core.model import Content, Key, Record, Resource, decode
from reconciler.core.plan import Action, Change
from reconciler.core.ports.live import Live, Outcome, Result, Write
from reconciler.core.ports.requests import Step, Unfinished, WritesByRequests
from reconciler.core.ports.store import PlannedWrite, RunInfo
from reconciler.core.secret import SealedSecret
from reconciler.errors import RecordConflict
from reconciler.kinds.canonical import make_resource
from reconciler.kinds.registry import KINDS, address
from reconciler.stores.sql import handover, quarantine
from reconciler.stores.sql.database import Connection
from reconciler.stores.sql.handover import forget_held, note_held
from reconciler.stores.sql.observed import note, note_versions
from reconciler.stores.sql.session import SqlSession


class Begun(Struct, frozen=True):
    """One change as it is kept. Its secrets are not: what nobody knows to be there is written again.

    Attributes:
        declared, written, live: canonical bodies; "" for none.
        back: the deleted record that comes back, "" for none.
        made_with: see `PlannedWrite`.
        handed: when the tokens were obtained that the live store is given, by the authorization's name.
        is_token_only: whether it is about these alone.
        note: of the record before, as its driver has it.
        printed: keyed fingerprints of the secrets that the record is to have, by address.
    """

    action: Action
    kind: str
    name: str
    uid: str
    declared: str
    written: str
    live: str
    back: str
    note: str
    made_with: Mapping[str, str] = {}
    handed: Mapping[str, str] = {}
    is_token_only: bool = False
    printed: Mapping[str, str] = {}


def keep(connection: Connection, run: RunInfo, writes: Sequence[PlannedWrite], notes: Mapping[str, str]) -> None:
    """Keep what is about to be done, inside of the caller's transaction."""
    told = msgspec.json.encode(run).decode()
    rows = [
        (run.owner, number, told if number == 0 else "{}", msgspec.json.encode(_begun(write, notes)).decode())
        for number, write in enumerate(writes)
    ]
    connection.insert("unfinished", ("owner", "number", "run", "change"), rows)


def _begun(write: PlannedWrite, notes: Mapping[str, str]) -> Begun:
    change = write.change
    return Begun(
        change.action,
        *change.key,
        write.uid if change.record else "",
        change.resource.body.decode() if change.resource else "",
        change.written.body.decode() if change.written is not None else "",
        change.live.body.decode() if change.live is not None else "",
        change.revival.uid if change.revival else "",
        notes.get(write.uid, ""),
        write.made_with,
        {name: token.state.obtained for name, token in write.handed.items()},
        change.is_token_only,
        {place: state.fingerprint for place, state in write.states().items()},
    )


def forget(connection: Connection, owner: str, spared: Sequence[int] = ()) -> None:
    """Let go of what is known by now, inside of the caller's transaction.

    Args:
        spared: numbers of changes of which it is not.
    """
    for table, column in (("unfinished", "number"), ("journal", "change")):
        rows = connection.execute(f"SELECT {column} FROM {table} WHERE owner = ?", (owner,)).fetchall()
        gone = {number for (number,) in rows} - {*spared}
        connection.executemany(f"DELETE FROM {table} WHERE owner = ? AND {column} = ?", [(owner, number) for number in sorted(gone)])  # fmt: skip


class Left(Struct, frozen=True):
    """What a run left behind that was cut off."""

    run: RunInfo
    changes: Mapping[int, Begun]


def left(connection: Connection, owner: str) -> Left | None:
    """What an owner's run left behind; None for nothing."""
    rows = connection.execute("SELECT number, run, change FROM unfinished WHERE owner = ? ORDER BY number", (owner,)).fetchall()  # fmt: skip
    if not rows:
        return None
    told = next((run for _, run, _ in rows if run != "{}"), "")
    run = msgspec.json.decode(told, type=RunInfo) if told else RunInfo("", owner, "", "", "")
    return Left(run, {number: msgspec.json.decode(change, type=Begun) for number, _, change in rows})


def find_out(found: Left, steps: Mapping[int, Sequence[Step]], live: Live, *, patiently: bool) -> dict[int, Outcome]:
    """What became of the changes, by the live store's own word; of those without any request, that they were not begun.

    Args:
        steps: what was noted of the run's requests; see `steps_of`.

    Raises:
        StoreUnavailable: it cannot be reached.
    """
    asked = [number for number in found.changes if number in steps]
    outcomes = {number: Outcome(Result.FAILED, reason="it was not begun") for number in found.changes}
    if asked and isinstance(live, WritesByRequests):
        unfinished = [_unfinished(found.changes[number], steps[number]) for number in asked]
        outcomes |= dict(zip(asked, live.find_out(unfinished, patiently=patiently), strict=True))
    return outcomes


def _unfinished(begun: Begun, steps: Sequence[Step]) -> Unfinished:
    after = begun.written or begun.declared
    write = Write(Key(begun.kind, begun.name), begun.uid, "", json.loads(after) if after else None, {})
    return Unfinished(write, steps, json.loads(begun.live) if begun.live else None, begun.note)


def note_done(connection: Connection, found: Left, outcomes: Mapping[int, Outcome], now: str) -> None:
    """Note in the state what turned out to be done, as the run that did it."""
    _note_doubt(connection, found, outcomes)
    records = _records(connection, [one.id for one in outcomes.values() if one.result is Result.DONE])
    done = {
        number: one
        for number, one in outcomes.items()
        if one.result is Result.DONE and not _is_taken(found, number, records.get(one.id))
    }
    if not done:
        return
    whole = {number: one for number, one in done.items() if not found.changes[number].is_token_only}
    sealed = _sealed(connection, {one.id: found.changes[number].printed for number, one in whole.items()})
    again = (_again(found.changes[number], one, records.get(one.id), sealed) for number, one in whole.items())
    _Settling(connection, replace(found.run, partly=True), now).write([write for write in again if write is not None])
    lacking = [one.id for number, one in whole.items() if len(sealed[one.id]) < len(found.changes[number].printed)]
    handover.note_lacking(connection, more=lacking)
    back = [found.changes[number].back for number in done]
    quarantine.drop(connection, [uid for uid in back if uid])
    note_versions(connection, {one.id: one.version for one in done.values() if one.version})
    note(connection, {one.id: one.note for one in done.values() if one.note})
    note_held(
        connection,
        {
            TokenKey(one.id, name): obtained
            for number, one in done.items()
            for name, obtained in found.changes[number].handed.items()
        },
    )


def _is_taken(found: Left, number: int, record: Record | None) -> bool:
    """Whether another owner has made a record his own since: what the run did to it is part of that."""
    is_other = record is not None and record.owner not in ("", found.run.owner)
    return is_other and found.changes[number].action is not Action.ADOPT


def _sealed(connection: Connection, wanted: Mapping[str, Mapping[str, str]]) -> dict[str, list[SealedSecret]]:
    """The secrets that the state has of records, as far as they are those that these are to have.

    Args:
        wanted: fingerprints by address, by id.
    """
    found: dict[str, list[SealedSecret]] = {}
    for uid, printed in wanted.items():
        rows = connection.execute("SELECT address, reference, fingerprint, ciphertext FROM secrets WHERE uid = ?", (uid,))  # fmt: skip
        found[uid] = [one for row in rows if printed.get((one := SealedSecret(*row)).address) == one.fingerprint]
    return found


def _note_doubt(connection: Connection, found: Left, outcomes: Mapping[int, Outcome]) -> None:
    """Note that it was this run, and nobody else, that may have written a record's secrets: its token is given again."""
    doubtful = [
        one
        for number, one in outcomes.items()
        if one.result is Result.FAILED and one.note and found.changes[number].handed
    ]
    note(connection, {one.id: one.note for one in doubtful})
    forget_held(connection, [one.id for one in doubtful])


class _Settling(SqlSession):
    """Notes what others may have built on since."""

    def check_references(self, changes: Sequence[Change]) -> None:
        """Not any more: it is done."""


def _records(connection: Connection, uids: Sequence[str]) -> dict[str, Record]:
    found = {}
    for uid in uids:
        row = connection.execute("SELECT kind, name, fingerprint, applied, owner, display, version FROM records WHERE uid = ?", (uid,)).fetchone()  # fmt: skip
        if row is not None:
            kind, name, printed, applied, owner, display, version = row
            found[uid] = Record(Key(kind, name), uid, printed or "", applied, owner, display or "", str(version))
    return found


def _again(
    begun: Begun, outcome: Outcome, record: Record | None, sealed: Mapping[str, Sequence[SealedSecret]]
) -> PlannedWrite | None:
    """The change once more, from what the state knows now; None where the state knows of the deletion already."""
    key = Key(begun.kind, begun.name)
    if begun.action is Action.DELETE and record is None:
        return None
    action = begun.action
    if record is not None and action in (Action.CREATE, Action.RESTORE):
        action = Action.ADOPT  # somebody has looked since, and seen a record of nobody
    live = Content(begun.live.encode()) if begun.live else None
    if record is not None and live is None:
        live = Content(b'{"spec":{}}')
    written = Content(begun.written.encode()) if begun.written else None
    change = Change(action, key, _resource(begun), record, written, live)
    return PlannedWrite(change, outcome.id, kept=sealed[outcome.id], made_with=begun.made_with)


def as_it_is_now(connection: Connection, writes: Sequence[PlannedWrite]) -> list[PlannedWrite]:
    """Writes that were carried out, so that they can be noted whatever another owner's run has noted meanwhile.

    It may have looked at the live store, and seen a new record as nobody's, a changed one as moved, a deleted one as
    gone.
    """
    records = _records(connection, [write.uid for write in writes])
    return [now for write in writes if (now := _now(connection, write, records.get(write.uid))) is not None]


def _now(connection: Connection, write: PlannedWrite, record: Record | None) -> PlannedWrite | None:
    change = write.change
    if record is None:
        if change.resource is None:
            return None
        return write if change.record is None else replace(write, change=replace(change, record=None))
    if change.record is not None:
        now = replace(change.record, version=record.version)
        return write if now == change.record else replace(write, change=replace(change, record=now))
    row = connection.execute("SELECT live FROM documents WHERE uid = ?", (write.uid,)).fetchone()
    live = Content((row[0] if row else '{"spec":{}}').encode())
    return replace(write, change=replace(change, action=Action.ADOPT, record=record, live=live))


def _resource(begun: Begun) -> Resource | None:
    if not begun.declared:
        return None
    body = decode(begun.declared.encode())
    labels = body.get("metadata", {}).get("labels", {})
    content = {"metadata": {"name": begun.name, "labels": labels}, "spec": body["spec"]}
    return make_resource(content, KINDS[begun.kind], "", 0)


def undone(found: Left, outcomes: Mapping[int, Outcome]) -> tuple[Key, ...]:
    """The addresses of what was not done, or of which nobody knows."""
    left_over = (found.changes[number] for number, one in outcomes.items() if one.result is not Result.DONE)
    return tuple(sorted(Key(begun.kind, begun.name) for begun in left_over))


def told(found: Left, outcomes: Mapping[int, Outcome], *, is_at_work: bool = False) -> str:
    """In a sentence what became of the run.

    Args:
        is_at_work: whether it is not cut off at all, but goes on as one looks.
    """
    counts = {result: sum(one.result is result for one in outcomes.values()) for result in Result}
    run = found.run
    parts = [f"{counts[Result.DONE]} of its {len(outcomes)} changes are done"]
    if counts[Result.UNKNOWN]:
        parts.append(f"of {counts[Result.UNKNOWN]} nobody knows yet")
    if missing := counts[Result.FAILED] + counts[Result.CONFLICT]:
        parts.append(f"{missing} are not")
    return f"the {run.verb or 'run'} that {run.actor or 'somebody'} began at {run.started or 'some time'} {'is still at work' if is_at_work else 'was cut off'}: {', '.join(parts)}"


def refuse_unknown(found: Left, outcomes: Mapping[int, Outcome]) -> None:
    """Stop where it cannot be told what became of some.

    Raises:
        RecordConflict: so it is.
    """
    open_ = [(found.changes[number], one) for number, one in outcomes.items() if one.result is Result.UNKNOWN]
    if open_:
        raise RecordConflict(
            told(found, outcomes),
            hint="look at them on the live store, mend what is said of them, and run the command again",
            details=tuple(f"{address(begun.kind, begun.name)}: {one.reason}" for begun, one in open_),
        )
