"""The document that is imported, with its references followed.

References are resolved here and not by a library. The libraries either validate first, and real
documents often are not quite valid, or copy every target into its place, which recursive schemas and
large documents do not survive; and none tells where a value came from.
"""

from typing import Final
from urllib.parse import unquote

from msgspec import Struct

from reconciler.importers.openapi.notes import Notebook
from reconciler.importers.openapi.values import Json, Object, Pointer, mapping

MAX_HOPS: Final = 32


class Found(Struct, frozen=True):
    """A value behind its references.

    Attributes:
        value: the value; None when a reference leads nowhere, which a note then says.
        where: where the value itself stands.
        references: the references that were followed.
    """

    value: Json
    where: Pointer
    references: tuple[str, ...] = ()


class Source(Struct, frozen=True):
    """A document that is being imported, and the notes on it.

    Attributes:
        is_swagger: whether the language is Swagger 2.0 and not OpenAPI 3.
    """

    root: Object
    notes: Notebook
    is_swagger: bool

    def follow(self, value: Json, where: Pointer) -> Found:
        """What `value`, which stands at `where`, is or refers to."""
        references: tuple[str, ...] = ()
        while isinstance(value, dict) and isinstance(reference := value.get("$ref"), str):
            if len(references) >= MAX_HOPS or reference in references:
                self.notes.add("unresolved-reference", where, "the reference leads back to itself")
                return Found(None, where, references)
            references = (*references, reference)
            step = self._step(reference, where)
            if step is None:
                return Found(None, where, references)
            value, where = step
        return Found(value, where, references)

    def object_at(self, value: Json, where: Pointer) -> tuple[Object, Pointer]:
        """As `follow`, for what must be a mapping; anything else is noted and counts as an empty one."""
        found = self.follow(value, where)
        if not isinstance(found.value, dict) and found.value is not None:
            self.notes.add("malformed", found.where, "a mapping is expected here")
        return mapping(found.value), found.where

    def _step(self, reference: str, where: Pointer) -> tuple[Json, Pointer] | None:
        if not reference.startswith("#"):
            self.notes.add("external-reference", where, "it points into another file; put the target into this one")
            return None
        steps = [unquote(step).replace("~1", "/").replace("~0", "~") for step in reference[1:].split("/")[1:]]
        value: Json = self.root
        path: Pointer = ()
        for step in steps:
            if isinstance(value, list) and step.isdecimal() and len(step) < 10 and int(step) < len(value):
                value, path = value[int(step)], (*path, int(step))
            elif isinstance(value, dict) and step in value:
                value, path = value[step], (*path, step)
            else:
                self.notes.add("unresolved-reference", where, "the reference leads nowhere")
                return None
        return value, path
