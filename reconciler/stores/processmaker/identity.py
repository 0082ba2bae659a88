"""What tells one instance from another: its URL, and who its first users and groups are.

A copy of an instance's database has the same users and groups, and another instance may come to be behind the same URL:
hence both are looked at. Records come and go, and not every token sees all of them; so one that both pictures show is
enough, and one that contradicts is too much.
"""

from collections.abc import Iterable, Mapping

import msgspec
from msgspec import Struct

from reconciler.errors import StoreUnavailable
from reconciler.stores.processmaker.wire.answers import Refused
from reconciler.stores.processmaker.wire.client import Client
from reconciler.stores.processmaker.wire.login import claims

_FEW = 5
_LONG = 19  # digits, of which no id has as many
_KINDS = ("users", "groups")


class _Mark(Struct, frozen=True, array_like=True):
    """What tells a record of one instance from that of the same number of another.

    Attributes:
        uuid: "" where the instance has none.
    """

    uuid: str
    created: str

    def contradicts(self, other: "_Mark") -> bool:
        """Whether they cannot be of one record. An instance that is brought up to date gets uuids."""
        if self.uuid and other.uuid:
            return self.uuid != other.uuid
        return self.created != other.created


class _Picture(Struct, frozen=True):
    """An instance.

    Attributes:
        url: without its scheme.
        users, groups: by id.
    """

    url: str
    users: Mapping[str, _Mark] = {}
    groups: Mapping[str, _Mark] = {}

    def of(self, kind: str) -> Mapping[str, _Mark]:
        """Those of one sort."""
        found: Mapping[str, _Mark] = getattr(self, kind)
        return found


def identify(client: Client) -> str:
    """A picture of the instance, as text to be kept.

    Raises:
        StoreUnavailable: it cannot be reached.
    """
    found = {kind: _first(client, kind) for kind in _KINDS}
    if not found["users"] and (own := own_id(client)):  # whom everybody may read
        found["users"] = _single(client, "users", (str(own),))
    return msgspec.json.encode(_Picture(_url(client), **found), order="sorted").decode()


def is_same(client: Client, noted: str, now: str) -> bool:
    """Whether the instance of an earlier picture is that of the present one.

    Args:
        now: as `identify` gives it.

    Raises:
        StoreUnavailable: it cannot be reached, or the token sees nothing that could tell.
    """
    before, after = _decoded(noted), _decoded(now)
    if before is None or after is None or before.url != after.url:
        return False
    if verdict := _compared(before, after):
        return verdict > 0
    if not any(before.of(kind) for kind in _KINDS):
        return True  # there was nothing to be seen then
    again = _Picture(after.url, **{kind: _single(client, kind, before.of(kind)) for kind in _KINDS})
    if verdict := _compared(before, again):
        return verdict > 0
    hint = "use a token whose user may view users or groups, or the one that was used before"
    message = f"{client.address.host} cannot be recognised: the token sees no user and no group that was there before"
    raise StoreUnavailable(message, hint=hint)


def own_id(client: Client) -> int:
    """The id of the token's user, as the token says it; 0 where it does not."""
    said = str(dict(claims(client.login.token())).get("sub"))
    return int(said) if len(said) < _LONG and said.isascii() and said.isdigit() else 0


def _compared(one: _Picture, other: _Picture) -> int:
    """1 where they show a record in common, -1 where they contradict, 0 where neither."""
    pairs = [
        (mark, other.of(kind)[number])
        for kind in _KINDS
        for number, mark in one.of(kind).items()
        if number in other.of(kind)
    ]
    if any(mark.contradicts(again) for mark, again in pairs):
        return -1
    return 1 if pairs else 0


def _url(client: Client) -> str:
    return client.address.root.partition("://")[2]


def _decoded(text: str) -> _Picture | None:
    try:
        return msgspec.json.decode(text.encode(), type=_Picture)
    except (msgspec.DecodeError, RecursionError):
        return None


def _first(client: Client, kind: str) -> dict[str, _Mark]:
    """Those with the smallest ids; none where the token may not see them."""
    body = _seen(client, f"/{kind}", {"order_by": "id", "order_direction": "asc", "per_page": _FEW})
    rows = body.get("data") if isinstance(body, dict) else None
    return dict(_marks(rows if isinstance(rows, list) else ()))


def _single(client: Client, kind: str, ids: Iterable[str]) -> dict[str, _Mark]:
    return dict(_marks(_seen(client, f"/{kind}/{number}", {}) for number in ids))


def _seen(client: Client, path: str, params: Mapping[str, str | int]) -> object:
    """What is there, where the token may see it."""
    try:
        return client.get(path, params).body
    except Refused:
        return None


def _marks(rows: Iterable[object]) -> Iterable[tuple[str, _Mark]]:
    for row in rows:
        if not isinstance(row, dict) or type(number := row.get("id")) is not int:
            continue
        uuid, created = row.get("uuid"), row.get("created_at")
        if isinstance(uuid, str) or isinstance(created, str):
            moment = created[:19].replace("T", " ") if isinstance(created, str) else ""
            yield str(number), _Mark(uuid if isinstance(uuid, str) else "", moment)
