"""Templates of bodies, and the names of their placeholders."""

import json
import re
from math import isfinite
from typing import Final

from msgspec import Struct, field

from reconciler.importers.document import ForeignDocument
from reconciler.importers.samples import Slot, Tree, Written
from reconciler.importers.schemas import FORMATS
from reconciler.importers.values import (
    Json,
    Pointer,
    clean,
    compact,
    hides,
    holds_secret,
    is_portable,
    is_small,
    spell,
    unique,
    without_secrets,
)

_TAG_START = re.compile(r"\{(?=\{)")
_TYPICAL: Final = frozenset({"example", "1", "true", "{}", "", *FORMATS.values()})

MAX_SAMPLES: Final = 500  # maxProperties of `sample` in schemas/connector.schema.json
_MAX_NAME: Final = 120
_MAX_SAMPLE: Final = 8192


class Placeholders(Struct):
    """Gives out names: one for each value of each place, none for two."""

    samples: dict[str, Json] = field(default_factory=dict)
    _names: dict[tuple[str, str], str] = field(default_factory=dict)
    _taken: set[str] = field(default_factory=set)

    def tag(self, place: str, wanted: str, sample: Json) -> str:
        """The tag, braces included, for the value called `wanted` in `place` (path, query, header, body).

        A sample keeps its type, as calls send it so. For one that has the form of a secret another of its type
        stands; what only the name gives away, the caller replaces by `harmless_sample`.
        """
        if (place, wanted) not in self._names:
            self._names[place, wanted] = self.new_tag(place, wanted, sample)
        return self._names[place, wanted]

    def new_tag(self, place: str, wanted: str, sample: Json) -> str:
        """The same for a value that is not among those before, however it is called."""
        name = self._new_name(place, wanted)
        self._keep(name, wanted, sample)
        return f"{{{{{name}}}}}"

    def _new_name(self, place: str, wanted: str) -> str:
        wanted = without_secrets(wanted)
        safe = re.sub(r"[^\w-]+", "_", wanted).strip("-")
        if safe.strip("_") != safe and wanted.strip("_") == wanted:
            safe = safe.strip("_")
        safe = safe[:_MAX_NAME] or "value"
        if safe in self._taken:
            safe = f"{place}_{safe}"
        found = unique(safe, self._taken.__contains__, _MAX_NAME + 20, "{}_{}")
        self._taken.add(found)
        return found

    def _keep(self, name: str, wanted: str, sample: Json) -> None:
        if sample is not None and len(self.samples) < MAX_SAMPLES:
            kept = is_kept(sample) and not holds_secret(wanted)
            self.samples[name] = cleaned(sample) if kept else _stand_in(sample)


def _stand_in(sample: Json) -> Json:
    """A value of the same type that says nothing."""
    if isinstance(sample, bool | int | float):
        return 1
    return [] if isinstance(sample, list) else {} if isinstance(sample, dict) else "example"


def is_kept(sample: Json) -> bool:
    """Whether a sample can stand in a file: it is no secret, not large, and every reader takes it for the same."""
    if isinstance(sample, dict):
        return (
            is_small(sample) and len(compact(sample)) <= _MAX_SAMPLE and all(map(is_kept, [*sample, *sample.values()]))
        )
    if isinstance(sample, list):
        return is_small(sample) and len(compact(sample)) <= _MAX_SAMPLE and all(map(is_kept, sample))
    if isinstance(sample, str):
        return len(sample) <= _MAX_SAMPLE and not holds_secret(sample)
    return is_portable(sample) and not (isinstance(sample, float) and not isfinite(sample))


def cleaned(sample: Json) -> Json:
    """`sample`, its texts without control characters."""
    if isinstance(sample, dict):
        return {clean(key): cleaned(item) for key, item in sample.items()}
    if isinstance(sample, list):
        return [cleaned(item) for item in sample]
    return clean(sample) if isinstance(sample, str) else sample


def render(tree: Tree, tags: Placeholders, source: ForeignDocument, where: Pointer, indent: str = "") -> str:
    """`tree` as indented JSON with mustache tags. Braces never meet, so that only the tags are tags."""
    inner = indent + "  "
    if isinstance(tree, dict):
        items = [
            f"{_quote(without_secrets(key))}: {render(item, tags, source, where, inner)}" for key, item in tree.items()
        ]
        return _bracket("{", items, "}", indent)
    if isinstance(tree, list):
        return _bracket("[", [render(item, tags, source, where, inner) for item in tree], "]", indent)
    if isinstance(tree, Written):
        return tree.text
    if isinstance(tree, Slot):
        return _slot(tree, tags, source, where)
    value = tree.value
    if isinstance(value, str) and holds_secret(value):
        source.notes.add("secret-removed", where, "a literal that looks like a secret was taken out of the body")
        value = without_secrets(value)
    return _quote(value) if isinstance(value, str) else json.dumps(value)


def _bracket(start: str, items: list[str], end: str, indent: str) -> str:
    if not items:
        return start + end
    return f"{start}\n{indent}  " + f",\n{indent}  ".join(items) + f"\n{indent}{end}"


def _quote(content: str) -> str:
    return _TAG_START.sub(r"\\u007b", json.dumps(clean(content), ensure_ascii=False))


def _slot(slot: Slot, tags: Placeholders, source: ForeignDocument, where: Pointer) -> str:
    sample = harmless_sample(slot.sample, slot.path, "body")
    if sample != slot.sample and not (isinstance(slot.sample, str) and slot.sample in _TYPICAL):
        message = "examples of what may be secret were not copied"
        source.notes.add("secret-removed", where, message, ".".join(slot.path)[:200])
    tag = tags.new_tag("body", "_".join(slot.path) or "body", sample)
    return f'"{tag}"' if slot.quoted else tag


def harmless_sample(sample: Json, path: tuple[str, ...], place: str) -> Json:
    """`sample`, of a value called `path`; where it may be a secret, another of its type that says nothing."""
    if isinstance(sample, dict):
        return {key: harmless_sample(item, (*path, key), place) for key, item in sample.items()}
    if isinstance(sample, list):
        return [harmless_sample(item, path, place) for item in sample]
    shown = spell(sample)
    if sample is None or not (holds_secret(shown) or any(hides(step, shown, place) for step in path)):
        return sample
    return "example" if isinstance(sample, str) else 1
