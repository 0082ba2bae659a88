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


def match(desired: Mapping[Key, Resource], live: Mapping[Key, Record], owner: str) -> Iterator[Match]:
    """Pairs that may need a change; equal ones that `owner` owns are left out.

    A live record of another owner, or of none, is matched with `Action.ADOPT`.
    """
    renamed: set[Key] = set()
    for key, resource in desired.items():
        record = live.get(key)
        if record is None:
            record = _earlier(resource, desired, live, renamed)
            if record is None:
                yield Match(Action.CREATE, resource, None)
                continue
            renamed.add(record.key)
            yield Match(Action.RENAME if record.owner == owner else Action.ADOPT, resource, record)
        elif record.owner != owner:
            yield Match(Action.ADOPT, resource, record)
        elif record.fingerprint != resource.fingerprint:
            yield Match(Action.UPDATE, resource, record)
    for key, record in live.items():
        if record.owner == owner and key not in desired and key not in renamed:
            yield Match(Action.DELETE, None, record)


def _earlier(
    resource: Resource, desired: Mapping[Key, Resource], live: Mapping[Key, Record], taken: set[Key]
) -> Record | None:
    """The live record under an earlier name of `resource` that nothing else lays claim to."""
    for name in resource.previously:
        key = Key(resource.key.kind, name)
        if key in live and key not in desired and key not in taken:
            return live[key]
    return None
