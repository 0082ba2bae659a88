"""The verdict on a pull request: every change, what it takes, and who could approve what is refused."""

from enum import StrEnum

from msgspec import Struct

from reconciler.core.diff import Path
from reconciler.core.model import Key
from reconciler.core.taking import Permit


class Step(StrEnum):
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

    step: Step
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
