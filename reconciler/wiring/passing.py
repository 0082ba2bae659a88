"""Tools that keep nothing, for what no store holds."""

from typing import TYPE_CHECKING

from reconciler.core.progress import UNTOLD, Progress
from reconciler.wiring.run import now

if TYPE_CHECKING:
    from reconciler.services.tokens import TokenTools


def passing_tokens(progress: Progress = UNTOLD) -> "TokenTools":
    """What fetches access tokens for one command, and keeps none."""
    import secrets

    from reconciler.core.secret import Secret
    from reconciler.net.trust import ContextCache
    from reconciler.secrets.sealer import AesSealer
    from reconciler.services.tokens import PARALLELISM, TokenTools
    from reconciler.tokens.client import TokenClient
    from reconciler.tokens.passing import PassingTokens

    contexts, sealer = ContextCache(), AesSealer(Secret(secrets.token_hex()))
    return TokenTools(PassingTokens(), lambda: sealer, lambda: TokenClient(contexts), now, PARALLELISM, progress)
