"""This process and others on its host, and the files beside an embedded store."""

import os
import time
from functools import cache
from pathlib import Path

from reconciler.core.lease import Holder, Moment
from reconciler.durable import create_file, make_folder, replace_file


class LocalHost:
    """The machine that this process runs on."""

    def holder(self) -> Holder:
        """This process, as one that takes a lease now."""
        name = os.uname().nodename if hasattr(os, "uname") else os.environ.get("COMPUTERNAME", "")
        pid = os.getpid()
        return Holder(name, pid, _started(pid) or "", _kernel(), os.urandom(8).hex())

    def moment(self) -> Moment:
        """Now. Only Linux says which boot its clock counts from."""
        boot = _boot()
        return Moment(time.time(), boot, time.clock_gettime(time.CLOCK_BOOTTIME) if boot else 0.0)

    def is_gone(self, holder: Holder) -> bool:
        """Whether the process is known to run no more: its id counts here, and nobody or another has it."""
        if not holder.kernel or holder.kernel != _kernel() or not holder.pid:
            return False
        try:
            os.kill(holder.pid, 0)
        except ProcessLookupError:
            return True
        except (PermissionError, OverflowError):
            pass
        started = _started(holder.pid)
        return bool(holder.started) and started is not None and started != holder.started


@cache
def _boot() -> str:
    """Names the boot of the machine, and the time namespace that counts from it; "" where that is not known."""
    return _within("time") if hasattr(time, "CLOCK_BOOTTIME") else ""


@cache
def _kernel() -> str:
    """Names the boot of the machine, and the namespace of process ids."""
    return _within("pid")


def _within(namespace: str) -> str:
    try:
        with open("/proc/sys/kernel/random/boot_id") as file:
            boot = file.read().strip()
        return f"{boot}/{os.stat(f'/proc/self/ns/{namespace}').st_ino}"
    except OSError:
        return ""


def _started(pid: int) -> str | None:
    """When a process started, in ticks since the boot; "" for one that has ended; None where that is not known."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return None
    return "" if fields[0] in (b"Z", b"X") else fields[19].decode()


APPLICATION_ID = 0x5243_4E53  # "RCNS", in the header of the SQLite file
UNRELEASED = 0x5243_4E31  # of stores that were made before there was a first release
_TEXT = b"The store of reconciler is beside this file. Where it is not, it was lost: bring it back before anything is applied.\n"


def mark_of(path: Path) -> Path:
    """The file that says so of the store at `path`."""
    return path.with_name(f"{path.name}.made")


def leave_mark(path: Path) -> None:
    """Say that there is a store at `path`, which lasts already."""
    mark = mark_of(path)
    if not mark.exists():
        create_file(mark, _TEXT)


def make_directory(path: Path) -> None:
    """The directory of the store and of its key. Inside a repository it never belongs into git."""
    folder = path.parent
    make_folder(folder)
    if folder.name == ".reconciler" and not has_content(folder / ".gitignore"):
        replace_file(folder / ".gitignore", b"*\n", 0o644)  # whole, before there is anything to keep out of git


def has_content(path: Path) -> bool:
    """Whether there is a file, and something in it."""
    return path.exists() and path.stat().st_size > 0


def is_left(path: Path, suffix: str) -> bool:
    """Whether one of SQLite's own files stands beside the store, with something in it."""
    return has_content(path.with_name(path.name + suffix))


def key_beside(path: Path) -> Path:
    """Where the embedded store at `path` keeps its key."""
    return path.with_suffix(".key") if path.suffix != ".key" else path.with_name(f"{path.name}.key")
