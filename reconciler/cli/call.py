"""``reconciler call``: one endpoint, or all of a connector's."""

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from reconciler.cli.callee import all_declared, authorizing, declared_connector, live_connector, permit
from reconciler.cli.completion import CONNECTOR, ENDPOINT
from reconciler.cli.options import REVISION, ExplainedCommand, choose_format, common_options, labels_of, stacked
from reconciler.cli.output import answer, can_ask, confirmed, options, say, wants_color
from reconciler.cli.run import open_run
from reconciler.core.model import LiveConnector
from reconciler.errors import Declined, ExitCode, UsageError
from reconciler.kinds.authorization_blocks import carries
from reconciler.kinds.requests import GivenData, build, gather, shown_url
from reconciler.render.call import Sent, checks_text, outcome_text, request_text
from reconciler.render.request import shown_body
from reconciler.services.calls import UNAUTHORIZED, WRITING, Call, prepare, redactor_of
from reconciler.services.records import Query, find_endpoint, search
from reconciler.services.smoke import check_all
from reconciler.wiring.plan import OpenedRun, PlanFlags

if TYPE_CHECKING:
    from reconciler.core.calls import CallOutcome


class CallFlags(NamedTuple):
    """What the user said."""

    settings: tuple[str, ...]
    data: str | None
    params: tuple[str, ...]
    headers: tuple[str, ...]
    base_url: str
    max_bytes: int
    yes: bool
    fail: bool
    dry_run: bool
    definition: bool
    ref: str


FORMATS = ("text", "json")
MAX_BYTES = 10 * 1024 * 1024


def _call_options(function: Any) -> Any:
    return stacked(
        click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Data for the placeholder {{KEY}}, a text; KEY:=VALUE for JSON; keys may be dotted."),
        click.option("--data", metavar="FILE", help="Data for the placeholders: a JSON or YAML object; - is standard input."),
        click.option("--param", "params", multiple=True, metavar="NAME=VALUE", help="A query parameter; it wins over the definition's."),
        click.option("--header", "headers", multiple=True, metavar="'NAME: VALUE'", help="A header; of the definition's only the required ones are sent then."),
        click.option("--base-url", default="", envvar="RECONCILER_BASE_URL", metavar="URL", help="Where the platform is, for URLs that begin with /."),
        click.option("--max-bytes", type=click.IntRange(1, 2**31), default=MAX_BYTES, metavar="N", help="How much of the body is read; default 10 MiB."),
        click.option("-y", "--yes", is_flag=True, help="Do not ask."),
        click.option("--fail", is_flag=True, help="Exit with 10 when the status is 400 or above."),
        click.option("--dry-run", is_flag=True, help="Print the whole request and do not send it."),
        click.option("--definition", is_flag=True, help="Call it as the working tree declares it, applied or not; secrets are looked up as by an apply, and nothing is stored."),
        click.option("--ref", default="", type=REVISION, metavar="REV", help="With --definition: as a commit, branch or tag declares it."),
    )(function)  # fmt: skip


@click.command(
    "call",
    cls=ExplainedCommand,
    examples=(
        ("reconciler call crm-contacts list", "an endpoint, with the sample of its definition"),
        ("reconciler call crm-contacts list --set account=7 --dry-run", "what would be sent"),
        ("reconciler call crm-contacts list --definition", "before it is applied"),
        ("reconciler call --all --category crm", "does every GET endpoint of a category answer?"),
    ),
)
@click.argument("connector", required=False, type=CONNECTOR)
@click.argument("endpoint", required=False, type=ENDPOINT)
@_call_options
@click.option("--all", "every", is_flag=True, help="Call every GET endpoint of every active connector with its sample.")
@click.option("--category", metavar="NAME", help="With --all: connectors filed under this category.")
@click.option("-l", "--label", "labels", multiple=True, metavar="KEY=VALUE", help="With --all: connectors with this label.")  # fmt: skip
@common_options()
def call(
    connector: str | None, endpoint: str | None, every: bool, category: str | None, labels: tuple[str, ...], **flags: Any
) -> int:  # fmt: skip
    """Call an endpoint of a live connector, with its live authorization. Asks before a method that writes.

    With --definition it is the connector that git declares, which need not be live. Placeholders are filled in from the definition's sample, over it --data, over that --set.

    Formats (-o): text, json.
    """
    asked = CallFlags(**flags)
    chosen = choose_format(FORMATS)
    if asked.ref and not asked.definition:
        raise UsageError("--ref goes with --definition", hint="what is live is of no revision")
    if every:
        kept = {key: getattr(asked, key) for key in ("base_url", "yes", "fail", "definition", "ref")}
        if connector or asked != CallFlags((), None, (), (), max_bytes=MAX_BYTES, dry_run=False, **kept):
            raise UsageError("--all takes no connector and no data", hint="choose with --category and --label")
        return call_all(chosen, asked, Query("Connector", category=category, labels=labels_of(labels), status="active"))
    if category or labels:
        raise UsageError("--category and --label go with --all")
    if not connector:
        raise UsageError("which connector?", hint="write: reconciler call CONNECTOR ENDPOINT, or --all")
    return _call_one(connector, endpoint or "", asked, chosen)


def _call_one(name: str, purpose: str, asked: CallFlags, chosen: str) -> int:
    from reconciler.kinds.authorization import trust_of
    from reconciler.net.retry import Senders
    from reconciler.services.calls import perform

    run = open_run(PlanFlags(ref=asked.ref)) if asked.definition else open_run()
    found = _found(run, name, purpose, asked)
    call = prepare_call(found, purpose, asked)
    sent = sent_of(call, asked)
    if asked.dry_run:
        report(sent, None, chosen)
        return ExitCode.OK
    if not asked.definition:
        permit(run, [call.connector])
    announce(call, sent, yes=asked.yes)
    authorize = authorizing(run, declared=asked.definition)
    trust = trust_of(call.connector.spec, call.connector.secrets)
    with Senders() as senders:
        outcome = perform(call, trust, lambda fresh: authorize(call.connector, call.by, fresh), senders.open)
    report(sent, outcome, chosen)
    return ExitCode.WORLD if asked.fail and outcome.answer.status >= 400 else ExitCode.OK


def _found(run: OpenedRun, name: str, purpose: str, asked: CallFlags) -> LiveConnector:
    if asked.definition:
        return declared_connector(run, name, purpose, values=not asked.dry_run)
    return live_connector(run, name)


def prepare_call(connector: LiveConnector, purpose: str, asked: CallFlags) -> Call:
    """The call that the command line asks for.

    Raises:
        DataMissing, InvalidDefinitions, SecretUnavailable, UsageError: it cannot be sent.
    """
    endpoint = find_endpoint(connector, purpose)
    if connector.spec.get("status", "active") != "active" and not options().quiet:
        say(f"the connector '{connector.name}' is inactive: consumers are not offered it")
    given = GivenData(
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
    from reconciler.wiring.exchange import read_data

    return read_data(path)


def _split(text: str, sign: str, form: str) -> tuple[str, str]:
    name, found, value = text.partition(sign)
    if not found or not name.strip():
        raise UsageError("a parameter or header has no name and value", hint=f"write {form}")
    return (name, value) if sign == "=" else (name.strip(), value.strip())


def sent_of(call: Call, asked: CallFlags) -> Sent:
    """What may be said of the request."""
    from reconciler.services.declared import references_of

    spec = call.connector.spec
    proofs = ("Authorization",) if carries(call.by) else ()
    url = redactor_of(call, ()).text(shown_url(call.request))
    body = shown_body(call.request, redactor_of(call, ())) if asked.dry_run else None
    unresolved = references_of(call.connector) if asked.dry_run and asked.definition else None
    verified = _is_verified(spec)
    return Sent(
        call.connector.name, call.purpose, call.request, url, proofs, verified, asked.definition, body, unresolved
    )


def _is_verified(spec: Mapping[str, Any]) -> bool:
    tls = spec.get("tls")
    return not isinstance(tls, dict) or bool(tls.get("verify", True))


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
    """Say that certificates are not verified or plain http is allowed, and why."""
    tls = connector.spec.get("tls")
    if not isinstance(tls, dict) or not connector.spec.get("endpoints"):
        return
    reason = tls.get("reason", "no reason is given")
    if not _is_verified(connector.spec):
        say(f"warning: certificates are not verified for {connector.name}: {reason}")
    if tls.get("allowPlainHttp") is True:
        say(f"warning: credentials of {connector.name} may go over plain http: {reason}")


def report(sent: Sent, outcome: "CallOutcome | None", chosen: str) -> None:
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
        mend = "look at what its secret references lead to" if sent.declared else "when they have changed, run: reconciler apply --secrets check"  # fmt: skip
        say(f"hint: the server refuses the credentials; {mend}")


def call_all(chosen: str, asked: CallFlags, query: Query) -> int:
    """Call every GET endpoint of the active connectors that satisfy the filters."""
    if asked.definition:
        run = open_run(PlanFlags(ref=asked.ref))
        connectors, unready = all_declared(run, query)
    else:
        run, unready = open_run(), {}
        names = [found.name for found in search(run.store, query)]
        connectors = list(run.store.connectors(names)) if names else []
        permit(run, connectors)
    for connector in connectors:
        warn_unverified(connector)
    if options().verbose:
        say(f"{len(connectors)} active connectors")
    with run.progress:
        ready = [found for found in connectors if found.uid not in unready]
        authorize = authorizing(run, ready, declared=asked.definition)
        checks = check_all(connectors, authorize, base_url=asked.base_url, progress=run.progress, unready=unready)
    if chosen == "json":
        from reconciler.render.call import checks_json

        answer(checks_json(checks))
    else:
        answer(checks_text(checks, color=wants_color(options().color, sys.stdout)))
    return ExitCode.WORLD if any(check.verdict == "failed" for check in checks) else ExitCode.OK
