"""Entry point: ``reconciler`` and ``python -m reconciler``."""

import sys

from reconciler import __version__


def main() -> int:
    """Run the command line; returns the exit code.

    ``--version`` is answered before anything is imported.
    """
    if sys.argv[1:] in (["--version"], ["-V"]):
        print(f"reconciler {__version__}")
        return 0
    from reconciler.cli.main import run

    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
