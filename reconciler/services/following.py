"""Redirects, followed by hand so that no credentials go to another origin."""

from collections.abc import Callable, Sequence
from urllib.parse import urljoin, urlsplit

from reconciler.core.calls import Redirect
from reconciler.core.redacting import Redactor
from reconciler.core.secret import Secret
from reconciler.core.sensitive import mask_text
from reconciler.core.trust import Trust
from reconciler.errors import NetworkFailure
from reconciler.kinds.requests.building import Pair
from reconciler.net.sending import Answer, Limits, Sender
from reconciler.value_class import replace, value_class

STATUSES = frozenset((301, 302, 303, 307, 308))
MOST = 5
_PORTS = {"http": 80, "https": 443}


@value_class
class Hop:
    """One request on the way; values that are secrets are credentials."""

    url: str
    headers: tuple[Pair, ...]


def follow(
    answer: Answer, hop: Hop, trust: Trust, open_sender: Callable[[Trust], Sender], redactor: Redactor, limits: Limits
) -> tuple[Answer, tuple[Redirect, ...]]:
    """The answer at the end of the redirects, and the way there. Parameters go along only where Location repeats them.

    Raises:
        NetworkFailure: there are too many, or one leads where nothing should be sent.
    """
    redirects: list[Redirect] = []
    while answer.status in STATUSES and answer.header("location"):
        if len(redirects) == MOST:
            raise NetworkFailure(f"it redirects more than {MOST} times", hint="check the endpoint's URL")
        target = _target(hop.url, answer.header("location"))
        stays = _origin(target) == _origin(hop.url)
        if not stays:
            hop = replace(hop, headers=tuple(pair for pair in hop.headers if _may_leave(pair)))
            trust = replace(trust, certificate=None, key=None)
            if redactor.text(target) != mask_text(target):
                raise NetworkFailure(f"{_host(hop.url)}: it redirects to another host with a secret in the URL", hint="ask whoever runs the server")  # fmt: skip
        hop = replace(hop, url=target)
        kept = any(isinstance(value, Secret) for _, value in hop.headers)
        redirects.append(Redirect(answer.status, redactor.text(target), credentials=kept))
        answer = open_sender(trust).send("GET", target, headers=revealed(hop.headers), limits=limits)
    return answer, tuple(redirects)


def revealed(pairs: Sequence[Pair]) -> list[tuple[str, str]]:
    """Names and values as they are sent."""
    return [(name, value.reveal() if isinstance(value, Secret) else value) for name, value in pairs]


def _target(url: str, location: str) -> str:
    """Where a redirect leads.

    Raises:
        NetworkFailure: nothing is sent there.
    """
    try:
        target = urljoin(url, location).partition("#")[0]
        parts = urlsplit(target)
        _ = parts.port
    except ValueError:
        raise NetworkFailure(f"{_host(url)}: it redirects to what is no URL", hint="see the server's log") from None
    if parts.scheme not in _PORTS or not parts.hostname or "@" in parts.netloc:
        raise NetworkFailure(f"{_host(url)}: it redirects to what is no http or https URL", hint="see the server's log")
    if parts.scheme == "http" and urlsplit(url).scheme == "https":
        raise NetworkFailure(f"{_host(url)}: it redirects from https to http, which is not followed", hint="check the endpoint's URL")  # fmt: skip
    return target


def _may_leave(pair: Pair) -> bool:
    return not isinstance(pair[1], Secret) and pair[0].lower() not in ("authorization", "cookie")


def _origin(url: str) -> tuple[str, str, int]:
    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    return scheme, (parts.hostname or "").lower(), parts.port or _PORTS[scheme]


def _host(url: str) -> str:
    return urlsplit(url).hostname or "the server"
