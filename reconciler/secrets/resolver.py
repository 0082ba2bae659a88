"""Secret references to values: which resolver knows them, ours or a plug-in's, each looked up once."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from importlib import import_module
from threading import Lock
from typing import Any, Protocol

from reconciler.core.progress import UNTOLD, Progress, told
from reconciler.core.references import only
from reconciler.core.secret import Secret
from reconciler.errors import SecretUnavailable
from reconciler.secrets.local import ResolverContext

PARALLELISM = 8
_RESOLVERS = {
    "env": ("local", "EnvSecrets"),
    "file": ("local", "FileSecrets"),
    "vault": ("vaults", "VaultSecrets"),
    "sops": ("programs", "SopsSecrets"),
    "age": ("programs", "AgeSecrets"),
    "aws": ("vaults", "AwsSecrets"),
    "exec": ("programs", "ExecSecrets"),
    "plugin": ("resolver", "PluginSecrets"),
}
"""Key of a reference to module and class: none is loaded before a reference wants it."""
_NEAR = ("env", "file")


class SchemeResolver(Protocol):
    """Resolves the references of one key; several threads may ask at once."""

    def resolve(self, target: str) -> str:
        """The value.

        Raises:
            SecretUnavailable: there is none; the message does not repeat the reference.
        """
        ...


class Resolver:
    """Resolves secret references."""

    def __init__(self, make_context: "Callable[[], ResolverContext]") -> None:
        """Look nothing up yet.

        Args:
            make_context: gives what it takes; called once, when the first reference is looked at.
        """
        self._make_context = make_context
        self._resolvers: dict[str, SchemeResolver] = {}
        self._known: dict[tuple[str, str], Secret | SecretUnavailable] = {}
        self._permitted: set[tuple[str, str]] = set()

    @cached_property
    def _context(self) -> "ResolverContext":
        return self._make_context()

    def resolve(self, reference: Mapping[str, str]) -> Secret:
        """The value behind a reference such as {"env": "NAME"}.

        Raises:
            SecretUnavailable: it leads to nothing; the message says what to set.
        """
        if not _is_reference(reference):
            raise SecretUnavailable("what is live is no secret reference", hint="declare the field in git")
        scheme, target = only(reference)
        known = self._known.get((scheme, target))
        if known is None:
            known = self._known[scheme, target] = self._look_up(scheme, target)
        if isinstance(known, SecretUnavailable):
            raise known.again()
        return known

    def refuse(self, reference: Mapping[str, str]) -> None:
        """Stop when nobody may read what a reference leads to; nothing is opened to tell.

        Raises:
            SecretRefused: nobody may.
        """
        if not _is_reference(reference):
            return
        scheme, target = only(reference)
        if (scheme, target) not in self._permitted:
            with _named(scheme, target):
                self._context.refuse(scheme, target)
            self._permitted.add((scheme, target))

    def prefetch(self, references: Iterable[Mapping[str, str]], progress: Progress = UNTOLD) -> None:
        """Look up what is far away, in parallel: one of each source at first, so that it is fetched once."""
        wanted = {next(iter(reference.items())) for reference in references if _is_reference(reference)}
        far = sorted(pair for pair in wanted if pair[0] not in _NEAR and pair not in self._known)
        by_source = {(scheme, target.partition("#")[0]): (scheme, target) for scheme, target in far}
        if len(by_source) < 2:
            return
        from concurrent.futures import ThreadPoolExecutor

        pairs = list(by_source.values())
        for scheme, _ in pairs:
            self._resolver(scheme)  # loaded here, not in threads
        with ThreadPoolExecutor(min(PARALLELISM, len(pairs))) as pool:
            found = told(pool.map(lambda pair: self._look_up(*pair), pairs), "secrets", len(pairs), progress, every=1)
            self._known |= dict(zip(pairs, found, strict=True))

    def _look_up(self, scheme: str, target: str) -> Secret | SecretUnavailable:
        try:
            self.refuse({scheme: target})
            with _named(scheme, target):
                value = self._resolver(scheme).resolve(target)
                self._context.own.refuse_value(value)
        except SecretUnavailable as failure:
            return failure.again()  # without what led to it, which may hold the value
        return Secret(value)

    def _resolver(self, scheme: str) -> SchemeResolver:
        if scheme not in self._resolvers:
            module, name = _RESOLVERS[scheme]
            make: Callable[[ResolverContext], SchemeResolver] = getattr(
                import_module(f"reconciler.secrets.{module}"), name
            )
            self._resolvers[scheme] = make(self._context)
        return self._resolvers[scheme]


@contextmanager
def _named(scheme: str, target: str) -> Iterator[None]:
    """Failures name the reference."""
    try:
        yield
    except SecretUnavailable as failure:
        raise failure.again(f"{{{scheme}: {target}}}: ") from None


def _is_reference(found: Mapping[str, Any]) -> bool:
    """Whether it is one at all: what others wrote into the store may be anything."""
    if len(found) != 1:
        return False
    ((scheme, target),) = found.items()
    return scheme in _RESOLVERS and type(target) is str


GROUP = "reconciler.secrets"


class PluginSecrets:
    """Asks plug-ins."""

    def __init__(self, context: ResolverContext) -> None:
        self._context = context
        self._lock = Lock()
        self._loaded: dict[str, Any] = {}

    def resolve(self, target: str) -> str:
        """What the plug-in says."""
        name, _, reference = target.partition(":")
        plugin = self._load(name)
        try:
            value = plugin.resolve(reference)
        except SecretUnavailable:
            raise
        except Exception as failure:  # noqa: BLE001 (others' code; its words may hold the secret)
            raise SecretUnavailable(f"the plug-in '{name}' failed ({type(failure).__name__})", hint="ask who wrote it") from None  # fmt: skip
        found = value.reveal() if isinstance(value, Secret) else value
        if not isinstance(found, str) or not found:
            raise SecretUnavailable(f"the plug-in '{name}' gave no text", hint="check the reference")
        return found

    def _load(self, name: str) -> Any:
        with self._lock:
            if name not in self._loaded:
                from importlib.metadata import entry_points

                points = entry_points(group=GROUP)
                if name not in points.names:
                    known = ", ".join(sorted(points.names)) or "none"
                    hint = f"install it beside reconciler; installed are: {known}"
                    raise SecretUnavailable(f"there is no plug-in '{name}'", hint=hint)
                try:
                    self._loaded[name] = points[name].load()(self._context)
                except Exception as failure:  # noqa: BLE001 (others' code)
                    raise SecretUnavailable(f"the plug-in '{name}' cannot be loaded ({type(failure).__name__})", hint="ask who wrote it") from None  # fmt: skip
            return self._loaded[name]
