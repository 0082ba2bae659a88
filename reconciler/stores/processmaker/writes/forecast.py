"""What writes are going to take, and what whoever lets them happen has to know."""

from collections.abc import Iterator, Sequence

from reconciler.core.ports.abilities import Forecast
from reconciler.core.ports.live import Write
from reconciler.harmless import harmless
from reconciler.kinds.registry import address
from reconciler.stores.processmaker.facts import decode
from reconciler.stores.processmaker.forms.policies import managed_names
from reconciler.stores.processmaker.views.records import POLICY
from reconciler.stores.processmaker.writes import crowd
from reconciler.stores.processmaker.writes.glances import pages_of
from reconciler.stores.processmaker.writes.order import Order, arrange
from reconciler.stores.processmaker.writes.permissions import Rights
from reconciler.stores.processmaker.writes.run import Run
from reconciler.stores.processmaker.writes.sight import Sight
from reconciler.stores.processmaker.writes.sorts import GROUP, SORTS

_USUAL_SECONDS = 0.1
"""Of a request, where none was sent yet."""
_FEW = 5


def forecast(sight: Sight, writes: Sequence[Write]) -> Forecast:
    """What writes are going to take; see `Foresees.forecast`."""
    run = Run(sight, writes)
    rights = Rights(run, sight.managed or managed_names(None))
    rights.settle_groups()
    requests = _requests(run, rights, arrange(writes, sight.records))
    seconds = requests * (sight.client.mean_seconds or _USUAL_SECONDS) / sight.client.in_flight
    return Forecast(requests, seconds, tuple(_notes(run, rights, requests)) if requests else ())


def _requests(run: Run, rights: Rights, order: Order) -> int:
    """How many requests there are where nothing goes wrong."""
    kinds = [index for indexes in order.rounds for index in indexes]
    made = [index for index in kinds if not run.writes[index].id]
    changed = [index for index in kinds if run.writes[index].id and (index in order.aside or not run.is_idle(run.writes[index]))]  # fmt: skip
    dropped = [index for indexes in order.drops for index in indexes]
    members = len(crowd.growing(run)) + len(crowd.shrinking(run))
    moved = sum(crowd.moved(run, write, is_in=True) + crowd.moved(run, write, is_in=False) for write in run.writes)
    rights_written = len(rights.given_to()) + len(rights.takes(()))
    read_back = sum(
        min(count, pages_of(run.sight, sort, count))
        for sort in SORTS.values()
        if sort is not GROUP
        for count in [sum(run.writes[index].key.kind == sort.kind for index in made)]
    )
    groups = any(write.key.kind in (GROUP.kind, POLICY) for write in run.writes) * pages_of(run.sight, GROUP)
    filed = bool(order.drops[1]) * pages_of(run.sight, SORTS["Connector"])
    changes = len(made) + 3 * len(changed) + 3 * len(order.aside) + 2 * len(dropped)
    return changes + moved + 2 * members + 3 * rights_written + read_back + groups + filed


def _notes(run: Run, rights: Rights, requests: int) -> Iterator[str]:
    if requests > 1:
        yield "an instance has no transactions and does not compare before it writes: each record is looked at just before and after, what others write in that moment is lost, and what fails or is cut off is told, and done by the next apply"  # fmt: skip
    yield from _of_deletes(run)
    sealed = [index for index, write in enumerate(run.writes) if write.key.kind == "Connector" and write.body is not None and run.sends_credentials(write)]  # fmt: skip
    if sealed:
        yield f"the secrets of {_counted(len(sealed), 'connector')} are written"
        yield from _of_adopted(run, [run.writes[index] for index in sealed])
    yield from _of_rights(run, rights)


def _of_adopted(run: Run, sealed: Sequence[Write]) -> Iterator[str]:
    """What secrets are lost that nobody can read to compare them."""
    owned = {uid for uid, known in run.sight.recollection.records.items() if known.is_owned}
    taken = [write for write in sealed if write.id and write.id not in owned]
    if taken:
        yield f"whatever secrets these have now are replaced by those of their references, as nobody can read what they are: {_named(taken)}"  # fmt: skip


def _of_deletes(run: Run) -> Iterator[str]:
    drops = [write for write in run.writes if write.body is None and write.key.kind in SORTS]
    if drops:
        yield f"a delete cannot be taken back: what is made anew has another id, and processes and screens refer to connectors by theirs ({_named(drops)})"  # fmt: skip


def _of_rights(run: Run, rights: Rights) -> Iterator[str]:
    """What is taken that people gave by hand, and whom a fault of the server gives the rights of a group as well."""
    taken = [number for number, _ in rights.takes(())]
    for number in taken:
        by_hand = sorted(rights.surplus(number, rights.held(number)) - rights.known_names(number))
        if by_hand:
            yield f"{_called(run, number)} holds {', '.join(by_hand)}, which no policy gives it: that is taken"
    reached = [_reached(run, number) for number in sorted({*taken, *rights.given_to()})]
    if said := [one for one in reached if one]:
        yield f"group-id-meets-user: by a fault of the server, what a group may do stands for up to a day in the place of the own permissions of the user with the same number: {'; '.join(said[:_FEW])}{_more(said)}"  # fmt: skip


def _reached(run: Run, number: int) -> str:
    """The user whom it reaches; "" for nobody."""
    facts, picture = decode(run.sight.recollection.facts), run.sight.picture
    user, row = picture.users.get(number), picture.groups.get(number)
    if facts.profile == "2020" or row is None or (user is not None and user.is_administrator):
        return ""
    who = f"user {harmless(user.username)}" if user else f"user {number}, if there is one"
    return f"{who}, by {_called(run, number)}"


def _called(run: Run, number: int) -> str:
    row = run.sight.picture.groups.get(number)
    return f"group {harmless(row.name)!r}" if row else f"group {number}"


def _named(writes: Sequence[Write]) -> str:
    return ", ".join(address(*write.key) for write in writes[:_FEW]) + _more(writes)


def _counted(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _more(items: Sequence[object]) -> str:
    return f" and {len(items) - _FEW} more" if len(items) > _FEW else ""
