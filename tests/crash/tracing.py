"""What a process does to files, in order and with the data: seen by strace."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from conftest import clean_environment
from programs import needs

_WATCHED = (
    "openat write pwrite64 fsync fdatasync ftruncate rename renameat renameat2 unlink unlinkat rmdir mkdir mkdirat"
    " link linkat chmod fchmod fchmodat"
).split()
_UNKNOWN = (
    "open creat writev pwritev pwritev2 truncate fallocate copy_file_range sendfile symlink symlinkat mknod mknodat"
    " sync_file_range msync splice"
).split()
"""What would change files, and neither Python nor SQLite does here; seen, it is an error, so that nothing is missed."""


_NO_CACHES = {"PYTHONDONTWRITEBYTECODE": "1", "XDG_CACHE_HOME": "", "HOME": ""}
"""What is in a cache counts only beside what it was made of: it may be lost or torn."""


class Op(NamedTuple):
    """A call that succeeded, on paths below the watched folder.

    `offset` is that of a write, or the size that a truncate leaves; None for a write at the end of the file.
    """

    do: str  # make, write, truncate, chmod, link, rename, unlink, mkdir, sync
    path: str
    to: str = ""
    offset: int | None = 0
    data: bytes = b""
    mode: int = 0


@dataclass(frozen=True)
class Trace:
    """One traced run.

    Attributes:
        ops: below the folder.
        elsewhere: other files that it wrote to, opened for writing or moved.
    """

    ops: tuple[Op, ...]
    elsewhere: frozenset[str]
    exit_code: int
    stdout: str
    stderr: str


def trace(folder: Path, arguments: Sequence[str], env: Mapping[str, str], kill: str = "", fail: str = "") -> Trace:
    """Run `reconciler` in `folder` under strace.

    Args:
        kill: `CALL:N`, to kill it as it enters its N-th such call.
        fail: `CALL:ERROR:N`, to let its N-th such call fail, or with `N+` all from that one on.
    """
    log = folder.parent / f"{folder.name}.strace"
    command = [needs("strace"), "-f", "-y", "-qq", "-xx", "-s", "16777216", "-o", str(log), "-e", "signal=none"]
    command += ["-e", "trace=" + ",".join(f"?{call}" for call in (*_WATCHED, *_UNKNOWN))]
    if kill:
        call, number = kill.split(":")
        command += ["-e", f"inject={call}:signal=KILL:when={number}"]
    if fail:
        call, error, number = fail.split(":")
        command += ["-e", f"inject={call}:error={error}:when={number}"]
    command += ["--seccomp-bpf"] if not kill and not fail else []
    done = subprocess.run(
        [*command, sys.executable, "-m", "reconciler", *arguments], cwd=folder, stdin=subprocess.DEVNULL,
        env=clean_environment({**_NO_CACHES, **env}), capture_output=True, text=True, check=False,
    )  # fmt: skip
    parser = _Parser(os.path.realpath(folder))
    for line in _whole_lines(log.read_text("ascii", "replace").splitlines()):
        parser.read(line)
    return Trace(tuple(parser.ops), frozenset(parser.elsewhere), done.returncode, done.stdout, done.stderr)


def _whole_lines(lines: Sequence[str]) -> Iterator[str]:
    """Calls, without their process; those that others interrupted are put together, at their end."""
    begun: dict[str, str] = {}
    for line in lines:
        process, _, rest = line.partition(" ")
        rest = rest.strip()
        if rest.endswith("<unfinished ...>"):
            begun[process] = rest.removesuffix("<unfinished ...>").rstrip()
        elif rest.startswith("<... "):
            yield begun.pop(process, "") + rest.partition(" resumed>")[2]
        else:
            yield rest


_CALL = re.compile(r"^(\w+)\((.*)\)\s+= (-?\d+)(?:<([^>]*)>(\(deleted\))?)?(?: .*)?$")
_DESCRIPTOR = re.compile(r"^(-?\d+|AT_FDCWD)<([^>]*)>(\(deleted\))?$")


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.strip('"').replace("\\x", ""))


class _Parser:
    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._hexadecimal = "".join(f"\\x{byte:02x}" for byte in folder.encode())
        self._places: dict[str, int] = {}  # descriptor to where the next write goes
        self._appending: set[str] = set()
        self._umask = os.umask(0)
        os.umask(self._umask)
        self.ops: list[Op] = []
        self.elsewhere: set[str] = set()

    def read(self, line: str) -> None:
        found = _CALL.match(line)
        if not found or found[3].startswith("-"):
            return  # it failed, was cut off, or is no call
        name, arguments = found[1], found[2].split(", ")  # all texts are hexadecimal
        if name in _UNKNOWN:
            assert self._hexadecimal not in line, f"the harness does not know {name}: {line[:200]}"
            return
        getattr(self, f"_{_FAMILIES.get(name, name)}")(name, arguments, int(found[3]))

    def _below(self, path: str) -> str | None:
        path = os.path.normpath(path)
        if path == self._folder:
            return "."
        return path[len(self._folder) + 1 :] if path.startswith(self._folder + "/") else None

    def _add(self, op: Op) -> None:
        paths = [self._below(path) for path in (op.path, op.to) if path]
        if None not in paths:
            self.ops.append(op._replace(path=paths[0], to=paths[-1] if op.to else ""))
        elif op.do != "sync" and not op.path.startswith(("/dev/", "pipe:", "socket:", "/proc/", "anon_inode:")):
            self.elsewhere.add(op.path)

    def _descriptor(self, argument: str) -> tuple[str, str] | None:
        """Number and path of an open file; None for one that has no name any more."""
        found = _DESCRIPTOR.match(argument)
        assert found, argument
        return None if found[3] else (found[1], _bytes(found[2]).decode())

    def _path(self, argument: str, at: str = "") -> str:
        path = _bytes(argument).decode()
        base = _bytes(_DESCRIPTOR.match(at)[2]).decode() if at else self._folder
        return os.path.join(base, path)

    def _paths(self, name: str, arguments: list[str]) -> list[str]:
        """The paths of a call that takes them with or without the folders that they are relative to."""
        if "at" not in name.removeprefix("re"):
            return [self._path(argument) for argument in arguments if argument.startswith('"')]
        found = []
        for before, argument in zip(arguments, arguments[1:], strict=False):
            if argument.startswith('"'):
                found.append(self._path(argument, before))
        return found

    def _openat(self, name: str, arguments: list[str], result: int) -> None:
        flags = arguments[2].split("|")
        path = self._path(arguments[1], arguments[0])
        self._places[str(result)] = 0
        self._appending.discard(str(result))
        if "O_APPEND" in flags:
            self._appending.add(str(result))
        if "O_CREAT" in flags:
            mode = int(arguments[3], 8) & ~self._umask
            self._add(Op("make", path, mode=mode))
        elif "O_WRONLY" in flags or "O_RDWR" in flags:
            if self._below(path) is None:
                self._add(Op("make", path))
        if "O_TRUNC" in flags:
            self._add(Op("truncate", path))

    def _write(self, name: str, arguments: list[str], result: int) -> None:
        opened = self._descriptor(arguments[0])
        if opened is None:
            return
        number, path = opened
        data = _bytes(arguments[1])[:result] if self._below(path) else b""
        offset = None if number in self._appending else self._places.get(number, 0)
        self._places[number] = (offset or 0) + result
        self._add(Op("write", path, offset=offset, data=data))

    def _pwrite64(self, name: str, arguments: list[str], result: int) -> None:
        if opened := self._descriptor(arguments[0]):
            data = _bytes(arguments[1])[:result] if self._below(opened[1]) else b""
            self._add(Op("write", opened[1], offset=int(arguments[3]), data=data))

    def _sync(self, name: str, arguments: list[str], result: int) -> None:
        if opened := self._descriptor(arguments[0]):
            self._add(Op("sync", opened[1]))

    def _ftruncate(self, name: str, arguments: list[str], result: int) -> None:
        if opened := self._descriptor(arguments[0]):
            self._add(Op("truncate", opened[1], offset=int(arguments[1])))

    def _fchmod(self, name: str, arguments: list[str], result: int) -> None:
        if opened := self._descriptor(arguments[0]):
            self._add(Op("chmod", opened[1], mode=int(arguments[1], 8)))

    def _chmod(self, name: str, arguments: list[str], result: int) -> None:
        self._add(Op("chmod", self._paths(name, arguments)[0], mode=int(arguments[-1], 8)))

    def _mkdir(self, name: str, arguments: list[str], result: int) -> None:
        self._add(Op("mkdir", self._paths(name, arguments)[0], mode=int(arguments[-1], 8) & ~self._umask))

    def _unlink(self, name: str, arguments: list[str], result: int) -> None:
        self._add(Op("unlink", self._paths(name, arguments)[0]))

    def _rename(self, name: str, arguments: list[str], result: int) -> None:
        self._add(Op("rename", *self._paths(name, arguments)))

    def _link(self, name: str, arguments: list[str], result: int) -> None:
        self._add(Op("link", *self._paths(name, arguments)))


_FAMILIES = {
    "fsync": "sync", "fdatasync": "sync", "renameat": "rename", "renameat2": "rename", "unlinkat": "unlink",
    "rmdir": "unlink", "mkdirat": "mkdir", "linkat": "link", "fchmodat": "chmod",
}  # fmt: skip
