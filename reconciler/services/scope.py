"""What a plan looks at when it does not look at everything."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from reconciler.core.baseline import DatedGrant, Index
from reconciler.core.model import Key, Record
from reconciler.core.plan import Change
from reconciler.kinds.outcome import display_after
from reconciler.services.narrowing import Narrow


@dataclass(frozen=True, slots=True)
class Scope:
    """What a plan of a part has to know of the rest.

    Attributes:
        live: the records to be matched.
        owned: how many live records of each kind the owner has.
        dated: all grants that end, where the definitions at hand do not have all policies.
        around: from the changes to the records to judge them by: all policies and groups, and bearers of their names.
    """

    live: Mapping[Key, Record]
    owned: Counter[str]
    dated: tuple[DatedGrant, ...] | None
    around: Callable[[Sequence[Change]], Mapping[Key, Record]]


def scope_of(narrow: Narrow, index: Index) -> Scope:
    """The scope of what was found to matter."""

    def around(changes: Sequence[Change]) -> Mapping[Key, Record]:
        if not changes:
            return narrow.live
        names = {(change.key.kind, name) for change in changes if (name := display_after(change))}
        keys = {*narrow.live, *index.namesakes(names)}
        return {record.key: record for record in index.records(keys, ("Group", "PermissionPolicy"))}

    return Scope(narrow.live, narrow.owned, narrow.dated, around)
