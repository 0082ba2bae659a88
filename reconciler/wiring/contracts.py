"""Contracts for what reads definitions: it knows no format of documents."""

from collections.abc import Mapping, Sequence

from reconciler.core.model import Key, Resource
from reconciler.diagnostics import Diagnostic, sorted_diagnostics
from reconciler.errors import UsageError
from reconciler.kinds.contract import Contract, OperationIndex
from reconciler.source.contracts import against
from reconciler.source.documents import locate_clashes
from reconciler.source.repository import RepositorySource


def read_contract(data: bytes, file: str) -> Contract:
    """The contract in a document.

    Raises:
        InvalidDefinitions: it is no document that connectors could be held against.
    """
    from reconciler.importers import contract

    return contract.read_contract(data, file)


def held_against(
    data: bytes, file: str, source: RepositorySource, resources: Mapping[Key, Resource], names: Sequence[str]
) -> tuple[list[str], list[Diagnostic]]:
    """Which connectors were held against a document, and what differs.

    Args:
        file: the document's name.
        source: where the definitions were loaded from.
        names: of connectors; empty for those with an endpoint at a server and path of the document.

    Raises:
        InvalidDefinitions: it is no such document.
        UsageError: there is no connector to hold against it.
    """
    contract = read_contract(data, file)
    connectors = [resource for key, resource in sorted(resources.items()) if key.kind == "Connector"]
    if names:
        unknown = sorted(set(names) - {resource.key.name for resource in connectors})
        if unknown:
            raise UsageError(f"there is no valid connector '{unknown[0]}'", hint="name one that the repository defines")
        chosen = [resource for resource in connectors if resource.key.name in names]
    else:
        index = OperationIndex(contract.operations)
        chosen = [resource for resource in connectors if _is_of(resource, index)]
    if not chosen:
        raise UsageError(f"no connector has an endpoint that {file} knows", hint="name the connector that is meant")
    found = list(locate_clashes(list(against(contract, chosen)), source.read))
    return [resource.key.name for resource in chosen], sorted_diagnostics(found)


def _is_of(resource: Resource, index: OperationIndex) -> bool:
    endpoints = resource.content.value["spec"].get("endpoints", {}).values()
    found = (index.find(endpoint["method"], endpoint["url"]) for endpoint in endpoints)
    return any(one is not None and one.at_server for one in found)
