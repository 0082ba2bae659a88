"""This process, and others on its host: what leases are judged by."""

import os
import time
from functools import cache

from reconciler.core.lease import Holder, Moment


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
