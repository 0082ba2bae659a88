"""Settings to the lease that runs take."""

from typing import TYPE_CHECKING

from reconciler.settings import Settings
from reconciler.wiring.history import store_path
from reconciler.wiring.run import local_host, now

if TYPE_CHECKING:
    from reconciler.stores.sql.locks import SqliteLocks


def open_locks(settings: Settings) -> "SqliteLocks":
    """The lease of the live store, to be seen and ended; nothing is opened before it is used.

    Raises:
        UsageError: no driver for the URL's scheme.
    """
    from reconciler.stores.sql.locks import SqliteLocks

    return SqliteLocks(store_path(settings), host=local_host(), clock=now, lock_seconds=settings.lock_seconds)
