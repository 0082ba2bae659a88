"""Files that an instance imports: connectors with the categories that they are filed under, as an instance exports them.

An instance finds what it has already by the uuid, then by the name. The uuids here follow from the owner and the names
of records, so that a later file is for the same records.
"""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from msgspec import Struct

from reconciler.core.model import Key, encode
from reconciler.core.secret import Secret
from reconciler.kinds.common import dotted
from reconciler.kinds.connector import secret_fields
from reconciler.stores.processmaker.forms.categories import category_fields
from reconciler.stores.processmaker.forms.connector_limits import is_fetched_by_us
from reconciler.stores.processmaker.forms.connectors import NONE, authtype_of, connector_fields
from reconciler.stores.processmaker.forms.credentials import credentials

_CONNECTORS = "ProcessMaker\\Packages\\Connectors\\DataSources\\"
_UNFILED = "Uncategorized"
"""The category that each instance has: one that is filed there says so, and no category comes along."""


class Packed(Struct, frozen=True):
    """One connector to be put into a file.

    Attributes:
        secrets: by address; None where the file is to hold none.
    """

    key: Key
    body: Mapping[str, Any]
    secrets: Mapping[str, Secret] | None


def package(connectors: Iterable[Packed], categories: Mapping[str, Mapping[str, Any]], owner: str) -> dict[str, Any]:
    """The file of some connectors, at least one; secrets revealed.

    Args:
        categories: bodies of all that a connector is filed under, by name.
        owner: whose connectors they are.
    """
    numbers = {name: number for number, name in enumerate(sorted(categories), 1)}
    filed = {name: (_uuid(owner, Key("Category", name)), category_fields(body)) for name, body in categories.items()}
    entries = {_uuid(owner, item.key): _connector(item, _uuid(owner, item.key), filed, numbers) for item in connectors}
    root, first = next(iter(entries.items()))
    entries |= {uuid: _category(uuid, fields) for uuid, fields in filed.values() if fields["name"] != _UNFILED}
    return {"type": "data_source_package", "version": "2", "root": root, "name": first["name"], "export": entries}


def _uuid(owner: str, key: Key) -> str:
    return str(uuid5(NAMESPACE_URL, f"reconciler:{owner}:{key.kind}/{key.name}"))


Filed = Mapping[str, tuple[str, Mapping[str, Any]]]
"""Categories by name: their uuids and fields."""


def _connector(item: Packed, uuid: str, filed: Filed, numbers: Mapping[str, int]) -> dict[str, Any]:
    fields = connector_fields(item.body, numbers, None, item.secrets)
    names = item.body["spec"]["categories"]
    attributes = {
        **fields,
        "uuid": uuid,
        "type": "REST",
        "endpoints": encode(fields["endpoints"]).decode(),
        "mappings": None,
        "data_source_category_id": numbers[names[0]],
    }
    return {
        **_entry("DataConnector", "Data Connector", fields["name"]),
        "exporter": _CONNECTORS + "ImportExport\\DataSourceExporter",
        "model": _CONNECTORS + "Models\\DataSource",
        "force_password_protect": True,
        "description": fields["description"],
        "dependents": [_dependent(*filed[name]) for name in names if filed[name][1]["name"] != _UNFILED],
        "attributes": attributes,
        "references": {
            "credentials": _credentials(item),
            "uncategorized-category": any(filed[name][1]["name"] == _UNFILED for name in names),
        },
    }


def _credentials(item: Packed) -> dict[str, Any] | None:
    """All of them, or none: an instance replaces them as a whole."""
    if authtype_of(item.body["spec"]) == NONE:
        return credentials(item.body, {})
    if item.secrets is None or _is_token_ours(item.body["spec"]):
        return None
    return credentials(item.body, item.secrets)


def _is_token_ours(spec: Mapping[str, Any]) -> bool:
    """Whether the instance would have to be given a token that we fetch: a file holds none, as it would soon end."""
    return is_fetched_by_us(spec.get("authorization", {}))


def _category(uuid: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **_entry("DataSourceCategory", "Data Source Category", fields["name"]),
        "exporter": _EXPORTER,
        "model": _MODEL,
        "hidden": True,
        "attributes": {**fields, "uuid": uuid, "is_system": 0},
    }


_EXPORTER = "ProcessMaker\\ImportExport\\Exporters\\CategoryExporter"
_MODEL = _CONNECTORS + "Models\\DataSourceCategory"


def _dependent(uuid: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """How a connector names a category."""
    return {
        "type": "categories",
        "uuid": uuid,
        "name": fields["name"],
        "discard": False,
        "modelClass": _MODEL,
        "exporterClass": _EXPORTER,
        "fallbackMatches": {"name": fields["name"]},
        "meta": None,
    }


def _entry(sort: str, words: str, name: str) -> dict[str, Any]:
    """What every entry says."""
    plural = words[:-1] + "ies" if words.endswith("y") else words + "s"
    return {
        "type": sort,
        "type_human": words,
        "type_plural": plural.replace(" ", ""),
        "type_human_plural": plural,
        "name": name,
        "description": None,
        "force_password_protect": False,
        "hidden": False,
        "mode": "update",
        "saveAssetsMode": "saveAllAssets",
        "explicit_discard": False,
        "dependents": [],
        "references": [],
        "extraAttributes": [],
        "process_manager": "",
        "process_manager_id": None,
        "last_modified_by": "",
        "last_modified_by_id": None,
    }


def left_to_give(item: Packed) -> list[str]:
    """The credentials that the instance has to be given by hand, as they are called in the definition."""
    spec = item.body["spec"]
    ours = _is_token_ours(spec)
    found = ["authorization.token"] if ours else []
    if item.secrets is None:
        told = (field for field in secret_fields(spec) if not (ours and field.path[1] == "authorization"))
        found += [field.address or dotted(field.path) for field in told]
    return found


def sendable(spec: Mapping[str, Any]) -> dict[str, Any]:
    """The spec with no secret but those that a file holds: what a token is requested with stays here."""
    return {key: value for key, value in spec.items() if key != "authorization" or not _is_token_ours(spec)}
