"""Where a configuration repository is, and what of it a path names."""

import os
from pathlib import Path

from reconciler.errors import UsageError
from reconciler.source import git
from reconciler.source.project import PROJECT_FILE, find_root, is_root


def locate_root(directory: str | None) -> Path:
    """The configuration repository: `directory`, or the nearest one at or above the current directory.

    Raises:
        UsageError: there is none.
    """
    if directory is not None:
        root = Path(directory).resolve()
        if not root.is_dir():
            raise UsageError(f"there is no directory {directory}", hint="check -C")
        if not is_root(root):
            hint = f"name the directory that holds them with -C, or make one: reconciler init {directory}"
            raise UsageError(f"{directory} is not a configuration repository: no reconciler.yaml, connectors/ or policies/", hint=hint)  # fmt: skip
        return root
    try:
        found = find_root(Path.cwd())
    except FileNotFoundError as failure:
        raise UsageError("the current directory does not exist any more", hint="cd to another") from failure
    if found is None:
        raise _no_repository(Path.cwd())
    return found


def _no_repository(folder: Path) -> UsageError:
    """Where none is: at or above the folder, up to the top of the git repository that it lies in."""
    holds = f"no {PROJECT_FILE}, connectors/ or policies/"
    top = git.top_of(folder)
    below = sorted(path.parent.name for path in folder.glob(f"*/{PROJECT_FILE}"))
    if below:
        hint = f"there is one in {below[0]}: pass -C {below[0]}"
    else:
        hint = "to make one here: reconciler init; to use another: -C DIR"
    if top is None or top == folder:
        return UsageError(f"this is not a configuration repository: {holds}", hint=hint)
    return UsageError(
        f"neither this directory nor one above it, up to {top}, is a configuration repository: {holds}", hint=hint
    )


def inside(root: Path, path: str) -> str:
    """`path`, which the user gave, from the repository's root.

    Raises:
        UsageError: it lies outside.
    """
    full = Path(os.path.abspath(path))
    for base in (root, Path(os.path.abspath(root))):
        if full.is_relative_to(base):
            return full.relative_to(base).as_posix()
    full = full.resolve()
    if full.is_relative_to(root):
        return full.relative_to(root).as_posix()
    raise UsageError(f"{path} is outside of the repository {root}", hint="name its repository with -C")


def from_root(folder: Path) -> tuple[Path, str]:
    """The outermost repository that `folder` lies in, and the way from there, so that no link on it is followed.

    Outside of one, the folder itself and "". The innermost one may be where a link leads to.
    """
    full = Path(os.path.abspath(folder))
    around = (above for above in (*reversed(full.parents), full) if os.path.lexists(above / ".git") or is_root(above))
    base = next(around, full)
    return base, "" if base == full else full.relative_to(base).as_posix()


def below(file: str, prefix: str) -> bool:
    """Whether `file` is `prefix` or lies below it."""
    return prefix in (".", file) or file.startswith(prefix + "/")
