"""Connectors: what an instance says of them, and what it is told.

What it cannot hold, and the state keeps for it: labels, lifecycle, the contract, further authorizations, styles, what tls
says but `verify`, and where secrets are read from. Of an authorization it shows the sort alone.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from hashlib import sha256
from typing import Any

from reconciler.core.diff import same
from reconciler.core.secret import Secret
from reconciler.kinds.authorization_blocks import entry_address
from reconciler.kinds.canonical import fold
from reconciler.kinds.connector import canonical
from reconciler.stores.processmaker.forms.canonical import digest, entries_of, is_set, text_of, trimmed
from reconciler.stores.processmaker.forms.carryover import carried, metadata_of, numbered, sound_spec, spec_of
from reconciler.stores.processmaker.forms.categories import status_of
from reconciler.stores.processmaker.forms.endpoints import GROUPS, declared_image, endpoint_fields, live_image
from reconciler.stores.processmaker.forms.names import variable
from reconciler.stores.processmaker.forms.parts import content, optional, record, refuse, text, whole
from reconciler.stores.processmaker.forms.rows import CategoryRow, ConnectorRow

NONE, BASIC, BEARER, PASSWORD = "NONE", "BASIC", "OAUTH2_BEARER", "OAUTH2_PASSWORD"
_AUTHTYPES = {
    "none": NONE,
    "basic": BASIC,
    "bearer": BEARER,
    "oauth2-client-credentials": BEARER,
    "oauth2-password": PASSWORD,
}
UNREADABLE_URL = "{{tokenUrl}}"
"""Stands for the token URL of a connector that nobody declares: it cannot be read, and `validate` asks for it."""
SOAP, TEMPLATE, COLLECTION, SYSTEM = "SOAP", "template", "collection", "in a system category"
OTHER_TYPE, OTHER_METHOD = "of another type", "with another authorization"
"""Why connectors are left alone."""
_COLLECTION = re.compile(r"(?:https?://[^/?#]*)?(?:/[^?#]*)?/api/1\.\d+/collections/")
_GENERATED = "generated"
_READ = frozenset(
    ("id", "name", "description", "authtype", "status", "data_source_category_id", "credentials", "endpoints", "type", "created_at", "updated_at", "categories", "category")
)  # fmt: skip


def connector_row(raw: Any) -> ConnectorRow:
    """A connector as the API gives it.

    Raises:
        StoreUnavailable: it is none.
    """
    fields, number, what = record(raw, "connector")
    ciphertext = fields.get("credentials")
    return ConnectorRow(
        number,
        text(fields, "name", what),
        optional(fields, "description", what),
        optional(fields, "authtype", what) or "",  # a SOAP connector may have none
        status_of(fields.get("status")),
        _category_ids(fields.get("data_source_category_id"), what),
        content(fields.get("endpoints"), what, "endpoints"),
        sha256(ciphertext.encode()).hexdigest() if isinstance(ciphertext, str) and ciphertext else "",
        optional(fields, "type", what) or "REST",
        optional(fields, "created_at", what) or "",
        optional(fields, "updated_at", what) or "",
        {key: content(value, what, key) for key, value in fields.items() if key not in _READ and value is not None},
    )


def _category_ids(value: Any, what: str) -> tuple[int, ...]:
    """The ids of its categories: "2,5", or one number."""
    if value is None or value == "":
        return ()
    if not isinstance(value, str | int):
        refuse(what, "has no ids as data_source_category_id")
    parts = [part.strip() for part in str(value).split(",")]
    return tuple(sorted({whole(part, what, "data_source_category_id") for part in parts if part}))


def left_alone(row: ConnectorRow, categories: Mapping[int, CategoryRow], *, is_claimed: bool = False) -> str:
    """Why a connector is nobody's to manage, in words; "" where it is somebody's.

    Args:
        is_claimed: whether it is declared or owned: then one that leads to a collection is as good as any other, and
            an authorization that we do not know is a change by hand.
    """
    if row.type != "REST":
        return SOAP if row.type == SOAP else OTHER_TYPE
    if is_set(row.others.get("is_template")) or row.others.get("asset_type") is not None:
        return TEMPLATE
    filed = [categories[number] for number in row.categories if number in categories]
    if any(category.is_system for category in filed):
        return SYSTEM
    if is_claimed:
        return ""
    if row.authtype not in _AUTHTYPES.values():
        return OTHER_METHOD
    return COLLECTION if _is_generated(row, filed) else ""


def _is_generated(row: ConnectorRow, filed: list[CategoryRow]) -> bool:
    if any(fold(category.name) == _GENERATED for category in filed):
        return True
    urls = [text_of(entry.get("url")) for entry in entries_of(row.endpoints).values()]
    return bool(urls) and all(_COLLECTION.match(url) for url in urls)


def authtype_of(spec: Mapping[str, Any]) -> str:
    """What an instance calls the authorization of a connector; one that only it knows has its word for a method."""
    method: str = spec.get("authorization", {}).get("method", "none")
    return _AUTHTYPES.get(method, method)


def image(spec: Mapping[str, Any]) -> dict[str, Any]:
    """What of a spec an instance holds, in the form in which it comes back; categories by their names.

    Raises:
        KeyError, TypeError, AttributeError: it is no spec.
    """
    return {
        "displayName": text_of(spec.get("displayName")),
        "description": text_of(spec.get("description")),
        "categories": sorted(spec.get("categories", ())),
        "status": spec.get("status", "active"),
        "authorization": authtype_of(spec),
        "endpoints": {purpose: declared_image(endpoint) for purpose, endpoint in spec.get("endpoints", {}).items()},
    }


def connector_body(row: ConnectorRow, known: Any, category_names: Mapping[int, str], name: str = "") -> Any:
    """The canonical body of a row, with what it cannot hold from the known body; that one itself where it holds it.

    So it is `known` exactly when the row holds what `known` says, as far as that can be read.

    Args:
        known: what was last seen of it, or was to be written; None for nothing.
        category_names: by id, as we call them.
        name: of the record, which the names of secrets begin with that nobody declares; its display name where it has
            none yet.
    """
    name = name or row.name
    with suppress(KeyError, TypeError, AttributeError):
        declared = image(spec_of(known))
        if known is not None and same(_live_image(row, declared, category_names, name), declared):
            return known
    spec, declared = _sound(known)
    live = _live_image(row, declared, category_names, name)
    made = carried(spec, declared, live)
    if made.get("authorization") == live["authorization"]:
        made = {**made, "authorization": _unknown_authorization(name, row.authtype)}
    return metadata_of(known) | {"spec": canonical(made)}


def _sound(known: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The spec of a known body and what an instance holds of it; of what somebody made none of, nothing."""
    spec = sound_spec("Connector", known)
    with suppress(KeyError, TypeError, AttributeError):
        return spec, image(spec)
    return {}, image({})


def _live_image(
    row: ConnectorRow, declared: Mapping[str, Any], category_names: Mapping[int, str], name: str
) -> dict[str, Any]:
    def entry_image(purpose: str, entry: Mapping[str, Any]) -> dict[str, Any]:
        known = declared["endpoints"].get(purpose, {})
        return live_image(entry, known, lambda *words: variable(name, purpose, *words))

    return {
        "displayName": trimmed(row.name),
        "description": text_of(row.description),
        "categories": sorted(category_names.get(number, str(number)) for number in row.categories),
        "status": row.status.lower(),
        "authorization": row.authtype,
        "endpoints": {purpose: entry_image(purpose, entry) for purpose, entry in entries_of(row.endpoints).items()},
    }


def _unknown_authorization(name: str, authtype: str) -> dict[str, Any]:
    """An authorization that nobody declares: its secrets cannot be read, so they get names that somebody may fill."""
    match authtype:
        case "BASIC":
            return {
                "method": "basic",
                "username": {"env": variable(name, "username")},
                "password": {"env": variable(name, "password")},
            }
        case "OAUTH2_BEARER":
            return {"method": "bearer", "token": {"env": variable(name, "token")}}
        case "OAUTH2_PASSWORD":
            return {
                "method": "oauth2-password",
                "tokenUrl": UNREADABLE_URL,
                "clientId": {"env": variable(name, "client id")},
                "clientSecret": {"env": variable(name, "client secret")},
                "clientAuthentication": "body",
                "username": {"env": variable(name, "username")},
                "password": {"env": variable(name, "password")},
            }
    return {"method": "none" if authtype == NONE else authtype}


def connector_fields(
    body: Mapping[str, Any],
    category_ids: Mapping[str, int],
    row: ConnectorRow | None = None,
    secrets: Mapping[str, Secret] | None = None,
) -> dict[str, Any]:
    """What is sent to make or change the connector, credentials apart. The values of secrets in endpoints stand in it.

    Args:
        category_ids: by the names that we call categories; those of its own all have to be there.
        row: what the instance has of it; what we do not know of that is sent back as it was.
        secrets: by address; None leaves them out, for a digest.

    Raises:
        KeyError: one of the categories, or of the secrets, is not there.
    """
    spec = body["spec"]
    held = image(spec)
    there = entries_of(row.endpoints) if row else {}
    endpoints = {}
    for purpose, endpoint in spec.get("endpoints", {}).items():

        def value_of(group: str, index: int, start: tuple[str, ...] = ("spec", "endpoints", purpose)) -> str | None:
            if secrets is None:
                return None
            address = entry_address((*start, group, index, "value"), spec["endpoints"][start[-1]][group])
            return secrets[address].reveal()

        endpoints[purpose] = endpoint_fields(purpose, endpoint, there.get(purpose, {}), value_of)
    return {
        "name": held["displayName"],
        "description": held["description"] or None,
        "authtype": held["authorization"],
        "status": held["status"].upper(),
        "data_source_category_id": ",".join(
            map(str, sorted({category_ids[category] for category in spec["categories"]}))
        ),
        "endpoints": endpoints,
    }


def seal(row: ConnectorRow, body: Any) -> str:
    """What stands for the secrets that a row has: of its ciphertext, and of values in the clear that `body` has as secrets.

    "" where it has none, or shows none.
    """
    with suppress(KeyError, TypeError, AttributeError):
        endpoints = spec_of(body).get("endpoints", {}).items()
        secret = {
            (purpose, group): entries for purpose, endpoint in endpoints for group, entries in _secret_groups(endpoint)
        }
        if secret:
            return digest([row.seal, sorted(_values_there(row, secret))])
    return row.seal


def _secret_groups(endpoint: Mapping[str, Any]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    for group in GROUPS:
        entries = endpoint.get(group)
        if entries and any(isinstance(entry.get("value"), dict) for entry in entries):
            yield group, entries


def _values_there(row: ConnectorRow, secret: Mapping[tuple[str, str], list[dict[str, Any]]]) -> Iterator[list[str]]:
    """What stands in the clear where there are secrets, with its place."""
    there = entries_of(row.endpoints)
    for (purpose, group), entries in secret.items():
        wanted = {told for told, entry in numbered(entries) if isinstance(entry.get("value"), dict)}
        listed = there.get(purpose, {}).get(group)
        items = [item for item in listed if isinstance(item, dict)] if isinstance(listed, list) else []
        for told, item in numbered(items, "key"):
            if told in wanted:
                yield [purpose, group, str(told), text_of(item.get("value"))]
