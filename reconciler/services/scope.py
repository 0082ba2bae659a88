"""What a plan looks at when it does not look at everything."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.core.baseline import DatedGrant, Index
from reconciler.core.drift import Moved
from reconciler.core.model import Key, Record
from reconciler.core.plan import Change
from reconciler.kinds.canonical import display_after
from reconciler.services.narrowing import Narrow

if TYPE_CHECKING:
    from reconciler.services.covering import Beyond


class Scope(Struct, frozen=True):
    """What a plan of a part has to know of the rest.

    Attributes:
        live: the records to be matched.
        moved: what others did to records outside of a run, as it was looked at already.
        owned: how many live records of each kind the owner has.
        dated: all grants that end, where the definitions at hand do not have all policies.
        beyond: the resources that the definitions at hand do not have.
        around: from the changes to the records to judge them by: all policies and groups, and bearers of their names.
    """

    live: Mapping[Key, Record]
    moved: Sequence[Moved]
    owned: Counter[str]
    dated: tuple[DatedGrant, ...] | None
    beyond: "Callable[[], Beyond]"
    around: Callable[[Sequence[Change]], Mapping[Key, Record]]


def scope_of(narrow: Narrow, index: Index, moved: Sequence[Moved]) -> Scope:
    """The scope of what was found to matter."""

    def around(changes: Sequence[Change]) -> Mapping[Key, Record]:
        if not changes:
            return narrow.live
        names = {(change.key.kind, name) for change in changes if (name := display_after(change))}
        keys = {*narrow.live, *index.namesakes(names)}
        return {record.key: record for record in index.records(keys, ("Group", "PermissionPolicy"))}

    def beyond() -> "Beyond":
        from reconciler.services.unread import Unread

        return Unread(narrow, index)

    return Scope(narrow.live, moved, narrow.owned, narrow.dated, beyond, around)
