"""The endpoints of a connector of a ProcessMaker export; the instance calls them resources."""

import re
from collections.abc import Callable, Iterator
from typing import Final

from reconciler.importers.connectors import MAX_KEY
from reconciler.importers.endpoints import METHODS
from reconciler.importers.entries import MAX_NAME
from reconciler.importers.operations import MAX_ENTRIES
from reconciler.importers.processmaker_files import held
from reconciler.importers.processmaker_texts import MAX_VALUE, Texts
from reconciler.importers.servers import is_plain
from reconciler.importers.urls import MAX_URL, WRITTEN_URL
from reconciler.importers.values import Json, Object, Pointer, clean, is_true, mapping, sequence, spell, text, unique
from reconciler.kinds.places import url_fault
from reconciler.kinds.plain_endpoints import OF_THE_TRANSPORT

MAX_BODY: Final = 1_048_576  # maxLength of body in schemas/connector.schema.json
MAX_SAMPLES: Final = 500  # maxProperties of sample there
_KNOWN: Final = frozenset(
    [
        "purpose",
        "description",
        "method",
        "url",
        "params",
        "headers",
        "body",
        "body_type",
        "testData",
        "timeout",
        "retry_attempts",
        "retry_wait_time",
        "id",
        "view",
        "updated",
        "operation",
        "testConfig",
    ]
)
"""Keys that are carried over, and those that only the instance's own screens use."""
_TIMEOUT: Final = 30  # the default of timeoutSeconds in schemas/connector.schema.json
_WAIT: Final = 5  # of retry.waitSeconds
_FORMS: Final = {"": "", "json": "", "form-data": "form-urlencoded"}
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,255}")


def endpoints_of(given: Json, where: Pointer, texts: Texts) -> dict[str, Object]:
    """The endpoints of a connector, by purpose."""
    value = held(given, where, texts.desk.notes)
    if isinstance(value, list):  # so an instance shows keys that are all numbers
        value = {text(mapping(item).get("purpose")) or str(index): item for index, item in enumerate(value)}
    found: dict[str, Object] = {}
    for purpose, item in mapping(value).items():
        place = (*where, purpose)
        if not isinstance(item, dict):
            texts.desk.notes.add("malformed", place, "an endpoint should be an object")
            continue
        spec = _endpoint(item, place, texts)
        if spec:
            name = unique(_name(purpose, item, place, texts), found.__contains__, MAX_KEY)
            found[name] = spec
    return found


def _name(purpose: str, item: Object, where: Pointer, texts: Texts) -> str:
    wanted = texts.title(purpose) or texts.title(text(item.get("purpose"))) or "endpoint"
    if wanted != purpose or len(wanted) > MAX_KEY:
        texts.desk.notes.add("endpoint-renamed", where, "names of endpoints that could not be kept")
    return wanted


def _endpoint(item: Object, where: Pointer, texts: Texts) -> Object:
    """One endpoint; nothing where no connector can send it."""
    desk = texts.desk
    method = texts.title(text(item.get("method"))).upper()
    if method not in METHODS:
        desk.say("unsupported-method", where, f"connectors do not have the method {clean(method)[:40] or 'of none'}")
        return {}
    url, taken = texts.taken_out(_without_fragment(clean(text(item.get("url"))).strip(), where, texts))
    url = texts.url(url, (*where, "url"))
    fault = "" if WRITTEN_URL.fullmatch(url) and len(url) <= MAX_URL else "it is missing, too long or malformed"
    if fault := fault or (url_fault(url) or ""):
        desk.notes.add("operation-skipped", where, f"its URL cannot be used: {fault}")
        return {}
    params = list(_entries(item.get("params"), (*where, "params"), texts))
    for pair in taken:
        value = desk.reference(pair.name, (pair.value,), (*where, "url"))
        params.append({"name": pair.name, "value": value, "required": True})
    headers = list(_entries(item.get("headers"), (*where, "headers"), texts, _header_fault))
    if is_plain(url) and any(isinstance(entry.get("value"), dict) for entry in [*params, *headers]):
        desk.say("plain-http", where, "credentials would be sent over plain http; ask for an https server")
    found: Object = {
        "description": texts.prose(text(item.get("description")), where),
        "method": method,
        "url": url,
        "params": [*params[:MAX_ENTRIES]],
        "headers": [*headers[:MAX_ENTRIES]],
        **_body(item, where, texts),
        "sample": _sample(item, where, texts),
        **_patience(item, where, texts),
    }
    _note_rest(item, where, texts)
    return {key: value for key, value in found.items() if value or key in ("method", "url")}


def _without_fragment(url: str, where: Pointer, texts: Texts) -> str:
    if "#" not in url or "{{#" in url:
        return url
    texts.desk.notes.add("url-changed", (*where, "url"), "what follows # in a URL never reaches a server and was left out")  # fmt: skip
    return url.partition("#")[0]


Fault = Callable[[str], str]
"""Why an entry cannot have this name, or ""."""


def _entries(given: Json, where: Pointer, texts: Texts, fault_of: Fault | None = None) -> Iterator[Object]:
    for index, entry in enumerate(map(mapping, sequence(given))):
        name, place = clean(spell(entry.get("key"))).strip(), (*where, index)
        if not name and not spell(entry.get("value")):
            continue
        fault = "its name is missing or too long" if not name or len(name) > MAX_NAME else ""
        fault = fault or (fault_of(name) if fault_of else "")
        fault = fault or ("its name looks like a secret" if texts.desk.withheld.reveals(name) else "")
        if fault:
            texts.desk.notes.add("parameter-skipped", place, fault)
            continue
        value = texts.value(name, spell(entry.get("value")), (*place, "value"))
        if isinstance(value, str) and len(value) > MAX_VALUE:
            texts.desk.notes.add("default-dropped", place, "the value is too long and was not copied")
            value = ""
        made: Object = {"name": name, "value": value}
        if is_true(entry.get("required")) or entry.get("required") in (1, "1"):
            made["required"] = True
        made["description"] = texts.prose(text(entry.get("description")), place)
        yield {key: item for key, item in made.items() if item}


def _header_fault(name: str) -> str:
    if not _HEADER.fullmatch(name):
        return "this is not the name of a header"
    return f"{name} is set by the transport" if name.lower() in OF_THE_TRANSPORT else ""


def _body(item: Object, where: Pointer, texts: Texts) -> Object:
    given = item.get("body")
    content = clean(given if isinstance(given, str) else spell(given)).strip()
    if not content:
        return {}
    form = texts.title(text(item.get("body_type")))
    if form not in _FORMS:
        message = f"the body's type {clean(form)[:40]} is not known: it is sent as JSON is"
        texts.desk.say("media-type-chosen", (*where, "body_type"), message)
    body = texts.body(content, (*where, "body"))
    if len(body) > MAX_BODY:
        texts.desk.notes.add("body-cut", (*where, "body"), "the body is too large; callers give it whole")
        return {"body": "{{body}}"}
    return {"body": body, "bodyType": _FORMS.get(form, "")}


def _sample(item: Object, where: Pointer, texts: Texts) -> Object:
    place = (*where, "testData")
    value = held(item.get("testData"), place, texts.desk.notes)
    if value and not isinstance(value, dict):
        texts.desk.notes.add("example-dropped", place, "samples that are no object")
    found = texts.sample(mapping(value), place)
    if len(found) > MAX_SAMPLES:
        texts.desk.notes.add("example-dropped", place, f"more than {MAX_SAMPLES} samples")
        return {}
    return found


def _patience(item: Object, where: Pointer, texts: Texts) -> Object:
    """How long is waited, and how often asked again; 0 seconds are the default there, too."""
    timeout = _whole(item, "timeout", 3600, where, texts)
    attempts = _whole(item, "retry_attempts", 50, where, texts)
    found: Object = {"timeoutSeconds": timeout if timeout != _TIMEOUT else 0}
    wait = _WAIT if item.get("retry_wait_time") in (None, "") else _whole(item, "retry_wait_time", 3600, where, texts)
    retry: Object = {"attempts": attempts} if attempts else {}
    if wait != _WAIT:
        retry["waitSeconds"] = wait
    return {**found, "retry": retry}


def _whole(item: Object, key: str, most: int, where: Pointer, texts: Texts) -> int:
    given = text(item.get(key)).strip()
    if not given:
        return 0
    value = int(given) if given.isascii() and given.isdecimal() and len(given) < 10 else -1
    if not 0 <= value <= most:
        texts.desk.notes.add("default-dropped", (*where, key), f"a number from 0 to {most} is expected here")
        return max(0, min(value, most))
    return value


def _note_rest(item: Object, where: Pointer, texts: Texts) -> None:
    for key, value in item.items():
        if key not in _KNOWN and value not in (None, "", 0, False, [], {}):
            message = "keys of endpoints that a connector has no place for"
            texts.desk.notes.add("not-represented", (*where, key), message, texts.desk.withheld.without(key))
