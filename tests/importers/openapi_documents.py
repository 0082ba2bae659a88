"""Small documents for the tests, and the way from one to its connector."""

from collections.abc import Mapping
from typing import Any

from openapi_checks import check

from reconciler.importers.openapi import Imported, convert

SERVERS = [{"url": "https://api.example.com/v1"}]


def openapi(paths: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """An OpenAPI 3.0 document called Pets."""
    info = {"title": "Pets", "version": "1.2"}
    return {"openapi": "3.0.3", "info": info, "servers": SERVERS, "paths": dict(paths), **more}


def swagger(paths: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """A Swagger 2.0 document called Pets."""
    place = {"host": "api.example.com", "basePath": "/v1", "schemes": ["http", "https"]}
    return {"swagger": "2.0", "info": {"title": "Pets", "version": "1.2"}, **place, "paths": dict(paths), **more}


def operation(node: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """An OpenAPI document with `node` as its one operation, `POST /pets`."""
    return openapi({"/pets": {"post": {"operationId": "post", **node}}}, **more)


def with_body(schema: Any, media: str = "application/json", **more: Any) -> dict[str, Any]:
    """An OpenAPI document whose one operation takes a body of `schema`."""
    return operation({"requestBody": {"content": {media: {"schema": schema}}}}, **more)


def imported(document: Mapping[str, Any], **options: Any) -> Imported:
    """The import of a document; what is true of every import is checked on the way."""
    found = convert(document, **{"categories": ["pets"], **options})
    check(found, document)
    return found


def spec_of(document: Mapping[str, Any], **options: Any) -> dict[str, Any]:
    """The spec of the one connector that comes of a document."""
    (connector,) = imported(document, **options).documents
    found: dict[str, Any] = connector["spec"]
    return found


def endpoint_of(document: Mapping[str, Any], **options: Any) -> dict[str, Any]:
    """The one endpoint that comes of a document."""
    (endpoint,) = spec_of(document, **options)["endpoints"].values()
    found: dict[str, Any] = endpoint
    return found


def notes_of(document: Mapping[str, Any], **options: Any) -> dict[str, str]:
    """Code to place of all notes, save the one on what no connector has a place for."""
    found = imported(document, **options).notes
    return {note.code: note.where for note in found if note.code != "not-represented"}
