"""Where a repository is, without anything that takes time to load; paths are texts."""

import os

PROJECT_FILE = "reconciler.yaml"
FOLDERS = ("connectors", "policies")


def is_root(folder: str) -> bool:
    """Whether `folder` holds a project file or definitions."""
    return os.path.isfile(f"{folder}/{PROJECT_FILE}") or any(os.path.isdir(f"{folder}/{name}") for name in FOLDERS)


def find_root(start: str) -> str | None:
    """The nearest directory at or above `start` that is a configuration repository."""
    folder = start
    while not is_root(folder):
        above = os.path.dirname(folder)
        if os.path.exists(f"{folder}/.git") or above == folder:
            return None
        folder = above
    return folder


def cache_home() -> str:
    """The program's folder in the user's cache, or "" where there is none."""
    home = os.environ.get("XDG_CACHE_HOME") or (f"{os.environ['HOME']}/.cache" if os.environ.get("HOME") else "")
    return f"{home}/reconciler" if home else ""
