"""What speaks of a store that was at a path and is gone: lost, cut to nothing, or on a volume that is not there."""

from collections.abc import Iterator
from pathlib import Path

from reconciler.stores import sqlite
from reconciler.stores.beside import has_content, is_left, mark_of


def remains(path: Path, key: Path, name: Path) -> tuple[str, ...]:
    """What lies beside a store that is not there, in words; nothing where there is one, or none seems to have been.

    The mark and the key file are made after the store, and a write-ahead journal after the file that it belongs to.

    Args:
        key: where the embedded store keeps its key.
        name: what the store is called, which may be a link to `path`.

    Raises:
        StoreUnavailable: what is at the path cannot be read, or is no store.
    """
    found = tuple(_beside(path, key, name))
    # Looked at last: another process may be making both just now.
    if not found or sqlite.is_there(path):
        return ()
    return found


def _beside(path: Path, key: Path, name: Path) -> Iterator[str]:
    if name.is_symlink() and not name.exists():
        yield f"{name} is a link that leads nowhere"
    if mark_of(path).exists():
        yield f"{mark_of(path)} says that there was one"
    if key.exists():
        yield f"the key of a store is in {key}"
    if not has_content(path) and is_left(path, "-wal"):
        yield f"the journal of a store is in {path.name}-wal"
