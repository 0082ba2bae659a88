"""What a plan says of deleted records whose time is over."""

from reconciler.core.ports.store import Store
from reconciler.core.quarantine import waiting


def waiting_notice(store: Store, owner: str, days: int, now: str) -> tuple[str, ...]:
    """That deleted records wait to be purged."""
    count = len(waiting(store.deleted(), owner, days, now))
    if not count:
        return ()
    records = "record was" if count == 1 else "records were"
    return (f"{count:,} {records} deleted {days} days ago or longer; to destroy for good: reconciler store purge",)
