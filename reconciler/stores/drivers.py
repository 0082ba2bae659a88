"""From the URL of a store to its driver: by the table, else by entry points; and the words of refused writes."""

import json
from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING

from reconciler.core.conditions import BODY, GONE, LEFT
from reconciler.core.diff import Path, diff
from reconciler.core.model import Key
from reconciler.core.ports.live import Live
from reconciler.core.ports.state import Driver, DriverContext, State
from reconciler.errors import NotConverged, ReconcilerError, RecordConflict, UsageError
from reconciler.kinds.common import dotted
from reconciler.kinds.merge import is_secret_value
from reconciler.kinds.registry import address

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint


GROUP = "reconciler.stores"
_POSTGRESQL = ("postgresql://HOST/DATABASE", "reconciler.stores.postgresql.driver:open_postgresql")
_PROCESSMAKER = ("processmaker+https://HOST", "reconciler.stores.processmaker.driver:open_processmaker")
_DRIVERS = {
    "sqlite": ("sqlite:PATH", "reconciler.stores.sqlite.driver:open_sqlite"),
    "postgresql": _POSTGRESQL,
    "postgres": _POSTGRESQL,
    "processmaker+https": _PROCESSMAKER,
    "processmaker+http": _PROCESSMAKER,
}
"""By scheme how its URLs are written, and module and function of the driver."""


def open_url(url: str, context: DriverContext) -> State | Live:
    """The store at a URL; nothing is opened before it is used.

    Raises:
        UsageError: there is no driver for the scheme, it cannot be loaded or is none, or the URL is none.
    """
    scheme = url.partition(":")[0]
    if scheme in _DRIVERS:
        module, _, name = _DRIVERS[scheme][1].partition(":")
        opened: State | Live = getattr(import_module(module), name)(url, context)
        return opened
    from importlib.metadata import entry_points

    points = entry_points(group=GROUP)
    if scheme not in points.names:
        forms = (*dict.fromkeys(form for form, _ in _DRIVERS.values()), *(f"{name}:" for name in sorted(points.names)))
        raise UsageError(f"there is no store driver for '{scheme}:'", hint=f"known are: {', '.join(forms)}")
    return _opened(points[scheme], url, context)


def _opened(point: "EntryPoint", url: str, context: DriverContext) -> State | Live:
    """What the driver of others gives, whose faults are told as theirs."""
    whose = f"the store driver for '{point.name}:'"
    driver = _loaded(point, whose)
    try:
        opened = driver(url, context)
    except ReconcilerError:
        raise
    except Exception as failure:
        raise UsageError(f"{whose} failed ({type(failure).__name__})", hint="ask who wrote it") from failure
    if not isinstance(opened, (State, Live)):
        raise UsageError(f"{whose} is none: it gives no live store", hint="see docs/store-drivers.md")
    return opened


def _loaded(point: "EntryPoint", whose: str) -> Driver:
    try:
        found: Driver = point.load()
    except ModuleNotFoundError as failure:
        hint = f"install what it needs: pip install {failure.name}"
        raise UsageError(f"{whose} cannot be loaded: there is no module {failure.name}", hint=hint) from failure
    except Exception as failure:
        raise UsageError(f"{whose} cannot be loaded ({type(failure).__name__})", hint="ask who wrote it") from failure
    return found


_MOST = 20


def stale(details: Iterable[str]) -> RecordConflict:
    """That live records moved after planning."""
    return RecordConflict(
        "the plan is stale: live records moved after planning; nothing was changed",
        hint="run the command again",
        details=tuple(details),
    )


def stale_basis(moved: Iterable[Key]) -> RecordConflict:
    """That what the plan was judged by moved."""
    return RecordConflict(
        "the plan is stale: policies or groups that it was judged by moved after planning; nothing was changed",
        hint="run the command again",
        details=tuple(f"{address(*key)} was changed" for key in moved),
    )


def left_dangling(pairs: Iterable[tuple[Key, Key]]) -> RecordConflict:
    """That records would refer to nothing."""
    return RecordConflict(
        "records would be referred to that are not in the store; nothing was changed",
        hint="run: reconciler plan",
        details=tuple(f"{address(*referrer)} refers to {address(*target)}" for referrer, target in pairs),
    )


def not_converged(key: Key, reason: str) -> NotConverged:
    """That a record is not what was planned."""
    hint = "something else writes to the store, or a trigger that somebody added changes what is written"
    return NotConverged(f"{address(*key)} did not converge: {reason}; nothing was kept", hint=hint)


def unlike(what: str, planned: bytes | None, live: str | None) -> str:
    """In words what `core.convergence.unlike` found of a record."""
    if what == LEFT:
        return "it is still there after its deletion"
    if what == GONE:
        return "it is not there after it was written"
    if what == BODY:
        return differing((planned or b"").decode(), live)
    return f"its {what} is not what was planned"


def differing(planned: str, live: str | None) -> str:
    """What is said of a body that is not the one planned: its fields, without their values, which may be secret."""
    if live is None:
        return "it has no body after it was written"
    paths = [path for path, _, _ in diff(json.loads(planned), json.loads(live), is_secret_value)]
    if not paths:
        return "its body is another text than what was planned"
    named = [_named(path) for path in paths]
    return f"{listed(named)} {'is' if len(named) == 1 else 'are'} not what was planned"


def _named(path: Path) -> str:
    return dotted(path[1:] if path[:1] == ("metadata",) and len(path) > 1 else path) or "the body"


def listed(names: Sequence[str]) -> str:
    """Some names, and how many more there are."""
    return ", ".join(names[:_MOST]) + (f" and {len(names) - _MOST} more" if len(names) > _MOST else "")
