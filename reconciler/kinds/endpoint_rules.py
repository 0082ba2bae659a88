"""What people get wrong in endpoints, and a schema cannot see: in URLs, bodies, headers and samples.

Each rule is asked of every endpoint of every definition, so the first question is one that costs next to nothing.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote_plus

from reconciler.core.secret import carries_credentials, is_secret_key
from reconciler.diagnostics import Finding, Path, Place, Repair
from reconciler.errors import InvalidDefinitions
from reconciler.kinds.body_rules import body_findings, is_sound
from reconciler.kinds.mustache import WRITTEN_TAG, Tag, parse
from reconciler.kinds.plain_endpoints import OF_THE_TRANSPORT

Endpoint = Mapping[str, Any]

_NAMES = re.compile(r"\{\{[{&#^]?[ ]*([\w.-]+)")
_WORD = r"([A-Za-z_][\w.-]{0,29})"
_OTHER = re.compile(rf"\$?\{{{_WORD}\}}|<{_WORD}>")
_MAYBE = re.compile(rf"(?<=/):{_WORD}(?=/|\Z)|%7[Bb]{_WORD}%7[Dd]|\$(?=\0)")
_PAIR = re.compile(r"(?<![^&=])([^&=]++)=([^&]*+)")
_LONE = re.compile(rf"\$?\{{{_WORD}\}}")
_SINGLE = frozenset(
    ("authorization", "content-type", "cookie", "from", "if-modified-since", "if-range", "if-unmodified-since",
     "max-forwards", "proxy-authorization", "range", "referer", "user-agent")
)  # fmt: skip
"""Headers that may stand once: https://www.rfc-editor.org/rfc/rfc9110#section-5.3."""
_REMOVED = "[removed]"
"""What `import` writes in place of what looks like a secret."""


def endpoint_findings(endpoints: Mapping[str, Endpoint], document: int) -> list[Finding]:
    """What is wrong with the endpoints of a connector."""
    found: list[Finding] = []
    used: set[str] = set()
    for purpose, endpoint in endpoints.items():
        at = ("spec", "endpoints", purpose)
        needed = _check_texts(endpoint, Place(document, at), found)
        for group in ("params", "headers"):
            if group in endpoint:
                _check_entries(endpoint[group], Place(document, (*at, group)), found, used, needed)
        used.update(needed)
        sample = endpoint.get("sample")
        if sample and not sample.keys() >= needed:
            found += _missing(endpoint, Place(document, (*at, "sample")))
    for purpose, endpoint in endpoints.items():
        sample = endpoint.get("sample")
        if sample and not sample.keys() <= used:
            found += _unused(sample, used, Place(document, ("spec", "endpoints", purpose, "sample")))
    return found


def _check_texts(endpoint: Endpoint, place: Place, found: list[Finding]) -> set[str]:
    """The names of the placeholders in URL and body."""
    url, body = endpoint["url"], endpoint.get("body", "")
    if _is_odd(url):
        found += url_findings(url, _below(place, "url"))
    if body and not is_sound(body, endpoint.get("bodyType", "json")):
        found += body_findings(endpoint, _below(place, "body"))
    if _REMOVED in body:
        found.append(_left_out(body, _below(place, "body")))
    names = _NAMES.findall(url) if "{{" in url else []
    return {*names, *_NAMES.findall(body)} if "{{" in body else set(names)


def _check_entries(
    entries: list[dict[str, Any]], place: Place, found: list[Finding], used: set[str], needed: set[str]
) -> None:
    """Adds the names of placeholders to `used`, or those of required entries to `needed`."""
    for index, entry in enumerate(entries):
        value = entry.get("value", "")
        if type(value) is str and ("{" in value or _REMOVED in value or "{{" in entry["name"]):
            (needed if entry.get("required") else used).update(_NAMES.findall(value + entry["name"]))
            found += _entry_findings(value, _below(place, index, "value"))
    if place.path[-1] == "headers":
        found += _header_findings(entries, place)


def _below(place: Place, *steps: str | int) -> Place:
    return Place(place.document, (*place.path, *steps))


def _is_odd(url: str) -> bool:
    return (
        "?" in url
        or "/:" in url
        or "<" in url
        or "%7" in url
        or ("{" in url and (url.count("{") != 2 * url.count("{{") or "${{" in url or "{{removed" in url))
    )


def url_findings(url: str, place: Place) -> Iterator[Finding]:
    """Credentials in the query, and placeholders of other languages than mustache."""
    plain = WRITTEN_TAG.sub(lambda found: "\0" * len(found[0]), url)
    for match in _OTHER.finditer(plain):
        name = match[1] or match[2]
        start, end = match.span()
        opening = 2 if match[0].startswith("$") else 1
        repair = Repair(f"write {{{{{name}}}}}", "within", parts=((start, start + opening, "{{"), (end - 1, end, "}}")))
        at, hint = _part(place, start, end), f"write {{{{{name}}}}}, or %7B and %7D for braces that are meant"
        yield Finding("RC506", f"{match[0]} would be sent as it stands", at, hint, repair)
    path = re.split(r"[?#]", plain, maxsplit=1)[0]
    for match in _MAYBE.finditer(path):
        yield _maybe(match, place)
    query = plain.partition("#")[0].partition("?")[2]
    shift = len(plain.partition("?")[0]) + 1
    for match in _PAIR.finditer(query):
        name = unquote_plus(match[1])
        if match[2] and "\0" not in match[2] and carries_credentials(name):
            at = _part(place, shift + match.start(), shift + match.end())
            hint = f"take it out of the URL, and add to params: {{name: {name[:40]}, value: {{env: NAME}}}}"
            yield Finding("RC411", f"the URL carries credentials: {name[:40]}", at, hint)
    if "{{removed}}" in url:
        start = url.index("{{removed}}")
        yield Finding("RC511", *_WORDS_OF_REMOVED, _part(place, start, start + len("{{removed}}")), _HINT_OF_REMOVED)


def _part(place: Place, start: int, end: int) -> Place:
    return Place(place.document, place.path, part=(start, end))


def _maybe(match: re.Match[str], place: Place) -> Finding:
    at, name = _part(place, *match.span()), match[1] or match[2]
    if not name:
        return Finding("RC507", "a $ before a placeholder is sent with its value", at, "write {{name}} without it")
    return Finding("RC507", f"{match[0]} is sent as it stands", at, f"is {{{{{name}}}}} meant?")


_WORDS_OF_REMOVED = ("here `import` took out what looked like a secret",)
_HINT_OF_REMOVED = "write what belongs here: {{name}} for a caller's data, or a secret reference in params or headers"


def _left_out(text: str, place: Place) -> Finding:
    start = text.index(_REMOVED)
    return Finding("RC511", *_WORDS_OF_REMOVED, _part(place, start, start + len(_REMOVED)), _HINT_OF_REMOVED)


def _entry_findings(value: str, place: Place) -> Iterator[Finding]:
    if lone := _LONE.fullmatch(value):
        yield Finding("RC507", f"{value} is sent as it stands", place, f"is {{{{{lone[1]}}}}} meant?")
    if _REMOVED in value:
        yield _left_out(value, place)


def _header_findings(headers: list[dict[str, Any]], place: Place) -> Iterator[Finding]:
    names = [entry["name"].lower() for entry in headers]
    distinct = set(names)
    if len(distinct) == len(names) and distinct.isdisjoint(OF_THE_TRANSPORT):
        return
    for index, name in enumerate(names):
        at = _below(place, index, "name")
        if name in OF_THE_TRANSPORT:
            yield Finding("RC513", f"the header {name} is set by the transport", at, "remove it")
        elif name in names[:index]:
            same = any(entry.get("value") == headers[index].get("value") for entry in headers[:index])
            if name in _SINGLE or (same and headers[names.index(name)].get("value") == headers[index].get("value")):
                yield Finding("RC512", f"the header {name[:60]} stands twice", at, "remove one")


def _missing(endpoint: Endpoint, place: Place) -> Iterator[Finding]:
    """What a call with the sample alone lacks; who holds a secret gives it with the call."""
    sample = endpoint["sample"]
    if len(sample) >= 500:  # it holds no more
        return
    required = [entry for group in ("params", "headers") for entry in endpoint.get(group, ()) if entry.get("required")]
    texts = [endpoint["url"], endpoint.get("body", ""), *(entry.get("value", "") for entry in required)]
    wanted = [tag.text.split(".")[0] for text in texts if isinstance(text, str) for tag in _tags(text)]
    names = [name for name in dict.fromkeys(wanted) if name and name not in sample]
    lacking = [name for name in names if not _may_be_secret(name)]
    if lacking:
        message = f"the sample has no value for {', '.join(lacking[:5])}{' and more' * (len(lacking) > 5)}"
        yield Finding(
            "RC510", message, Place(place.document, place.path, at_key=True), "add it, or a test call asks for it"
        )


def _may_be_secret(name: str) -> bool:
    """Whether what the placeholder stands for may be nothing to write into a file; `import` joins names by _."""
    return any(carries_credentials(part) or is_secret_key(part) for part in (name, *name.split("_")))


def _tags(text: str) -> Iterator[Tag]:
    """The placeholders outside of sections."""
    try:
        yield from (tag for tag in (parse(text) if "{{" in text else ()) if tag.kind in ("variable", "no escape"))
    except InvalidDefinitions:  # told by another rule
        return


def _unused(sample: Mapping[str, Any], used: set[str], place: Place) -> Iterator[Finding]:
    from difflib import get_close_matches

    known = {name.split(".")[0] for name in used}
    for key in sample:
        if key not in known:
            path: Path = (*place.path, key)
            near = get_close_matches(key, known - sample.keys(), n=1)
            hint = f"is {near[0]} meant?" if near else "remove it, or correct the name"
            hint = "a dot leads into a mapping" if key in used else hint
            yield Finding(
                "RC509", f"no template of the connector uses {key[:60]}", Place(place.document, path, at_key=True), hint
            )
