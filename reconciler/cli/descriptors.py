"""File descriptors of the standard streams that are closed or cannot be written to. Imports nothing that takes time."""

import os
import sys

_NAMES = ("stdin", "stdout", "stderr")


def open_missing() -> None:
    """Have those that are closed lead nowhere: the next file that is opened would get the number of one of them."""
    for number, name in enumerate(_NAMES):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest number that is free, which is this one
        if getattr(sys, name) is None:
            stream = open(number, "w" if number else "r", encoding="utf-8", closefd=False)  # noqa: SIM115 (for good)
            setattr(sys, name, stream)


def lead_nowhere(number: int) -> None:
    """Throw away what a stream still holds and cannot write, which Python would try again at its exit."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, number)
    os.close(nowhere)


def warn(message: bytes) -> None:
    """Write to stderr at once, past all that Python holds; where nobody reads it, it is lost."""
    try:
        os.write(2, message)
    except OSError:
        return
