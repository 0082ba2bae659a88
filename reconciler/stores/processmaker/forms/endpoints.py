"""Endpoints of connectors: how the instance's entries and ours become each other.

An image is what the instance holds of an endpoint in our words, defaults included, as it comes back after it was written.
"""

from collections.abc import Callable, Mapping
from itertools import count
from typing import Any

from reconciler.core.diff import same
from reconciler.core.model import encode
from reconciler.core.secret import carries_credentials, mask_text
from reconciler.diagnostics import Place
from reconciler.kinds.body_rules import body_findings, is_sound
from reconciler.stores.processmaker.forms.canonical import count_of, decoded, is_set, text_of
from reconciler.stores.processmaker.forms.carryover import numbered

FORMS = {"json": "json", "raw": "", "form-urlencoded": "form-data"}
"""Our body types that an instance has, and its words. All but form-data go out as they are, whatever they are."""
_AS_IT_IS = ("json", "raw", "")
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
        "bodyType": _form(endpoint.get("bodyType", "json")),
        "sample": endpoint.get("sample", {}),
        "timeoutSeconds": endpoint.get("timeoutSeconds", _TIMEOUT),
        "retry": {"attempts": retry.get("attempts", _ATTEMPTS), "waitSeconds": retry.get("waitSeconds", _WAIT)},
    }


def _form(word: str) -> str:
    """Our word for a body type, ours or the instance's; json for whatever goes out as it is."""
    if word in _AS_IT_IS:
        return "json"
    return "form-urlencoded" if word == FORMS["form-urlencoded"] else word


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
    method = text_of(entry.get("method"))
    attempts, wait = count_of(entry.get("retry_attempts")), count_of(entry.get("retry_wait_time"))
    made = {
        "description": text_of(entry.get("description")),
        "method": method.upper() if method.upper() in _METHODS else method,
        "url": text_of(entry.get("url")),
        "body": text_of(entry.get("body")),
        "bodyType": _form(text_of(entry.get("body_type"))),
        "sample": _sample(entry.get("testData")),
        "timeoutSeconds": count_of(entry.get("timeout")) or _TIMEOUT,
        "retry": {"attempts": attempts or _ATTEMPTS, "waitSeconds": _WAIT if wait is None else wait},
    }
    for group in GROUPS:
        found = [_live_entry(item) for item in _listed(entry.get(group))]
        if group == "headers" and len(found) > 1:
            found.sort(key=lambda item: str(item["name"]).lower())
        if has_secret(declared.get(group)) or any(map(_tells_secret, found)):
            known = dict(numbered(declared.get(group, [])))
            for told, item in numbered(found):
                item["value"] = _shown(item, known.get(told, {}).get("value"), name_of)
        made[group] = found
    if made["bodyType"] == "json" and made["body"] != declared.get("body") and not _is_json(made):
        made["bodyType"] = "raw"
    return made


def _is_json(image: Mapping[str, Any]) -> bool:
    """Whether a definition may say that the body is JSON."""
    return is_sound(image["body"], "json") or next(body_findings(image, Place(0, ())), None) is None


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


def _tells_secret(item: Mapping[str, Any]) -> bool:
    """Whether the value of an entry looks like a credential."""
    value = item["value"]
    return bool(value) and "{{" not in value and (carries_credentials(item["name"]) or mask_text(value) != value)


def _shown(item: Mapping[str, Any], known: Any, name_of: Callable[..., str]) -> Any:
    """The value of an entry, or the reference that stands for it: everybody who may view connectors can read it there.

    What nobody declares and looks like a credential gets a reference too, lest it goes into a file.
    """
    if item["value"] and isinstance(known, dict):
        return known
    return {"env": name_of(item["name"])} if item["value"] != known and _tells_secret(item) else item["value"]


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
        "bodyType": {"body_type": _sent_form(endpoint)},
        "sample": {"testData": encode(image["sample"]).decode()},
        "timeoutSeconds": {"timeout": image["timeoutSeconds"]},
        "retry": {"retry_attempts": image["retry"]["attempts"], "retry_wait_time": image["retry"]["waitSeconds"]},
    } | {group: {group: _sent(group, image[group], entry.get(group), value_of)} for group in GROUPS}
    made = {**(entry or {"outboundConfig": []}), "purpose": purpose}
    for field, fields in wanted.items():
        if not entry or has_secret(image[field]) or not same(live[field], image[field]):
            made |= fields
    return made


def _sent_form(endpoint: Mapping[str, Any]) -> str | None:
    form = endpoint.get("bodyType", "json")
    return FORMS.get(form, form) or None


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
