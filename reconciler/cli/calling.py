"""The steps of ``reconciler call``."""

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from reconciler.cli.asked import CallFlags
from reconciler.cli.output import answer, can_ask, confirmed, say, wants_color
from reconciler.cli.running import named_actor
from reconciler.cli.said import options
from reconciler.core.model import Key, LiveConnector
from reconciler.errors import Declined, UsageError
from reconciler.kinds.requests import Given, build, gather, shown_url
from reconciler.render.call import Sent, outcome_text, request_text
from reconciler.services.calls import UNAUTHORIZED, WRITING, Call, Headers, prepare, redactor_of
from reconciler.services.records import find_connector, find_endpoint
from reconciler.wiring.plan import Run
from reconciler.wiring.run import now, open_tokens

if TYPE_CHECKING:
    from reconciler.core.calls import Outcome


def prepare_call(run: Run, name: str, purpose: str, asked: CallFlags) -> Call:
    """The call that the command line asks for.

    Raises:
        DataMissing, InvalidDefinitions, SecretUnavailable, UsageError: it cannot be sent.
    """
    connector = find_connector(run.store, name, lambda wanted: Key("Connector", wanted) in run.source.load().resources)
    endpoint = find_endpoint(connector, purpose)
    if connector.spec.get("status", "active") != "active" and not options().quiet:
        say(f"the connector '{name}' is inactive: consumers are not offered it")
    given = Given(
        gather(_sample(endpoint), _file(asked.data), asked.settings),
        [_split(text, "=", "--param name=value") for text in asked.params],
        [_split(text, ":", "--header 'Name: value'") for text in asked.headers],
        asked.base_url,
    )
    request = build(purpose, endpoint, given, connector.secrets)
    return prepare(connector, purpose, request, max_bytes=asked.max_bytes)


def _sample(endpoint: Mapping[str, Any]) -> dict[str, Any]:
    sample = endpoint.get("sample")
    return sample if isinstance(sample, dict) else {}


def _file(path: str | None) -> dict[str, Any]:
    if path is None:
        return {}
    from reconciler.wiring.files import read_data

    return read_data(path)


def _split(text: str, sign: str, form: str) -> tuple[str, str]:
    name, found, value = text.partition(sign)
    if not found or not name.strip():
        raise UsageError("a parameter or header has no name and value", hint=f"write {form}")
    return (name, value) if sign == "=" else (name.strip(), value.strip())


def authorizing(run: Run, ahead: Sequence[LiveConnector] = ()) -> Callable[[LiveConnector, bool], Headers]:
    """What gives the headers of a connector; the second argument is whether a stored token is no good.

    Args:
        ahead: connectors that are all going to be called: their tokens are fetched at once, in parallel.
    """
    from reconciler.services.token_care import authorize, authorize_ahead

    tools = open_tokens(run.settings, run.store)
    failures = authorize_ahead(ahead, tools)

    def headers_of(connector: LiveConnector, fresh: bool) -> Headers:
        if connector.uid in failures:
            raise failures[connector.uid]
        return authorize(connector, tools, fresh=fresh)

    return headers_of


def sent_of(call: Call) -> Sent:
    """What may be said of the request."""
    spec = call.connector.spec
    proofs = ("Authorization",) if spec.get("authorization", {}).get("method", "none") != "none" else ()
    url = redactor_of(call, ()).text(shown_url(call.request))
    return Sent(call.connector.name, call.purpose, call.request, url, proofs, verified=_is_verified(spec))


def _is_verified(spec: Mapping[str, Any]) -> bool:
    tls = spec.get("tls")
    return not isinstance(tls, dict) or bool(tls.get("verify", True))


def permit(run: Run, connectors: Sequence[LiveConnector]) -> None:
    """Stop before requests are sent for somebody who may not call the connectors.

    Raises:
        NotPermitted: somebody may not, or nobody is named in a store that has a super admin.
    """
    from reconciler.services.enforcement import Caller

    Caller(named_actor(), now()).permit(run.store, connectors, "call")


def announce(call: Call, sent: Sent, *, yes: bool) -> None:
    """Say what is about to be sent, and ask before it writes.

    Raises:
        UsageError: nobody can be asked.
        Declined: the answer is not yes.
    """
    warn_unverified(call.connector)
    writes = call.request.method in WRITING and not yes
    if options().verbose or writes:
        for line in request_text(sent, values=False).splitlines():
            say(line)
    if not writes:
        return
    if not can_ask():
        raise UsageError(
            f"call asks before it sends a {call.request.method}, and there is no terminal to ask on", hint="pass --yes"
        )
    if not confirmed(f"Send it with the credentials of {call.connector.name}?"):
        raise Declined("nothing was sent")


def warn_unverified(connector: LiveConnector) -> None:
    """Say that certificates are not verified, and why."""
    if not _is_verified(connector.spec) and connector.spec.get("endpoints"):
        reason = connector.spec["tls"].get("reason", "no reason is given")
        say(f"warning: certificates are not verified for {connector.name}: {reason}")


def report(sent: Sent, outcome: "Outcome | None", chosen: str) -> None:
    """Print the answer, or without one the request."""
    for hop in outcome.redirects if outcome else ():
        say(f"redirected with {hop.status} to {hop.url}" + ("" if hop.credentials else ", without credentials"))
    if chosen == "json":
        from reconciler.render.call import call_json

        answer(call_json(sent, outcome))
    elif outcome is None:
        answer(request_text(sent))
    else:
        answer(outcome_text(outcome, color=wants_color(options().color, sys.stdout)))
    sys.stdout.flush()  # the answer comes before what is said about it
    if outcome is not None and outcome.answer.status == UNAUTHORIZED and sent.proofs:
        say("hint: the server refuses the credentials; when they have changed, run: reconciler apply --secrets check")
