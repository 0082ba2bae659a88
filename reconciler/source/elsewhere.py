"""What the project file says that other repositories define, into the same store: it may be referred to."""

from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from reconciler.core.model import Key
from reconciler.diagnostics import has_errors
from reconciler.kinds.crosscheck import Clash
from reconciler.kinds.registry import WORDS
from reconciler.source.project import read_project

SETTING = "definedElsewhere"


def keys_elsewhere(project: Mapping[str, Any]) -> frozenset[Key]:
    """The resources that a project file names as those of others."""
    parts = (address.partition("/") for address in project.get(SETTING, ()))
    return frozenset(Key(WORDS[word], name) for word, _, name in parts)


class Elsewhere:
    """Tells which references lead out of the repository; the project file is read once one seems to lead nowhere."""

    def __init__(self, read: Callable[[], Mapping[str, Any]]) -> None:
        """Read nothing yet."""
        self._read = read

    @classmethod
    def of(cls, root: Path) -> "Elsewhere":
        """As the working tree's project file says, where nothing is wrong with it."""

        def read() -> Mapping[str, Any]:
            project, faults = read_project(root)
            return {} if has_errors(faults) else project

        return cls(read)

    def counts(self, clash: Clash) -> bool:
        """Whether a clash is one: a reference to what is defined elsewhere is none."""
        return clash.code != "RC301" or clash.ref not in self._keys

    @cached_property
    def _keys(self) -> frozenset[Key]:
        return keys_elsewhere(self._read())
