"""What the user said that every command understands."""

from typing import Any, NamedTuple


class Options(NamedTuple):
    """Values of the common options; None or False where nothing was said."""

    directory: str | None = None
    target: str | None = None
    store: str | None = None
    env_file: str | None = None
    secrets_allowed: str | None = None
    actor: str | None = None
    output: str | None = None
    color: str = "auto"
    quiet: bool = False
    verbose: bool = False
    no_input: bool = False
    no_cache: bool = False


_said: dict[str, Any] = {}


def options() -> Options:
    """What the user said, on either side of the command."""
    return Options(**_said)


def note(name: str, value: Any) -> None:
    """Note the value of an option; a later one replaces it."""
    _said[name] = value


def forget() -> None:
    """Forget all: another command line begins."""
    _said.clear()
