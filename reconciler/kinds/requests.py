"""From an endpoint's definition, data and secret values to the request that is sent, and what may be shown of it."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NoReturn
from urllib.parse import parse_qsl, unquote_plus, urlsplit

from msgspec import Struct
from msgspec.structs import replace

from reconciler.core.secret import MASK, Secret, carries_credentials, mask_text
from reconciler.errors import InvalidDefinitions, UsageError
from reconciler.kinds.mustache import Filling
from reconciler.kinds.places import UrlPlace
from reconciler.kinds.queries import without_names
from reconciler.kinds.request_bodies import RequestBody, build_body
from reconciler.kinds.request_entries import Entries, Pair, Param, headers_of, params_of
from reconciler.kinds.styles import encoded, percent_encoded, style_of


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
    params: tuple[Param, ...]
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
        place = UrlPlace({entry["name"]: style_of(entry, "simple") for entry in endpoint.get("pathParams", ())})
        entries = Entries(purpose, endpoint, secrets, filling)
        params = tuple(params_of(entries, given.params))
        instead = {name for name, _ in (*params, *given.params)}
        in_url = Filling(given.data)
        in_url.fill(without_names(endpoint["url"], instead), place)
        headers = list(headers_of(entries, given.headers))
        body = build_body(endpoint, headers, filling)
        if missing := in_url.missing | filling.missing:
            _refuse_missing(tuple(missing))
        url = _absolute(without_names(place.text(), instead), given.base_url)
        return Request(endpoint["method"].upper(), url, params, tuple(_complete(headers, body)), body)
    except (AttributeError, KeyError, TypeError):  # others have written what is no endpoint
        raise InvalidDefinitions(
            f"the live endpoint '{purpose}' is not a readable definition", hint="run: reconciler plan"
        ) from None
    except UnicodeEncodeError:
        raise InvalidDefinitions(f"the endpoint '{purpose}' holds half a character", hint="write it in full") from None
    except RecursionError:
        raise UsageError("the data is nested too deeply") from None


def _refuse_missing(names: tuple[str, ...]) -> None:
    hint = "give  " + " ".join(f"--set {name}=..." for name in names)
    raise DataMissing(f"there is no data for {', '.join(names)}", hint=f"{hint}, or a `sample` in the definition")


def _complete(headers: Sequence[Pair], body: RequestBody) -> Iterator[Pair]:
    names = {name.lower() for name, _ in headers}
    ours = body.media_type.startswith("multipart/")  # nobody else knows the boundary
    if "accept" not in names:
        yield "Accept", "application/json"
    if body.media_type and ("content-type" not in names or ours):
        yield "Content-Type", body.media_type
    yield from (pair for pair in headers if not ours or pair[0].lower() != "content-type")


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


def sent_url(request: Request) -> str:
    """The URL with its parameters, secrets in the clear: for the line that sends it."""
    params = ((name, value.reveal() if isinstance(value, Secret) else value) for name, value in request.params)
    base = request.url.partition("#")[0]
    return _with_query(base, map(encoded, params))


def shown_url(request: Request) -> str:
    """The same, where the values that are secret are masked."""
    base, question, query = request.url.partition("#")[0].partition("?")
    own = "&".join(map(_shown_part, query.split("&"))) if question else ""
    return _with_query(mask_text(base) + question + own, map(_shown_param, request.params))


def _with_query(url: str, parts: Iterable[str]) -> str:
    query = "&".join(parts)
    joint = "" if url.endswith(("?", "&")) else "&" if "?" in url else "?"
    return url + joint + query if query else url


def _shown_param(param: Param) -> str:
    name, value = param
    if isinstance(value, Secret):
        value = MASK
    elif isinstance(value, str):
        value = mask_text(value)
    else:
        value = replace(value, texts=tuple(map(mask_text, value.texts)))
    return encoded((name, value)).replace(percent_encoded(MASK), MASK)


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
