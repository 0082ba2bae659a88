"""Commits made with git's plumbing: no file, no index and no branch of the user is touched."""

import tempfile
from collections.abc import Mapping
from pathlib import Path

from reconciler.errors import UsageError
from reconciler.source import git
from reconciler.source.objects import list_entries

_NOTHING = "0" * 40
_NEW_FILE = "100644"


def refuse_branch(root: Path, branch: str) -> None:
    """Make sure that a branch of this name can be made.

    Raises:
        UsageError: there is one already, it is no name for one, or there is no commit to start from.
    """
    if not git.head(root):
        raise UsageError("there is no commit to start a branch from", hint="commit once, or work without --branch")
    if git.run(root, "check-ref-format", "--branch", branch)[0] != 0:
        raise UsageError(f"'{branch}' is no name for a branch", hint="such as adopt-live")
    if git.run(root, "rev-parse", "--verify", "--quiet", f"refs/heads/{branch}")[0] == 0:
        raise UsageError(f"there is a branch '{branch}' already", hint="name another one, or delete it first")


def commit_files(root: Path, parent: str, branch: str, contents: Mapping[str, bytes | None], message: str) -> str:
    """Commit files, by path from `root`, on top of `parent` as a new branch; returns the commit's id.

    Raises:
        SourceUnavailable: git refuses; then there is no branch.
    """
    prefix = git.below_top(root)
    modes = {path: mode for mode, _, path in list_entries(root, parent, list(contents))}
    with tempfile.TemporaryDirectory() as folder:
        index = f"{folder}/index"
        _told(root, "read-tree", parent, given=git.Given(index=index))
        entries = b""
        for path, data in contents.items():
            if data is None:
                mode, oid = "0", _NOTHING
            else:
                mode = modes.get(path, _NEW_FILE)
                oid = _told(root, "hash-object", "-w", "--stdin", given=git.Given(data))
            entries += f"{mode} {oid}\t{prefix}{path}\0".encode("utf-8", "surrogateescape")
        _told(root, "update-index", "-z", "--index-info", given=git.Given(entries, index))
        tree = _told(root, "write-tree", given=git.Given(index=index))
    commit = _told(root, "commit-tree", tree, "-p", parent, "-F", "-", given=git.Given(message.encode()))
    _told(root, "update-ref", f"refs/heads/{branch}", commit, _NOTHING)
    return commit


def _told(root: Path, *words: str, given: git.Given = git.NOTHING) -> str:
    """The one line that git says."""
    return git.output(root, *words, cannot="make the commit", hint="nothing was changed", given=given).decode().strip()
