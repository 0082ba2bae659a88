"""Where a witness is kept outside of the store: a file, such as a pipeline's artifact, or a ref of the repository.

The ref leads to a commit a note, each upon the one before, so that a push of it goes forward or is refused.
"""

import os
from pathlib import Path
from typing import Any, Protocol

import msgspec

from reconciler import durable
from reconciler.core.witness import Witness
from reconciler.errors import SourceUnavailable, UsageError
from reconciler.source import git

GIT = "git"
"""Names the ref; everything else is the path of a file."""
_MOST = 64 * 1024
_NAME, _MODE = "witness.json", 0o644
_VERSION = 1
_TRIES = 5
_COMMITTER = {"user.name": "reconciler", "user.email": "reconciler@localhost"}


class WitnessPlace(Protocol):
    """One place."""

    @property
    def name(self) -> str:
        """As messages have it."""
        ...

    def refuse_unwritable(self) -> None:
        """Stop before something is done that could not be noted.

        Raises:
            UsageError: it could not.
        """
        ...

    def read(self) -> Witness | None:
        """What is noted; None for nothing.

        Raises:
            SourceUnavailable: it cannot be read, or is none.
        """
        ...

    def write(self, witness: Witness) -> None:
        """Note it in the place of what was noted.

        Raises:
            SourceUnavailable: it cannot be written.
        """
        ...


def place_of(where: str, root: Path, target: str) -> WitnessPlace:
    """The place that an operator names.

    Args:
        where: `GIT`, or the path of a file.
    """
    return RefPlace(root, f"refs/reconciler/{target}") if where == GIT else FilePlace(Path(os.path.abspath(where)))


class FilePlace:
    """A file."""

    def __init__(self, path: Path) -> None:
        """It need not be there."""
        self._path = path

    @property
    def name(self) -> str:
        """Its path."""
        return str(self._path)

    def refuse_unwritable(self) -> None:
        """Stop where there is no folder to write it into; see `WitnessPlace`."""
        folder = self._path.parent
        if self._path.is_dir() or not folder.is_dir() or not os.access(folder, os.W_OK):
            why = "it is a directory" if self._path.is_dir() else f"{folder} is no directory that can be written to"
            raise UsageError(f"the witness {self.name} could not be written: {why}", hint="check --witness")

    def read(self) -> Witness | None:
        """What the file says."""
        try:
            with self._path.open("rb") as opened:
                return _decoded(opened.read(_MOST + 1), self.name)
        except FileNotFoundError:
            return None
        except OSError as failure:
            raise _unreadable(self.name, failure.strerror or "it cannot be opened") from failure

    def write(self, witness: Witness) -> None:
        """Replace the file: whoever reads it sees the old or the new, whole."""
        try:
            durable.replace_file(self._path, _encoded(witness), _MODE)
        except OSError as failure:
            raise SourceUnavailable(f"the witness {self.name} cannot be written: {failure.strerror}") from failure


class RefPlace:
    """A ref of the configuration repository."""

    def __init__(self, root: Path, ref: str) -> None:
        """It need not be there."""
        self._root = root
        self._ref = ref

    @property
    def name(self) -> str:
        """The ref."""
        return self._ref

    def refuse_unwritable(self) -> None:
        """Stop where there is no repository; see `WitnessPlace`."""
        if git.top_of(self._root) is None:
            raise UsageError(f"{self._root} is not inside a git repository", hint="name a file: --witness FILE")

    def read(self) -> Witness | None:
        """What the ref's commit says."""
        if git.top_of(self._root) is None:
            return None
        commit = self._commit()
        if not commit:
            return None
        code, data, message = git.run(self._root, "cat-file", "blob", f"{commit}:{_NAME}")
        if code != 0:
            raise _unreadable(self.name, message.splitlines()[-1] if message else "git does not give it")
        return _decoded(data, self.name)

    def write(self, witness: Witness) -> None:
        """Put a commit upon the one before."""
        for left in reversed(range(_TRIES)):
            before = self._commit()
            blob = self._told("hash-object", "-w", "--stdin", stdin=_encoded(witness))
            tree = self._told("mktree", stdin=f"100644 blob {blob}\t{_NAME}\n".encode())
            words = ("commit-tree", tree, *(("-p", before) if before else ()), "-m", f"Run {witness.run}")
            commit = self._told(*words)
            if not left:
                self._told("update-ref", self._ref, commit, before or "0" * len(commit))
            elif git.run(self._root, "update-ref", self._ref, commit, before or "0" * len(commit))[0] == 0:
                return

    def _commit(self) -> str:
        found = git.output(self._root, "for-each-ref", "--format=%(objectname)", self._ref, cannot="read the witness")
        return found.decode().strip()

    def _told(self, *words: str, stdin: bytes = b"") -> str:
        given = git.Given(stdin, settings=_COMMITTER)
        return git.output(self._root, *words, cannot=f"write the witness {self._ref}", given=given).decode().strip()


def _encoded(witness: Witness) -> bytes:
    said = {"version": _VERSION, **msgspec.structs.asdict(witness)}
    return msgspec.json.format(msgspec.json.encode(said), indent=2) + b"\n"


def _decoded(data: bytes, name: str) -> Witness:
    if len(data) > _MOST:
        raise _unreadable(name, "it is too large to be one")
    try:
        said: Any = msgspec.json.decode(data)
        version = said.pop("version", None) if isinstance(said, dict) else None
        witness = msgspec.convert(said, Witness)
    except msgspec.MsgspecError:
        raise _unreadable(name, "it is none, or was cut off") from None
    if version != _VERSION:
        raise _unreadable(name, "another version of reconciler wrote it")
    return witness


def _unreadable(name: str, why: str) -> SourceUnavailable:
    hint = "bring it back from where the pipeline keeps it; without it nobody can tell whether the store has gone back"
    return SourceUnavailable(f"the witness {name} cannot be read: {why}", hint=hint)
