"""Live records in little memory, as a plan of everything needs all of them."""

import struct
from collections import Counter
from collections.abc import Iterator, Mapping

from reconciler.core.model import Key, Record, Resource

_ROW = struct.Struct("<16sQH")
"""Uid, version, and number of the owner."""
_UID = 32  # digits
_NOTHING: Mapping[Key, Resource] = {}


class Records(Mapping[Key, Record]):
    """Records by address, in the order in which they were added; those that are just as declared take a few bytes.

    They are made when they are asked for, and not kept.
    """

    def __init__(self, near: Mapping[Key, Resource] = _NOTHING) -> None:
        """Hold none yet.

        Args:
            near: what is declared.
        """
        self._near = near
        self._rows: dict[Key, bytes | Record] = {}
        self._owners: dict[str, int] = {}
        self._names: list[str] = []
        self._counts: Counter[tuple[str, str]] = Counter()

    def add(self, record: Record) -> None:
        """Hold a record, in place of the one at its address."""
        resource = self._near.get(record.key)
        key = resource.key if resource else record.key
        if key not in self._rows:
            self._counts[record.owner, key.kind] += 1
        if resource is None or not self._is_declared(record, resource):
            self._rows[key] = record
            return
        if record.owner not in self._owners:
            self._owners[record.owner] = len(self._names)
            self._names.append(record.owner)
        self._rows[key] = _ROW.pack(bytes.fromhex(record.uid), record.version, self._owners[record.owner])

    def _is_declared(self, record: Record, resource: Resource) -> bool:
        """Whether all that it says beyond a row is what the resource says."""
        same = record.fingerprint == record.applied == resource.fingerprint and record.display == resource.display
        return same and not record.touched and _is_plain(record) and len(self._names) < 1 << 16

    def owned(self, owner: str) -> Counter[str]:
        """How many records of each kind an owner has; "" for those without one."""
        return Counter({kind: count for (name, kind), count in self._counts.items() if name == owner})

    def __getitem__(self, key: Key) -> Record:
        """The record at an address."""
        row = self._rows[key]
        if not isinstance(row, bytes):
            return row
        uid, version, owner = _ROW.unpack(row)
        resource = self._near[key]
        printed = resource.fingerprint
        return Record(resource.key, uid.hex(), printed, printed, self._names[owner], resource.display, version)

    def __contains__(self, key: object) -> bool:
        """Whether there is a record at an address."""
        return key in self._rows

    def __iter__(self) -> Iterator[Key]:
        """The addresses."""
        return iter(self._rows)

    def __len__(self) -> int:
        """How many there are."""
        return len(self._rows)


def _is_plain(record: Record) -> bool:
    """Whether a row says its uid and its version."""
    uid = record.uid
    if len(uid) != _UID or not 0 <= record.version < 1 << 64:
        return False
    try:
        return bytes.fromhex(uid).hex() == uid
    except ValueError:
        return False
