"""Some of a repository's files, read as a plan turns out to need them."""

import os
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.core.baseline import Trees, Unprovable
from reconciler.core.model import Key, Resource
from reconciler.core.ports.source import Desired
from reconciler.diagnostics import has_errors
from reconciler.kinds.crosscheck import Clash
from reconciler.source import files, trees
from reconciler.source.checkout import Checkout
from reconciler.source.contracts import SUFFIXES, ContractSource
from reconciler.source.documents import DocumentReader, FileContent, every
from reconciler.source.elsewhere import Elsewhere
from reconciler.source.files import read_blobs
from reconciler.source.trees import likely_files

if TYPE_CHECKING:
    from reconciler.core.model import Coverage

TestAccess = Callable[[Mapping[Key, Resource]], "tuple[list[Clash], Coverage | None]"]


class Parts:
    """Files of the working tree, or of a commit."""

    def __init__(
        self,
        root: Path,
        commit: str,
        checkout: Checkout | None,
        now: str,
        test_access: TestAccess,
        contracts: ContractSource,
    ) -> None:
        """Read nothing yet.

        Args:
            commit: what is read, or what the working tree is compared with.
            checkout: the working tree; None to read the commit.
            contracts: of the same.
        """
        self._root = root
        self._commit = commit
        self._checkout = checkout
        self._now = now
        self._test_access = test_access
        self._contracts = contracts
        self._oids: dict[str, str] = {}
        self._contents: dict[str, FileContent | None] = {}
        self._beside: set[str] = set()
        self.changed: frozenset[str] = frozenset()
        """What `changed_since` found."""

    @cached_property
    def trees(self) -> Trees:
        """The trees of the commit.

        Raises:
            Unprovable: there is none.
        """
        if not self._commit:
            raise Unprovable("there is no commit")
        return trees.trees_of(self._root, self._commit)

    def changed_since(self, before: Trees) -> frozenset[str]:
        """Files that may differ from those in `before`, also those that are gone.

        Raises:
            Unprovable: git cannot say.
        """
        after = self.trees
        self._oids = trees.changed_between(self._root, before, after) if before != after else {}
        self._beside = trees.differing(self._root, self._checkout.differing) if self._checkout else set()
        self.changed = frozenset({*self._oids, *self._beside})
        return self.changed

    def policies(self) -> list[str]:
        """All files below policies/."""
        folder = (files.FOLDERS[1],)
        if self._checkout:
            return files.working_tree(self._root, folder)
        return _regular(files.committed(self._root, self._commit, folder))

    def read(self, paths: Iterable[str]) -> list[Resource]:
        """What the files declare; those that are not there declare nothing.

        Raises:
            Unprovable: there is a fault in one.
        """
        wanted = sorted(set(paths) - self._contents.keys())
        there = [path for path in wanted if self._is_there(path)]
        self._contents.update(dict.fromkeys(wanted))
        reader = self._reader
        data = files.read_working_tree(self._root, there) if self._checkout else self._blobs(there)
        self._contents.update(zip(there, reader.read_all(there, data), strict=True))
        found = [content for path in there if (content := self._contents[path])]
        if any(content.broken or has_errors(content.diagnostics) for content in found):
            raise Unprovable("there are faults in what changed")
        return [resource for content in found for resource in content.resources]

    @cached_property
    def _reader(self) -> DocumentReader:
        return DocumentReader(self._now, len(self._commit))

    def _is_there(self, path: str) -> bool:
        return trees.present(self._root, path) if self._checkout else self._oids.get(path) != ""

    def _blobs(self, paths: Iterable[str]) -> Iterator[bytes]:
        return read_blobs(self._root, [self._name(path) for path in paths])

    def _name(self, path: str) -> str:
        """What git finds the file's content by.

        Raises:
            Unprovable: it would not.
        """
        folder, _, rest = path.partition("/")
        if "\n" in rest or not rest.isprintable():
            raise Unprovable("a file's name is not printable")
        return self._oids.get(path) or f"{self.trees[files.FOLDERS.index(folder)]}:{rest}"

    def likely(self, keys: Iterable[Key]) -> list[str]:
        """Files in which the resources are probably defined."""
        found = likely_files(self._root, keys)
        if self._checkout:
            return found
        return _regular(files.committed_at(self._root, self._commit, found))

    def search(self, matches: Callable[[bytes], bool], known: Container[str]) -> list[str]:
        """Files with connectors or categories whose content matches; all but the known ones are looked at."""
        folder = (files.FOLDERS[0],)
        if self._checkout:
            paths = [path for path in files.working_tree(self._root, folder) if path not in known]
            contents = files.read_working_tree(self._root, paths)
        else:
            entries = [entry for entry in files.committed(self._root, self._commit, folder) if entry[0] not in known]
            paths = [path for path, _ in entries]
            contents = files.read_committed(self._root, entries)
        found = zip(paths, contents, strict=True)
        return [path for path, content in found if isinstance(content, bytes) and matches(content)]

    def desired(self, keep: Callable[[Clash], bool] = every) -> Desired:
        """What was read, checked together.

        Args:
            keep: which clashes count.

        Raises:
            Unprovable: there is a fault.
        """
        from reconciler.source.documents import assemble

        there = {path: content for path, content in sorted(self._contents.items()) if content}
        elsewhere = Elsewhere.of(self._root)

        def counts(clash: Clash) -> bool:
            return elsewhere.counts(clash) and keep(clash)

        desired = assemble(tuple(there), there.values(), self.bytes_of, counts, self._test_access)
        if has_errors(list(desired.diagnostics)):
            raise Unprovable("there are faults")
        return desired

    def bytes_of(self, path: str) -> bytes:
        """A file's content."""
        if not self._checkout:
            return next(self._blobs([path]))
        content = next(files.read_working_tree(self._root, [path]))
        return content if isinstance(content, bytes) else b""

    def contracts(self, paths: Iterable[str]) -> dict[str, str]:
        """The ids of documents that connectors are held against; "" for one that is not there."""
        return self._contracts.ids(paths, len(self._commit))

    def documents_since(self, base: str) -> set[str]:
        """Files that may be documents of that sort, and may differ from those of a commit."""
        found = trees.names_between(self._root, base, self._commit)
        if self._checkout:
            beside = [name for name in os.listdir(self._root) if name not in (*files.FOLDERS, ".git")]
            found |= self._checkout.differing
            found |= Checkout(self._root, beside).differing if beside else set()
        return {path for path in found if path.endswith(SUFFIXES)} - self.changed

    def as_committed(self, paths: Iterable[str]) -> bool:
        """Whether the files read at `paths` are those of the commit, byte for byte."""
        if not self._checkout:
            return True
        if self._beside:
            return False
        there = [path for path in paths if self._contents.get(path)]
        listed = dict(files.committed_at(self._root, self._commit, there))
        return all(listed.get(path) == content.oid for path in there if (content := self._contents[path]))


def _regular(entries: Iterable[tuple[str, str]]) -> list[str]:
    """Paths of files of a commit.

    Raises:
        Unprovable: one is a link or a submodule, whose content would be read by name.
    """
    paths = []
    for path, oid in entries:
        if not oid:
            raise Unprovable(f"{path} is a link or a submodule")
        paths.append(path)
    return paths
