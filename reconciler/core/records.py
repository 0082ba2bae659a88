"""Live records by address: what a plan of everything needs all of."""

from collections import Counter
from collections.abc import Mapping
from sys import intern

from reconciler.core.model import Key, Record, Resource


def owned_by(records: Mapping[Key, Record], owner: str) -> Counter[str]:
    """How many records of each kind an owner has; "" for those without one."""
    return Counter(key.kind for key, record in records.items() if record.owner == owner)


def beside(record: Record, resource: Resource | None) -> Record:
    """A record that shares with its resource what both say, as there may be very many."""
    if resource is None:
        return record
    printed = resource.fingerprint
    return Record(
        resource.key if record.key == resource.key else record.key,
        record.uid,
        printed if record.fingerprint == printed else record.fingerprint,
        printed if record.applied == printed else record.applied,
        intern(record.owner),
        resource.display if record.display == resource.display else record.display,
        record.version,
        record.touched,
    )
