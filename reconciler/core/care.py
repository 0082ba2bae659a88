"""What looking a store over finds, what a repair mends, and the steps to another key."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from msgspec import Struct

from reconciler.core.conditions import Basis
from reconciler.core.ports.abilities import Trait
from reconciler.core.ports.source import Sealer
from reconciler.core.ports.store import RunInfo
from reconciler.core.progress import Interrupts
from reconciler.core.secret import Secret

if TYPE_CHECKING:
    from reconciler.core.ports.state import State

CHECKS = ("file", "values", "notes", "keys", "triggers", "bodies", "references", "history", "quarantine", "chain")
"""What is looked at, in this order."""
WITNESS = "witness"
"""What is looked at besides, where somebody noted the history elsewhere."""
LIVE = "live"
"""What is looked at besides, where the live store is none of ours: whether it answers."""


class Fault(Struct, frozen=True):
    """Something that is not as it should be.

    Attributes:
        check: one of `CHECKS`, `WITNESS` or `LIVE`.
        hint: what to do.
    """

    check: str
    message: str
    hint: str


class Audit(Struct, frozen=True):
    """What looking a store over finds.

    Attributes:
        head: the last hash of the history; "" for none.
        counts: of what there is, by noun.
        notes: what is worth knowing and no fault.
        live: what was found out of a live store that is none of ours.
    """

    head: str
    counts: Mapping[str, int]
    faults: tuple[Fault, ...]
    notes: tuple[str, ...]
    live: tuple[Trait, ...] = ()


class Mended(Struct, frozen=True):
    """What a repair mended.

    Attributes:
        what: one word for it, as the history keeps it.
        count: how many there were.
        message: what was done, and to what.
    """

    what: str
    count: int
    message: str


class Repair(Struct, frozen=True):
    """What came of a repair.

    Attributes:
        audit: what looking the store over finds afterwards.
        run: in the history; None where there was nothing to mend.
    """

    mended: tuple[Mended, ...]
    audit: Audit
    run: int | None


class CanRepair(Protocol):
    """A store that can be repaired."""

    def audit(self) -> Audit:
        """What looking it over finds."""
        ...

    def names_no_key(self) -> bool:
        """Whether something is sealed and the store does not say with which key."""
        ...

    def repair(self, run: RunInfo, basis: Basis | None, key_check: str, interrupts: Interrupts) -> Repair:
        """Mend what can be mended, in one transaction, and note it in the history.

        Args:
            key_check: what tells the key of what is sealed, where the store does not say so; "" for nothing.

        Raises:
            StoreUnavailable: what keeps the store is damaged itself.
            StoreLocked: another run did not end in time.
            RecordConflict: what the permission rests on has moved.
        """
        ...


MadeWith = Callable[[Mapping[str, Any], Mapping[str, Secret], Sealer], Mapping[str, str]]
"""From a connector's spec, the values of its secrets and a sealer to the keyed fingerprints of the authorizations that
need a token, by name.
"""


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
        """Overwrite what is no longer used of the store's files; whether that was possible."""
        ...


@runtime_checkable
class CanInit(Protocol):
    """A state that can be made before the first run writes to it, as where only its owner may."""

    def init(self) -> bool:
        """Make the store where there is none; whether there was none. An older one is brought up to date.

        Raises:
            StoreLocked: another process did not end in time.
            StoreUnavailable: it cannot be made, or is newer.
        """
        ...

    def role_statements(self, prefix: str) -> Sequence[str]:
        """What makes the roles of its server, each statement whole; nothing where it has no roles.

        Args:
            prefix: how the names of the roles begin.
        """
        ...

    def make_roles(self, prefix: str) -> None:
        """Carry these out, in one transaction; roles that are there keep their logins and passwords.

        Raises:
            StoreUnavailable: whoever connects may not make roles.
        """
        ...


class Made(Struct, frozen=True):
    """What came of making a store.

    Attributes:
        new: whether there was none.
        statements: those that make the roles of its server; none where it has none.
        roles: whether they were carried out.
    """

    new: bool
    statements: tuple[str, ...]
    roles: bool


class Copied(Struct, frozen=True):
    """What a store has taken over from another one.

    Attributes:
        counts: of what there is, by noun.
        head: the last hash of the history, which is that of the other store.
    """

    counts: Mapping[str, int]
    head: str


@runtime_checkable
class CanCopy(Protocol):
    """A state that can take over all that another one holds, where it holds nothing yet."""

    def take_over(self, source: "State", made_with: MadeWith, interrupts: Interrupts) -> Copied:
        """Copy everything, in one transaction.

        That is identities, records, owners, the history with its chain, deleted records, attempts, baselines, tokens
        and secrets, which are opened by the source's key and sealed by one's own. What is under way in the source, such as a lease, is not taken over.

        Raises:
            StoreLocked: another process did not end in time.
            RecordConflict: something is here already.
            KeyUnavailable: a key is missing, or is another one.
            StoreUnavailable: one of the two cannot be read or written, or the source is of a sort that cannot be copied.
        """
        ...
