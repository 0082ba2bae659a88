"""Which access tokens live connectors have."""

from collections.abc import Sequence

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
    statuses = []
    for found in chosen:
        given = held_names(store, found.spec)
        for by in with_tokens(found.spec):
            key = TokenKey(found.uid, by.name)
            state = states.get(key)
            is_ours = given is None or by.name in given
            is_given = None
            if given is not None and is_ours:
                is_given = state is not None and held.get(key) == state.obtained
            if state is None and not is_ours:
                condition = Condition.ELSEWHERE
            elif state is None and found.spec.get("status") == "inactive":
                condition = Condition.INACTIVE
            else:
                condition = condition_of(state, now)
            statuses.append(_status(found, by, condition, state, is_given))
    return statuses


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
    found: LiveConnector, by: Authorization, condition: Condition, state: TokenState | None, is_held: bool | None
) -> TokenStatus:
    method = "token request" if "tokenRequest" in by.block else str(by.block["method"])
    return TokenStatus(Whose(found.name, by.name), method, condition, state, is_held)
