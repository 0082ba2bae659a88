"""Commits made with git's plumbing: no file, no index and no branch of the user is touched."""

import tempfile
from collections.abc import Mapping
from pathlib import Path

from reconciler.errors import SourceUnavailable, UsageError
from reconciler.source import git

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
    prefix = _asked(root, "rev-parse", "--show-prefix").removesuffix("\n")
    modes = {path: mode for mode, _, path in git.list_entries(root, parent, list(contents))}
    with tempfile.TemporaryDirectory() as folder:
        index = f"{folder}/index"
        _asked(root, "read-tree", parent, index=index)
        entries = b""
        for path, data in contents.items():
            if data is None:
                mode, oid = "0", _NOTHING
            else:
                mode, oid = modes.get(path, _NEW_FILE), _asked(root, "hash-object", "-w", "--stdin", stdin=data).strip()
            entries += f"{mode} {oid}\t{prefix}{path}\0".encode("utf-8", "surrogateescape")
        _asked(root, "update-index", "-z", "--index-info", index=index, stdin=entries)
        tree = _asked(root, "write-tree", index=index).strip()
    commit = _asked(root, "commit-tree", tree, "-p", parent, "-F", "-", stdin=message.encode()).strip()
    _asked(root, "update-ref", f"refs/heads/{branch}", commit, _NOTHING)
    return commit


def _asked(root: Path, *arguments: str, index: str = "", stdin: bytes = b"") -> str:
    code, output, message = git.run(root, *arguments, index=index, stdin=stdin)
    if code != 0:
        reason = message.splitlines()[-1] if message else f"git {arguments[0]} failed"
        raise SourceUnavailable(f"git cannot make the commit: {reason}", hint="nothing was changed")
    return output.decode("utf-8", "surrogateescape")
