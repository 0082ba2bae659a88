"""Contracts for what reads definitions: it knows no format of documents."""

from reconciler.kinds.contract import Contract


def read_contract(data: bytes, file: str) -> Contract:
    """The contract in a document.

    Raises:
        InvalidDefinitions: it is no document that connectors could be held against.
    """
    from reconciler.importers import contract

    return contract.read_contract(data, file)
