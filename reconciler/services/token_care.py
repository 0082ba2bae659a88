"""Care for the tokens of live connectors, and the headers that prove who sends a request."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from reconciler.core.calls import Condition, Headers, TokenKey, TokenState, TokenStatus, Whose, condition_of, is_due
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
    with_tokens,
)
from reconciler.kinds.authorization_blocks import Authorization, secret_fault
from reconciler.kinds.connector import secret_fields
from reconciler.kinds.registry import address
from reconciler.services.enforcement import Caller
from reconciler.services.records import refuse_unreadable
from reconciler.services.tokens import TokenJob, TokenTools, obtain


def authorize(found: LiveConnector, by: Authorization, tools: TokenTools, *, fresh: bool = False) -> Headers:
    """The headers that one of a live connector's authorizations becomes; a token that is missing or due is fetched first.

    Args:
        fresh: whether a stored token is no good, as the server has refused it.

    Raises:
        CredentialsRefused, NetworkFailure: there is no token to be had.
        SecretUnavailable: the store does not hold the secrets.
        InvalidDefinitions: the live record is not as a connector should be.
    """
    refuse_unusable(found)
    if not needs_token(by):
        return static_header(by, found.secrets)
    key = TokenKey(found.uid, by.name)
    job = _needed(found, by, tools, fresh=fresh)
    failures = obtain([job], tools) if job else {}
    if failures:
        raise failures[key]
    opened = tools.keeper.opened(key)
    if opened is None:  # somebody deleted the connector meanwhile
        raise SecretUnavailable(f"{address('Connector', found.name)} is not live any more")
    return (bearer(opened[1]),)


def authorize_ahead(connectors: Iterable[LiveConnector], tools: TokenTools) -> dict[TokenKey, ReconcilerError]:
    """Fetch the tokens that calls of all these connectors are going to need, in parallel.

    Returns:
        The failures. What is wrong with a connector as a whole is found again by who authorizes its calls.
    """
    jobs: list[TokenJob] = []
    failures: dict[TokenKey, ReconcilerError] = {}
    for found in connectors:
        try:
            refuse_unusable(found)
        except ReconcilerError:
            continue
        for by in with_tokens(found.spec):
            try:
                job = _needed(found, by, tools, fresh=False)
            except ReconcilerError as failure:
                failures[TokenKey(found.uid, by.name)] = failure
            else:
                jobs += [job] if job else []
    return failures | (obtain(jobs, tools) if jobs else {})


def _needed(found: LiveConnector, by: Authorization, tools: TokenTools, *, fresh: bool) -> TokenJob | None:
    """What fetches the authorization's token; None when the stored one is good."""
    printed = print_of(by, found.secrets, tools.sealer())
    opened = tools.keeper.opened(TokenKey(found.uid, by.name))
    good = opened is not None and opened[0].made_with == printed
    if opened and good and not fresh and not is_due(opened[0], tools.clock()):
        return None
    job = token_job(found, by, printed, since=opened[0].obtained if opened else "")
    return with_refresh(job, opened[2]) if opened and good else job


def token_job(found: LiveConnector, by: Authorization, printed: str, since: str = "") -> TokenJob:
    """What it takes to fetch an authorization's token.

    Args:
        printed: its fingerprint.
        since: when the token that the store holds was obtained.
    """
    return TokenJob(
        found.name,
        TokenKey(found.uid, by.name),
        grant_of(by, found.secrets),
        trust_of(found.spec, found.secrets),
        printed,
        since=since,
    )


def with_refresh(job: TokenJob, refresh: Secret | None) -> TokenJob:
    """The job with a refresh token to try first."""
    return replace(job, refresh=refresh)


def print_of(by: Authorization, values: Values, sealer: Sealer) -> str:
    """Keyed fingerprint of an authorization with the values of its secrets: a token is good for just that one."""
    own = sorted((name, value.reveal()) for name, value in values.items() if name.startswith(f"{by.address}."))
    return sealer.fingerprint(Secret(encode({"authorization": by.block, "values": own}).decode()))


def made_with(spec: Mapping[str, Any], values: Values, sealer: Sealer) -> dict[str, str]:
    """The fingerprints of all authorizations that need a token, by name."""
    return {by.name: print_of(by, values, sealer) for by in with_tokens(spec)}


def refuse_unusable(found: LiveConnector) -> None:
    """Stop when the store lacks secrets that the live record refers to, or holds such that cannot be sent.

    Raises:
        SecretUnavailable: it does; written outside of a run, a record may refer to anything.
        InvalidDefinitions: the live record is not as a connector should be.
    """
    refuse_unreadable(found)
    fields = list(secret_fields(found.spec))
    held = [field for field in fields if field.address in found.secrets and field.path[1] in _OF_AUTHORIZATIONS]
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


_OF_AUTHORIZATIONS = ("authorization", "authorizations")


class Care(Struct, frozen=True):
    """What fetching or renewing did.

    Attributes:
        done: whose tokens were got.
        failed: why the others' were not.
    """

    done: tuple[Whose, ...]
    failed: Mapping[Whose, ReconcilerError]


def token_statuses(store: Store, tools: TokenTools, names: Sequence[str]) -> list[TokenStatus]:
    """The tokens of the connectors named, or of all that need one, in order of their names.

    Raises:
        UsageError: a name is not that of a live connector that needs a token.
    """
    states, now = tools.keeper.states(), tools.clock()
    return [
        _status(found, by, states.get(TokenKey(found.uid, by.name)), now)
        for found in _chosen(store, names, secrets=False)
        for by in with_tokens(found.spec)
    ]


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
    failed: dict[Whose, ReconcilerError] = {}
    chosen = _chosen(store, names, secrets=True)
    wanted = [(found, by) for found in chosen for by in with_tokens(found.spec)]
    for found, by in wanted:
        state = states.get(TokenKey(found.uid, by.name))
        try:
            job = _job(found, by, state, tools)
        except (SecretUnavailable, InvalidDefinitions) as failure:
            failed[Whose(found.name, by.name)] = failure
            continue
        good = state if state and state.made_with == job.made_with else None
        if names or (
            _is_wanted(found, by)
            and (good is not None and condition_of(good, now) is not Condition.VALID if renewing else good is None)
        ):
            jobs.append(job if renewing else with_refresh(job, None))
    whose = {job.key: Whose(job.name, job.key.authorization) for job in jobs}
    asked = {key.uid for key in whose}
    caller.permit(store, (found for found in chosen if found.uid in asked), "fetch the token of")
    failed |= {whose[key]: failure for key, failure in obtain(jobs, tools).items()}
    return Care(tuple(one for one in whose.values() if one not in failed), dict(sorted(failed.items())))


def _job(found: LiveConnector, by: Authorization, state: TokenState | None, tools: TokenTools) -> TokenJob:
    refuse_unusable(found)
    printed = print_of(by, found.secrets, tools.sealer())
    job = token_job(found, by, printed, since=state.obtained if state else "")
    if state is None or state.made_with != printed or not state.renewable:
        return job
    opened = tools.keeper.opened(job.key)
    return with_refresh(job, opened[2] if opened else None)


def _is_wanted(found: LiveConnector, by: Authorization) -> bool:
    return found.spec.get("status") != "inactive" and can_be_fetched(by)


def _chosen(store: Store, names: Sequence[str], *, secrets: bool) -> list[LiveConnector]:
    wanted = list(dict.fromkeys(name.removeprefix("connector/") for name in names))
    found = [item for item in store.connectors(wanted or None, secrets=False) if _needs(item)]
    for name in wanted:
        if name not in {item.name for item in found}:
            raise UsageError(f"there is no live connector '{name}' that needs an access token", hint="list those that do with: reconciler token status")  # fmt: skip
    return list(store.connectors([item.name for item in found])) if secrets and found else found


def _needs(found: LiveConnector) -> bool:
    try:
        return bool(with_tokens(found.spec))
    except (AttributeError, KeyError, TypeError):  # others have written what is no authorization
        return False


def _status(found: LiveConnector, by: Authorization, state: TokenState | None, now: str) -> TokenStatus:
    method = "token request" if "tokenRequest" in by.block else str(by.block["method"])
    inactive = found.spec.get("status") == "inactive" and state is None
    condition = Condition.INACTIVE if inactive else condition_of(state, now)
    return TokenStatus(Whose(found.name, by.name), method, condition, state)


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
