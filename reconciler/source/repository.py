"""A configuration repository as a source of desired state."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from reconciler.core.baseline import Trees, Unprovable
from reconciler.core.model import Key, Resource
from reconciler.core.plan import Revision
from reconciler.core.ports.source import Desired
from reconciler.core.progress import UNTOLD, Progress, told
from reconciler.diagnostics import Diagnostic
from reconciler.errors import SourceUnavailable
from reconciler.kinds.crosscheck import Clash
from reconciler.kinds.registry import KINDS
from reconciler.source import files, git
from reconciler.source.checkout import Checkout, rewritten, rewritten_in
from reconciler.source.contracts import ContractSource, ReadContract
from reconciler.source.documents import DocumentReader, FileContent, assemble
from reconciler.source.elsewhere import Elsewhere
from reconciler.source.files import list_entries, read_blobs
from reconciler.source.parallel import MIN_ITEMS
from reconciler.source.parts import Parts
from reconciler.source.trees import trees_of
from reconciler.source.unread import Unread, unread, warnings

if TYPE_CHECKING:
    from reconciler.core.model import Coverage
    from reconciler.source.bulk import BulkReader


class Extent(Struct, frozen=True):
    """How much of a repository is read, and with what.

    Attributes:
        folders: what is read; references to what others hold are not looked at then, and access not tested.
        covering: whether to look for grants that no access test explains.
        edited: files that are taken to have this content, or, with None, not to be there.
        cache: folder of what was read before; "" for none.
        read_contract: makes contracts of the documents that connectors name; None where nothing is held against them.
        settled: whether the commit's own files are read where the working tree does not differ from it.
        progress: told of what is read.
    """

    folders: Sequence[str] = files.FOLDERS
    covering: bool = False
    edited: Mapping[str, bytes | None] = {}
    cache: str = ""
    read_contract: ReadContract | None = None
    settled: bool = False
    progress: Progress = UNTOLD


class RepositorySource:
    """Definitions in the working tree of `root`, or in the commit that `ref` names."""

    def __init__(self, root: Path, ref: str = "", now: str = "", extent: Extent | None = None) -> None:
        """Read nothing yet.

        Args:
            now: the time to judge dates and access tests by, RFC 3339; "" for not at all.
            extent: None for all of it.
        """
        extent = extent or Extent()
        self._progress = extent.progress
        self._edited = extent.edited
        self._settled = extent.settled
        self._cache = extent.cache
        self._covering = extent.covering
        self._read_contract = extent.read_contract
        self._folders = extent.folders
        self._root = root
        self._ref = ref
        self._now = now
        self._elsewhere = Elsewhere.of(root)

    @cached_property
    def _named(self) -> git.Named | None:
        return git.look(self._root, self._ref or "HEAD")

    @cached_property
    def _commit(self) -> str:
        return self._named[0] if self._named else git.resolve(self._root, self._ref or "HEAD")

    def revision(self) -> Revision:
        """Where the definitions are read from. Outside git there is no commit."""
        if self._ref:
            return Revision(self._commit, self._ref)
        differing = len(self._checkout.differing) if self._head else 0
        return Revision(self._head, "", bool(differing), differing)

    @cached_property
    def _head(self) -> str:
        return self._named[0] if self._named else git.head(self._root)

    @cached_property
    def _is_in_git(self) -> bool:
        """Whether there is a repository, which git reads then.

        Raises:
            SourceUnavailable: git refuses to.
        """
        return git.top_of(self._root) is not None and self._head is not None

    @cached_property
    def _checkout(self) -> Checkout:
        return Checkout(self._root, self._folders)

    @cached_property
    def _of_commit(self) -> bool:
        """Whether a commit's own files are read."""
        return bool(self._ref) or (self._settled and bool(self._head) and not self._checkout.differing)

    def unread(self) -> dict[Key, str]:
        """What files define, or may define, that are not read, each with a file."""
        return {key: item.path for item in self._unread() for key in item.keys}

    def _unread(self) -> Iterator[Unread]:
        return unread(self._root, self._commit if self._ref else "")

    def around(self) -> list[Diagnostic]:
        """What is wrong around the definitions: git's attributes of them, and files that are not read."""
        return [*self._rewritten(), *warnings(self._unread())]

    def _rewritten(self) -> list[Diagnostic]:
        if not self._is_in_git:
            return []
        if self._ref:
            return rewritten_in(self._root, self._commit)
        return rewritten(self._root, self._checkout.concerned)

    def parts(self) -> Parts:
        """Its files, to be read one by one.

        Raises:
            Unprovable: they are not what is in the files.
        """
        if self._edited:
            raise Unprovable("files are taken to be edited")
        commit, checkout = (self._commit, None) if self._of_commit else (self._head, self._checkout)
        parts = Parts(self._root, commit, checkout, self._now, self._judge, self._contracts)
        if self._named:
            parts.trees = self._named[1]
        return parts

    def proven(self, paths: Sequence[str]) -> Trees:
        """The trees that all that was loaded, from the files at `paths`, comes from.

        Raises:
            Unprovable: it may be something else.
        """
        if not self._of_commit:
            raise Unprovable("the files are not those of a commit")
        entries = list_entries(self._root, self._commit, files.FOLDERS)
        if any(mode not in git.REGULAR for mode, _, _ in entries):
            raise Unprovable("there are links or submodules")
        if [path for path, _ in files.definitions(entries)] != list(paths):
            raise Unprovable("not all files of the commit were read")
        return trees_of(self._root, self._commit)

    def paths(self) -> list[str]:
        """All its files."""
        if self._of_commit:
            return [path for path, _ in files.committed(self._root, self._commit, self._folders)]
        submodules = self._checkout.submodules() if self._is_in_git else ()
        return sorted({*files.working_tree(self._root, self._folders), *submodules})

    def load_since(self, rev: str) -> Desired:
        """What differs from a commit, with what that can break elsewhere; warnings of the rest are not told.

        Raises:
            Unprovable: everything has to be looked at; the message says why.
            UsageError: there is no such commit.
            SourceUnavailable: it is not in this clone.
        """
        from reconciler.source.since import base_commit, changed_since

        base = base_commit(self._root, rev)
        return changed_since(self._root, self.parts(), base, covering=self._covering)

    def load(self) -> Desired:
        """Read, validate and cross-check everything; faults become diagnostics."""
        if self._of_commit:
            listing = self._listing()
            paths = listing.paths
        else:
            paths = [path for path in self.paths() if path not in self._edited]
        if len(paths) < MIN_ITEMS:
            reader, committed = DocumentReader(self._now), self._of_commit
            read = (
                files.read_committed(self._root, listing) if committed else files.read_working_tree(self._root, paths)
            )
            return self._assembled(paths, reader.read_all(paths, read), reader)
        bulk = self._bulk()
        contents = bulk.committed(self._root, listing) if self._of_commit else bulk.working_tree(self._root, paths)
        return replace(self._assembled(paths, contents), known=bulk.known)

    def _listing(self) -> files.Listing:
        entries = files.committed(self._root, self._commit, self._folders)
        return files.Listing((entry for entry in entries if entry[0] not in self._edited), len(self._commit))

    def _bulk(self) -> "BulkReader":
        from reconciler.source.bulk import BulkReader
        from reconciler.source.cache import Cache

        cache = Cache(self._cache, " ".join(self._folders), self._body_of)
        return BulkReader(self._now, len(self._head) or 64, cache)

    def _body_of(self, resource: Resource) -> bytes:
        """The body of a resource, from its definition."""
        content = DocumentReader().read(resource.file, self.read(resource.file))
        for found in content.resources:
            if found.key == resource.key and found.fingerprint == resource.fingerprint:
                return found.body
        raise SourceUnavailable(f"{resource.file} was changed while it was read", hint="run the command again")

    def _assembled(
        self, paths: list[str], contents: Iterable[FileContent], reader: DocumentReader | None = None
    ) -> Desired:
        """What the files make together with those that are taken to be edited."""
        new = {path: data for path, data in sorted(self._edited.items()) if data is not None}
        if new:
            contents = chain(contents, (reader or DocumentReader(self._now)).read_all(list(new), new.values()))
        contents = told(contents, "reading", len(paths) + len(new), self._progress)
        return assemble([*paths, *new], contents, self.read, self._keep, self._judge)

    def _keep(self, clash: Clash) -> bool:
        """Of what lies in a folder that was not read, nothing can be said to be missing."""
        return self._elsewhere.counts(clash) and (clash.ref is None or KINDS[clash.ref.kind].directory in self._folders)

    @cached_property
    def _contracts(self) -> ContractSource:
        return ContractSource(self._root, self._commit if self._ref else "", self._read_contract)

    def _judge(self, resources: Mapping[Key, Resource]) -> "tuple[list[Clash], Coverage | None]":
        """What is wrong with what is valid as a whole: beside the contracts, and with who may do what."""
        held = self._contracts.clashes(resources.values())
        tested, coverage = self._test_access(resources)
        return [*held, *tested], coverage

    def _test_access(self, resources: Mapping[Key, Resource]) -> "tuple[list[Clash], Coverage | None]":
        """Run the access tests, where there are some and all that they need was read."""
        if not self._now or tuple(self._folders) != files.FOLDERS:
            return [], None
        if not self._covering and not any(key.kind == "AccessTest" for key in resources):
            return [], None
        from reconciler.kinds.access_tests import coverage, run_access_tests
        from reconciler.source.positions import Lines

        tested = run_access_tests(resources, self._now, Lines(self.read, resources).of)
        if not self._covering:
            return list(tested.clashes), None
        counted, unexplained = coverage(resources, tested.grounds)
        return [*tested.clashes, *unexplained], counted

    def read(self, path: str) -> bytes:
        """The bytes of a file."""
        if path in self._edited:
            return self._edited[path] or b""
        if self._of_commit:
            oid = dict(files.committed_at(self._root, self._commit, [path]))[path]
            return next(read_blobs(self._root, [oid]))
        content = next(files.read_working_tree(self._root, [path]))
        return content if isinstance(content, bytes) else b""
