"""The border: what is written to stdout and stderr, whatever is at their other end."""

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

from reconciler.cli.descriptors import lead_nowhere
from reconciler.harmless import harmless_lines


class Border(io.TextIOBase):
    """A stream that nothing harmful gets through to, and that never stops the work.

    A disk may be full, a reader gone: what was begun goes on, and what became of the answer is told at the end.

    Attributes:
        failure: why it could not be written to, or None. What comes after that is thrown away.
        used: whether anything was written.
    """

    def __init__(self, stream: TextIO) -> None:
        """Write to `stream`, which shows what its encoding lacks as an escape."""
        self.failure: OSError | None = None
        self.used = False
        self._stream = stream
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")

    def write(self, text: str | bytes) -> int:
        """Write lines; click writes what a shell completes as bytes."""
        if isinstance(text, bytes):
            text = text.decode("utf-8", "replace")
        self.used |= bool(text)
        if self.failure is None:
            with self._noting():
                self._stream.write(harmless_lines(text))
        return len(text)

    def flush(self) -> None:
        """Have it written."""
        if self.failure is None:
            with self._noting():
                self._stream.flush()

    def use_utf8(self) -> None:
        """Write in UTF-8, whatever the terminal reads, as the readers of JSON, YAML and XML expect it."""
        if isinstance(self._stream, io.TextIOWrapper):
            self._stream.reconfigure(encoding="utf-8", errors="backslashreplace")

    def isatty(self) -> bool:
        """Whether somebody sits there."""
        return self._stream.isatty()

    def fileno(self) -> int:
        """Its number."""
        return self._stream.fileno()

    @contextmanager
    def _noting(self) -> Iterator[None]:
        try:
            yield
        except OSError as failure:
            self.failure = failure
            with suppress(OSError):
                lead_nowhere(self._stream.fileno())


@contextmanager
def bordered() -> Iterator[Border]:
    """Have stdout and stderr be borders; gives that of stdout."""
    before = sys.stdout, sys.stderr
    stdout, stderr = Border(sys.stdout), Border(sys.stderr)
    if not stdout.isatty():  # a file or another program: what is written there is read elsewhere
        stdout.use_utf8()
    sys.stdout, sys.stderr = stdout, stderr
    try:
        yield stdout
    finally:
        stdout.flush()
        stderr.flush()
        sys.stdout, sys.stderr = before
