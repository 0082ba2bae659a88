"""URLs as httpx reads them, and the proxy that a request goes through."""

import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from msgspec import Struct

from reconciler.core.secret import Secret
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


_ENTRY = re.compile(r"(?:\[(?P<address>[0-9a-f:.%]+)\]|(?P<name>[\w.*-]+))(?::(?P<port>\d{1,5}))?")
_NUMERIC = re.compile(r"[\d.-]+")


class Proxy(Struct, frozen=True):
    """One that the environment names.

    Attributes:
        variable: which names it.
        shown: its host and port.
        url: with its user and password.
    """

    variable: str
    shown: str
    url: Secret


def proxy_for(url: "httpx.URL", environment: Mapping[str, str]) -> Proxy | None:
    """The proxy for requests to `url`, or None where they go directly.

    Raises:
        NetworkFailure: what the environment says cannot be honoured.
    """
    named = _named(environment)
    variable, value = next((named[key] for key in (f"{url.scheme}_proxy", "all_proxy") if key in named), ("", ""))
    if not value or _is_exempt(url, *named.get("no_proxy", ("", ""))):
        return None
    return _proxy(variable, value)


def _named(environment: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Name and value of each variable that says something, by its name in small letters."""
    found: dict[str, tuple[str, str]] = {}
    for name, value in environment.items():
        key = name.lower()
        if key.endswith("_proxy") and (key not in found or name == key):
            found[key] = name, value.strip()
    return {key: pair for key, pair in found.items() if pair[1]}


def _proxy(variable: str, value: str) -> Proxy:
    import httpx

    text = value if "://" in value else f"http://{value}"
    scheme, _, rest = text.partition("://")
    if scheme.lower().startswith("socks"):
        raise _unusable(variable, "names a SOCKS proxy, which is not supported")
    if scheme.lower() not in PORTS:
        raise _unusable(variable, "names a proxy that speaks neither http nor https")
    try:
        url = httpx.URL(text)
    except (httpx.InvalidURL, ValueError):
        raise _unusable(variable, "is not the URL of a proxy") from None
    misread = "@" in re.sub(r"^[^/?#]*", "", rest)  # in a password stands what ends the host
    if not is_reachable(url) or misread:
        raise _unusable(variable, "is not the URL of a proxy")
    return Proxy(variable, host_of(str(url)), Secret(text))


def _unusable(variable: str, what: str) -> NetworkFailure:
    hint = f"write {variable}=http://host:port, with special characters of a password percent-encoded, or exempt hosts with NO_PROXY"  # fmt: skip
    return NetworkFailure(f"{variable} {what}", hint=hint)


def _is_exempt(url: "httpx.URL", variable: str, value: str) -> bool:
    """Whether an entry of NO_PROXY is the host of `url`, a domain above it, or a range that it is in."""
    unread = []
    for number, entry in enumerate(value.lower().replace(",", " ").split(), 1):
        matches = _matches(entry.partition("://")[2].rstrip("/") or entry, url)
        if matches:
            return True
        if matches is None:
            unread.append(number)
    if unread:
        hint = "write hosts, domains, addresses or ranges such as 10.0.0.0/8, separated by commas"
        raise NetworkFailure(f"{variable}: entry {unread[0]} is neither a host nor a range", hint=hint)
    return False


def _matches(entry: str, url: "httpx.URL") -> bool | None:
    """Whether an entry is for the host of `url`; None where it cannot be read."""
    host = url.raw_host.decode("ascii").rstrip(".")
    found = _ENTRY.fullmatch(entry)
    if found is None:
        return _in_range(entry.replace("[", "").replace("]", ""), host)
    if found["port"] and int(found["port"]) != port_of(url):
        return False
    inside = _in_range(found["address"] or found["name"], host)
    return inside if inside is not None or found["address"] else _is_below(found["name"], host)


def _is_below(name: str, host: str) -> bool | None:
    """Whether `host` is the domain `name` or in it; None where `name` cannot be read."""
    import httpx

    if _NUMERIC.fullmatch(name):
        return None
    if "*" in name.removeprefix("*."):
        return fnmatchcase(host, name)
    try:
        domain = httpx.URL(f"http://{name.removeprefix('*.').strip('.')}").raw_host.decode("ascii")
    except (httpx.InvalidURL, ValueError):
        return None
    return f".{host}".endswith(f".{domain}")


def _in_range(entry: str, host: str) -> bool | None:
    """Whether the address `host` is in a range or is an address; None where `entry` is neither."""
    try:
        network = ip_network(entry, strict=False)
    except ValueError:
        return None
    try:
        return ip_address(host) in network
    except ValueError:
        return False
