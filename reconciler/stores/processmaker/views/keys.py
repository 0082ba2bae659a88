"""What records are called here: an instance knows display names alone.

A record keeps the name that its owner gave it, whatever others call it there. Any other one bears the name that is
declared for its display name, else the one that it had, else one made of its display name. Two rows of one display name
cannot be told apart by name, so where one of them is declared or owned nothing goes on; where nobody lays claim to them
both are shown, with their numbers.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import chain, count

from msgspec import Struct

from reconciler.core.model import Key
from reconciler.core.ports.abilities import Recollection
from reconciler.errors import RecordConflict
from reconciler.kinds.canonical import fold
from reconciler.kinds.common import slug

_MOST = 63


class Titled(Struct, frozen=True):
    """A record before it has a name.

    Attributes:
        title: its display name, or what stands for one.
        is_told_by_title: whether no other record of the kind may have the title.
    """

    id: str
    kind: str
    title: str
    is_told_by_title: bool = True


def keys(found: Iterable[Titled], recollection: Recollection) -> dict[str, Key]:
    """The address of each record, by id.

    Raises:
        RecordConflict: rows of one display name, of which one is declared or owned.
    """
    claims: dict[Key, list[tuple[int, Titled]]] = defaultdict(list)
    rest = []
    twins = _twins(found := list(found), recollection)
    for one in found:
        rank, key = _claim(one, recollection, is_twin=one.id in twins)
        if key:
            claims[key].append((rank, one))
        else:
            rest.append(one)
    named: dict[str, Key] = {}
    for key, claimed in claims.items():
        (_, first), *others = sorted(claimed, key=lambda claim: (claim[0], _number(claim[1].id)))
        named[first.id] = key
        rest += [one for _, one in others]
    taken = set(named.values())
    for one in sorted(rest, key=lambda one: _number(one.id)):
        named[one.id] = _free(one, taken, is_twin=one.id in twins)
        taken.add(named[one.id])
    return named


def alike(found: Iterable[Titled]) -> list[Sequence[Titled]]:
    """Records whose display names are one to the server."""
    by_title: dict[tuple[str, str], list[Titled]] = defaultdict(list)
    for one in found:
        if one.is_told_by_title:
            by_title[one.kind, fold(one.title)].append(one)
    return [several for several in by_title.values() if len(several) > 1]


def _twins(found: Sequence[Titled], recollection: Recollection) -> set[str]:
    claimed = []
    twins: set[str] = set()
    for several in alike(found):
        twins |= {one.id for one in several}
        is_declared = (several[0].kind, fold(several[0].title)) in recollection.names
        if is_declared or any(_is_owned(one, recollection) for one in several):
            claimed.append(several)
    if claimed:
        first = claimed[0]
        ids = " and ".join(one.id for one in first)
        hint = "rename or remove one of them there; nothing else tells which of them is meant"
        details = tuple(f"{one.id} is called {one.title!r}" for several in claimed for one in several)
        raise RecordConflict(f"the instance holds {first[0].kind.lower()} {first[0].title!r} more than once: {ids}", hint=hint, details=details)  # fmt: skip
    return twins


def _claim(one: Titled, recollection: Recollection, *, is_twin: bool) -> tuple[int, Key | None]:
    """The name that it should have, and how much right it has to it: the less, the more."""
    known = recollection.records.get(one.id)
    if known and known.is_owned:
        return 0, known.key
    name = recollection.names.get((one.kind, fold(one.title))) if one.is_told_by_title and not is_twin else None
    if name:
        return 1, Key(one.kind, name)
    return 2, known.key if known else None


def _is_owned(one: Titled, recollection: Recollection) -> bool:
    known = recollection.records.get(one.id)
    return known is not None and known.is_owned


def _free(one: Titled, taken: set[Key], *, is_twin: bool) -> Key:
    """A name made of the display name, with the number of the record where it takes one to tell it apart."""
    plain = slug(one.title) or one.kind.lower()
    tail = "-" + slug(one.id.partition(":")[2])
    tails = chain([] if is_twin else [""], (tail if again == 1 else f"{tail}-{again}" for again in count(1)))
    names = (f"{plain[: _MOST - len(end)].rstrip('-')}{end}" for end in tails)
    return next(key for name in names if (key := Key(one.kind, name)) not in taken)


def _number(uid: str) -> tuple[int, str]:
    """What orders ids as people count."""
    number = uid.split(":")[1] if ":" in uid else ""
    return (int(number), uid) if number.isdecimal() else (0, uid)
