"""Starting a program through os alone: loading subprocess takes a fifth as long as Python itself."""

import os

_ROOM = 16_384
"""Bytes that a pipe takes before anybody reads them, on every system that we know."""
_KILL = 9


class Child:
    """A program that was started, and what it writes."""

    def __init__(self, number: int, output: int, errors: int) -> None:
        self._number = number
        self.output = os.fdopen(output, "rb")
        self._errors = errors

    def give_up(self) -> None:
        """End it, whatever it is at."""
        os.kill(self._number, _KILL)
        self.finish()

    def finish(self) -> tuple[int, bytes, bytes]:
        """Its exit code, and the rest of both outputs.

        What it says of errors lies in a file and not in a pipe, so that it never has to wait for us to read it.
        """
        with self.output:
            written = self.output.read()
        _, status = os.waitpid(self._number, 0)
        said = b""
        if self._errors >= 0:
            with os.fdopen(self._errors, "rb") as errors:
                errors.seek(0)
                said = errors.read()
        return os.waitstatus_to_exitcode(status), written, said


def start(words: list[str], environment: dict[str, str], feed: bytes = b"", *, errors: bool = True) -> Child:
    """Start a program.

    Args:
        feed: what it reads.
        errors: whether what it says of errors is wanted.

    Raises:
        OSError: it cannot be started.
    """
    source = _source(feed)
    output, into = os.pipe()
    said = _file() if errors else -1
    actions = [(os.POSIX_SPAWN_DUP2, source, 0), (os.POSIX_SPAWN_DUP2, into, 1)]
    actions.append((os.POSIX_SPAWN_DUP2, said, 2) if errors else (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0))  # type: ignore[arg-type]
    try:
        return Child(os.posix_spawnp(words[0], words, environment, file_actions=actions), output, said)
    except OSError:
        os.close(output)
        if errors:
            os.close(said)
        raise
    finally:
        os.close(into)
        os.close(source)


def _source(feed: bytes) -> int:
    """Something to read `feed` from that needs nobody to write it meanwhile."""
    if not feed:
        return os.open(os.devnull, os.O_RDONLY)
    if len(feed) <= _ROOM:
        source, feeder = os.pipe()
        with os.fdopen(feeder, "wb") as pipe:
            pipe.write(feed)
        return source
    held = _file()
    with os.fdopen(os.dup(held), "wb") as file:
        file.write(feed)
    os.lseek(held, 0, os.SEEK_SET)
    return held


def _file() -> int:
    """A file without a name."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("reconciler")
    import tempfile

    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())
