"""View, search and export live records and their endpoints."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from reconciler.core.drift import Definition, Export, Inexpressible, IsSecret, WritesDefinitions
from reconciler.core.model import Bodies, Found, Key, LiveConnector, Record, Resource
from reconciler.core.plan import Plan
from reconciler.core.ports.store import Store
from reconciler.diagnostics import RULES, Finding, Place, Severity
from reconciler.errors import InvalidDefinitions, UsageError
from reconciler.kinds.canonical import fold, readable
from reconciler.kinds.crosscheck import Clash, by_address, crosscheck
from reconciler.kinds.drift import drifted
from reconciler.kinds.merge import declaration, document
from reconciler.kinds.registry import KINDS, address, is_definition
from reconciler.services.adoption import secrets_in


class Choice(Struct, frozen=True):
    """Which records; everything given must hold.

    Attributes:
        kinds, keys: of one of these kinds or of one of these addresses; all when both are empty.
        owners: that belong to one of them; "" is nobody; all when it is empty.
        categories: connectors filed under one of them, with the categories that those are filed under.
    """

    kinds: frozenset[str] = frozenset()
    keys: frozenset[Key] = frozenset()
    owners: frozenset[str] = frozenset()
    categories: frozenset[str] = frozenset()


def export(store: Store, choice: Choice, writer: WritesDefinitions, is_secret: IsSecret) -> Export:
    """The records that are chosen, as definitions.

    Args:
        is_secret: asked about the texts of records that are not what an apply wrote.

    Raises:
        UsageError: there is no record of an address, or no category of a name.
    """
    live = store.records()
    _refuse_unknown(choice, live)
    chosen = [record for record in live.values() if _is_chosen(record, choice)]
    chosen.sort(key=lambda record: (_RANKS[record.key.kind], record.key.name))
    bodies = store.bodies(record.uid for record in chosen)
    if choice.categories:
        chosen = list(_filed_under(chosen, bodies, choice.categories))
    definitions: list[Definition] = []
    refused: list[Inexpressible] = []
    notes: list[tuple[Key, str]] = []
    for record in chosen:
        key, found = record.key, bodies[record.uid]
        held, valid = readable(key.kind, found.live)
        content = held.value
        declared = declaration(key.kind, content, found.applied) if valid else None
        written = writer.write(key, declared.content if declared else content, found.secrets)
        if declared is None:
            refused.append(Inexpressible(key, tuple(written) if isinstance(written, list) else (_NO_RECORD,)))
            continue
        foreign = record.fingerprint != record.applied
        leaked = secrets_in(declared.content, is_secret, frozenset()) if foreign else []
        if isinstance(written, list) or leaked:
            refused.append(Inexpressible(key, tuple([*written, *leaked] if isinstance(written, list) else leaked)))
            continue
        text, resource = written
        whole = document(key.kind, key.name, declared.content)
        definitions.append(Definition(key, record.owner, text, whole, resource))
        if declared.undeclared:
            notes.append((key, f"left out: {declared.undeclared}"))
    return Export(tuple(definitions), tuple(refused), (*notes, *_clashes([item.resource for item in definitions])))


_RANKS = {kind: rank for rank, kind in enumerate(KINDS)}
_NO_RECORD = Finding("RC209", "it is not as a record should be", Place(0))


def _refuse_unknown(choice: Choice, live: Mapping[Key, Record]) -> None:
    wanted = [*choice.keys, *(Key("Category", name) for name in choice.categories)]
    for key in sorted(wanted):
        if key not in live:
            word = KINDS[key.kind].word
            raise UsageError(f"there is no live {word} '{key.name}'", hint=f"list them with: reconciler get {word}")


def _is_chosen(record: Record, choice: Choice) -> bool:
    named = not (choice.kinds or choice.keys) or record.key.kind in choice.kinds or record.key in choice.keys
    return named and (not choice.owners or record.owner in choice.owners)


def _filed_under(chosen: Sequence[Record], bodies: Mapping[str, Bodies], names: frozenset[str]) -> Iterator[Record]:
    """The connectors of the categories named, with all categories that they are filed under."""
    filed = {record.uid: _categories(bodies[record.uid]) for record in chosen if record.key.kind == "Connector"}
    kept = {uid for uid, categories in filed.items() if categories & names}
    needed = names.union(*(filed[uid] for uid in kept))
    for record in chosen:
        if record.uid in kept or (record.key.kind == "Category" and record.key.name in needed):
            yield record


def _categories(found: Bodies) -> frozenset[str]:
    live, valid = readable("Connector", found.live)
    listed = live.value["spec"]["categories"] if valid else ()
    return frozenset(name for name in listed if isinstance(name, str))


def _clashes(resources: Sequence[Resource]) -> Iterable[tuple[Key, str]]:
    """What would be wrong in a repository that held just these."""
    for clash in crosscheck(resources, by_address(resources), frozenset(), _is_error, complete=True):
        yield clash.resource.key, f"{clash.message} ({clash.code})"


def _is_error(clash: Clash) -> bool:
    return RULES[clash.code].severity is Severity.ERROR


def layout(definitions: Iterable[Definition], most: int) -> dict[str, list[Definition]]:
    """Which definitions go into which file of a configuration repository, by path, in order.

    Categories share a file, everything else has one by its name; what bears the same name shares it.

    Args:
        most: bytes that a file may hold; what does not fit goes into one with a number behind its name.
    """
    found: dict[str, list[Definition]] = {}
    sizes: dict[str, int] = {}
    for definition in definitions:
        stem = "categories" if definition.key.kind == "Category" else definition.key.name
        base = f"{KINDS[definition.key.kind].directory}/{stem}"
        size = len(definition.text.encode()) + len("---\n")
        path, number = f"{base}.yaml", 1
        while sizes.get(path, 0) + size > most and path in found:
            number += 1
            path = f"{base}-{number}.yaml"
        found.setdefault(path, []).append(definition)
        sizes[path] = sizes.get(path, 0) + size
    return found


class Query(Struct, frozen=True):
    """What to look for; everything given must hold.

    Attributes:
        kind, name: exact, as in documents.
        text: parts looked for in name, display name, description, labels and endpoints, without regard to case and accents.
        category: connectors filed under it.
        labels: labels that must be there with these values.
        status: active or inactive.
        owners: that belong to one of them; "" is nobody; all when it is empty.
    """

    kind: str | None = None
    name: str | None = None
    text: str = ""
    category: str | None = None
    labels: dict[str, str] = field(default_factory=dict)
    status: str | None = None
    owners: frozenset[str] = frozenset()


def search(store: Store, query: Query, now: str = "") -> Iterator[Found]:
    """Live records that satisfy `query`, by kind and name.

    Args:
        now: RFC 3339; grants that have ended by then are no drift when they are gone.
    """
    words = fold(query.text).split()
    changed = {one.uid for one in store.moved() if one.before and drifted(one, now)}
    for found in store.search(query.kind, query.name):
        if query.owners and found.owner not in query.owners:
            continue
        try:
            matches = _matches(found.name, found.content, query, words)
        except (AttributeError, TypeError):  # others have written what is no body
            matches = _matches(found.name, {}, query, words)
        if matches:
            yield replace(found, drifted=True) if found.uid in changed else found


def _matches(name: str, content: dict[str, Any], query: Query, words: list[str]) -> bool:
    spec = content.get("spec", {})
    labels = content.get("metadata", {}).get("labels", {})
    if query.category is not None and query.category not in spec.get("categories", ()):
        return False
    if query.status is not None and spec.get("status", "active") != query.status:
        return False
    if any(labels.get(key) != value for key, value in query.labels.items()):
        return False
    if not words:
        return True
    text = fold(" ".join(_texts(name, spec, labels)))
    return all(word in text for word in words)


def _texts(name: str, spec: dict[str, Any], labels: dict[str, str]) -> Iterator[str]:
    yield name
    yield spec.get("displayName", "")
    yield spec.get("description", "")
    yield from spec.get("categories", ())
    for key, value in labels.items():
        yield f"{key}={value}"
    for purpose, endpoint in spec.get("endpoints", {}).items():
        yield f"{purpose} {endpoint.get('method', '')} {endpoint.get('url', '')} {endpoint.get('description', '')}"


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
        raise UsageError(f"the connector '{name}' is not live yet", hint="run: reconciler apply, or call it as it is declared: --definition")  # fmt: skip
    names = [record.name for record in store.search("Connector", None)]
    raise UsageError(f"there is no live connector '{name}'", hint=near(name, names, "list them with: reconciler get connector"))  # fmt: skip


def refuse_unknown(store: Store, plan: Plan, declared: Callable[[], Iterable[Key]]) -> None:
    """Stop where a plan was asked to be about a record that is neither declared nor live.

    Args:
        declared: what git declares.

    Raises:
        UsageError: it was.
    """
    known = {change.key for change in plan.changes} | {change.record.key for change in plan.changes if change.record}
    unknown = [key for key in plan.only if key not in known]
    if not unknown:
        return
    live = store.records()
    for key in unknown:
        if key not in live:
            names = [other.name for other in {*live, *declared()} if other.kind == key.kind]
            hint = near(key.name, names, "write KIND/NAME, such as connector/crm-contacts")
            raise UsageError(f"there is no {address(*key)}, neither declared nor live", hint=hint)


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
    raise UsageError(message, hint=near(purpose, known, listed))


def near(name: str, known: Iterable[str], otherwise: str) -> str:
    """A hint at the one of `known` that `name` may be meant for."""
    found = get_close_matches(name, list(known), n=1)
    return f"did you mean '{found[0]}'? {otherwise}" if found else otherwise
