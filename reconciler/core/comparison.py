"""Two revisions of the definitions, read as far as a judgement about their difference needs."""

from collections.abc import Mapping

from msgspec import Struct, field

from reconciler.core.model import Key, Resource
from reconciler.diagnostics import Diagnostic


class Side(Struct, frozen=True):
    """One of the two.

    Attributes:
        changed: resources of the files that differ.
        policies: all groups and policies.
        faults: errors in what was read, sorted; with any the rest is not complete.
    """

    changed: Mapping[Key, Resource]
    policies: Mapping[Key, Resource]
    faults: tuple[Diagnostic, ...] = ()


class Comparison(Struct, frozen=True):
    """Both.

    Attributes:
        base, head: ids of the commits; the head's is "" for the working tree.
        merged: whether the head was merged into the base, from which it does not descend, before it was read.
        settings: files whose change is one of project settings, each with the reason, or "" for the project file.
        leaned_on: connectors of which a file changed that a secret reference leads to, with that file.
    """

    base: str
    head: str
    merged: bool
    before: Side
    after: Side
    settings: Mapping[str, str] = field(default_factory=dict)
    leaned_on: Mapping[Key, tuple[str, Resource]] = field(default_factory=dict)
