"""Entry point: ``reconciler`` and ``python -m reconciler``."""

import os
import sys

from reconciler.cli.descriptors import lead_nowhere, open_missing, warn
from reconciler.version import __version__

_READERS = {"plan", "validate", "drift"}
"""Commands that leave nothing to close."""


def main() -> int:
    """Run the command line; returns the exit code.

    A second signal does no harm from the first line of work on to the end of the process.
    """
    open_missing()
    if sys.argv[1:] in (["--version"], ["-V"]):  # scripts ask this often, and it needs nothing to be loaded
        return _say_version()
    interrupts = None
    try:
        from reconciler.cli.boundary import SignalInterrupts

        interrupts = SignalInterrupts()
        interrupts.catch()
        from reconciler.cli.app import run

        code = run(sys.argv[1:], interrupts)
    except KeyboardInterrupt:  # while the command line itself was loaded
        warn(b"error: interrupted; nothing was changed\n")
        return 130
    finally:
        if interrupts:
            interrupts.end()
    if not _READERS.isdisjoint(sys.argv[1:]):
        _end(code)
    return code


def _say_version() -> int:
    try:
        print(f"reconciler {__version__}", flush=True)
    except OSError as failure:
        lead_nowhere(sys.stdout.fileno())
        warn(f"error: the answer cannot be written: {failure.strerror}\n".encode())
        return 10
    return 0


def _end(code: int) -> None:
    """End at once, as all is written: Python would take down all that was loaded and made, piece by piece, which takes a sixth of a plan."""
    os._exit(code)


if __name__ == "__main__":
    # Python looks for modules where -m is started, and before all else: that may be the repository of a pull request.
    sys.path = [folder for folder in sys.path if folder not in ("", os.getcwd())]
    sys.exit(main())
