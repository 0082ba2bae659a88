"""Settings to source, store and secrets."""

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from reconciler import durable
from reconciler.core.progress import UNTOLD, Progress
from reconciler.core.references import PG_VARIABLE, Bounds
from reconciler.core.store_urls import OF_SERVERS, scheme_of
from reconciler.diagnostics import Diagnostic, FaultyDefinitions, has_errors
from reconciler.errors import InvalidDefinitions, UsageError
from reconciler.settings import LOCK_SECONDS, Overrides, Settings, refuse_env_file, settle
from reconciler.source import files, git
from reconciler.source.project import PROJECT_FILE, read_project
from reconciler.source.repository import Extent, RepositorySource
from reconciler.source.text import cache_home
from reconciler.stores.drivers import open_url
from reconciler.wiring.contracts import read_contract
from reconciler.wiring.roots import below, inside
from reconciler.wiring.servers import credentials_of, password_of, proof_files, refuse_unnamed_server

if TYPE_CHECKING:
    from reconciler.core.ports.live import Live
    from reconciler.core.ports.source import Sealer, SecretBackend
    from reconciler.core.ports.state import DriverContext, State, StoreFiles
    from reconciler.core.ports.store import Store
    from reconciler.secrets.local import ResolverContext
    from reconciler.secrets.own import Own
    from reconciler.services.tokens import TokenTools


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
                raise files.none_at(path)
        known = [file for file in known if any(below(file, prefix) for prefix in prefixes)]
    return list(zip(known, files.read_working_tree(root, known), strict=True))


def canonical_text(data: bytes, file: str) -> tuple[bytes | None, tuple[Diagnostic, ...]]:
    """The canonical form of a file, or None with the reasons why it has none."""
    from reconciler.source.roundtrip.format import format_document_text

    formatted = format_document_text(data, file)
    return formatted.text, formatted.diagnostics


def replace_file(path: Path, data: bytes) -> None:
    """Replace the content of a file at once, keeping its mode: readers see the old or the new, whole."""
    durable.replace_file(path, data, path.stat().st_mode & 0o7777)


def open_source(root: Path, ref: str, extent: Extent | None = None, *, cached: bool = True) -> RepositorySource:
    """The definitions in the working tree, or in the commit that `ref` names.

    Args:
        extent: None for all of them.
        cached: whether what was read before may be used, and what is read be kept.
    """
    known = _parsed(root) if cached else ""
    return RepositorySource(root, ref, now(), replace(extent or Extent(), cache=known, read_contract=read_contract))


def _parsed(root: Path) -> str:
    """Where what was read of a repository is kept, or "" for nowhere."""
    home = _cache(root)
    return f"{home}/parsed/{sha256(os.fsencode(root)).hexdigest()[:32]}" if home else ""


def _cache(root: Path) -> str:
    """The program's folder in the user's cache, or "": what lies in the repository, a commit may have brought along."""
    home, top = cache_home(), git.top_of(root) or root
    return "" if not home or Path(os.path.realpath(home)).is_relative_to(top) else home


def load_settings(root: Path, given: Overrides) -> Settings:
    """Settings of a run that needs a store.

    Raises:
        InvalidDefinitions: the project file is wrong.
        UsageError: see `settle`.
    """
    settings = settle(root, load_project(root), given, partial(_is_inside, root))
    if settings.env_file is not None and settings.env_file_given:
        refuse_env_file(settings.env_file)
    return settings


def load_project(root: Path) -> dict[str, Any]:
    """What the project file says, {} without one.

    Raises:
        InvalidDefinitions: it is wrong.
    """
    project, diagnostics = read_project(root)
    if has_errors(diagnostics):
        details = tuple(f"{found.span}: {found.message}" for found in diagnostics)
        raise InvalidDefinitions(
            "reconciler.yaml is not valid", hint="run: reconciler validate", details=details
        ) from FaultyDefinitions(diagnostics)
    return project


def _is_inside(root: Path, url: str) -> bool:
    """Whether the store at a URL is a file inside the repository."""
    found = store_files(root, url)
    return found is not None and found.store.is_relative_to(root)


def store_files(root: Path, url: str) -> "StoreFiles | None":
    """The files of the store at a URL; None where it has none on this machine.

    Raises:
        UsageError: no driver for the URL's scheme.
    """
    from reconciler.core.ports.state import State

    if scheme_of(url) in OF_SERVERS:  # what speaks to one is not loaded to be told that it has none
        return None
    opened = open_url(url, context_of(root, {}))
    return opened.files() if isinstance(opened, State) else None


def open_state(settings: Settings, environment: Mapping[str, str]) -> "State":
    """The database of the target: its live store, where that is one of ours, or what is kept beside it.

    Raises:
        UsageError: no driver for the URL's scheme.
    """
    return open_both(settings, environment)[0]


def open_store(settings: Settings, environment: Mapping[str, str]) -> "Store":
    """The live store with what is known of it; nothing is opened or made before it is used.

    Raises:
        UsageError: no driver for the URL's scheme.
    """
    state, live = open_both(settings, environment)
    return state.beside(live, settings.owner) if live is not None else state.store()


def open_both(settings: Settings, environment: Mapping[str, str]) -> "tuple[State, Live | None]":
    """The state, and the live store where that is another one.

    Raises:
        UsageError: no driver for the URL's scheme.
    """
    from reconciler.core.ports.state import State

    plain = context_of(settings.root, environment, settings.key_file, settings.lock_seconds)
    others = {name: value for name, value in environment.items() if name != PG_VARIABLE}  # it may be the same one
    own = partial(_own, settings, others)
    password = password_of(settings, environment, own)
    context = replace(plain, password=password, trusted=settings.judged or settings.store_given, writes=settings.judged)
    refuse_unnamed_server(settings, environment)
    asking = replace(context, password=None, say=settings.say)
    if settings.is_own:
        credentials = credentials_of(settings, environment, own)
        asking = replace(asking, password=password, options=settings.options, credentials=credentials)
    opened = open_url(settings.store, asking)
    if isinstance(opened, State):
        return opened, None
    state = open_url(settings.state, context)
    if not isinstance(state, State):
        raise UsageError(f"{settings.state} cannot be the state of a target", hint="name a store such as sqlite:PATH")
    return state, opened


def context_of(
    root: Path, environment: Mapping[str, str], key_file: Path | None = None, lock_seconds: float = LOCK_SECONDS
) -> "DriverContext":
    """What a driver is told of a run."""
    from reconciler.core.ports.state import DriverContext

    def seal(embedded: Path | None, check: str | None, may_create: bool) -> "tuple[Sealer, str]":
        from reconciler.secrets.sealer import make_sealer

        return make_sealer(environment, key_file, embedded, check, may_create)

    return DriverContext(root, environment, lock_seconds, now, seal, cache=_cache(root))


def open_secrets(settings: Settings, environment: Mapping[str, str]) -> "SecretBackend":
    """What resolves secret references; nothing is loaded before it is used."""
    from reconciler.secrets.resolver import Resolver

    def make() -> "ResolverContext":
        from reconciler.secrets.local import ResolverContext

        own, bounds = _own(settings, environment), Bounds(str(settings.root), settings.secrets_allowed)
        own = replace(own, proofs=settings.proofs, files=(*own.files, *proof_files(settings)))
        env_file, given = settings.env_file, settings.env_file_given
        return ResolverContext(environment, env_file, settings.root, settings.helpers, own, bounds, given)

    return Resolver(make)


def _own(settings: Settings, environment: Mapping[str, str]) -> "Own":
    """What belongs to the tool in a run, and so is nobody's secret."""
    from reconciler.secrets.own import Own

    found = open_state(settings, environment).files()
    keys = [key for key in (settings.key_file, found.key if found else None) if key]
    files = (settings.env_file,) if settings.env_file and settings.env_file_given else ()
    store, application = (found.store, found.application) if found else (None, 0)
    return Own(settings.root, environment, store, tuple(keys), files, settings.signed_by, application)


def open_tokens(
    settings: Settings, store: "Store", parallelism: int | None = None, progress: Progress = UNTOLD
) -> "TokenTools":
    """What fetches and keeps access tokens; nothing is opened before it is used."""
    from reconciler.core.ports.abilities import TellsTime
    from reconciler.net.trust import ContextCache
    from reconciler.services.tokens import PARALLELISM, TokenTools
    from reconciler.tokens.client import TokenClient

    contexts = ContextCache()
    keeper = open_state(settings, os.environ).tokens(store.sealer)
    clock = store.clock if isinstance(store, TellsTime) else now
    return TokenTools(keeper, store.sealer, lambda: TokenClient(contexts), clock, parallelism or PARALLELISM, progress)


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
