"""Entry point: ``reconciler`` and ``python -m reconciler``."""

import os
import sys

from reconciler import __version__

_READERS = {"plan", "validate", "drift"}
"""Commands that leave nothing to close."""


def main() -> int:
    """Run the command line; returns the exit code.

    ``--version`` and ``--help`` are answered before anything is imported: click alone takes longer to load
    than Python. A test holds the stored text against what click prints.
    """
    if sys.argv[1:] in (["--version"], ["-V"]):
        print(f"reconciler {__version__}")
        return 0
    if sys.argv[1:] in (["--help"], ["-h"]):
        with open(__file__.removesuffix("__main__.py") + "cli/help.txt", encoding="utf-8") as text:
            sys.stdout.write(text.read())
        return 0
    try:
        asked = _simple()
        if asked is not None and asked["command"] != "validate" and _answered_quickly(asked):
            return 0
        code = _run(asked)
    except KeyboardInterrupt:  # while the command line itself was loaded
        sys.stderr.write("error: interrupted; nothing was changed\n")
        return 130
    if not _READERS.isdisjoint(sys.argv[1:]):
        _end(code)
    return code


def _simple() -> dict[str, str] | None:
    """What is asked for, where click is not needed to tell; see cli/line.py."""
    if _READERS.isdisjoint(sys.argv[1:]):
        return None
    from reconciler.cli.line import read

    return read(sys.argv[1:])


def _answered_quickly(asked: dict[str, str]) -> bool:
    """Whether nothing moved and that was said; see cli/quick.py."""
    from reconciler.cli.quick import answer

    try:
        said = answer(asked)
        if said is None:
            return False
        sys.stdout.write(said)
        sys.stdout.flush()
    except OSError:
        return False  # the command line says why
    return True


def _run(asked: dict[str, str] | None) -> int:
    """Load the command and run it; a second signal does no harm from here on to the end of the process."""
    from reconciler.cli.interrupts import SignalInterrupts

    interrupts = SignalInterrupts()
    try:
        interrupts.catch()
        if asked is not None and asked["command"] == "plan":
            from reconciler.cli import planning

            return planning.run_simple(asked)
        if asked is not None and asked["command"] == "validate":
            from reconciler.cli import checking

            return checking.run_simple(asked)
        from reconciler.cli.main import run

        return run(sys.argv[1:], interrupts)
    finally:
        interrupts.end()


def _end(code: int) -> None:
    """End at once: Python would take down all that was loaded and made, piece by piece, which takes a sixth of a plan."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):
        return  # whoever read it has gone: Python's own end knows what to do
    os._exit(code)


if __name__ == "__main__":
    sys.exit(main())
