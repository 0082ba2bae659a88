"""The one place that starts git; names of branches and tags are read without it."""

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from reconciler.errors import SourceUnavailable, UsageError
from reconciler.source import text
from reconciler.source.process import ChildProcess, environment, launch, program

REGULAR = ("100644", "100755", "100664")
"""The modes of files, of which the last one is of old repositories."""
LINK, SUBMODULE = "120000", "160000"

Named = tuple[str, tuple[str, str]]
"""The id of a commit, and those of its two folders, each "" where it is not there."""


def top_of(root: Path) -> Path | None:
    """Where the working tree begins that `root` lies in: the nearest folder at or above it with a repository."""
    return next((folder for folder in (root, *root.parents) if os.path.lexists(folder / ".git")), None)


def below_top(root: Path) -> str:
    """The way from the top of the working tree to `root`, with a slash behind it; "" where it is the same."""
    top = top_of(root) or root
    return str(root)[len(str(top)) :].strip("/") + "/" if root != top else ""


class Given(Struct, frozen=True):
    """What git is given beside its words.

    Attributes:
        index: file to use instead of the repository's own index.
        settings: more that git is told.
        magic: whether pathspecs may be more than paths.
        tree: folder to take for the working tree.
    """

    stdin: bytes = b""
    index: str = ""
    settings: Mapping[str, str] = {}
    magic: bool = False
    tree: str = ""


NOTHING = Given()


def start(root: Path, *words: str, given: Given = NOTHING) -> ChildProcess:
    """Start one git command in `root`.

    Raises:
        SourceUnavailable: git is not installed.
    """
    top = top_of(root) or root
    where = ["-C", given.tree, f"--work-tree={given.tree}"] if given.tree else ["-C", str(root), f"--work-tree={top}"]
    around = environment(given.settings)
    if given.index:
        around["GIT_INDEX_FILE"] = given.index
    if given.magic:
        del around["GIT_LITERAL_PATHSPECS"]
    return launch(str(top), [*where, f"--git-dir={top}/.git", *words], around, given.stdin)


def run(root: Path, *words: str, given: Given = NOTHING) -> tuple[int, bytes, str]:
    """Exit code, output and message of one git command in `root`; see `start`."""
    return start(root, *words, given=given).finish()


def output(root: Path, *words: str, cannot: str, hint: str = "", most: int = 0, given: Given = NOTHING) -> bytes:
    """What one git command in `root` says; `cannot`, `hint` and `most` are those of `Child.answer`.

    Raises:
        SourceUnavailable: git refuses.
    """
    return start(root, *words, given=given).answer(cannot, hint, most=most)


def _ask_whether_trusted(root: Path, *words: str, stdin: bytes = b"") -> tuple[int, bytes, str]:
    """Run git so that it finds the repository at the top itself: only then it looks at whose it is."""
    top = top_of(root) or root
    around = {**environment({}), "GIT_CEILING_DIRECTORIES": str(top.parent)}
    return launch(str(top), ["-C", str(top), *words], around, stdin).finish()


def _refusal(root: Path, message: str) -> SourceUnavailable:
    """Git's own reason not to work here, and its remedy."""
    lines = [line.strip() for line in message.splitlines()]
    reason = next((line for line in lines if line.startswith("fatal: ")), lines[0] if lines else "it does not say why")
    remedy = next((line for line in lines if line.startswith("git config ")), "")
    return SourceUnavailable(
        f"git refuses to read the repository {top_of(root)}: {reason.removeprefix('fatal: ')}",
        hint=f"run: {remedy}" if remedy else "run there: git status",
    )


def look(root: Path, rev: str) -> Named | None:
    """What `rev` names, and its folders of definitions; None when that is not to be told in one question.

    Raises:
        SourceUnavailable: git refuses to work here.
    """
    top = top_of(root)
    if top is None or not rev or not rev.isprintable() or " " in rev:
        return None
    below = below_top(root)
    if not below.isprintable():
        return None
    names = "".join(f"{rev}{rest}\n" for rest in ("^{commit}", *(f":{below}{folder}" for folder in text.FOLDERS)))
    code, output, message = _ask_whether_trusted(root, "cat-file", "--batch-check", stdin=os.fsencode(names))
    if code != 0:
        raise _refusal(root, message)
    lines = output.decode("utf-8", "replace").splitlines()
    if len(lines) != 3 or " commit " not in lines[0] or _ambiguous(message):
        return None
    if any(" tree " not in line for line in lines[1:]):  # it may be a submodule, or nothing
        return None
    connectors, policies = (line.split(" ")[0] for line in lines[1:])
    return lines[0].split(" ")[0], (connectors, policies)


def head(root: Path) -> str:
    """Id of the commit that is checked out, or "" outside git and before the first commit.

    Raises:
        SourceUnavailable: git refuses to work here, or the commit is lost.
    """
    if top_of(root) is None:
        return ""
    found = _commit(root, "HEAD")
    if not found:
        _refuse_lost_commit(root)
    return found


def _refuse_lost_commit(root: Path) -> None:
    """A branch that has no commit yet is one thing; one that names a commit which is not there another."""
    code, output, _ = _ask_whether_trusted(root, "symbolic-ref", "--quiet", "HEAD")
    if code == 0:
        branch = os.fsdecode(output).strip()
        code, _, message = _ask_whether_trusted(root, "for-each-ref", branch)
        if code == 0 and branch not in message:
            return
    raise SourceUnavailable(
        f"the commit that is checked out in {top_of(root)} is not there, or cannot be read", hint="run there: git fsck"
    )


def _commit(root: Path, rev: str) -> str:
    """Id of the commit that `rev` names, or ""."""
    code, output, message = _ask_whether_trusted(root, "rev-parse", "--verify", "--end-of-options", f"{rev}^{{commit}}")
    name = _ambiguous(message)
    if name:  # git would take the tag, which others may be able to make
        places_of = [f"refs/{name}", *(f"refs/{folder}/{name}" for folder in ("tags", "heads", "remotes"))]
        _, found, _ = run(root, "for-each-ref", "--format=%(refname)", *places_of)
        meant = sorted(set(os.fsdecode(found).splitlines()) & set(places_of)) or [
            name,
            f"a commit that begins with {name}",
        ]
        raise UsageError(f"'{name}' may be {' or '.join(meant)}", hint="write it out, or give the commit's id")
    if code == 0:
        return output.decode().strip()
    if _ask_whether_trusted(root, "rev-parse", "--git-dir")[0] != 0:
        raise _refusal(root, message)
    return ""


def _ambiguous(message: str) -> str:
    """The name of which git says that it may be several things, or ""; HEAD is what is checked out in any case."""
    names = re.findall(r"^warning: refname '(.*)' is ambiguous\.$", message, re.MULTILINE)
    return next((name for name in names if name != "HEAD"), "")


def resolve(root: Path, ref: str) -> str:
    """Id of the commit that `ref` names.

    Raises:
        UsageError: there is no repository, or nothing by that name, or several things.
        SourceUnavailable: git refuses to work here.
    """
    if top_of(root) is None:
        raise UsageError(f"{root} is not inside a git repository", hint="work without --ref, or run: git init")
    found = _commit(root, ref)
    if not found:
        raise UsageError(f"there is no commit '{ref}'", hint=_suggestion(root, ref))
    return found


def tip(root: Path, branch: str) -> str:
    """Id of the commit that a branch is at, of this clone or as of a remote; never of a tag, which others can make.

    Raises:
        UsageError: there is no such branch.
        SourceUnavailable: git refuses to work here.
    """
    names = [branch] if branch.startswith("refs/") else [f"refs/heads/{branch}", f"refs/remotes/{branch}"]
    found = next((commit for name in names if (commit := _commit(root, name))), "")
    if not found:
        raise UsageError(f"there is no branch '{branch}' in this clone", hint=_suggestion(root, branch))
    return found


def _suggestion(root: Path, ref: str) -> str:
    """The branch or tag that was probably meant."""
    from difflib import get_close_matches

    near = get_close_matches(ref, names(root), n=1)
    return (
        f"did you mean '{near[0]}'?" if near else "name a branch, a tag or a commit; in a shallow clone fetch it first"
    )


def create(root: Path) -> None:
    """Make a repository.

    Raises:
        SourceUnavailable: git cannot.
    """
    words = ["-C", str(root), "init", "-q", "-b", "main"]
    launch(str(root), words, environment({})).answer(f"make a repository in {root}")


def merge(root: Path, before: str, after: str) -> tuple[int, bytes, str]:
    """What `git merge-tree` says of merging two commits; the tree is in the repository's objects.

    It knows neither attributes nor settings of the repository, which could name programs that merge.
    """
    code, output, message = run(root, "rev-parse", "--git-path", "objects")
    if code != 0:
        return code, output, message
    objects = os.path.join(root, os.fsdecode(output).removesuffix("\n"))
    words = ("merge-tree", "--write-tree", "--name-only", "--no-messages", "-z", before, after)
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "refs").mkdir()
        Path(folder, "HEAD").write_bytes(b"ref: refs/heads/none\n")
        format_ = "sha256" if len(before) == 64 else "sha1"
        Path(folder, "config").write_text(
            f"[core]\n\trepositoryformatversion = 1\n[extensions]\n\tobjectFormat = {format_}\n"
        )
        where = ["-C", folder, f"--git-dir={folder}", f"--work-tree={folder}"]
        around = {
            **environment({"core.attributesFile": os.devnull}),
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_OBJECT_DIRECTORY": objects,
        }
        return launch(str(top_of(root)), [*where, *words], around).finish()


def is_ancestor(root: Path, before: str, after: str) -> bool:
    """Whether a commit is another one, or comes before it in its history."""
    return run(root, "merge-base", "--is-ancestor", before, after)[0] == 0


def indexed(root: Path, patterns: Sequence[str]) -> list[str]:
    """Paths from `root` of the files in the index that match one of git's patterns; none where git refuses."""
    code, found, _ = run(root, "ls-files", "-z", "--", *patterns, given=Given(magic=True))
    return os.fsdecode(found).split("\0")[:-1] if code == 0 else []


def is_tracked(root: Path, folder: str) -> bool:
    """Whether the index has files below a folder, as it has not of a repository of its own."""
    if top_of(root) is None:
        return False
    _, found, _ = run(root, "ls-files", "-z", "--", folder)
    return any(path.startswith(os.fsencode(f"{folder}/")) for path in found.split(b"\0"))


def names(root: Path) -> list[str]:
    """Names of the branches, of this clone and of remotes, and of the tags; none where they cannot be read."""
    top = top_of(root)
    trusted = program(str(top)) if top else ""
    if not trusted:  # GitPython would start whatever PATH leads to
        return []
    os.environ["GIT_PYTHON_GIT_EXECUTABLE"] = trusted  # it asks it for its version
    from git import Repo

    try:
        with Repo(top, expand_vars=False) as repository:
            return [reference.name for reference in repository.references]
    except (OSError, TypeError, ValueError):  # references that it cannot read
        return []
