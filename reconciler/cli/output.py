"""Writing to the two streams: stdout is the answer, stderr the talk."""

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, TextIO

from reconciler.cli.said import options
from reconciler.cli.streams import Border
from reconciler.core.progress import UNTOLD
from reconciler.errors import ReportLost
from reconciler.harmless import harmless
from reconciler.render.style import BOLD, RED, YELLOW, paint

if TYPE_CHECKING:
    from reconciler.cli.progress import Bar
    from reconciler.core.ports.source import Desired
    from reconciler.core.progress import Untold
    from reconciler.diagnostics import Diagnostic

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


def open_progress() -> "Bar | Untold":
    """What shows how far work has come: nothing, unless somebody sits there and watches."""
    said = options()
    if said.quiet or said.output not in (None, "text") or os.environ.get("CI"):
        return UNTOLD
    if os.environ.get("TERM", "dumb") == "dumb" or not _is_terminal(sys.stderr):
        return UNTOLD
    from reconciler.cli.progress import Bar

    return Bar(sys.stderr)


def answer(text: str) -> None:
    """Write the command's answer."""
    sys.stdout.write(text)


def answer_in_utf8() -> None:
    """What is answered is for other programs, and not in whatever encoding the terminal is in."""
    if isinstance(sys.stdout, Border):
        sys.stdout.use_utf8()


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
