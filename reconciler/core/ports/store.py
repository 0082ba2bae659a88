"""A store: live records with what is known of them, as the services take it. In an SQL store both are one database."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from reconciler.core.drift import Moved
from reconciler.core.model import Bodies, Found, Key, LiveConnector, Record, Resource
from reconciler.core.ports.runs import Lease, RunInfo
from reconciler.core.ports.source import Sealer
from reconciler.core.progress import Interrupts
from reconciler.core.quarantine import KeepsDeleted


class Store(KeepsDeleted, Protocol):
    """Live records, and the state beside them."""

    def identity(self) -> str:
        """What tells this store from every other one; "" when there is none yet."""
        ...

    def lost(self) -> tuple[str, ...]:
        """What speaks of a store that was here and is gone; nothing where there is one, or none seems to have been."""
        ...

    def records(self, near: Mapping[Key, Resource] | None = None) -> Mapping[Key, Record]:
        """All records, without their bodies.

        Args:
            near: what is declared; the records share with it what both say, as there may be very many.
        """
        ...

    def bodies(self, uids: Iterable[str]) -> dict[str, Bodies]:
        """Bodies and secret states of the records named."""
        ...

    def referrers(self, keys: Sequence[Key]) -> list[tuple[Key, Key]]:
        """Pairs (record, what it refers to) for all records that refer to one of `keys`."""
        ...

    def moved(self) -> list[Moved]:
        """The records that somebody wrote to outside of a run since they were last applied, also those that are gone."""
        ...

    def taken_over(self, owner: str) -> list[Moved]:
        """The records that `owner` has applied and that belong to another owner by a later run of that one."""
        ...

    def earlier_names(self, uid: str) -> frozenset[str]:
        """The names that a record bore before, as far as applies gave it another one."""
        ...

    def secret_states(self) -> dict[str, dict[str, str]]:
        """Keyed fingerprints of all secrets: uid to address to fingerprint."""
        ...

    def sealer(self) -> Sealer:
        """What encrypts secrets for this store; makes the key when the store may make one."""
        ...

    def lease(self, run: RunInfo, interrupts: Interrupts) -> AbstractContextManager[Lease]:
        """The right to write, until the block ends; what becomes of the run is noted as an attempt.

        Raises:
            StoreLocked: another run has it, and did not end in time.
        """
        ...

    def connectors(self, names: Sequence[str] | None = None, *, secrets: bool = True) -> Iterator[LiveConnector]:
        """Live connectors in order of their names, all or those named.

        Args:
            secrets: whether to open their secrets.

        Raises:
            KeyUnavailable: the store's key is missing or is another one.
        """
        ...

    def search(self, kind: str | None, name: str | None) -> Iterator[Found]:
        """Records by kind and name, with their bodies."""
        ...

    def close(self) -> None:
        """Release the store."""
        ...
