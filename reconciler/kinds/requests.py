"""From an endpoint's definition, data and secret values to the request that is sent, and what may be shown of it."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NoReturn
from urllib.parse import parse_qsl, quote, unquote_plus, urlsplit

from msgspec import Struct

from reconciler.core.references import HINT, unsendable
from reconciler.core.secret import MASK, Secret, carries_credentials, mask_text
from reconciler.errors import InvalidDefinitions, SecretUnavailable, UsageError
from reconciler.kinds.connector import secret_fields
from reconciler.kinds.mustache import Filling
from reconciler.kinds.places import PlainPlace, UrlPlace
from reconciler.kinds.request_bodies import RequestBody, build_body

Pair = tuple[str, str | Secret]
"""Name and value of a parameter or header; values that carry credentials are secrets."""

_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_OF_THE_TRANSPORT = ("connection", "content-length", "host", "transfer-encoding")


class DataMissing(UsageError):
    """Placeholders have no data."""


class GivenData(Struct, frozen=True):
    """What the caller gives beside the definition.

    Attributes:
        data: fills the placeholders.
        base_url: what a URL that begins with / is joined to, or "".
    """

    data: Mapping[str, Any]
    params: Sequence[tuple[str, str]] = ()
    headers: Sequence[tuple[str, str]] = ()
    base_url: str = ""


class Request(Struct, frozen=True):
    """A request that lacks nothing but its authorization."""

    method: str
    url: str
    params: tuple[Pair, ...]
    headers: tuple[Pair, ...]
    body: RequestBody


def build(purpose: str, endpoint: Mapping[str, Any], given: GivenData, secrets: Mapping[str, Secret]) -> Request:
    """The request of the endpoint `purpose`.

    Args:
        secrets: values by address, see `reconciler.kinds.connector.secret_fields`.

    Raises:
        DataMissing: placeholders have no data; the message names them all.
        InvalidDefinitions: the definition cannot be sent.
        SecretUnavailable: the store holds no value for a secret.
        UsageError: a value that was given cannot stand where it should.
    """
    try:
        filling = Filling(given.data)
        place = UrlPlace()
        filling.fill(endpoint["url"], place)
        entries = _Entries(purpose, endpoint, secrets, filling)
        params = tuple(_params(entries, given.params))
        headers = list(_headers(entries, given.headers))
        body = build_body(endpoint, headers, filling)
        if filling.missing:
            _refuse_missing(tuple(filling.missing))
        url = _absolute(place.text(), given.base_url)
        return Request(endpoint["method"].upper(), url, params, tuple(_complete(headers, body)), body)
    except (AttributeError, KeyError, TypeError):  # others have written what is no endpoint
        raise InvalidDefinitions(
            f"the live endpoint '{purpose}' is not a readable definition", hint="run: reconciler plan"
        ) from None


def _refuse_missing(names: tuple[str, ...]) -> None:
    hint = "give  " + " ".join(f"--set {name}=..." for name in names)
    raise DataMissing(f"there is no data for {', '.join(names)}", hint=f"{hint}, or a `sample` in the definition")


class _Entries(Struct, frozen=True):
    """The parameters and headers of an endpoint, with their values."""

    purpose: str
    endpoint: Mapping[str, Any]
    secrets: Mapping[str, Secret]
    filling: Filling

    def of(self, group: str, *, skip_incomplete: bool) -> Iterator[tuple[str, str | Secret, bool]]:
        """Name, value and whether it is required.

        Args:
            skip_incomplete: whether optional entries without data are left out.
        """
        addresses = {
            field.path[-2]: field.address
            for field in secret_fields({"endpoints": {self.purpose: self.endpoint}})
            if group in field.path[-3:-2]
        }
        for index, entry in enumerate(self.endpoint.get(group, ())):
            required = entry.get("required", False)
            filling = Filling(self.filling.data) if skip_incomplete and not required else self.filling
            name = _filled(entry["name"], filling)
            value: str | Secret
            value = self._secret(addresses[index]) if index in addresses else _filled(entry.get("value", ""), filling)
            if filling is self.filling or not filling.missing:
                yield name, _protected(name, value), required

    def _secret(self, address: str) -> Secret:
        if address not in self.secrets:
            raise SecretUnavailable(f"the store holds no value for {address}", hint="run: reconciler apply")
        return self.secrets[address]


def _filled(template: str, filling: Filling) -> str:
    place = PlainPlace()
    filling.fill(template, place)
    return place.text()


def _protected(name: str, value: str | Secret) -> str | Secret:
    return Secret(value) if isinstance(value, str) and value and carries_credentials(name) else value


def _params(entries: _Entries, given: Sequence[tuple[str, str]]) -> Iterator[Pair]:
    """The caller's values win; empty ones are sent only when required."""
    own = {name for name, _ in given}
    required = set()
    for name, value, needed in entries.of("params", skip_incomplete=True):
        required |= {name} if needed else set()
        if name not in own and (needed or value):
            yield name, value
    for name, text in given:
        if text or name in required:
            yield name, _protected(name, text)


def _headers(entries: _Entries, given: Sequence[tuple[str, str]]) -> Iterator[Pair]:
    """All, or with headers of the caller the required ones and those; empty ones only when required."""
    own = {name.lower() for name, _ in given}
    for name, value, required in entries.of("headers", skip_incomplete=False):
        if name.lower() not in own and (required or (value and not own)):
            _check_header(name, value, InvalidDefinitions)
            yield name, value
    for name, text in given:
        _check_header(name, text, UsageError)
        yield name, _protected(name, text)


def _check_header(name: str, value: str | Secret, error: type[UsageError | InvalidDefinitions]) -> None:
    if not _NAME.fullmatch(name):
        raise error("the name of a header holds what no header name may", hint="write letters, digits and hyphens")
    if name.lower() in _OF_THE_TRANSPORT:
        raise error(f"the header {name} is set by the transport", hint="remove it")
    if fault := unsendable(value.reveal() if isinstance(value, Secret) else value, in_header=True):
        raise UsageError(f"the value of the header {name} {fault}, which cannot be sent", hint=HINT)


def _complete(headers: Sequence[Pair], body: RequestBody) -> Iterator[Pair]:
    names = {name.lower() for name, _ in headers}
    if "accept" not in names:
        yield "Accept", "application/json"
    if body.media_type and "content-type" not in names:
        yield "Content-Type", body.media_type
    yield from (pair for pair in headers if body.form is None or pair[0].lower() != "content-type")


def _absolute(url: str, base_url: str) -> str:
    if not url.startswith("/"):
        return url
    if not base_url:
        hint = "say where that is with --base-url https://host, or RECONCILER_BASE_URL"
        raise UsageError("the URL begins with /, so it is the platform's own", hint=hint)
    base = UrlPlace()
    base.value("--base-url", base_url, raw=True)
    return base.text().partition("?")[0].rstrip("/") + url


def gather(sample: Mapping[str, Any], file: Mapping[str, Any], settings: Sequence[str]) -> dict[str, Any]:
    """The sample, over it the content of a file, over that each `KEY=TEXT` or `KEY:=JSON`; keys may be dotted.

    Raises:
        UsageError: a setting is neither, or the data is not what JSON can say.
    """
    data = {**sample, **file}
    for setting in settings:
        key, value = _parse(setting)
        _put(data, key.split("."), value)
    try:
        json.dumps(data, ensure_ascii=False, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError):
        raise UsageError("the data holds what JSON cannot say", hint="quote dates; write text in UTF-8") from None
    return data


def _parse(setting: str) -> tuple[str, Any]:
    key, equals, text = setting.partition("=")
    if not equals or not key.rstrip(":"):
        raise UsageError("--set wants KEY=VALUE", hint="write --set name=text, or --set name:=42 for JSON")
    if not key.endswith(":"):
        return key, text
    key = key[:-1]
    try:
        return key, json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise UsageError(f"--set {key}:= wants JSON", hint=f"for a text write --set {key}=...") from None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def _put(data: dict[str, Any], path: Sequence[str], value: Any) -> None:
    """Put `value` at a dotted place; what lies on the way is copied, because it belongs to others."""
    for step in path[:-1]:
        below = data.get(step)
        data[step] = dict(below) if isinstance(below, dict) else {}
        data = data[step]
    data[path[-1]] = value


def shown_url(request: Request) -> str:
    """The URL with its parameters; the values that are secret are masked."""
    base, question, query = request.url.partition("#")[0].partition("?")
    parts = [_shown_part(part) for part in query.split("&")] if question else []
    parts += [f"{quote(name)}={quote(shown) if shown != MASK else MASK}" for name, shown in shown_pairs(request.params)]
    return mask_text(base) + ("?" + "&".join(parts) if parts else "")


def shown_pairs(pairs: Sequence[Pair]) -> list[tuple[str, str]]:
    """Names and values; secrets and what has a token's form are masked."""
    return [(name, MASK if isinstance(value, Secret) else mask_text(value)) for name, value in pairs]


def query_secrets(url: str) -> list[Secret]:
    """Values in the query of a URL that carry credentials, to judge by their names."""
    pairs = parse_qsl(urlsplit(url).query)
    return [Secret(value) for name, value in pairs if carries_credentials(name)]


def _shown_part(part: str) -> str:
    name, equals, value = part.partition("=")
    return f"{name}={MASK}" if value and carries_credentials(unquote_plus(name)) else mask_text(name + equals + value)
