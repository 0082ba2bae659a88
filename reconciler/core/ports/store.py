"""A store: live records with what is known of them, as the services take it, and the runs that write to it."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol, TypeVar

from msgspec import Struct

from reconciler.core.conditions import Basis
from reconciler.core.drift import Moved
from reconciler.core.model import Bodies, Found, Key, LiveConnector, Record, Resource, SecretState
from reconciler.core.plan import Change
from reconciler.core.ports.live import Outcome
from reconciler.core.ports.source import FetchedToken, Sealer
from reconciler.core.progress import Interrupts, Progress
from reconciler.core.quarantine import Deleted, KeepsDeleted
from reconciler.core.secret import SealedSecret, Secret

if TYPE_CHECKING:
    from reconciler.core.baseline import Memory


class RunInfo(Struct, frozen=True):
    """What the store keeps of a run beside its changes.

    Attributes:
        commit: id of the commit, with "-dirty" behind it when the working tree differed, or "".
        verb: the command that made the plan: apply, rollback, restore; or another that writes, such as rotate-key.
        partly: whether something of the plan was left out.
        plan: fingerprint of the plan; "" where it has none.
        overrides: the guards that were overridden, each with its exact count; of a repair what it mended.
        approvals: who was said to have approved what it carries out, by whoever ran it.
    """

    actor: str
    owner: str
    target: str
    commit: str
    started: str
    verb: str = "apply"
    partly: bool = False
    plan: str = ""
    overrides: tuple[str, ...] = ()
    approvals: tuple[str, ...] = ()


class GivenSecret(Struct, frozen=True):
    """One secret of a record that is to be written.

    Attributes:
        address: which secret of the record.
        reference: canonical text of the reference it came from.
        fingerprint: keyed digest of the value.
    """

    address: str
    reference: str
    fingerprint: str
    value: Secret


class PlannedWrite(Struct, frozen=True):
    """One change with what only the store's session needs.

    Attributes:
        uid: of the record that there is, or was; "" for a new one, whose store gives it an identity.
        secrets: those that are written with it.
        kept: those that a deleted record comes back with as they were sealed.
        made_with: of each authorization that needs a token after the change, by name, its keyed fingerprint.
        tokens: the tokens that were fetched for it, to be written with it, by the authorization's name.
        handed: the tokens that the live store is to have from then on, by the authorization's name: fetched just now,
            or kept since; see `source.GivesTokens`.
    """

    change: Change
    uid: str
    secrets: Sequence[GivenSecret] = ()
    kept: Sequence[SealedSecret] = ()
    made_with: Mapping[str, str] = {}
    tokens: Mapping[str, FetchedToken] = {}
    handed: Mapping[str, FetchedToken] = {}

    def states(self) -> dict[str, SecretState]:
        """What the store is to hold of its secrets, by address."""
        given = {one.address: SecretState(one.reference, one.fingerprint) for one in self.secrets}
        return given | {one.address: SecretState(one.reference, one.fingerprint) for one in self.kept}


class Session(Protocol):
    """One apply's writes."""

    @property
    def head(self) -> str:
        """What proves the store's history after `write`, to be noted elsewhere; "" where it keeps none."""
        ...

    def foresee(self, writes: Sequence[PlannedWrite], basis: Basis | None) -> None:
        """Say what is going to be required and written, so that a server may be asked at once all that this takes."""
        ...

    def require(self, basis: Basis) -> None:
        """Make sure that the policies and groups are still those that the plan was judged by.

        Raises:
            RecordConflict: they are not.
        """
        ...

    def remember(self, memory: "Memory") -> None:
        """Keep, after `write`, that live is now what git declares; not when others wrote after the plan was made."""
        ...

    def write(self, writes: Sequence[PlannedWrite], progress: Progress, *, goes_on: bool = False) -> Sequence[Outcome]:
        """Carry out the changes in their order, and say of each what came of it.

        A store that can do all or nothing does so: all are done, or it raises.

        Args:
            goes_on: whether, where it cannot, what does not depend on a failed one is carried out all the same.

        Raises:
            RecordConflict: a record moved since the plan, or another stands in the way.
            NotConverged: what was written does not read back as planned.
        """
        ...

    def purge(self, wanted: Sequence[Deleted]) -> None:
        """Destroy deleted records with their secrets; that it was done is kept in the history.

        Raises:
            RecordConflict: one was restored or purged meanwhile.
        """
        ...


Done = TypeVar("Done")


class Lease(Protocol):
    """The right to write to a store, which one run has at a time."""

    def check(self) -> None:
        """Stop early when it is known to be lost; `session` is sure to.

        Raises:
            StoreLocked: another run has taken it, or somebody has ended it.
        """
        ...

    def carry_out(
        self, run: RunInfo, work: Callable[[Session], Done], foresee: Callable[[Session], None] = lambda _: None
    ) -> Done:
        """What `work` gives, in one transaction that ends the lease too; nothing of it lasts where that fails.

        A server may give a transaction up for the sake of others: `work` is done again then.

        Args:
            foresee: tells the session before what `work` is going to ask of it.

        Raises:
            StoreLocked: the lease is lost, or another process did not end its own transaction in time.
            Unconfirmed: the store did not say whether it was committed.
        """
        ...


Clock = Callable[[], str]
"""Gives the present time as RFC 3339 text in UTC."""


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

    def lease(self, run: RunInfo, interrupts: Interrupts, *, is_brief: bool = False) -> AbstractContextManager[Lease]:
        """The right to write, until the block ends; what becomes of the run is noted as an attempt.

        Args:
            is_brief: whether nothing in the block takes long but `Lease.carry_out`: the right may be taken there then.

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
