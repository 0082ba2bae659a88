"""Writing to the two streams, as the user wants it: stdout is the answer, stderr the talk, with a bar for long work."""

import os
import sys
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Self, TextIO

from reconciler.cli.streams import Border
from reconciler.core.progress import UNTOLD
from reconciler.errors import ReconcilerError, ReportLost
from reconciler.harmless import harmless, own
from reconciler.render.style import BOLD, RED, YELLOW, paint

if TYPE_CHECKING:
    from reconciler.core.ports.source import Desired
    from reconciler.core.progress import Untold
    from reconciler.diagnostics import Diagnostic


class Options(NamedTuple):
    """Values of the common options; None or False where nothing was said."""

    directory: str | None = None
    target: str | None = None
    store: str | None = None
    env_file: str | None = None
    secrets_allowed: str | None = None
    actor: str | None = None
    output: str | None = None
    color: str = "auto"
    quiet: bool = False
    verbose: bool = False
    no_input: bool = False
    no_cache: bool = False
    json: bool = False
    """Whether the answer is to be JSON; set once the command is known to have it."""


_said: dict[str, Any] = {}


def options() -> Options:
    """What the user said, on either side of the command."""
    return Options(**_said)


def note(name: str, value: Any) -> None:
    """Note the value of an option; a later one replaces it."""
    _said[name] = value


def forget() -> None:
    """Forget all: another command line begins."""
    _said.clear()


_LONGEST_LINE = 4096
"""Bytes of a line that somebody types."""


def wants_color(choice: str, stream: object) -> bool:
    """Whether to colour what goes to `stream`; see https://no-color.org for NO_COLOR."""
    if choice != "auto":
        return choice == "always"
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb" and _is_terminal(stream)


def _is_terminal(stream: object) -> bool:
    isatty = getattr(stream, "isatty", None)
    return bool(isatty and isatty())


def columns_of(stream: object) -> int:
    """How wide the terminal is that `stream` leads to; 0 where it leads to none."""
    if not _is_terminal(stream):
        return 0
    from shutil import get_terminal_size

    return get_terminal_size((_COLUMNS, 24)).columns


def open_progress() -> "Bar | Untold":
    """What shows how far work has come: nothing, unless somebody sits there and watches."""
    said = options()
    if said.quiet or said.output not in (None, "text") or os.environ.get("CI"):
        return UNTOLD
    if os.environ.get("TERM", "dumb") == "dumb" or not _is_terminal(sys.stderr):
        return UNTOLD

    return Bar(sys.stderr)


def answer(text: str) -> None:
    """Write the command's answer."""
    sys.stdout.write(text)


def answer_in_utf8() -> None:
    """What is answered is for other programs, and not in whatever encoding the terminal is in."""
    if isinstance(sys.stdout, Border):
        sys.stdout.use_utf8()


def answer_failure(failure: ReconcilerError) -> None:
    """Answer with the failure where the answer was to be JSON, and there is none yet."""
    stdout = sys.stdout
    if options().json and isinstance(stdout, Border) and not stdout.used:
        from reconciler.render.failure import failure_json

        answer(failure_json(failure))


def lost_answer() -> OSError | None:
    """Why what was answered so far did not arrive, if it did not."""
    return _lost(sys.stdout)


def _lost(stream: TextIO) -> OSError | None:
    stream.flush()
    return stream.failure if isinstance(stream, Border) else None


def refuse_unshown() -> None:
    """Stop before anything is done that could not be shown.

    Raises:
        ReportLost: what was answered so far did not arrive.
    """
    if failure := lost_answer():
        raise ReportLost(
            f"what is to be done cannot be shown, and nothing was changed: {failure.strerror}",
            hint="see that the output can be written, or pass --quiet",
        )


def can_ask() -> bool:
    """Whether there is a terminal to ask on, and asking is allowed."""
    return not options().no_input and sys.stdin.isatty()


def confirmed(question: str) -> bool:
    """Ask on the terminal; no answer is no.

    Raises:
        KeyboardInterrupt: the terminal has gone.
    """
    sys.stdout.flush()
    while True:
        print(f"{harmless(question)} [y/N]: ", end="", file=sys.stderr)
        line = b"" if _lost(sys.stderr) else sys.stdin.buffer.readline(_LONGEST_LINE)
        if not line:
            raise KeyboardInterrupt
        said = line.decode("ascii", "replace").strip().lower()
        if said in ("y", "yes"):
            return True
        if said in ("", "n", "no"):
            return False
        say("answer y or n")


def say(text: str) -> None:
    """Tell the user something beside the answer."""
    print(harmless(text), file=sys.stderr)


def say_read(desired: "Desired") -> None:
    """Tell what was read, and how much of it from the cache."""
    cached = f"; {desired.known} of the files were in the cache" if desired.known else ""
    say(f"read {len(desired.files)} files with {desired.documents} documents{cached}")


def say_error(message: str, details: Sequence[str] = (), hint: str = "") -> None:
    """Tell the user what went wrong and what to do."""
    _say_all("error:", RED, message, details, hint)


def say_warning(message: str, details: Sequence[str] = (), hint: str = "") -> None:
    """Tell the user what makes the answer doubtful and what to do."""
    _say_all("warning:", YELLOW, message, details, hint)


def _say_all(word: str, code: str, message: str, details: Sequence[str], hint: str) -> None:
    color = wants_color("auto", sys.stderr)
    print(f"{paint(word, code, BOLD, color=color)} {harmless(message)}", file=sys.stderr)
    for detail in details:
        print(f"  {harmless(detail)}", file=sys.stderr)
    if hint:
        print(f"  hint: {harmless(hint)}", file=sys.stderr)


def say_warnings(diagnostics: "Sequence[Diagnostic]", color: str) -> None:
    """One line for each warning."""
    for found in diagnostics:
        word = paint("warning", YELLOW, color=wants_color(color, sys.stderr))
        print(f"{harmless(str(found.span))}: {word}[{found.code}]: {harmless(found.message)}", file=sys.stderr)


_QUIET_SECONDS = 1.0
_BETWEEN_SECONDS = 0.1
_BAR = 24
_COLUMNS = 80  # of a terminal that does not say
_TO_THE_BEGINNING, _TO_THE_END = own("\r"), own("\x1b[K")
"""Clears what is behind the cursor. A line is written over the last one before that, which does not flicker."""
_MINUTE, _HOUR = 60, 3600


class Bar:
    """Shows it, and takes it away at the end of each block of `with`, however that ends."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        """Show nothing before a second has gone."""
        self._stream = stream
        self._clock = clock
        self._next = clock() + _QUIET_SECONDS
        self._what = ""
        self._began = 0.0
        self._shown = False

    def tell(self, what: str, done: int, total: int) -> None:
        """Show how far it has come, at most ten times a second."""
        now = self._clock()
        if what != self._what:
            self._what, self._began = what, now
        if now < self._next:
            return
        self._next = now + _BETWEEN_SECONDS
        line = _line(what, done, total, now - self._began)
        self._shown = True
        self._write(f"{_TO_THE_BEGINNING}{line[: self._columns() - 1]}{_TO_THE_END}")

    def __enter__(self) -> Self:
        """Work begins."""
        return self

    def __exit__(self, *failure: object) -> None:
        """Take it away: what is said next begins on a clean line."""
        self._what = ""
        if self._shown:
            self._shown = False
            self._write(f"{_TO_THE_BEGINNING}{_TO_THE_END}")

    def _columns(self) -> int:
        try:
            return os.get_terminal_size(self._stream.fileno()).columns or _COLUMNS
        except OSError:
            return _COLUMNS

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


def _line(what: str, done: int, total: int, seconds: float) -> str:
    part = min(1.0, done / total) if total else 1.0
    filled = int(part * _BAR)
    bar = f"{what:<9} [{'#' * filled}{'-' * (_BAR - filled)}] {done:,} of {total:,}"
    if not done or seconds <= 0:
        return bar
    rate = done / seconds
    shown = f"{rate:,.0f}" if rate >= 10 else f"{rate:.1f}"
    return f"{bar}, {shown}/s, {_duration((total - done) / rate)} left"


def _duration(seconds: float) -> str:
    whole = int(seconds + 0.5)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE} s"
    return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE} min"
