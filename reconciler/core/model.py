"""Resources, records and the canonical bodies of both."""

from collections import Counter
from collections.abc import Mapping
from sys import intern
from typing import Any, NamedTuple, Protocol, Self

import msgspec
from msgspec import Struct

from reconciler.core.secret import Secret

_ENCODER = msgspec.json.Encoder(order="sorted")
_LEVELS = 250
"""Above each value there are fewer: far less than what recursion ends at, wherever it begins."""
_TOO_DEEP = b"\n" + b" " * _LEVELS


def encode(content: Any) -> bytes:
    """Canonical JSON of a body, or of another value: sorted keys, no white space.

    Raises:
        TypeError: it holds what canonical JSON cannot: half a character, say, or too many levels.
    """
    try:
        body = _ENCODER.encode(content)
        too_deep = body.count(b"[") + body.count(b"{") > _LEVELS and _TOO_DEEP in msgspec.json.format(body, indent=1)
    except (ValueError, RecursionError) as failure:
        raise TypeError("canonical JSON cannot hold it") from failure
    if too_deep:
        raise TypeError(f"more than {_LEVELS} levels of nesting")
    return body


def decode(body: bytes) -> dict[str, Any]:
    """A canonical body, decoded.

    Raises:
        ValueError: it is no JSON.
    """
    try:
        content: dict[str, Any] = msgspec.json.decode(body)
    except RecursionError:
        raise ValueError("too many levels of nesting") from None
    return content


class Content(Struct, frozen=True):
    """What a record is to hold, or holds: its canonical body, and the value where that is at hand.

    Whoever has the value passes it on with the body, so that nobody decodes what was encoded just now. A value is
    never changed, as it is shared; of very many only the bodies are held.
    """

    body: bytes
    held: dict[str, Any] | None = None

    @property
    def value(self) -> dict[str, Any]:
        """What the body says; decoded each time where it is not held."""
        return decode(self.body) if self.held is None else self.held

    def at_hand(self) -> Self:
        """With its value."""
        return self if self.held is not None else type(self)(self.body, decode(self.body))


def content_of(value: dict[str, Any]) -> Content:
    """A canonical value with its body.

    Raises:
        TypeError: it holds what canonical JSON cannot.
    """
    body = encode(value)
    return Content(body, decode(body) if b"null" in body else value)  # which infinite numbers become


class Key(NamedTuple):
    """Identity of a resource."""

    kind: str
    name: str


class KeepsBodies(Protocol):
    """Where a body is that is not held in memory."""

    def body(self, resource: "Resource") -> bytes:
        """The body of a resource, proven by its fingerprint.

        Raises:
            SourceUnavailable: it is not to be had any more.
        """
        ...


class Resource(Struct, frozen=True, eq=False):
    """One valid document of the desired state.

    Attributes:
        stored: canonical labels and spec, or where they are; secrets are references in them.
        fingerprint: SHA-256 of the body, in hexadecimal.
        file: path from the repository's root.
        refs: resources that it refers to, sorted.
        document: index of the document in its file.
        display: display name folded for comparison, or "".
        previously: earlier names.
        left_out: lists of `spec`, dotted, that the document does not mention; an empty list is mentioned.
        active: False when its status is inactive.
        unprotects: whether it says that the record is protected no longer; to say nothing does not lift it.
        needs_token: whether it is a connector that needs an access token.
        is_plain: whether its body is sure to be its own effective body, whatever is live.
        refers_to_files: whether it may hold a secret reference that leads to a file.
        contract: path of the document that its endpoints are held against, or "".
    """

    key: Key
    stored: Content | KeepsBodies
    fingerprint: str
    file: str
    refs: tuple[Key, ...] = ()
    document: int = 0
    display: str = ""
    previously: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    active: bool = True
    unprotects: bool = False
    needs_token: bool = False
    is_plain: bool = False
    refers_to_files: bool = False
    contract: str = ""

    @property
    def content(self) -> Content:
        """What it declares. What is not held in memory is fetched each time, as there may be very many."""
        return self.stored if isinstance(self.stored, Content) else Content(self.stored.body(self))

    @property
    def body(self) -> bytes:
        """Its canonical body, as `content` gives it."""
        return self.content.body

    def __eq__(self, other: object) -> bool:
        """Whether both declare the same, at the same place; wherever the bodies are, their fingerprints say it."""
        return isinstance(other, Resource) and all(
            getattr(self, name) == getattr(other, name) for name in self.__struct_fields__ if name != "stored"
        )

    def __hash__(self) -> int:
        """Hash of the key."""
        return hash(self.key)

    def __repr__(self) -> str:
        """What it is and where it stands."""
        return f"Resource({self.key.kind}/{self.key.name}, {self.fingerprint[:12]}, {self.file}:{self.document})"


class SecretState(Struct, frozen=True):
    """What the store holds of one secret.

    Attributes:
        reference: canonical text of the reference it was resolved from.
        fingerprint: keyed digest of the value, in hexadecimal; safe to show.
    """

    reference: str
    fingerprint: str


class Record(Struct, frozen=True):
    """One record of the live state, without its body: what a plan needs of all of them.

    Attributes:
        uid: identity that survives renames.
        fingerprint: of the live body now.
        applied: fingerprint of the body that was last written by an apply; differs after drift.
        owner: repository that it belongs to, or "" for none.
        display: folded display name.
        version: the store's own word for this state of it, another one after every write; what a change is conditional on.
        touched: whether somebody has written to it outside of a run since it was last applied.
    """

    key: Key
    uid: str
    fingerprint: str
    applied: str
    owner: str
    display: str
    version: str
    touched: bool = False


class Bodies(Struct, frozen=True):
    """The bodies of one record.

    Attributes:
        live: what the record holds now; written by others it may be anything that JSON can say. Shared, as all
            that is decoded here: never to be changed.
        applied: what was last written by an apply, or None when it never was.
        secrets: state of its secrets by dotted path.
    """

    live: dict[str, Any]
    applied: dict[str, Any] | None
    secrets: Mapping[str, SecretState]


class Found(Struct, frozen=True):
    """One live record as a search finds it.

    Attributes:
        drifted: whether it differs from what was last applied.
        changed_at: time of its last change by this tool, RFC 3339 in UTC.
    """

    uid: str
    kind: str
    name: str
    owner: str
    changed_at: str
    content: dict[str, Any]
    drifted: bool = False


class LiveConnector(Struct, frozen=True):
    """A live connector with what it takes to send its requests.

    Attributes:
        secrets: values of its secrets by address; empty when they were not asked for.
    """

    uid: str
    name: str
    owner: str
    labels: Mapping[str, str]
    spec: dict[str, Any]
    secrets: Mapping[str, Secret]


class Coverage(Struct, frozen=True):
    """A count of grants; what makes super admins is one of them.

    Attributes:
        explained: those of which every permission is needed by some expectation.
    """

    grants: int
    explained: int


def owned_by(records: Mapping[Key, Record], owner: str) -> Counter[str]:
    """How many records of each kind an owner has; "" for those without one."""
    return Counter(key.kind for key, record in records.items() if record.owner == owner)


def beside(record: Record, resource: Resource | None) -> Record:
    """A record that shares with its resource what both say, as there may be very many."""
    if resource is None:
        return record
    printed = resource.fingerprint
    return Record(
        resource.key if record.key == resource.key else record.key,
        record.uid,
        printed if record.fingerprint == printed else record.fingerprint,
        printed if record.applied == printed else record.applied,
        intern(record.owner),
        resource.display if record.display == resource.display else record.display,
        record.version,
        record.touched,
    )
