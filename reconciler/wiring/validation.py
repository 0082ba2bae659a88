"""All that is wrong with a repository: for the command line and for the Python API alike."""

from pathlib import Path

from reconciler.core.ports.source import Desired
from reconciler.diagnostics import Diagnostic, has_errors, sorted_diagnostics
from reconciler.source.project import read_project
from reconciler.source.repository import Repository
from reconciler.wiring.references import reference_diagnostics


def found_in(root: Path, source: Repository, desired: Desired, *, settings: bool) -> list[Diagnostic]:
    """What is wrong with definitions, around them and with the project file, sorted.

    Args:
        source: where `desired` was loaded from.
        settings: whether faults of the project file, which is that of the working tree, are told too.
    """
    project, faults = read_project(root)
    found = [*desired.diagnostics, *source.around(), *(faults if settings else ())]
    if not has_errors(faults):
        found += reference_diagnostics(root, project, desired.resources.values(), source.read)
    return sorted_diagnostics(found)
