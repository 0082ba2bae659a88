"""Fetch one document over HTTP."""

from base64 import b64encode

from reconciler.core.calls import Trust
from reconciler.core.secret import mask_text
from reconciler.errors import NetworkFailure
from reconciler.net.sending import Answer, Limits, Sender
from reconciler.net.urls import is_same_origin, parse, redirected

SECONDS = 60.0
MAX_REDIRECTS = 5
_MOVED = frozenset((301, 302, 303, 307, 308))
_OK = 200


def fetch(url: str, *, limit: int) -> bytes:
    """The body of the answer to a GET of `url`, after redirects; a user and password of `url` go to its origin alone.

    Certificates are verified; at most `limit` bytes are read. Certificate authorities are those of the environment,
    as httpx reads them (SSL_CERT_FILE, SSL_CERT_DIR).

    Raises:
        NetworkFailure: no answer in time, an answer other than 200, or one that is too large.
        UsageError: `url` is not a URL.
    """
    target, credentials = _without_user(url)
    shown = mask_text(target.partition("?")[0])
    limits = Limits(SECONDS, limit)
    with Sender(Trust()) as sender:
        answer = _get(sender, target, credentials, limits)
        for _ in range(MAX_REDIRECTS):
            if answer.status not in _MOVED or not answer.header("location"):
                break
            came, target = target, redirected(target, answer.header("location"))
            credentials = credentials if is_same_origin(came, target) else ()
            answer = _get(sender, target, credentials, limits)
    if answer.status != _OK:
        raise NetworkFailure(f"{shown} answered {answer.status} {answer.reason}".rstrip(), hint="check the URL")
    if answer.cut:
        raise NetworkFailure(f"the answer of {shown} is larger than {limit // 2**20} MiB", hint="is it the right URL?")
    return answer.body


def _get(sender: Sender, url: str, credentials: tuple[tuple[str, str], ...], limits: Limits) -> Answer:
    accept = ("Accept", "application/json, application/yaml, */*;q=0.5")
    return sender.send("GET", url, headers=(accept, *credentials), limits=limits)


def _without_user(url: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """The URL without user and password, and the header that carries these."""
    parsed = parse(url)
    if not parsed.userinfo:
        return url, ()
    proof = b64encode(f"{parsed.username}:{parsed.password}".encode()).decode()
    return str(parsed.copy_with(username=None, password=None)), (("Authorization", f"Basic {proof}"),)
