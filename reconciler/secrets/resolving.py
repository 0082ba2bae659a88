"""The resolvers of secret references: `env` and `file`."""

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from reconciler.core.secret import Secret
from reconciler.errors import SecretUnavailable, UsageError

MAX_SECRET_BYTES = 64 * 1024
_NEVER_WAIT = getattr(os, "O_NONBLOCK", 0)  # opening a pipe would wait for somebody to write to it


class Resolver:
    """Resolves references from the environment, an env file, and secret files.

    A name is looked up in the environment first and then in the env file, so that a pipeline's own
    variables win over a committed example.
    """

    def __init__(self, environment: Mapping[str, str], env_file: Path | None, root: Path) -> None:
        self._environment = environment
        self._env_file = env_file
        self._root = root
        self._file_values: Mapping[str, str | None] | None = None
        self._known: dict[tuple[str, str], Secret] = {}

    def resolve(self, reference: Mapping[str, str]) -> Secret:
        """The value behind a reference such as {"env": "NAME"}.

        Raises:
            SecretUnavailable: the variable or file is missing or empty; the message says what to set.
        """
        ((scheme, target),) = reference.items()
        known = self._known.get((scheme, target))
        if known is None:
            known = self._from_environment(target) if scheme == "env" else self._from_file(target)
            self._known[scheme, target] = known
        return known

    def _from_environment(self, name: str) -> Secret:
        value = self._environment.get(name) or self._values_of_file().get(name)
        if not value:
            state = "is empty" if name in self._environment else "is not set"
            where = f" and not in {self._env_file}" if self._env_file else ""
            raise SecretUnavailable(f"{{env: {name}}}: {name} {state}{where}", hint=f"set {name}, or name a file with --env-file")  # fmt: skip
        if not value.isascii() and not _is_text(value):
            raise SecretUnavailable(f"{{env: {name}}}: {name} is not UTF-8", hint="encode it, e.g. in base64")
        return Secret(value)

    def _values_of_file(self) -> Mapping[str, str | None]:
        if self._file_values is None:
            self._file_values = _read_env_file(self._env_file) if self._env_file else {}
        return self._file_values

    def _from_file(self, target: str) -> Secret:
        path = self._root / target
        try:
            with open(os.open(path, os.O_RDONLY | _NEVER_WAIT), "rb") as opened:
                if not stat.S_ISREG(os.fstat(opened.fileno()).st_mode):
                    raise SecretUnavailable(f"{{file: {target}}}: it is not a regular file", hint="name a file")
                data = opened.read(MAX_SECRET_BYTES + 1)
        except OSError as failure:
            raise SecretUnavailable(
                f"{{file: {target}}}: {failure.strerror}", hint=f"provide the file {path}"
            ) from failure
        if len(data) > MAX_SECRET_BYTES:
            raise SecretUnavailable(f"{{file: {target}}}: it holds more than 64 KiB", hint="name the right file")
        try:
            value = data.decode("utf-8").removesuffix("\n").removesuffix("\r")
        except UnicodeDecodeError:
            # the cause would carry the bytes
            raise SecretUnavailable(f"{{file: {target}}}: it is not UTF-8", hint="name a text file") from None
        if not value:
            raise SecretUnavailable(f"{{file: {target}}}: it is empty", hint=f"write the secret to {path}")
        return Secret(value)


def _is_text(value: str) -> bool:
    """Whether `value` is text; bytes of the environment that are not UTF-8 become lone surrogates."""
    return not any("\ud800" <= char <= "\udfff" for char in value)


def _read_env_file(path: Path) -> Mapping[str, str | None]:
    from dotenv import dotenv_values

    if not path.is_file():
        raise UsageError(f"there is no env file {path}", hint="check --env-file")
    try:
        return dotenv_values(path, interpolate=False)
    except (OSError, UnicodeDecodeError):
        raise UsageError(
            f"the env file {path} cannot be read", hint="it should hold NAME=value lines in UTF-8"
        ) from None
