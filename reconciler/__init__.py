"""GitOps for data connectors: definitions in git, validated, planned and applied to a live store.

For programs: `Repository` reads, validates and plans; what it gives are typed, frozen models, and what goes wrong is a
`ReconcilerError`. docs/reference/python-api.md tells it with examples. Nothing is loaded before it is asked for.
"""

from reconciler.version import __version__

TYPE_CHECKING = False  # the one of `typing`, without loading that
if TYPE_CHECKING:
    from reconciler.api import Repository
    from reconciler.errors import (
        InvalidDefinitions,
        KeyUnavailable,
        ReconcilerError,
        SourceUnavailable,
        StoreUnavailable,
        UsageError,
    )
    from reconciler.models.access import AccessTest, Group, PermissionPolicy
    from reconciler.models.connector import Category, Connector
    from reconciler.models.plan import Change, FieldChange, Plan, Problem
    from reconciler.models.project import Project, Target
    from reconciler.models.validation import Diagnostic, ValidationResult

__all__ = [
    "AccessTest",
    "Category",
    "Change",
    "Connector",
    "Diagnostic",
    "FieldChange",
    "Group",
    "InvalidDefinitions",
    "KeyUnavailable",
    "PermissionPolicy",
    "Plan",
    "Problem",
    "Project",
    "ReconcilerError",
    "Repository",
    "SourceUnavailable",
    "StoreUnavailable",
    "Target",
    "UsageError",
    "ValidationResult",
    "__version__",
]
_MODULES = {
    "api": ("Repository",),
    "models.access": ("AccessTest", "Group", "PermissionPolicy"),
    "models.connector": ("Category", "Connector"),
    "models.plan": ("Change", "FieldChange", "Plan", "Problem"),
    "models.project": ("Project", "Target"),
    "models.validation": ("Diagnostic", "ValidationResult"),
}


def __getattr__(name: str) -> object:
    """A public name, whose module is loaded now: https://peps.python.org/pep-0562/."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    module = next((module for module, names in _MODULES.items() if name in names), "errors")
    return getattr(import_module(f"{__name__}.{module}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
