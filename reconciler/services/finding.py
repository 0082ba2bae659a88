"""Find the endpoint that a user names, or say what comes near."""

from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from reconciler.core.model import LiveConnector
from reconciler.core.ports.store import Store
from reconciler.errors import InvalidDefinitions, UsageError
from reconciler.kinds.registry import address, is_definition


def find_connector(store: Store, name: str, is_declared: Callable[[str], bool]) -> LiveConnector:
    """The live connector `name`, with its secrets.

    Args:
        is_declared: whether git has a connector of that name.

    Raises:
        InvalidDefinitions: it is no definition; see `refuse_unreadable`.
        UsageError: it is not live.
    """
    found = next(iter(store.connectors([name])), None)
    if found is not None:
        refuse_unreadable(found)
        return found
    if is_declared(name):
        raise UsageError(f"the connector '{name}' is not live yet", hint="run: reconciler apply")
    names = [record.name for record in store.search("Connector", None)]
    raise UsageError(f"there is no live connector '{name}'", hint=_near(name, names, "list them with: reconciler get connector"))  # fmt: skip


def refuse_unreadable(found: LiveConnector) -> None:
    """Stop before anything is made of a live record that no document could declare; others may have written it.

    Raises:
        InvalidDefinitions: it is such a record.
    """
    if not is_definition("Connector", found.spec, found.labels):
        raise InvalidDefinitions(
            f"the live {address('Connector', found.name)} is not as a connector should be", hint="run: reconciler plan"
        )


def find_endpoint(connector: LiveConnector, purpose: str) -> Mapping[str, Any]:
    """The definition of one of its endpoints.

    Raises:
        UsageError: there is none of that name.
    """
    known: Mapping[str, Mapping[str, Any]] = connector.spec.get("endpoints", {})
    if purpose in known:
        return known[purpose]
    listed = f"it has {', '.join(sorted(known))}" if known else "it has none"
    message = f"the connector '{connector.name}' has no endpoint '{purpose}'" if purpose else "which endpoint?"
    raise UsageError(message, hint=_near(purpose, known, listed))


def _near(name: str, known: Iterable[str], otherwise: str) -> str:
    near = get_close_matches(name, list(known), n=1)
    return f"did you mean '{near[0]}'? {otherwise}" if near else otherwise
