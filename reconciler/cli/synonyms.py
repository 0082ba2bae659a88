"""What users of other programs type, and what that is called here."""

from collections.abc import Mapping, Sequence

_GIT = "definitions are changed in git: edit the file below connectors/ or policies/, then: reconciler plan && reconciler apply"
_DELETE = "definitions are deleted in git: remove the file or the document, then: reconciler plan && reconciler apply"
_CREATE = "write a file below connectors/ (see: reconciler explain connector), or import one; then: reconciler plan && reconciler apply"
_LOGIN = "there is no login: a target of reconciler.yaml names the store, and RECONCILER_STORE_KEY is its key; see: reconciler explain project.targets"
_COMPARE = ("plan", "drift", "history KIND/NAME --diff A B")

MEANT: Mapping[str, str | Sequence[str]] = {
    **dict.fromkeys(("diff", "compare", "preview", "dry-run", "whatif", "noop"), _COMPARE),
    **dict.fromkeys(("status", "st", "state"), ("plan", "drift", "get")),
    **dict.fromkeys(("refresh", "detect"), ("drift",)),
    **dict.fromkeys(("list", "ls", "show", "view", "describe", "inspect", "cat", "search", "find", "read", "output"), ("get",)),
    **dict.fromkeys(("log", "logs", "audit", "blame", "events", "runs"), ("history",)),
    **dict.fromkeys(("delete", "del", "destroy", "remove", "rm"), _DELETE),
    **dict.fromkeys(("create", "add", "new"), _CREATE),
    **dict.fromkeys(("edit", "update", "set", "patch", "replace", "modify", "rename", "mv"), _GIT),
    **dict.fromkeys(("sync", "deploy", "push", "run", "reconcile", "up", "reset"), ("apply",)),
    **dict.fromkeys(("check", "lint", "verify", "doctor"), ("validate", "fmt --check", "store check")),
    "test": ("validate", "call", "plan --preflight"),
    **dict.fromkeys(("ping", "probe", "health"), ("plan --preflight", "call", "store check")),
    **dict.fromkeys(("curl", "exec", "request", "send", "invoke", "try", "http"), ("call",)),
    **dict.fromkeys(("login", "logout", "configure"), _LOGIN),
    **dict.fromkeys(("config", "settings", "target", "targets", "workspace"), "settings stand in reconciler.yaml; see: reconciler explain project"),
    **dict.fromkeys(("dump", "download"), ("export",)),
    **dict.fromkeys(("pull", "fetch"), ("adopt", "export", "token fetch")),
    **dict.fromkeys(("backup", "save"), ("store backup", "export")),
    **dict.fromkeys(("convert", "generate", "gen", "openapi", "swagger", "postman"), ("import",)),
    **dict.fromkeys(("undo", "revert"), ("rollback", "restore")),
    **dict.fromkeys(("undelete", "recover"), ("restore",)),
    **dict.fromkeys(("clean", "gc", "prune", "purge"), ("store purge",)),
    **dict.fromkeys(("format", "fix"), ("fmt", "validate")),
    **dict.fromkeys(("unlock", "force-unlock", "release"), ("lock release",)),
    **dict.fromkeys(("renew", "tokens"), ("token",)),
    **dict.fromkeys(("rotate", "rekey", "rotate-key"), ("store rotate-key",)),
    **dict.fromkeys(("whoami", "permissions", "auth", "rbac", "who"), ("can", "who-can")),
    **dict.fromkeys(("approve", "review", "gate", "judge"), ("authorize", "access-diff")),
    **dict.fromkeys(("takeover", "claim", "take"), ("apply --adopt", "adopt")),
    **dict.fromkeys(("schemas", "model"), ("schema", "explain")),
    **dict.fromkeys(("man", "doc", "docs", "usage"), ("help", "explain")),
    **dict.fromkeys(("commit", "clone", "checkout", "switch", "merge"), "definitions are kept by git itself: git commit, git merge; then: reconciler plan"),
}  # fmt: skip
"""What to type instead, or, as one text, what to do."""


def meant_by(word: str, known: Sequence[str]) -> tuple[tuple[str, ...], str]:
    """The command lines that may be meant by a word that is no command; and what to do where there is none.

    A word that is nearly a command is taken for a slip first.
    """
    from difflib import get_close_matches

    wanted = word.lower().replace("_", "-")
    if wanted in known:
        return (wanted,), ""
    found = MEANT.get(wanted, ())
    if isinstance(found, str):
        return (), found
    if found:
        return tuple(found), ""
    near = get_close_matches(wanted, [*known, "help", "version"], n=1, cutoff=0.65) or [*_beginning(wanted, known)][:3]
    return tuple(near), ""


def _beginning(word: str, known: Sequence[str]) -> list[str]:
    return [name for name in known if len(word) > 1 and name.startswith(word)]
