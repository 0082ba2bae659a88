"""Drift, and what becomes of it in git."""

from collections.abc import Callable
from enum import StrEnum
from typing import Any

from msgspec import Struct

from reconciler.core.content import Content
from reconciler.core.definitions import Definition
from reconciler.core.diff import FieldChange, Path
from reconciler.core.model import Key, Resource
from reconciler.diagnostics import Finding, Span


class Deed(StrEnum):
    """What is done to a definition."""

    UPDATE = "update"
    REMOVE = "remove"
    CREATE = "create"


class Adoption(Struct, frozen=True):
    """A change of one definition that takes over what is live.

    Attributes:
        resource: what git declares; None for a record that it does not define.
        content: what to declare; None for a definition that goes.
        definition: the new document, of a record that git does not define.
        fields: what differs, git's values before and the live ones after.
    """

    deed: Deed
    key: Key
    resource: Resource | None
    content: Content | None
    definition: Definition | None = None
    fields: tuple[FieldChange, ...] = ()


class Sides(Struct, frozen=True):
    """A field that both git and somebody else moved; `MISSING` where there is no value.

    Attributes:
        path: below the body; empty for the record as a whole.
        secret: whether the values are secret references.
    """

    path: Path
    applied: Any
    desired: Any
    live: Any
    secret: bool = False


class Conflict(Struct, frozen=True):
    """Fields of one record that are left to the author."""

    key: Key
    resource: Resource
    fields: tuple[Sides, ...]


class Refusal(Struct, frozen=True):
    """A record that is not adopted, and why; no live value is told.

    Attributes:
        span: where in git, when it is about a place there.
    """

    key: Key
    message: str
    hint: str = ""
    findings: tuple[Finding, ...] = ()
    span: Span | None = None


class Drifted(Struct, frozen=True):
    """All that differs because somebody changed it outside of a run.

    Attributes:
        pending: records with fields that git alone has moved: an apply will.
        unmanaged: live records of nobody that git does not define and that were not named.
    """

    adoptions: tuple[Adoption, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    pending: tuple[Key, ...] = ()
    unmanaged: int = 0


IsSecret = Callable[[str], bool]
"""Whether a text is the value of a secret that the store holds."""
