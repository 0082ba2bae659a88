"""Digests of the single fields of a body, so that what moved can be named without saying what it was."""

import json
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any

from reconciler.core.diff import Path, is_named
from reconciler.core.secret import masked
from reconciler.kinds.common import dotted

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
