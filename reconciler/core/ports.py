"""What the core asks of the outside: a source of desired state, a store of live state, secrets."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from reconciler.core.model import Bodies, Found, Key, Record, Resource
from reconciler.core.plan import Change, Revision
from reconciler.core.secret import Secret
from reconciler.diagnostics import Diagnostic


@dataclass(frozen=True, slots=True)
class Desired:
    """What a source holds.

    Attributes:
        files: paths of the files that were read.
        documents: how many documents were read.
        diagnostics: sorted; when one is an error, `resources` is not complete.
    """

    resources: Mapping[Key, Resource]
    files: tuple[str, ...]
    documents: int
    diagnostics: tuple[Diagnostic, ...]


class Source(Protocol):
    """Desired state."""

    def load(self) -> Desired:
        """Read, validate and cross-check everything."""
        ...

    def revision(self) -> Revision:
        """Where it is read from."""
        ...


@dataclass(frozen=True, slots=True)
class SealedSecret:
    """One secret ready to be stored.

    Attributes:
        address: which secret of the record.
        reference: canonical text of the reference it came from.
        fingerprint: keyed digest of the value.
        ciphertext: the encrypted value.
    """

    address: str
    reference: str
    fingerprint: str
    ciphertext: bytes


class SecretBackend(Protocol):
    """Resolves secret references."""

    def resolve(self, reference: Mapping[str, str]) -> Secret:
        """The value behind a reference.

        Raises:
            SecretUnavailable: it leads to nothing.
        """
        ...


class Sealer(Protocol):
    """Encrypts secrets for one store."""

    def seal(self, uid: str, address: str, reference: str, secret: Secret) -> SealedSecret:
        """Encrypt a secret, bound to its record and address."""
        ...

    def fingerprint(self, secret: Secret) -> str:
        """Keyed digest of a secret."""
        ...


@dataclass(frozen=True, slots=True)
class RunInfo:
    """What the store keeps of a run beside its changes.

    Attributes:
        commit: id of the commit, with "-dirty" behind it when the working tree differed, or "".
    """

    actor: str
    owner: str
    target: str
    commit: str
    started: str


@dataclass(frozen=True, slots=True)
class Write:
    """One change with what only the store's session needs."""

    change: Change
    uid: str
    secrets: Sequence[SealedSecret]


class Session(Protocol):
    """One apply's writes: all or nothing."""

    def write(self, writes: Sequence[Write]) -> None:
        """Carry out the changes in their order.

        Raises:
            RecordConflict: a record moved since the plan, or another stands in the way.
            NotConverged: what was written does not read back as planned.
        """
        ...


class Store(Protocol):
    """Live state."""

    def records(self) -> dict[Key, Record]:
        """All records, without their bodies."""
        ...

    def bodies(self, uids: Iterable[str]) -> dict[str, Bodies]:
        """Bodies and secret states of the records named."""
        ...

    def referrers(self, keys: Sequence[Key]) -> list[tuple[Key, Key]]:
        """Pairs (record, what it refers to) for all records that refer to one of `keys`."""
        ...

    def secret_states(self) -> dict[str, dict[str, str]]:
        """Keyed fingerprints of all secrets: uid to address to fingerprint."""
        ...

    def sealer(self) -> Sealer:
        """What encrypts secrets for this store; makes the key when the store may make one."""
        ...

    def session(self, run: RunInfo) -> AbstractContextManager[Session]:
        """A transaction under the store's lock; commits when the block ends without an exception."""
        ...

    def search(self, kind: str | None, name: str | None) -> Iterator[Found]:
        """Records by kind and name, with their bodies."""
        ...

    def close(self) -> None:
        """Release the store."""
        ...


Clock = Callable[[], str]
"""Gives the present time as RFC 3339 text in UTC."""
