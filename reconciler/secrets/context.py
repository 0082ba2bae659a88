"""What resolvers of secret references may use."""

import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any

from msgspec import Struct

from reconciler.core.references import BOUNDS_HINT, OF_FILES, Bounds, own
from reconciler.errors import SecretRefused, SecretUnavailable, UsageError
from reconciler.secrets.own import ELSEWHERE, Own

MAX_ENV_FILE_BYTES = 1024 * 1024


class Context(Struct, frozen=True, dict=True):
    """The surroundings of a run. Plug-ins get it too.

    Attributes:
        environment: variables of the process.
        env_file: file of NAME=value lines for what the environment lacks, or None.
        root: the configuration repository.
        helpers: programs that may be started, by name; see schemas/project.schema.json.
        own: what belongs to the tool, and so is nobody's secret.
        bounds: what the operator lets references lead to.
        env_file_given: whether the operator names the env file, and not the repository.
    """

    environment: Mapping[str, str]
    env_file: Path | None
    root: Path
    helpers: Mapping[str, Mapping[str, Any]]
    own: Own
    bounds: Bounds
    env_file_given: bool = False

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
        if what := own(scheme, target):
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

    @cached_property
    def _file_values(self) -> Mapping[str, str | None]:
        if self.env_file is None:
            return {}
        return _parsed(self._env_file_bytes(self.env_file), self.env_file)

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


def _parsed(data: bytes, path: Path) -> Mapping[str, str | None]:
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
