"""How values, paths and moves of a change are shown."""

import json
from collections.abc import Callable
from typing import Any

from reconciler.core.diff import MISSING, FieldChange, Origin
from reconciler.core.drift import Drifted, Moved
from reconciler.core.history import ago
from reconciler.core.plan import Change
from reconciler.core.secret import mask_text
from reconciler.harmless import harmless
from reconciler.kinds.common import dotted
from reconciler.kinds.defaults import Default
from reconciler.kinds.drift import ALTERED, UNKNOWN

_WIDTH = 72


def shown(value: Any) -> str:
    """A value on one line; long texts are cut, lists never, because they may hold permissions."""
    if value is MISSING:
        return "(none)"
    if isinstance(value, Default):
        return f"{shown(value.value)} (default)"
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        text = "[" + ", ".join(value) + "]"
    elif isinstance(value, str):
        text = json.dumps(value, ensure_ascii=False)
    else:
        text = json.dumps(value, ensure_ascii=False, separators=(", ", ": "))
    return cut(harmless(mask_text(text)), 0) if isinstance(value, str) else harmless(mask_text(text))


def shown_pair(change: FieldChange) -> tuple[str, str]:
    """Both values of a field; of long texts the part around the first difference."""
    before, after = change.before, change.after
    if change.origin is Origin.TOKEN:
        return f"({before})", f"({after})"
    if change.secret:
        printed = change.printed or change.origin is Origin.SECRET
        return _shown_secret(before, printed=printed), _shown_secret(after, printed=printed)
    if not (isinstance(before, str) and isinstance(after, str)):
        return shown(before), shown(after)
    texts = [harmless(mask_text(json.dumps(text, ensure_ascii=False))) for text in (before, after)]
    same = next((at for at, (old, new) in enumerate(zip(*texts, strict=False)) if old != new), 0)
    return cut(texts[0], same), cut(texts[1], same)


def shown_sides(change: FieldChange) -> list[tuple[str, str]]:
    """The three sides of a field that git and the live side moved: what was last applied, what is live, what git says."""
    sides = (("last applied", change.applied), ("live", change.before), ("git", change.after))
    if change.secret:
        return [(name, _shown_secret(value, printed=change.printed)) for name, value in sides]
    return [(name, shown(value)) for name, value in sides]


def line_changes(change: FieldChange) -> list[tuple[str, str]] | None:
    """Sign and text of what differs, of texts of several lines and of lists of mappings such as grants, one a line.

    None for other values.
    """
    sides = [value for value in (change.before, change.after) if value is not MISSING]
    if change.secret or not sides:
        return None
    if all(isinstance(side, str) for side in sides) and any("\n" in side for side in sides):
        split: Callable[[Any], list[str]] = _text_lines
    elif all(isinstance(side, list) and all(isinstance(item, dict) for item in side) for side in sides) and any(sides):
        split = _item_lines
    else:
        return None
    from difflib import unified_diff

    old, new = ([] if value is MISSING else split(value) for value in (change.before, change.after))
    lines = list(unified_diff(old, new, n=0, lineterm=""))[2:]  # the first two name the files
    return [(line[0], harmless(mask_text(line[1:]))) for line in lines if not line.startswith("@@")]


def _text_lines(text: str) -> list[str]:
    """The lines of a text; it is said when the last one has no end."""
    if not text:
        return []
    *lines, last = text.split("\n")
    return [*lines, f"{last} (no line break at the end)"] if last else lines


def _item_lines(items: list[dict[str, Any]]) -> list[str]:
    return [flat(item) for item in items]


def cut(text: str, keep: int = 0) -> str:
    """`text` cut to `_WIDTH`, so that the character at `keep` is shown."""
    if len(text) <= _WIDTH:
        return text
    start = max(0, min(keep - _WIDTH // 4, len(text) - _WIDTH + 1))
    excerpt = text[start : start + _WIDTH - 1]
    return ("…" if start else "") + excerpt + ("…" if start + len(excerpt) < len(text) else "")


_WORDS = {ALTERED: "(altered)", UNKNOWN: "(another one, not known)"}


def _shown_secret(value: Any, *, printed: bool) -> str:
    """A secret's reference or fingerprint.

    Args:
        printed: whether texts are fingerprints, and not values that others have written.
    """
    if value is MISSING:
        return "(none)"
    if isinstance(value, dict):
        return reference(value)
    if value in _WORDS:
        return _WORDS[value]
    return f"(fingerprint {value})" if printed else "(a text)"


def reference(value: dict[str, str]) -> str:
    """A secret reference as it is written in YAML."""
    return "{" + ", ".join(f"{key}: {harmless(str(item))}" for key, item in value.items()) + "}"


def field_name(change: FieldChange) -> str:
    """The dotted path of a field."""
    path = change.path
    return harmless(dotted(path[1:] if path[:1] == ("metadata",) and len(path) > 1 else path))


def set_change(change: FieldChange) -> tuple[list[str], list[str]] | None:
    """What was added to and removed from a list of texts; None for any other change."""
    before, after = change.before, change.after
    if change.secret or (change.path and change.path[-1] == "(order)"):
        return None
    if not (isinstance(before, list) and isinstance(after, list)):
        return None
    if not all(isinstance(item, str) for item in [*before, *after]):
        return None
    return [item for item in after if item not in before], [item for item in before if item not in after]


def flat(item: dict[str, Any]) -> str:
    """A mapping on one line, permissions first."""
    ordered = sorted(item.items(), key=lambda pair: (pair[0] != "permissions", pair[0]))
    parts = [f"{key}: {shown(value)}" for key, value in ordered]
    return ", ".join(parts)


def told_move(change: Change) -> Moved | None:
    """What others did to a record, where the change has to do with it."""
    return change.moved if change.origin in (Origin.DRIFT, Origin.BOTH) else None


def move_text(moved: Moved, now: str | None) -> str:
    """In words; see `when_text`."""
    verb = "taken over" if moved.run is not None else f"drift: {moved.fate.value}"
    return verb + when_text(moved, now)


def when_text(moved: Moved | Drifted, now: str | None) -> str:
    """The time and by whom, each as far as the store knows.

    Args:
        now: None for the exact time, in what is read later.
    """
    since = harmless(moved.since)
    when = f" {ago(since, now)}" if now else f" at {since}"
    if moved.run is not None:
        return f" by run {moved.run} of {harmless(moved.by)}{when}"
    return (when if since else "") + (f", by {harmless(moved.by)}" if moved.by else "")


def moved_json(moved: Moved) -> dict[str, Any]:
    """As data."""
    return {"fate": moved.fate.value, "since": moved.since or None, "by": moved.by or None, "run": moved.run}
