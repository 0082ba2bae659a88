"""The programs that tests start and that Python's package index does not carry: where they are, or what to install.

A test asks for them by `needs`. Where one is missing the test is skipped, and the run ends with what to install for
all of them; on CI, which installs them, it fails. Run by itself this prints the packages that are missing.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

PACKAGES = {
    "age": "age",
    "bash": "bash",
    "etcd": "etcd-server",
    "faketime": "faketime",
    "glewlwyd": "glewlwyd",
    "haproxy": "haproxy",
    "ip": "iproute2",
    "jq": "jq",
    "openssl": "openssl",
    "patroni": "patroni",
    "pgbouncer": "pgbouncer",
    "postgres": "postgresql",
    "setpriv": "util-linux",
    "ssh-keygen": "openssh-client",
    "strace": "strace",
    "unshare": "util-linux",
}
"""Programs, and the packages of Debian that bring them."""
_REASON = re.compile(r"needs [\w-]+: apt install ([\w-]+)")


def program(name: str) -> str:
    """Where a program stands, beside this Python or on the path; "" where it is not installed."""
    beside = Path(sys.executable).parent / name
    debians = ["/usr/sbin", *map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True))]
    folders = [*os.environ.get("PATH", os.defpath).split(os.pathsep), *debians]
    return str(beside) if beside.exists() else shutil.which(name, path=os.pathsep.join(folders)) or ""


def needs(*names: str) -> str:
    """Where the first of some programs stands; unless all are installed the test is skipped, or fails on CI."""
    import pytest

    for name in names:
        if not program(name):
            reason = f"needs {name}: apt install {PACKAGES[name]}"
            (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
    return program(names[0])


def needs_mounts() -> None:
    """Skip a test that mounts file systems of its own where that is not permitted, as it is to root alone."""
    import pytest

    command = [needs("unshare"), "-m", "mount", "-t", "tmpfs", "none", "/mnt"]
    if os.geteuid() or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("mounting is not permitted here")


def to_install(reasons: Iterable[str]) -> str:
    """One line that says what to install for the tests that were skipped for these reasons; "" for nothing."""
    found = [match[1] for reason in reasons for match in _REASON.finditer(reason)]
    tests = "1 test needs a program that is" if len(found) == 1 else f"{len(found)} tests need programs that are"
    return f"{tests} not installed here; apt install {' '.join(sorted(set(found)))}" if found else ""


if __name__ == "__main__":
    print(*sorted({package for name, package in PACKAGES.items() if not program(name)}))
