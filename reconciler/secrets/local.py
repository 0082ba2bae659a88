"""Secrets of this machine: variables and files, fetched once each."""

import json
import os
import stat
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Any

from msgspec import Struct, field

from reconciler.core.references import BOUNDS_HINT, OF_FILES, Bounds, own
from reconciler.errors import SecretRefused, SecretUnavailable, UsageError
from reconciler.secrets.own import ELSEWHERE, Own

MAX_ENV_FILE_BYTES = 1024 * 1024


class ResolverContext(Struct, frozen=True, dict=True):
    """The surroundings of a run. Plug-ins get it too.

    Attributes:
        environment: variables of the process.
        env_file: file of NAME=value lines for what the environment lacks, or None.
        root: the configuration repository.
        helpers: programs that may be started, by name; see schemas/project.schema.json.
        own: what belongs to the tool, and so is nobody's secret.
        bounds: what the operator lets references lead to.
        env_file_given: whether the operator names the env file, and not the repository.
        reading: held by the thread that reads it.
    """

    environment: Mapping[str, str]
    env_file: Path | None
    root: Path
    helpers: Mapping[str, Mapping[str, Any]]
    own: Own
    bounds: Bounds
    env_file_given: bool = False
    reading: Lock = field(default_factory=Lock)

    def __repr__(self) -> str:
        """Without the environment, which holds secrets."""
        return f"Context(root={self.root!r})"

    def lookup(self, *names: str) -> str:
        """The value of the first variable that has one, in the environment and then in the env file; else ""."""
        for name in names:
            value = self.environment.get(name) or self._file_values.get(name)
            if value:
                return value
        return ""

    def variables(self) -> dict[str, str]:
        """The variables of the process, with what only the env file has."""
        added = {name: value for name, value in self._file_values.items() if value}
        return {**added, **self.environment}

    def refuse(self, scheme: str, target: str) -> None:
        """Stop when nobody may read what a reference leads to. Links are followed, and nothing is opened.

        Links inside the repository are part of what a pull request changes, so the bounds hold for what they lead to
        as well; those outside of it are the operator's.

        Raises:
            SecretRefused: nobody may.
        """
        proofs = (words for words, proof in self.own.proofs if proof == {scheme: target})
        what = own(scheme, target) or next(proofs, "")
        if what:
            raise SecretRefused(f"it leads to {what}", hint=ELSEWHERE)
        if not self.bounds.permit(scheme, target):
            raise SecretRefused("it is outside of what secret references may lead to here", hint=BOUNDS_HINT)
        if scheme not in OF_FILES:
            return
        path, mark, key = target.partition("#") if scheme == "sops" else (target, "", "")
        with suppress(OSError, ValueError):  # whoever reads it says so
            real, _ = self.own.judge(path)
            if self.bounds.is_inside(path) and not self.bounds.permit(scheme, real + mark + key):
                raise SecretRefused(
                    "a link leads it outside of what secret references may lead to here", hint=BOUNDS_HINT
                )

    @property
    def _file_values(self) -> Mapping[str, str | None]:
        """Read once, as a pipe can be, although several threads may ask."""
        if self.env_file is None:
            return {}
        with self.reading:
            if "_read" not in self.__dict__:
                self.__dict__["_read"] = _parsed_environment(self._env_file_bytes(self.env_file), self.env_file)
        found: Mapping[str, str | None] = self.__dict__["_read"]
        return found

    def _env_file_bytes(self, path: Path) -> bytes:
        """The env file: any that the operator names; of the repository's choice one that a reference might name."""
        try:
            if self.env_file_given:
                return _read_given(path)
            self.refuse("file", str(path))
            return self.own.read(str(path), MAX_ENV_FILE_BYTES)[1]
        except FileNotFoundError:
            raise UsageError(f"there is no env file {path}", hint="check --env-file") from None
        except OSError as failure:
            raise UsageError(f"the env file {path} cannot be read: {failure.strerror}", hint="check --env-file") from None  # fmt: skip
        except SecretUnavailable as failure:
            hint = failure.hint if isinstance(failure, SecretRefused) else "check envFile in reconciler.yaml"
            raise UsageError(f"the env file {path} cannot be read: {failure.message}", hint=hint) from None


def _read_given(path: Path) -> bytes:
    """The bytes of a file, or of a pipe such as a shell's <(...)."""
    with path.open("rb") as opened:
        if stat.S_ISDIR(os.fstat(opened.fileno()).st_mode):
            raise FileNotFoundError
        data = opened.read(MAX_ENV_FILE_BYTES + 1)
    if len(data) > MAX_ENV_FILE_BYTES:
        raise UsageError(f"the env file {path} holds more than {MAX_ENV_FILE_BYTES // 2**20} MiB", hint="name the right file")  # fmt: skip
    return data


def _parsed_environment(data: bytes, path: Path) -> Mapping[str, str | None]:
    from io import StringIO

    from dotenv.parser import parse_stream

    hint = "it should hold NAME=value lines in UTF-8"
    try:
        bindings = list(parse_stream(StringIO(data.decode("utf-8"))))
    except UnicodeDecodeError:
        raise UsageError(f"the env file {path} cannot be read", hint=hint) from None
    for binding in bindings:
        if binding.error:  # not what it says: that may be half a secret
            raise UsageError(f"line {binding.original.line} of the env file {path} cannot be read", hint=hint)
    return {binding.key: binding.value for binding in bindings if binding.key is not None}


class EnvSecrets:
    """{env: NAME}: from the environment, then from the env file: a pipeline's own variables win over an example."""

    def __init__(self, context: ResolverContext) -> None:
        self._context = context

    def resolve(self, target: str) -> str:
        """The variable's value."""
        value = self._context.lookup(target)
        if not value:
            state = "is empty" if target in self._context.environment else "is not set"
            where = f" and not in {self._context.env_file}" if self._context.env_file else ""
            raise SecretUnavailable(f"{target} {state}{where}", hint=f"set {target}, or name a file with --env-file")
        if not value.isascii() and not _is_text(value):
            raise SecretUnavailable(f"{target} is not UTF-8", hint="encode it, e.g. in base64")
        return value


class FileSecrets:
    """{file: PATH}. One final line break is not part of the secret."""

    def __init__(self, context: ResolverContext) -> None:
        self._context = context

    def resolve(self, target: str) -> str:
        """The file's text."""
        path, data = self._context.own.read(target)
        try:
            value = without_line_break(data.decode("utf-8"))
        except UnicodeDecodeError:
            # the cause would carry the bytes
            raise SecretUnavailable("it is not UTF-8", hint="name a text file") from None
        if not value:
            raise SecretUnavailable("it is empty", hint=f"write the secret to {path}")
        return value


def without_line_break(text: str) -> str:
    """The text without one final line break."""
    return text.removesuffix("\n").removesuffix("\r")


def _is_text(value: str) -> bool:
    """Whether `value` is text; bytes of the environment that are not UTF-8 become lone surrogates."""
    return not any("\ud800" <= char <= "\udfff" for char in value)


class Documents:
    """Fetches what SOURCE#KEY names. Safe for several threads, of which each fetches another source."""

    def __init__(self, fetch: Callable[[str], Any]) -> None:
        """Remember how.

        Args:
            fetch: from a source to its content: a mapping or a text.
        """
        self._fetch = fetch
        self._lock = Lock()
        self._known: dict[str, Any] = {}

    def resolve(self, target: str) -> str:
        """The secret at SOURCE#KEY, or the whole text of SOURCE."""
        source, _, key = target.partition("#")
        content = self._content(source)
        if not key:
            if not isinstance(content, str):
                raise SecretUnavailable("it holds several values", hint="name one of them: ...#KEY")
            return content
        return pick(content, key)

    def _content(self, source: str) -> Any:
        with self._lock:
            known = self._known.get(source)
        if known is None:
            try:
                known = self._fetch(source)
            except SecretUnavailable as failure:
                known = failure
            with self._lock:
                self._known[source] = known
        if isinstance(known, SecretUnavailable):
            raise known.again()
        return known


def pick(content: Any, key: str) -> str:
    """The value of a key, or of steps into mappings that are separated by dots.

    Raises:
        SecretUnavailable: there is no such key, or no single value at it.
    """
    if isinstance(content, str):
        content = _parsed(content)
    found = content[key] if isinstance(content, dict) and key in content else _at(content, key)
    if isinstance(found, bool) or not isinstance(found, (str, int, float)):
        state = "is no single value" if found is not None else "is not in it"
        raise SecretUnavailable(f"the key {key} {state}", hint="check the part behind #")
    if found == "":
        raise SecretUnavailable(f"the key {key} is empty", hint="store a value there")
    return str(found)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise SecretUnavailable("it holds no JSON, so it has no keys", hint="remove the part behind #") from None


def _at(content: Any, dotted: str) -> Any:
    for step in dotted.split("."):
        if isinstance(content, dict):
            content = content.get(step)
        elif isinstance(content, list) and step.isdecimal() and int(step) < len(content):
            content = content[int(step)]
        else:
            return None
    return content
