"""The tool's own keys and store are nobody's secret: what is refused where the text of a reference does not tell.

A file is known by where it lies once links are followed, by its device and inode, which a hard link shares, and by what
is in it; a value by being the store's key, whichever way it came.
"""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path

from msgspec import Struct

from reconciler.core.references import PG_VARIABLE, absolute, own_place
from reconciler.errors import SecretRefused, SecretUnavailable
from reconciler.secrets.keys import KEY_VARIABLE, MAX_SECRET_BYTES, NEW_KEY_VARIABLE, read_regular
from reconciler.secrets.signatures import PASSPHRASE, holds_signing_key

_MAX_POINTER_BYTES = 4096
_SQLITE, _APPLICATION_AT = b"SQLite format 3\0", 68  # https://www.sqlite.org/fileformat.html#the_database_header
_LONG = 16
"""Of so many characters on a value may be found within another one by no accident."""
ELSEWHERE = "name another place"
_KEY = "the store's key"


class Own(Struct, frozen=True, dict=True):
    """What belongs to the tool in a run.

    Attributes:
        root: the configuration repository.
        environment: variables of the process.
        store: the store's file, or None where it is none.
        keys: files that hold the store's key; what is beside them under their names are keys too.
        files: further files that are the operator's alone.
        signers: files with the public keys that plans are signed with.
        application: number by which SQLite files that are stores are known.
        proofs: references to what proves who asks the store's server, each with what it is in words.
    """

    root: Path
    environment: Mapping[str, str]
    store: Path | None = None
    keys: tuple[Path, ...] = ()
    files: tuple[Path, ...] = ()
    signers: tuple[Path, ...] = ()
    application: int = 0
    proofs: Sequence[tuple[str, Mapping[str, str]]] = ()

    def __repr__(self) -> str:
        """Without the environment, which holds secrets."""
        return f"Own(root={self.root!r})"

    def read(self, path: str, limit: int = MAX_SECRET_BYTES) -> tuple[str, bytes]:
        """Where the file at a path from the root lies once links are followed, and its bytes.

        Raises:
            SecretRefused: it is the tool's own.
            SecretUnavailable: there is none, it is a device or a pipe, or holds more than `limit` bytes.
        """
        try:
            real, found = self.judge(path)
            data = read_regular(real, limit, found)
        except OSError as failure:
            where = absolute(str(self.root), path)
            raise SecretUnavailable(f"{failure.strerror}", hint=f"provide the file {where}") from failure
        except ValueError:
            raise SecretUnavailable("no file can have this name", hint="it holds a NUL character") from None
        if data.startswith(_SQLITE) and data[_APPLICATION_AT : _APPLICATION_AT + 4] == self.application.to_bytes(4):
            raise _refused("a store of the tool's own")
        return real, data

    def judge(self, path: str) -> tuple[str, os.stat_result]:
        """Where the file at a path from the root lies once links are followed, and what is there. It is not opened.

        Raises:
            SecretRefused: it is the tool's own.
            OSError: there is none.
            ValueError: no file can have this name.
        """
        real = os.path.realpath(absolute(str(self.root), path))
        self._refuse_place(path, real)
        found = os.stat(real)
        self._refuse_file(found)
        return real, found

    def refuse_value(self, value: str) -> None:
        """Stop when a value is, or holds, a key of the tool's own.

        Raises:
            SecretRefused: it does.
        """
        for key in self._values:
            if value.strip() == key or (len(key) >= _LONG and key in value):
                raise _refused("the tool's own key")
        if self.signers and holds_signing_key(value, self.environment.get(PASSPHRASE), self.signers):
            raise _refused("a key that plans are signed with")

    def _refuse_place(self, path: str, real: str) -> None:
        here = Path(real)
        inside = str(here.relative_to(self.root)) if here.is_relative_to(self.root) else real
        place = own_place(path) or own_place(inside)
        if not place and any(here.is_relative_to(folder) for folder in self._git_folders):
            place = "git's own files"
        if place or here in self._paths:
            raise _refused(place or _KEY)

    def _refuse_file(self, found: os.stat_result) -> None:
        me = (found.st_dev, found.st_ino)
        if me in self._identities:
            raise _refused(self._identities[me])
        if found.st_dev in self._devices:
            raise _refused("files of the running system")
        if found.st_nlink > 1 and me in set(_identities(self._linkable())):
            raise _refused("git's or the tool's own files")

    @cached_property
    def _paths(self) -> frozenset[Path]:
        """Where keys lie or are going to be made."""
        return frozenset(Path(os.path.realpath(key)) for key in self.keys)

    @cached_property
    def _identities(self) -> dict[tuple[int, int], str]:
        """What each of the single files is, by device and inode."""
        return {
            **dict.fromkeys(_identities([*self.files, *_files_in(self.environment)]), "a file of the operator's alone"),
            **dict.fromkeys(_identities(self._store_files()), "the live store"),
            **dict.fromkeys(_identities(self._key_files()), _KEY),
        }

    @cached_property
    def _devices(self) -> frozenset[int]:
        """Of file systems that show the running system."""
        return frozenset(os.stat(folder).st_dev for folder in ("/proc", "/sys") if os.path.ismount(folder))

    def _key_files(self) -> Iterator[Path]:
        """The key files, and those that a change of the key leaves beside them."""
        for key in self.keys:
            yield key
            place = Path(os.path.realpath(key))
            with suppress(OSError):
                yield from (other for other in place.parent.iterdir() if other.name.startswith(f"{place.name}."))

    def _store_files(self) -> Iterator[Path]:
        if self.store is not None:
            yield from (self.store.with_name(self.store.name + end) for end in ("", "-wal", "-shm", "-journal"))

    def _linkable(self) -> Iterator[Path]:
        """Files that a hard link may lead to: all of the tool's, and git's but for the contents that it keeps."""
        for top in (self.root / ".reconciler", *self._git_folders):
            for folder, below, names in os.walk(top):
                if "objects" in below:
                    below.remove("objects")
                yield from (Path(folder, name) for name in names)

    @cached_property
    def _git_folders(self) -> tuple[Path, ...]:
        """Where git keeps its files, once links and the pointers of working trees are followed."""
        found: list[Path] = []
        for folder in (self.root, *self.root.parents):
            place = folder / ".git"
            if place.is_file():
                place = folder / _pointer(place)
                found.append(place / (_pointer(place / "commondir") or "."))
            if place.is_dir():
                return tuple(Path(os.path.realpath(item)) for item in (place, *found))
        return ()

    @cached_property
    def _values(self) -> tuple[str, ...]:
        """The keys, passphrases and passwords at hand."""
        values = [self.environment.get(name, "") for name in (KEY_VARIABLE, NEW_KEY_VARIABLE, PASSPHRASE, PG_VARIABLE)]
        for file in self._key_files():
            with suppress(OSError, SecretUnavailable):
                values.append(read_regular(file).decode("utf-8", "replace"))
        return tuple(value for value in map(str.strip, values) if value)


def _refused(what: str) -> SecretRefused:
    return SecretRefused(f"it leads to {what}", hint=ELSEWHERE)


def _identities(files: Iterable[Path]) -> Iterator[tuple[int, int]]:
    for file in files:
        with suppress(OSError, ValueError):
            found = os.stat(file)
            yield found.st_dev, found.st_ino


def _files_in(environment: Mapping[str, str]) -> list[Path]:
    """Files that the tool's own variables name, such as a signing key, and those with passwords of the store's server."""
    own = [Path(value) for name, value in environment.items() if name.startswith("RECONCILER_") and value]
    home = environment.get("HOME", "")
    passwords = (environment.get("PGPASSFILE", ""), f"{home}/.pgpass" if home else "")
    return [*own, *(Path(path) for path in passwords if path)]


def _pointer(file: Path) -> str:
    """What a file of one line says, behind a colon where there is one: see gitrepository-layout(5)."""
    try:
        with file.open(encoding="utf-8", errors="surrogateescape") as opened:
            return opened.read(_MAX_POINTER_BYTES).removeprefix("gitdir:").strip()
    except OSError:
        return ""
