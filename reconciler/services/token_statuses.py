"""Which access tokens live connectors have."""

from collections.abc import Mapping, Sequence

from reconciler.core.calls import Condition, TokenKey, TokenState, TokenStatus, Whose, condition_of
from reconciler.core.model import LiveConnector
from reconciler.core.ports.store import Store
from reconciler.errors import UsageError
from reconciler.kinds.authorization import with_tokens
from reconciler.kinds.authorization_blocks import Authorization
from reconciler.services.due_changes import held_by, held_names
from reconciler.services.tokens import TokenTools


def token_statuses(store: Store, tools: TokenTools, names: Sequence[str]) -> list[TokenStatus]:
    """The tokens of the connectors named, or of all that need one, in order of their names.

    Raises:
        UsageError: a name is not that of a live connector that needs a token.
    """
    states, now = tools.keeper.states(), tools.clock()
    chosen = chosen_connectors(store, names, secrets=False)
    held = held_by(store)
    return [
        _status(
            found, by, states.get(key := TokenKey(found.uid, by.name)), now, _is_held(store, found, key, states, held)
        )
        for found in chosen
        for by in with_tokens(found.spec)
    ]


def _is_held(
    store: Store,
    found: LiveConnector,
    key: TokenKey,
    states: Mapping[TokenKey, TokenState],
    held: Mapping[TokenKey, str],
) -> bool | None:
    """Whether a live store elsewhere has just the token that is kept; None where it is given none."""
    names = held_names(store, found.spec)
    if names is None or key.authorization not in names:
        return None
    return key in states and held.get(key) == states[key].obtained


def chosen_connectors(store: Store, names: Sequence[str], *, secrets: bool) -> list[LiveConnector]:
    """The connectors named that need a token, or all of them.

    Raises:
        UsageError: a name is not that of such a live connector.
    """
    wanted = list(dict.fromkeys(name.removeprefix("connector/") for name in names))
    found = [item for item in store.connectors(wanted or None, secrets=False) if _needs(item)]
    for name in wanted:
        if name not in {item.name for item in found}:
            raise UsageError(f"there is no live connector '{name}' that needs an access token", hint="list those that do with: reconciler token status")  # fmt: skip
    return list(store.connectors([item.name for item in found])) if secrets and found else found


def _needs(found: LiveConnector) -> bool:
    try:
        return bool(with_tokens(found.spec))
    except (AttributeError, KeyError, TypeError):  # others have written what is no authorization
        return False


def _status(
    found: LiveConnector, by: Authorization, state: TokenState | None, now: str, is_held: bool | None
) -> TokenStatus:
    method = "token request" if "tokenRequest" in by.block else str(by.block["method"])
    inactive = found.spec.get("status") == "inactive" and state is None
    condition = Condition.INACTIVE if inactive else condition_of(state, now)
    return TokenStatus(Whose(found.name, by.name), method, condition, state, is_held)
