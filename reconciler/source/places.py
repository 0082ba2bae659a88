"""Where a repository is, without anything that takes time to load; paths are texts."""

import os

PROJECT_FILE = "reconciler.yaml"
FOLDERS = ("connectors", "policies")
_MOVED_BY = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES")


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


def working_tree(root: str) -> tuple[str, str]:
    """Where the working tree begins that git's status speaks of; else "", and why its word is not enough."""
    if any(name in os.environ for name in _MOVED_BY):
        return "", "the environment moves git's files"
    top = root
    while not os.path.exists(f"{top}/.git"):
        above = os.path.dirname(top)
        if above == top:
            return "", "the working tree is not beside its repository"
        top = above
    place = f"{top}/.git"
    if os.path.isfile(place):
        with open(place, encoding="utf-8", errors="surrogateescape") as pointer:
            place = os.path.join(top, pointer.read().partition(":")[2].strip())
    return ("", "the checkout is sparse") if os.path.exists(f"{place}/info/sparse-checkout") else (top, "")
