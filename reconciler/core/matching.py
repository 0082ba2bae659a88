"""Which live record each resource is, and which records git no longer defines."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from reconciler.core.model import Key, Record, Resource
from reconciler.core.plan import Action


@dataclass(frozen=True, slots=True)
class Match:
    """One resource, record, or both, and what is to be done if their contents differ."""

    action: Action
    resource: Resource | None
    record: Record | None


def match(
    desired: Mapping[Key, Resource], live: Mapping[Key, Record], owner: str, *, adopt: bool = False
) -> Iterator[Match]:
    """Pairs that may need a change; those that `owner` owns, and that are as declared and as applied, are left out.

    A live record of another owner, or of none, is matched with `Action.ADOPT`.

    Args:
        adopt: whether an earlier name may be that of another owner's record.
    """
    renamed: set[Key] = set()
    for key, resource in desired.items():
        record = live.get(key)
        if record is None:
            record = _earlier(resource, desired, live, renamed, owner="" if adopt else owner)
            if record is None:
                yield Match(Action.CREATE, resource, None)
                continue
            renamed.add(record.key)
            yield Match(Action.RENAME if record.owner == owner else Action.ADOPT, resource, record)
        elif record.owner != owner:
            yield Match(Action.ADOPT, resource, record)
        elif not record.fingerprint == record.applied == resource.fingerprint:
            yield Match(Action.UPDATE, resource, record)
    for key, record in live.items():
        if record.owner == owner and key not in desired and key not in renamed:
            yield Match(Action.DELETE, None, record)


def _earlier(
    resource: Resource, desired: Mapping[Key, Resource], live: Mapping[Key, Record], taken: set[Key], *, owner: str
) -> Record | None:
    """The live record under an earlier name of `resource` that nothing else lays claim to.

    A record that now bears the name for another owner than `owner` is somebody else's; "" allows any.
    """
    for name in resource.previously:
        key = Key(resource.key.kind, name)
        record = live.get(key)
        if record and key not in desired and key not in taken and (not owner or record.owner in (owner, "")):
            return record
    return None
