"""Git through its own binary, which is the fastest way to it."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from reconciler.errors import SourceUnavailable, UsageError
from reconciler.source.named import command, environment
from reconciler.source.spawning import Child, start


def run(root: Path, *arguments: str, index: str = "", stdin: bytes = b"") -> tuple[int, bytes, str]:
    """Exit code, output and message of one git command in `root`.

    Args:
        index: file to use instead of the repository's own index.

    Raises:
        SourceUnavailable: git is not installed.
    """
    around = {**environment(), "GIT_INDEX_FILE": index} if index else environment()
    code, output, said = _start(root, arguments, around, stdin).finish()
    return code, output, said.decode("utf-8", "replace").strip()


def _start(root: Path, arguments: Sequence[str], around: dict[str, str], feed: bytes) -> Child:
    """Start git.

    Raises:
        SourceUnavailable: it is not installed.
    """
    try:
        return start(command(str(root), arguments), around, feed)
    except FileNotFoundError as failure:
        raise SourceUnavailable("git is not installed", hint="install git, or work without --ref") from failure


def head(root: Path) -> str:
    """Id of the commit that is checked out, or "" outside git and before the first commit."""
    code, output, _ = run(root, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
    return output.decode().strip() if code == 0 else ""


REGULAR = ("100644", "100755", "100664")
"""The modes of files, of which the last one is of old repositories."""
IGNORED = "!!"
"""What `status` says of a file that git ignores."""


def status(root: Path, folders: Sequence[str]) -> list[tuple[str, str]] | None:
    """What git says of each file in `folders` that differs from the commit checked out, or is ignored.

    Returns:
        State and path, from the top of the working tree; None when git refuses.
    """
    options = ("--porcelain", "-z", "--untracked-files=all", "--ignored=traditional", "--no-renames")
    code, output, _ = run(root, "status", *options, "--", *folders)
    if code != 0:
        return None
    entries = output.decode("utf-8", "surrogateescape").split("\0")[:-1]
    return [(entry[:2], entry[3:]) for entry in entries]


def resolve(root: Path, ref: str) -> str:
    """Id of the commit that `ref` names.

    Raises:
        UsageError: there is no repository, or nothing by that name.
    """
    code, output, _ = run(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
    if code == 0:
        return output.decode().strip()
    if run(root, "rev-parse", "--git-dir")[0] != 0:
        raise UsageError(f"{root} is not inside a git repository", hint="work without --ref, or run: git init")
    raise UsageError(f"there is no commit '{ref}'", hint=_suggestion(root, ref))


def _suggestion(root: Path, ref: str) -> str:
    """The branch or tag that was probably meant."""
    from difflib import get_close_matches

    from git import InvalidGitRepositoryError, Repo

    try:
        names = [str(found) for found in Repo(root, search_parent_directories=True).references]
    except InvalidGitRepositoryError:
        names = []
    near = get_close_matches(ref, names, n=1)
    return (
        f"did you mean '{near[0]}'?" if near else "name a branch, a tag or a commit; in a shallow clone fetch it first"
    )


def is_ancestor(root: Path, before: str, after: str) -> bool:
    """Whether a commit is another one, or comes before it in its history."""
    return run(root, "merge-base", "--is-ancestor", before, after)[0] == 0


def list_tree(root: Path, commit: str, folders: Sequence[str]) -> list[tuple[str, str, str]]:
    """(mode, object id, path from `root`) of every file below `folders` in a commit.

    Raises:
        SourceUnavailable: git refuses.
    """
    return list_entries(root, commit, [f"{folder}/" for folder in folders])


def list_entries(root: Path, commit: str, paths: Sequence[str]) -> list[tuple[str, str, str]]:
    """(mode, object id, path from `root`) of the files at `paths` of a commit or tree; a folder ends with a slash.

    Raises:
        SourceUnavailable: git refuses.
    """
    code, output, message = run(root, "ls-tree", "-r", "-z", commit, "--", *paths)
    if code != 0:
        raise SourceUnavailable(f"git cannot list {commit[:12]}: {message}")
    entries = []
    for entry in output.split(b"\0")[:-1]:
        about, _, path = entry.partition(b"\t")
        mode, _, oid = about.decode().split(" ")
        entries.append((mode, oid, path.decode("utf-8", "surrogateescape")))
    return entries


def indexed(root: Path, patterns: Sequence[str]) -> list[str]:
    """Paths from `root` of the files in the index that match one of git's patterns; none where git refuses."""
    code, output, _ = run(root, "ls-files", "-z", "--", *patterns)
    return output.decode("utf-8", "surrogateescape").split("\0")[:-1] if code == 0 else []


def read_blobs(root: Path, oids: Sequence[str]) -> Iterator[bytes]:
    """Contents of the objects, in their order, streamed.

    Raises:
        SourceUnavailable: an object is missing, as it may be in a partial clone without network.
    """
    if not oids:
        return
    feed = "".join(f"{oid}\n" for oid in oids).encode()
    child = _start(root, ("cat-file", "--batch", "--buffer"), environment(), feed)
    done = False
    try:
        for oid in oids:
            about = child.output.readline().split()
            if len(about) != 3:
                raise SourceUnavailable(f"git cannot read object {oid[:12]}", hint="run: git fsck")
            content = child.output.read(int(about[2]) + 1)
            yield content[:-1]
        done = True
    finally:
        child.finish() if done else child.give_up()
