"""From the URL of a store to its driver: by the table, else by the entry-point group reconciler.stores.

docs/store-drivers.md shows how to write one. This is the only place that knows schemes.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from reconciler.core.ports.driver import Context, Driver
from reconciler.core.ports.live import Live
from reconciler.core.ports.state import State
from reconciler.errors import UsageError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "reconciler.stores"
_DRIVERS = {"sqlite": ("sqlite:PATH", "reconciler.stores.sql.driver:open_sqlite")}
"""By scheme how its URLs are written, and module and function of the driver."""


def open_url(url: str, context: Context) -> State | Live:
    """The store at a URL; nothing is opened before it is used.

    Raises:
        UsageError: there is no driver for the scheme, it cannot be loaded, or the URL is none.
    """
    return _driver(url.partition(":")[0])(url, context)


def _driver(scheme: str) -> Driver:
    if scheme in _DRIVERS:
        module, _, name = _DRIVERS[scheme][1].partition(":")
        known: Driver = getattr(import_module(module), name)
        return known
    from importlib.metadata import entry_points

    points = entry_points(group=GROUP)
    if scheme not in points.names:
        forms = (*(form for form, _ in _DRIVERS.values()), *(f"{name}:" for name in sorted(points.names)))
        raise UsageError(f"there is no store driver for '{scheme}:'", hint=f"known are: {', '.join(forms)}")
    return _loaded(points[scheme])


def _loaded(point: "EntryPoint") -> Driver:
    whose = f"the store driver for '{point.name}:'"
    try:
        found: Driver = point.load()
    except ModuleNotFoundError as failure:
        hint = f"install what it needs: pip install {failure.name}"
        raise UsageError(f"{whose} cannot be loaded: there is no module {failure.name}", hint=hint) from failure
    except Exception as failure:
        raise UsageError(f"{whose} cannot be loaded ({type(failure).__name__})", hint="ask who wrote it") from failure
    return found
