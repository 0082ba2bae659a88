"""URLs of single requests taken apart: where they go, whom they name, what they ask."""

import re
from urllib.parse import unquote

from msgspec import Struct

from reconciler.importers.payloads import form_entries
from reconciler.importers.requests import Access, Desk, ForeignEntry, login
from reconciler.importers.templates import Template, Variable, changed, cut, literal, merged, stripped
from reconciler.importers.values import Pointer

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


class Address(Struct, frozen=True):
    """A URL in parts.

    Attributes:
        url: scheme, host and path.
        access: what a user and password in it give.
    """

    url: Template
    query: tuple[ForeignEntry, ...]
    access: Access | None


def dissect(url: Template, where: Pointer, desk: Desk) -> Address:
    """Take a URL apart; one without a scheme is taken to be of https."""
    url, fragment = cut(stripped(url), "#")
    if fragment:
        desk.say("url-changed", where, "what follows # never reaches a server and was left out")
    url, asked = cut(url, "?")
    entries = tuple(ForeignEntry(entry.name, entry.value, where) for entry in form_entries(asked or ()))
    url = _completed(url, where, desk)
    url, access = _without_user(url, where)
    if access:
        desk.say("url-changed", where, "a user in the URL became the authorization")
    return Address(url, entries, access)


def _completed(url: Template, where: Pointer, desk: Desk) -> Template:
    if not url or isinstance(first := url[0], Variable) or _SCHEME.match(first):
        return url
    desk.say("server-completed", where, "no scheme is given: https is assumed")
    return merged(("https://" + first.lstrip("/"), *url[1:]))


def _without_user(url: Template, where: Pointer) -> tuple[Template, Access | None]:
    """The URL without `user:password@`, and the access that those give."""
    if not url or isinstance(first := url[0], Variable) or not (scheme := _SCHEME.match(first)):
        return url, None
    rest = merged((first[scheme.end() :], *url[1:]))
    authority, path = cut(rest, "/")
    user, host = cut(authority, "@")
    if host is None:
        return url, None
    while literal(host).count("@"):  # the last one ends the user
        more, host = cut(host, "@")[0], cut(host, "@")[1] or ()
        user = merged((*user, "@", *more))
    name, password = cut(user, ":")
    whole = merged((scheme[0], *host, *(("/", *path) if path is not None else ())))
    return whole, login(changed(name, unquote), changed(password or (), unquote), where)
