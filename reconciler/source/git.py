"""The one place that starts git.

Git takes orders from what lies in a repository: settings, attributes, hooks, replaced objects, folders that look like
repositories. Whoever sends a pull request writes some of that. So the repository is found here, by its `.git`, and
named; and whatever it says, git starts no program, asks nobody, fetches nothing and shows the objects that ids name.
"""

import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Thread

from reconciler.errors import SourceUnavailable, UsageError
from reconciler.source import places
from reconciler.source.yaml.guard import MAX_BYTES

_SETTINGS = {
    "color.ui": "false",
    "core.checkStat": "default",
    "core.fsmonitor": "false",
    "core.hooksPath": os.devnull,
    "core.ignoreStat": "false",
    "core.quotePath": "false",
    "core.trustCTime": "true",
    "core.untrackedCache": "false",
    "grep.fullName": "false",
    "merge.renormalize": "false",
    "safe.bareRepository": "explicit",
    "submodule.recurse": "false",
}
"""What git is told whatever the repository's settings are."""
_PLAIN = {
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_GRAFT_FILE": f"{os.devnull}/none",
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_PAGER": "cat",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}
_KEPT = ("GIT_AUTHOR_", "GIT_COMMITTER_", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_NOSYSTEM", "GIT_CONFIG_SYSTEM", "GIT_TEST_ASSUME_DIFFERENT_OWNER")  # fmt: skip
"""Of git's own variables those that say who commits, where the user's settings are, and git's own test of an owner."""

REGULAR = ("100644", "100755", "100664")
"""The modes of files, of which the last one is of old repositories."""
LINK, SUBMODULE = "120000", "160000"

Named = tuple[str, tuple[str, str]]
"""The id of a commit, and those of its two folders, each "" where it is not there."""


class Child:
    """Git at work."""

    def __init__(self, process: "subprocess.Popen[bytes]", feed: bytes) -> None:
        self._process = process
        assert process.stdout is not None
        self.output = process.stdout
        if feed:
            Thread(target=self._feed, args=(feed,), daemon=True).start()

    def _feed(self, feed: bytes) -> None:
        assert self._process.stdin is not None
        with suppress(OSError), self._process.stdin as pipe:
            pipe.write(feed)

    def finish(self) -> tuple[int, bytes, str]:
        """Exit code, the rest of the output, and what git says of errors."""
        self._process.stdin = None  # what it reads has a thread of its own
        output, said = self._process.communicate()
        return self._process.returncode, output, said.decode("utf-8", "replace").strip()

    def give_up(self) -> None:
        """End it, whatever it is at."""
        self._process.kill()
        self.finish()


def top_of(root: Path) -> Path | None:
    """Where the working tree begins that `root` lies in: the nearest folder at or above it with a repository."""
    return next((folder for folder in (root, *root.parents) if os.path.lexists(folder / ".git")), None)


def below_top(root: Path) -> str:
    """The way from the top of the working tree to `root`, with a slash behind it; "" where it is the same."""
    top = top_of(root) or root
    return str(root)[len(str(top)) :].strip("/") + "/" if root != top else ""


def start(
    root: Path, *words: str, index: str = "", stdin: bytes = b"", settings: Mapping[str, str] | None = None,
    magic: bool = False, tree: str = "",
) -> Child:  # fmt: skip
    """Start one git command in `root`.

    Args:
        index: file to use instead of the repository's own index.
        settings: more that git is told.
        magic: whether pathspecs may be more than paths.
        tree: folder to take for the working tree.

    Raises:
        SourceUnavailable: git is not installed.
    """
    top = top_of(root) or root
    where = ["-C", str(root), f"--work-tree={top}"] if not tree else ["-C", tree, f"--work-tree={tree}"]
    around = _environment(settings or {})
    if index:
        around["GIT_INDEX_FILE"] = index
    if magic:
        del around["GIT_LITERAL_PATHSPECS"]
    return _start(["git", *where, f"--git-dir={top}/.git", *words], around, stdin)


def _ask_whether_trusted(root: Path, *words: str, stdin: bytes = b"") -> tuple[int, bytes, str]:
    """Run git so that it finds the repository at the top itself: only then it looks at whose it is."""
    top = top_of(root) or root
    around = {**_environment({}), "GIT_CEILING_DIRECTORIES": str(top.parent)}
    return _start(["git", "-C", str(top), *words], around, stdin).finish()


def _start(words: list[str], around: dict[str, str], stdin: bytes) -> Child:
    feed = subprocess.PIPE if stdin else subprocess.DEVNULL
    try:
        process = subprocess.Popen(
            [os.fsencode(word) for word in words],
            env=around,
            stdin=feed,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
    except FileNotFoundError as failure:
        raise SourceUnavailable("git is not installed", hint="install git; reconciler starts it to read history") from failure  # fmt: skip
    return Child(process, stdin)


def _environment(settings: Mapping[str, str]) -> dict[str, str]:
    """What git is started in, with its settings, which go before those of every file."""
    around = {
        name: value for name, value in os.environ.items() if not name.startswith("GIT_") or name.startswith(_KEPT)
    }
    pairs = [*_given_settings(), *_SETTINGS.items(), *settings.items()]
    for number, (key, value) in enumerate(pairs):
        around[f"GIT_CONFIG_KEY_{number}"], around[f"GIT_CONFIG_VALUE_{number}"] = key, value
    return {**around, **_PLAIN, "GIT_CONFIG_COUNT": str(len(pairs))}


def _given_settings() -> Iterator[tuple[str, str]]:
    """Settings that whoever started us gives git by the environment, such as a safe.directory."""
    count = os.environ.get("GIT_CONFIG_COUNT", "")
    for number in range(int(count) if count.isdecimal() and len(count) < 4 else 0):
        key = os.environ.get(f"GIT_CONFIG_KEY_{number}", "")
        if key:
            yield key, os.environ.get(f"GIT_CONFIG_VALUE_{number}", "")


def run(
    root: Path, *words: str, index: str = "", stdin: bytes = b"", settings: Mapping[str, str] | None = None,
    magic: bool = False, tree: str = "",
) -> tuple[int, bytes, str]:  # fmt: skip
    """Exit code, output and message of one git command in `root`; see `start`."""
    return start(root, *words, index=index, stdin=stdin, settings=settings, magic=magic, tree=tree).finish()


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
    names = "".join(f"{rev}{rest}\n" for rest in ("^{commit}", *(f":{below}{folder}" for folder in places.FOLDERS)))
    code, output, message = _ask_whether_trusted(root, "cat-file", "--batch-check", stdin=os.fsencode(names))
    if code != 0:
        raise _refusal(root, message)
    lines = output.decode("utf-8", "replace").splitlines()
    if len(lines) != 3 or " commit " not in lines[0]:
        return None
    if any(" tree " not in line and not line.endswith(" missing") for line in lines[1:]):
        return None
    connectors, policies = (line.split(" ")[0] if " tree " in line else "" for line in lines[1:])
    return lines[0].split(" ")[0], (connectors, policies)


def head(root: Path) -> str:
    """Id of the commit that is checked out, or "" outside git and before the first commit.

    Raises:
        SourceUnavailable: git refuses to work here.
    """
    return _commit(root, "HEAD") if top_of(root) else ""


def _commit(root: Path, rev: str) -> str:
    """Id of the commit that `rev` names, or ""."""
    words = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{rev}^{{commit}}")
    code, output, message = _ask_whether_trusted(root, *words)
    if code == 0:
        return output.decode().strip()
    if message and _ask_whether_trusted(root, "rev-parse", "--git-dir")[0] != 0:
        raise _refusal(root, message)
    return ""


def resolve(root: Path, ref: str) -> str:
    """Id of the commit that `ref` names.

    Raises:
        UsageError: there is no repository, or nothing by that name.
        SourceUnavailable: git refuses to work here.
    """
    if top_of(root) is None:
        raise UsageError(f"{root} is not inside a git repository", hint="work without --ref, or run: git init")
    found = _commit(root, ref)
    if not found:
        raise UsageError(f"there is no commit '{ref}'", hint=_suggestion(root, ref))
    return found


def _suggestion(root: Path, ref: str) -> str:
    """The branch or tag that was probably meant."""
    from difflib import get_close_matches

    from git import Repo

    names = [str(found) for found in Repo(top_of(root)).references]
    near = get_close_matches(ref, names, n=1)
    return (
        f"did you mean '{near[0]}'?" if near else "name a branch, a tag or a commit; in a shallow clone fetch it first"
    )


def is_ancestor(root: Path, before: str, after: str) -> bool:
    """Whether a commit is another one, or comes before it in its history."""
    return run(root, "merge-base", "--is-ancestor", before, after)[0] == 0


def list_entries(root: Path, commit: str, paths: Sequence[str]) -> list[tuple[str, str, str]]:
    """(mode, object id, path from `root`) of what is at `paths` of a commit or tree, and below them.

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
        entries.append((mode, oid, os.fsdecode(path)))
    return entries


def indexed(root: Path, patterns: Sequence[str]) -> list[str]:
    """Paths from `root` of the files in the index that match one of git's patterns; none where git refuses."""
    code, output, _ = run(root, "ls-files", "-z", "--", *patterns, magic=True)
    return os.fsdecode(output).split("\0")[:-1] if code == 0 else []


def read_blobs(root: Path, oids: Sequence[str]) -> Iterator[bytes]:
    """Contents of the objects, in their order, streamed; of large ones more than a definition may hold, and not all.

    Raises:
        SourceUnavailable: an object is missing, as it may be in a partial clone: nothing is fetched.
    """
    if not oids:
        return
    feed = os.fsencode("".join(f"{oid}\n" for oid in oids))
    child = start(root, "cat-file", "--batch", "--buffer", stdin=feed)
    done = False
    try:
        for oid in oids:
            about = child.output.readline().split()
            if len(about) != 3 or about[1] != b"blob":
                hint = "run: git fsck; in a partial clone fetch it first, as with: git fetch --refetch --no-filter"
                raise SourceUnavailable(f"git cannot read object {oid[:12]}", hint=hint)
            size = int(about[2])
            content = child.output.read(min(size, MAX_BYTES + 1))
            rest = size - len(content)
            while rest > 0 and (skipped := child.output.read(min(rest, 1 << 20))):
                rest -= len(skipped)
            child.output.read(1)
            yield content
        done = True
    finally:
        child.finish() if done else child.give_up()
