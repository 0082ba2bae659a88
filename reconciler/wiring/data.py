"""Read the data of a call."""

import sys
from pathlib import Path
from typing import Any

from reconciler.errors import UsageError

MAX_DATA_BYTES = 10 * 1024 * 1024


def read_data(path: str) -> dict[str, Any]:
    """The object in a JSON or YAML file; `-` is standard input.

    Raises:
        UsageError: it cannot be read, or holds something else.
    """
    from reconciler.source.yaml.loader import fast_parser, load

    try:
        if path == "-":
            content = sys.stdin.buffer.read(MAX_DATA_BYTES + 1)
        else:
            with Path(path).open("rb") as opened:
                content = opened.read(MAX_DATA_BYTES + 1)
    except OSError as failure:
        raise UsageError(f"--data {path}: {failure.strerror}", hint="name a JSON or YAML file") from failure
    if len(content) > MAX_DATA_BYTES:
        raise UsageError(f"--data {path}: it is larger than {MAX_DATA_BYTES // 2**20} MiB")
    loaded = load(content, path, fast_parser())
    if loaded.faults:
        found = loaded.faults[0]
        raise UsageError(f"--data {found.span}: {found.message}", hint=found.hint or "write one JSON or YAML object")
    if len(loaded.documents) != 1:
        raise UsageError(f"--data {path}: it should hold one object", hint='such as {"account": "42"}')
    data: dict[str, Any] = loaded.documents[0][1]
    return data
