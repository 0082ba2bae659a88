"""Where packs are kept, so that what did not change is not read anew: a cache that may be removed at any time.

It is bounded, and safe with any number of processes, without a lock: packs appear whole and never change. A folder
that others may write to is none of ours, as whoever writes there says what is valid. What cannot be written is not.
"""

import os
import stat
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from reconciler.durable import make_folder
from reconciler.source.packs import DRAFT, Bodies, Draft, Pack, Restore

_PACK = ".pack"
_MOST_PACKS = 32
_MANY_PACKS = 8
_MOST_BYTES = 1 << 30
_ABANDONED = 3600.0
_TOUCHED = 86400.0


class Kept:
    """What is kept of one repository, and where what is new is going to be."""

    def __init__(self, folder: str, rules: bytes, restore: Restore, drafts: int) -> None:
        """Open whatever is there.

        Args:
            folder: "" for nothing, and nowhere.
            rules: what facts must have been found by.
            drafts: how many processes write.
        """
        self._folder = folder if folder and _is_ours(folder) else ""
        self.packs = list(_opened(self._folder, restore, rules)) if self._folder else []
        self.drafts = [_draft(self._folder, restore, rules) for _ in range(drafts)]
        largest = max((pack.size for pack in self.packs), default=0)
        crowded = len(self.packs) > _MANY_PACKS
        self.small: frozenset[int] = frozenset(
            number for number, pack in enumerate(self.packs) if crowded and pack.size < largest // 4
        )
        """Packs, by number, that are better copied into a new one."""

    @property
    def bodies(self) -> Sequence[Bodies | None]:
        """What keeps the bodies, by number."""
        return [*self.packs, *self.drafts]

    def settle(self, used: Iterable[int]) -> None:
        """Tidy up, once everything was read; `used` are the numbers of packs that something was taken from."""
        if not self._folder:
            return
        now = time.time()
        for number in self.small:
            self.packs[number].discard()  # what was needed of it is in a new one
        for number in used:
            pack = self.packs[number]
            if now - os.fstat(pack.descriptor).st_mtime > _TOUCHED:
                with suppress(OSError):
                    os.utime(pack.path)
        with suppress(OSError):
            _tidy(self._folder, now)

    def abandon(self) -> None:
        """Remove what did not become a pack."""
        for draft in self.drafts:
            if draft is not None and draft.path:
                with suppress(OSError):
                    os.unlink(draft.path + DRAFT)


def _is_ours(folder: str) -> bool:
    try:
        make_folder(Path(folder))
        found = os.lstat(folder)
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and _is_private(found)


def _is_private(found: os.stat_result) -> bool:
    """Whether only this user may write to it."""
    mine = not hasattr(os, "geteuid") or found.st_uid == os.geteuid()
    return mine and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _opened(folder: str, restore: Restore, rules: bytes) -> Iterator[Pack]:
    for name in _newest(folder)[:_MOST_PACKS]:
        path = f"{folder}/{name}"
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | getattr(os, "O_NOFOLLOW", 0))
        except OSError:
            continue
        about = os.fstat(descriptor)
        if stat.S_ISREG(about.st_mode) and _is_private(about):
            yield Pack(descriptor, restore, path, rules)
        else:
            os.close(descriptor)


def _newest(folder: str) -> list[str]:
    """Names of the packs in a folder, the last one used first."""
    found = []
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith(_PACK):
                with suppress(OSError):
                    found.append((-entry.stat().st_mtime, entry.name))
    return [name for _, name in sorted(found)]


def _draft(folder: str, restore: Restore, rules: bytes) -> Draft | None:
    """A file to write to: in the folder, or else one without a name; None when there is no place at all."""
    if folder:
        path = f"{folder}/{os.urandom(16).hex()}{_PACK}"
        with suppress(OSError):
            return Draft(
                os.open(path + DRAFT, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), restore, path, rules
            )
    from tempfile import mkstemp

    with suppress(OSError):
        descriptor, path = mkstemp()
        os.unlink(path)
        return Draft(descriptor, restore, "", rules)
    return None


def _tidy(folder: str, now: float) -> None:
    """Remove what is too much: the packs that were used longest ago, of this repository and of all."""
    for name in _newest(folder)[_MOST_PACKS:]:
        with suppress(OSError):
            os.unlink(f"{folder}/{name}")
    above, found = os.path.dirname(folder), []
    for place in os.listdir(above):
        with suppress(OSError), os.scandir(f"{above}/{place}") as entries:
            for entry in entries:
                about = entry.stat(follow_symlinks=False)
                if entry.name.endswith(DRAFT) and now - about.st_mtime > _ABANDONED:
                    os.unlink(entry.path)
                elif entry.name.endswith(_PACK):
                    found.append((-about.st_mtime, entry.path, about.st_size))
    total = 0
    for _, path, size in sorted(found):
        total += size
        if total > _MOST_BYTES:
            with suppress(OSError):
                os.unlink(path)
