"""Settings to source, store and secrets."""

import os
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler import durable
from reconciler.core.progress import UNTOLD, Progress
from reconciler.core.references import Bounds
from reconciler.diagnostics import Diagnostic, has_errors
from reconciler.errors import InvalidDefinitions, UsageError
from reconciler.settings import Overrides, Settings, settle, sqlite_path, written_path
from reconciler.source import files
from reconciler.source.places import cache_home
from reconciler.source.project import PROJECT_FILE, find_root, is_root, read_project
from reconciler.source.repository import Repository

if TYPE_CHECKING:
    from sqlite3 import Connection

    from reconciler.core.interrupts import Interrupts
    from reconciler.core.ports import RunInfo, Sealer, SecretBackend, Store
    from reconciler.secrets.context import Context
    from reconciler.secrets.own import Own
    from reconciler.services.tokens import TokenTools
    from reconciler.stores.host import LocalHost
    from reconciler.stores.sql.running import RunLease


def locate_root(directory: str | None) -> Path:
    """The configuration repository: `directory`, or the nearest one at or above the current directory.

    Raises:
        UsageError: there is none.
    """
    if directory is not None:
        root = Path(directory).resolve()
        if not root.is_dir():
            raise UsageError(f"there is no directory {directory}", hint="check -C")
        if not is_root(root):
            hint = "name the directory that holds them with -C"
            raise UsageError(f"{directory} is not a configuration repository: no reconciler.yaml, connectors/ or policies/", hint=hint)  # fmt: skip
        return root
    try:
        found = find_root(Path.cwd())
    except FileNotFoundError as failure:
        raise UsageError("the current directory does not exist any more", hint="cd to another") from failure
    if found is None:
        hint = "run it inside of one, or name one with -C DIR"
        raise UsageError(
            "this is not a configuration repository: no reconciler.yaml, connectors/ or policies/", hint=hint
        )
    return found


def inside(root: Path, path: str) -> str:
    """`path`, which the user gave, from the repository's root.

    Raises:
        UsageError: it lies outside.
    """
    full = Path(os.path.abspath(path))
    for base in (root, Path(os.path.abspath(root))):
        if full.is_relative_to(base):
            return full.relative_to(base).as_posix()
    full = full.resolve()
    if full.is_relative_to(root):
        return full.relative_to(root).as_posix()
    raise UsageError(f"{path} is outside of the repository {root}", hint="name its repository with -C")


def from_root(folder: Path) -> tuple[Path, str]:
    """The outermost repository that `folder` lies in, and the way from there, so that no link on it is followed.

    Outside of one, the folder itself and "". The innermost one may be where a link leads to.
    """
    full = Path(os.path.abspath(folder))
    around = (above for above in (*reversed(full.parents), full) if os.path.lexists(above / ".git") or is_root(above))
    base = next(around, full)
    return base, "" if base == full else full.relative_to(base).as_posix()


def definition_files(root: Path, paths: Sequence[str]) -> list[tuple[str, bytes | Diagnostic]]:
    """Path and content of all files of definitions and of the project file, or of those at `paths`.

    Raises:
        UsageError: nothing is at one of `paths`.
    """
    known = [*([PROJECT_FILE] if os.path.lexists(root / PROJECT_FILE) else []), *files.working_tree(root)]
    if paths:
        prefixes = [inside(root, path) for path in paths]
        for path, prefix in zip(paths, prefixes, strict=True):
            if not any(below(file, prefix) for file in known):
                hint = "definitions are .yaml files below connectors/ and policies/"
                raise UsageError(f"there are no definitions at {path}", hint=hint)
        known = [file for file in known if any(below(file, prefix) for prefix in prefixes)]
    return list(zip(known, files.read_working_tree(root, known), strict=True))


def below(file: str, prefix: str) -> bool:
    """Whether `file` is `prefix` or lies below it."""
    return prefix in (".", file) or file.startswith(prefix + "/")


def canonical_text(data: bytes, file: str) -> tuple[bytes | None, tuple[Diagnostic, ...]]:
    """The canonical form of a file, or None with the reasons why it has none."""
    from reconciler.source.roundtrip import format_document_text

    formatted = format_document_text(data, file)
    return formatted.text, formatted.diagnostics


def replace_file(path: Path, data: bytes) -> None:
    """Replace the content of a file at once, keeping its mode: readers see the old or the new, whole."""
    durable.replace_file(path, data, path.stat().st_mode & 0o7777)


def open_source(
    root: Path,
    ref: str,
    folders: Sequence[str] = files.FOLDERS,
    *,
    covering: bool = False,
    cached: bool = True,
    settled: bool = False,
    progress: Progress = UNTOLD,
) -> Repository:
    """The definitions in the working tree, or in the commit that `ref` names.

    Args:
        cached: whether what was read before may be used, and what is read be kept.
        settled: whether the commit's own files are read where the working tree does not differ from it.
        progress: told of what is read.
    """
    cache = _parsed(root) if cached else ""
    return Repository(root, ref, now(), folders, covering=covering, cache=cache, settled=settled, progress=progress)


def _parsed(root: Path) -> str:
    """Where what was read of a repository is kept, or "" for nowhere."""
    home = cache_home()
    return f"{home}/parsed/{sha256(os.fsencode(root)).hexdigest()[:32]}" if home else ""


def load_settings(root: Path, given: Overrides) -> Settings:
    """Settings of a run that needs a store.

    Raises:
        InvalidDefinitions: the project file is wrong.
        UsageError: see `settle`.
    """
    project, diagnostics = read_project(root)
    if has_errors(diagnostics):
        details = tuple(f"{found.span}: {found.message}" for found in diagnostics)
        raise InvalidDefinitions("reconciler.yaml is not valid", hint="run: reconciler validate", details=details)
    return settle(root, project, given)


def open_store(settings: Settings, environment: Mapping[str, str]) -> "Store":
    """The live store; nothing is opened or made before it is used.

    Raises:
        UsageError: no driver for the URL's scheme.
    """
    scheme = settings.store.partition(":")[0]
    if scheme != "sqlite":
        raise UsageError(f"there is no store driver for '{scheme}:'", hint="known are: sqlite:PATH")
    from reconciler.stores.sql.store import SqliteStore

    path = sqlite_path(settings.root, settings.store)

    def seal(check: str | None, may_create: bool) -> "tuple[Sealer, str]":
        from reconciler.secrets.sealing import make_sealer

        return make_sealer(environment, settings.key_file, key_beside(path), check, may_create)

    def lease(run: "RunInfo", interrupts: "Interrupts", prepare: "Callable[[Connection], None]") -> "RunLease":
        from reconciler.stores.sql.running import RunLease

        return RunLease(path, run, interrupts, host=local_host(), clock=now, lock_seconds=settings.lock_seconds, prepare=prepare)  # fmt: skip

    return SqliteStore(path, remains=partial(lost_store, settings), make_sealer=seal, make_lease=lease)


def lost_store(settings: Settings) -> tuple[str, ...]:
    """What speaks of a live store that was there and is gone; see `remains`."""
    from reconciler.stores.remains import remains

    path = sqlite_path(settings.root, settings.store)
    return remains(path, key_beside(path), written_path(settings.root, settings.store))


def local_host() -> "LocalHost":
    """What leases are judged by."""
    from reconciler.stores.host import LocalHost

    return LocalHost()


def key_beside(path: Path) -> Path:
    """Where the embedded store at `path` keeps its key."""
    return path.with_suffix(".key") if path.suffix != ".key" else path.with_name(f"{path.name}.key")


def open_secrets(settings: Settings, environment: Mapping[str, str]) -> "SecretBackend":
    """What resolves secret references; nothing is loaded before it is used."""
    from reconciler.secrets.resolving import Resolver

    def make() -> "Context":
        from reconciler.secrets.context import Context

        own, bounds = _own(settings, environment), Bounds(str(settings.root), settings.secrets_allowed)
        env_file, given = settings.env_file, settings.env_file_given
        return Context(environment, env_file, settings.root, settings.helpers, own, bounds, given)

    return Resolver(make)


def _own(settings: Settings, environment: Mapping[str, str]) -> "Own":
    """What belongs to the tool in a run, and so is nobody's secret."""
    from reconciler.secrets.own import Own
    from reconciler.stores.sql.schema import APPLICATION_ID

    store = sqlite_path(settings.root, settings.store) if settings.store.startswith("sqlite:") else None
    keys = [key for key in (settings.key_file, key_beside(store) if store else None) if key]
    files = (settings.env_file,) if settings.env_file and settings.env_file_given else ()
    return Own(settings.root, environment, store, tuple(keys), files, settings.signed_by, APPLICATION_ID)


def open_tokens(
    settings: Settings, store: "Store", parallelism: int | None = None, progress: Progress = UNTOLD
) -> "TokenTools":
    """What fetches and keeps access tokens; nothing is opened before it is used."""
    from reconciler.net.trust import ContextCache
    from reconciler.services.tokens import PARALLELISM, TokenTools
    from reconciler.stores.sql.tokens import SqliteTokens
    from reconciler.tokens.requesting import TokenClient

    contexts = ContextCache()
    path = sqlite_path(settings.root, settings.store)
    keeper = SqliteTokens(path, sealer=store.sealer, make_host=local_host, lock_seconds=settings.lock_seconds)
    return TokenTools(keeper, store.sealer, lambda: TokenClient(contexts), now, parallelism or PARALLELISM, progress)


def now() -> str:
    """The present time as RFC 3339 text in UTC."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def pipeline_actor(environment: Mapping[str, str]) -> str:
    """Who the pipeline says runs this, or ""."""
    return environment.get("GITHUB_ACTOR") or environment.get("GITLAB_USER_LOGIN") or ""


def default_actor(environment: Mapping[str, str]) -> str:
    """Who runs this, when nobody says: the pipeline's actor, or the account, which proves nothing."""
    for name in (pipeline_actor(environment), environment.get("USER"), environment.get("LOGNAME")):
        if name:
            return name
    return f"uid {os.getuid()}" if hasattr(os, "getuid") else "unknown"
