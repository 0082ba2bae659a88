"""Writes to an instance, as requests: carried out in an order of their own, and found out about when a run was cut off."""

from collections.abc import Iterator, Sequence
from functools import partial

from reconciler.core.ports.live import Outcome, Result, Write
from reconciler.core.ports.requests import Answer, Carrying, Intent, Journal
from reconciler.stores.processmaker.views.records import POLICY
from reconciler.stores.processmaker.writes import crowd, steps
from reconciler.stores.processmaker.writes.change import NotDone
from reconciler.stores.processmaker.writes.crew import Crew, Job, Limits
from reconciler.stores.processmaker.writes.forecast import forecast
from reconciler.stores.processmaker.writes.inquiry import find_out
from reconciler.stores.processmaker.writes.order import Order, arrange
from reconciler.stores.processmaker.writes.permissions import Rights, managed_of
from reconciler.stores.processmaker.writes.review import review
from reconciler.stores.processmaker.writes.run import UNLIKE, Run
from reconciler.stores.processmaker.writes.sight import Sight
from reconciler.stores.processmaker.writes.sorts import GROUP, number_of

__all__ = ["carry_out", "find_out", "forecast", "write"]


class _NoJournal:
    """For whoever does not ask afterwards."""

    def keep(self, answered: Sequence[Answer], intended: Sequence[Intent]) -> None:
        """Does nothing."""


def write(sight: Sight, writes: Sequence[Write]) -> list[Outcome]:
    """Carry out writes, of which one that fails ends nothing; see `Live.write`."""
    return carry_out(sight, writes, _NoJournal(), Carrying(True, lambda _: None, lambda: False))


def carry_out(sight: Sight, writes: Sequence[Write], journal: Journal, how: Carrying) -> list[Outcome]:
    """Carry out writes; see `WritesByRequests.carry_out`.

    Raises:
        StoreLocked, StoreUnavailable: nothing was sent.
    """
    run = Run(sight, writes)
    order = arrange(writes, sight.records)
    limits = Limits(sight.client.in_flight, sight.client.timeout_seconds)
    with Crew(sight.client, journal, how, limits, run.called) as crew:
        _refuse(run, crew, order)
        rights = Rights(run, managed_of(sight) if any(one.key.kind == POLICY for one in writes) else {})
        for jobs in _stages(run, crew, order, rights):
            crew.work(jobs, order.after)
        review(run, crew, rights)
    if crew.closed is not None and not crew.has_sent:
        raise crew.closed
    return [_outcome(run, crew, index) for index in range(len(writes))]


def _refuse(run: Run, crew: Crew, order: Order) -> None:
    """Give up what cannot be done, before anything is sent."""
    moving = {one.id for one in run.writes}
    held = {record.key: uid for uid, record in run.sight.records.items() if uid not in moving}
    for index, one in enumerate(run.writes):
        there = run.sight.records.get(one.id)
        if one.id and there is None:
            crew.fail(index, NotDone(Result.CONFLICT, "it is gone"))
        elif there is not None and there.version != one.version:
            crew.fail(index, NotDone(Result.CONFLICT, "somebody else has written to it"))
        elif one.body is not None and one.key in held:
            crew.fail(index, NotDone(Result.CONFLICT, f"its address is that of {held[one.key]}"))
        elif index in order.taken:
            crew.fail(index, NotDone(Result.CONFLICT, f"its name is that of {order.taken[index]}"))
    groups = [index for index, one in enumerate(run.writes) if one.key.kind == GROUP.kind and index not in crew.failed]
    named = {user for index in groups for user in crowd.listed(run.writes[index], "users") or ()}
    run.meet(crowd.find_users(run.client, named - run.user_numbers.keys()).values())
    for index in groups:
        if missing := sorted({*(crowd.listed(run.writes[index], "users") or ())} - run.user_numbers.keys()):
            crew.fail(index, NotDone(Result.CONFLICT, f"the instance has no user {', '.join(missing)}"))


def _stages(run: Run, crew: Crew, order: Order, rights: Rights) -> Iterator[list[Job]]:
    """What is done, one after the other; each is made when the one before is done."""
    yield [Job(index, partial(steps.set_aside, run, name)) for index, name in order.aside.items()]
    for indexes in order.rounds:
        yield [_main(run, index, is_aside=index in order.aside) for index in indexes]
    yield [Job(index, partial(crowd.add_members, run)) for index in crowd.growing(run)]
    crew.miss(order.after)
    rights.settle_groups()
    own = crowd.own_groups(run)
    yield rights.gifts(crew.failed)
    takes, outs = rights.takes(crew.failed), crowd.shrinking(run)
    yield [job for number, job in takes if number not in own]
    yield [Job(index, partial(crowd.drop_members, run)) for index, number in outs if number not in own]
    connectors, categories, groups = order.drops
    yield _drops(run, connectors)
    if not crew.is_stopping:
        steps.keep_filed(run, crew, categories)
    yield _drops(run, categories)
    yield _drops(run, [index for index in groups if number_of(run.writes[index].id) not in own])
    # last of all what the user of the token may lose by
    yield [Job(index, partial(crowd.drop_members, run)) for index, number in outs if number in own]
    yield _drops(run, [index for index in groups if number_of(run.writes[index].id) in own])
    yield [job for number, job in takes if number in own]


def _main(run: Run, index: int, *, is_aside: bool) -> Job:
    """How a record is made, changed, or left as it is where that is what it is to be."""
    one = run.writes[index]
    if not one.id:
        return Job(index, partial(steps.make_record, run))
    if is_aside or not run.is_idle(one):
        return Job(index, partial(steps.change_record, run))
    return Job(index, partial(steps.leave_record, run))


def _drops(run: Run, indexes: Sequence[int]) -> list[Job]:
    return [Job(index, partial(steps.drop_record, run)) for index in indexes]


def _outcome(run: Run, crew: Crew, index: int) -> Outcome:
    found, failure = run.outcomes.get(index), crew.failed.get(index)
    if failure is None:
        return found or Outcome(Result.UNKNOWN, reason="it was not looked at again")
    if found is not None and found.result is not Result.DONE:
        return found
    uid = run.uid(index) if index in run.new and failure.result is Result.FAILED else ""
    return Outcome(failure.result, uid, UNLIKE if uid else "", failure.reason)
