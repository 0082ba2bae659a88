"""Go back to what a repository's records were right after a run."""

from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct, field

from reconciler.core.history import GONE, Body, KeepsHistory, Row, RunEntry, Trail
from reconciler.core.model import Content, Key, Record, Resource, content_of
from reconciler.core.plan import Revision
from reconciler.core.ports.abilities import Remakes
from reconciler.core.ports.source import Desired, Past
from reconciler.core.ports.store import Store
from reconciler.core.quarantine import Revival
from reconciler.diagnostics import has_errors
from reconciler.errors import UsageError
from reconciler.kinds.canonical import fingerprint
from reconciler.kinds.registry import KINDS, address
from reconciler.services.history import PastState, resource_of


def run_at(history: KeepsHistory, run: int | None, time: str) -> RunEntry:
    """A run by its number, or the last one that had ended by a time.

    Raises:
        UsageError: there is none.
    """
    number = history.last_run(time) if run is None else run
    found = history.runs(ids=[number])
    if not found:
        what = f"no run had ended by {time}" if run is None else f"there is no run {run}"
        raise UsageError(what, hint="list the runs with: reconciler history")
    return found[0]


def state_after(history: KeepsHistory, run: RunEntry, store: Store, owner: str) -> PastState:
    """What the records of `owner` were right after a run.

    What others had changed outside of a run by then is left out: a record is as a run had last written it. What they
    had deleted was not there; nor what they had changed by then and deleted before another run wrote it, as the store
    knows the time of the first change alone.
    """
    building = _Building(f"run {run.id}", run, owner, history.declarations(run.id))
    live = {record.uid: record for record in store.records().values()}
    trails = history.trails_of(tuple(KINDS))
    numbers = {row.run for trail in trails for row in (trail.set_by(run.id), _deleting(trail)) if row}
    building.runs |= {found.id: found for found in history.runs(ids=numbers)}
    if isinstance(store, Remakes):
        building.heirs = _heirs(trails, live, run, owner)
    for trail in trails:
        building.add(trail, live.get(trail.uid))
    desired = Desired(
        building.resources,
        (),
        len(building.resources),
        (),
        past=building.past,
        spared=frozenset(building.spared),
    )
    commit = run.commit
    revision = Revision(commit.removesuffix("-dirty"), dirty=commit.endswith("-dirty"), past=building.known_from)
    where = f", from commit {commit[:12]}{'-dirty' if revision.dirty else ''}" if commit else ""
    said = f"{building.known_from} ({run.verb}) was made by {run.actor} at {run.finished}{where}"
    return PastState(desired, revision, (said, *sorted(building.notices)))


def _heirs(trails: Iterable[Trail], live: Mapping[str, Record], run: RunEntry, owner: str) -> dict[Key, str]:
    """By address the records of `owner` that were made since, which are what had been there under it before.

    Where a deleted record cannot come back as what it was, making it once more in place of such a one helps nobody.
    """
    mine = {uid for uid, record in live.items() if record.owner == owner}
    return {live[trail.uid].key: trail.uid for trail in trails if trail.uid in mine and trail.set_by(run.id) is None}


class _Building(Struct):
    """The state, record by record."""

    known_from: str
    run: RunEntry
    owner: str
    declared: Mapping[tuple[str, int], Body]
    runs: dict[int, RunEntry] = field(default_factory=dict)
    resources: dict[Key, Resource] = field(default_factory=dict)
    past: dict[Key, Past] = field(default_factory=dict)
    spared: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    heirs: dict[Key, str] = field(default_factory=dict)

    def add(self, trail: Trail, record: Record | None) -> None:
        """Add a record as it was, or spare it."""
        row = trail.set_by(self.run.id)
        mine = record is not None and record.owner == self.owner
        if row is None or self.runs[row.run].owner != self.owner:
            if mine and (row.action not in GONE if row else trail.at(self.run.id, self.run.finished) is not None):
                self._spare(trail, f"was taken over since, from {self.runs[row.run].owner if row else 'nobody'}")
        elif row.action in GONE:
            return
        elif trail.at(self.run.id, self.run.finished) is None:
            goes = "it goes again" if mine else "it does not come back"
            self._note(row.key, f"had been deleted outside of a run by then, or changed and deleted later; {goes}")
        elif record is not None and not mine:
            self._note(row.key, f"belongs to {record.owner or 'nobody'} now; it stays as it is")
        else:
            self._add_mine(trail, row, is_gone=record is None)

    def _add_mine(self, trail: Trail, row: Row, *, is_gone: bool) -> None:
        body = trail.left_by(row)
        content = None if body is None else content_of(body)
        if content is None or fingerprint(content.body) != row.fingerprint:
            if not is_gone:
                self._spare(trail, f"was as run {row.run} had written it, and the store does not know what that was")
            else:
                self._note(row.key, f"was as run {row.run} had written it, and the store does not know what that was")
            return
        if trail.is_drifted(self.run.id, self.run.finished):
            self._note(row.key, f"had drifted by then; it goes back to what run {row.run} had written")
        self.resources[row.key] = resource_of(
            row.key, self.declared.get((trail.uid, row.run), content.value), self.known_from
        )
        uid = self.heirs.pop(trail.rows[-1].key, trail.uid) if is_gone else trail.uid
        revival = self._revival(trail) if is_gone and uid == trail.uid else Revival(uid)
        self.past[row.key] = Past(uid, Content(content.body), revival)

    def _revival(self, trail: Trail) -> Revival:
        row = _deleting(trail)
        if row is None:
            return Revival(trail.uid, trail.drift.since if trail.drift else "")
        return Revival(trail.uid, self.runs[row.run].finished, row.run)

    def _spare(self, trail: Trail, why: str) -> None:
        self.spared.append(trail.uid)
        key = trail.live[0] if trail.live else trail.rows[-1].key
        self._note(key, f"{why}; it stays as it is")

    def _note(self, key: Key, said: str) -> None:
        self.notices.append(f"{address(*key)} {said}")


def _deleting(trail: Trail) -> Row | None:
    """The run's row that deleted a record which is gone; None where it was deleted outside of a run."""
    if not trail.rows or trail.rows[-1].action not in GONE:
        return None
    return next(row for row in reversed(trail.rows) if row.action == "delete")


def standing_in_git(state: PastState, declared: Desired) -> str:
    """What the next apply makes of an earlier state."""
    if has_errors(list(declared.diagnostics)):
        return "the definitions are not valid, so it is not known whether git says the same; see: reconciler validate"
    count = sum(1 for _ in _differing(state, declared))
    if not count:
        return "git declares just this: the next apply changes nothing"
    commit = state.known_from.commit
    how = f", such as with: git revert --no-commit {commit[:12]}..HEAD" if commit and not state.known_from.dirty else ""
    records = "1 record" if count == 1 else f"{count:,} records"
    return f"git says otherwise of {records}, and the next apply goes by git: take git back too{how}"


def _differing(state: PastState, declared: Desired) -> Iterator[Key]:
    resources = state.desired.resources
    for key in sorted(resources.keys() | declared.resources.keys()):
        before, now = resources.get(key), declared.resources.get(key)
        if before is None or now is None or before.fingerprint != now.fingerprint:
            yield key
