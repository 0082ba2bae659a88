"""Where something is probably defined, told by the names of files: a guess that spares a search when it is right."""

from collections.abc import Iterable
from pathlib import Path

from reconciler.core.model import Key
from reconciler.source import files, git

_MOST = 50


def likely_files(root: Path, keys: Iterable[Key]) -> list[str]:
    """Files that git knows, below connectors/, whose names are like those of what may be defined in them."""
    words = sorted({"categor" if key.kind == "Category" else key.name for key in keys})
    if not words or len(words) > _MOST:
        return []
    found = git.indexed(root, [f":(icase,glob){files.FOLDERS[0]}/**/*{word}*" for word in words])
    return [path for path in found if files.holds_definitions(path)][:_MOST]
