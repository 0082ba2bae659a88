"""What the server called the pages of connectors, so that one that is unchanged need not be sent again.

A page is kept as its ETag, and of each row its id, its version and what no text of it tells: nothing that was written in
it. What it held is what the state knows of the records with these versions; a page with a row that the state does not
know so is asked for as a whole. The file may be removed, or damaged, at any time. Who writes to it decides what is taken
for unchanged, so one that others may write to is not used.
"""

import os
from collections.abc import Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from msgspec import MsgspecError, Struct, msgpack

from reconciler.durable import is_private_file, is_private_folder, replace_file
from reconciler.version import __version__

_MOST_BYTES = 1 << 28


class KeptRow(Struct, frozen=True, array_like=True):
    """One connector.

    Attributes:
        left: why it is nobody's to manage, as far as the row itself says; "" for nothing.
        title: a digest of its folded name.
    """

    id: int
    version: str
    categories: tuple[int, ...]
    left: str
    title: str
    updated: str


class KeptPage(Struct, frozen=True, array_like=True):
    """One page."""

    etag: str
    total: int
    last: int
    rows: tuple[KeptRow, ...]


class Kept(Struct, frozen=True, array_like=True):
    """What is in the file.

    Attributes:
        of: whose it is, and by whom it was written.
        size: of the pages.
        generated: the categories of what the product makes for itself, on which `KeptRow.left` depends.
        pages: by number.
    """

    of: str
    size: int
    generated: tuple[int, ...]
    pages: dict[int, KeptPage]


class PageCache:
    """The file of one instance, as the user of one token sees it."""

    def __init__(self, folder: str, instance: str, user: str) -> None:
        """Read nothing yet.

        Args:
            folder: the program's in the user's cache; "" to keep nothing.
        """
        self._of = f"{__version__} {instance} {user}"
        name = sha256(f"{instance} {user}".encode()).hexdigest()[:32]
        self._folder = f"{folder}/processmaker" if folder else ""
        self._path = f"{self._folder}/{name}"

    def read(self, size: int) -> Kept | None:
        """The pages of a size; None where nothing is kept that can be believed."""
        if self._is_usable():
            with suppress(OSError, MsgspecError):
                if os.path.getsize(self._path) <= _MOST_BYTES:
                    kept = msgpack.decode(Path(self._path).read_bytes(), type=Kept)
                    return kept if (kept.of, kept.size) == (self._of, size) else None
        return None

    def keep(self, size: int, generated: tuple[int, ...], pages: Mapping[int, KeptPage]) -> None:
        """Keep these and no others."""
        if self._is_usable():
            with suppress(OSError):
                content = msgpack.encode(Kept(self._of, size, generated, dict(pages)))
                replace_file(Path(self._path), content, 0o600)

    def _is_usable(self) -> bool:
        return bool(self._folder) and is_private_folder(self._folder) and is_private_file(self._path)
