"""The documents that connectors are held against, of the same revision as the definitions."""

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from reconciler.core.model import Resource
from reconciler.errors import InvalidDefinitions
from reconciler.kinds.agreement import hold
from reconciler.kinds.contract import Contract, OperationIndex
from reconciler.kinds.crosscheck import Clash
from reconciler.source import git
from reconciler.source.files import blob_id, committed_at, list_entries, read_blobs

SUFFIXES = (".json", ".yaml", ".yml")
MAX_BYTES = 128 * 1024 * 1024
"""Of a document; what is YAML may hold less, as whoever reads it says."""
_FEW = 100
"""So many documents are asked for by name; of more, all files of the commit are listed."""
_FLAGS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0)

ReadContract = Callable[[bytes, str], Contract]
"""Makes a contract of a document's bytes and name; raises `InvalidDefinitions` for what is none."""


class _Unusable(Exception):
    """A document cannot be read; the message says why."""


class ContractSource:
    """Documents in the working tree of `root`, or in a commit or a tree; each is read once."""

    def __init__(self, root: Path, commit: str, read: ReadContract | None) -> None:
        """Read nothing yet.

        Args:
            commit: id of what is read; "" for the working tree.
            read: None to hold nothing against them.
        """
        self._root, self._commit, self._read = root, commit, read

    def clashes(self, resources: Iterable[Resource]) -> list[Clash]:
        """What is wrong with the connectors that name a document."""
        by_path: dict[str, list[Resource]] = {}
        for resource in resources if self._read else ():
            if resource.contract:
                by_path.setdefault(resource.contract, []).append(resource)
        return [clash for path, found in sorted(by_path.items()) for clash in self._held(path, found)]

    def _held(self, path: str, resources: Iterable[Resource]) -> Iterator[Clash]:
        assert self._read is not None
        try:
            contract = self._read(self._content(path), path)
        except (_Unusable, InvalidDefinitions) as fault:
            message = f"the contract cannot be read: {fault}"
            hint = (isinstance(fault, InvalidDefinitions) and fault.hint) or _HINT
            for resource in resources:
                yield Clash(resource, "RC801", message, "path", hint=hint, path=("spec", "contract"))
            return
        yield from against(contract, resources, path)

    def _content(self, path: str) -> bytes:
        refuse_odd(path)
        return self._of_commit(path) if self._commit else _of_working_tree(self._root, path)

    def _of_commit(self, path: str) -> bytes:
        found = [entry for entry in list_entries(self._root, self._commit, [path]) if entry[2] == path]
        if not found:
            raise _Unusable(f"there is no file {path} in {self._commit[:12]}")
        mode, oid, _ = found[0]
        if mode not in git.REGULAR:
            raise _Unusable(f"{path} is a symbolic link or a submodule")
        return _small(path, next(read_blobs(self._root, [oid], MAX_BYTES)))

    def definition(self, path: str) -> bytes:
        """A file of definitions of the commit, which names such documents."""
        ((_, oid),) = committed_at(self._root, self._commit, [path])
        return next(read_blobs(self._root, [oid]))

    def ids(self, paths: Iterable[str], length: int) -> dict[str, str]:
        """The id that git gives the content of each document; "" for one that cannot be read.

        Args:
            length: of ids, in hexadecimal digits.
        """
        wanted = sorted(set(paths))
        if self._commit:
            few = wanted if len(wanted) <= _FEW else ()
            entries = list_entries(self._root, self._commit, few) if wanted else ()
            known = {path: oid for mode, oid, path in entries if mode in git.REGULAR}
            return {path: known.get(path, "") for path in wanted}
        found = {}
        for path in wanted:
            try:
                found[path] = blob_id(self._content(path), length)
            except _Unusable:
                found[path] = ""
        return found


_HINT = "name an OpenAPI 3 or Swagger 2.0 document of the repository, by its path from the root"


def against(contract: Contract, resources: Iterable[Resource], path: str = "") -> Iterator[Clash]:
    """Where connectors and a document disagree.

    Args:
        path: the document's, which its newer version can be imported from.
    """
    index = OperationIndex(contract.operations)
    for resource in resources:
        update = f"reconciler import openapi {path or contract.file} --update {resource.key.name}"
        for found in hold(resource.content.value["spec"], contract, index, update):
            yield Clash(resource, found.code, found.message, "path", hint=found.hint, path=found.path)


def refuse_odd(path: str) -> None:
    """Refuse a path that may lead elsewhere, or is written so that another one means the same.

    Raises:
        _Unusable: it is refused.
    """
    parts = path.split("/")
    if any(part in ("", ".", "..") or part.lower() == ".git" for part in parts):
        raise _Unusable("its path holds empty steps, dots or .git")
    if not path.isprintable():
        raise _Unusable("its path holds what cannot be printed")
    if not path.endswith(SUFFIXES):
        raise _Unusable(f"its name does not end with {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}")


def _of_working_tree(root: Path, path: str) -> bytes:
    """Read step by step from the root, so that no link leads elsewhere."""
    *folders, name = path.split("/")
    descriptor = os.open(root, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))
    try:
        for step in (*folders, name):
            try:
                inner = os.open(step, _FLAGS, dir_fd=descriptor)
            except OSError as failure:
                raise _Unusable(_reason(path, descriptor, step, failure)) from None
            os.close(descriptor)
            descriptor = inner
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise _Unusable(f"{path} is not a regular file")
        with os.fdopen(os.dup(descriptor), "rb") as opened:
            return _small(path, opened.read(MAX_BYTES + 1))
    finally:
        os.close(descriptor)


def _reason(path: str, folder: int, step: str, failure: OSError) -> str:
    try:
        is_link = stat.S_ISLNK(os.stat(step, dir_fd=folder, follow_symlinks=False).st_mode)
    except OSError:
        is_link = False
    if is_link:
        return f"{step} is a symbolic link"
    there_is_none = isinstance(failure, FileNotFoundError | NotADirectoryError)
    return f"there is no file {path}" if there_is_none else f"{path}: {failure.strerror}"


def _small(path: str, data: bytes) -> bytes:
    if len(data) > MAX_BYTES:
        raise _Unusable(f"{path} holds more than {MAX_BYTES >> 20} MiB")
    return data
