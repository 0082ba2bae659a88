"""Whether a record that was written to outside of a run is still what was last applied, and in what it differs."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from reconciler.core.diff import MISSING, FieldChange, Origin, Path, at, diff
from reconciler.core.drift import Drifted, DriftSide, Moved, StoredSecret
from reconciler.core.model import Key
from reconciler.kinds.canonical import readable
from reconciler.kinds.merge import effective, is_secret_value, revoked_since
from reconciler.kinds.registry import KINDS


def secret_paths(kind: str, body: Any) -> dict[str, Path]:
    """Address to path of each secret reference; none of a body that is no body."""
    try:
        fields = list(KINDS[kind].secret_fields(body["spec"]))
    except (KeyError, TypeError, AttributeError):
        return {}
    return {field.address: tuple(_named(field.path, body)) for field in fields}


def path_of(address: str, paths: Mapping[str, Path]) -> Path:
    """The path of one; of one that is in no body what can be guessed of its address."""
    return paths.get(address) or ("spec", *address.split("."))


def _named(path: Path, node: Any) -> Iterator[str | int]:
    for step in path:
        node = node[step]
        yield node["name"] if isinstance(step, int) else step


ALTERED = "altered"
"""Stands for the fingerprint of a stored secret that was altered and still bears the one it had."""
UNKNOWN = "unknown"
"""Stands for the fingerprint of a secret that others wrote to a live store which shows it to nobody."""
_UNREADABLE = "it is not as a record should be"
_KEPT_APART = {
    "display": "the unique name that the store keeps of it was changed",
    "refs": "the references that the store keeps of it were changed",
    "declared": "the declaration that the store keeps of it was changed",
    "applied": "the fingerprint of what was last applied to it was changed",
}


def is_protected(body: Any) -> bool:
    """Whether a body, which may be anything, says that its record must not be deleted."""
    return at(body, ("spec", "lifecycle", "protect")) is True


def paired(moved: Iterable[Moved]) -> list[Moved]:
    """`moved`, with what is gone and what was put in its place as one."""
    listed = list(moved)
    gone = {one.before.key: one for one in listed if one.before and one.now is None}
    placed = {one.now.key: one for one in listed if one.now and one.before is None and one.now.key in gone}
    pairs = [
        Moved(new.uid, gone[key].since, gone[key].by or new.by, gone[key].before, new.now, replaced=True)
        for key, new in placed.items()
    ]
    used = {one.uid for one in placed.values()} | {gone[key].uid for key in placed}
    return [*(one for one in listed if one.uid not in used), *pairs]


def drifted(moved: Moved, time: str) -> Drifted | None:
    """How it differs from what was last applied, or None where it moved back or the difference is left to the live side.

    Args:
        time: the present, RFC 3339.
    """
    before, now = moved.before, moved.now
    if before is None or now is None:
        side = now or before
        if side is None:
            return None
        content = readable(side.key.kind, side.body)[0].value
        return Drifted(side.key, moved.fate, moved.since, moved.by, moved.run, side.owner, content=content)
    fields, notes = _differences(before, now, time)
    if not fields and not notes and not moved.replaced:
        return None
    return Drifted(before.key, moved.fate, moved.since, moved.by, moved.run, before.owner, tuple(fields), notes=notes)


def _differences(before: DriftSide, now: DriftSide, time: str) -> tuple[list[FieldChange], tuple[str, ...]]:
    kind = before.key.kind
    found, valid = readable(kind, now.body)
    live = found.value
    fields = list(addressing(before, now))
    declared = before.last_declared
    last, known = readable(kind, declared)
    wanted = last.value
    if known:
        applied = revoked_since(declared, live, time) if kind == "PermissionPolicy" and valid else declared
        wanted = effective(kind, wanted, live if valid else None, applied, time, protect=is_protected(before.body))
    for path, old, new in diff(wanted, live, is_secret_value):
        secret = is_secret_value(path, old) or is_secret_value(path, new)
        fields.append(FieldChange(path, old, new, Origin.DRIFT, secret))
    paths = {field.path for field in fields}
    fields += [field for field in secrets_moved(before, now) if field.path not in paths]
    return fields, (() if valid else (_UNREADABLE,)) + kept_apart(before, now)


def addressing(before: DriftSide, now: DriftSide) -> Iterator[FieldChange]:
    """Kind, name and owner, where they differ."""
    for path, old, new in (
        (("kind",), before.key.kind, now.key.kind),
        (("metadata", "name"), before.key.name, now.key.name),
        (("metadata", "owner"), before.owner or MISSING, now.owner or MISSING),
    ):
        if old != new:
            yield FieldChange(path, old, new, Origin.DRIFT)


def secrets_moved(before: DriftSide, now: DriftSide) -> Iterator[FieldChange]:
    """Stored secrets that are not those that were stored, by their keyed fingerprints."""
    if before.secrets == now.secrets:
        return
    paths = secret_paths(before.key.kind, now.body) | secret_paths(before.key.kind, before.body)
    for address in sorted(before.secrets.keys() | now.secrets.keys()):
        old, new = before.secrets.get(address), now.secrets.get(address)
        if old != new:
            path = path_of(address, paths)
            yield FieldChange(path, _printed(old), _printed(new, old), Origin.DRIFT, secret=True, printed=True)


def _printed(secret: StoredSecret | None, other: StoredSecret | None = None) -> Any:
    if secret is None:
        return MISSING
    return ALTERED if other is not None and other.fingerprint == secret.fingerprint else secret.fingerprint


def kept_apart(before: DriftSide, now: DriftSide) -> tuple[str, ...]:
    """What else the store keeps of a record and that is not what it was."""
    return tuple(said for name, said in _KEPT_APART.items() if getattr(before, name) != getattr(now, name))


def identities(moved: Iterable[Moved], owner: str) -> dict[str, Key]:
    """By uid the addresses that records had when they were last applied, where they have others now.

    Those that were given to another owner too are somebody else's.
    """
    return {
        one.uid: one.before.key
        for one in moved
        if one.before and one.now and one.before.key != one.now.key and one.now.owner in (owner, "")
    }
