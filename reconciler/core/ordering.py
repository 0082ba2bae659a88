"""The order in which changes are carried out."""

from collections.abc import Collection, Iterable, Mapping

from reconciler.core.model import Key
from reconciler.core.plan import Action, Change


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
