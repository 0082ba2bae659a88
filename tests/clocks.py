"""Processes with another clock."""

import subprocess
from functools import cache
from pathlib import Path


@cache
def later(offset: str) -> dict[str, str]:
    """The environment of a process whose clock is off, as faketime makes it.

    Args:
        offset: e.g. "+90s" or "-2h".
    """
    shown = subprocess.run(
        ["faketime", "-f", offset, "env"], env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=True
    )
    found = dict(line.split("=", 1) for line in shown.stdout.splitlines())
    return {name: found[name] for name in ("LD_PRELOAD", "FAKETIME")}


def jumping(file: Path) -> dict[str, str]:
    """The environment of a process whose clock is off by what the file says at the moment."""
    file.write_text("+0s", "utf-8")
    return {"LD_PRELOAD": later("+0s")["LD_PRELOAD"], "FAKETIME_TIMESTAMP_FILE": str(file), "FAKETIME_NO_CACHE": "1"}
