"""The mustache placeholders of one endpoint, with the values for a test call."""

import re
from typing import Final

from msgspec import Struct, field

from reconciler.importers.openapi.texts import clean, hides, unique, without_secrets
from reconciler.importers.openapi.values import Json, is_portable, spell

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

        A sample keeps its type, as calls send it so. One that may be a secret is dropped.
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
        shown = spell(sample)
        if sample is None or not is_portable(sample) or hides(wanted, shown) or hides(name, shown):
            return
        if len(shown) <= _MAX_SAMPLE and len(self.samples) < MAX_SAMPLES:
            self.samples[name] = clean(sample) if isinstance(sample, str) else sample
