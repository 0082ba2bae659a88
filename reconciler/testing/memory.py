"""A live store in memory, as an example of a driver; see docs/store-drivers.md.

With a path it keeps its records in a file of JSON, so that other processes see them, and people can edit them.
"""

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

from reconciler.core.model import Key
from reconciler.core.ports.live import LiveRecord, Outcome, Result, Write
from reconciler.core.ports.state import DriverContext
from reconciler.durable import replace_file
from reconciler.errors import StoreUnavailable

Rows = dict[str, dict[str, Any]]
"""By id kind, name and body of a record, and by address what stands for a secret."""


def open_memory(url: str, context: DriverContext) -> "MemoryStore":
    """The store that a ``memory:PATH`` URL names: what the entry point of the driver leads to."""
    path = url.partition(":")[2]
    return MemoryStore(context.root / path if path else None)


class MemoryStore:
    """Some records."""

    def __init__(self, path: Path | None = None) -> None:
        """Read nothing yet."""
        self._path = path
        self._name = os.urandom(16).hex()
        self._rows: Rows = {}

    def identity(self) -> str:
        """A random name, which a real store would have of itself."""
        with self._opened() as _:
            return self._name

    def read(self, ids: Sequence[str] | None = None) -> Iterator[LiveRecord]:
        """All records, or some."""
        with self._opened() as rows:
            for uid in rows if ids is None else (uid for uid in ids if uid in rows):
                yield LiveRecord(uid, _key(rows[uid]), rows[uid]["body"], _version(rows[uid]))

    def write(self, writes: Sequence[Write]) -> list[Outcome]:
        """Carry out those that can be done."""
        with self._opened() as rows:
            doable = self._doable(rows, writes)
            outcomes = [self._written(rows, write) if write in doable else _refused(rows, write) for write in writes]
        self._save()
        return outcomes

    def close(self) -> None:
        """Nothing is open."""

    def _doable(self, rows: Rows, writes: Sequence[Write]) -> list[Write]:
        """Those whose record is as it was, and whose address is free once all the others are done."""
        doable = [write for write in writes if not write.id or _stands(rows, write)]
        while True:
            moving = {write.id for write in doable}
            taken = {_key(row) for uid, row in rows.items() if uid not in moving}
            free = [write for write in doable if write.body is None or write.key not in taken]
            if len(free) == len(doable):
                return free
            doable = free

    def _written(self, rows: Rows, write: Write) -> Outcome:
        if write.body is None:
            del rows[write.id]
            return Outcome(Result.DONE, write.id)
        uid = write.id or os.urandom(8).hex()
        # A real store would encrypt `secret.reveal()`, or send it on. This one remembers only that there is one.
        secrets = {place: os.urandom(4).hex() for place, secret in write.secrets.items()}
        rows[uid] = {"kind": write.key.kind, "name": write.key.name, "body": dict(write.body), "secrets": secrets}
        return Outcome(Result.DONE, uid, _version(rows[uid]))

    def _save(self) -> None:
        if self._path is not None:
            content = {"name": self._name, "records": self._rows}
            replace_file(self._path, json.dumps(content, indent=2, ensure_ascii=False).encode(), 0o600)

    @contextmanager
    def _opened(self) -> Iterator[Rows]:
        """The records as they are now."""
        if self._path is not None and self._path.exists():
            try:
                content = json.loads(self._path.read_bytes())
                self._name, self._rows = content["name"], content["records"]
            except (OSError, ValueError, KeyError, TypeError) as failure:
                raise StoreUnavailable(f"{self._path} holds no records", hint="check the path") from failure
        yield self._rows


def _key(row: dict[str, Any]) -> Key:
    return Key(row["kind"], row["name"])


def _version(row: dict[str, Any]) -> str:
    return sha256(json.dumps(row, sort_keys=True).encode()).hexdigest()[:16]


def _stands(rows: Rows, write: Write) -> bool:
    return write.id in rows and _version(rows[write.id]) == write.version


def _refused(rows: Rows, write: Write) -> Outcome:
    moved = write.id and not _stands(rows, write)
    reason = "somebody else has written to it" if moved else "another record has its address"
    return Outcome(Result.CONFLICT, reason=reason)
