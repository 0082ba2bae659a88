"""Start a program that gives secrets. What it says on stderr is not shown, because it may repeat them."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Event, Timer

from reconciler.errors import SecretUnavailable
from reconciler.secrets.local import MAX_SECRET_BYTES

SECONDS = 60


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
    child = _start(command, folder, {"GIT_TERMINAL_PROMPT": "0", **environment})
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
