"""What is live, told in the words of what is known: what an instance cannot hold is carried over."""

from collections.abc import Hashable, Iterator, Mapping
from typing import Any

from reconciler.core.diff import same
from reconciler.kinds.canonical import is_readable


def spec_of(known: Any) -> dict[str, Any]:
    """The spec of a known body; an empty one where there is none, or somebody made something else of it."""
    spec = known.get("spec") if isinstance(known, dict) else None
    return spec if isinstance(spec, dict) else {}


def sound_spec(kind: str, known: Any) -> dict[str, Any]:
    """As `spec_of`, and an empty one of what has no canonical form."""
    return spec_of(known) if is_readable(kind, known) else {}


def metadata_of(known: Any) -> dict[str, Any]:
    """The labels of a known body, as a body has them."""
    metadata = known.get("metadata") if isinstance(known, dict) else None
    return {"metadata": metadata} if metadata and isinstance(metadata, dict) else {}


def carried(known: Any, held: Any, live: Any) -> Any:
    """`known` as it is now; the same object where nothing that the instance holds is another one.

    Args:
        known: a part of a known body.
        held: what the instance holds of that, in the form in which it comes back.
        live: what it holds now, in the same form.
    """
    if same(held, live):
        return known
    if isinstance(known, dict) and isinstance(held, dict) and isinstance(live, dict):
        kept = {key: value for key, value in known.items() if key not in held}
        return kept | {
            key: carried(known[key], held[key], value) if key in known and key in held else value
            for key, value in live.items()
        }
    if isinstance(known, list) and is_of_entries(held) and is_of_entries(live) and len(known) == len(held):
        of_known = {told: (entry, image) for (told, image), entry in zip(numbered(held), known, strict=True)}
        return [carried(*of_known[told], entry) if told in of_known else entry for told, entry in numbered(live)]
    return live


def is_of_entries(value: Any) -> bool:
    """Whether a value is a list of parameters or headers."""
    return isinstance(value, list) and all(isinstance(item, dict) and "name" in item for item in value)


def numbered(entries: list[Any], key: str = "name") -> Iterator[tuple[Hashable, Any]]:
    """Entries by their names and how many of the name came before; what has none counts as nameless."""
    seen: dict[str, int] = {}
    for entry in entries:
        name = str(entry.get(key)) if isinstance(entry, Mapping) else ""
        earlier = seen.get(name, 0)
        yield (name, earlier), entry
        seen[name] = earlier + 1
