"""Carry out a plan."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from reconciler.core.baseline import Memory
from reconciler.core.conditions import Basis
from reconciler.core.diff import Origin
from reconciler.core.history import Report
from reconciler.core.plan import Change, Plan, counted, fingerprint_of
from reconciler.core.ports.abilities import Confirms
from reconciler.core.ports.live import Outcome, Result
from reconciler.core.ports.source import SecretBackend
from reconciler.core.ports.store import Clock, PlannedWrite, RunInfo, Session, Store
from reconciler.core.progress import NOTHING_INTERRUPTS, UNTOLD, Interrupts, Progress
from reconciler.errors import (
    ExitCode,
    GuardStopped,
    InvalidDefinitions,
    NotPermitted,
    ReconcilerError,
    RecordConflict,
    SecretUnavailable,
    StoreUnavailable,
)
from reconciler.kinds.registry import address
from reconciler.services.access_objections import refuse_unjudged
from reconciler.services.isolation import LeftOut, with_dependents
from reconciler.services.preparation import (
    Prepared,
    Resolving,
    WithTokens,
    fetch_missing,
    may_be_brief,
    refuse_left_out,
    resolve_secrets,
)
from reconciler.services.tokens import TokenTools


class TokenOptions(Struct, frozen=True):
    """How an apply treats access tokens.

    Attributes:
        fetch: whether those that are missing or due are fetched.
    """

    tools: TokenTools
    fetch: bool = True


class ApplyOptions(Struct, frozen=True):
    """How a plan is carried out.

    Attributes:
        actor: who is told to have acted.
        verb: the command that made the plan.
        interrupts: told when everything is written and checked, and only the commit is left to fail.
        memory: what the store is to remember when nothing is left out.
        progress: told how far it has come.
        goes_on: whether what cannot be done is left out with all that depends on it, instead of stopping everything.
    """

    secrets: SecretBackend
    tokens: TokenOptions
    actor: str
    clock: Clock
    verb: str = "apply"
    interrupts: Interrupts = NOTHING_INTERRUPTS
    memory: Memory | None = None
    progress: Progress = UNTOLD
    goes_on: bool = False


def refuse_problems(plan: Plan) -> None:
    """Stop when anything stands against the plan.

    Raises:
        InvalidDefinitions, RecordConflict, GuardStopped, NotPermitted: for the first problem, with the others as details.
    """
    if not plan.problems:
        return
    first, *others = plan.problems
    more = (
        line
        for problem in others
        for line in (
            f"also: {problem.message}",
            *(f"  {detail}" for detail in problem.details),
            *((f"  hint: {problem.hint}",) if problem.guard else ()),
        )
    )
    details = (*first.details, *more)
    raise _ERRORS.get(first.exit_code, GuardStopped)(first.message, hint=first.hint, details=details)


_ERRORS: dict[ExitCode, type[ReconcilerError]] = {
    ExitCode.INVALID: InvalidDefinitions,
    ExitCode.CONFLICT: RecordConflict,
    ExitCode.NOT_PERMITTED: NotPermitted,
}


def apply_plan(plan: Plan, store: Store, options: ApplyOptions) -> Report:
    """Take the lease, resolve the secrets of what changes, fetch tokens, then write everything.

    A store that has transactions writes all or nothing. What others have made as git declares it is noted with it.
    Where that is nothing either, nothing is written, not even a record of the run.

    Raises:
        StoreLocked: another run holds the lease on the store, or this one stood still until its own was over.
        RecordConflict, GuardStopped, NotPermitted: a problem stands against the plan, or a record moved since.
        SecretUnavailable: references that lead to nothing, all of them in the details.
        CredentialsRefused: tokens that are not to be had, all of them in the details.
        NotConverged: what was written does not read back as planned; nothing is kept.
    """
    refuse_problems(plan)
    refuse_unjudged(plan, options.actor)
    started = options.clock()
    changes = (*plan.changes, *plan.confirmed)
    if not changes:
        if isinstance(store, Confirms):
            store.confirm()
        return Report(plan, options.actor, started, started, 0)
    run = _run_of(plan, options, started)
    is_brief = bool(store.identity()) and may_be_brief(changes)
    with store.lease(run, options.interrupts, is_brief=is_brief) as lease:
        how = Resolving(options.secrets, options.progress, options.tokens.fetch, options.goes_on)
        prepared, without_secrets = resolve_secrets(changes, store, how)
        _refuse_rotated(prepared)
        lease.check()
        ready = _isolated(_with_tokens(prepared, store, options), without_secrets, store)
        del prepared  # what tokens take may be a lot
        partly = replace(run, partly=bool(ready.left_out))
        left_out, head = lease.carry_out(
            partly,
            lambda session: _write(session, plan, ready, options),
            lambda session: session.foresee(ready.writes, plan.basis),
        )
    done = _without(plan, left_out) if left_out else plan
    resolved = sum(len(write.secrets) for write in ready.writes)
    return Report(done, options.actor, started, options.clock(), resolved, ready.fetched, left_out, head)


def _isolated(ready: WithTokens, without_secrets: LeftOut, store: Store) -> WithTokens:
    """Without what depends on something that is left out.

    Raises:
        SecretUnavailable: nothing remains.
    """
    if not (without_secrets or ready.left_out):
        return ready
    left_out = with_dependents((*without_secrets, *ready.left_out), [write.change for write in ready.writes], store)
    gone = {id(change) for change, _ in left_out}
    writes = [write for write in ready.writes if id(write.change) not in gone]
    if not writes:
        details = tuple(f"{address(*change.key)}: {failure.message}" for change, failure in left_out)
        raise SecretUnavailable(
            "nothing remains to be done without what is left out; nothing was changed", details=details
        )
    return replace(ready, writes=writes, left_out=left_out)


def _write(session: Session, plan: Plan, ready: WithTokens, options: ApplyOptions) -> tuple[LeftOut, str]:
    """Write what is ready, if the plan's permission still stands; what was left out before and now, and the head."""
    if plan.basis is not None:
        _refuse_ended(plan.basis, options.clock())
        session.require(plan.basis)
    outcomes = session.write(ready.writes, options.progress, goes_on=options.goes_on)
    left_out = (*ready.left_out, *_undone(ready.writes, outcomes))
    if options.memory is not None and not left_out:
        session.remember(options.memory)
    return left_out, session.head


def _undone(writes: Sequence[PlannedWrite], outcomes: Sequence[Outcome]) -> Iterator[tuple[Change, ReconcilerError]]:
    """The changes that the store did not carry out, with the reasons."""
    for write, outcome in zip(writes, outcomes, strict=True):
        if outcome.result is Result.CONFLICT:
            yield write.change, RecordConflict(outcome.reason, hint="run: reconciler plan")
        elif outcome.result is Result.FAILED:
            yield write.change, StoreUnavailable(outcome.reason, hint="run: reconciler plan")
        elif outcome.result is Result.UNKNOWN:
            reason = f"nobody knows whether it was done: {outcome.reason}"
            yield write.change, StoreUnavailable(reason, hint="the next run finds out: reconciler apply --resume")


def _run_of(plan: Plan, options: ApplyOptions, started: str) -> RunInfo:
    commit = plan.revision.commit + ("-dirty" if plan.revision.dirty else "")
    approvals = plan.basis.approvals if plan.basis else ()
    return RunInfo(
        options.actor,
        plan.owner,
        plan.target,
        commit,
        started,
        options.verb,
        plan=fingerprint_of(plan),
        overrides=plan.overridden,
        approvals=approvals,
    )


def _with_tokens(prepared: Sequence[Prepared], store: Store, options: ApplyOptions) -> WithTokens:
    """The writes, with the tokens that they need.

    Raises:
        CredentialsRefused: some are not to be had, and what needs them may not be left out.
    """
    ready = fetch_missing(prepared, store, options.tokens.tools)
    if ready.left_out and not (options.goes_on and ready.writes):
        refuse_left_out(ready.left_out)
    return ready


def _refuse_rotated(prepared: Sequence[Prepared]) -> None:
    """Stop when a secret whose new value the plan names by its fingerprint has yet another one.

    Raises:
        RecordConflict: it has.
    """
    moved = []
    for item in prepared:
        printed = {place: state.fingerprint for place, state in item.write.states().items()}
        for field in item.write.change.fields:
            place = ".".join(map(str, field.path[1:]))
            if field.origin is Origin.SECRET and isinstance(field.after, str) and printed.get(place) != field.after:
                moved.append(f"{address(*item.write.change.key)} {place}: {field.after} when it was planned, {printed.get(place, 'nothing')} now")  # fmt: skip
    if moved:
        message = "the plan is stale: secrets have other values than when it was made; nothing was changed"
        raise RecordConflict(message, hint="run the command again", details=tuple(moved))


def _refuse_ended(basis: Basis, now: str) -> None:
    """Stop when a grant has ended that the permission to apply may rest on.

    Raises:
        RecordConflict: it has.
    """
    if basis.until and datetime.fromisoformat(now) >= datetime.fromisoformat(basis.until):
        raise RecordConflict(
            "the plan is stale: a grant has ended after planning; nothing was changed", hint="run the command again"
        )


def _without(plan: Plan, left_out: LeftOut) -> Plan:
    gone = {(change.action, change.key) for change, _ in left_out}
    changes = tuple(change for change in plan.changes if (change.action, change.key) not in gone)
    return replace(plan, changes=changes, counts=counted(changes))
