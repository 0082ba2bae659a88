"""From a valid document to a resource: canonical body, fingerprint, digests of its fields, what a change leaves behind."""

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import suppress
from hashlib import sha256
from typing import Any

from reconciler.core.diff import Path, is_named
from reconciler.core.model import Content, Key, Resource, content_of
from reconciler.core.plan import Change
from reconciler.core.references import TO_FILES
from reconciler.core.secret import REFERENCE_KEYS, masked
from reconciler.kinds.authorization import with_tokens
from reconciler.kinds.common import dotted
from reconciler.kinds.merge import is_plain, leaves_fields
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


def may_hold_nul(body: bytes) -> bool:
    """Whether a text or key of a canonical body may hold U+0000: a test without decoding it."""
    return b"\\u0000" in body


def fingerprint(body: bytes) -> str:
    """Digest that stands for a canonical body."""
    return sha256(body).hexdigest()


def canonical(content: dict[str, Any], kind: Kind) -> dict[str, Any]:
    """The canonical form of {"metadata": {"labels": ...}, "spec": ...}: what the body says. The argument stays as it is."""
    spec = kind.canonical(content["spec"])
    labels = content.get("metadata", {}).get("labels")
    return {"metadata": {"labels": labels}, "spec": spec} if labels else {"spec": spec}


def readable(kind: str, live: Any) -> tuple[Content, bool]:
    """A live body in its canonical form, and whether it has one.

    Live records may be written by others, in another order, with defaults, or in a form that is no body at
    all. Without a canonical form the body comes back as it is, or empty when not even that could be compared.
    """
    with suppress(KeyError, TypeError, AttributeError, RecursionError):
        return content_of(canonical(live, KINDS[kind])), True
    if isinstance(live, dict) and isinstance(live.get("spec"), dict):
        whole = isinstance(live.get("metadata", {}), dict)
        with suppress(TypeError):  # numbers or texts that canonical JSON cannot hold
            return content_of(live if whole else {"spec": live["spec"]}), False
    return content_of({"spec": {}}), False


def is_readable(kind: str, live: Any) -> bool:
    """Whether a live body has a canonical form."""
    with suppress(KeyError, TypeError, AttributeError, RecursionError):
        return bool(canonical(live, KINDS[kind]))
    return False


def make_resource(content: dict[str, Any], kind: Kind, file: str, document: int) -> Resource:
    """The resource that a document declares, with its content at hand. The document satisfies its schema."""
    metadata, spec = content["metadata"], content["spec"]
    made = content_of(canonical(content, kind))
    display = spec.get("displayName")
    is_connector = kind.name == "Connector"
    return Resource(
        key=Key(kind.name, metadata["name"]),
        stored=made,
        fingerprint=fingerprint(made.body),
        file=file,
        document=document,
        display=fold(display) if display else "",
        refs=tuple(sorted({Key(ref.kind, ref.name) for ref in kind.references(spec)})),
        previously=tuple(metadata.get("previously", ())),
        left_out=kind.left_out(spec),
        active=spec.get("status") != "inactive",
        unprotects=spec.get("lifecycle", {}).get("protect") is False,
        needs_token=is_connector and may_need_token(made.body) and bool(with_tokens(made.value["spec"])),
        is_plain=not leaves_fields(spec) if kind.name in ("Connector", "Category") else is_plain(kind.name, made.body),
        refers_to_files=is_connector and any(mark in made.body for mark in TO_FILES),
        contract=spec.get("contract", "") if is_connector else "",
    )


_DIGITS = 12


def leaves(body: Any) -> dict[str, str]:
    """Dotted path to digest of every field; entries of named lists by name. Literal secrets give nothing away."""
    return {dotted(path): _digest(value) for path, value in _walk(masked(body), ())}


def _walk(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _walk(item, (*path, key))
    elif is_named(value) and value:
        for item in value:
            yield from _walk(item, (*path, item["name"]))
    else:
        yield path, value


def _digest(value: Any) -> str:
    return sha256(json.dumps(value, sort_keys=True, ensure_ascii=True).encode()).hexdigest()[:_DIGITS]


def moved(planned: Mapping[str, str], live: Mapping[str, str]) -> tuple[str, ...]:
    """A line for each field that differs, with both digests."""
    return tuple(
        f"{path}: {planned.get(path, 'nothing')} when it was planned, {live.get(path, 'nothing')} now"
        for path in sorted(planned.keys() | live.keys())
        if planned.get(path) != live.get(path)
    )


def refs_after(change: Change) -> frozenset[Key]:
    """What the record refers to after the change; nothing after a delete."""
    if change.written is None:
        return frozenset(change.resource.refs) if change.resource else frozenset()
    spec = change.written.value["spec"]
    return frozenset(Key(ref.kind, ref.name) for ref in KINDS[change.key.kind].references(spec))


def display_after(change: Change) -> str:
    """Folded display name after the change, or "" for none."""
    if change.written is None:
        return change.resource.display if change.resource else ""
    name = change.written.value["spec"].get("displayName")
    return fold(name) if isinstance(name, str) else ""


def fingerprint_after(change: Change) -> str:
    """Fingerprint of the body to be written, or "" for a delete."""
    if change.written is not None:
        return fingerprint(change.written.body)
    return change.resource.fingerprint if change.resource is not None else ""
