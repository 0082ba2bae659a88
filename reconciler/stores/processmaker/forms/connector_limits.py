"""What an instance cannot hold of a connector: its authorization, TLS settings, endpoints and secrets."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.core.secret import Secret
from reconciler.diagnostics import Finding, Path, Place
from reconciler.kinds.authorization_blocks import NONE
from reconciler.stores.processmaker.forms.canonical import trimmed
from reconciler.stores.processmaker.forms.endpoints import FORMS
from reconciler.stores.processmaker.forms.names import are_holdable_purposes
from reconciler.stores.processmaker.wire.options import Options

MAX_BYTES = 30_000
"""Of the credentials of a connector: what the server keeps of them encrypted, it refuses from some 36,000 on."""
_STYLES = {"pathParams": "simple", "params": "form", "headers": "simple"}
_INSTEAD = {"multipart": "form-urlencoded"}
_FETCHED_BY_US = ("oauth2-client-credentials",)


def of_connector(spec: Mapping[str, Any], options: Options) -> Iterator[Finding]:
    """Why the spec of a connector cannot be held as it is, but for its name and description."""
    block = spec.get("authorization", {})
    yield from _authorization(block, is_renewed=options.token_renewal == "scheduled")  # noqa: S105 (no password)
    if spec.get("authorizations"):
        message = "a connector of ProcessMaker has one authorization"
        hint = "make a connector of its own of the endpoints that carry another one"
        yield Finding("RC906", message, Place(0, ("spec", "authorizations"), at_key=True), hint)
    yield from _tls(spec.get("tls", {}))
    endpoints = spec.get("endpoints", {})
    if not are_holdable_purposes(endpoints):
        message = "ProcessMaker makes a list of endpoints whose names are all numbers, and loses the names"
        first = next(iter(endpoints))
        yield Finding("RC909", message, Place(0, ("spec", "endpoints", first), at_key=True), "name one of them otherwise")  # fmt: skip
    is_open = block.get("method", "none") == "none"
    for purpose, endpoint in endpoints.items():
        path = ("spec", "endpoints", purpose)
        if not is_whole(purpose):
            yield Finding("RC909", "ProcessMaker takes blanks off the ends of the name", Place(0, path, at_key=True), "take them off")  # fmt: skip
        if "authorization" in endpoint and not (is_open and endpoint["authorization"] == NONE):
            message = "all endpoints of a connector carry the same authorization in ProcessMaker"
            hint = "make a connector of its own of the endpoints that carry another one, or none"
            yield Finding("RC906", message, Place(0, (*path, "authorization")), hint)
        yield from _endpoint(endpoint, path, options)


def is_fetched_by_us(block: Mapping[str, Any]) -> bool:
    """Whether the instance gets a token that we fetch, as it cannot."""
    return block.get("method") in _FETCHED_BY_US or "tokenRequest" in block


def _authorization(block: Mapping[str, Any], *, is_renewed: bool) -> Iterator[Finding]:
    path = ("spec", "authorization")
    if is_fetched_by_us(block):
        if not is_renewed:
            message = "ProcessMaker cannot fetch this token: it gets one from us, which nobody renews between two runs"
            hint = "run `reconciler token renew` on a schedule, and say so by  processmaker: {tokenRenewal: scheduled}  in the target"  # fmt: skip
            yield Finding("RC907", message, Place(0, (*path, "method")), hint)
        return
    if block.get("method") == "oauth2-password":
        yield from _password_grant(block, path)
    for key in ("tokenUrl", "username", "clientId"):
        value = block.get(key)
        if isinstance(value, str) and not is_whole(value):
            yield _blanks((*path, key), value)


def _password_grant(block: Mapping[str, Any], path: Path) -> Iterator[Finding]:
    """ProcessMaker posts user, password and client as a form, and nothing else, to a URL that nobody fills in."""
    if "{{" in block["tokenUrl"]:
        message = "ProcessMaker fetches tokens without a caller's data: the token URL has placeholders"
        hint = "write the URL out; no export can read it of a connector that was made by hand"
        yield Finding("RC906", message, Place(0, (*path, "tokenUrl")), hint)
    if "clientId" in block and block.get("clientAuthentication", "basic") != "body":
        message = "ProcessMaker sends the client's credentials in the body"
        place = Place(0, (*path, "clientAuthentication" if "clientAuthentication" in block else "method"))
        yield Finding("RC906", message, place, "write  clientAuthentication: body  if the token endpoint takes that")
    for key in ("scopes", "audience", "resource", "fields", "headers"):
        if block.get(key):
            message = f"ProcessMaker sends no {key} with a token request"
            hint = "leave it out if the token endpoint gives a token without it; else fetch one by oauth2-client-credentials"  # fmt: skip
            yield Finding("RC906", message, Place(0, (*path, key), at_key=True), hint)


def _tls(tls: Mapping[str, Any]) -> Iterator[Finding]:
    if "ca" in tls:
        message = "a connector of ProcessMaker has no authority of its own"
        hint = "have the authority installed on the instance's server, and remove the line"
        yield Finding("RC908", message, Place(0, ("spec", "tls", "ca"), at_key=True), hint)
    for key in ("clientCertificate", "clientKey"):
        if key in tls:
            message = "ProcessMaker shows no client certificate"
            hint = "put a proxy that shows it before the server, and remove the line"
            yield Finding("RC908", message, Place(0, ("spec", "tls", key), at_key=True), hint)


def _endpoint(endpoint: Mapping[str, Any], path: Path, options: Options) -> Iterator[Finding]:
    if not is_whole(endpoint["url"]):
        yield _blanks((*path, "url"), endpoint["url"])
    form = endpoint.get("bodyType", "json")
    if form not in FORMS:
        message = f"ProcessMaker sends no {form} bodies"
        yield Finding("RC910", message, Place(0, (*path, "bodyType")), f"use {_INSTEAD[form]} if the server takes that")
    if endpoint.get("formFields"):
        message = "ProcessMaker writes the fields of a form in one way only"
        yield Finding("RC910", message, Place(0, (*path, "formFields"), at_key=True), "leave `formFields` out")
    for group, style in _STYLES.items():
        for index, entry in enumerate(endpoint.get(group, ())):
            yield from _entry(entry, (*path, group, index), style, options)


def _entry(entry: Mapping[str, Any], path: Path, style: str, options: Options) -> Iterator[Finding]:
    for key, usual in (("style", style), ("explode", style == "form")):
        if entry.get(key, usual) != usual:
            message = "ProcessMaker puts the value in as it is, in no style"
            hint = f"leave `{key}` out, and have lists and objects written by whoever calls"
            yield Finding("RC910", message, Place(0, (*path, key)), hint)
    if trimmed(entry["name"]) != entry["name"]:
        yield _blanks((*path, "name"), entry["name"])
    value = entry.get("value", "")
    if isinstance(value, str):
        if trimmed(value) != value:
            yield _blanks((*path, "value"), value)
    elif not options.allow_secrets_in_endpoints:
        message = "in ProcessMaker everybody who may view connectors reads the values of headers and parameters"
        hint = "use `authorization`; or accept it by  processmaker: {allowSecretsInEndpoints: true}  in the target"
        yield Finding("RC914", message, Place(0, (*path, "value")), hint)


def is_whole(text: str) -> bool:
    """Whether a text is kept to its ends; an empty one is not, as it becomes null."""
    return text != "" and trimmed(text) == text


def _blanks(path: Path, value: str) -> Finding:
    if value == "":
        return Finding("RC902", "ProcessMaker keeps no empty value here", Place(0, path), "write a value")
    return Finding("RC902", "ProcessMaker takes blanks off the ends of the value", Place(0, path), "take them off")


def secret_objection(value: str) -> str:
    """Why an instance would not keep the value of a secret, as the rest of a sentence; "" where it does."""
    if not trimmed(value):
        return "is empty, which ProcessMaker does not keep"
    if not is_whole(value):
        return "begins or ends with blanks, which ProcessMaker takes off"
    return f"is longer than the {MAX_BYTES:,} bytes that ProcessMaker keeps" if _size(value) > MAX_BYTES else ""


def secret_objections(body: Mapping[str, Any], secrets: Mapping[str, Secret]) -> dict[str, str]:
    """Those of a connector's secrets by address. What we fetch a token with is not sent."""
    spec = body["spec"]
    sent = {
        place: secret
        for place, secret in secrets.items()
        if not (place.startswith("authorization.") and is_fetched_by_us(spec.get("authorization", {})))
    }
    found = {place: said for place, secret in sent.items() if (said := secret_objection(secret.reveal()))}
    credentials = [place for place in sent if place.startswith("authorization.")]
    if not found and sum(_size(sent[place].reveal()) for place in credentials) > MAX_BYTES:
        said = f"is, with the others of the connector, longer than the {MAX_BYTES:,} bytes that ProcessMaker keeps"
        return dict.fromkeys(credentials, said)
    return found


def _size(value: str) -> int:
    return len(json.dumps(value, ensure_ascii=False).encode())
