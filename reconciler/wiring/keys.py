"""Settings to the live store's key, and to copies of the store."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.settings import Settings
from reconciler.wiring.history import store_path
from reconciler.wiring.run import key_beside, lost_store, now

if TYPE_CHECKING:
    from reconciler.secrets.next_key import NewKey
    from reconciler.stores.sql.keys import SqliteKeys


def open_keys(settings: Settings) -> "SqliteKeys":
    """The key of the live store; nothing is opened before it is used.

    Raises:
        UsageError: no driver for the URL's scheme.
    """
    from reconciler.stores.host import LocalHost
    from reconciler.stores.sql.keys import SqliteKeys

    return SqliteKeys(store_path(settings), host=LocalHost(), clock=now, lock_seconds=settings.lock_seconds)


def next_key(settings: Settings, environment: Mapping[str, str]) -> "NewKey":
    """The key to change to; see `make_next_key`."""
    from reconciler.secrets.next_key import make_next_key

    return make_next_key(environment, settings.key_file, key_beside(store_path(settings)))


def back_up(settings: Settings, to: Path, *, replace: bool) -> bool:
    """Copy the live store; see `copy_store`."""
    from reconciler.stores.sql.copying import copy_store

    return copy_store(store_path(settings), to, lost_store(settings), replace=replace)


def key_place(settings: Settings, environment: Mapping[str, str], copy: Path) -> tuple[str, str]:
    """Where the live store's key is, and where a copy that is used as a store looks for its own; "" where that is the same."""
    from reconciler.secrets.keys import find_place

    place = find_place(environment, settings.key_file, key_beside(store_path(settings)))
    return place.name, str(key_beside(copy)) if place.private else ""
