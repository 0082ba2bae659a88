"""What a connector and a category are: canonical form, references, secrets and rules."""

import re
from collections.abc import Container, Iterator
from functools import partial
from typing import Any

from reconciler.core.references import only, own
from reconciler.core.secret import carries_credentials
from reconciler.diagnostics import Finding, Path, Place
from reconciler.kinds.authorization_blocks import (
    NONE,
    allows_plain_http,
    block_findings,
    blocks,
    canonical_block,
    choice_findings,
    entry_address,
    secret_places,
)
from reconciler.kinds.common import (
    PLAIN_HTTP_HINT,
    Defaults,
    Reference,
    SecretField,
    canonical_lifecycle,
    each,
    in_order,
    is_insecure,
    whole,
    without,
)
from reconciler.kinds.endpoint_rules import endpoint_findings
from reconciler.kinds.media_rules import media_findings
from reconciler.kinds.mustache import template_fault
from reconciler.kinds.plain_endpoints import are_plain

_SENDABLE = re.compile(
    r"(?:https?://(?:[A-Za-z0-9-]{1,63}\.){0,3}[A-Za-z][A-Za-z0-9-]{0,62}(?::[1-9][0-9]{0,3})?(?:[/?]|\Z)|/(?!/))"
    r"[A-Za-z0-9_~:/?#\[\]@!$&'()*+,;=.{}-]*"
)
"""Plain URLs, which are most: what is left is looked at by what builds requests."""
_USERINFO = re.compile(r"://[^/?#\s]*@")

_DEFAULTS: Defaults = (("description", ""), ("status", "active"))
_TLS_DEFAULTS: Defaults = (("verify", True), ("allowPlainHttp", False))
_EMPTY_BLOCKS: Defaults = (("tls", {}), ("endpoints", {}), ("authorizations", {}))
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
            made["authorization"] = canonical_block(authorization)
    if "authorizations" in spec:
        made["authorizations"] = {name: canonical_block(block) for name, block in spec["authorizations"].items()}
    if spec.get("tls") is not None:
        made["tls"] = without(spec["tls"], _TLS_DEFAULTS)
    endpoints = spec.get("endpoints")
    if endpoints is not None:
        made["endpoints"] = {purpose: _canonical_endpoint(endpoint) for purpose, endpoint in endpoints.items()}
    return canonical_lifecycle(without(made, _EMPTY_BLOCKS))


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
    for start, block in blocks(spec):
        yield from secret_places(block, start, of)
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
                    yield path, entry_address(path, entries), entry["value"]


def rules(spec: dict[str, Any], document: int) -> list[Finding]:
    """What the schema cannot say: TLS, authorizations, mustache, literal credentials, plain http."""
    found: list[Finding] = []
    plain = allows_plain_http(spec)
    if "tls" in spec:
        found += _tls_findings(spec["tls"], document)
    for start, block in blocks(spec):
        _check_token_url(block, start, document, found, plain=plain)
        found += block_findings(block, start, document)
    for field in secret_fields(spec):
        scheme, target = only(field.reference)
        if what := own(scheme, target):
            found.append(Finding("RC404", f"it leads to {what}", Place(document, (*field.path, scheme)), "name another place"))  # fmt: skip
    endpoints = spec.get("endpoints", {})
    are_sound = are_plain(endpoints)
    if not are_sound:
        found += _of_endpoints(spec, document, plain=plain)
    if "authorizations" in spec or (not are_sound and any("authorization" in item for item in endpoints.values())):
        found += choice_findings(spec, document)
    return found


def _of_endpoints(spec: dict[str, Any], document: int, *, plain: bool) -> list[Finding]:
    found: list[Finding] = []
    by_name = {"": spec.get("authorization", {}), NONE: {}, **spec.get("authorizations", {})}
    carrying = {name for name, block in by_name.items() if block.get("method", "none") != "none"}
    for purpose, endpoint in spec["endpoints"].items():
        authorized = endpoint.get("authorization", "") in carrying
        _check_endpoint(endpoint, ("spec", "endpoints", purpose), document, found, authorized=authorized, plain=plain)
    return found + endpoint_findings(spec["endpoints"], document)


def _check_token_url(block: dict[str, Any], path: Path, document: int, found: list[Finding], *, plain: bool) -> None:
    for key in ("tokenUrl", "tokenRequest"):
        if key in block:
            url, path = block[key], (*path, key)
            if isinstance(url, dict):
                url, path = url["url"], (*path, "url")
            _check_template(url, path, document, found)
            if "{{" in url:
                hint = "tokens are fetched without a caller's data: write the URL out"
                found.append(Finding("RC502", "the token URL has placeholders", Place(document, path), hint))
            _check_url(url, path, document, found, secret=not plain)


def _tls_findings(tls: dict[str, Any], document: int) -> Iterator[Finding]:
    if tls.get("allowPlainHttp"):
        place = Place(document, ("spec", "tls", "allowPlainHttp"))
        if "reason" in tls:
            yield Finding("RC610", "credentials may go over plain http", place, "where the server speaks https, write that and remove the line")  # fmt: skip
        else:
            hint = "add `reason:` beside it, for whoever reviews it, or remove the line"
            yield Finding("RC609", "credentials may go over plain http and no reason is given", place, hint)
    if tls.get("verify") is not False:
        return
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
    endpoint: dict[str, Any], path: Path, document: int, found: list[Finding], *, authorized: bool, plain: bool
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
    _check_url(url, (*path, "url"), document, found, secret=authorized and not plain)
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
            hint = "write https://host/path, percent-encoded"
            if url.startswith("//"):
                hint = "write https: before it, or for a path of the platform itself one / alone"
            found.append(Finding("RC503", message, Place(document, path), hint))
    if secret and is_insecure(url):
        message = "credentials would be sent over plain http"
        found.append(Finding("RC605", message, Place(document, path), PLAIN_HTTP_HINT))


def canonical_category(spec: dict[str, Any]) -> dict[str, Any]:
    """The canonical form of a spec: defaults left out."""
    return canonical_lifecycle(without(spec, _DEFAULTS))
