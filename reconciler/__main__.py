"""Entry point: ``reconciler`` and ``python -m reconciler``."""

import sys

from reconciler import __version__


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
        if not {"plan", "drift"}.isdisjoint(sys.argv[1:]) and _answered_quickly():
            return 0
        return _run()
    except KeyboardInterrupt:  # while the command line itself was loaded
        sys.stderr.write("error: interrupted; nothing was changed\n")
        return 130


def _run() -> int:
    """Load the command line and run it; a second signal does no harm from here on to the end of the process."""
    from reconciler.cli.interrupts import SignalInterrupts

    interrupts = SignalInterrupts()
    try:
        interrupts.catch()
        from reconciler.cli.main import run

        return run(sys.argv[1:], interrupts)
    finally:
        interrupts.end()


def _answered_quickly() -> bool:
    """Whether nothing moved and that was said; see cli/quick.py."""
    from reconciler.cli.quick import no_drift, nothing_to_do

    try:
        answer = (nothing_to_do if "plan" in sys.argv[1:] else no_drift)(sys.argv[1:])
        if answer is None:
            return False
        sys.stdout.write(answer)
        sys.stdout.flush()
    except OSError:
        return False  # the command line says why
    return True


if __name__ == "__main__":
    sys.exit(main())
