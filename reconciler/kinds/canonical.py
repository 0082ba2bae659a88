"""From a valid document to a resource: canonical body, fingerprint, folded display name."""

import json
import re
import unicodedata
from typing import Any

from reconciler.core.model import Key, Resource, facts_of
from reconciler.core.references import TO_FILES
from reconciler.core.sensitive import REFERENCE_KEYS
from reconciler.digests import sha256
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


_FEW = 30
"""Bodies that json encodes or decodes in the time that loading orjson takes."""
_left = _FEW
_LEVELS = 100
"""How deep json's values may be nested; orjson's own limit lies beyond it."""


def encode(content: Any) -> bytes:
    """Canonical JSON of a body, or of another value: sorted keys, no white space.

    Raises:
        TypeError: it holds what canonical JSON cannot.
    """
    if _is_early() and _is_plain(content, _LEVELS):
        try:
            return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        except UnicodeEncodeError:  # half a character, which orjson refuses
            pass
    import orjson

    return orjson.dumps(content, option=orjson.OPT_SORT_KEYS)


def expect_many() -> None:
    """Load what encodes many bodies fast."""
    global _left
    _left = 0
    import orjson  # noqa: F401


def _is_early() -> bool:
    """Whether little was encoded and decoded until now."""
    global _left
    if _left:
        _left -= 1
    return _left > 0


def _is_plain(value: Any, levels: int) -> bool:
    """Whether json and orjson write the same; numbers with a point they do not, and of the rest orjson takes less."""
    kind = type(value)
    if kind is dict:
        return levels > 0 and all(type(key) is str and _is_plain(item, levels - 1) for key, item in value.items())
    if kind is list:
        return levels > 0 and all(_is_plain(item, levels - 1) for item in value)
    return kind in (str, bool) or value is None or (kind is int and -(2**63) <= value < 2**64)


def decode(body: bytes) -> dict[str, Any]:
    """A canonical body, decoded."""
    if _is_early():
        plain: dict[str, Any] = json.loads(body)
        return plain
    import orjson

    content: dict[str, Any] = orjson.loads(body)
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
