"""Changes that no document makes: values of secrets, tokens that are due, grants that end."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from reconciler.core.baseline import DatedGrant
from reconciler.core.calls import TokenKey, TokenState, is_due, token_has_expired
from reconciler.core.conditions import Expiring
from reconciler.core.diff import FieldChange, Origin
from reconciler.core.matching import Match
from reconciler.core.model import Content, Key, Record, Resource, content_of
from reconciler.core.plan import Action, Change
from reconciler.core.ports.source import GivesTokens
from reconciler.core.ports.store import Store
from reconciler.kinds.authorization import fetchable
from reconciler.kinds.authorization_blocks import OWN, Authorization
from reconciler.kinds.canonical import readable
from reconciler.kinds.policies import dated_grants, expiring, has_expired, may_expire, without_expired


def add_fields(
    change: Change | None, resource: Resource, record: Record, fields: tuple[FieldChange, ...], store: Store
) -> Change:
    """`change`, or an update that does nothing else, with secrets that have new values."""
    if change is not None:
        known = {field.path for field in change.fields}
        return replace(change, fields=change.fields + tuple(field for field in fields if field.path not in known))
    live, _ = readable(resource.key.kind, store.bodies([record.uid])[record.uid].live)
    written = None if live.body == resource.body else live
    return Change(Action.UPDATE, resource.key, resource, record, written, live, fields)


_TOKEN = "accessToken"  # noqa: S105 (the last step of its path)
_WRITTEN = "written"
_NOTE = "an access token is fetched with it"


class KnownTokens(Struct, frozen=True):
    """What the store holds of tokens, and the time to judge them by.

    Attributes:
        held: when the token was obtained that a live store elsewhere has.
        names: gives the authorizations of a connector whose token such a store is given, and nobody else needs; None
            where there is none.
    """

    states: Mapping[TokenKey, TokenState]
    now: str
    held: Mapping[TokenKey, str] = {}
    names: Callable[[Mapping[str, Any]], frozenset[str] | None] = lambda _: None


def gives_tokens(store: Store) -> bool:
    """Whether tokens are given to a live store."""
    return held_names(store, {}) is not None


def held_names(store: Store, spec: Mapping[str, Any]) -> frozenset[str] | None:
    """The authorizations of a connector whose token the live store is given; None where it is given none at all."""
    return store.held_tokens(spec) if isinstance(store, GivesTokens) else None


def held_by(store: Store) -> Mapping[TokenKey, str]:
    """Of the tokens that a live store was given, when the one that it has was obtained."""
    return store.held() if isinstance(store, GivesTokens) and gives_tokens(store) else {}


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
        spec = resource.content.value["spec"]
        names = tokens.names(spec)
        for by in fetchable(spec):
            if names is not None and by.name not in names:
                continue
            change = by_key.get(key)
            if change is not None and (change.record is None or _is_authorized_anew(change, by)):
                notes = tuple(note for note in change.notes if note != _NOTE)
                by_key[key] = replace(change, notes=(*notes, _NOTE))
                continue
            record = change.record if change is not None else live.get(key)
            if record is None or (change is None and record.owner != owner):
                continue
            key_of_token = TokenKey(record.uid, by.name)
            field = _due(by, tokens.states.get(key_of_token), tokens.now)
            if field is None and names is not None:
                field = _unheld(by, key_of_token, tokens)
            if field is not None:
                by_key[key] = with_field(change, resource, record, field)
    return [*by_key.values(), *(change for change in changes if change.action is Action.DELETE)]


def _is_authorized_anew(change: Change, by: Authorization) -> bool:
    """Whether something of the authorization changes; or all of them come at once."""
    size = len(by.path)
    fields = (field for field in change.fields if field.origin is not Origin.TOKEN)
    return any(field.path[:size] == by.path[: len(field.path)] for field in fields)


def _due(by: Authorization, state: TokenState | None, now: str) -> FieldChange | None:
    if state is None:
        return _field(by, "none", "fetched")
    if not is_due(state, now):
        return None
    return _field(by, f"{'expired' if token_has_expired(state, now) else 'expires'} {state.expires}", "renewed")


def _unheld(by: Authorization, key: TokenKey, tokens: KnownTokens) -> FieldChange | None:
    """That a good token was obtained since the live store was given one."""
    if tokens.held.get(key) == tokens.states[key].obtained:
        return None
    return _field(by, "an older one" if key in tokens.held else "not there", _WRITTEN)


def handed_field(by: Authorization) -> FieldChange:
    """That a live store elsewhere is given a token that is there."""
    return _field(by, "not there", _WRITTEN)


def _field(by: Authorization, before: Any, after: Any) -> FieldChange:
    return FieldChange((*by.path, _TOKEN), before, after, Origin.TOKEN, secret=True)


def renewals_of(change: Change) -> set[str]:
    """The names of the authorizations whose tokens a change fetches or renews."""
    paths = [field.path for field in change.fields if field.origin is Origin.TOKEN and field.after != _WRITTEN]
    return {str(path[2]) if path[1] == "authorizations" else OWN for path in paths}


def with_field(change: Change | None, resource: Resource, record: Record, field: FieldChange) -> Change:
    """`change`, or an update that does nothing else, with what becomes of the token."""
    if change is not None:
        return replace(change, fields=(*change.fields, field))
    return Change(Action.UPDATE, resource.key, resource, record, fields=(field,))


_MEMBERS = ("spec", "members")
_MODES = {
    "authoritative": "authoritative: members that are not listed are removed",
    "additive": "additive: members that others added stay",
}


def with_expired(
    desired: Mapping[Key, Resource], live: Mapping[Key, Record], matches: Iterable[Match], owner: str, now: str
) -> Iterator[Match]:
    """The policies that are as declared, and so matched by nothing, but of which grants have ended since."""
    matched = {found.resource.key for found in matches if found.resource}
    for resource in _dated(desired, now):
        record = live.get(resource.key)
        if record is not None and record.owner == owner and resource.key not in matched:
            moment = datetime.fromisoformat(now)
            if any(has_expired(grant, moment) for grant in resource.content.value["spec"]["grants"]):
                yield Match(Action.UPDATE, resource, record)


def dated_in(desired: Mapping[Key, Resource], now: str) -> tuple[DatedGrant, ...]:
    """The grants that git declares and that end some time."""
    return tuple(grant for policy in _dated(desired, now) for grant in dated_grants(policy))


def expiring_of(grants: Iterable[DatedGrant], now: str) -> tuple[Expiring, ...]:
    """Those that end soon, the first to end first."""
    found = expiring(grants, datetime.fromisoformat(now)) if now else ()
    return tuple(sorted(found, key=lambda item: (datetime.fromisoformat(item.expires), item.policy, item.index)))


def _dated(desired: Mapping[Key, Resource], now: str) -> Iterator[Resource]:
    for key, resource in desired.items():
        if now and key.kind == "PermissionPolicy" and may_expire(resource.body):
            yield resource


def without_ended(kind: str, content: Content, now: str) -> tuple[Content, tuple[str, ...]]:
    """What a new record holds, which may be less than what is declared, and what to say of it."""
    if kind != "PermissionPolicy" or not may_expire(content.body):
        return content, ()
    value = content.value
    spec, gone = without_expired(value["spec"], now)
    if not gone:
        return content, ()
    return content_of({**value, "spec": spec}), (f"grants that have ended are left out: {_listed(gone)}",)


def notes_on(kind: str, declared: Mapping[str, Any], fields: Iterable[FieldChange], now: str) -> tuple[str, ...]:
    """What a reviewer should see beside the fields of a policy or group that changes."""
    if kind == "Group":
        members = declared["spec"].get("members", {})
        changed = any(field.path[:2] == _MEMBERS for field in fields)
        return (f"members are {_MODES[members['mode']]}",) if changed and "mode" in members else ()
    if kind != "PermissionPolicy" or not now:
        return ()
    moment = datetime.fromisoformat(now)
    ended = [grant for grant in declared["spec"].get("grants", ()) if has_expired(grant, moment)]
    held = [
        grant
        for field in fields
        if field.path == ("spec", "grants") and isinstance(field.before, list)
        for grant in field.before
    ]
    gone = [grant for grant in ended if grant in held]
    return (f"grants that have ended are revoked: {_listed(gone)}",) if gone else ()


def _listed(grants: Iterable[Mapping[str, Any]]) -> str:
    return "; ".join(f"{', '.join(grant['permissions'])} (ended {grant['expires']})" for grant in grants)
