"""The central records: a resource of the desired state, a record of the live state."""

import struct
from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

import msgspec
from msgspec import Struct

from reconciler.core.secret import Secret


class Key(NamedTuple):
    """Identity of a resource."""

    kind: str
    name: str


class KeepsBodies(Protocol):
    """Where bodies are that are not held in memory."""

    def body(self, resource: "Resource") -> bytes:
        """The body of a resource, proven by its fingerprint.

        Raises:
            SourceUnavailable: it is not to be had any more.
        """
        ...


_ACTIVE, _UNPROTECTS, _TOKEN, _PLAIN, _FILES = 1, 2, 4, 8, 16
_FACTS = struct.Struct("<32sHIII")
"""Fingerprint; flags, with the upper half of the offset above them; index of the document; offset; length."""


class Resource:
    """One valid document of the desired state. Not to be changed; as small as can be, as there may be very many.

    Attributes:
        display: display name folded for comparison, or "".
        refs: resources that it refers to, sorted.
        previously: earlier names.
        file: path from the repository's root.
        left_out: lists of `spec`, dotted, that the document does not mention; an empty list is mentioned.
    """

    __slots__ = ("_body", "_facts", "display", "file", "key", "left_out", "previously", "refs")

    def __init__(
        self,
        key: Key,
        body: "bytes | KeepsBodies",
        facts: bytes,
        display: str,
        refs: tuple[Key, ...],
        previously: tuple[str, ...],
        file: str,
        left_out: tuple[str, ...] = (),
    ) -> None:
        """Make one of what `facts_of` gives, with its body or with what keeps it."""
        self.key = key
        self._body = body
        self._facts = facts
        self.display = display
        self.refs = refs
        self.previously = previously
        self.file = file
        self.left_out = left_out

    @property
    def body(self) -> bytes:
        """Canonical JSON of labels and spec; secrets are references in it. Once read it stays in memory."""
        if not isinstance(self._body, bytes):
            self._body = self.peek()
        return self._body

    def peek(self) -> bytes:
        """The body, without keeping it in memory: for whoever looks at very many."""
        return self._body if isinstance(self._body, bytes) else self._body.body(self)

    def content(self) -> dict[str, Any]:
        """The decoded body; a new object each time."""
        content: dict[str, Any] = msgspec.json.decode(self.peek())
        return content

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the body, in hexadecimal."""
        return self._facts[:32].hex()

    @property
    def place(self) -> tuple[bytes, int, int]:
        """Digest of the body, and where it begins and how long it is in what keeps it."""
        printed, flags, _, offset, length = _FACTS.unpack(self._facts)
        return printed, (flags >> 8) << 32 | offset, length

    @property
    def document(self) -> int:
        """Index of the document in its file."""
        return int(_FACTS.unpack(self._facts)[2])

    @property
    def active(self) -> bool:
        """False when its status is inactive."""
        return bool(self._facts[32] & _ACTIVE)

    @property
    def unprotects(self) -> bool:
        """Whether it says that the record is protected no longer; to say nothing does not lift it."""
        return bool(self._facts[32] & _UNPROTECTS)

    @property
    def needs_token(self) -> bool:
        """Whether it is a connector that needs an access token."""
        return bool(self._facts[32] & _TOKEN)

    @property
    def is_plain(self) -> bool:
        """Whether its body is sure to be its own effective body, whatever is live."""
        return bool(self._facts[32] & _PLAIN)

    @property
    def refers_to_files(self) -> bool:
        """Whether it may hold a secret reference that leads to a file."""
        return bool(self._facts[32] & _FILES)

    def facts_at(self, offset: int) -> bytes:
        """Its facts, with where a copy of its body begins."""
        printed, flags, document, _, length = _FACTS.unpack(self._facts)
        return _FACTS.pack(printed, flags & 255 | offset >> 32 << 8, document, offset & 0xFFFF_FFFF, length)

    def mentioning_all(self) -> "Resource":
        """The same, of which nothing is said to be left out."""
        return Resource(self.key, self._body, self._facts, self.display, self.refs, self.previously, self.file)

    def __eq__(self, other: object) -> bool:
        """Whether both declare the same, at the same place."""
        return isinstance(other, Resource) and self._compared() == other._compared()

    def __hash__(self) -> int:
        """Hash of the key."""
        return hash(self.key)

    def __repr__(self) -> str:
        """What it is and where it stands."""
        return f"Resource({self.key.kind}/{self.key.name}, {self.fingerprint[:12]}, {self.file}:{self.document})"

    def _compared(self) -> tuple[object, ...]:
        flags, document = self._facts[32], self.document
        return (self.key, self._facts[:32], flags, document, self.display, self.refs, self.previously, self.file, self.left_out)  # fmt: skip


def facts_of(
    digest: bytes, length: int, document: int, *, active: bool, unprotects: bool, token: bool, plain: bool, files: bool
) -> bytes:
    """What a resource keeps of its body and its document, in few bytes; see the properties of `Resource`.

    Args:
        digest, length: of the body.
    """
    flags = active * _ACTIVE + unprotects * _UNPROTECTS + token * _TOKEN + plain * _PLAIN + files * _FILES
    return _FACTS.pack(digest, flags, document, 0, length)


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
        version: grows by one with each write; what a change is conditional on.
        touched: whether somebody has written to it around the tool since it was last applied.
    """

    key: Key
    uid: str
    fingerprint: str
    applied: str
    owner: str
    display: str
    version: int
    touched: bool = False


class Bodies(Struct, frozen=True):
    """The bodies of one record.

    Attributes:
        live: what the record holds now; written by others it may be anything that JSON can say.
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
