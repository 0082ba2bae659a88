"""Source: desired state, and what resolves its secrets and keeps its tokens."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from msgspec import Struct

from reconciler.core.calls import TokenKey, TokenState
from reconciler.core.model import Content, Coverage, Key, Resource
from reconciler.core.plan import Revision
from reconciler.core.progress import Progress
from reconciler.core.quarantine import Revival
from reconciler.core.secret import SealedSecret, Secret
from reconciler.diagnostics import Diagnostic


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


class FetchedToken(Struct, frozen=True):
    """One access token as a server gave it; its keeper seals it."""

    state: TokenState
    access: Secret
    refresh: Secret | None


class TokenKeeper(Protocol):
    """Keeps access tokens, and sees to it that only one process fetches each."""

    def states(self) -> dict[TokenKey, TokenState]:
        """What may be shown of every token."""
        ...

    def opened(self, key: TokenKey) -> tuple[TokenState, Secret, Secret | None] | None:
        """A token with its access and refresh token, or None when there is none."""
        ...

    def holder(self) -> str:
        """This process, as one that takes leases now."""
        ...

    def lease(self, keys: Sequence[TokenKey], holder: str, seconds: float) -> frozenset[TokenKey]:
        """Take, or extend, the lease on the tokens that nobody else is fetching; returns which."""
        ...

    def keep(self, tokens: Mapping[TokenKey, FetchedToken], holder: str) -> set[TokenKey]:
        """Store the tokens whose lease `holder` still has, and end those leases; returns which."""
        ...

    def release(self, keys: Iterable[TokenKey], holder: str) -> None:
        """End the leases."""
        ...


@runtime_checkable
class GivesTokens(Protocol):
    """A store that may be beside a live one which sends requests itself, by access tokens that it is given."""

    def held_tokens(self, spec: Mapping[str, Any]) -> frozenset[str] | None:
        """The authorizations of a connector whose token that one is given, by name; None where it is given none at all.

        See `live.HoldsTokens`.
        """
        ...

    def held(self) -> dict[TokenKey, str]:
        """Of the tokens that it was given, when the one that it has was obtained."""
        ...
