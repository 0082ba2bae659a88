"""Care for the tokens of live connectors, and the headers that prove who sends a request."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from reconciler.core.calls import Condition, Headers, TokenState, TokenStatus, condition_of, is_due
from reconciler.core.model import LiveConnector, encode
from reconciler.core.ports.source import Sealer
from reconciler.core.ports.store import Store
from reconciler.core.secret import Secret
from reconciler.errors import CredentialsRefused, InvalidDefinitions, ReconcilerError, SecretUnavailable, UsageError
from reconciler.kinds.authorization import (
    Values,
    bearer,
    can_be_fetched,
    grant_of,
    needs_token,
    static_header,
    trust_of,
)
from reconciler.kinds.common import secret_fault
from reconciler.kinds.connector import secret_fields
from reconciler.kinds.registry import address
from reconciler.services.enforcement import Caller
from reconciler.services.records import refuse_unreadable
from reconciler.services.tokens import TokenJob, TokenTools, obtain


def authorize(found: LiveConnector, tools: TokenTools, *, fresh: bool = False) -> Headers:
    """The headers to send with each request of a live connector; a token that is missing or due is fetched first.

    Args:
        fresh: whether a stored token is no good, as the server has refused it.

    Raises:
        CredentialsRefused, NetworkFailure: there is no token to be had.
        SecretUnavailable: the store does not hold the secrets.
        InvalidDefinitions: the live record is not as a connector should be.
    """
    refuse_unusable(found)
    if not needs_token(found.spec):
        return static_header(found.spec, found.secrets)
    job = _needed(found, tools, fresh=fresh)
    failures = obtain([job], tools) if job else {}
    if failures:
        raise failures[found.uid]
    opened = tools.keeper.opened(found.uid)
    if opened is None:  # somebody deleted the connector meanwhile
        raise SecretUnavailable(f"{address('Connector', found.name)} is not live any more")
    return (bearer(opened[1]),)


def authorize_ahead(connectors: Iterable[LiveConnector], tools: TokenTools) -> dict[str, ReconcilerError]:
    """Fetch the tokens that calls of all these connectors are going to need, in parallel.

    Returns:
        The failures, by the record's uid.
    """
    jobs: list[TokenJob] = []
    failures: dict[str, ReconcilerError] = {}
    for found in connectors:
        try:
            refuse_unusable(found)
            job = _needed(found, tools, fresh=False) if needs_token(found.spec) else None
        except ReconcilerError as failure:
            failures[found.uid] = failure
        else:
            jobs += [job] if job else []
    return failures | (obtain(jobs, tools) if jobs else {})


def _needed(found: LiveConnector, tools: TokenTools, *, fresh: bool) -> TokenJob | None:
    """What fetches the connector's token; None when the stored one is good."""
    printed = made_with(found.spec, found.secrets, tools.sealer())
    opened = tools.keeper.opened(found.uid)
    good = opened is not None and opened[0].made_with == printed
    if opened and good and not fresh and not is_due(opened[0], tools.clock()):
        return None
    job = token_job(found, printed, since=opened[0].obtained if opened else "")
    return with_refresh(job, opened[2]) if opened and good else job


def token_job(found: LiveConnector, printed: str, since: str = "") -> TokenJob:
    """What it takes to fetch the connector's token.

    Args:
        printed: the fingerprint of its authorization.
        since: when the token that the store holds was obtained.
    """
    return TokenJob(
        found.name,
        found.uid,
        grant_of(found.spec, found.secrets),
        trust_of(found.spec, found.secrets),
        printed,
        since=since,
    )


def with_refresh(job: TokenJob, refresh: Secret | None) -> TokenJob:
    """The job with a refresh token to try first."""
    return replace(job, refresh=refresh)


def made_with(spec: Mapping[str, Any], values: Values, sealer: Sealer) -> str:
    """Keyed fingerprint of an authorization with the values of its secrets: a token is good for just that one."""
    own = sorted((name, value.reveal()) for name, value in values.items() if name.startswith("authorization."))
    return sealer.fingerprint(Secret(encode({"authorization": spec.get("authorization"), "values": own}).decode()))


def refuse_unusable(found: LiveConnector) -> None:
    """Stop when the store lacks secrets that the live record refers to, or holds such that cannot be sent.

    Raises:
        SecretUnavailable: it does; written outside of a run, a record may refer to anything.
        InvalidDefinitions: the live record is not as a connector should be.
    """
    refuse_unreadable(found)
    fields = list(secret_fields(found.spec))
    held = [field for field in fields if field.address in found.secrets and field.path[1] == "authorization"]
    faults = [(field, secret_fault(field.path, found.secrets[field.address].reveal(), found.spec)) for field in held]
    missing = [field.address for field in fields if field.address not in found.secrets]
    if missing:
        raise SecretUnavailable(
            f"the store has no value for secrets of {address('Connector', found.name)}: {', '.join(missing)}",
            hint="run: reconciler apply --secrets check",
        )
    for field, fault in faults:
        if fault:
            message = f"the value that the store has for {field.address} of {address('Connector', found.name)} {fault}"
            raise SecretUnavailable(message, hint="mend it where it is set, then run: reconciler apply --secrets check")


class Care(Struct, frozen=True):
    """What fetching or renewing did.

    Attributes:
        done: connectors whose tokens were got.
        failed: why the others' were not.
    """

    done: tuple[str, ...]
    failed: Mapping[str, ReconcilerError]


def token_statuses(store: Store, tools: TokenTools, names: Sequence[str]) -> list[TokenStatus]:
    """The tokens of the connectors named, or of all that need one, in order of their names.

    Raises:
        UsageError: a name is not that of a live connector that needs a token.
    """
    states, now = tools.keeper.states(), tools.clock()
    return [_status(found, states.get(found.uid), now) for found in _chosen(store, names, secrets=False)]


def fetch(store: Store, tools: TokenTools, names: Sequence[str], caller: Caller) -> Care:
    """Get tokens by the credentials: of the connectors named whatever is stored, else where there is no good one.

    Raises:
        NotPermitted: the caller may not call some of them; nothing is fetched then.
        UsageError: see `token_statuses`.
    """
    return _care(store, tools, names, caller, renewing=False)


def renew(store: Store, tools: TokenTools, names: Sequence[str], caller: Caller) -> Care:
    """Get tokens, by refresh tokens where there are: of the connectors named, else of those that are due.

    Raises:
        NotPermitted, UsageError: see `fetch`.
    """
    return _care(store, tools, names, caller, renewing=True)


def _care(store: Store, tools: TokenTools, names: Sequence[str], caller: Caller, *, renewing: bool) -> Care:
    states, now = tools.keeper.states(), tools.clock()
    jobs: list[TokenJob] = []
    failed: dict[str, ReconcilerError] = {}
    chosen = _chosen(store, names, secrets=True)
    for found in chosen:
        try:
            job = _job(found, states.get(found.uid), tools)
        except (SecretUnavailable, InvalidDefinitions) as failure:
            failed[found.name] = failure
            continue
        state = states.get(found.uid)
        good = state if state and state.made_with == job.made_with else None
        if names or (
            _is_wanted(found)
            and (good is not None and condition_of(good, now) is not Condition.VALID if renewing else good is None)
        ):
            jobs.append(job if renewing else with_refresh(job, None))
    by_uid = {job.uid: job.name for job in jobs}
    caller.permit(store, (found for found in chosen if found.uid in by_uid), "fetch the token of")
    failed |= {by_uid[uid]: failure for uid, failure in obtain(jobs, tools).items()}
    return Care(tuple(job.name for job in jobs if job.name not in failed), dict(sorted(failed.items())))


def _job(found: LiveConnector, state: TokenState | None, tools: TokenTools) -> TokenJob:
    refuse_unusable(found)
    printed = made_with(found.spec, found.secrets, tools.sealer())
    job = token_job(found, printed, since=state.obtained if state else "")
    if state is None or state.made_with != printed or not state.renewable:
        return job
    opened = tools.keeper.opened(found.uid)
    return with_refresh(job, opened[2] if opened else None)


def _is_wanted(found: LiveConnector) -> bool:
    return found.spec.get("status") != "inactive" and can_be_fetched(found.spec)


def _chosen(store: Store, names: Sequence[str], *, secrets: bool) -> list[LiveConnector]:
    wanted = list(dict.fromkeys(name.removeprefix("connector/") for name in names))
    found = [item for item in store.connectors(wanted or None, secrets=False) if _needs(item)]
    for name in wanted:
        if name not in {item.name for item in found}:
            raise UsageError(f"there is no live connector '{name}' that needs an access token", hint="list those that do with: reconciler token status")  # fmt: skip
    return list(store.connectors([item.name for item in found])) if secrets and found else found


def _needs(found: LiveConnector) -> bool:
    try:
        return needs_token(found.spec)
    except (AttributeError, TypeError):  # others have written what is no authorization
        return False


def _status(found: LiveConnector, state: TokenState | None, now: str) -> TokenStatus:
    authorization = found.spec["authorization"]
    method = "token request" if "tokenRequest" in authorization else str(authorization["method"])
    inactive = found.spec.get("status") == "inactive" and state is None
    condition = Condition.INACTIVE if inactive else condition_of(state, now)
    return TokenStatus(found.name, method, condition, state)


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
            f"connector/{name}: {failure.message}" + (f" ({failure.hint})" if others and failure.hint else "")
            for name, failure in care.failed.items()
        ),
    )
