"""Endpoints of connectors: how the instance's entries and ours become each other.

An image is what the instance holds of an endpoint in our words, defaults included, as it comes back after it was written.
"""

from collections.abc import Callable, Mapping
from itertools import count
from typing import Any

from reconciler.core.diff import same
from reconciler.core.model import encode
from reconciler.core.secret import carries_credentials, mask_text
from reconciler.stores.processmaker.canonical import count_of, decoded, is_set, text_of
from reconciler.stores.processmaker.merging import numbered

FORMS = {"json": "json", "form-urlencoded": "form-data"}
"""Our body types that an instance has, and its words; it knows no other ones."""
_OUR_FORMS = {theirs: ours for ours, theirs in FORMS.items()} | {"": "json"}
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
GROUPS = ("params", "headers")
_TIMEOUT, _ATTEMPTS, _WAIT = 30, 0, 5
"""Defaults of schemas/connector.schema.json."""

ValueOf = Callable[[str, int], Any]
"""What stands for a secret reference: by group and index of the entry."""


def declared_image(endpoint: Mapping[str, Any]) -> dict[str, Any]:
    """The image of one of our endpoints."""
    retry = endpoint.get("retry", {})
    return {
        "description": text_of(endpoint.get("description")),
        "method": endpoint.get("method", ""),
        "url": text_of(endpoint.get("url")),
        "params": [_declared_entry(entry) for entry in endpoint.get("params", ())],
        "headers": [_declared_entry(entry) for entry in endpoint.get("headers", ())],
        "body": text_of(endpoint.get("body")),
        "bodyType": endpoint.get("bodyType", "json"),
        "sample": endpoint.get("sample", {}),
        "timeoutSeconds": endpoint.get("timeoutSeconds", _TIMEOUT),
        "retry": {"attempts": retry.get("attempts", _ATTEMPTS), "waitSeconds": retry.get("waitSeconds", _WAIT)},
    }


def _declared_entry(entry: Mapping[str, Any]) -> dict[str, Any]:
    value = entry.get("value", "")
    return {
        "name": text_of(entry["name"]),
        "value": value if isinstance(value, dict) else text_of(value),
        "required": entry.get("required", False),
        "description": text_of(entry.get("description")),
    }


def live_image(entry: Mapping[str, Any], declared: Mapping[str, Any], name_of: Callable[..., str]) -> dict[str, Any]:
    """The image of one of the instance's entries.

    Args:
        declared: the image of what is known of it: where that has a secret, its reference stands for whatever is live.
        name_of: gives the name of an environment variable for a credential that nobody knows.
    """
    method, form = text_of(entry.get("method")), text_of(entry.get("body_type"))
    attempts, wait = count_of(entry.get("retry_attempts")), count_of(entry.get("retry_wait_time"))
    made = {
        "description": text_of(entry.get("description")),
        "method": method.upper() if method.upper() in _METHODS else method,
        "url": text_of(entry.get("url")),
        "body": text_of(entry.get("body")),
        "bodyType": _OUR_FORMS.get(form, form),
        "sample": _sample(entry.get("testData")),
        "timeoutSeconds": count_of(entry.get("timeout")) or _TIMEOUT,
        "retry": {"attempts": attempts or _ATTEMPTS, "waitSeconds": _WAIT if wait is None else wait},
    }
    for group in GROUPS:
        known = dict(numbered(declared[group])) if has_secret(declared.get(group)) else {}
        found = [_live_entry(item) for item in _listed(entry.get(group))]
        if group == "headers" and len(found) > 1:
            found.sort(key=lambda item: str(item["name"]).lower())
        for told, item in numbered(found):
            item["value"] = _shown(item, known.get(told, {}), name_of)
        made[group] = found
    return made


def _listed(group: Any) -> list[Mapping[str, Any]]:
    """The entries of a group; the web form leaves lines that say nothing."""
    items = group.values() if isinstance(group, dict) else group if isinstance(group, list) else ()
    return [
        item for item in items if isinstance(item, dict) and (text_of(item.get("key")) or text_of(item.get("value")))
    ]


def _live_entry(item: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": text_of(item.get("key")),
        "value": text_of(item.get("value")),
        "required": is_set(item.get("required")),
        "description": text_of(item.get("description")),
    }


def _shown(item: Mapping[str, Any], known: Mapping[str, Any], name_of: Callable[..., str]) -> Any:
    """The value of an entry, or the reference that stands for it: everybody who may view connectors can read it there.

    What nobody declares and looks like a credential gets a reference too, lest it goes into a file.
    """
    value = item["value"]
    declared = known.get("value")
    if value and (isinstance(declared, dict) or declared == value):
        return declared
    if value and "{{" not in value and (carries_credentials(item["name"]) or mask_text(value) != value):
        return {"env": name_of(item["name"])}
    return value


def _sample(test_data: Any) -> dict[str, Any]:
    """Sample values; what is no object of them is left alone where it is."""
    found = decoded(test_data) if isinstance(test_data, str) else test_data
    return found if isinstance(found, dict) else {}


def endpoint_fields(
    purpose: str, endpoint: Mapping[str, Any], entry: Mapping[str, Any], value_of: ValueOf
) -> dict[str, Any]:
    """What is sent of an endpoint. What the instance has already, or we do not know, is sent back as it was.

    Args:
        entry: what the instance has of it, {} for nothing.
    """
    image = declared_image(endpoint)
    live = live_image(entry, image, "{}".format)
    wanted = {
        "description": {"description": image["description"] or None},
        "method": {"method": image["method"]},
        "url": {"url": image["url"]},
        "body": {"body": image["body"] or None},
        "bodyType": {"body_type": FORMS.get(image["bodyType"], image["bodyType"])},
        "sample": {"testData": encode(image["sample"]).decode()},
        "timeoutSeconds": {"timeout": image["timeoutSeconds"]},
        "retry": {"retry_attempts": image["retry"]["attempts"], "retry_wait_time": image["retry"]["waitSeconds"]},
    } | {group: {group: _sent(group, image[group], entry.get(group), value_of)} for group in GROUPS}
    made = {**(entry or {"outboundConfig": []}), "purpose": purpose}
    for field, fields in wanted.items():
        if not entry or has_secret(image[field]) or not same(live[field], image[field]):
            made |= fields
    return made


def has_secret(field: Any) -> bool:
    """Whether a part of an image is a list of entries of which one has a secret."""
    return isinstance(field, list) and any(isinstance(item["value"], dict) for item in field)


def _sent(group: str, entries: list[dict[str, Any]], live: Any, value_of: ValueOf) -> list[dict[str, Any]]:
    """Entries with the ids and further keys of those that are there by the same names."""
    there = dict(numbered([{**item, "key": text_of(item.get("key"))} for item in _listed(live)], "key"))
    used = {count_of(item.get("id")) for item in there.values()}
    free = (number for number in count(1) if number not in used)
    made = []
    for index, (told, item) in enumerate(numbered(entries)):
        before = there.get(told) or {"id": next(free)}
        value = value_of(group, index) if isinstance(item["value"], dict) else item["value"]
        sent = {**before, "key": item["name"], "value": value or None, "required": item["required"]}
        if item["description"] or "description" in before:  # which the web form does not show
            sent["description"] = item["description"] or None
        made.append(sent)
    return made
