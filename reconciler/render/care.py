"""What was done for a store, as text and as JSON (schemas/store.schema.json)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from reconciler.core.care import KeyMove, Rotation
from reconciler.harmless import harmless
from reconciler.render.json_text import json_text
from reconciler.render.style import plural

VERSION = 1
_READ = (
    "Another process reads the store, so bytes that were sealed with the old key may still be in its files;"
    " run it again to overwrite them."
)


def rotation_text(rotation: Rotation, target: str) -> str:
    """What was sealed anew, and what is left to do."""
    if rotation.move is None:
        return f"Nothing is sealed in {target}, so there is no key to change.\n"
    lines = [f"{target} was under the new key already."]
    if rotation.done:
        counted = f"{plural(rotation.done.secrets, 'secret')} and {plural(rotation.done.tokens, 'access token')}"
        lines = [f"Changed the key of {target}: {counted} sealed anew."]
    lines += _advice(rotation.move)
    lines += [] if rotation.scrubbed else [_READ]
    return "".join(f"{harmless(line)}\n" for line in lines)


def _advice(move: KeyMove) -> Iterator[str]:
    if not move.in_file:
        yield f"From now on {move.place} has to hold the new key: change it wherever it is set."
        yield "Keep the old key as long as you keep backups from before: they need it."
        return
    if move.problem:
        yield f"The new key is in {move.place}, and is found there; the key file cannot be replaced: {move.problem}."
    else:
        yield f"The new key is in {move.place}; if you keep a copy of it, renew that."
    if move.old:
        yield f"The old one is kept in {move.old}, as backups from before need it; delete it when there are none."


def rotation_json(rotation: Rotation, target: str) -> str:
    """What was sealed anew, and where the keys are."""
    move, done = rotation.move, rotation.done
    key = {"place": move.place, "old": move.old or None, "problem": move.problem or None} if move else None
    return _dump(
        "rotation",
        target,
        {
            "changed": done is not None,
            "secrets": done.secrets if done else 0,
            "tokens": done.tokens if done else 0,
            "key": key,
            "scrubbed": rotation.scrubbed,
            "head": done.head if done else "",
        },
    )


def backup_text(to: Path, key: tuple[str, str] | None, target: str) -> str:
    """Where the copy is, and where the key that it needs.

    Args:
        key: where the key is, and where the copy would look for it; None when nothing is sealed.
    """
    lines = [f"Copied {target} to {to}."]
    if key:
        lines.append(
            f"The key to its secrets is not in it: that is in {key[0]}. Keep a copy of the key somewhere else."
        )
    if key and key[1]:
        lines.append(f"Used as a store where it is, it looks for the key in {key[1]}.")
    return "".join(f"{harmless(line)}\n" for line in lines)


def backup_json(to: Path, key: tuple[str, str] | None, target: str) -> str:
    """Where the copy is, and where the key that it needs."""
    return _dump("backup", target, {"file": str(to), "key": key[0] if key else None})


def _dump(kind: str, target: str, content: dict[str, Any]) -> str:
    return json_text({"version": VERSION, "type": kind, "target": target, **content})
