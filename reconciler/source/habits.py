"""What people write from the memory of other programs, and what is meant by it here.

A text that is one word is the key or value that is meant; another is what to do.
"""

from collections.abc import Mapping

from reconciler.diagnostics import Path

_IN_EACH_ENDPOINT = "each endpoint has its own: endpoints: {NAME: {method: GET, url: https://HOST/PATH}}"
_API_KEY = "an API key stands in headers or params of each endpoint: {name: X-Api-Key, value: {env: NAME}}"
_OF_KUBERNETES = "remove it; labels are all that may be noted here"
_BY_WHERE = "remove it: params are those of the query, headers and pathParams have lists of their own"
_UNTYPED = "remove it: values are texts"

_KEYS: Mapping[str, Mapping[str, str]] = {
    "metadata": dict.fromkeys(("namespace", "annotations", "uid", "generatename"), _OF_KUBERNETES)
    | {"title": "displayName belongs in spec", "id": "name", "tags": "labels"},
    "spec": {
        **dict.fromkeys(("url", "baseurl", "base_url", "host", "server", "servers", "method", "path", "uri"), _IN_EACH_ENDPOINT),
        "paths": "endpoints", "operations": "endpoints", "requests": "endpoints",
        **dict.fromkeys(("active", "enabled", "disabled"), "write status: active, or status: inactive"), "state": "status",
        "title": "displayName", "name": "displayName", "label": "displayName", "summary": "description",
        "category": "categories", "folder": "categories", "tags": "categories",
        "auth": "authorization", "security": "authorization", "authentication": "authorization", "credentials": "authorization",
        "ssl": "tls", "rules": "grants", "permissions": "grants: [{permissions: [connectors:view]}]",
        "users": "in a policy: subjects: [{user: NAME}]; in a group: members: {mode: additive, users: [NAME]}",
        "roleref": "subjects and grants stand in one policy",
    },
    "authorization": {
        "type": "method", "scheme": "method", "kind": "method", "flow": "method", "granttype": "method", "grant_type": "method",
        "user": "username", "login": "username", "pass": "password", "scope": "scopes", "secret": "clientSecret",
        "url": "tokenUrl", "accesstoken": "token", "bearertoken": "token", "in": _API_KEY, "name": _API_KEY, "value": _API_KEY,
    },
    "endpoint": {
        "path": "url", "uri": "url", "href": "url", "endpoint": "url", "baseurl": "url",
        "verb": "method", "httpmethod": "method", "type": "method",
        "query": "params", "queryparams": "params", "querystring": "params", "parameters": "params", "qs": "params", "args": "params",
        "header": "headers", "data": "body", "payload": "body", "json": "body", "requestbody": "body", "form": "body",
        "contenttype": "the Content-Type stands among headers, the sort of the body is bodyType", "timeout": "timeoutSeconds",
        "retries": "retry", "auth": "authorization", "security": "authorization", "summary": "description",
        "name": "remove it: the key above is the endpoint's name", "operationid": "remove it: the key above is the endpoint's name",
        "responses": "remove it: answers are not described", "example": "sample", "examples": "sample", "variables": "sample",
        **dict.fromkeys(("get", "post", "put", "patch", "delete"), "each method is an endpoint of its own: NAME: {method: GET, url: https://HOST/PATH}"),
    },
    "param": {
        "key": "name", "param": "name", "default": "value", "example": "value", "in": _BY_WHERE,
        "type": _UNTYPED, "schema": _UNTYPED, "enabled": "leave the entry out instead", "disabled": "leave the entry out instead",
    },
    "tls": {
        **dict.fromkeys(("insecureskipverify", "insecure", "skipverify", "insecure_skip_verify", "skip_verify", "disableverification"), "write  verify: false  with a  reason: TEXT"),
        "cafile": "ca", "cabundle": "ca", "cacert": "ca", "cert": "clientCertificate", "certificate": "clientCertificate", "key": "clientKey",
    },
    "retry": {
        "count": "attempts", "max": "attempts", "retries": "attempts", "maxattempts": "attempts", "delay": "waitSeconds", "wait": "waitSeconds", "interval": "waitSeconds",
    },
    "grant": {
        "until": "expires", "expiry": "expires", "expiresat": "expires", "expiration": "expires", "verbs": "permissions", "actions": "permissions",
        "resources": "the permission names what it is for, as in connectors:view, and `on` narrows it", "scope": "on",
    },
}  # fmt: skip
"""By the place and the key in lower case."""

_OAUTH = "write oauth2-client-credentials, or oauth2-password"
_FORM = "write form-urlencoded or multipart"
_BY_BODY = "write json, form-urlencoded, multipart or raw"
_VALUES: Mapping[str, Mapping[str, str]] = {
    "status": {"enabled": "active", "on": "active", "true": "active", "disabled": "inactive", "off": "inactive", "false": "inactive", "paused": "inactive"},
    "bodyType": {
        "form-data": _FORM, "form": _FORM, "formdata": _FORM, "urlencoded": "form-urlencoded", "application/x-www-form-urlencoded": "form-urlencoded",
        "x-www-form-urlencoded": "form-urlencoded", "multipart/form-data": "multipart", "application/json": "json", "text": "raw", "xml": "raw",
        "none": "leave bodyType out where there is no body",
    },
    "method": {
        "oauth": _OAUTH, "oauth2": _OAUTH, "oauth2.0": _OAUTH, "password": "oauth2-password", "password_credentials": "oauth2-password",
        "authorization_code": "no person signs in here: write oauth2-client-credentials", "client_credentials": "oauth2-client-credentials",
        **dict.fromkeys(("apikey", "api-key", "api_key", "key", "header"), _API_KEY),
        "token": "bearer", "jwt": "bearer", "http": "write basic or bearer", "anonymous": "none", "noauth": "none", "digest": "only basic and bearer are sent",
        "head": "only GET, POST, PUT, PATCH and DELETE are sent", "options": "only GET, POST, PUT, PATCH and DELETE are sent",
    },
}  # fmt: skip
"""By the last key of the place and the value in lower case."""

_DEEDS = {
    "read": "view", "get": "view", "list": "view", "watch": "view", "add": "create", "new": "create", "write": "edit", "update": "edit",
    "modify": "edit", "patch": "edit", "remove": "delete", "destroy": "delete", "execute": "call", "use": "call", "run": "call", "invoke": "call",
}  # fmt: skip
_PROGRAMS = {
    "openapi": "this describes an interface: move it out of this folder, then: reconciler import openapi FILE",
    "swagger": "this describes an interface: move it out of this folder, then: reconciler import openapi FILE",
    "log": "this is a HAR file: move it out of this folder, and see: reconciler import --help",
    "info": "if it is a Postman collection, move it out of this folder, and see: reconciler import --help",
}


def place_named(path: Path) -> str:
    """What stands at a path, by the name that the tables have for it."""
    match path:
        case ("metadata" | "spec",):
            return str(path[0])
        case (*_, "authorizations" | "endpoints" | "grants" as above, str() | int()):
            return {"authorizations": "authorization", "endpoints": "endpoint", "grants": "grant"}[above]
        case (*_, "params" | "headers" | "pathParams" | "formFields", int()):
            return "param"
        case (*_, str() as last):
            return last
    return ""


def meant_key(key: str, path: Path) -> str:
    """What is meant by a key that is not known at a path: a key, what to do, or ""."""
    return _KEYS.get(place_named(path), {}).get(key.lower(), "")


def meant_value(value: str, path: Path) -> str:
    """What is meant by a value that may not stand at a path: a value, what to do, or ""."""
    wanted = value.strip().lower()
    if path[-2:-1] == ("permissions",):
        kind, _, deed = wanted.partition(":")
        kinds = f"{kind.removesuffix('y')}ies" if kind.endswith("y") else f"{kind.removesuffix('s')}s"
        return f"{kinds}:{_DEEDS[deed]}" if deed in _DEEDS else ""
    return _VALUES.get(str(path[-1]), {}).get(wanted, "") if path else ""


def of_another_program(content: Mapping[str, object]) -> str:
    """What to do with a document that is none of ours, or ""."""
    for key, advice in _PROGRAMS.items():
        if key in content:
            return advice
    version = content.get("apiVersion")
    if isinstance(version, str) and version and not version.startswith("reconciler/"):
        return "apiVersion says that it is a document of another program: move it out of this folder"
    return ""
