"""Commits made with git's plumbing, and the two revisions that are compared."""

import os
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from reconciler.errors import SourceUnavailable, UsageError
from reconciler.source import git
from reconciler.source.checkout import Checkout
from reconciler.source.files import list_entries

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
    import tempfile

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


WORKTREE = "WORKTREE"
_UNSHALLOW = "this clone is shallow; run: git fetch --unshallow"


class Revisions(Struct, frozen=True):
    """Two revisions that are compared.

    Attributes:
        base: id of the commit.
        head: id of the commit, or "" for the working tree.
        tree: what is compared with the base: the head, or what merging it into the base would give.
        merged: whether it is such a merge.
    """

    base: str
    head: str
    tree: str
    merged: bool = False


def settle(root: Path, base: str, head: str) -> Revisions:
    """What to compare. A head that does not descend from the base is merged into it, in memory.

    Comparing the two as they stand would take the base's own changes for undone, and comparing the head with
    the commit where it branched off would miss what the base has become since.

    Raises:
        UsageError: there is no such revision, or its name means two things.
        SourceUnavailable: a commit is missing, or the two cannot be merged.
    """
    before = _commit(root, base)
    if head in ("", WORKTREE):
        here = git.head(root)
        if not here or not git.is_ancestor(root, before, here):
            raise _stale(root, "the working tree")
        return Revisions(before, "", _written(root, here))
    after = _commit(root, head)
    if git.is_ancestor(root, before, after):
        return Revisions(before, after, after)
    return Revisions(before, after, _merged(root, before, after), merged=True)


def _commit(root: Path, ref: str) -> str:
    if not ref:
        raise UsageError("no base is named", hint="name a branch or a commit with --base")
    try:
        return git.resolve(root, ref)
    except UsageError:
        if _is_shallow(root):
            raise SourceUnavailable(f"there is no commit '{ref}' in this clone", hint=_UNSHALLOW) from None
        raise


def _is_shallow(root: Path) -> bool:
    return git.run(root, "rev-parse", "--is-shallow-repository")[1].strip() == b"true"


def _stale(root: Path, what: str) -> SourceUnavailable:
    if _is_shallow(root):
        return SourceUnavailable(f"{what} does not descend from the base, as far as can be seen", hint=_UNSHALLOW)
    return SourceUnavailable(f"{what} does not descend from the base", hint="rebase it, or merge the base into it")


def _merged(root: Path, before: str, after: str) -> str:
    """The tree that merging gives, in the repository's objects; no branch and no file moves."""
    if _is_shallow(root):
        raise _stale(root, "the head")
    code, output, message = git.merge(root, before, after)
    names = output.decode("utf-8", "replace").split("\0")
    if code == 0:
        return names[0]
    if code == 1:
        conflicts = tuple(sorted({name for name in names[1:] if name}))
        raise SourceUnavailable("the head conflicts with the base", details=conflicts, hint="merge the base into it")
    reason = message.splitlines()[0] if message else "git merge-tree failed"
    raise SourceUnavailable(
        f"the head does not descend from the base, and git cannot merge it: {reason}",
        hint="rebase it; merging here takes git 2.38",
    )


def _written(root: Path, head: str) -> str:
    """The working tree as a tree object, made of its bytes as they are, with an index of its own.

    Args:
        head: the commit that is checked out.
    """
    paths = Checkout(root).differing | Checkout(root, (".",), ignored=False).differing
    prefix = os.fsencode(git.below_top(root))
    entries = b""
    for path in sorted(paths):
        mode, oid = _hashed(root, path, len(head))
        entries += f"{mode} {oid}\t".encode() + prefix + os.fsencode(path.rstrip("/")) + b"\0"
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        index = f"{folder}/index"
        _read(root, "read-tree", head, given=git.Given(index=index))
        _read(root, "update-index", "-z", "--index-info", given=git.Given(entries, index))
        return _read(root, "write-tree", given=git.Given(index=index))


def _hashed(root: Path, path: str, width: int) -> tuple[str, str]:
    """The mode of what is at a path, "0" for nothing, and the id of its content, which git is given.

    Args:
        width: of ids, in hexadecimal digits.
    """
    full = root / path
    if full.is_symlink():
        target = os.fsencode(full.readlink())
        return git.LINK, _read(root, "hash-object", "-w", "--stdin", given=git.Given(target))
    if full.is_dir():
        return git.SUBMODULE, "1" * width  # a repository of its own: nothing in it is looked at
    if full.is_file():
        oid = _read(root, "hash-object", "-w", "--no-filters", "--", path)
        return git.REGULAR[os.access(full, os.X_OK)], oid
    return "0", "0" * width


def _read(root: Path, *words: str, given: git.Given = git.NOTHING) -> str:
    """The one line that git says."""
    return git.output(root, *words, cannot="read the working tree", given=given).decode().strip()
