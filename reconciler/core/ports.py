"""What the core asks of the outside: a source of desired state, a store of live state, secrets."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from msgspec import Struct

from reconciler.core.content import Content
from reconciler.core.coverage import Coverage
from reconciler.core.drift import Moved
from reconciler.core.enforcement import Basis
from reconciler.core.interrupts import Interrupts
from reconciler.core.model import Bodies, Found, Key, LiveConnector, Record, Resource
from reconciler.core.plan import Change, Revision
from reconciler.core.progress import Progress
from reconciler.core.quarantine import Deleted, KeepsDeleted, Revival
from reconciler.core.secret import SealedSecret, Secret
from reconciler.core.token import TokenState
from reconciler.diagnostics import Diagnostic

if TYPE_CHECKING:
    from reconciler.core.baseline import Memory


class Past(Struct, frozen=True):
    """Which record a resource of an earlier state was, and what it held.

    Attributes:
        content: more than what was declared where something was left to the live side.
        revival: how it comes back where it is gone.
    """

    uid: str
    content: Content
    revival: Revival


class Desired(Struct, frozen=True):
    """What a source holds.

    Attributes:
        files: paths of the files that were read.
        documents: how many documents were read.
        diagnostics: sorted; when one is an error, `resources` is not complete.
        coverage: None unless it was asked for and everything is valid.
        past: of an earlier state, which record each resource was; None for definitions.
        spared: records, by uid, of which an earlier state says nothing; they stay as they are.
        known: how many of the files an earlier run had read already.
    """

    resources: Mapping[Key, Resource]
    files: tuple[str, ...]
    documents: int
    diagnostics: tuple[Diagnostic, ...]
    coverage: Coverage | None = None
    past: Mapping[Key, Past] | None = None
    spared: frozenset[str] = frozenset()
    known: int = 0


class Source(Protocol):
    """Desired state."""

    def load(self) -> Desired:
        """Read, validate and cross-check everything."""
        ...

    def revision(self) -> Revision:
        """Where it is read from."""
        ...


@runtime_checkable
class FindsUnread(Protocol):
    """A source that can tell what is defined in files that are not read."""

    def unread(self) -> Mapping[Key, str]:
        """What they define, each with its file."""
        ...


class SealedToken(Struct, frozen=True):
    """One access token ready to be stored.

    Attributes:
        uid: of the connector's record.
        access, refresh: the encrypted tokens.
    """

    uid: str
    state: TokenState
    access: bytes
    refresh: bytes | None


class SecretBackend(Protocol):
    """Resolves secret references."""

    def refuse(self, reference: Mapping[str, str]) -> None:
        """Stop when nobody may read what a reference leads to; nothing is read to tell.

        Raises:
            SecretRefused: nobody may.
        """
        ...

    def prefetch(self, references: Iterable[Mapping[str, str]], progress: Progress) -> None:
        """Look up what is far away, in parallel, so that `resolve` has it at hand. Never fails."""
        ...

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

    def open(self, uid: str, address: str, ciphertext: bytes) -> Secret:
        """The secret that was sealed for the record and address.

        Raises:
            KeyUnavailable: the key is another one, or the ciphertext was altered.
        """
        ...

    def fingerprint(self, secret: Secret) -> str:
        """Keyed digest of a secret."""
        ...

    def key_check(self) -> str:
        """A digest that only this key gives; kept in the store to recognise the key by."""
        ...


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


class Write(Struct, frozen=True):
    """One change with what only the store's session needs.

    Attributes:
        made_with: keyed fingerprint of the authorization after the change, or "" where it needs no token.
        token: the token that was fetched for it, to be written with it.
    """

    change: Change
    uid: str
    secrets: Sequence[SealedSecret]
    made_with: str = ""
    token: SealedToken | None = None


class Session(Protocol):
    """One apply's writes: all or nothing."""

    @property
    def head(self) -> str:
        """What proves the store's history after `write`, to be noted elsewhere; "" where it keeps none."""
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

    def write(self, writes: Sequence[Write], progress: Progress) -> None:
        """Carry out the changes in their order.

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


class Lease(Protocol):
    """The right to write to a store, which one run has at a time."""

    def check(self) -> None:
        """Stop early when it is known to be lost; `session` is sure to.

        Raises:
            StoreLocked: another run has taken it, or somebody has ended it.
        """
        ...

    def session(self, run: RunInfo) -> AbstractContextManager[Session]:
        """A transaction that ends the lease too; commits when the block ends without an exception.

        Raises:
            StoreLocked: the lease is lost, or another process did not end its own transaction in time.
        """
        ...


class Store(KeepsDeleted, Protocol):
    """Live state."""

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


class TokenKeeper(Protocol):
    """Keeps access tokens, and sees to it that only one process fetches each."""

    def states(self) -> dict[str, TokenState]:
        """What may be shown of every token, by the record's uid."""
        ...

    def opened(self, uid: str) -> tuple[TokenState, Secret, Secret | None] | None:
        """A token with its access and refresh token, or None when there is none."""
        ...

    def holder(self) -> str:
        """This process, as one that takes leases now."""
        ...

    def lease(self, uids: Sequence[str], holder: str, seconds: float) -> frozenset[str]:
        """Take, or extend, the lease on the tokens that nobody else is fetching; returns their uids."""
        ...

    def keep(self, tokens: Sequence[SealedToken], holder: str) -> set[str]:
        """Store the tokens whose lease `holder` still has, and end those leases; returns their uids."""
        ...

    def release(self, uids: Iterable[str], holder: str) -> None:
        """End the leases."""
        ...


Clock = Callable[[], str]
"""Gives the present time as RFC 3339 text in UTC."""
