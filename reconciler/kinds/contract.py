"""What an OpenAPI document says of requests, and which of its operations an endpoint is."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol
from urllib.parse import unquote

from msgspec import Struct


class ContractParameter(Struct, frozen=True):
    """A parameter of an operation.

    Attributes:
        place: query, header or path.
        style: how lists and objects are written; "" where the value is neither.
        where: JSON pointer into the document.
    """

    name: str
    place: str
    required: bool
    style: str
    explode: bool
    where: str


class Shape(Struct, frozen=True):
    """What is known of a value.

    Attributes:
        fields: of an object; empty where nothing is known of them, and then any may be there.
        required: fields that have to be there.
        is_open: whether the document says that there may be further fields, or leaves open what it is.
        item: of a list; None where that is not known, or it is no list.
    """

    where: str
    fields: "Mapping[str, Shape]" = {}
    required: frozenset[str] = frozenset()
    is_open: bool = True
    item: "Shape | None" = None


class ContractBody(Struct, frozen=True):
    """The body of an operation.

    Attributes:
        media: by media type, in small letters, what the value looks like; "" where none is named.
    """

    required: bool
    media: Mapping[str, Shape]
    where: str


class ContractScheme(Struct, frozen=True):
    """One way to authorize.

    Attributes:
        kind: apiKey, basic, bearer, oauth2, openIdConnect, mutualTLS, or another word that nothing is known of.
        place, key: of an API key: where it goes, and by what name.
        flows: of OAuth 2.0, by the names that OpenAPI 3 has for them.
    """

    name: str
    kind: str
    where: str
    place: str = ""
    key: str = ""
    flows: tuple[str, ...] = ()


class OperationDetail(Struct, frozen=True):
    """What an operation takes.

    Attributes:
        security: the schemes that go together, of which one set is enough; None where the document says nothing.
    """

    parameters: Sequence[ContractParameter]
    body: ContractBody | None
    security: Sequence[Sequence[ContractScheme]] | None
    deprecated: bool


class ContractOperation(Struct, frozen=True):
    """An operation of the document.

    Attributes:
        path: as the document writes it.
        servers: base URLs, with `{name}` where the document leaves something open; relative ones too.
        number: its place in the document.
    """

    method: str
    path: str
    name: str
    servers: tuple[str, ...]
    where: str
    number: int


class Contract(Protocol):
    """A document, of which operations are looked at as they are asked for.

    Attributes:
        file: how people name it.
        keys: place and name, in small letters, of all API keys.
    """

    file: str
    operations: Sequence[ContractOperation]
    keys: frozenset[tuple[str, str]]

    def detail(self, operation: ContractOperation) -> OperationDetail:
        """What an operation takes."""
        ...


_DOUBLE = re.compile(r"\{\{\{?([^{}]*+)\}?\}\}")
_SINGLE = re.compile(r"(?<!\{)\{++[^{}]*+\}++")
_ANY = "{}"


class ContractMatch(Struct, frozen=True):
    """An endpoint's operation.

    Attributes:
        at_server: whether the URL is at one of the servers that the document names for it.
        placeholders: names that the URL has, by those that the document has.
    """

    operation: ContractOperation
    at_server: bool
    placeholders: Mapping[str, str]


class _Url(Struct, frozen=True):
    """Scheme and host, and the segments of a path, each with every placeholder as `{}`."""

    origin: str
    steps: tuple[str, ...]


class OperationIndex:
    """Finds operations by method and URL: names of placeholders do not count."""

    def __init__(self, operations: Iterable[ContractOperation]) -> None:
        """Sort the operations by their paths."""
        self._by_path: dict[tuple[str, ...], dict[str, list[ContractOperation]]] = {}
        self._by_name: dict[str, ContractOperation] = {}
        for operation in operations:
            steps = _steps(operation.path.partition("?")[0].partition("#")[0], _SINGLE)
            if operation.path.lower().startswith(("http://", "https://")):
                steps = _parted(operation.path, _SINGLE).steps
            self._by_path.setdefault(steps, {}).setdefault(operation.method, []).append(operation)
            if operation.name:
                self._by_name.setdefault(operation.name, operation)
        self._open: dict[int, list[tuple[str, ...]]] = {}
        for steps in self._by_path:
            if any(_ANY in step for step in steps):
                self._open.setdefault(len(steps), []).append(steps)

    def find(self, method: str, url: str, name: str = "") -> ContractMatch | None:
        """The operation that requests to `url` are, or None.

        Args:
            name: of the endpoint, which decides between operations whose paths differ in a query or fragment alone.
        """
        wanted = _parted(url, _DOUBLE)
        found = [
            _matched(operation, wanted, url)
            for steps in self._paths(wanted)
            for operation in sorted(
                self._by_path[steps].get(method, ()),
                key=lambda one: (one.name != name, _end(one.path) not in url),
            )
        ]
        return next((one for one in found if one.at_server), found[0] if found else None)

    def methods(self, url: str) -> tuple[str, ...]:
        """The methods that the document has for the path of `url`, sorted."""
        wanted = _parted(url, _DOUBLE)
        return tuple(sorted({method for steps in self._paths(wanted) for method in self._by_path[steps]}))

    def named(self, name: str) -> ContractOperation | None:
        """The operation of a name."""
        return self._by_name.get(name)

    def _is_root(self, wanted: _Url) -> bool:
        """Whether the URL is a server's own, which the path `/` is at."""
        roots = (operation for found in self._by_path[()].values() for operation in found)
        return not wanted.steps or any(
            _is_at(one, wanted.origin, wanted.steps) for root in roots for one in root.servers
        )

    def _paths(self, wanted: _Url) -> Iterator[tuple[str, ...]]:
        """Paths of the document that the URL may be of, the longest first; with a value in place of a name at last."""
        ends = [wanted.steps[start:] for start in range(len(wanted.steps) + 1)]
        exact = [steps for steps in ends if steps in self._by_path and (steps or self._is_root(wanted))]
        yield from exact
        if not exact:
            for end in ends[:-1]:
                yield from (steps for steps in self._open.get(len(end), ()) if _fits(steps, end))


def _end(path: str) -> str:
    """The query or fragment that some documents tell operations of one path apart by."""
    found = re.search(r"[?#].*", path)
    return found[0] if found else ""


def _matched(operation: ContractOperation, wanted: _Url, url: str) -> ContractMatch:
    steps = _steps(operation.path, _SINGLE)
    before = wanted.steps[: len(wanted.steps) - len(steps)]
    absolute = operation.path.lower().startswith(("http://", "https://"))
    at_server = (
        absolute or not operation.servers or any(_is_at(server, wanted.origin, before) for server in operation.servers)
    )
    theirs = [found.strip("{} ") for found in _SINGLE.findall(operation.path)]
    ours = [name.strip("& ") for name in _DOUBLE.findall(url.partition("?")[0])[-len(theirs) :]] if theirs else []
    pairs = dict(zip(theirs, ours, strict=True)) if len(theirs) == len(ours) else {}
    return ContractMatch(operation, at_server, pairs)


def _is_at(server: str, origin: str, before: tuple[str, ...]) -> bool:
    there = _parted(server, _SINGLE)
    if not there.origin:
        return not there.steps or before[-len(there.steps) :] == there.steps or not origin
    if not origin:  # it is joined to whatever the platform says
        return before in (there.steps, ())
    if not _fits((there.origin,), (origin,)) and not origin.endswith(_ANY) and there.origin != origin:
        return False
    if origin.endswith(f"://{_ANY}") or origin == _ANY:  # the placeholder may hold the base path as well
        return not before or _fits(there.steps[-len(before) :], before)
    return len(before) == len(there.steps) and _fits(there.steps, before)


def _fits(theirs: Sequence[str], ours: Sequence[str]) -> bool:
    """Whether each of `ours` can be what the template in its place says."""
    return all(their == our or (_ANY in their and _can_be(their, our)) for their, our in zip(theirs, ours, strict=True))


def _can_be(template: str, text: str) -> bool:
    """Whether `text` is the template with something in place of each placeholder; linear, as anybody wrote it."""
    first, *between, last = template.split(_ANY)
    if not text.startswith(first) or not text.endswith(last):
        return False
    start, end = len(first), len(text) - len(last)
    for part in between:
        found = text.find(part, start + 1, end)
        if found < 0:
            return False
        start = found + len(part)
    return start < end


def _parted(url: str, placeholder: re.Pattern[str]) -> _Url:
    url = url.strip().partition("?")[0].partition("#")[0]
    shown = placeholder.sub(_ANY, url)
    scheme, separator, rest = shown.partition("://")
    if separator:
        host, _, path = rest.partition("/")
        return _Url(_origin(scheme.lower(), host.lower()), _steps(path, _SINGLE))
    if shown.startswith(_ANY):
        host, _, path = shown.partition("/")
        return _Url(_ANY if host == _ANY else f"{_ANY}{host[2:]}", _steps(path, _SINGLE))
    return _Url("", _steps(shown, _SINGLE))


def _origin(scheme: str, host: str) -> str:
    usual = {"https": ":443", "http": ":80"}.get(scheme, "")
    return f"{scheme}://{host.removesuffix(usual) if usual else host}"


def _steps(path: str, placeholder: re.Pattern[str]) -> tuple[str, ...]:
    return tuple(unquote(step) for step in placeholder.sub(_ANY, path).strip("/").split("/") if step)
