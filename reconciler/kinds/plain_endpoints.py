"""Whether endpoints are so plain that no rule can object to them: asked of every definition, so it has to be fast.

It may say no too often, never yes when a rule of `connector`, `endpoint_rules`, `body_rules` or `media_rules` has something to say.
"""

import re
from collections.abc import Mapping
from typing import Any

from reconciler.core.secret import carries_credentials
from reconciler.kinds.body_rules import is_sound

OF_THE_TRANSPORT = frozenset(("connection", "content-length", "host", "transfer-encoding"))
_TELLING = OF_THE_TRANSPORT | {"content-type"}
_URLS = re.compile(
    r"(?:(?:https://(?:[A-Za-z0-9-]{1,63}\.){0,3}[A-Za-z][A-Za-z0-9-]{0,62}(?::[1-9][0-9]{0,3})?(?=[/\n])|(?=/(?!/)))"
    r"(?:[A-Za-z0-9_~#\[\]!&'()*+,;=.-]++|/(?![.:])|(?<!/):|\{\{(?!removed\b)[\w.-]++\}\})*+\n)*+"
)
"""Lines of a plain URL each: nothing in it that may be a query, a user, or a placeholder of another language."""
_VARIABLE = re.compile(r"\{\{[ ]*([\w.-]+)[ ]*\}\}")


def are_plain(endpoints: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether nothing can be wrong with the endpoints of a connector."""
    urls = loose = ""
    names: list[str] = []
    sampled: dict[str, Any] = {}
    for endpoint in endpoints.values():
        url = text = endpoint["url"]
        urls += url + "\n"
        if "authorization" in endpoint or "pathParams" in endpoint or "formFields" in endpoint:
            return False
        if "body" in endpoint:
            text = url + endpoint["body"]
            if endpoint.get("bodyType", "json") != "json" or not is_sound(endpoint["body"], "json"):
                return False
        entries = endpoint.get("params")
        values = _plain_values(entries) if entries else ""
        headers = endpoint.get("headers")
        if headers and values is not None:
            given = {entry["name"].lower() for entry in headers}
            is_odd = len(given) != len(headers) or not given.isdisjoint(_TELLING)
            values = None if is_odd or (more := _plain_values(headers)) is None else values + more
        if values is None or "[removed" in text:
            return False
        loose += values
        found = _VARIABLE.findall(text) if "{{" in text else ()
        names += found
        sample = endpoint.get("sample")
        if len(found) != text.count("{{") or (sample and not all(map(sample.__contains__, found))):
            return False
        if sample:
            sampled.update(sample)
    found = _VARIABLE.findall(loose)
    names += found
    if len(found) != loose.count("{{") or urls.count("\n") != len(endpoints):  # a URL of several lines is none
        return False
    return sampled.keys() <= set(names) and _URLS.fullmatch(urls) is not None


def _plain_values(entries: list[dict[str, Any]]) -> str | None:
    """The values of entries that are one placeholder; None where an entry is another template, or may be a secret."""
    found = ""
    for entry in entries:
        value, name = entry.get("value", ""), entry["name"]
        if type(value) is not str:
            continue
        if "{" in value:
            if value[:2] != "{{" or len(entry) > 2:
                return None
            found += value
        elif "[" in value or (value and carries_credentials(name)):
            return None
        if "{" in name:
            return None
    return found
