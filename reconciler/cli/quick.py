"""That nothing moved, said before the libraries of the command line are loaded, which would take most of the time.

The answer is the one that `plan` gives, from the same facts (docs/adr/0008-incremental-plans.md): the trees and the
store's revision are those of the baseline, the working tree is clean, and nothing depends on the time. Or it is the
one that `drift` gives: the triggers have seen no write, and no other owner's run can have taken a record over.
Whenever anything is otherwise, or the command line says something that is not known here, there is no quick answer.
"""

import os

from reconciler.cli.line import Asked
from reconciler.core.naming import at_commit, clean_at
from reconciler.kinds.rules import rules_digest
from reconciler.render.nothing import no_drift_text, nothing_text
from reconciler.source import places
from reconciler.source.named import ask, look, output
from reconciler.wiring.shortcut import Noted, noted

_LONG = {"full", "verbose", "output", "no_cache"}
"""Options that ask for more than a quick answer."""
_APPLICATION_ID, _VERSION = 0x5243_4E31, 4
_QUERY = """SELECT b.connectors, b.policies, b.total,
  (SELECT application_id FROM pragma_application_id) = ? AND (SELECT user_version FROM pragma_user_version) = ?
  AND b.rules = ? AND b.revision = (SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'revision')
  AND b.warnings = '[]' AND b.dated = '[]'
  AND NOT (? AND EXISTS (SELECT 1 FROM declared INDEXED BY declared_with_token WHERE owner = b.owner AND token))
FROM baselines b WHERE owner = ?"""
_UNTOUCHED = """SELECT (SELECT application_id FROM pragma_application_id) = ? AND (SELECT user_version FROM pragma_user_version) = ?
  AND NOT EXISTS (SELECT 1 FROM drifts WHERE settled IS NULL)
  AND (NOT EXISTS (SELECT 1 FROM runs WHERE owner <> ?)
    OR NOT EXISTS (SELECT 1 FROM records INDEXED BY records_by_revision WHERE owner <> ?))"""


def answer(asked: Asked) -> str | None:
    """What the command prints when nothing moved; None when that cannot be said quickly."""
    if not _LONG.isdisjoint(asked):
        return None
    if not all(os.environ.get(name, "").isprintable() for name in ("GITHUB_ACTOR", "GITLAB_USER_LOGIN")):
        return None
    return (_nothing_to_do if asked["command"] == "plan" else _no_drift)(asked)


def _nothing_to_do(asked: Asked) -> str | None:
    """What `plan` prints when nothing moved; None when that cannot be said quickly."""
    root, settings = _settings(asked)
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


def _no_drift(asked: Asked) -> str | None:
    """What `drift` prints when nobody wrote to the store around the tool; None when that cannot be said quickly."""
    _, settings = _settings(asked)
    if settings is None:
        return None
    row = _row(settings.store, _UNTOUCHED, (_APPLICATION_ID, _VERSION, settings.owner, settings.owner))
    if not row or not row[0]:
        return None
    text = no_drift_text(settings.target, settings.owner) + "\n"
    return ("" if "quiet" in asked else text) if text.isascii() else None


def _settings(asked: Asked) -> tuple[str, Noted | None]:
    """The root of the repository, and what is noted of it."""
    root = _root(asked.get("directory"))
    return root, noted(root, _project(root)) if root else None


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
    """The trees of the baseline and the number of records, when the store is as it was then."""
    row = _row(path, _QUERY, (_APPLICATION_ID, _VERSION, rules_digest(), tokens, owner))
    if not row or not row[3]:
        return None
    connectors, policies, total = map(str, row[:3])
    return (connectors, policies), int(total)


def _row(path: str, query: str, values: tuple[object, ...]) -> tuple[object, ...] | None:
    """The one row that the store at `path` answers with, if it does.

    Args:
        path: without links, which may lead elsewhere by now.
    """
    if not os.path.isfile(path) or os.path.realpath(path) != path or set(path) & set("?#%"):
        return None
    import sqlite3

    try:
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=1)
        try:
            row: tuple[object, ...] | None = connection.execute(query, values).fetchone()
        finally:
            connection.close()
    except (sqlite3.Error, OSError):
        return None
    return row


def _same(root: str, ref: str, trees: tuple[str, str]) -> str:
    """The commit whose definitions are those of the trees; else "".

    Args:
        ref: what names the commit; "" for the one that is checked out, from which nothing may differ.
    """
    if not ref and places.working_tree(root)[1]:
        return ""
    found = look(root, ref or "HEAD")
    if found is None or found[1] != trees or (not ref and output(ask(root, *STATUS)) != b""):
        return ""
    return found[0]


STATUS = (
    *("status", "--porcelain", "-z", "--untracked-files=all", "--ignored=traditional", "--no-renames", "--"),
    *places.FOLDERS,
)
