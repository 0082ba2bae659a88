"""Desired state: what a source holds, and what else one may be able to tell."""

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from msgspec import Struct

from reconciler.core.content import Content
from reconciler.core.coverage import Coverage
from reconciler.core.model import Key, Resource
from reconciler.core.plan import Revision
from reconciler.core.quarantine import Revival
from reconciler.diagnostics import Diagnostic


class Past(Struct, frozen=True):
    """Which record a resource of an earlier state was, and what it held.

    Attributes:
        content: more than what was declared where something was left to the live side.
        revival: how it comes back where it is gone.
    """

    uid: str
    content: Content
    revival: Revival


class Desired(Struct, frozen=True):
    """What a source holds.

    Attributes:
        files: paths of the files that were read.
        documents: how many documents were read.
        diagnostics: sorted; when one is an error, `resources` is not complete.
        coverage: None unless it was asked for and everything is valid.
        past: of an earlier state, which record each resource was; None for definitions.
        spared: records, by uid, of which an earlier state says nothing; they stay as they are.
        known: how many of the files an earlier run had read already.
    """

    resources: Mapping[Key, Resource]
    files: tuple[str, ...]
    documents: int
    diagnostics: tuple[Diagnostic, ...]
    coverage: Coverage | None = None
    past: Mapping[Key, Past] | None = None
    spared: frozenset[str] = frozenset()
    known: int = 0


class Source(Protocol):
    """Desired state."""

    def load(self) -> Desired:
        """Read, validate and cross-check everything."""
        ...

    def revision(self) -> Revision:
        """Where it is read from."""
        ...


@runtime_checkable
class FindsUnread(Protocol):
    """A source that can tell what is defined in files that are not read."""

    def unread(self) -> Mapping[Key, str]:
        """What they define, each with its file."""
        ...
