"""A commit and the trees of its definitions, from one question to git. Nothing here takes time to load."""

import os
from collections.abc import Iterable

from reconciler.source import places
from reconciler.source.spawning import Child, start

Named = tuple[str, tuple[str, str]]
"""The id of a commit, and those of its two folders, each "" where it is not there."""


def look(root: str, rev: str) -> Named | None:
    """What `rev` names; None when that cannot be told from here, for whatever reason."""
    if not rev or not rev.isprintable() or " " in rev:
        return None
    names = "".join(f"{rev}{rest}\n" for rest in ("^{commit}", *(f":./{folder}" for folder in places.FOLDERS)))
    found = output(ask(root, "cat-file", "--batch-check", feed=names.encode("utf-8", "surrogateescape")))
    lines = found.decode("ascii", "replace").splitlines() if found is not None else []
    if len(lines) != 3 or " commit " not in lines[0]:
        return None
    if any(" tree " not in line and not line.endswith(" missing") for line in lines[1:]):
        return None
    connectors, policies = (line.split(" ")[0] if " tree " in line else "" for line in lines[1:])
    return lines[0].split(" ")[0], (connectors, policies)


def ask(root: str, *words: str, feed: bytes = b"") -> Child | None:
    """Start git; None when that cannot be done."""
    try:
        return start(command(root, words), environment(), feed, errors=False)
    except OSError:
        return None


def command(root: str, words: Iterable[str]) -> list[str]:
    """The words of one git command in `root`."""
    return ["git", "-C", root, "-c", "core.quotePath=false", *words]


def environment() -> dict[str, str]:
    """What git is started in: it speaks English, and takes no lock that it could do without."""
    return {**os.environ, "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0"}


def output(child: Child | None) -> bytes | None:
    """What git wrote; None when it failed."""
    if child is None:
        return None
    code, written, _ = child.finish()
    return written if code == 0 else None
