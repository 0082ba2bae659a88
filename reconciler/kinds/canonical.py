"""From a valid document to a resource: canonical body, fingerprint, folded display name."""

import re
import unicodedata
from hashlib import sha256
from typing import Any

import msgspec

from reconciler.core.model import Key, Resource, facts_of
from reconciler.core.references import TO_FILES
from reconciler.core.sensitive import REFERENCE_KEYS
from reconciler.kinds.authorization import needs_token
from reconciler.kinds.merging import is_plain, leaves_fields
from reconciler.kinds.registry import KINDS, Kind

_REFERENCE = re.compile(rb':\{"(?:' + "|".join(REFERENCE_KEYS).encode() + rb')":"')
_WRITTEN = re.compile(rb':\{"(' + "|".join(REFERENCE_KEYS).encode() + rb')":"([^"\\]*(?:\\.[^"\\]*)*)"')
_FAR_REFERENCE = re.compile(rb':\{"(?:' + "|".join(REFERENCE_KEYS[2:]).encode() + rb')":"')
"""Faster than asking for each of the keys."""


def fold(name: str) -> str:
    """`name` without regard to case, accents and runs of white space: how display names are compared."""
    if name.isascii():
        return " ".join(name.lower().split())
    parts = unicodedata.normalize("NFKD", name.casefold())
    return " ".join("".join(part for part in parts if not unicodedata.combining(part)).casefold().split())


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


def may_hold_references(body: bytes) -> bool:
    """Whether a canonical body may hold secret references: a test without decoding it."""
    return _REFERENCE.search(body) is not None


def written_references(body: bytes) -> list[tuple[bytes, bytes]]:
    """Key and target, as JSON writes it, of all that may be a secret reference in a canonical body: without decoding it."""
    return _WRITTEN.findall(body)


def may_hold_far_references(body: bytes) -> bool:
    """Whether some of them may lead to another program or machine."""
    return _FAR_REFERENCE.search(body) is not None


def may_need_token(body: bytes) -> bool:
    """Whether a canonical body may be of a connector that needs a token: a test without decoding it."""
    return b'"method":"oauth2-' in body or b'"tokenRequest":{' in body


def fingerprint(body: bytes) -> str:
    """Digest that stands for a canonical body."""
    return sha256(body).hexdigest()


def body_of(content: dict[str, Any], kind: Kind) -> bytes:
    """Canonical body of {"metadata": {"labels": ...}, "spec": ...}; changes `content`."""
    kind.canonical(content["spec"])
    labels = content.get("metadata", {}).get("labels")
    kept = {"metadata": {"labels": labels}, "spec": content["spec"]} if labels else {"spec": content["spec"]}
    return encode(kept)


def readable(kind: str, live: Any) -> tuple[dict[str, Any], bool]:
    """A live body in its canonical form, and whether it has one.

    Live records may be written by others, in another order, with defaults, or in a form that is no body at
    all. The argument is not changed. Without a canonical form the body comes back as it is, or empty when
    not even that could be compared.
    """
    try:
        copy = decode(encode(live))
        return decode(body_of(copy, KINDS[kind])), True
    except (KeyError, TypeError, AttributeError, RecursionError):
        pass
    try:
        encode(live)
    except TypeError:  # numbers or texts that canonical JSON cannot hold
        return {"spec": {}}, False
    if not isinstance(live, dict) or not isinstance(live.get("spec"), dict):
        return {"spec": {}}, False
    whole = isinstance(live.get("metadata", {}), dict)
    return live if whole else {"spec": live["spec"]}, False


def make_resource(content: dict[str, Any], kind: Kind, file: str, document: int) -> Resource:
    """The resource that a document declares. The document satisfies its schema; it is changed."""
    metadata, spec = content["metadata"], content["spec"]
    refs = tuple(sorted({Key(ref.kind, ref.name) for ref in kind.references(spec)}))
    display = spec.get("displayName")
    active = spec.get("status") != "inactive"
    left_out = kind.left_out(spec)
    unprotects = spec.get("lifecycle", {}).get("protect") is False
    body = body_of(content, kind)
    facts = facts_of(
        sha256(body).digest(),
        len(body),
        document,
        active=active,
        unprotects=unprotects,
        token=kind.name == "Connector" and needs_token(spec),
        plain=not leaves_fields(spec) if kind.name in ("Connector", "Category") else is_plain(kind.name, body),
        files=kind.name == "Connector" and any(mark in body for mark in TO_FILES),
    )
    return Resource(
        Key(kind.name, metadata["name"]),
        body,
        facts,
        fold(display) if display else "",
        refs,
        tuple(metadata.get("previously", ())),
        file,
        left_out,
    )
