"""Changing the key that a store's secrets are sealed with."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from msgspec import Struct

from reconciler.core.enforcement import Basis
from reconciler.core.interrupts import Interrupts
from reconciler.core.ports.runs import RunInfo
from reconciler.core.ports.secrets import Sealer
from reconciler.core.secret import Secret

MadeWith = Callable[[Mapping[str, Any], Mapping[str, Secret], Sealer], str]
"""From a connector's spec, the values of its secrets and a sealer to the keyed fingerprint of its authorization."""


class KeyMove(Struct, frozen=True):
    """Where the new key is.

    Attributes:
        place: a file, or a variable.
        in_file: which of them.
        old: the file that keeps the key that was replaced; "" for none.
        problem: why the new key could not be put in the place of the old one; "" for nothing.
    """

    place: str
    in_file: bool
    old: str = ""
    problem: str = ""


class NextKey(Protocol):
    """A key that a store changes to."""

    @property
    def sealer(self) -> Sealer:
        """What seals with it."""
        ...

    def draft(self) -> None:
        """Keep it where it lasts, before the store changes to it.

        Raises:
            KeyUnavailable: that cannot be done.
        """
        ...

    def put_in_place(self, old_check: str) -> KeyMove:
        """Make it the key that is used from now on, after the store has changed to it.

        Args:
            old_check: key check of the key before.
        """
        ...


class Rekeying(Struct, frozen=True):
    """What changes.

    Attributes:
        basis: what the permission rests on, in a store that has a super admin.
    """

    old: Sealer
    new: NextKey
    made_with: MadeWith
    basis: Basis | None


class Rekeyed(Struct, frozen=True):
    """What was sealed anew.

    Attributes:
        secrets: those of live and of deleted records.
        head: the last hash of the history.
    """

    secrets: int
    tokens: int
    head: str


class Rotation(Struct, frozen=True):
    """What became of it.

    Attributes:
        move: where the new key is; None where nothing is sealed, so that there is no key to change.
        done: what was sealed anew; None when the store was under the new key already.
        scrubbed: whether what was sealed with the old key is overwritten.
    """

    move: KeyMove | None
    done: Rekeyed | None
    scrubbed: bool = True


class KeepsKey(Protocol):
    """A store whose key can be changed."""

    def key_check(self) -> str | None:
        """What tells its key; None while nothing is sealed."""
        ...

    def rekey(self, run: RunInfo, rekeying: Rekeying, interrupts: Interrupts) -> Rekeyed:
        """Seal everything anew, in one transaction.

        Raises:
            StoreLocked: another run, or a process that fetches tokens, did not end in time.
            RecordConflict: the key, or what the permission rests on, has moved.
            KeyUnavailable: something cannot be opened, or the new key not be kept; nothing is changed.
        """
        ...

    def scrub(self) -> bool:
        """Overwrite what is no longer used of the store's files; whether nobody was in the way."""
        ...
