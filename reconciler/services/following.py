"""Redirects, followed by hand so that no credentials go to another origin."""

from collections.abc import Callable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from reconciler.core.calls import Redirect, Trust
from reconciler.core.secret import Redactor, Secret, mask_text
from reconciler.errors import NetworkFailure
from reconciler.kinds.requests import Pair
from reconciler.net.client import Answer, Limits, Sender
from reconciler.net.urls import host_of, is_same_origin, redirected

STATUSES = frozenset((301, 302, 303, 307, 308))
MOST = 5


class Hop(Struct, frozen=True):
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
        target = redirected(hop.url, answer.header("location"))
        if not is_same_origin(target, hop.url):
            hop = replace(hop, headers=tuple(pair for pair in hop.headers if _may_leave(pair)))
            trust = replace(trust, certificate=None, key=None)
            if redactor.text(target) != mask_text(target):
                raise NetworkFailure(f"{host_of(hop.url)}: it redirects to another host with a secret in the URL", hint="ask whoever runs the server")  # fmt: skip
        hop = replace(hop, url=target)
        kept = any(isinstance(value, Secret) for _, value in hop.headers)
        redirects.append(Redirect(answer.status, redactor.text(target), credentials=kept))
        answer = open_sender(trust).send("GET", target, headers=revealed(hop.headers), limits=limits)
    return answer, tuple(redirects)


def revealed(pairs: Sequence[Pair]) -> list[tuple[str, str]]:
    """Names and values as they are sent."""
    return [(name, value.reveal() if isinstance(value, Secret) else value) for name, value in pairs]


def _may_leave(pair: Pair) -> bool:
    return not isinstance(pair[1], Secret) and pair[0].lower() not in ("authorization", "cookie")
