"""Field by field comparison of two bodies.

Mappings compare by key. Lists of named entries (parameters, headers) compare by name, and their order
apart. Other lists compare as a whole; the bodies are canonical, so lists that are sets are sorted.
"""

from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Any, Final

from msgspec import Struct

Path = tuple[str | int, ...]


class _Missing:
    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = _Missing()
"""Stands for a field that is not there."""


class Origin(StrEnum):
    """Who moved: the desired state, the live state, both, the value behind a secret reference, or time itself."""

    GIT = "git"
    DRIFT = "drift"
    BOTH = "both"
    SECRET = "secret"  # noqa: S105 (the word, not one)
    TOKEN = "token"  # noqa: S105


class FieldChange(Struct, frozen=True):
    """One path's value before and after; `MISSING` where there is none.

    Attributes:
        secret: whether the values are secret references, or fingerprints of secrets.
        printed: whether they are fingerprints of stored secrets, whatever the origin.
        applied: where the live side moved, the value that was last applied; `MISSING` too where nobody knows.
    """

    path: Path
    before: Any
    after: Any
    origin: Origin = Origin.GIT
    secret: bool = False
    printed: bool = False
    applied: Any = MISSING


Atomic = Callable[[Path, Any], bool]


def diff(before: Any, after: Any, atomic: Atomic, path: Path = ()) -> Iterator[tuple[Path, Any, Any]]:
    """Paths at which the two differ, with both values, in order of the paths.

    Args:
        atomic: says which values count as one although they are mappings.
    """
    if not same(before, after):
        yield from _differing(before, after, atomic, path)


def _differing(before: Any, after: Any, atomic: Atomic, path: Path) -> Iterator[tuple[Path, Any, Any]]:
    """As `diff`, of two that are known to differ."""
    if isinstance(before, dict) and isinstance(after, dict) and not (atomic(path, before) or atomic(path, after)):
        for key in sorted(before.keys() | after.keys()):
            old, new = before.get(key, MISSING), after.get(key, MISSING)
            if not same(old, new):
                yield from _differing(old, new, atomic, (*path, key))
    elif is_named(before) and is_named(after) and before and after:
        yield from _diff_named(before, after, atomic, path)
    else:
        yield path, before, after


def same(one: Any, other: Any) -> bool:
    """Whether two values are equal in JSON, where 1, 1.0 and true are three values."""
    return bool(one == other) and _of_same_types(one, other)  # what differs, Python finds many times faster


def _of_same_types(one: Any, other: Any) -> bool:
    """Whether two values that are equal to Python are so to their leaves."""
    kind = type(one)
    if kind is not type(other):
        return False
    if kind is dict:
        pairs = zip(one.values(), map(other.__getitem__, one), strict=True)
    elif kind is list:
        pairs = zip(one, other, strict=True)
    else:
        return True
    for value, twin in pairs:
        kind = type(value)
        if kind is not type(twin) or ((kind is dict or kind is list) and not _of_same_types(value, twin)):
            return False
    return True


def is_named(value: Any) -> bool:
    """Whether a list is one of entries that are told apart by their names."""
    if not isinstance(value, list) or not all(isinstance(item, dict) and "name" in item for item in value):
        return False
    return len({item["name"] for item in value}) == len(value)


def _diff_named(before: list[Any], after: list[Any], atomic: Atomic, path: Path) -> Iterator[tuple[Path, Any, Any]]:
    old = {item["name"]: item for item in before}
    new = {item["name"]: item for item in after}
    for name in [*old, *(name for name in new if name not in old)]:
        yield from diff(old.get(name, MISSING), new.get(name, MISSING), atomic, (*path, name))
    kept_before = [name for name in old if name in new]
    kept_after = [name for name in new if name in old]
    if kept_before != kept_after:
        yield (*path, "(order)"), list(old), list(new)


def at(content: Any, path: Path) -> Any:
    """The value at `path`, or `MISSING`; entries of named lists are found by name."""
    for step in path:
        if isinstance(content, dict):
            content = content.get(step, MISSING)
        elif isinstance(content, list) and step == "(order)" and is_named(content):
            content = [item["name"] for item in content]
        elif isinstance(content, list):
            content = next((item for item in content if isinstance(item, dict) and item.get("name") == step), MISSING)
        else:
            return MISSING
    return content


def origin(before: Any, after: Any, applied: Any) -> Origin:
    """Who moved a field away from what was last applied.

    Args:
        before: the live value.
        after: the desired value.
        applied: the value last written, or `MISSING`.
    """
    if same(applied, before):
        return Origin.GIT
    return Origin.DRIFT if same(applied, after) else Origin.BOTH


def put(content: Any, path: Path, value: Any, like: Any) -> Any:
    """`content` with the field at `path` having a value; `MISSING` removes it.

    Args:
        like: content in which the field has that value: a new item of a named list goes where it stands there.
    """
    step, *rest = path
    if rest:
        below, beside = at(content, (step,)), at(like, (step,))
        if below is MISSING:
            below = [] if isinstance(beside, list) else {}
        value = put(below, tuple(rest), value, beside)
    if isinstance(content, list):
        return _put_named(content, step, value, like)
    if not isinstance(content, dict):
        return content
    return {key: item for key, item in content.items() if key != step} if value is MISSING else {**content, step: value}


def _put_named(items: list[Any], name: str | int, value: Any, like: Any) -> list[Any]:
    if name == "(order)":
        ranks = {item["name"]: rank for rank, item in enumerate(like)}
        moved = iter(sorted((item for item in items if item["name"] in ranks), key=lambda item: ranks[item["name"]]))
        return [next(moved) if item["name"] in ranks else item for item in items]
    places = [place for place, item in enumerate(items) if item["name"] == name]
    kept = [] if value is MISSING else [value]
    if places:
        return [*items[: places[0]], *kept, *items[places[0] + 1 :]]
    order = [item["name"] for item in like] if kept else []
    above = order[: order.index(str(name))] if kept else []
    place = max((place + 1 for place, item in enumerate(items) if item["name"] in above), default=0)
    return [*items[:place], *kept, *items[place:]]
