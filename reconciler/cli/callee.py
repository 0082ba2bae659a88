"""What is called: live connectors or declared ones, whether somebody may, and the headers that prove who sends."""

from collections.abc import Callable, Iterable, Sequence

from reconciler.cli.run import load_desired, named_actor
from reconciler.core.calls import Headers, TokenKey
from reconciler.core.model import Key, LiveConnector
from reconciler.errors import ReconcilerError, SecretUnavailable
from reconciler.kinds.authorization_blocks import Authorization
from reconciler.services.records import Query, find_connector, find_endpoint
from reconciler.services.smoke import reading
from reconciler.wiring.passing import passing_tokens
from reconciler.wiring.plan import OpenedRun
from reconciler.wiring.run import now, open_tokens

_UNSENT = "nothing was sent"


def live_connector(run: OpenedRun, name: str) -> LiveConnector:
    """The live connector; see `find_connector`."""
    return find_connector(run.store, name, lambda wanted: Key("Connector", wanted) in run.source.load().resources)


def declared_connector(run: OpenedRun, name: str, purpose: str, *, values: bool) -> LiveConnector:
    """The connector as it is declared, with what one of its endpoints takes; secrets are looked up once it is permitted.

    Args:
        values: whether they are; without them the request can be shown.

    Raises:
        InvalidDefinitions, NotPermitted, SecretUnavailable, UsageError: it cannot be called.
    """
    from reconciler.services.declared import find_declared, judged_as, part_for, with_values, without_values

    resources = load_desired(run.source, run.progress, undone=_UNSENT, warn=False).resources
    found = find_declared(resources, name)
    find_endpoint(found, purpose)
    part = part_for(found, [purpose])
    if not values:
        return without_values(part)
    permit(run, judged_as(found, resources[Key("Connector", name)].previously, run.store))
    return with_values(part, run.secrets)


def all_declared(run: OpenedRun, query: Query) -> tuple[list[LiveConnector], dict[str, ReconcilerError]]:
    """The connectors that are declared with what their GET endpoints take, and why some cannot be called, by uid."""
    from reconciler.services.declared import declared_of, judged_as, part_for, with_values

    resources = load_desired(run.source, run.progress, undone=_UNSENT, warn=False).resources
    declared = list(declared_of(resources, query))
    judged = [judged_as(found, resources[Key("Connector", found.name)].previously, run.store) for found in declared]
    permit(run, [one for some in judged for one in some])
    unready: dict[str, ReconcilerError] = {}
    parts = []
    for part in (part_for(found, reading(found)) for found in declared):
        try:
            parts.append(with_values(part, run.secrets))
        except SecretUnavailable as failure:
            parts.append(part)
            unready[part.uid] = failure
    return parts, unready


def authorizing(
    run: OpenedRun, ahead: Sequence[LiveConnector] = (), *, declared: bool = False
) -> Callable[[LiveConnector, Authorization, bool], Headers]:
    """What gives the headers of a connector's authorization; the last argument is whether a stored token is no good.

    Args:
        ahead: connectors that are all going to be called: their tokens are fetched at once, in parallel.
        declared: whether the connectors are not those of the store, which then keeps no token of them.
    """
    from reconciler.services.token_care import authorize, authorize_ahead

    tools = passing_tokens() if declared else open_tokens(run.settings, run.store)
    failures = authorize_ahead(ahead, tools)

    def headers_of(connector: LiveConnector, by: Authorization, fresh: bool) -> Headers:
        key = TokenKey(connector.uid, by.name)
        if key in failures:
            raise failures[key]
        return authorize(connector, by, tools, fresh=fresh)

    return headers_of


def permit(run: OpenedRun, connectors: Iterable[LiveConnector]) -> None:
    """Stop before requests are sent for somebody who may not call the connectors.

    Raises:
        NotPermitted: somebody may not, or nobody is named in a store that has a super admin.
    """
    from reconciler.services.enforcement import Caller

    Caller(named_actor(), now()).permit(run.store, connectors, "call")
