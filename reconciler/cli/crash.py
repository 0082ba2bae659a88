"""The log of a bug."""

import os
import sys
import tempfile
import traceback
from collections.abc import Iterator

from reconciler.core.secret import mask_text

_OF_THE_CODE = (TypeError, AttributeError, NameError, ImportError, RecursionError)
"""Exceptions whose words speak of the program; those of the others may repeat what was in a file or an answer."""


def keep_log() -> str:
    """Keep a log of the present exception where only its owner can read it; returns a few words that say where.

    It holds the lines of the program and the types of the exceptions, and no values of variables. Their words are
    left out where they could hold a secret.
    """
    try:
        descriptor, path = tempfile.mkstemp(prefix="reconciler-", suffix=".log")
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as log:
            log.writelines(_told(sys.exception()))
    except OSError as failure:
        return f"no log of it can be kept: {failure.strerror}"
    return f"the details are in {path}"


def _told(exception: BaseException | None) -> Iterator[str]:
    """The latest exception last, as Python tells them."""
    if exception is None:
        return
    earlier = exception.__cause__ or (None if exception.__suppress_context__ else exception.__context__)
    if earlier is not None:
        yield from _told(earlier)
        yield "\nand then:\n"
    yield from traceback.format_tb(exception.__traceback__)
    kind = type(exception)
    words = f": {mask_text(str(exception))}" if isinstance(exception, _OF_THE_CODE) else ""
    yield f"{kind.__module__}.{kind.__qualname__}{words}\n"
