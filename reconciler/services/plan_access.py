"""What a plan does to effective access: from the live policies and groups to those that it leaves behind."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from reconciler.core.access_diff import AccessDiff
from reconciler.core.model import Key, Record
from reconciler.core.plan import Change
from reconciler.core.ports.store import Store

if TYPE_CHECKING:
    from reconciler.services.covering import Covering

_KINDS = ("Group", "PermissionPolicy")


def access_changes(
    changes: Sequence[Change],
    live: Mapping[Key, Record],
    store: Store,
    covering: "Callable[[], Covering]",
    actor: str,
    now: str,
) -> AccessDiff | None:
    """Who gains and loses what; None when no policy and no group changes."""
    touching = [change for change in changes if change.key.kind in _KINDS]
    if not touching:
        return None
    from reconciler.kinds.access import make_access
    from reconciler.services.access_diff import access_diff

    records = [record for key, record in live.items() if key.kind in _KINDS]
    bodies = store.bodies(record.uid for record in records)
    before = {record.key: bodies[record.uid].live for record in records if record.uid in bodies}
    after: dict[Key, Mapping[str, Any]] = dict(before)
    for change in touching:
        if change.record is not None:
            after.pop(change.record.key, None)
    for change in touching:
        if (left := change.after) is not None:
            after[change.key] = left
    return access_diff(
        make_access(before.items()),
        make_access(after.items()),
        covering(),
        actor=actor,
        now=datetime.fromisoformat(now),
    )
