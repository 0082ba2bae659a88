"""What is wrong with a text that has not the form that a schema asks for: its characters, its scheme, its case."""

import re
from collections.abc import Iterator

_CLASS = re.compile(r"\[(?!\^)((?:\\.|[^\]\\]){1,300}+)\]")
_NEGATED_OR_ANY = re.compile(r"\[\^|(?<!\\)\.(?![^\[\]]{0,300}+\])")
_GROUP_SIGNS = re.compile(r"\(\?[:=!<]*|[()^$?*+|]|\{[0-9,]+\}")
_SCHEME = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]{0,20})(?P<signs>:?//|:\\\\|:/|;//|:(?=[A-Za-z]))")
_VERB = re.compile(r"(?:GET|POST|PUT|PATCH|DELETE|HEAD)\s", re.IGNORECASE)
_HOST = re.compile(r"[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+(?=[:/?]|$)|localhost(?=[:/?]|$)|[A-Za-z0-9-]+:[0-9]{2,5}(?=/|$)")
_MOST = 5
_URL = r"^(https?://"
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


def is_url_pattern(pattern: str) -> bool:
    """Whether it is the form of a URL that requests go to."""
    return pattern.startswith(_URL)


def unallowed(text: str, pattern: str) -> list[str]:
    """The characters of a text that nothing in a pattern allows, each once, in their order.

    Empty where the pattern allows whole groups of characters by what they are not.
    """
    if _NEGATED_OR_ANY.search(pattern):
        return []
    classes = "".join(_CLASS.findall(pattern))
    rest = _GROUP_SIGNS.sub("", _CLASS.sub("", pattern)).replace("\\", "")
    allowed = re.compile(f"[{classes}]") if classes else None
    odd = (char for char in text if char not in rest and not (allowed and allowed.match(char)))
    return list(dict.fromkeys(odd))


def shown(characters: list[str]) -> str:
    """Characters as a message names them."""
    named = [_named(char) for char in characters[:_MOST]]
    return ", ".join(named) + (" and others" if len(characters) > _MOST else "")


def _named(char: str) -> str:
    if char == " ":
        return "a blank"
    if char.isprintable():
        return f"'{char}'"
    return f"U+{ord(char):04X}"


def as_name(text: str) -> str:
    """The name that is next to a text, or "" where there is none."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z][a-z])", "-", text).lower()
    made = re.sub(r"[^a-z0-9]+", "-", words).strip("-")
    return made if made != text and _NAME.fullmatch(made) else ""


def url_fault(url: str, *, takes_path: bool) -> tuple[str, str]:
    """What is wrong with a URL that begins as none does, and what to write; the URL itself is not repeated.

    Args:
        takes_path: whether a path of the platform itself may stand there.
    """
    or_path = ", or for the platform itself a path that begins with /" if takes_path else ""
    if not url.strip():
        return "is empty", f"write https://HOST/PATH{or_path}"
    if verb := _VERB.match(url):
        return f"begins with the method {verb[0].strip()}", "leave the URL alone here, and give `method` by itself"
    found = _SCHEME.match(url)
    if found and not (found["signs"] == ":" and not _near_http(found["scheme"])):
        return _scheme_fault(found["scheme"], found["signs"], url[found.end() :])
    if url.startswith("{") or "{{" in url[:8]:
        return "does not begin with a placeholder as they are written", "a placeholder is {{name}}"
    if _HOST.match(url):
        return "has no scheme", f"write https:// before it{or_path}"
    return "does not begin with https://", f"write https://HOST/PATH{or_path}"


def _scheme_fault(scheme: str, signs: str, rest: str) -> tuple[str, str]:
    near = _near_http(scheme)
    if not near:
        return f"has the scheme {scheme}", "requests are sent by https:// and http:// alone"
    if not rest.strip() or rest[0].isspace():
        return "has no host", f"write {near}://HOST/PATH"
    if scheme == near and signs == "://":
        return "does not begin as a URL does", f"write {near}://HOST/PATH"
    wrong = "has an unknown scheme" if scheme.lower() not in ("http", "https") else "does not begin as a URL does"
    return f"{wrong}, {scheme}{signs}", f"write {near}:// instead"


def _near_http(scheme: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(scheme.lower(), ("https", "http"), n=1, cutoff=0.7)
    return ("http" if scheme.lower() == "http" else "https") if near else ""


def parts(text: str, pattern: str) -> Iterator[str]:
    """The items that a text lists between commas or blanks, where each has the form of a pattern; else the text whole."""
    found = [part for part in re.split(r"[,;\s]+", text) if part]
    yield from found if found and pattern and all(re.search(pattern, part) for part in found) else [text]
