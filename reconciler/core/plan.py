"""What a plan is: inert records, and the order of changes."""

import json
from collections.abc import Iterable
from enum import StrEnum
from hashlib import sha256
from typing import Any

from msgspec import Struct, field

from reconciler.core.access_diff import AccessDiff
from reconciler.core.conditions import Basis, Expiring
from reconciler.core.diff import FieldChange, Origin
from reconciler.core.drift import Moved
from reconciler.core.model import Content, Key, Record, Resource
from reconciler.core.ports.abilities import Forecast
from reconciler.core.quarantine import Revival
from reconciler.errors import ExitCode


class Action(StrEnum):
    """What happens to one record."""

    CREATE = "create"
    UPDATE = "update"
    RENAME = "rename"
    ADOPT = "adopt"
    DELETE = "delete"
    RESTORE = "restore"


class Change(Struct, frozen=True):
    """One step of a plan. Of few changes the values of the bodies are at hand, of very many the bodies alone.

    Attributes:
        key: address after the change; for a delete the address that goes.
        resource: what git declares; None for a delete.
        record: the live record it starts from, and the precondition of the change; None for a create and a restore.
        written: what to write, where it is another than what is declared.
        live: the live content in canonical form; None for a create and a restore, and where a token alone is renewed.
        fields: what differs; empty for a create and a delete. Of a restore what differs from what was deleted.
        notes: what a reviewer should see beside it.
        moved: what others did to the record since it was last applied, where they did.
        came: who moved, where the fields do not say it.
        revival: the deleted record that comes back, and the precondition of a restore; None for all else.
    """

    action: Action
    key: Key
    resource: Resource | None
    record: Record | None
    written: Content | None = None
    live: Content | None = None
    fields: tuple[FieldChange, ...] = ()
    notes: tuple[str, ...] = ()
    moved: Moved | None = None
    came: Origin | None = None
    revival: Revival | None = None

    @property
    def content(self) -> Content | None:
        """What to write; None for a delete."""
        if self.written is not None or self.resource is None:
            return self.written
        return self.resource.content

    @property
    def body(self) -> bytes:
        """Canonical body to write; empty for a delete."""
        content = self.content
        return b"" if content is None else content.body

    @property
    def after(self) -> dict[str, Any] | None:
        """The value to write; None for a delete."""
        content = self.content
        return None if content is None else content.value

    @property
    def before(self) -> dict[str, Any] | None:
        """The live value."""
        return None if self.live is None else self.live.value

    @property
    def is_token_only(self) -> bool:
        """Whether nothing is to be done but to renew the access token."""
        return bool(self.fields) and all(change.origin is Origin.TOKEN for change in self.fields)

    @property
    def origin(self) -> Origin:
        """The origin that all fields share, else both. Secrets and tokens that move along do not count."""
        if self.came is not None:
            return self.came
        origins = {change.origin for change in self.fields}
        origins = origins - {Origin.SECRET, Origin.TOKEN} or origins
        if not origins:
            return Origin.GIT
        return origins.pop() if len(origins) == 1 else Origin.BOTH

    @property
    def is_conflict(self) -> bool:
        """Whether git and the live side moved the same field, or one moved what the other has done away with."""
        return self.came is Origin.BOTH or any(field.origin is Origin.BOTH for field in self.fields)


class Problem(Struct, frozen=True):
    """Why a plan may not be applied.

    Attributes:
        guard, count: which guard stops it, and what that counts; see `core.overrides`. "" for none.
    """

    exit_code: ExitCode
    message: str
    hint: str = ""
    details: tuple[str, ...] = ()
    guard: str = ""
    count: int = 0


class Revision(Struct, frozen=True):
    """Where desired state was read from.

    Attributes:
        commit: id of the commit, or "" outside git or before the first commit.
        ref: what the user named, or "" for the working tree.
        dirty: whether the working tree differs from the commit.
        differing: in how many files.
        past: what it is called where it is an earlier state of the store, such as "run 12"; "" for definitions.
    """

    commit: str = ""
    ref: str = ""
    dirty: bool = False
    differing: int = 0
    past: str = ""

    def __str__(self) -> str:
        if self.past:
            return self.past
        if self.ref:
            return f"commit {self.commit[:12]}"
        if not self.commit:
            return "the working tree"
        state = "changed since" if self.dirty else "clean at"
        return f"the working tree, {state} commit {self.commit[:12]}"


class Plan(Struct, frozen=True):
    """The ordered changes that take live to desired, and whatever stands against them.

    Attributes:
        owned: how many live records belong to `owner`.
        kept: owned records that git no longer defines and that are not pruned.
        access: what the changes of policies and groups do to effective access; None where there are none.
        basis: what the permission to apply it rests on; None where there is nothing to do.
        notices: what whoever applies it should know.
        expiring: the grants that git declares and that end soon.
        overridden: the guards that were overridden, each with its exact count.
        confirmed: records that others have made what git declares: there is nothing to do to them but to note
            what was applied, so that a later change of git is told apart from one of the live side.
        only: the records that the plan was asked to be about; empty for all.
        left: how many further changes there are, of other records.
        forecast: what carrying it out takes, where the store can tell.
    """

    revision: Revision
    target: str
    owner: str
    changes: tuple[Change, ...]
    problems: tuple[Problem, ...] = ()
    owned: int = 0
    kept: int = 0
    counts: dict[Action, int] = field(default_factory=dict)
    access: AccessDiff | None = None
    basis: Basis | None = None
    notices: tuple[str, ...] = ()
    expiring: tuple[Expiring, ...] = ()
    overridden: tuple[str, ...] = ()
    confirmed: tuple[Change, ...] = ()
    only: tuple[Key, ...] = ()
    left: int = 0
    forecast: Forecast | None = None

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do and nothing in the way."""
        return not self.changes and not self.problems

    @property
    def is_drift_only(self) -> bool:
        """Whether there is something to do, and all of it takes back what was changed in the live store."""
        return bool(self.changes) and all(change.origin is Origin.DRIFT for change in self.changes)

    @property
    def origins(self) -> dict[Origin, int]:
        """How many changes there are of each origin."""
        counts = dict.fromkeys(Origin, 0)
        for change in self.changes:
            counts[change.origin] += 1
        return counts

    @property
    def conflicts(self) -> int:
        """In how many changes git and the live side contradict each other."""
        return sum(change.is_conflict for change in self.changes)


def counted(changes: Iterable[Change]) -> dict[Action, int]:
    """How many changes there are of each action, in the order of `Action`."""
    counts = dict.fromkeys(Action, 0)
    for change in changes:
        counts[change.action] += 1
    return counts


def fingerprint_of(plan: Plan) -> str:
    """Digest of what the plan does: the same changes to the same records give the same one, whenever it is made."""
    steps = [
        (
            change.action.value,
            *change.key,
            _starts_from(change),
            _fingerprint_after(change),
            [(list(field.path), str(field.after)) for field in change.fields if field.origin in UNWRITTEN],
        )
        for change in plan.changes
    ]  # fmt: skip
    content = json.dumps([plan.target, plan.owner, steps], separators=(",", ":"), ensure_ascii=True)
    return sha256(content.encode()).hexdigest()


def _starts_from(change: Change) -> tuple[object, ...] | None:
    if change.revival is not None:
        return (change.revival.uid, change.revival.run, *change.revival.secrets)
    record = change.record
    return (*record.key, record.uid, record.fingerprint, record.owner) if record is not None else None


UNWRITTEN = frozenset((Origin.SECRET, Origin.TOKEN))
"""Origins of what stands in no body."""


def _fingerprint_after(change: Change) -> str | None:
    if change.written is not None:
        return sha256(change.written.body).hexdigest()
    return change.resource.fingerprint if change.resource is not None else None
