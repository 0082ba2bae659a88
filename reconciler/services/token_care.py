"""What the tokens of live connectors are got with, and the headers that prove who sends a request."""

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec.structs import replace

from reconciler.core.calls import Headers, TokenKey, is_due
from reconciler.core.model import LiveConnector, encode
from reconciler.core.ports.source import Sealer
from reconciler.core.secret import Secret
from reconciler.errors import ReconcilerError, SecretUnavailable
from reconciler.kinds.authorization import (
    Values,
    bearer,
    grant_of,
    needs_token,
    static_header,
    trust_of,
    with_tokens,
)
from reconciler.kinds.authorization_blocks import Authorization, secret_fault
from reconciler.kinds.connector import secret_fields
from reconciler.kinds.registry import address
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
