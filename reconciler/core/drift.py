"""What became of records outside of this repository's applies, and what git would have to say of it."""

from collections.abc import Callable, Container, Mapping
from enum import StrEnum
from typing import Any, NamedTuple, Protocol

from msgspec import Struct

from reconciler.core.diff import FieldChange, Path
from reconciler.core.model import Content, Key, Resource
from reconciler.diagnostics import Finding, Span


class StoredSecret(NamedTuple):
    """One secret as the store holds it; `ciphertext` is hexadecimal."""

    reference: str
    fingerprint: str
    ciphertext: str


class DriftSide(Struct, frozen=True):
    """All that the store holds of one record at one moment.

    Attributes:
        owner: "" for none.
        display: the folded display name that the store keeps apart, or "".
        body: decoded; written by others it may be anything that JSON can say. None where there is none.
        declared: the body that git declared, where that is another one.
        applied: fingerprint of what was declared; "" where nothing was ever applied.
        refs: kind and name of what the store says that it refers to.
        secrets: by address.
    """

    key: Key
    owner: str
    display: str
    body: Any
    declared: Any
    applied: str
    refs: frozenset[tuple[str, str]]
    secrets: Mapping[str, StoredSecret]

    @property
    def last_declared(self) -> Any:
        """What git declared when it was last applied."""
        return self.body if self.declared is None else self.declared


class Fate(StrEnum):
    """What became of a record."""

    CHANGED = "changed"
    CREATED = "created"
    DELETED = "deleted"
    REPLACED = "replaced"


class Moved(Struct, frozen=True):
    """One record that somebody else has written to since it was last applied.

    Attributes:
        since: when first, RFC 3339 in UTC; "" where nobody knows.
        by: who, as far as the store knows, or "".
        before: what it was until then; None when it is new.
        now: None when it is gone.
        run: of another owner who wrote to it by this tool; None for a write outside of a run.
        replaced: whether another record stands where it was; `uid` is that one's.
    """

    uid: str
    since: str
    by: str
    before: DriftSide | None
    now: DriftSide | None
    run: int | None = None
    replaced: bool = False

    @property
    def fate(self) -> Fate:
        """What became of it."""
        if self.before is None:
            return Fate.CREATED
        if self.now is None:
            return Fate.DELETED
        return Fate.REPLACED if self.replaced else Fate.CHANGED


class Drifted(Struct, frozen=True):
    """One record that is not what was last applied.

    Attributes:
        key: as last applied; of one that is new its own.
        owner: whose it was when it was last applied; of one that is new whose it is.
        fields: from what was last applied (before) to what is live (after).
        content: of one that is new or gone, its body, as far as it can be read.
        notes: what else was changed that the store keeps of it.
    """

    key: Key
    fate: Fate
    since: str
    by: str
    run: int | None
    owner: str
    fields: tuple[FieldChange, ...] = ()
    content: Mapping[str, Any] | None = None
    notes: tuple[str, ...] = ()


class DriftReport(Struct, frozen=True):
    """Drift.

    Attributes:
        owner: whose records were looked at; "" for everybody's.
        drifted: in order of their addresses.
        others: how many records of others are not what was last applied, and were not asked for.
    """

    target: str
    owner: str
    drifted: tuple[Drifted, ...]
    others: int = 0


class Definition(Struct, frozen=True):
    """A live record as the text of a document.

    Attributes:
        owner: repository that the record belongs to, or "" for none.
        resource: what the text declares, as it would be read.
        document: the same, decoded.
    """

    key: Key
    owner: str
    text: str
    document: dict[str, Any]
    resource: Resource


class Inexpressible(Struct, frozen=True):
    """A live record that cannot be a definition as it is, and why; no value of it is told."""

    key: Key
    findings: tuple[Finding, ...]


class Export(Struct, frozen=True):
    """What came of it.

    Attributes:
        definitions: in the order in which they are applied.
        refused: live records that cannot be definitions as they are.
        notes: address and what a reader should know of the definition.
    """

    definitions: tuple[Definition, ...]
    refused: tuple[Inexpressible, ...]
    notes: tuple[tuple[Key, str], ...]


class WritesDefinitions(Protocol):
    """From a canonical body to the text of a document that declares just that."""

    def write(
        self, key: Key, content: dict[str, Any], secrets: Container[str]
    ) -> "tuple[str, Resource] | list[Finding]":
        """The text with what it declares, or why there is none.

        Args:
            secrets: addresses of the secrets that the store holds for the record; a text there is one in the clear.
        """
        ...


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


class AdoptionRefusal(Struct, frozen=True):
    """A record that is not adopted, and why; no live value is told.

    Attributes:
        span: where in git, when it is about a place there.
    """

    key: Key
    message: str
    hint: str = ""
    findings: tuple[Finding, ...] = ()
    span: Span | None = None


class DriftOfAll(Struct, frozen=True):
    """All that differs because somebody changed it outside of a run.

    Attributes:
        pending: records with fields that git alone has moved: an apply will.
        unmanaged: live records of nobody that git does not define and that were not named.
    """

    adoptions: tuple[Adoption, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    refusals: tuple[AdoptionRefusal, ...] = ()
    pending: tuple[Key, ...] = ()
    unmanaged: int = 0


IsSecret = Callable[[str], bool]
"""Whether a text is the value of a secret that the store holds."""
