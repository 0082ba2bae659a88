"""Settings to the store's history, and to the lines of git that it speaks of."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.core.access import Route
from reconciler.core.model import Key, Resource
from reconciler.errors import ReconcilerError, UsageError
from reconciler.settings import Settings, sqlite_path

if TYPE_CHECKING:
    from reconciler.core.audit import Audit
    from reconciler.stores.sql.history import SqliteHistory
    from reconciler.stores.sql.repairing import SqliteRepairs


def open_history(settings: Settings) -> "SqliteHistory":
    """What the live store remembers; nothing is opened before it is used.

    Raises:
        UsageError: no driver for the URL's scheme.
    """
    from reconciler.stores.sql.history import SqliteHistory

    return SqliteHistory(store_path(settings))


def audit_store(settings: Settings, noted: str) -> "Audit":
    """Look the live store over; see `audit`."""
    from reconciler.stores.sql.auditing import audit
    from reconciler.wiring.run import lost_store, now

    return audit(store_path(settings), lost_store(settings), noted, now())


def open_repairs(settings: Settings) -> "SqliteRepairs":
    """What mends the live store; nothing is opened before it is used.

    Raises:
        UsageError: no driver for the URL's scheme.
    """
    from reconciler.stores.sql.repairing import SqliteRepairs
    from reconciler.wiring.run import local_host, now

    return SqliteRepairs(store_path(settings), host=local_host(), clock=now, lock_seconds=settings.lock_seconds)


def store_path(settings: Settings) -> Path:
    """The file of the live store.

    Raises:
        UsageError: no driver for the URL's scheme.
    """
    scheme = settings.store.partition(":")[0]
    if scheme != "sqlite":
        raise UsageError(f"there is no store driver for '{scheme}:'", hint="known are: sqlite:PATH")
    return sqlite_path(settings.root, settings.store)


class PastLines:
    """Where policies stood in the commits that they were applied from."""

    def __init__(self, root: Path) -> None:
        """Of the repository at `root`; read nothing yet."""
        self._root = root
        self._policies = cache(self._load)

    def of(self, commit: str, fingerprint: str, route: Route) -> tuple[str, int] | None:
        """File and line of a grant, or of what makes a super admin; None where git does not show it.

        Args:
            commit: as a run has it.
            fingerprint: of the body that was applied.
        """
        from reconciler.wiring.comparing import lines_of

        if not commit or commit.endswith("-dirty"):
            return None
        try:
            policies = self._policies(commit)
            found = policies.get(Key("PermissionPolicy", route.policy))
            if found is None or found.fingerprint != fingerprint:
                return None
            return lines_of(self._root, commit, policies).of(route)
        except ReconcilerError:  # the commit is of another repository, or git is not there
            return None

    def _load(self, commit: str) -> Mapping[Key, Resource]:
        from reconciler.source import files
        from reconciler.source.comparison import PartReader

        return PartReader(self._root).load(dict(files.committed(self._root, commit, ("policies",)))).resources
