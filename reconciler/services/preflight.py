"""Try what a plan's connectors need before anything is written: their secrets, their tokens, their servers."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct
from msgspec.structs import replace

from reconciler.core.calls import Check, PreflightVerdict, TokenKey, Trust, is_due, moment
from reconciler.core.plan import Action, Change, Plan
from reconciler.core.ports.source import FetchedToken, SecretBackend
from reconciler.core.ports.store import Store
from reconciler.core.progress import told
from reconciler.core.secret import Secret
from reconciler.errors import NetworkFailure, ReconcilerError
from reconciler.kinds.authorization import can_be_fetched, grant_of, trust_of, with_tokens
from reconciler.kinds.authorization_blocks import Authorization
from reconciler.kinds.registry import address
from reconciler.net.client import ResponseLimits
from reconciler.net.retry import Senders
from reconciler.net.urls import host_of
from reconciler.services.preparation import prefetch, spec_after
from reconciler.services.restore import kept_secrets
from reconciler.services.secret_uses import resolve_values
from reconciler.services.token_care import print_of
from reconciler.services.tokens import TokenJob, TokenTools, fetch_tokens

_LIMITS = ResponseLimits(seconds=15, max_bytes=0)


class _Work(Struct, frozen=True):
    """One connector to be tried."""

    change: Change
    spec: Mapping[str, Any]
    values: Mapping[str, Secret]
    found: tuple[Check, ...]
    tokens: tuple[Check, ...] = ()


def preflight(plan: Plan, store: Store, secrets: SecretBackend, tools: TokenTools) -> list[PreflightVerdict]:
    """A verdict for each active connector that changes, in the plan's order. Writes nothing, and calls no endpoint.

    A server counts as reached when it answers a HEAD of its root, which is sent without credentials, whatever it says.

    Raises:
        SecretRefused: a secret reference leads to where none may; nothing was read.
    """
    changes = [
        change
        for change in plan.changes
        if change.key.kind == "Connector" and change.action is not Action.DELETE and _is_active(change)
    ]
    works = _with_tokens(list(_works(changes, store, secrets)), tools)
    if not works:
        return []
    senders = Senders()
    pool = ThreadPoolExecutor(min(tools.parallelism, len(works)))
    try:
        verdicts = pool.map(lambda work: _verdict(work, senders), works)
        return list(told(verdicts, "preflight", len(works), tools.progress, every=1))
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        senders.abort()  # only an interrupt leaves something under way
        pool.shutdown()
        senders.close()


def _is_active(change: Change) -> bool:
    return change.resource is None or change.resource.active


def refuse_failed(verdicts: Sequence[PreflightVerdict]) -> None:
    """Stop when a connector failed.

    Raises:
        NetworkFailure: one did, with all reasons in the details.
    """
    failed = [verdict for verdict in verdicts if not verdict.passed]
    if failed:
        count = f"{len(failed)} of {len(verdicts)} connectors" if len(verdicts) > 1 else "the connector"
        raise NetworkFailure(
            f"{count} failed the preflight; nothing was changed",
            hint="mend them, or apply without --preflight",
            details=tuple(
                f"{verdict.address}: {check.name}: {check.message}"
                for verdict in failed
                for check in verdict.checks
                if not check.passed
            ),
        )


def _works(changes: Sequence[Change], store: Store, secrets: SecretBackend) -> Iterator[_Work]:
    renewed = [change.key.name for change in changes if change.is_token_only]
    live = {found.name: found for found in store.connectors(renewed)} if renewed else {}
    kept = kept_secrets(changes, store)
    prefetch(changes, secrets)
    for change in changes:
        if change.is_token_only:
            found = live[change.key.name]
            yield _Work(change, found.spec, found.secrets, ())
            continue
        spec = spec_after(change)
        uid = change.revival.uid if change.revival else ""
        back = kept.get(uid, {})
        values, _, missing = resolve_values(change.key.kind, {"spec": spec}, secrets, store, back)
        checks = tuple(
            Check("secret", False, f"{field.address}: {failure.message}", failure.hint) for field, failure in missing
        )
        if values and not missing:
            count = f"{len(values)} secrets" if len(values) > 1 else "1 secret"
            checks = (Check("secrets", True, f"{count} resolved"),)
        opened = {place: store.sealer().open(uid, place, item.ciphertext) for place, item in back.items()}
        yield _Work(change, spec, {**values, **opened}, checks)


def _with_tokens(works: Sequence[_Work], tools: TokenTools) -> list[_Work]:
    """The works, with what came of their tokens; all are fetched in one go, so that no refused password is tried twice."""
    states, now = tools.keeper.states(), tools.clock()
    checks: dict[TokenKey, Check] = {}
    jobs: list[TokenJob] = []
    for number, work in enumerate(works):
        for by in with_tokens(work.spec) if all(check.passed for check in work.found) else ():
            key, name = TokenKey(str(number), by.name), _name_of(by)
            if not can_be_fetched(by):
                checks[key] = Check(name, True, "not tried, as its URL has placeholders")
                continue
            record = work.change.record
            state = states.get(TokenKey(record.uid, by.name)) if record else None
            is_held = state is not None and not is_due(state, now)  # without one no key is asked for, let alone made
            printed = print_of(by, work.values, tools.sealer()) if is_held else ""
            if state is not None and printed and state.made_with == printed:
                checks[key] = Check(name, True, "the stored one is good")
                continue
            try:
                grant, trust = grant_of(by, work.values), trust_of(work.spec, work.values)
            except ReconcilerError as failure:
                checks[key] = Check(name, False, failure.message, failure.hint)
            else:
                checks[key] = Check(name, True, "")
                jobs.append(TokenJob(work.change.key.name, key, grant, trust, printed))
    for group in fetch_tokens(jobs, tools) if jobs else ():
        for job, answer in group:
            checks[job.key] = _token(checks[job.key].name, answer)
    return [
        replace(work, tokens=tuple(check for key, check in checks.items() if key.uid == str(number)))
        for number, work in enumerate(works)
    ]


def _name_of(by: Authorization) -> str:
    return f"token of {by.name}" if by.name else "token"


def _token(name: str, answer: FetchedToken | ReconcilerError) -> Check:
    if isinstance(answer, ReconcilerError):
        return Check(name, False, answer.message, answer.hint)
    state = answer.state
    seconds = (moment(state.expires) - moment(state.obtained)).total_seconds() if state.expires else 0
    return Check(name, True, "fetched" + (f", good for {seconds:.0f} s" if seconds else ""))


def _verdict(work: _Work, senders: Senders) -> PreflightVerdict:
    checks = [*work.found, *work.tokens]
    if all(check.passed for check in work.found):
        checks += _servers(work, senders)
    return PreflightVerdict(address(*work.change.key), tuple(checks))


def _servers(work: _Work, senders: Senders) -> Iterator[Check]:
    trust = trust_of(work.spec, work.values)
    origins = {_origin(endpoint["url"]) for endpoint in work.spec.get("endpoints", {}).values()}
    for origin in sorted(origins - {""}):
        yield _try("server", lambda origin=origin: _reach(origin, trust, senders))  # type: ignore[misc]
    if not origins - {""}:
        yield Check("server", True, "none to try: no URL names one")


def _origin(url: str) -> str:
    """Scheme, host and port of a URL, or "" where that is the platform itself or has placeholders."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    if not parts.netloc or "{" in parts.netloc or "{" in parts.scheme:
        return ""
    return f"{parts.scheme}://{parts.netloc}/"


def _reach(origin: str, trust: Trust, senders: Senders) -> str:
    answer = senders.open(trust).send("HEAD", origin, limits=_LIMITS)
    return f"{host_of(origin)} answered {answer.status}{_how_safe(origin, trust)}"


def _how_safe(origin: str, trust: Trust) -> str:
    if not origin.startswith("https:"):
        return ", without TLS"
    if not trust.verify:
        return ", certificate NOT verified"
    return ", certificate verified" + (" by tls.ca" if trust.authority else "")


def _try(name: str, attempt: Callable[[], str]) -> Check:
    try:
        return Check(name, True, attempt())
    except ReconcilerError as failure:
        return Check(name, False, failure.message, failure.hint)
