"""Reading very many files: on all cores, and only those that no earlier run has read.

What is wrong with nothing comes as facts, and its bodies stay in the cache until somebody asks for them. So memory
grows with what is wrong and what changes, and hardly with what there is.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import islice
from pathlib import Path

import msgspec
from msgspec import Struct

from reconciler.core.model import Content, KeepsBodies, Key, Resource
from reconciler.core.ports.source import Desired
from reconciler.diagnostics import Diagnostic
from reconciler.kinds.crosscheck import Clash
from reconciler.source import files
from reconciler.source.cache import BodyPlace, Cache
from reconciler.source.documents import DocumentReader, FileContent, assemble, unread
from reconciler.source.files import blob_id, read_blobs
from reconciler.source.parallel import Item, spread

Found = tuple[str, str, files.Content | None]
"""Path, id and content of a file; the content may be None where the id is known."""
_AT_ONCE = 512
"""So many files are kept with one transaction."""


class Facts(Struct, frozen=True, array_like=True, gc=False):
    """All that a resource is but its body, of which there is the length, and its file; see `Resource`."""

    key: Key
    length: int
    fingerprint: str
    document: int
    display: str
    refs: tuple[Key, ...]
    previously: tuple[str, ...]
    left_out: tuple[str, ...]
    active: bool
    unprotects: bool
    needs_token: bool
    is_plain: bool
    refers_to_files: bool
    contract: str


class BatchAnswer(Struct, array_like=True):
    """What a file came to, as processes tell each other.

    Attributes:
        oid: the id of the content.
        facts: how many documents there are, and the `Facts` of the resources, encoded; b"" where it was known.
        bodies: of the resources, behind each other.
        settled, diagnostics, broken: as `FileContent` has them.
    """

    oid: str
    facts: bytes = b""
    bodies: bytes = b""
    settled: bool = False
    diagnostics: Sequence[Diagnostic] = ()
    broken: Sequence[Key] = ()


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(tuple[int, tuple[Facts, ...]]).decode


def _answer(content: FileContent) -> BatchAnswer:
    """A file's content, to be told."""
    facts = [
        Facts(
            item.key, len(item.body), item.fingerprint, item.document, item.display, item.refs, item.previously,
            item.left_out, item.active, item.unprotects, item.needs_token, item.is_plain, item.refers_to_files,
            item.contract,
        )
        for item in content.resources
    ]  # fmt: skip
    bodies = b"".join([item.body for item in content.resources])
    return BatchAnswer(
        content.oid, _encode((content.documents, facts)), bodies, content.settled, content.diagnostics, content.broken
    )


class _Reviver:
    """Makes contents of what was told or kept; texts that were met before are not held twice."""

    def __init__(self) -> None:
        self._met: dict[tuple[Key, ...], tuple[Key, ...]] = {}

    def told(self, answer: BatchAnswer, path: str) -> FileContent:
        """What was told of a file, with its bodies."""
        found = self.kept(answer.facts, path, answer.oid, lambda start, end: Content(answer.bodies[start:end]))
        found.diagnostics, found.broken = list(answer.diagnostics), list(answer.broken)
        return found

    def kept(self, facts: bytes, path: str, oid: str, keep: Callable[[int, int], Content | KeepsBodies]) -> FileContent:
        """What is kept of a file with which nothing is wrong.

        Args:
            keep: what has the body that begins, and ends, at a place among those of the file.
        """
        documents, found = _decode(facts)
        resources, start = [], 0
        for item in found:
            end = start + item.length
            resources.append(
                Resource(
                    key=item.key, stored=keep(start, end), fingerprint=item.fingerprint, file=path,
                    document=item.document, display=item.display, refs=self._met.setdefault(item.refs, item.refs),
                    previously=item.previously, left_out=item.left_out, active=item.active,
                    unprotects=item.unprotects, needs_token=item.needs_token, is_plain=item.is_plain,
                    refers_to_files=item.refers_to_files, contract=item.contract,
                )
            )  # fmt: skip
            start = end
        return FileContent(resources, [], documents, [], oid)


def read_parts(
    items: Sequence[Item], paths: Sequence[str], read: Callable[[Sequence[Item]], Iterator[FileContent]]
) -> Iterator[FileContent]:
    """What `read` gives for `items`, which are at `paths`, computed on all cores."""
    reviver = _Reviver()
    answers = spread(items, lambda part: map(_answer, read(part)), BatchAnswer)
    for path, answer in zip(paths, answers, strict=True):
        yield reviver.told(answer, path)


class BulkReader:
    """Reads all files of a repository.

    Attributes:
        known: how many files had been read before.
    """

    def __init__(self, now: str, width: int, cache: Cache) -> None:
        """Read nothing yet.

        Args:
            now: the time to judge dates by, RFC 3339; "" for not at all.
            width: of the ids of contents, in hexadecimal digits.
        """
        self.known = 0
        self._now = now
        self._width = width
        self._cache = cache
        self._reviver = _Reviver()

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
        known = self._cache.known

        def look(part: Sequence[tuple[str, str]]) -> Iterator[Found]:
            contents = files.read_committed(root, [entry for entry in part if _name(*entry) not in known])
            for path, oid in part:
                yield path, oid, None if _name(path, oid) in known else next(contents)

        return self._read(listing, listing.paths, look)

    def _read(
        self, items: Sequence[Item], paths: Sequence[str], look: Callable[[Sequence[Item]], Iterator[Found]]
    ) -> Iterator[FileContent]:
        cache, used = self._cache, list[int]()
        if not cache.known:
            self._reader.prepare()
        answers = zip(paths, spread(items, lambda part: self._work(look(part)), BatchAnswer), strict=True)
        while some := list(islice(answers, _AT_ONCE)):
            new = [(path, answer) for path, answer in some if answer.settled]
            added = cache.add([(_name(path, answer.oid), answer.facts, answer.bodies) for path, answer in new])
            keeper, numbers = (added[0], iter(added[1])) if added else (None, iter(()))
            for path, answer in some:
                if not answer.facts:
                    row, facts = cache.known[_name(path, answer.oid)]
                    used.append(row)
                    yield self._kept(facts, path, answer.oid, cache, row)
                elif answer.settled and keeper:
                    yield self._kept(answer.facts, path, answer.oid, keeper, next(numbers))
                else:
                    yield self._reviver.told(answer, path)
        self.known = len(used)
        cache.settle(used, len(paths))

    def _kept(self, facts: bytes, path: str, oid: str, keeper: Cache, row: int) -> FileContent:
        return self._reviver.kept(facts, path, oid, lambda start, end: BodyPlace(keeper, row, start, end - start))

    def _work(self, part: Iterable[Found]) -> Iterator[BatchAnswer]:
        """Of each file what it comes to, or, where that is known, its id alone."""
        known = self._cache.known
        for path, oid, content in part:
            if oid and _name(path, oid) in known:
                yield BatchAnswer(oid)
                continue
            found = self._reader.read(path, content) if isinstance(content, bytes) else unread(content)
            found.oid = oid
            yield _answer(found)


def _name(path: str, oid: str) -> bytes:
    """What a content is found by: its id, and the folder it lies in, which matters to what it may hold."""
    return path[:1].encode() + bytes.fromhex(oid)


Entries = Mapping[str, str]
"""Path to object id."""


class PartReader:
    """Reads files of commits; a file that both have is parsed once."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._reader = DocumentReader()
        self._known: dict[tuple[str, str], FileContent] = {}

    def contents(self, entries: Entries) -> list[FileContent]:
        """What the files hold, in their order."""
        new = [(path, oid) for path, oid in entries.items() if (path, oid) not in self._known]
        self._known.update(zip(new, read_parts(new, [path for path, _ in new], self._read), strict=True))
        return [self._known[entry] for entry in entries.items()]

    def _read(self, part: Sequence[tuple[str, str]]) -> Iterator[FileContent]:
        return self._reader.read_all([path for path, _ in part], files.read_committed(self.root, part))

    def load(self, entries: Entries, keep: Callable[[Clash], bool] = lambda _: True) -> Desired:
        """The resources of the files and what is wrong with them; see `assemble`."""

        def read_again(path: str) -> bytes:
            return next(read_blobs(self.root, [entries[path]]))

        return assemble(tuple(entries), self.contents(entries), read_again, keep)
