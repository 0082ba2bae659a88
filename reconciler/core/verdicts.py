"""Verdicts of the gate, and answers to questions about access: records."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from enum import StrEnum

from msgspec import Struct, field

from reconciler.core.access import Access, AccessTarget, Decision, alike, decide, odd_characters
from reconciler.core.diff import Path
from reconciler.core.history import RunEntry
from reconciler.core.model import Key, Resource
from reconciler.core.permit import Permit
from reconciler.diagnostics import Diagnostic


class GateStep(StrEnum):
    """What a pull request does to a resource."""

    CREATE = "create"
    UPDATE = "update"
    RENAME = "rename"
    DELETE = "delete"
    SETTINGS = "settings"


class Approvers(Struct, frozen=True):
    """Who holds all that a change takes.

    Attributes:
        groups: each member of these does.
        users: these do, and are in none of the groups.
    """

    groups: tuple[str, ...] = ()
    users: tuple[str, ...] = ()


class Judged(Struct, frozen=True):
    """One change.

    Attributes:
        key: after the change; None for a change of settings.
        was: the key before a rename.
        file: where it is defined, at the head if it is there.
        fields: what differs, by path; of an update and a rename.
        why: what else made it a change, or "".
        permit: what it takes, and whether it may be made.
        approvers: who could approve what is refused to the actor.
    """

    step: GateStep
    key: Key | None
    was: Key | None
    file: str
    fields: tuple[Path, ...] = ()
    why: str = ""
    permit: Permit = Permit(())
    approvers: Approvers = Approvers()


class Verdict(Struct, frozen=True):
    """The answer.

    Attributes:
        base, head: ids of the commits; the head's is "" for the working tree.
        merged: whether the head was merged into the base before it was judged.
        bootstrap: whether the base has no super admin, so that nothing is judged.
        known: whether a policy or group at the base names the actor.
        alike: somebody it names, whom the actor may be taken for.
        moment: RFC 3339; when grants were looked at.
        approvals: who else stands for the change.
    """

    actor: str
    base: str
    head: str
    merged: bool
    bootstrap: bool
    known: bool
    alike: str
    moment: str
    changes: tuple[Judged, ...]
    approvals: tuple[str, ...] = ()

    @property
    def allowed(self) -> bool:
        """Whether the person may make all the changes."""
        return self.bootstrap or all(change.permit.allowed for change in self.changes)


class Side(Struct, frozen=True):
    """One of the two.

    Attributes:
        changed: resources of the files that differ.
        policies: all groups and policies.
        faults: errors in what was read, sorted; with any the rest is not complete.
    """

    changed: Mapping[Key, Resource]
    policies: Mapping[Key, Resource]
    faults: tuple[Diagnostic, ...] = ()


class Comparison(Struct, frozen=True):
    """Both.

    Attributes:
        base, head: ids of the commits; the head's is "" for the working tree.
        merged: whether the head was merged into the base, from which it does not descend, before it was read.
        settings: files whose change is one of project settings, each with the reason, or "" for the project file.
        leaned_on: connectors of which a file changed that a secret reference leads to, with that file.
    """

    base: str
    head: str
    merged: bool
    before: Side
    after: Side
    settings: Mapping[str, str] = field(default_factory=dict)
    leaned_on: Mapping[Key, tuple[str, Resource]] = field(default_factory=dict)


class Question(Struct, frozen=True):
    """What is asked about.

    Attributes:
        key: None for anything of the permission's area: only a grant that is not narrowed gives that.
        moment: RFC 3339.
        note: what the answer does not see; "" for nothing.
    """

    access: Access
    permission: str
    key: Key | None
    target: AccessTarget
    moment: str
    note: str = ""

    def about(self, actor: str) -> Decision:
        """Whether somebody may."""
        return decide(self.access, actor, self.permission, self.target, datetime.fromisoformat(self.moment))

    def everybody(self) -> Iterator[tuple[str, Decision]]:
        """Who may, by name."""
        for user in sorted(self.access.users()):
            decision = self.about(user)
            if decision.allowed:
                yield user, decision

    def stranger(self, actor: str) -> str:
        """That nobody knows the actor, with whom it looks like; "" for somebody who is known."""
        known = self.access.users()
        if actor in known:
            return ""
        odd, other = odd_characters(actor), alike(actor, known)
        strange = f", which holds {odd}" if odd else ""
        near = f"; it looks like '{other}', which is another name" if other else ""
        return f"no policy and no group names '{actor}'{strange}{near}"


class Setting(Struct, frozen=True):
    """A policy or group that an answer rests on.

    Attributes:
        fingerprint: of what the run left.
        run: that had made it what it was; None where others had.
    """

    key: Key
    fingerprint: str
    run: RunEntry | None


class PastState(Struct, frozen=True):
    """The state of access at a time.

    Attributes:
        time: RFC 3339 in UTC.
        run: the last one that had ended; None for none.
        access: what policies and groups gave.
        target: what is asked about.
        key: its address, or None for something of its area that is not named.
        enforced: whether there was a super admin, so that every change took a permission.
    """

    time: str
    run: RunEntry | None
    permission: str
    access: Access
    target: AccessTarget
    key: Key | None
    enforced: bool
    settings: Mapping[Key, Setting]


class Answer(Struct, frozen=True):
    """Whether somebody could.

    Attributes:
        settings: the policy of the decision's route and the groups on the way, with the runs that had set them.
    """

    actor: str
    decision: Decision
    settings: tuple[Setting, ...]
