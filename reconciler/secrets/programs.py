"""Start a program that gives secrets. What it says on stderr is not shown, because it may repeat them.

It gets the variables that programs need to run, and those that its task takes, but never the tool's own. It is found
in the directories of PATH that lie outside of the repository, unless it is named by its path.
"""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from fnmatch import fnmatchcase
from pathlib import Path
from threading import Event, Timer

from reconciler.core.references import OWN_VARIABLES
from reconciler.errors import SecretUnavailable
from reconciler.secrets.context import Context
from reconciler.secrets.regular import MAX_SECRET_BYTES

SECONDS = 60
_ALWAYS = (
    "PATH", "HOME", "USER", "LOGNAME", "LANG", "LANGUAGE", "LC_*", "TZ", "TMPDIR", "XDG_*",
    "SYSTEMROOT", "WINDIR", "PATHEXT", "TEMP", "TMP", "USERPROFILE", "APPDATA", "LOCALAPPDATA",
)  # fmt: skip
OF_SOPS = (
    "SOPS_*", "AWS_*", "VAULT_*", "GOOGLE_*", "CLOUDSDK_*", "AZURE_*", "GNUPGHOME", "GPG_*",
    "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR",
)  # fmt: skip
"""Variables of sops and of the key services that it asks: https://getsops.io/docs/."""
_SAFE_GIT = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.bareRepository", "GIT_CONFIG_VALUE_0": "explicit",
}  # fmt: skip
"""Git asks nobody, and takes no folder for a repository that only looks like one: its settings could name programs."""


def environment_of(context: Context, names: Sequence[str]) -> dict[str, str]:
    """The variables of a program that is started.

    Args:
        names: what it gets beside what every program gets; a final * stands for any end.
    """
    found = {
        name: value
        for name, value in context.variables().items()
        if any(fnmatchcase(name, wanted) for wanted in (*_ALWAYS, *names)) and not name.startswith(OWN_VARIABLES)
    }
    return {**found, "PATH": _outside(found.get("PATH", os.defpath), context.root)}


def _outside(path: str, root: Path) -> str:
    """The directories of PATH that no pull request can put programs into."""
    folders = (folder for folder in path.split(os.pathsep) if os.path.isabs(folder))
    return os.pathsep.join(folder for folder in folders if not Path(os.path.realpath(folder)).is_relative_to(root))


def run_program(
    command: Sequence[str],
    *,
    folder: Path,
    environment: Mapping[str, str],
    stdin: str = "",
    limit: int = MAX_SECRET_BYTES,
    seconds: float = SECONDS,
) -> tuple[int, bytes]:
    """Exit code and output of a program, which gets no terminal to ask on.

    Args:
        stdin: at most a few kilobytes.

    Raises:
        SecretUnavailable: it cannot be started, takes longer than `seconds` or says more than `limit` bytes.
    """
    child = _start(command, folder, {**environment, **_SAFE_GIT})
    late = Event()

    def end() -> None:
        late.set()
        _kill(child)

    timer = Timer(seconds, end)
    timer.daemon = True  # an interrupt while it starts must not leave the process waiting for it
    try:
        timer.start()
        output = _talk(child, stdin, limit)
        if len(output) <= limit:
            child.wait()
    finally:
        timer.cancel()
        if child.poll() is None:
            _kill(child)
            child.wait()
    if late.is_set():
        raise SecretUnavailable(f"the program {command[0]} took longer than {seconds:g} s", hint="does it wait for input?")  # fmt: skip
    if len(output) > limit:
        raise SecretUnavailable(f"the program {command[0]} says more than {limit // 1024} KiB", hint="is it the right one?")  # fmt: skip
    return child.returncode, output


def _start(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> "subprocess.Popen[bytes]":
    from shutil import which

    program = which(command[0], path=environment.get("PATH")) if "/" not in command[0] else command[0]
    if program is None:
        raise SecretUnavailable(f"the program {command[0]} is not installed", hint=f"install {command[0]}, or add its directory to PATH")  # fmt: skip
    try:
        return subprocess.Popen(
            [program, *command[1:]],
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except (OSError, ValueError) as failure:
        reason = getattr(failure, "strerror", None) or "a name with a NUL character"
        raise SecretUnavailable(f"the program {command[0]} cannot be started: {reason}", hint="check its path and mode") from None  # fmt: skip


def _talk(child: "subprocess.Popen[bytes]", stdin: str, limit: int) -> bytes:
    """What the program says, or one byte more than `limit` of it."""
    assert child.stdin is not None and child.stdout is not None
    with child.stdout as said:
        with suppress(BrokenPipeError), child.stdin as asked:
            asked.write(stdin.encode())
        return said.read(limit + 1)


def _kill(child: "subprocess.Popen[bytes]") -> None:
    """End the program and what it has started."""
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
