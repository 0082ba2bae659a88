"""Carry out a plan."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from reconciler.core.plan import Change, Plan
from reconciler.core.ports import Clock, RunInfo, SealedSecret, SecretBackend, Store, Write
from reconciler.errors import ExitCode, GuardStopped, RecordConflict, SecretUnavailable
from reconciler.kinds.canonical import decode, encode, may_hold_references
from reconciler.kinds.registry import KINDS, address


@dataclass(frozen=True, slots=True)
class Report:
    """What an apply did.

    Attributes:
        plan: what was carried out.
        secrets: how many secrets were resolved.
    """

    plan: Plan
    actor: str
    started: str
    finished: str
    secrets: int


def refuse_problems(plan: Plan) -> None:
    """Stop when anything stands against the plan.

    Raises:
        RecordConflict, GuardStopped: for the first problem, with the others as details.
    """
    if not plan.problems:
        return
    first, *others = plan.problems
    more = (
        line
        for problem in others
        for line in (f"also: {problem.message}", *(f"  {detail}" for detail in problem.details))
    )
    details = (*first.details, *more)
    error = RecordConflict if first.exit_code is ExitCode.CONFLICT else GuardStopped
    raise error(first.message, hint=first.hint, details=details)


def apply_plan(
    plan: Plan,
    store: Store,
    secrets: SecretBackend,
    *,
    actor: str,
    clock: Clock,
    before_commit: Callable[[], None] = lambda: None,
) -> Report:
    """Resolve the secrets of what changes, then write everything in one transaction.

    An empty plan writes nothing, not even a record of the run.

    Args:
        before_commit: called when everything is written and checked, as the last step that may still fail.

    Raises:
        RecordConflict, GuardStopped: a problem stands against the plan, or a record moved since.
        SecretUnavailable: references that lead to nothing, all of them in the details.
        NotConverged: what was written does not read back as planned; nothing is kept.
    """
    refuse_problems(plan)
    started = clock()
    if not plan.changes:
        return Report(plan, actor, started, started, 0)
    writes = _prepare(plan.changes, store, secrets)
    commit = plan.revision.commit + ("-dirty" if plan.revision.dirty else "")
    run = RunInfo(actor, plan.owner, plan.target, commit, started)
    with store.session(run) as session:
        session.write(writes)
        before_commit()
    return Report(plan, actor, started, clock(), sum(len(write.secrets) for write in writes))


def _prepare(changes: Sequence[Change], store: Store, secrets: SecretBackend) -> list[Write]:
    """Everything that can fail outside of the store happens here, before the transaction begins."""
    writes: list[Write] = []
    missing: list[str] = []
    fresh = _fresh_uids(sum(change.record is None for change in changes))
    for change in changes:
        uid = change.record.uid if change.record else fresh.pop()
        sealed: list[SealedSecret] = []
        if change.body is not None and may_hold_references(change.body):
            sealed = _seal(change, uid, store, secrets, missing)
        writes.append(Write(change, uid, sealed))
    if missing:
        count = f"{len(missing)} secrets" if len(missing) > 1 else "a secret"
        raise SecretUnavailable(
            f"{count} cannot be resolved; nothing was changed",
            hint="set the variables or provide the files; --env-file FILE names a file of NAME=value lines",
            details=tuple(missing),
        )
    return writes


def _seal(change: Change, uid: str, store: Store, secrets: SecretBackend, missing: list[str]) -> list[SealedSecret]:
    content = change.after if change.after is not None else decode(change.body or b"{}")
    sealed = []
    for field in KINDS[change.key.kind].secret_fields(content["spec"]):
        try:
            value = secrets.resolve(field.reference)
        except SecretUnavailable as failure:
            missing.append(f"{address(*change.key)} {field.address}: {failure.message}")
            continue
        reference = encode(field.reference).decode()
        sealed.append(store.sealer().seal(uid, field.address, reference, value))
    return sealed


def _fresh_uids(count: int) -> list[str]:
    drawn = os.urandom(16 * count).hex()
    return [drawn[start : start + 32] for start in range(0, len(drawn), 32)]
