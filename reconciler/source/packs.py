"""Files that keep what reading definitions came to, by the id of their content: packs, like git's.

A pack holds the bodies of resources, then the facts of files, then their ids, then how to find all that, with a
digest over everything but the bodies, each of which is proven by its fingerprint when it is read. It is written once
and never changed, so that any number of processes may use it; whoever has opened it may go on when it is removed.
"""

import os
import struct
from array import array
from collections.abc import Callable, Sequence
from hashlib import sha256

import msgspec

from reconciler.core.model import Resource
from reconciler.source.packing import facts_of

Restore = Callable[[Resource], bytes]
"""Reads the body of a resource from its definition once more."""

_MARK = b"reconciler parsed definitions 1\n"
_TAIL = struct.Struct("<QQIIB32s")
"""Where the facts begin, how long they are, how many files there are, how long their ends are in bytes, how long an id is, and the rules."""
_DIGEST = 32
_AT_ONCE = 1 << 18
DRAFT = ".draft"
"""What the names of packs end with while they are written."""


class Bodies:
    """A file that bodies are read from as they are asked for. It stays open, so that nobody can take it away."""

    def __init__(self, descriptor: int, restore: Restore, path: str = "") -> None:
        """Take over an open file.

        Args:
            path: of a file that others would use too; it is removed when it turns out to be damaged.
        """
        self.descriptor = descriptor
        self.path = path
        self._restore = restore

    def place(self, offset: int, length: int) -> "Place":
        """What keeps the body that is there."""
        return Place(self, offset, length)

    def read(self, resource: Resource, offset: int, length: int) -> bytes:
        """A body, or, should the file have been damaged, the same once more from the definition."""
        found = os.pread(self.descriptor, length, offset)
        if sha256(found).hexdigest() == resource.fingerprint:
            return found
        self.discard()
        return self._restore(resource)

    def discard(self) -> None:
        """Leave no one else the damaged file."""
        if self.path:
            try:
                os.unlink(self.path)
            except OSError:
                return

    def __del__(self) -> None:
        """Close the file, once no resource refers to it any more."""
        os.close(self.descriptor)


class Place(msgspec.Struct, frozen=True):
    """Where in a file a body is."""

    bodies: Bodies
    offset: int
    length: int

    def body(self, resource: Resource) -> bytes:
        """The body of the resource that it is of."""
        return self.bodies.read(resource, self.offset, self.length)


class Pack(Bodies):
    """A pack that another run has written."""

    def __init__(self, descriptor: int, restore: Restore, path: str, rules: bytes) -> None:
        """Look at how large it is, and no more.

        Args:
            rules: what its facts must have been found by; of others it holds nothing.
        """
        super().__init__(descriptor, restore, path)
        self.size = os.fstat(descriptor).st_size
        self._rules = rules
        self._facts = b""
        self._ends: Sequence[int] = ()
        self._numbers: dict[bytes, int] | None = None

    def facts(self, name: bytes) -> bytes | None:
        """The facts of the file whose content has that id."""
        if self._numbers is None:
            self._numbers = self._load()
        number = self._numbers.get(name)
        return None if number is None else self._facts[self._ends[number - 1] if number else 0 : self._ends[number]]

    def _load(self) -> dict[bytes, int]:
        tail = self.size - _TAIL.size - _DIGEST
        closing = os.pread(self.descriptor, _TAIL.size + _DIGEST, max(tail, 0))
        if tail < len(_MARK) or len(closing) < _TAIL.size + _DIGEST:
            return self._nothing()
        start, size, count, ends, width, rules = _TAIL.unpack(closing[: _TAIL.size])
        if rules != self._rules:
            return {}
        if start + size + ends + count * width != tail:
            return self._nothing()
        data = os.pread(self.descriptor, tail - start, start)
        if _digest(data, closing[: _TAIL.size]) != closing[_TAIL.size :]:
            return self._nothing()
        self._facts = data[:size]
        found = array("Q")
        found.frombytes(data[size : size + ends])
        self._ends = found
        names = data[size + ends :]
        return {names[place : place + width]: place // width for place in range(0, len(names), width)}

    def _nothing(self) -> dict[bytes, int]:
        self.discard()
        return {}


class Draft(Bodies):
    """A pack that is being written."""

    def __init__(self, descriptor: int, restore: Restore, path: str, rules: bytes) -> None:
        """Begin an empty one.

        Args:
            path: what it is called when it is whole; "" for a file that only keeps bodies for this run.
        """
        super().__init__(descriptor, restore, path)
        self._rules = rules
        self._waiting = bytearray(_MARK)
        self._written = 0
        self._facts = bytearray()
        self._ends = array("Q")
        self._names = bytearray()
        self._full = False

    def add(self, name: bytes, documents: int, resources: Sequence[Resource]) -> bytes | None:
        """Keep what a file came to; returns the facts, or None when there is no room for more."""
        if self._full:
            return None
        facts = facts_of(documents, resources, self._written + len(self._waiting))
        for resource in resources:
            self._waiting += resource.body
        if len(self._waiting) > _AT_ONCE:
            self._write()
        if self.path:
            self._facts += facts
            self._ends.append(len(self._facts))
            self._names += name
        return facts

    def finish(self) -> None:
        """Write what is left, and what the pack is found by; then it is there for others."""
        if self._ends:
            start, count, ends = self._written + len(self._waiting), len(self._ends), self._ends.tobytes()
            data = bytes(self._facts) + ends + bytes(self._names)
            tail = _TAIL.pack(start, len(self._facts), count, len(ends), len(self._names) // count, self._rules)
            self._waiting += data + tail + _digest(data, tail)
        self._write()
        if self._ends and not self._full:
            try:
                os.rename(self.path + DRAFT, self.path)
            except OSError:
                return  # it was removed meanwhile, as anybody may

    def _write(self) -> None:
        left, self._waiting = memoryview(self._waiting), bytearray()
        try:
            while left and not self._full:
                done = os.pwrite(self.descriptor, left, self._written)
                left, self._written = left[done:], self._written + done
        except OSError:  # what is missing is read from the definitions once more
            self._full = True


def _digest(data: bytes, tail: bytes) -> bytes:
    found = sha256(_MARK)
    found.update(data)
    found.update(tail)
    return found.digest()
