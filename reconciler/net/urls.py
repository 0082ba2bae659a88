"""URLs as httpx reads them, which sends the requests: what is judged of a URL is judged by the reader that uses it."""

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from reconciler.errors import NetworkFailure, UsageError

if TYPE_CHECKING:
    import httpx

PORTS = {"http": 80, "https": 443}
_LAST_PORT = 65535


def host_of(url: str) -> str:
    """Host and port of a URL, which are safe to show; never its user, path or query."""
    try:
        parts = urlsplit(url)
        host = f"[{parts.hostname}]" if parts.hostname and ":" in parts.hostname else parts.hostname
        shown = f"{host}:{parts.port}" if host and parts.port else host
    except ValueError:
        shown = None
    return shown or "the server"


def parse(url: str) -> "httpx.URL":
    """A URL that a request can be sent to.

    Raises:
        UsageError: none can.
    """
    import httpx

    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, ValueError):
        raise UsageError(f"{host_of(url)}: this is not a URL", hint="write https://...") from None
    if not is_reachable(parsed):
        raise UsageError(f"{host_of(url)}: this is not the URL of a server", hint="write https://host/path")
    return parsed


def is_reachable(url: "httpx.URL") -> bool:
    """Whether it names a protocol that is spoken here, a host and a port that there may be."""
    return url.scheme in PORTS and bool(url.raw_host) and (url.port is None or 0 < url.port <= _LAST_PORT)


def port_of(url: "httpx.URL") -> int:
    """The port that a request to it goes to."""
    return url.port or PORTS[url.scheme]


def is_same_origin(one: str, other: str) -> bool:
    """Whether two URLs that requests can be sent to name one scheme, host and port (RFC 6454)."""
    first, second = parse(one), parse(other)
    return (first.scheme, first.raw_host, port_of(first)) == (second.scheme, second.raw_host, port_of(second))


def redirected(url: str, location: str) -> str:
    """Where an answer of `url` redirects to.

    Raises:
        NetworkFailure: nothing is sent there.
    """
    import httpx

    came = parse(url)
    try:
        target = came.join(location).copy_with(fragment=None)
    except (httpx.InvalidURL, ValueError):
        raise NetworkFailure(f"{host_of(url)}: it redirects to what is no URL", hint="see the server's log") from None
    if not is_reachable(target) or target.userinfo:
        message = f"{host_of(url)}: it redirects to what is no http or https URL"
        raise NetworkFailure(message, hint="see the server's log")
    if came.scheme == "https" and target.scheme == "http":
        message = f"{host_of(url)}: it redirects from https to http, which is not followed"
        raise NetworkFailure(message, hint="check the URL")
    return str(target)
