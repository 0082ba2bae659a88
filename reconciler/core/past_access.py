"""What an answer about access at some time in the past is made of."""

from collections.abc import Mapping

from msgspec import Struct

from reconciler.core.access import Access, Decision, Target
from reconciler.core.history import RunEntry
from reconciler.core.model import Key


class Setting(Struct, frozen=True):
    """A policy or group that an answer rests on.

    Attributes:
        fingerprint: of what the run left.
        run: that had made it what it was; None where others had.
    """

    key: Key
    fingerprint: str
    run: RunEntry | None


class Past(Struct, frozen=True):
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
    target: Target
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
