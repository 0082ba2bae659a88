"""Which record each resource is, live or deleted, and the order in which changes are carried out."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

from msgspec import Struct, field

from reconciler.core.model import Key, Record, Resource
from reconciler.core.plan import Action, Change
from reconciler.core.ports.source import Past
from reconciler.core.quarantine import Deleted, Revival

Bore = Callable[[Record], frozenset[str]]
"""The names that a record bore before."""


def _nothing(_: Record) -> frozenset[str]:
    return frozenset()


class Match(Struct, frozen=True):
    """One resource, record, or both, and what is to be done if their contents differ.

    Attributes:
        revival: the deleted record that the resource is; None for all else.
    """

    action: Action
    resource: Resource | None
    record: Record | None
    revival: Revival | None = None


class Identity(Struct, frozen=True):
    """What is known of records beside their names.

    Attributes:
        last: by uid the addresses at which records were last applied, where others gave them another one since.
        bore: asked only where definitions trade their names.
    """

    last: Mapping[str, Key] = field(default_factory=dict)
    bore: Bore = _nothing


def match(
    desired: Mapping[Key, Resource],
    live: Mapping[Key, Record],
    owner: str,
    deleted: Mapping[Key, Deleted],
    *,
    adopt: bool = False,
    identity: Identity | None = None,
) -> Iterator[Match]:
    """Pairs that may need a change; those that `owner` owns, and that are as declared and as applied, are left out.

    A live record of another owner, or of none, is matched with `Action.ADOPT`.

    Args:
        deleted: what `owner` had under an address that was deleted last: a new resource there is that record again.
        adopt: whether an earlier name may be that of another owner's record.
    """
    identity = identity or Identity()
    known = _by_last_address(live, identity.last)
    traded = _trades(desired, known, owner, identity.bore)
    taken: set[Key] = set()
    for key, resource in desired.items():
        record = traded.get(key) or known.get(key) or _not_wanted_elsewhere(live.get(key), identity.last, desired)
        if record is None:
            record = _earlier(resource, desired, known, taken, owner="" if adopt else owner)
            if record is None:
                yield _new(resource, deleted.get(key))
                continue
        taken.add(record.key)
        if record.owner != owner:
            yield Match(Action.ADOPT, resource, record)
        elif record.key != key:
            yield Match(Action.RENAME, resource, record)
        elif record.touched or not record.fingerprint == record.applied == resource.fingerprint:
            yield Match(Action.UPDATE, resource, record)
    for key in live:
        if key not in taken and (record := live[key]).owner == owner:
            yield Match(Action.DELETE, None, record)


def _by_last_address(live: Mapping[Key, Record], last: Mapping[str, Key]) -> Mapping[Key, Record]:
    """Live records by the address at which they were last applied; one that has only moved there has to wait."""
    if not last:
        return live
    moved = {last[record.uid]: record for record in live.values() if record.uid in last}
    return {**{key: record for key, record in live.items() if record.uid not in last}, **moved}


def _not_wanted_elsewhere(
    record: Record | None, last: Mapping[str, Key], desired: Mapping[Key, Resource]
) -> Record | None:
    """A record that others gave the name it is asked for by, unless git defines the one that it had."""
    return None if record is None or last.get(record.uid) in desired else record


def _trades(desired: Mapping[Key, Resource], known: Mapping[Key, Record], owner: str, bore: Bore) -> dict[Key, Record]:
    """The records of resources that trade their names: a ring in which each was what the next one is.

    The ring stays in git when it is done; then one of the records has borne the name that it would be given up for.
    """
    wanted = {
        key: earlier
        for key, resource in desired.items()
        for earlier in (Key(key.kind, name) for name in resource.previously)
        if earlier in desired
    }
    found: dict[Key, Record] = {}
    for start in wanted:
        ring = [start]
        while (after := wanted.get(ring[-1])) is not None and after not in ring:
            ring.append(after)
        records = [known.get(key) for key in ring]
        if after != start or start in found or any(record is None or record.owner != owner for record in records):
            continue
        pairs = {key: known[wanted[key]] for key in ring}
        if not any(wanted[key].name in bore(known[key]) for key in ring):
            found |= pairs
    return found


def match_past(
    desired: Mapping[Key, Resource],
    past: Mapping[Key, Past],
    live: Mapping[Key, Record],
    owner: str,
    spared: frozenset[str],
) -> Iterator[Match]:
    """As `match`, for an earlier state, which knows its records by their identities.

    Records that belong to another owner now are left out.
    """
    by_uid = {record.uid: record for record in live.values()}
    wanted = {item.uid for item in past.values()}
    for key, resource in desired.items():
        record = by_uid.get(past[key].uid)
        if record is None:
            yield Match(Action.RESTORE, resource, None, past[key].revival)
        elif record.owner != owner:
            continue
        elif record.key != key:
            yield Match(Action.RENAME, resource, record)
        elif record.touched or not record.fingerprint == record.applied == resource.fingerprint:
            yield Match(Action.UPDATE, resource, record)
    for record in live.values():
        if record.owner == owner and record.uid not in wanted and record.uid not in spared:
            yield Match(Action.DELETE, None, record)


def _new(resource: Resource, deleted: Deleted | None) -> Match:
    if deleted is None:
        return Match(Action.CREATE, resource, None)
    revival = Revival(deleted.uid, deleted.deleted_at, deleted.run, quarantined=True)
    return Match(Action.RESTORE, resource, None, revival)


def _earlier(
    resource: Resource, desired: Mapping[Key, Resource], live: Mapping[Key, Record], taken: set[Key], *, owner: str
) -> Record | None:
    """The live record under an earlier name of `resource` that nothing else lays claim to.

    A record that now bears the name for another owner than `owner` is somebody else's; "" allows any. One that only
    claims to be `owner`'s, as nothing was ever applied to it, is another one.
    """
    for name in resource.previously:
        key = Key(resource.key.kind, name)
        record = live.get(key)
        if not record or key in desired or record.key in taken or (record.owner and not record.applied):
            continue
        if not owner or record.owner in (owner, ""):
            return record
    return None


def ordered(
    changes: Iterable[Change], kinds: tuple[str, ...], refs: Mapping[Key, Collection[Key]]
) -> tuple[Change, ...]:
    """What is referred to comes first; deletes come last, and in reverse; else by name.

    Args:
        kinds: in the order of references between kinds.
        refs: what each changed resource refers to; here references within a kind matter.
    """
    rank = {kind: index for index, kind in enumerate(kinds)}
    depth = _depths(refs)

    def place(change: Change) -> tuple[int, int, int, str]:
        kind, name = change.key
        below = depth.get(change.key, 0)
        if change.action is Action.DELETE:
            return (1, -rank[kind], -below, name)
        return (0, rank[kind], below, name)

    return tuple(sorted(changes, key=place))


def _depths(refs: Mapping[Key, Collection[Key]]) -> dict[Key, int]:
    """How many levels of references within its kind each key stands above, of those that do; a ring is cut somewhere.

    Iterative: groups may nest deeper than Python's stack.
    """
    within = {
        key: [ref for ref in named if ref.kind == key.kind and ref in refs] for key, named in refs.items() if named
    }
    depths: dict[Key, int] = {}
    entered: set[Key] = set()
    for start in (key for key, below in within.items() if below):
        stack = [start]
        while stack:
            key = stack[-1]
            below = within.get(key, [])
            if key not in entered:
                entered.add(key)
                stack += [ref for ref in below if ref not in entered]
            else:
                depths.setdefault(key, 1 + max((depths.get(ref, -1) for ref in below), default=-1))
                stack.pop()
    return depths
