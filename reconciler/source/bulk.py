"""Reading very many files: on all cores, and only those that no earlier run has read.

What is wrong with nothing comes as facts, and its bodies stay in files until somebody asks for them. So memory grows
with what is wrong and what changes, and hardly with what there is.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from reconciler.core.model import Key
from reconciler.source import files
from reconciler.source.blobs import blob_id
from reconciler.source.documents import DocumentReader, FileContent, unread
from reconciler.source.kept import Kept
from reconciler.source.packing import Packed, packed, resources_of, unpacked
from reconciler.source.parallel import Item, spread

Found = tuple[str, str, files.Content | None]
"""Path, id and content of a file; the content may be None where the id is known."""


def read_parts(
    items: Sequence[Item], paths: Sequence[str], read: Callable[[Sequence[Item]], Iterator[FileContent]]
) -> Iterator[FileContent]:
    """What `read` gives for `items`, which are at `paths`, computed on all cores."""

    def work(part: Sequence[Item], _: int | None) -> Iterator[Packed]:
        return map(packed, read(part))

    for path, content in zip(paths, spread(items, work), strict=True):
        yield unpacked(content, path)


class BulkReader:
    """Reads all files of a repository.

    Attributes:
        known: how many files had been read before.
    """

    def __init__(self, now: str, width: int, kept: Kept) -> None:
        """Read nothing yet.

        Args:
            now: the time to judge dates by, RFC 3339; "" for not at all.
            width: of the ids of contents, in hexadecimal digits.
        """
        self.known = 0
        self._now = now
        self._width = width
        self._kept = kept

    @cached_property
    def _reader(self) -> DocumentReader:
        return DocumentReader(self._now)

    def working_tree(self, root: Path, paths: Sequence[str]) -> Iterator[FileContent]:
        """What the files hold."""

        def look(part: Sequence[str]) -> Iterator[Found]:
            for path, content in zip(part, files.read_working_tree(root, part), strict=True):
                yield path, blob_id(content, self._width) if isinstance(content, bytes) else "", content

        return self._read(paths, paths, look)

    def committed(self, root: Path, listing: files.Listing) -> Iterator[FileContent]:
        """What the files of a commit hold; of those that are known not even the bytes are read."""

        def look(part: Sequence[tuple[str, str]]) -> Iterator[Found]:
            contents = files.read_committed(root, [entry for entry in part if self._known(_name(*entry)) is None])
            for path, oid in part:
                yield path, oid, next(contents) if self._known(_name(path, oid)) is None else None

        return self._read(listing, listing.paths, look)

    def _read(
        self, items: Sequence[Item], paths: Iterable[str], look: Callable[[Sequence[Item]], Iterator[Found]]
    ) -> Iterator[FileContent]:
        kept, refs, used = self._kept, dict[Any, tuple[Key, ...]](), set[int]()
        bodies = kept.bodies
        if not kept.packs:
            self._reader.prepare()
        try:
            for path, (number, found, oid) in zip(paths, spread(items, partial(self._work, look)), strict=True):
                if number is None:
                    content = unpacked(found, path)
                    content.oid = oid
                    yield content
                    continue
                if number < len(kept.packs):
                    self.known += 1
                    used.add(number)
                keeper = bodies[number]
                assert keeper is not None
                documents, resources = resources_of(found, path, keeper.place, refs)
                yield FileContent(resources, [], documents, [], oid)
            kept.settle(used)
        finally:
            kept.abandon()

    def _known(self, name: bytes) -> tuple[int, bytes] | None:
        """Which pack knows a content, and the facts."""
        for number, pack in enumerate(self._kept.packs):
            facts = pack.facts(name)
            if facts is not None:
                return number, facts
        return None

    def _work(
        self, look: Callable[[Sequence[Item]], Iterator[Found]], part: Sequence[Item], number: int | None
    ) -> Iterator[tuple[int | None, Any, str]]:
        kept = self._kept
        draft = kept.drafts[number] if number is not None else None
        place = len(kept.packs) + (number or 0)
        for path, oid, content in look(part):
            name = _name(path, oid)
            known = self._known(name) if oid else None
            if known is not None and (draft is None or known[0] not in kept.small):
                yield *known, oid
                continue
            if known is not None:
                documents, resources = resources_of(known[1], path, kept.packs[known[0]].place, {})
                found = FileContent(resources, [], documents, settled=True)
            else:
                found = self._reader.read(path, content) if isinstance(content, bytes) else unread(content)
            facts = draft.add(name, found.documents, found.resources) if draft and found.settled else None
            if facts is not None:
                yield place, facts, oid
            else:
                yield None, packed(found), oid
        if draft is not None:
            draft.finish()


def _name(path: str, oid: str) -> bytes:
    """What a content is found by: its id, and the folder it lies in, which matters to what it may hold."""
    return path[:1].encode() + bytes.fromhex(oid)
