"""The log of a bug."""

import os
import tempfile
import traceback

from reconciler.core.sensitive import mask_text


def keep_log() -> str:
    """Write the traceback of the present exception to a file that only its owner can read; returns its path.

    Tracebacks hold no values of variables; known token forms in messages are masked.
    """
    descriptor, path = tempfile.mkstemp(prefix="reconciler-", suffix=".log")
    with os.fdopen(descriptor, "w", encoding="utf-8") as log:
        log.write(mask_text(traceback.format_exc()))
    return path
