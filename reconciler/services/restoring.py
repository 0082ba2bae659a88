"""Bring deleted records back: which, and what stands in git about them."""

from collections.abc import Iterator, Sequence
from typing import Any

from reconciler.core.history import KeepsHistory
from reconciler.core.model import Bodies, Content, Key, Resource
from reconciler.core.plan import Revision
from reconciler.core.ports.source import Desired, Past
from reconciler.core.ports.store import Store
from reconciler.core.quarantine import Deleted, Revival
from reconciler.core.secret import masked
from reconciler.diagnostics import has_errors
from reconciler.errors import GuardStopped, RecordConflict, UsageError
from reconciler.kinds.canonical import readable
from reconciler.kinds.registry import address
from reconciler.services.past import PastState, resource_of

KNOWN_FROM = "quarantine"


def deleted_named(store: Store, keys: Sequence[Key], owner: str, run: int | None) -> list[Deleted]:
    """The deleted record of each address: the one that was deleted last, or by a run.

    Raises:
        UsageError: there is none.
        GuardStopped: it belonged to another owner.
    """
    known = store.deleted()
    return [_named(known, key, store, owner, run) for key in dict.fromkeys(keys)]


def _named(known: Sequence[Deleted], key: Key, store: Store, owner: str, run: int | None) -> Deleted:
    bore = [item for item in known if item.key == key]
    found = [item for item in bore if run is None or item.run == run]
    mine = [item for item in found if item.owner == owner]
    if mine:
        return mine[-1]
    if found:
        raise GuardStopped(f"{address(*key)} belonged to {found[-1].owner or 'nobody'}", hint="restore it from that repository")  # fmt: skip
    if bore:
        runs = ", ".join(str(item.run) for item in bore)
        raise UsageError(f"run {run} did not delete {address(*key)}", hint=f"it was deleted by run {runs}")
    if key in store.records():
        raise UsageError(f"{address(*key)} is live, and no deleted record bore that name", hint=f"see: reconciler history {address(*key)}")  # fmt: skip
    hint = f"what there is: reconciler restore; what was purged comes back with rollback, see: reconciler history {address(*key)}"
    raise UsageError(f"there is no deleted {address(*key)}", hint=hint)


def deleted_state(chosen: Sequence[Deleted], store: Store, history: KeepsHistory) -> PastState:
    """The deleted records as they were when they were deleted.

    Raises:
        RecordConflict: one was no record any more.
    """
    bodies = store.deleted_bodies(item.uid for item in chosen)
    resources: dict[Key, Resource] = {}
    past: dict[Key, Past] = {}
    notices: list[str] = []
    for item in chosen:
        resource, body, said = _as_it_was(item, bodies[item.uid])
        resources[item.key] = resource
        past[item.key] = Past(item.uid, body, Revival(item.uid, item.deleted_at, item.run, quarantined=True))
        notices += said
    desired = Desired(resources, (), len(resources), (), past=past)
    commits = {_commit(history, item) for item in chosen}
    commit = commits.pop() if len(commits) == 1 else ""
    revision = Revision(commit.removesuffix("-dirty"), dirty=commit.endswith("-dirty"), past=f"the {KNOWN_FROM}")
    return PastState(desired, revision, tuple(notices))


def _as_it_was(item: Deleted, bodies: Bodies) -> tuple[Resource, Content, list[str]]:
    """What was declared of it, what it held, and what to say."""
    live, fine = _writable(item.key.kind, bodies.live)
    applied, known = _writable(item.key.kind, bodies.applied)
    if not fine and not known:
        hint = "bring it back with rollback, to a run before"
        raise RecordConflict(f"what {address(*item.key)} held when it was deleted is not as a record should be", hint=hint)  # fmt: skip
    resource = resource_of(item.key, (applied if known else live).value, KNOWN_FROM)
    if not fine:
        said = "had drifted to what no record may hold; it comes back as it was last applied"
        return resource, resource.content, [f"{address(*item.key)} {said}"]
    return resource, Content(live.body), []


def _writable(kind: str, body: Any) -> tuple[Content, bool]:
    """A body in its canonical form, and whether it may be written: it has one, and no secret in the clear."""
    content, valid = readable(kind, body)
    return content, valid and masked(content.value) == content.value


def _commit(history: KeepsHistory, item: Deleted) -> str:
    """The commit that it had last been applied from, as a run has it."""
    for trail in history.trails_named(item.key):
        row = trail.set_by(item.run - 1) if trail.uid == item.uid else None
        if row is not None:
            return next((run.commit for run in history.runs(ids=[row.run])), "")
    return ""


def standing_in_git(state: PastState, declared: Desired) -> Iterator[str]:
    """What the next apply makes of what comes back."""
    for key, resource in state.desired.resources.items():
        name = address(*key)
        found = declared.resources.get(key)
        if has_errors(list(declared.diagnostics)):
            yield f"the definitions are not valid, so it is not known whether they hold {name}; see: reconciler validate"
        elif found is None:
            yield (
                f"git does not declare {name}: the next apply deletes it again, unless its definition is put back"
                f" (git revert, or: reconciler export {name} --out .)"
            )
        elif found.fingerprint == resource.fingerprint:
            yield f"git declares {name} as it comes back, in {found.file}"
        else:
            yield f"git declares {name} otherwise: the next apply makes it what {found.file} says"
