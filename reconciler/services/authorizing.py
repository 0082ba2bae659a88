"""The headers that prove who sends a connector's requests."""

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec.structs import replace

from reconciler.core.calls import is_due
from reconciler.core.model import LiveConnector, encode
from reconciler.core.ports.source import Sealer
from reconciler.core.secret import Secret
from reconciler.errors import ReconcilerError, SecretUnavailable
from reconciler.kinds.authorization import Values, bearer, grant_of, needs_token, static_header, trust_of
from reconciler.kinds.common import secret_fault
from reconciler.kinds.connector import secret_fields
from reconciler.kinds.registry import address
from reconciler.services.finding import refuse_unreadable
from reconciler.services.tokens import TokenJob, TokenTools, obtain

Headers = tuple[tuple[str, Secret], ...]


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
