"""Writing to the two streams: stdout is the answer, stderr the talk."""

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from reconciler.cli.said import options
from reconciler.core.progress import UNTOLD
from reconciler.render.style import BOLD, RED, YELLOW, harmless, paint

if TYPE_CHECKING:
    from reconciler.cli.progress import Bar
    from reconciler.core.ports import Desired
    from reconciler.core.progress import Untold
    from reconciler.diagnostics import Diagnostic


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


def give_up_stdout() -> None:
    """Throw away what cannot be written, which Python would try again at its exit."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def answer(text: str) -> None:
    """Write the command's answer."""
    sys.stdout.write(text)


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
