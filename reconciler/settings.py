"""The project's settings, the environment and the command line become one frozen record."""

import os
import stat
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from reconciler.core.references import is_bound
from reconciler.core.store_urls import holds_password, remedy_of
from reconciler.errors import UsageError

DEFAULT_STORE = "sqlite:.reconciler/store.db"
DEFAULT_TARGET = "local"
LOCK_SECONDS = 10.0
QUARANTINE_DAYS = 30
PRIVATE_OWNER = "local"
"""Owner in a store that lies inside the repository and so belongs to nobody else."""


def silent(text: str) -> None:
    """Say nothing."""


class Settings(Struct, frozen=True):
    """Everything that a run depends on beside the definitions.

    Attributes:
        root: the configuration repository.
        store: URL of the live store.
        store_given: whether the operator names it, and not the repository.
        password: reference to the password of the target's own database; None where the target names none.
        credentials: what proves who asks the server of the target's own store, by place: references, and texts.
        proofs: the references of both that no definition may name, each with what it is in words.
        options: what the target says of that server beside its URL.
        is_own: whether `store` is that one; another one is told none of these.
        judged: whether the repository's settings are followed as they are, as they are for what an operator applies.
        state: URL of what is kept beside a live store that is none of ours.
        owner: whose records this repository manages.
        elsewhere: addresses that other repositories define, into the same store.
        max_deletes: a number or a share, or None where nobody has set a limit.
        max_access_loss: the same for people who lose access.
        lock_seconds: how long to wait for another run to end.
        quarantine_days: how long deleted records are kept before a purge takes them.
        require_commit: whether the definitions applied have to be just those of a commit.
        require_commit_on: the branch on which their commit has to be; "" for any.
        signed_by: files with public keys, of which one has to sign the plan; none for no need.
        helpers: programs that secret references may use, by name; see schemas/project.schema.json.
        env_file_given: whether the env file is the operator's choice, and not the repository's.
        secrets_allowed: lists of what secret references may lead to; see core/references.py.
        operator_allows: the one of them that the operator sets; None where there is none.
        check_secrets: whether every apply resolves all secrets.
        plan_checks_secrets: whether a plan does so too, which the operator alone can say: the project file may be that
            of a branch that nobody has judged.
        fetch_tokens: whether every apply fetches the access tokens that are missing or due.
        say: told in a sentence why nothing happens for a while.
    """

    root: Path
    target: str
    store: str
    store_given: bool
    password: Mapping[str, str] | None
    credentials: Mapping[str, str | Mapping[str, str]]
    proofs: Sequence[tuple[str, Mapping[str, str]]]
    options: Mapping[str, Any]
    is_own: bool
    judged: bool
    state: str
    owner: str
    env_file: Path | None
    env_file_given: bool
    key_file: Path | None
    max_deletes: str | None
    max_access_loss: str | None
    check_secrets: bool
    plan_checks_secrets: bool
    secrets_allowed: tuple[tuple[str, ...], ...]
    operator_allows: tuple[str, ...] | None
    fetch_tokens: bool
    lock_seconds: float
    require_commit: bool
    require_commit_on: str
    signed_by: tuple[Path, ...]
    quarantine_days: int
    helpers: Mapping[str, Mapping[str, Any]]
    elsewhere: tuple[str, ...] = ()
    say: Callable[[str], None] = silent


class Overrides(Struct, frozen=True):
    """What the command line says; None where it says nothing.

    Attributes:
        judged: whether the command writes, so that whoever starts it stands for what the repository's settings say.
        say: told in a sentence why nothing happens for a while.
    """

    target: str | None = None
    store: str | None = None
    env_file: str | None = None
    max_deletes: str | None = None
    secrets: str | None = None
    secrets_allowed: str | None = None
    tokens: str | None = None
    lock_seconds: float | None = None
    judged: bool = False
    say: Callable[[str], None] = silent


def settle(root: Path, project: Mapping[str, Any], given: Overrides, is_private: Callable[[str], bool]) -> Settings:
    """The settings of a run; the command line wins over the project file.

    Args:
        is_private: whether the store at a URL lies inside the repository.

    Raises:
        UsageError: the target is not defined, a shared store is used without an owner, a bound of secrets is none, or
            the URL of the store holds a password.
    """
    if given.store and holds_password(given.store):
        raise UsageError("the URL of the store holds a password, which others see in lists of processes and in logs", hint=remedy_of(given.store))  # fmt: skip
    name, target = _target(project, given)
    targets_own = target.get("store", DEFAULT_STORE)
    store = given.store or targets_own
    env_file = Path(given.env_file) if given.env_file else _from_root(root, target.get("envFile"))
    allowed = None if given.secrets_allowed is None else _bounds(given.secrets_allowed)
    return Settings(
        root=root,
        target=name if given.target or store == targets_own else "custom",
        store=store,
        store_given=bool(given.store),
        password=target.get("password"),
        credentials=credentials_in(target),
        proofs=proofs_in(target),
        options=target.get("processmaker", {}),
        is_own=store == targets_own,
        judged=given.judged,
        state=target.get("state", f"sqlite:.reconciler/{name}.state.db"),
        owner=_owner(project, store, is_private),
        env_file=env_file,
        env_file_given=bool(given.env_file),
        key_file=_from_root(root, target.get("keyFile")),
        max_deletes=given.max_deletes or target.get("maxDeletes"),
        max_access_loss=target.get("maxAccessLoss"),
        check_secrets=(given.secrets or target.get("secrets", "unchanged")) == "check",
        plan_checks_secrets=given.secrets == "check",
        secrets_allowed=_allowed(target, allowed),
        operator_allows=allowed,
        fetch_tokens=(given.tokens or target.get("tokens", "apply")) == "apply",
        lock_seconds=LOCK_SECONDS if given.lock_seconds is None else given.lock_seconds,
        require_commit=target.get("requireCommit", False),
        require_commit_on=target.get("requireCommitOn", ""),
        signed_by=tuple(root / path for path in target.get("signedBy", ())),
        quarantine_days=target.get("quarantineDays", QUARANTINE_DAYS),
        elsewhere=tuple(project.get("definedElsewhere", ())),
        helpers=project.get("secrets", {}).get("helpers", {}),
        say=given.say,
    )


def credentials_in(target: Mapping[str, Any]) -> dict[str, str | Mapping[str, str]]:
    """What a target names to prove who asks the server of its store, by place, such as "login.username"."""
    found = {f"login.{key}": value for key, value in target.get("login", {}).items()}
    return {"token": target["token"], **found} if "token" in target else found


_PROOFS = {
    "password": "the password of the store",
    "token": "the token of the store",
    "login.clientSecret": "the client secret of the store's login",
    "login.password": "the password of the store's login",
}


def proofs_in(target: Mapping[str, Any]) -> list[tuple[str, Mapping[str, str]]]:
    """The references of a target to what no definition may name, each with what it is in words."""
    named = {"password": target.get("password"), **credentials_in(target)}
    found = ((words, named.get(place)) for place, words in _PROOFS.items())
    return [(words, reference) for words, reference in found if isinstance(reference, Mapping)]


def refuse_env_file(path: Path) -> None:
    """Stop when the operator names an env file that is none. It is not opened: what is read of a pipe is gone.

    Raises:
        UsageError: nothing is there, or a directory.
    """
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        raise UsageError(f"there is no env file {path}", hint="check --env-file") from None
    except (OSError, ValueError) as failure:
        why = failure.strerror if isinstance(failure, OSError) else "no file can have this name"
        raise UsageError(f"the env file {path} cannot be read: {why}", hint="check --env-file") from None
    if stat.S_ISDIR(mode):
        raise UsageError(f"the env file {path} cannot be read: Is a directory", hint="check --env-file")


def without_far_key(settings: Settings) -> Settings:
    """The settings of a command that only reads: a key file outside of the repository is not opened for it.

    The project file that names it may be that of a branch which nobody has judged. RECONCILER_STORE_KEY is the
    operator's own word.
    """
    file = settings.key_file
    if file is None or Path(os.path.realpath(file)).is_relative_to(settings.root):
        return settings
    return replace(settings, key_file=None)


def _allowed(target: Mapping[str, Any], given: tuple[str, ...] | None) -> tuple[tuple[str, ...], ...]:
    """The bounds of the target and those of the operator, where there are any: a reference has to fit both."""
    found = (tuple(target["secretsAllowed"]),) if "secretsAllowed" in target else ()
    return found if given is None else (*found, given)


def _bounds(given: str) -> tuple[str, ...]:
    """What the operator lets secret references lead to.

    Raises:
        UsageError: something of it is no bound.
    """
    found = tuple(given.split())
    wrong = [text for text in found if not is_bound(text)]
    if wrong:
        raise UsageError(f"'{wrong[0]}' does not say what secret references may lead to", hint="write KEY:TARGET or KEY:BEGINNING*, such as env:CRM_* file:/run/secrets/*")  # fmt: skip
    return found


def _target(project: Mapping[str, Any], given: Overrides) -> tuple[str, Mapping[str, Any]]:
    targets: Mapping[str, Mapping[str, Any]] = project.get("targets", {})
    of_store = [name for name, target in targets.items() if target["store"] == given.store]
    wanted = given.target or (of_store[0] if len(of_store) == 1 else None)
    name = wanted or project.get("defaultTarget") or (next(iter(targets)) if len(targets) == 1 else DEFAULT_TARGET)
    if name in targets:
        return name, targets[name]
    if name == DEFAULT_TARGET and (not targets or (given.store and not wanted)):
        return name, {}
    names = ", ".join(sorted(targets)) or "none"
    what = f"there is no target '{name}'" if wanted or "defaultTarget" in project else "no target is chosen"
    raise UsageError(what, hint=f"targets in reconciler.yaml: {names}; choose one with --target or defaultTarget")


def _owner(project: Mapping[str, Any], store: str, is_private: Callable[[str], bool]) -> str:
    owner: str = project.get("owner", "")
    if owner:
        return owner
    if is_private(store):
        return PRIVATE_OWNER
    raise UsageError(
        "a store outside of the repository needs an owner",
        hint="add to reconciler.yaml a line such as  owner: acme/connectors",
    )


def _from_root(root: Path, path: str | None) -> Path | None:
    return root / path if path else None
