"""Connectors as definitions declare them, to be called although they may not be live."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec.structs import replace

from reconciler.core.model import Key, LiveConnector, Resource
from reconciler.core.ports.source import SecretBackend
from reconciler.core.ports.store import Store
from reconciler.core.secret import MASK, Secret
from reconciler.errors import UsageError
from reconciler.kinds.connector import secret_fields
from reconciler.services.records import Query, near
from reconciler.services.secret_uses import Unresolved, refuse_unresolved, resolve_values


def find_declared(resources: Mapping[Key, Resource], name: str) -> LiveConnector:
    """The connector `name` as it is declared, without values of secrets.

    Raises:
        UsageError: it is not declared.
    """
    found = resources.get(Key("Connector", name))
    if found is None:
        names = [key.name for key in resources if key.kind == "Connector"]
        hint = near(name, names, "it is looked for below connectors/")
        raise UsageError(f"the definitions have no connector '{name}'", hint=hint)
    return _connector(found)


def declared_of(resources: Mapping[Key, Resource], query: Query) -> Iterator[LiveConnector]:
    """The active connectors that are declared, with a category and labels, in order of their names."""
    for key in sorted(resources):
        if key.kind == "Connector" and resources[key].active:
            found = _connector(resources[key])
            filed = query.category is None or query.category in found.spec["categories"]
            if filed and query.labels.items() <= found.labels.items():
                yield found


def _connector(resource: Resource) -> LiveConnector:
    content = resource.content.value
    name = resource.key.name
    return LiveConnector(name, name, "", content.get("metadata", {}).get("labels", {}), content["spec"], {})


def part_for(found: LiveConnector, purposes: Iterable[str]) -> LiveConnector:
    """The connector with nothing but what calls of some of its endpoints take: no other secret is looked up."""
    endpoints = {purpose: found.spec["endpoints"][purpose] for purpose in purposes}
    used = {endpoint.get("authorization", "") for endpoint in endpoints.values()}
    spec: dict[str, Any] = {**found.spec, "endpoints": endpoints}
    if "" not in used:
        spec.pop("authorization", None)
    others = {name: block for name, block in spec.pop("authorizations", {}).items() if name in used}
    return replace(found, spec={**spec, "authorizations": others} if others else spec)


def with_values(found: LiveConnector, secrets: SecretBackend) -> LiveConnector:
    """The connector with what its secret references lead to, as an apply would look it up.

    Raises:
        SecretUnavailable, SecretRefused: some lead to nothing, or to where none may.
    """
    values, _, missing = resolve_values("Connector", {"spec": found.spec}, secrets, None)
    key = Key("Connector", found.name)
    refuse_unresolved([Unresolved(key, field, failure) for field, failure in missing], "nothing was sent")
    return replace(found, secrets=values)


def without_values(found: LiveConnector) -> LiveConnector:
    """The connector with masks for values, to show a request by."""
    return replace(found, secrets={field.address: Secret(MASK) for field in secret_fields(found.spec)})


def references_of(found: LiveConnector) -> dict[str, str]:
    """The secret references of a connector by their address, such as `{env: NAME}`."""
    return {
        field.address: "{" + ", ".join(f"{scheme}: {target}" for scheme, target in field.reference.items()) + "}"
        for field in secret_fields(found.spec)
    }


def judged_as(found: LiveConnector, previously: Iterable[str], store: Store) -> Iterator[LiveConnector]:
    """What somebody has to be allowed to call who calls a connector as it is declared.

    The live connector of its name or of an earlier one, so that nobody comes by editing a definition at what they may
    not call; and the declared one in each of its categories, as whoever creates it needs to be allowed in each.
    """
    yield from store.connectors([found.name, *previously], secrets=False)
    for category in found.spec["categories"]:
        yield replace(found, spec={**found.spec, "categories": [category]})
