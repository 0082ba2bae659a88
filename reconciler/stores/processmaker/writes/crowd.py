"""Who is in a group: members that come in, and members that leave."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.core.model import Key
from reconciler.core.ports.live import Result, Write
from reconciler.stores.processmaker.forms.groups import user_row
from reconciler.stores.processmaker.forms.rows import GROUP, USER, GroupRow, UserRow
from reconciler.stores.processmaker.identity import own_id
from reconciler.stores.processmaker.views.pages import Listing
from reconciler.stores.processmaker.writes.change import Change, NotDone
from reconciler.stores.processmaker.writes.glances import look, now
from reconciler.stores.processmaker.writes.hand import Hand
from reconciler.stores.processmaker.writes.run import Run
from reconciler.stores.processmaker.writes.settlement import ensure, filtered
from reconciler.stores.processmaker.writes.sorts import GROUP as SORT
from reconciler.stores.processmaker.writes.sorts import number_of

if TYPE_CHECKING:
    from reconciler.stores.processmaker.wire.client import Client

PATH = "/group_members"
_PAGE = 100


class Crowd(Struct, frozen=True):
    """Members by type: their numbers."""

    users: frozenset[int]
    groups: frozenset[int]


class Mover(Struct, frozen=True):
    """One member that comes in, or leaves.

    Attributes:
        membership: its id, 0 for none.
    """

    type: str
    number: int
    membership: int = 0


def listed(write: Write, field: str) -> Sequence[str] | None:
    """The members that a write wants; None where it leaves them alone. Both modes have been made into whole lists."""
    members = write.body["spec"].get("members") if write.body is not None else None
    return None if members is None else members.get(field, [])


def find_users(client: "Client", names: Iterable[str]) -> dict[str, UserRow]:
    """Users by their names, as far as there are such."""
    found: dict[str, UserRow] = {}
    for name in sorted(names):
        listing = Listing("/users", "users", user_row, _PAGE, {"order_by": "id", "filter": name})
        found |= {row.username: row for row in filtered(client, listing) if row.username == name}
    return found


def wanted(run: Run, write: Write) -> Crowd | None:
    """Who is to be in a group; None where the write leaves that alone.

    Raises:
        NotDone: somebody is not there.
    """
    users, groups = listed(write, "users"), listed(write, "groups")
    if users is None or groups is None:
        return None
    missing = sorted(name for name in users if name not in run.user_numbers)
    if missing:
        raise NotDone(Result.CONFLICT, f"the instance has no user {', '.join(missing)}")
    return Crowd(
        frozenset(run.user_numbers[name] for name in users),
        frozenset(run.number(Key("Group", name)) for name in groups),
    )


def joining(crowd: Crowd, row: GroupRow) -> Iterator[Mover]:
    """Who is not in a group yet."""
    for kind, members, present in _sides(crowd, row):
        yield from (Mover(kind, number) for number in sorted(members - present.keys()))


def leaving(run: Run, crowd: Crowd, row: GroupRow) -> Iterator[Mover]:
    """Who is in a group and is not to be; of those whom nobody can name, nobody leaves."""
    nameable = {USER: run.user_names.keys(), GROUP: run.sight.picture.groups.keys()}
    for kind, members, present in _sides(crowd, row):
        gone = sorted((present.keys() - members) & nameable[kind])
        yield from (Mover(kind, number, present[number]) for number in gone)


def _sides(crowd: Crowd, row: GroupRow) -> Iterator[tuple[str, frozenset[int], Mapping[int, int]]]:
    if row.users is None or row.groups is None:
        raise NotDone(Result.FAILED, "who is in it cannot be seen by the token's user")
    yield USER, crowd.users, row.users
    yield GROUP, crowd.groups, row.groups


def growing(run: Run) -> list[int]:
    """The writes that let somebody in."""
    return [index for index, write in enumerate(run.writes) if moved(run, write, is_in=True)]


def shrinking(run: Run) -> list[tuple[int, int]]:
    """The writes that let somebody go, each with the number of its group."""
    return [(index, number_of(write.id)) for index, write in enumerate(run.writes) if moved(run, write, is_in=False)]


def moved(run: Run, write: Write, *, is_in: bool) -> int:
    """How many members come in, or leave, as far as what was read tells."""
    if write.key.kind != SORT.kind:
        return 0
    before = run.sight.records.get(write.id)
    held = (before.body["spec"].get("members") or {}) if before else {}
    sides = [(set(listed(write, field) or ()), set(held.get(field, ()))) for field in ("users", "groups")]
    if listed(write, "users") is None:
        return 0
    return sum(len(mine - theirs) if is_in else len(theirs - mine) for mine, theirs in sides)


def own_groups(run: Run) -> frozenset[int]:
    """The groups that give rights to the user of the token, themselves or by groups that they have for members."""
    own = own_id(run.sight.client)  # what the state knows may be of another token
    user = run.sight.picture.users.get(own)
    if not own or (user is not None and user.is_administrator):
        return frozenset()
    found = {row.id for row in run.sight.picture.groups.values() if own in (row.users or {})}
    while more := {row.id for row in run.sight.picture.groups.values() if found & (row.groups or {}).keys()} - found:
        found |= more
    return frozenset(found)


def add_members(run: Run, hand: Hand) -> None:
    """Let in who is missing."""
    crowd, before = _begun(run, hand)
    for mover in joining(crowd, before):
        body = {"group_id": before.id, "member_type": mover.type, "member_id": mover.number}
        ensure(hand, Change("POST", PATH, body), _is_settled(run, hand, mover, is_in=True))
    run.note(run.uid(hand.write), now(run, hand))


def drop_members(run: Run, hand: Hand) -> None:
    """Let go who is too much."""
    crowd, before = _begun(run, hand)
    for mover in leaving(run, crowd, before):
        ensure(hand, Change("DELETE", f"{PATH}/{mover.membership}"), _is_settled(run, hand, mover, is_in=False))
    run.note(run.uid(hand.write), now(run, hand))


def _begun(run: Run, hand: Hand) -> tuple[Crowd, GroupRow]:
    crowd = wanted(run, run.writes[hand.write])
    assert crowd is not None
    return crowd, look(run, hand)


def _is_settled(run: Run, hand: Hand, mover: Mover, *, is_in: bool) -> Callable[[], bool]:
    def look_again() -> bool:
        row = now(run, hand)
        if row is None:
            raise NotDone(Result.CONFLICT, "it is gone")
        return (mover.number in ((row.users if mover.type == USER else row.groups) or {})) is is_in

    return look_again
