"""Start a program that gives secrets. What it says on stderr is not shown, because it may repeat them."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

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
) -> tuple[int, bytes]:
    """Exit code and output of a program, which gets no terminal to ask on.

    Raises:
        SecretUnavailable: it cannot be started, takes longer than a minute or says more than `limit` bytes.
    """
    from shutil import which

    program = which(command[0], path=environment.get("PATH")) if "/" not in command[0] else command[0]
    if program is None:
        raise SecretUnavailable(f"the program {command[0]} is not installed", hint=f"install {command[0]}, or add its directory to PATH")  # fmt: skip
    try:
        done = subprocess.run(
            [program, *command[1:]],
            cwd=folder,
            env={"GIT_TERMINAL_PROMPT": "0", **environment},
            input=stdin.encode(),
            capture_output=True,
            timeout=SECONDS,
            check=False,
            start_new_session=True,
        )
    except subprocess.TimeoutExpired:
        raise SecretUnavailable(f"the program {command[0]} took longer than {SECONDS} s", hint="does it wait for input?") from None  # fmt: skip
    except (OSError, ValueError) as failure:
        reason = getattr(failure, "strerror", None) or "a name with a NUL character"
        raise SecretUnavailable(f"the program {command[0]} cannot be started: {reason}", hint="check its path and mode") from None  # fmt: skip
    if len(done.stdout) > limit:
        raise SecretUnavailable(f"the program {command[0]} says more than {limit // 1024} KiB", hint="is it the right one?")  # fmt: skip
    return done.returncode, done.stdout
