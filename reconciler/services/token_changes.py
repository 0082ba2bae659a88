"""What a plan says of access tokens: which are fetched with the changes, and which are due."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from reconciler.core.calls import TokenState, is_due, token_has_expired
from reconciler.core.diff import FieldChange, Origin
from reconciler.core.model import Key, Record, Resource
from reconciler.core.plan import Action, Change
from reconciler.kinds.authorization import can_be_fetched

PATH = ("spec", "authorization", "accessToken")
_NOTE = "an access token is fetched with it"


class KnownTokens(Struct, frozen=True):
    """What the store holds of tokens, and the time to judge them by."""

    states: Mapping[str, TokenState]
    now: str


def with_due_tokens(
    changes: list[Change],
    desired: Mapping[Key, Resource],
    live: Mapping[Key, Record],
    owner: str,
    tokens: KnownTokens,
) -> list[Change]:
    """`changes` with a note where a token is fetched, and an update for every token that is missing or due."""
    by_key = {change.key: change for change in changes if change.action is not Action.DELETE}
    for key, resource in desired.items():
        if not resource.needs_token or not resource.active:
            continue
        if not can_be_fetched(resource.content.value["spec"]):
            continue
        change = by_key.get(key)
        if change is not None and (change.record is None or _is_authorized_anew(change)):
            by_key[key] = replace(change, notes=(*change.notes, _NOTE))
            continue
        record = change.record if change is not None else live.get(key)
        if record is None or (change is None and record.owner != owner):
            continue
        field = _due(tokens.states.get(record.uid), tokens.now)
        if field is not None:
            by_key[key] = with_field(change, resource, record, field)
    return [*by_key.values(), *(change for change in changes if change.action is Action.DELETE)]


def _is_authorized_anew(change: Change) -> bool:
    return any(field.path[:2] == ("spec", "authorization") for field in change.fields)


def _due(state: TokenState | None, now: str) -> FieldChange | None:
    if state is None:
        return _field("none", "fetched")
    if not is_due(state, now):
        return None
    return _field(f"{'expired' if token_has_expired(state, now) else 'expires'} {state.expires}", "renewed")


def _field(before: Any, after: Any) -> FieldChange:
    return FieldChange(PATH, before, after, Origin.TOKEN, secret=True)


def with_field(change: Change | None, resource: Resource, record: Record, field: FieldChange) -> Change:
    """`change`, or an update that does nothing else, with what becomes of the token."""
    if change is not None:
        return replace(change, fields=(*change.fields, field))
    return Change(Action.UPDATE, resource.key, resource, record, fields=(field,))
