"""Access tokens that are not kept: they are gone when the command ends."""

from collections.abc import Iterable, Mapping, Sequence

from reconciler.core.calls import TokenKey, TokenState
from reconciler.core.ports.source import FetchedToken
from reconciler.core.secret import Secret


class PassingTokens:
    """A keeper in memory, for connectors that no store holds."""

    def __init__(self) -> None:
        """Without any token."""
        self._tokens: dict[TokenKey, FetchedToken] = {}

    def states(self) -> dict[TokenKey, TokenState]:
        """What may be shown of every token."""
        return {key: token.state for key, token in self._tokens.items()}

    def opened(self, key: TokenKey) -> tuple[TokenState, Secret, Secret | None] | None:
        """A token with its access and refresh token, or None when there is none."""
        token = self._tokens.get(key)
        return (token.state, token.access, token.refresh) if token else None

    def holder(self) -> str:
        """Nobody else is there to take a lease."""
        return ""

    def lease(self, keys: Sequence[TokenKey], holder: str, seconds: float) -> frozenset[TokenKey]:
        """All of them."""
        return frozenset(keys)

    def keep(self, tokens: Mapping[TokenKey, FetchedToken], holder: str) -> set[TokenKey]:
        """Hold the tokens until the command ends."""
        self._tokens.update(tokens)
        return set(tokens)

    def release(self, keys: Iterable[TokenKey], holder: str) -> None:
        """Nothing is leased."""
