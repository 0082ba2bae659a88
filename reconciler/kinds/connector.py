"""What a connector and a category are: canonical form, references, secrets and rules."""

import re
from collections.abc import Container, Iterator
from functools import partial
from typing import Any

from reconciler.core.references import only, own
from reconciler.core.secret import carries_credentials
from reconciler.diagnostics import Finding, Path, Place
from reconciler.kinds.common import (
    COLON,
    Defaults,
    Reference,
    SecretField,
    canonical_lifecycle,
    dotted,
    each,
    in_order,
    user_has_colon,
    user_of_basic,
    whole,
    without,
)
from reconciler.kinds.endpoint_rules import endpoint_findings
from reconciler.kinds.media_rules import media_findings
from reconciler.kinds.mustache import template_fault
from reconciler.kinds.plain_endpoints import are_plain

_LOOPBACK = re.compile(r"http://(?:[^/@]*@)?(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?:[:/?#]|$)", re.IGNORECASE)
_SENDABLE = re.compile(
    r"(?:https?://(?:[A-Za-z0-9-]{1,63}\.){0,3}[A-Za-z][A-Za-z0-9-]{0,62}(?::[1-9][0-9]{0,3})?(?:[/?]|\Z)|/)"
    r"[A-Za-z0-9_~:/?#\[\]@!$&'()*+,;=.{}-]*"
)
"""Plain URLs, which are most: what is left is looked at by what builds requests."""
_USERINFO = re.compile(r"://[^/?#\s]*@")
_AUTHORIZATION_SECRETS = ("username", "password", "token", "clientId", "clientSecret")


_DEFAULTS: Defaults = (("description", ""), ("status", "active"))
_TLS_DEFAULTS: Defaults = (("verify", True), ("allowPlainHttp", False))
_EMPTY_BLOCKS: Defaults = (("tls", {}), ("endpoints", {}), ("authorizations", {}))
_FURTHER: Defaults = (("fields", []), ("headers", []))
_AUTHORIZATION_DEFAULTS: Defaults = (
    ("scopes", []),
    ("clientAuthentication", "basic"),
    ("resource", []),
    *_FURTHER,
)
TOKEN_REQUEST_DEFAULTS = {
    "send": "form",
    "usernameField": "username",
    "passwordField": "password",
    "tokenField": "access_token",
}
_TOKEN_REQUEST: Defaults = (*TOKEN_REQUEST_DEFAULTS.items(), *_FURTHER)
_ENDPOINT_DEFAULTS: Defaults = (
    ("description", ""),
    ("body", ""),
    ("bodyType", "json"),
    ("pathParams", []),
    ("params", []),
    ("headers", []),
    ("formFields", []),
    ("sample", {}),
    ("timeoutSeconds", 30),
    ("retry", {}),
)
_RETRY_DEFAULTS: Defaults = (("attempts", 0), ("waitSeconds", 5))
_ENTRY_DEFAULTS: Defaults = (("value", ""), ("required", False), ("description", ""))
_STYLES = {"pathParams": "simple", "params": "form", "headers": "simple"}
"""By group the style of an entry that names none; of form fields it depends on the value."""


def canonical(spec: dict[str, Any]) -> dict[str, Any]:
    """The canonical form of a spec: sets sorted, defaults left out.

    Query parameters keep their order, because they are sent in it; headers are sorted by name.
    """
    made = {**without(spec, _DEFAULTS), "categories": in_order(spec["categories"])}
    authorization = spec.get("authorization")
    if authorization is not None:
        if authorization["method"] == "none":
            del made["authorization"]
        else:
            made["authorization"] = _canonical_authorization(authorization)
    if "authorizations" in spec:
        made["authorizations"] = {
            name: _canonical_authorization(block) for name, block in spec["authorizations"].items()
        }
    if spec.get("tls") is not None:
        made["tls"] = without(spec["tls"], _TLS_DEFAULTS)
    endpoints = spec.get("endpoints")
    if endpoints is not None:
        made["endpoints"] = {purpose: _canonical_endpoint(endpoint) for purpose, endpoint in endpoints.items()}
    return canonical_lifecycle(without(made, _EMPTY_BLOCKS))


def _canonical_authorization(authorization: dict[str, Any]) -> dict[str, Any]:
    made = {**authorization}
    if "scopes" in authorization:
        made["scopes"] = in_order(authorization["scopes"])
    if "resource" in authorization:
        made["resource"] = in_order(authorization["resource"])
    if authorization.get("tokenRequest") is not None:
        made["tokenRequest"] = without(authorization["tokenRequest"], _TOKEN_REQUEST)
    return without(made, _AUTHORIZATION_DEFAULTS)


def _canonical_endpoint(endpoint: dict[str, Any]) -> dict[str, Any]:
    made = {**endpoint}
    for group in ("pathParams", "params", "headers", "formFields"):
        if group in endpoint:
            entries = each(endpoint[group], partial(_canonical_entry, style=_STYLES.get(group, "")))
            made[group] = entries if group == "params" or len(entries) < 2 else in_order(entries, key=_lower_name)
    if "timeoutSeconds" in endpoint:
        made = whole(made, "timeoutSeconds")
    retry = endpoint.get("retry")
    if retry is not None:
        made["retry"] = without(whole(whole(retry, "attempts"), "waitSeconds"), _RETRY_DEFAULTS)
    return without(made, _ENDPOINT_DEFAULTS)


def _lower_name(entry: dict[str, Any]) -> str:
    name: str = entry["name"]
    return name.lower()


def _canonical_entry(entry: dict[str, Any], style: str) -> dict[str, Any]:
    made = without(entry, _ENTRY_DEFAULTS)
    if "style" not in entry and (not style or "explode" not in entry):
        return made  # of a form field without a style `explode` says something, whatever it is
    explodes = entry.get("style", style or "form") == "form"
    return without(made, (("style", style), ("explode", explodes)))


def references(spec: dict[str, Any]) -> Iterator[Reference]:
    """Its categories."""
    for index, name in enumerate(spec["categories"]):
        yield Reference("Category", name, ("spec", "categories", index))


def secret_fields(spec: dict[str, Any]) -> Iterator[SecretField]:
    """Every secret reference in `spec`, with its path from the document's root."""
    for path, address, value in _secret_places(spec, dict):
        yield SecretField(path, address, value)


def literals(spec: dict[str, Any], secrets: Container[str]) -> Iterator[tuple[Path, str]]:
    """Path and address of each text in `spec` that stands where a secret of one of the addresses belongs."""
    for path, address, _ in _secret_places(spec, str):
        if address in secrets:
            yield path, address


def _secret_places(spec: dict[str, Any], of: type) -> Iterator[tuple[Path, str, Any]]:
    """Path, address and value of what is of one type, `of`, where a secret reference may stand."""
    for path, block in authorizations(spec):
        yield from _authorization_places(block, path, of)
    if "tls" in spec:
        for key in ("ca", "clientCertificate", "clientKey"):
            if type(spec["tls"].get(key)) is of:
                yield ("spec", "tls", key), f"tls.{key}", spec["tls"][key]
    for purpose, endpoint in spec.get("endpoints", {}).items():
        for group in ("params", "headers"):
            if group not in endpoint:
                continue
            entries = endpoint[group]
            for index, entry in enumerate(entries):
                if type(entry.get("value")) is of:
                    path = ("spec", "endpoints", purpose, group, index, "value")
                    yield path, _entry_address(path, entries), entry["value"]


def authorizations(spec: dict[str, Any]) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The connector's own authorization and the further ones, each with its path from the document's root."""
    if spec.get("authorization"):
        yield ("spec", "authorization"), spec["authorization"]
    for name, block in spec.get("authorizations", {}).items():
        yield ("spec", "authorizations", name), block


def _entry_address(path: Path, entries: list[dict[str, Any]]) -> str:
    """Address of an entry's value, by name; of entries of one name the later ones are numbered."""
    *start, index, _ = path
    assert isinstance(index, int)
    name = entries[index]["name"]
    earlier = sum(entry["name"] == name for entry in entries[:index])
    repeat = f"#{earlier + 1}" if earlier else ""
    return f"{dotted(tuple(start))}.{name}{repeat}.value"


def _authorization_places(authorization: dict[str, Any], start: Path, of: type) -> Iterator[tuple[Path, str, Any]]:
    for key in _AUTHORIZATION_SECRETS:
        if type(authorization.get(key)) is of:
            yield (*start, key), dotted((*start, key)), authorization[key]
    yield from _further_places(authorization, start, of)
    request = authorization.get("tokenRequest", {})
    start = (*start, "tokenRequest")
    for key in ("username", "password"):
        if type(request.get(key)) is of:
            yield (*start, key), dotted((*start, key)), request[key]
    yield from _further_places(request, start, of)


def _further_places(block: dict[str, Any], start: Path, of: type) -> Iterator[tuple[Path, str, Any]]:
    """The same of the further fields and headers of a token request."""
    for group in ("fields", "headers"):
        for index, entry in enumerate(block.get(group, ())):
            if type(entry["value"]) is of:
                path = (*start, group, index, "value")
                yield path, _entry_address(path, block[group]), entry["value"]


def rules(spec: dict[str, Any], document: int) -> list[Finding]:
    """What the schema cannot say: TLS, mustache, literal credentials, plain http."""
    found: list[Finding] = []
    tls = spec.get("tls")
    if tls and tls.get("verify") is False:
        found += _tls_findings(tls, document)
    authorization = spec.get("authorization", {})
    for key in ("tokenUrl", "tokenRequest"):
        if key in authorization:
            path: Path = ("spec", "authorization", key)
            url = authorization[key]
            if isinstance(url, dict):
                url, path = url["url"], (*path, "url")
            _check_template(url, path, document, found)
            if "{{" in url:
                hint = "tokens are fetched without a caller's data: write the URL out"
                found.append(Finding("RC502", "the token URL has placeholders", Place(document, path), hint))
            _check_url(url, path, document, found, secret=True)
    if user_has_colon(authorization):
        place = Place(document, ("spec", "authorization", *user_of_basic(authorization)))
        found.append(Finding("RC406", f"the user {COLON}", place, "choose another method, or another user"))
    for field in secret_fields(spec):
        scheme, target = only(field.reference)
        if what := own(scheme, target):
            found.append(Finding("RC404", f"it leads to {what}", Place(document, (*field.path, scheme)), "name another place"))  # fmt: skip
    endpoints = spec.get("endpoints")
    return found + _of_endpoints(spec, document) if endpoints and not are_plain(endpoints) else found


def _of_endpoints(spec: dict[str, Any], document: int) -> list[Finding]:
    found: list[Finding] = []
    authorized = spec.get("authorization", {}).get("method", "none") != "none"
    for purpose, endpoint in spec["endpoints"].items():
        _check_endpoint(endpoint, ("spec", "endpoints", purpose), document, found, authorized=authorized)
    return found + endpoint_findings(spec["endpoints"], document)


def _tls_findings(tls: dict[str, Any], document: int) -> Iterator[Finding]:
    place = Place(document, ("spec", "tls", "verify"))
    if "reason" in tls:
        hint = "a private authority is the better way: remove the line and add  ca: {file: PATH}"
        yield Finding("RC602", "certificates are not verified", place, hint)
    else:
        hint = "for a private authority add  ca: {file: PATH}  instead; else add `reason:` or remove the line"
        yield Finding("RC601", "certificates are not verified and no reason is given", place, hint)
    if "ca" in tls:
        yield Finding("RC606", "the authority is not used, because certificates are not verified", Place(document, ("spec", "tls", "ca")), "remove `verify: false`")  # fmt: skip


def _check_endpoint(
    endpoint: dict[str, Any], path: Path, document: int, found: list[Finding], *, authorized: bool
) -> None:
    for group in ("params", "headers"):
        if group in endpoint:
            for index, entry in enumerate(endpoint[group]):
                value = entry.get("value", "")
                if type(value) is dict:
                    authorized = True
                    continue
                if "{{" in value or "{{" in entry["name"]:
                    _check_template(value, (*path, group, index, "value"), document, found)
                    _check_template(entry["name"], (*path, group, index, "name"), document, found)
                elif value and carries_credentials(entry["name"]):
                    message = f"'{entry['name']}' carries credentials and has a literal value"
                    hint = "give a reference: value: {env: NAME}"
                    found.append(Finding("RC403", message, Place(document, (*path, group, index, "value")), hint))
    url = endpoint["url"]
    _check_url(url, (*path, "url"), document, found, secret=authorized)
    if "{{" in url:
        _check_template(url, (*path, "url"), document, found)
    if "body" in endpoint:
        if "{{" in endpoint["body"]:
            _check_template(endpoint["body"], (*path, "body"), document, found)
        found += media_findings(endpoint, path, document)


def _check_template(text: str, path: Path, document: int, found: list[Finding]) -> None:
    if "{{" in text:
        fault = template_fault(text)
        if fault:
            found.append(Finding("RC501", fault, Place(document, path), "write {{name}}; see mustache(5)"))


def _check_url(url: str, path: Path, document: int, found: list[Finding], *, secret: bool) -> None:
    if "@" in url and _USERINFO.search(url):
        hint = "remove it and use authorization: {method: basic, ...}"
        found.append(Finding("RC402", "the URL carries a user or password", Place(document, path), hint))
    elif _SENDABLE.fullmatch(url) is None or ("/." in url and "{{" in url):
        from reconciler.kinds.places import url_fault

        fault = url_fault(url)
        if fault:
            message = f"no request can go to this URL: {fault}"
            found.append(Finding("RC503", message, Place(document, path), "write https://host/path, percent-encoded"))
    if secret and is_insecure(url):
        message = "credentials would be sent over plain http"
        found.append(Finding("RC605", message, Place(document, path), "use https://"))


def is_insecure(url: str) -> bool:
    """Whether anyone on the way to the host of `url` can read what is sent: plain http, but not to this machine."""
    return url[:5].lower() == "http:" and not _LOOPBACK.match(url)


def canonical_category(spec: dict[str, Any]) -> dict[str, Any]:
    """The canonical form of a spec: defaults left out."""
    return canonical_lifecycle(without(spec, _DEFAULTS))
