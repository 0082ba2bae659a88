"""The central records: a resource of the desired state, a record of the live state."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from reconciler.core.secret import Secret
from reconciler.value_class import value_class


class Key(NamedTuple):
    """Identity of a resource."""

    kind: str
    name: str


@value_class
class Resource:
    """One valid document of the desired state.

    Attributes:
        body: canonical JSON of labels and spec; secrets are references in it.
        fingerprint: SHA-256 of `body`, in hexadecimal.
        display: display name folded for comparison, or "".
        refs: resources that it refers to.
        previously: earlier names.
        file: path from the repository's root.
        document: index of the document in its file.
        active: False when its status is inactive.
        left_out: lists of `spec`, dotted, that the document does not mention; an empty list is mentioned.
        unprotects: whether it says that the record is protected no longer; to say nothing does not lift it.
    """

    key: Key
    body: bytes
    fingerprint: str
    display: str
    refs: tuple[Key, ...]
    previously: tuple[str, ...]
    file: str
    document: int
    active: bool
    left_out: tuple[str, ...] = ()
    unprotects: bool = False

    def content(self) -> dict[str, Any]:
        """The decoded body; a new object each time."""
        content: dict[str, Any] = json.loads(self.body)
        return content


@value_class
class SecretState:
    """What the store holds of one secret.

    Attributes:
        reference: canonical text of the reference it was resolved from.
        fingerprint: keyed digest of the value, in hexadecimal; safe to show.
    """

    reference: str
    fingerprint: str


@value_class
class Record:
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


@value_class
class Bodies:
    """The bodies of one record.

    Attributes:
        live: what the record holds now; written by others it may be anything that JSON can say.
        applied: what was last written by an apply, or None when it never was.
        secrets: state of its secrets by dotted path.
    """

    live: dict[str, Any]
    applied: dict[str, Any] | None
    secrets: Mapping[str, SecretState]


@value_class
class Found:
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


@value_class
class LiveConnector:
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
