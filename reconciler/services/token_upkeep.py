"""Care for the tokens of live connectors: which there are, and getting them between applies."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from reconciler.core.calls import Care, TokenKey, TokenState, Whose, is_due, later, moment
from reconciler.core.model import Key, LiveConnector
from reconciler.core.plan import Action, Change
from reconciler.core.ports.live import Outcome, Result
from reconciler.core.ports.store import PlannedWrite, RunInfo, Store
from reconciler.core.progress import Interrupts
from reconciler.errors import (
    CredentialsRefused,
    InvalidDefinitions,
    ReconcilerError,
    RecordConflict,
    SecretUnavailable,
    StoreUnavailable,
)
from reconciler.kinds.authorization import can_be_fetched, with_tokens
from reconciler.kinds.authorization_blocks import Authorization
from reconciler.kinds.canonical import readable
from reconciler.services.due_changes import gives_tokens, handed_field, held_by, held_names
from reconciler.services.enforcement import Caller
from reconciler.services.handover import with_tokens_alone
from reconciler.services.history import resource_of
from reconciler.services.token_care import print_of, refuse_unusable, token_job, with_refresh
from reconciler.services.token_statuses import chosen_connectors
from reconciler.services.tokens import TokenJob, TokenTools, obtain

FETCH, RENEW = "token fetch", "token renew"
"""What the history calls what a live store elsewhere is given."""


class Carer(Struct, frozen=True):
    """Who cares for tokens, and how.

    Attributes:
        run: what is kept of it where a live store elsewhere is given tokens.
        interrupts: see `Store.lease`.
    """

    caller: Caller
    run: RunInfo
    interrupts: Interrupts


class _Work(Struct):
    """What there is to be done.

    Attributes:
        jobs: tokens to be got, with the connector that each is of.
        waiting: good tokens that a live store elsewhere was not given yet.
        failed: what cannot even be tried.
    """

    jobs: list[tuple[LiveConnector, TokenJob]] = field(default_factory=list)
    waiting: list[tuple[LiveConnector, Whose]] = field(default_factory=list)
    failed: dict[Whose, ReconcilerError] = field(default_factory=dict)

    def connectors(self) -> Iterator[LiveConnector]:
        """All that it is about, each once."""
        yield from {found.uid: found for found, _ in (*self.jobs, *self.waiting)}.values()


def fetch(store: Store, tools: TokenTools, names: Sequence[str], by: Carer) -> Care:
    """Get tokens by the credentials: of the connectors named whatever is stored, else where there is no good one.

    A live store elsewhere is given what was got, and what it was not given before.

    Raises:
        NotPermitted: the caller may not call some of them; nothing is fetched then.
        UsageError: a name is not that of a live connector that needs a token.
        StoreLocked: another run writes to a store that is to be given tokens; nothing is fetched then.
    """
    return _care(store, tools, _work(store, tools, names, None), by)


def renew(store: Store, tools: TokenTools, names: Sequence[str], by: Carer, *, within: float = 0) -> Care:
    """Get tokens, by refresh tokens where there are: of the connectors named, else of those that are due.

    Args:
        within: seconds; what expires in that time is due as well.

    Raises:
        NotPermitted, UsageError, StoreLocked: see `fetch`.
    """
    return _care(store, tools, _work(store, tools, names, within), by)


def _care(store: Store, tools: TokenTools, work: _Work, by: Carer) -> Care:
    by.caller.permit(store, work.connectors(), "fetch the token of")
    if work.waiting or any(job.key.authorization in _given_to(store, found) for found, job in work.jobs):
        return _got_and_given(work, store, tools, by)
    care = _got(work, tools)
    return replace(care, given=()) if gives_tokens(store) else care


def _given_to(store: Store, found: LiveConnector) -> frozenset[str]:
    return held_names(store, found.spec) or frozenset()


def _work(store: Store, tools: TokenTools, names: Sequence[str], within: float | None) -> _Work:
    """What there is to be done, to renew what expires within some seconds; or, where these are None, to fetch."""
    states, now = tools.keeper.states(), tools.clock()
    work = _Work()
    chosen = chosen_connectors(store, names, secrets=True)
    held = held_by(store)
    pairs = [(found, one) for found in chosen for one in with_tokens(found.spec)]
    for found, one in pairs:
        key, whose = TokenKey(found.uid, one.name), Whose(found.name, one.name)
        state, given = states.get(key), held_names(store, found.spec)
        if not names and not _is_wanted(found, one, given):
            continue
        try:
            job = _job(found, one, state, tools)
        except (SecretUnavailable, InvalidDefinitions) as failure:
            work.failed[whose] = failure
            continue
        good = state if state and state.made_with == job.made_with else None
        if names or (good is None if within is None else good is not None and _is_due(good, now, within)):
            work.jobs.append((found, with_refresh(job, None) if within is None else job))
        elif good and not is_due(good, now) and given is not None and held.get(key) != good.obtained:
            work.waiting.append((found, whose))
    return work


def _is_due(state: TokenState, now: str, within: float) -> bool:
    ends_soon = state.expires is not None and moment(state.expires) <= moment(later(now, within))
    return is_due(state, now) or ends_soon


def _got(work: _Work, tools: TokenTools) -> Care:
    """Get the tokens, and keep them."""
    jobs = [job for _, job in work.jobs]
    whose = {job.key: Whose(job.name, job.key.authorization) for job in jobs}
    failed = work.failed | {whose[key]: failure for key, failure in (obtain(jobs, tools) if jobs else {}).items()}
    return Care(tuple(one for one in whose.values() if one not in failed), dict(sorted(failed.items())))


def _got_and_given(work: _Work, store: Store, tools: TokenTools, by: Carer) -> Care:
    """Get the tokens, keep them, and only then give them away: what is not given now is known to be missing there.

    Where records moved since they were looked at, they are looked at once more: a token must not wait for that.

    Raises:
        StoreLocked: another run has the right to write; nothing was got.
    """
    chosen, wanted = list(work.connectors()), {whose for _, whose in work.waiting}
    care: Care | None = None
    while True:
        gifts = _gifts(chosen, store)
        try:
            with store.lease(by.run, by.interrupts) as lease:
                is_first = care is None
                care = care or _got(work, tools)
                writes = list(_writes(gifts, wanted.union(care.done), store, tools))
                if not writes:
                    refuse_failed(care)
                    return replace(care, given=())
                lease.check()
                outcomes = lease.carry_out(
                    replace(by.run, partly=bool(care.failed)),
                    lambda session: session.write(writes, tools.progress, goes_on=True),  # noqa: B023 (it is done at once)
                    lambda session: session.foresee(writes, None),  # noqa: B023
                )
                return _told(care, writes, outcomes)
        except (RecordConflict, StoreUnavailable) as failure:
            if care is None:
                raise
            if not is_first or isinstance(failure, StoreUnavailable):
                raise _kept(failure) from failure
        chosen = list(store.connectors([found.name for found in chosen]))


def _kept(failure: RecordConflict | StoreUnavailable) -> ReconcilerError:
    """The failure, with what became of the tokens."""
    message = f"the live store was not given the access tokens, which are kept: {failure.message}"
    return type(failure)(message, hint="run the command again", details=failure.details)


def _told(care: Care, writes: Sequence[PlannedWrite], outcomes: Sequence[Outcome]) -> Care:
    given: list[Whose] = []
    kept: dict[Whose, ReconcilerError] = {}
    for write, outcome in zip(writes, outcomes, strict=True):
        whose = [Whose(write.change.key.name, name) for name in write.handed]
        if outcome.result is Result.DONE:
            given += whose
        else:
            kept |= dict.fromkeys(whose, StoreUnavailable(outcome.reason, hint="run the command again"))
    return replace(care, given=tuple(sorted(given)), kept=kept)


class _Gift(Struct, frozen=True):
    """What a connector may be given.

    Attributes:
        change: gives the live record tokens, and leaves everything else as it is.
        held: by authorization when the token was obtained that it has.
    """

    found: LiveConnector
    change: Change
    held: Mapping[str, str]


def _gifts(chosen: Sequence[LiveConnector], store: Store) -> list[_Gift]:
    records, bodies, held = store.records(), store.bodies([found.uid for found in chosen]), held_by(store)
    gifts = []
    for found in chosen:
        key = Key("Connector", found.name)
        live, _ = readable(key.kind, bodies[found.uid].live)
        fields = tuple(map(handed_field, with_tokens(found.spec)))
        change = Change(Action.UPDATE, key, resource_of(key, live.value, ""), records[key], live, live, fields)
        gifts.append(
            _Gift(found, change, {name: obtained for (uid, name), obtained in held.items() if uid == found.uid})
        )
    return gifts


def _writes(
    gifts: Sequence[_Gift], wanted: Collection[Whose], store: Store, tools: TokenTools
) -> Iterator[PlannedWrite]:
    """What gives the connectors those of the tokens that they do not have yet."""
    for gift in gifts:
        names = frozenset(one.authorization for one in wanted if one.connector == gift.found.name)
        write = with_tokens_alone(PlannedWrite(gift.change, gift.found.uid), gift.found, store, tools)
        handed = {
            name: token
            for name, token in write.handed.items()
            if name in names and gift.held.get(name) != token.state.obtained
        }
        if handed:
            yield replace(write, handed=handed)


def _job(found: LiveConnector, by: Authorization, state: TokenState | None, tools: TokenTools) -> TokenJob:
    refuse_unusable(found)
    printed = print_of(by, found.secrets, tools.sealer())
    job = token_job(found, by, printed, since=state.obtained if state else "")
    if state is None or state.made_with != printed or not state.renewable:
        return job
    opened = tools.keeper.opened(job.key)
    return with_refresh(job, opened[2] if opened else None)


def _is_wanted(found: LiveConnector, by: Authorization, given: frozenset[str] | None) -> bool:
    """Whether it is of an active connector, and somebody needs it: a live store elsewhere, or whoever calls from here."""
    is_needed = given is None or by.name in given
    return is_needed and found.spec.get("status") != "inactive" and can_be_fetched(by)


def refuse_failed(care: Care) -> None:
    """Stop when tokens were not to be had.

    Raises:
        CredentialsRefused: with all of them in the details.
    """
    if not care.failed:
        return
    (first, *others) = care.failed.values()
    count = f"{len(care.failed)} access tokens" if others else "an access token"
    raise CredentialsRefused(
        f"{count} cannot be fetched" + (f"; {len(care.done)} were" if care.done else ""),
        hint=first.hint if not others else "",
        details=tuple(
            f"connector/{whose}: {failure.message}" + (f" ({failure.hint})" if others and failure.hint else "")
            for whose, failure in care.failed.items()
        ),
    )
