"""Which server the requests go to."""

import re
from collections.abc import Sequence
from typing import Final
from urllib.parse import urljoin

from msgspec import Struct

from reconciler.importers.document import ForeignDocument
from reconciler.importers.values import Json, Object, Pointer, mapping, one_line, sequence, text, url_without_secrets

_VARIABLE = re.compile(r"\{([^{}]+)\}")
_HOST = re.compile(r"(?:localhost|(?:[\w{}-]+\.)+(?:[a-z]{2,}|\d+))(?::\d+)?(?:/|$)", re.IGNORECASE)
_LOOPBACK = re.compile(r"http://(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?:[:/?#]|$)", re.IGNORECASE)
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE)
_HTTP: Final = ("https://", "http://", "{")  # a variable without a default may hold the scheme


class Server(Struct, frozen=True):
    """A base URL, without a slash at its end; "" when the document names none and none was given.

    Attributes:
        url: may hold `{name}` where a variable has no default.
        samples: values for those variables.
        where: where the document names the server.
    """

    url: str
    samples: dict[str, str]
    where: Pointer


def is_plain(url: str) -> bool:
    """Whether what is sent there can be read on the way."""
    return url.lower().startswith("http://") and not _LOOPBACK.match(url)


def choose_server(source: ForeignDocument, listed: Json, where: Pointer, base: str | None) -> Server:
    """The best of a list of OpenAPI server objects: the first on https, else the first.

    Args:
        base: absolute URL that takes the place of the document's own scheme, host and base path, and
            that relative servers are joined to.
    """
    servers = [_read(source, item, (*where, index)) for index, item in enumerate(sequence(listed))]
    usable = [found for found in servers if found is not None] or [Server("", {}, where)]
    chosen = next((found for found in usable if found.url.startswith("https:")), usable[0])
    if len(usable) > 1:
        others = ", ".join(sorted({found.url for found in usable if found.url != chosen.url})[:5])
        if others:
            source.notes.add("server-chosen", where, f"{chosen.url or '/'} is used; there are also {others}")
    return _complete(source, chosen, base)


def _complete(source: ForeignDocument, server: Server, base: str | None) -> Server:
    if server.url.lower().startswith(_HTTP):
        if base is None:
            return server
        source.notes.add("server-chosen", server.where, f"{base} is used instead of {server.url}")
        return Server(base.rstrip("/"), {}, server.where)
    if base is not None:
        return Server(urljoin(base.rstrip("/") + "/", server.url).rstrip("/"), server.samples, server.where)
    message = "the document names no absolute server: without one, requests go to the platform itself"
    source.notes.add("no-server", server.where, message)
    return Server(f"/{server.url.lstrip('/')}".rstrip("/"), server.samples, server.where)


def _read(source: ForeignDocument, item: Json, where: Pointer) -> Server | None:
    node = mapping(item)
    url, samples = _fill(source, one_line(text(node.get("url"))), node, where)
    if url != (url := url_without_secrets(url)):
        source.notes.add("secret-removed", where, "a user, or what looks like a secret, was taken out of the URL")
    if url.startswith("//"):
        url = f"https:{url}"
        source.notes.add("server-completed", where, f"no scheme is given; {url} is assumed")
    elif _HOST.match(url):
        url = f"https://{url}"
        source.notes.add("server-completed", where, f"no scheme is given; {url} is assumed")
    scheme = _SCHEME.match(url)
    if scheme and scheme[1].lower() not in ("http", "https"):
        source.notes.add("unsupported-server", where, f"requests over {scheme[1].lower()} cannot be made")
        return None
    if scheme and not url.lower().startswith(_HTTP):
        source.notes.add("malformed", where, "the server's URL names no host")
        return None
    return Server(_without_query(source, url, where).rstrip("/"), samples, where)


def _without_query(source: ForeignDocument, url: str, where: Pointer) -> str:
    short = re.split(r"[?#]", url, maxsplit=1)[0].replace(" ", "%20")
    if short != url:
        source.notes.add("url-changed", where, "only scheme, host and path of the server's URL are kept")
    scheme, separator, rest = short.partition("://")
    return f"{scheme.lower()}://{rest}" if separator else short


def _fill(source: ForeignDocument, url: str, node: Object, where: Pointer) -> tuple[str, dict[str, str]]:
    """`url` with the defaults of its variables; samples for those that have none."""
    variables = mapping(node.get("variables"))
    samples: dict[str, str] = {}

    def default(found: re.Match[str]) -> str:
        declared = mapping(variables.get(found[1]))
        value = one_line(text(declared.get("default")))
        if value:
            return value
        choices = sequence(declared.get("enum"))
        samples[found[1]] = one_line(text(choices[0])) if choices else "example"
        return found[0]

    filled = _VARIABLE.sub(default, url)
    if samples:
        source.notes.add("server-completed", where, f"no default is given for {', '.join(sorted(samples))}")
    return filled, samples


def swagger_servers(root: Object) -> list[Json]:
    """The servers of a Swagger 2.0 document, as OpenAPI 3 would list them."""
    path = text(root.get("basePath"))
    host = text(root.get("host"))
    if not host:
        return [{"url": path}]
    schemes: Sequence[str] = [text(item) for item in sequence(root.get("schemes"))] or ["https"]
    return [{"url": f"{scheme}://{host}/{path.lstrip('/')}"} for scheme in schemes]
