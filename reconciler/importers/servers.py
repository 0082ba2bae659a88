"""Which server the requests go to."""

import re
from typing import Final
from urllib.parse import urljoin

from msgspec import Struct

from reconciler.importers.document import ForeignDocument
from reconciler.importers.values import Json, Object, Pointer, mapping, one_line, sequence, text, url_without_secrets

_VARIABLE = re.compile(r"(?<!\{)\{++([^{}]++)\}++")
_HOST = re.compile(r"(?:localhost|(?:[\w{}-]+\.)+(?:[a-z]{2,}|\d+))(?::\d+)?(?:/|$)", re.IGNORECASE)
_LOOPBACK = re.compile(r"http://(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?:[:/?#]|$)", re.IGNORECASE)
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE)
_SCHEMES = re.compile(r"(?:(https?|wss?)://)+(?=(https?)://)", re.IGNORECASE)
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


class Base(Struct, frozen=True):
    """What servers that are not absolute are joined to.

    Attributes:
        given: absolute URL that takes the place of the document's own scheme, host and base path, or None.
        document: URL that the document was fetched from, or None.
    """

    given: str | None
    document: str | None


def is_plain(url: str) -> bool:
    """Whether what is sent there can be read on the way."""
    return url.lower().startswith("http://") and not _LOOPBACK.match(url)


def choose_server(source: ForeignDocument, listed: Json, where: Pointer, base: Base) -> Server:
    """The best of a list of OpenAPI server objects: the first on https, else the first.

    One that is not absolute is where the document was fetched from, or where the requests are said to go.
    """
    servers = [_read(source, mapping(item), (*where, index)) for index, item in enumerate(sequence(listed))]
    return _best(source, [found for found in servers if found is not None], where, base)


def swagger_server(source: ForeignDocument, schemes: Json, base: Base) -> Server:
    """The server that `host`, `basePath` and `schemes` make up in Swagger 2.0; an operation may have its own schemes."""
    root = source.root
    host, path = one_line(text(root.get("host"))), one_line(text(root.get("basePath")))
    place: Pointer = ("host",) if host else ("basePath",)
    if "://" in path:
        source.notes.add("server-completed", ("basePath",), "it is a whole URL, of which the path is used", path)
        host = host or path.partition("://")[2].partition("/")[0]
        path = path.partition("://")[2].partition("/")[2]
    path = path.strip("/")
    if not host:
        return _best(source, _with_schemes(source, f"/{path}", schemes, base), place, base)
    own = _SCHEME.match(host) if "://" in host else None
    if own:
        mended = host.rpartition("://")[2].strip("/")
        source.notes.add("server-completed", ("host",), "a host has no scheme and no slash; what is used", mended)
        host, schemes = mended, schemes or [own[1]]
    names = [one_line(text(item)).lower() for item in sequence(schemes)] or [_scheme_of(base)]
    servers = [_read(source, {"url": f"{name}://{host.strip('/')}/{path}"}, place) for name in names]
    return _best(source, [found for found in servers if found is not None], place, base)


def _scheme_of(base: Base) -> str:
    return "http" if (base.document or "").lower().startswith("http://") else "https"


def _with_schemes(source: ForeignDocument, path: str, schemes: Json, base: Base) -> list[Server]:
    """The server without a host, once for each of `schemes` that a base URL can be changed to."""
    where: Pointer = ("basePath",)
    found = _read(source, {"url": path}, where)
    names = [one_line(text(item)).lower() for item in sequence(schemes)]
    usable = [name for name in names if name in ("http", "https")]
    if found is None or base.given is not None or base.document is None or not usable:
        return [found] if found else []
    root = urljoin(_without_query(source, url_without_secrets(base.document), where), path).partition("://")
    if root[0] not in usable:
        root = ("https" if "https" in usable else usable[0], *root[1:])
    return [Server("".join(root).rstrip("/"), found.samples, found.where)]


def _best(source: ForeignDocument, usable: list[Server], where: Pointer, base: Base) -> Server:
    usable = usable or [Server("", {}, where)]
    chosen = next((found for found in usable if _is_best(found, base)), usable[0])
    others = ", ".join(sorted({found.url for found in usable if found.url != chosen.url})[:5])
    if others:
        message = f"{chosen.url or '/'} is used; there are also"
        source.notes.add("server-chosen", where, message, others)
    return _complete(source, chosen, base)


def _is_best(server: Server, base: Base) -> bool:
    if server.url.lower().startswith(_HTTP):
        return server.url.startswith("https:")
    return base.given is not None or (base.document or "").lower().startswith("https:")


def _complete(source: ForeignDocument, server: Server, base: Base) -> Server:
    if server.url.lower().startswith(_HTTP):
        if base.given is None:
            return server
        source.notes.add("server-chosen", server.where, f"{base.given} is used instead of", server.url)
        return Server(base.given.rstrip("/"), {}, server.where)
    if base.given is not None:
        return Server(urljoin(base.given.rstrip("/") + "/", server.url).rstrip("/"), server.samples, server.where)
    if base.document is not None:
        start = re.split(r"[?#]", url_without_secrets(base.document), maxsplit=1)[0]
        url = urljoin(start, server.url or "/").rstrip("/")
        message = "the server is told from where the document was fetched"
        source.notes.add("server-completed", server.where, message, url)
        return Server(url, server.samples, server.where)
    message = "the document names no absolute server: without --server, requests go to the platform itself"
    source.notes.add("no-server", server.where, message)
    return Server(f"/{server.url.lstrip('/')}".rstrip("/"), server.samples, server.where)


def _read(source: ForeignDocument, node: Object, where: Pointer) -> Server | None:
    url, samples = _fill(source, one_line(text(node.get("url"))), node, where)
    if url != (url := url_without_secrets(url)):
        source.notes.add("secret-removed", where, "a user, or what looks like a secret, was taken out of the URL")
    if _SCHEMES.match(url):
        url = _SCHEMES.sub("", url)
        source.notes.add("server-completed", where, "the scheme stands there twice; what is used", url)
    if url.startswith("//"):
        url = f"https:{url}"
        source.notes.add("server-completed", where, "no scheme is given; what is assumed", url)
    elif _HOST.match(url):
        url = f"https://{url}"
        source.notes.add("server-completed", where, "no scheme is given; what is assumed", url)
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
        choices = [one_line(text(item)) for item in sequence(declared.get("enum"))]
        value = one_line(text(declared.get("default")))
        if value and choices and value not in choices:
            source.notes.add("malformed", (*where, "variables", found[1]), "the default is none of the choices", value)
        if value or declared.get("default") == "":
            return value
        samples[found[1]] = choices[0] if choices else "example"
        return f"{{{found[1]}}}"

    filled = _VARIABLE.sub(default, url)
    if samples:
        message = "the URL has variables without a default, which each call has to give"
        source.notes.add("server-completed", where, message, ", ".join(sorted(samples)))
    elif filled != url and any(len(sequence(mapping(entry).get("enum"))) > 1 for entry in variables.values()):
        source.notes.add("server-chosen", (*where, "variables"), "the defaults of the server's variables are used")
    return filled, samples
