"""How values are escaped where they stand: in plain text, in JSON, in a URL."""

import json
import re
from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from itertools import product
from typing import Any
from urllib.parse import unquote, urlsplit

from msgspec import Struct, field

from reconciler.errors import InvalidDefinitions, UsageError
from reconciler.kinds.mustache import Tag, parse
from reconciler.kinds.styles import SIMPLE, Style, as_json, as_text, bare, expanded, percent_encoded

_HOST = r"(?:[\w.-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?"
_URL = re.compile(rf"https?://{_HOST}(?:[/?#].*)?", re.IGNORECASE)
_BASE = re.compile(rf"https?://{_HOST}(?:/.*)?", re.IGNORECASE | re.ASCII)
_IN_HOST = re.compile(r"(?:[A-Za-z]+(?::/{0,2})?)?|https?://[^/?#\\]*", re.IGNORECASE)
_HOST_PART = re.compile(r"[\w.:-]*", re.ASCII)
_NEVER_IN_URL = re.compile(r"[\x00-\x20\x7f-\xa0\\\u2028\u2029]")
_PATH = re.compile(r"[?#]")
_NUMBERS = re.compile(r"[0-9]+(?:\.[0-9]+){3}")
_QUOTES = re.compile(r'\\.|"', re.DOTALL)


class PlainPlace:
    """Text that escapes nothing: parameters, whose escaping is the transport's, headers and raw bodies."""

    def __init__(self) -> None:
        self._parts: list[str] = []

    def literal(self, text: str) -> None:
        """Add a part of the template."""
        self._parts.append(text)

    def value(self, name: str, value: Any, *, raw: bool) -> None:
        """Add a value as text."""
        self._parts.append(as_text(value))

    def text(self) -> str:
        """What was added."""
        return "".join(self._parts)


class JsonPlace(PlainPlace):
    """JSON: within quotes values are escaped, elsewhere they are written as JSON."""

    def __init__(self) -> None:
        super().__init__()
        self._quoted = False

    def literal(self, text: str) -> None:
        """Add a part of the template, or a raw value."""
        super().literal(text)
        if sum(found[0] == '"' for found in _QUOTES.finditer(text)) % 2:
            self._quoted = not self._quoted

    def value(self, name: str, value: Any, *, raw: bool) -> None:
        """Add a value, escaped unless `raw`.

        Raises:
            InvalidDefinitions: a backslash before it would escape its first character.
        """
        if self._parts and (len(self._parts[-1]) - len(self._parts[-1].rstrip("\\"))) % 2:
            raise InvalidDefinitions(f"body: a backslash stands before the placeholder {name}", hint="remove it")
        if raw:
            self.literal(as_text(value))
        elif self._quoted:
            self._parts.append(json.dumps(as_text(value), ensure_ascii=False)[1:-1])
        else:
            self._parts.append(as_json(value))


class _Piece(Struct, frozen=True):
    """A part of a URL.

    Attributes:
        text: as it stands in the host; of the template itself everywhere.
        name: of the placeholder; "" for the template's own text.
        written: as it stands behind the host.
        said: what it says without the delimiters of its style.
    """

    text: str
    name: str = ""
    raw: bool = False
    written: str = ""
    said: str = ""


class UrlPlace(Struct):
    """A URL: values are percent-encoded and cannot reach beyond the part that they stand in.

    Attributes:
        styles: of placeholders, by name; of the others it is simple.
    """

    styles: Mapping[str, Style] = field(default_factory=dict)
    pieces: list[_Piece] = field(default_factory=list)

    def literal(self, text: str) -> None:
        """Add a part of the template."""
        if text:
            self.pieces.append(_Piece(text))

    def value(self, name: str, value: Any, *, raw: bool) -> None:
        """Add a value; percent-encoded unless `raw` or in the host."""
        written = expanded(name, value, self.styles.get(name, SIMPLE), str if raw else percent_encoded)
        self.pieces.append(_Piece(as_text(value), name, raw, written, bare(value)))

    def text(self) -> str:
        """The URL.

        Raises:
            InvalidDefinitions: it is no URL to begin with.
            UsageError: a value would make another URL of it than the template says.
        """
        url = ""
        for position, piece in enumerate(self.pieces):
            if not piece.name:
                url += piece.text
                continue
            if not any(sign in url for sign in "?#"):
                _refuse_empty(url, piece)
            if _IN_HOST.fullmatch(url):
                follower = self.pieces[position + 1].text[:1] if position + 1 < len(self.pieces) else ""
                url += _in_host(url, piece, ends=follower in ("", "/", "?", "#"))
            else:
                url += piece.written
        self._check(url)
        return url

    def _check(self, url: str) -> None:
        filled = ", ".join(dict.fromkeys(piece.name for piece in self.pieces if piece.name))
        if _NEVER_IN_URL.search(url):
            if filled:
                raise UsageError(f"url: with this value of {filled} it holds characters that no URL may hold")
            raise InvalidDefinitions("url: it holds a space, a backslash or a control character")
        if not url.startswith("/") and not (_URL.fullmatch(url) and _splits(url)):
            if filled:
                raise UsageError(f"url: with this value of {filled} it is not a URL", hint="write https://host/path")
            raise InvalidDefinitions("url: it is not http://host/path or https://host/path", hint="a user or password does not belong there")  # fmt: skip
        if filled and any(unquote(step.partition(";")[0]) in (".", "..") for step in urlsplit(url).path.split("/")):
            raise UsageError(f"url: with this value of {filled} a step of its path is . or ..")


def _refuse_empty(url: str, piece: _Piece) -> None:
    """Stop where a value leaves a part of host or path empty: what remains is another URL, say of all there is.

    Args:
        url: what stands before it.
    """
    text = piece.said
    if piece.raw and url.endswith("/"):  # what ends the path leaves its last step empty too
        text = _PATH.split(text, maxsplit=1)[0].strip("/")
    if not text.strip():
        hint = f"give  --set {piece.name}=...  that is not empty; a section, {{{{#{piece.name}}}}}, says what may be left out"
        raise UsageError(
            f"url: the value of {piece.name} is empty, and without it the URL would be another one", hint=hint
        )


def _splits(url: str) -> bool:
    """Whether its host and port are such; the pattern knows only of which characters they are."""
    try:
        parts = urlsplit(url)
        return _is_host(parts.hostname or "") and parts.port != 0
    except ValueError:
        return False


def _is_host(host: str) -> bool:
    """Whether a request can go there, as far as the name tells.

    Raises:
        ValueError: it is an address that does not exist, or has letters that no name may have.
    """
    if ":" in host or _NUMBERS.fullmatch(host):
        ip_address(host)
        return True
    if not host.isascii():
        import idna  # what httpx asks

        host = idna.encode(host).decode()
    labels = host.removesuffix(".").split(".")
    return len(host) <= 253 and all(0 < len(label) <= 63 for label in labels)


_VALUES = ("x", "1", "::1", "/x", "https://x.example", "https://x.example/")
_TRIED = 3  # placeholders for which all of the values are tried; for the rest the first


def url_fault(template: str) -> str:
    """Why no request can go to a URL, whatever its placeholders are filled with, or ""; as `UrlPlace` has it.

    Of a template that does not parse, and of what its sections make of it, nothing is said.
    """
    if template.startswith("//"):
        return "it names a host, and no scheme"
    try:
        tags = parse(template) if "{{" in template else [Tag("literal", template)]
    except InvalidDefinitions:
        return ""
    if any(_NEVER_IN_URL.search(tag.text) for tag in tags if tag.kind == "literal"):
        return "it holds a space, a backslash or a control character"
    if any(tag.kind.endswith("section") for tag in tags):
        return ""
    names = [index for index, tag in enumerate(tags) if tag.kind != "literal"]
    fault = ""
    for values in product(_VALUES, repeat=min(len(names), _TRIED)):
        fault = _fault_with(tags, dict(zip(names, values, strict=False)))
        if not fault:
            return ""
    return (
        "whatever its placeholders are filled with, it is not http://host/path or https://host/path" if names else fault
    )


def _fault_with(tags: Sequence[Tag], values: Mapping[int, str]) -> str:
    place = UrlPlace()
    for index, tag in enumerate(tags):
        if tag.kind == "literal":
            place.literal(tag.text)
        else:
            place.value(tag.text, values.get(index, _VALUES[0]), raw=tag.kind == "no escape")
    try:
        place.text()
    except (InvalidDefinitions, UsageError) as fault:
        return fault.message.removeprefix("url: ")
    return ""


def _in_host(url: str, piece: _Piece, *, ends: bool) -> str:
    """A value before the end of the host: it may fill a part of the host, but not make another one of it.

    Args:
        url: what stands before it.
        ends: whether the host ends behind it.
    """
    text = piece.text
    if not url:
        if _BASE.fullmatch(text) and (ends or "/" in text.partition("://")[2]):
            return text
        raise UsageError(f"url: the value of {piece.name} should be a URL such as https://host/path")
    glued = url[-1].isalnum()
    if glued and piece.raw and ends and text[0] in "/?":
        return text
    if not _HOST_PART.fullmatch(text) or (glued and ends and url.lower() not in ("http", "https")):
        hint = f"it stands in the host; for a path write {{{{{{{piece.name}}}}}}} and begin the value with /"
        raise UsageError(f"url: the value of {piece.name} would make another host of it", hint=hint)
    return text
