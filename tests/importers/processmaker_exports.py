"""Files as ProcessMaker instances export them, of our own making."""

import json
from collections.abc import Mapping
from typing import Any

CONNECTORS = "ProcessMaker\\Packages\\Connectors\\DataSources\\"
UUID = "98fa6f7c-0000-4d6e-8343-00000000000{}".format


def endpoint(url: str = "https://crm.example.com/contacts", **more: Any) -> dict[str, Any]:
    """A resource as the web form saves it."""
    saved = {"id": 0, "view": False, "updated": "2023-04-24 02:44:37", "testData": "{}", "outboundConfig": []}
    return {"method": "GET", "url": url, "body": None, "params": [], "headers": [], "body_type": "json", **saved, **more}  # fmt: skip


def pair(key: str, value: str | None = None, *, required: bool = False, **more: Any) -> dict[str, Any]:
    """A header or a parameter."""
    return {"id": 1, "key": key, "value": value, "required": required, **more}


def connector(
    name: str = "CRM contacts",
    endpoints: Any = None,
    credentials: Mapping[str, Any] | None = None,
    categories: tuple[str, ...] = (),
    cipher: str | None = None,
    **fields: Any,
) -> dict[str, Any]:
    """An entry of format 2, filed under categories by their uuids."""
    listed = {"list": endpoint()} if endpoints is None else endpoints
    attributes = {
        "id": 1, "name": name, "type": "REST", "status": "ACTIVE", "authtype": "NONE", "mappings": None,
        "endpoints": json.dumps(listed), "credentials": cipher, "description": None, "debug_mode": 0, "operations": "[]",
        "is_template": 0, "data_source_category_id": 1, "created_at": "2023-04-20 18:03:16", **fields,
    }  # fmt: skip
    filed = [{"type": "categories", "uuid": uuid, "name": None, "fallbackMatches": {}} for uuid in categories]
    return {
        "exporter": CONNECTORS + "ImportExport\\DataSourceExporter", "type": "DataConnector", "name": name,
        "model": CONNECTORS + "Models\\DataSource", "mode": "update", "force_password_protect": True,
        "attributes": attributes, "dependents": filed,
        "references": {"credentials": credentials, "uncategorized-category": not categories},
    }  # fmt: skip


def category(name: str, status: str = "ACTIVE") -> dict[str, Any]:
    """A category's entry."""
    attributes = {"id": 2, "name": name, "status": status, "is_system": 0}
    return {"type": "DataSourceCategory", "name": name, "attributes": attributes, "dependents": [], "references": []}


def package(*entries: dict[str, Any], **named: dict[str, Any]) -> dict[str, Any]:
    """A file of format 2; entries have the uuids of their numbers, those that are named have their names."""
    export = {**{UUID(number): entry for number, entry in enumerate(entries)}, **named}
    return {"type": "process_package", "version": "2", "root": UUID(0), "name": "Orders", "export": export}


def template(*entries: dict[str, Any], text: bool = True) -> dict[str, Any]:
    """A template of a process: the export of the process stands in its manifest."""
    manifest = package(*entries)
    attributes = {"name": "Orders", "manifest": json.dumps(manifest) if text else manifest}
    return package({"type": "ProcessTemplates", "attributes": attributes})


def screens(*connectors: dict[str, Any], text: bool = False) -> dict[str, Any]:
    """A file of format 1: screens have copies of connectors in their watchers."""
    watchers: Any = [{"name": "w", "script_id": 1, "script": {**copy, "title": copy["name"]}} for copy in connectors]
    screen = {"id": 1, "title": "Form", "watchers": json.dumps(watchers) if text else watchers}
    return {"type": "screen_package", "version": "1", "screens": [{"id": 9, "watchers": None}, screen]}


def copy_of(name: str = "CRM contacts", endpoints: Any = None, **fields: Any) -> dict[str, Any]:
    """A connector as a watcher has it."""
    listed = {"list": endpoint()} if endpoints is None else endpoints
    return {"id": "data_source-3", "name": name, "authtype": "NONE", "status": "ACTIVE", "endpoints": listed, **fields}
