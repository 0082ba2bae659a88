"""The files beside the embedded store: its folder, SQLite's own, and one that says that there is a store."""

from pathlib import Path

from reconciler.durable import create_file, make_folder, replace_file

APPLICATION_ID = 0x5243_4E53  # "RCNS", in the header of the SQLite file
UNRELEASED = 0x5243_4E31  # of stores that were made before there was a first release
_TEXT = b"The store of reconciler is beside this file. Where it is not, it was lost: bring it back before anything is applied.\n"


def mark_of(path: Path) -> Path:
    """The file that says so of the store at `path`."""
    return path.with_name(f"{path.name}.made")


def leave_mark(path: Path) -> None:
    """Say that there is a store at `path`, which lasts already."""
    mark = mark_of(path)
    if not mark.exists():
        create_file(mark, _TEXT)


def make_directory(path: Path) -> None:
    """The directory of the store and of its key. Inside a repository it never belongs into git."""
    folder = path.parent
    make_folder(folder)
    if folder.name == ".reconciler" and not has_content(folder / ".gitignore"):
        replace_file(folder / ".gitignore", b"*\n", 0o644)  # whole, before there is anything to keep out of git


def has_content(path: Path) -> bool:
    """Whether there is a file, and something in it."""
    return path.exists() and path.stat().st_size > 0


def is_left(path: Path, suffix: str) -> bool:
    """Whether one of SQLite's own files stands beside the store, with something in it."""
    return has_content(path.with_name(path.name + suffix))


def key_beside(path: Path) -> Path:
    """Where the embedded store at `path` keeps its key."""
    return path.with_suffix(".key") if path.suffix != ".key" else path.with_name(f"{path.name}.key")
