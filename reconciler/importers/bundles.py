"""Requests that belong together become connectors, one for each host where no collection holds them together."""

import re
from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from reconciler.importers.connectors import MAX_KEY, Heading, display_of, documents_of
from reconciler.importers.credentials import assign
from reconciler.importers.document import Notebook, prose
from reconciler.importers.endpoints import MadeEndpoint, make_endpoint
from reconciler.importers.requests import Desk, ForeignRequest
from reconciler.importers.syntax import NotImportable
from reconciler.importers.templates import Template
from reconciler.importers.values import Object, Pointer, one_line, unique, variable
from reconciler.kinds.common import slug

_ORIGIN = re.compile(r"(https?)://(?:[^/?#\s@]*@)?([^/?#\s@]+)", re.IGNORECASE)


class Bundle(Struct, frozen=True):
    """The requests of one connector.

    Attributes:
        title: what becomes the display name, or "".
    """

    name: str
    title: str
    requests: Sequence[ForeignRequest]
    desk: Desk
    description: str = ""


def connectors_of(bundle: Bundle, categories: Sequence[str], where: Pointer) -> list[dict[str, Any]]:
    """The documents of a bundle; none when no request of it can be sent.

    Args:
        where: the bundle as a whole, which notes on its heading are about.
    """
    each = [(request, make_endpoint(request, bundle.desk)) for request in bundle.requests]
    made = [(_titled(request, endpoint, bundle.desk), endpoint) for request, endpoint in each if endpoint is not None]
    if not made:
        return []
    assigned = assign([endpoint.credential for _, endpoint in made])
    endpoints: dict[str, Object] = {}
    for (title, endpoint), authorization in zip(made, assigned.names, strict=True):
        spec = endpoint.spec
        if authorization:
            spec = {"description": spec.get("description"), "method": spec["method"], "url": spec["url"], "authorization": authorization, **spec}  # fmt: skip
        name = unique(title, endpoints.__contains__, MAX_KEY)
        endpoints[name] = {key: value for key, value in spec.items() if value}
    notes = bundle.desk.notes
    spec = {
        "description": prose(bundle.desk.withheld.without(bundle.description), where, notes),
        "categories": list(dict.fromkeys(categories)),
    }
    spec |= {**assigned.spec, "tls": _tls(bundle)}
    display = display_of(bundle.title or bundle.name, bundle.title, where, notes)
    heading = Heading(bundle.name, display, {key: value for key, value in spec.items() if value})
    return documents_of(heading, endpoints, where, notes)


def _tls(bundle: Bundle) -> Object:
    for request in bundle.requests:
        if request.unverified:
            message = (
                "certificates are not verified for any endpoint of this connector; take the key tls out if you can"
            )
            bundle.desk.say("tls-unverified", request.where, message)
            return {"verify": False, "reason": request.unverified}
    return {}


def _titled(request: ForeignRequest, endpoint: MadeEndpoint, desk: Desk) -> str:
    """What the endpoint is called: as the request is, or by method and path."""
    wanted = one_line(request.title)
    if wanted and not desk.withheld.knows(wanted):
        return wanted
    path = _ORIGIN.sub("", str(endpoint.spec["url"])) or "/"
    return f"{request.method} {path.replace('{{', '{').replace('}}', '}')}"


def origin_of(url: Template) -> str:
    """Scheme and host of a URL, or "" when a variable tells them."""
    found = _ORIGIN.match(url[0]) if url and isinstance(url[0], str) else None
    return f"{found[1].lower()}://{found[2].lower()}" if found else ""


def by_host(requests: Sequence[ForeignRequest], name: str | None, desk: Desk) -> list[Bundle]:
    """The requests by host, the busiest first: what one host is told, another is not."""
    groups: dict[str, list[ForeignRequest]] = {}
    for request in requests:
        groups.setdefault(origin_of(request.url), []).append(request)
    found: list[Bundle] = []
    names: set[str] = set()
    for origin in sorted(groups, key=lambda origin: -len(groups[origin])):
        host = origin.partition("://")[2]
        wanted = slug(host) or "imported"
        if name:
            wanted = name if len(groups) == 1 else slug(f"{name}-{host}")
        chosen = unique(wanted, names.__contains__, 63, "{}-{}").strip("-")
        names.add(chosen)
        found.append(Bundle(chosen, host or chosen, groups[origin], desk.of(variable(chosen))))
    return found


def none_usable(file: str, notes: Notebook) -> NotImportable:
    """What is raised where nothing is left to import; it says why."""
    reasons = list(dict.fromkeys(note.message for note in notes.all()))[:3]
    return NotImportable(f"{file} holds no request that a connector can send", hint="; ".join(reasons))
