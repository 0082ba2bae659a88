"""What comes of updating a definition from a newer document: records."""

from collections.abc import Iterator
from typing import Any

from msgspec import Struct, field

from reconciler.core.diff import MISSING, Path

Body = dict[str, Any]


class UpdateField(Struct, frozen=True):
    """A field of which the document says something new.

    Attributes:
        base: what the earlier document says of it; `MISSING` for nothing, or where there is no earlier one.
        mine, theirs: what the definition says, and the newer document.
    """

    path: Path
    base: Any
    mine: Any
    theirs: Any


class DocumentUpdate(Struct):
    """What comes of it.

    Attributes:
        content: what to declare, canonical.
        taken: what came from the document.
        conflicts: what both have changed, each in its own way; the definition's stands.
        based: whether there was an earlier document.
    """

    content: Body
    taken: list[UpdateField] = field(default_factory=list)
    conflicts: list[UpdateField] = field(default_factory=list)
    based: bool = True


def said(update: DocumentUpdate) -> Iterator[tuple[str, UpdateField]]:
    """Every field with what became of it: added, removed, changed, conflict or differs."""
    for found in update.taken:
        word = "added" if found.mine is MISSING else "removed" if found.theirs is MISSING else "changed"
        yield word, found
    for found in update.conflicts:
        yield "conflict" if update.based else "differs", found
