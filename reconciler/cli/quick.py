"""That nothing moved, said before the libraries of the command line are loaded, which would take most of the time.

The answer is the one that `plan` gives, from the same facts (docs/adr/0008-incremental-plans.md): the trees and the
store's revision are those of the baseline, the working tree is clean, and nothing depends on the time. Whenever
anything is otherwise, or the command line says something that is not known here, there is no quick answer.
"""

import os

from reconciler.core.naming import at_commit, clean_at
from reconciler.kinds.rules import rules_digest
from reconciler.render.nothing import nothing_text
from reconciler.source import places
from reconciler.wiring.shortcut import noted

_SWITCHES = ("-q", "--quiet", "--no-input", "--no-prune", "--adopt", "--detailed-exitcode")
_VALUES = {"-C": "directory", "--directory": "directory", "--ref": "ref", "--env-file": "secrets"}
"""Of which the last one matters to secrets alone, and a plan of nothing looks at none."""
_NO_SETTING = "RECONCILER_STORE_KEY"
_APPLICATION_ID, _VERSION = 0x5243_4E31, 4
_QUERY = """SELECT b.connectors, b.policies, b.total,
  (SELECT application_id FROM pragma_application_id) = ? AND (SELECT user_version FROM pragma_user_version) = ?
  AND b.rules = ? AND b.revision = (SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'revision')
  AND b.warnings = '[]' AND b.dated = '[]'
  AND NOT (? AND EXISTS (SELECT 1 FROM declared INDEXED BY declared_with_token WHERE owner = b.owner AND token))
FROM baselines b WHERE owner = ?"""


def nothing_to_do(arguments: list[str]) -> str | None:
    """What `plan` prints when nothing moved; None when that cannot be said quickly."""
    asked = _asked(arguments)
    if asked is None:
        return None
    root = _root(asked.get("directory"))
    settings = noted(root, _project(root)) if root else None
    if settings is None:
        return None
    known = _baseline(settings.store, settings.owner, tokens=settings.tokens)
    if known is None:
        return None
    trees, total = known
    ref = asked.get("ref", "")
    commit = _same(root, ref, trees)
    if not commit:
        return None
    text = nothing_text(settings.target, at_commit(commit) if ref else clean_at(commit), total) + "\n"
    return ("" if "quiet" in asked else text) if text.isascii() else None


def _asked(arguments: list[str]) -> dict[str, str] | None:
    """The options, when they are all known here."""
    if any(name.startswith(("RECONCILER_", "_RECONCILER")) and name != _NO_SETTING for name in os.environ):
        return None
    if not all(os.environ.get(name, "").isprintable() for name in ("GITHUB_ACTOR", "GITLAB_USER_LOGIN")):
        return None
    asked: dict[str, str] = {}
    waiting = list(arguments)
    while waiting:
        word = waiting.pop(0)
        if word == "plan" and "plan" not in asked:
            asked["plan"] = ""
        elif word in _SWITCHES and ("plan" in asked or word in _SWITCHES[:3]):
            asked |= {"quiet": ""} if word in _SWITCHES[:2] else {}
        elif word in _VALUES and waiting and ("plan" in asked or word != "--ref"):
            asked[_VALUES[word]] = waiting.pop(0)
            if not asked[_VALUES[word]]:
                return None
        else:
            return None
    return asked if "plan" in asked else None


def _root(directory: str | None) -> str:
    try:
        start = os.path.realpath(directory) if directory is not None else os.getcwd()
    except OSError:
        return ""
    if directory is None:
        return places.find_root(start) or ""
    return start if os.path.isdir(start) and places.is_root(start) else ""


def _project(root: str) -> bytes | None:
    try:
        with open(f"{root}/{places.PROJECT_FILE}", "rb") as opened:
            return opened.read()
    except FileNotFoundError:
        return None
    except OSError:
        return b""  # of which there is no note


def _baseline(path: str, owner: str, *, tokens: bool) -> tuple[tuple[str, str], int] | None:
    """The trees of the baseline and the number of records, when the store is as it was then.

    Args:
        path: without links, which may lead elsewhere by now.
    """
    if not os.path.isfile(path) or os.path.realpath(path) != path or set(path) & set("?#%"):
        return None
    import sqlite3

    try:
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=1)
        try:
            values = (_APPLICATION_ID, _VERSION, rules_digest(), tokens, owner)
            row = connection.execute(_QUERY, values).fetchone()
        finally:
            connection.close()
    except (sqlite3.Error, OSError):
        return None
    return ((row[0], row[1]), row[2]) if row and row[3] else None


def _same(root: str, ref: str, trees: tuple[str, str]) -> str:
    """The commit whose definitions are those of the trees; else "".

    Args:
        ref: what names the commit; "" for the one that is checked out, from which nothing may differ.
    """
    rev = ref or "HEAD"
    if not rev.isprintable() or " " in rev or (not ref and places.working_tree(root)[1]):
        return ""
    names = "".join(f"{rev}{rest}\n" for rest in ("^{commit}", *(f":./{folder}" for folder in places.FOLDERS)))
    found = _finish(_start(root, "cat-file", "--batch-check", feed=names.encode()))
    lines = found.decode("ascii", "replace").splitlines() if found is not None else []
    if len(lines) != 3 or " commit " not in lines[0]:
        return ""
    there = tuple(line.split(" ")[0] if " tree " in line else "" for line in lines[1:])
    if any(not oid and not line.endswith(" missing") for oid, line in zip(there, lines[1:], strict=True)):
        return ""
    if there != trees or (not ref and _finish(_start(root, *STATUS)) != b""):
        return ""
    return lines[0].split(" ")[0]


STATUS = (
    *("status", "--porcelain", "-z", "--untracked-files=all", "--ignored=traditional", "--no-renames", "--"),
    *places.FOLDERS,
)


def _start(root: str, *words: str, feed: bytes = b"") -> tuple[int, int]:
    """Start git; the process and where it writes. Through os alone: loading subprocess takes half as long as Python."""
    out, into = os.pipe()
    source, feeder = os.pipe()
    actions = [
        (os.POSIX_SPAWN_DUP2, source, 0), (os.POSIX_SPAWN_DUP2, into, 1),
        (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
    ]  # fmt: skip
    environment = {**os.environ, "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0"}
    try:
        command = ["git", "-C", root, "-c", "core.quotePath=false", *words]
        child = os.posix_spawnp("git", command, environment, file_actions=actions)
    except OSError:
        os.close(out)
        return 0, -1
    finally:
        os.close(into)
        os.close(source)
        with open(feeder, "wb") as pipe:
            pipe.write(feed)
    return child, out


def _finish(started: tuple[int, int]) -> bytes | None:
    """What git wrote; None when it failed."""
    child, out = started
    if not child:
        return None
    with open(out, "rb") as pipe:
        written = pipe.read()
    return written if os.waitpid(child, 0)[1] == 0 else None
