"""Access tokens: what keeps them, and sees to it that only one process fetches each."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from msgspec import Struct

from reconciler.core.secret import Secret
from reconciler.core.token import TokenState


class FetchedToken(Struct, frozen=True):
    """One access token as a server gave it; its keeper seals it."""

    state: TokenState
    access: Secret
    refresh: Secret | None


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

    def keep(self, tokens: Mapping[str, FetchedToken], holder: str) -> set[str]:
        """Store the tokens, by their records' uids, whose lease `holder` still has, and end those leases; returns their uids."""
        ...

    def release(self, uids: Iterable[str], holder: str) -> None:
        """End the leases."""
        ...
