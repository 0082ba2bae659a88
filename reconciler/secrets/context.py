"""What resolvers of secret references may use."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from reconciler.errors import UsageError
from reconciler.value_class import field, value_class


@value_class(caching=True)
class Context:
    """The surroundings of a run. Plug-ins get it too.

    Attributes:
        environment: variables of the process.
        env_file: file of NAME=value lines for what the environment lacks, or None.
        root: the configuration repository.
        helpers: programs that may be started, by name; see schemas/project.schema.json.
    """

    environment: Mapping[str, str] = field(repr=False)
    env_file: Path | None
    root: Path
    helpers: Mapping[str, Mapping[str, Any]]

    def lookup(self, *names: str) -> str:
        """The value of the first variable that has one, in the environment and then in the env file; else ""."""
        for name in names:
            value = self.environment.get(name) or self._file_values.get(name)
            if value:
                return value
        return ""

    def variables(self) -> dict[str, str]:
        """The environment of a program that is started: the process's, with what only the env file has."""
        added = {name: value for name, value in self._file_values.items() if value}
        return {**added, **self.environment}

    @cached_property
    def _file_values(self) -> Mapping[str, str | None]:
        return _read_env_file(self.env_file) if self.env_file else {}


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
