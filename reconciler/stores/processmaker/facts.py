"""What was found out of an instance when it was last asked, as the state keeps it."""

from collections.abc import Mapping

import msgspec
from msgspec import Struct


class Facts(Struct, frozen=True, rename="camel", omit_defaults=True):
    """What is known of an instance. All of it may be unknown, as before the first `store check`.

    Attributes:
        profile: "4.14" where the routes of today are there, "2020" where those of then are; "" for unknown.
        has_catalogue: whether GET /permissions is there.
        has_group_routes: whether GET /groups/{id}/users and /groups/{id}/groups are there, and not /group_users/{id}.
        has_etags: whether GET says whether something moved.
        has_uuids: whether records have one.
        shows_ciphertext: whether it shows that credentials were written; None where no connector has any.
        permissions: by names of ours, such as "connectors:view", those that the instance has for them.
        missing: names of ours that it has none for.
        user, username: the token's own.
        is_administrator: whether that user may do everything.
        rights: names of the instance that the user has, as far as its groups tell.
        lacks: what the user lacks for managing the instance, a sentence each.
        sees_members: whether it sees who is a member of all groups.
        sees_users: whether it sees all users.
        expires: when the token does, ISO 8601 in UTC; "" for unknown, and for one that is granted anew each time.
        seconds: how long a request took on average.
        counts: of what there is, by noun.
    """

    profile: str = ""
    has_catalogue: bool = False
    has_group_routes: bool = False
    has_etags: bool = False
    has_uuids: bool = False
    shows_ciphertext: bool | None = None
    permissions: Mapping[str, str] = {}
    missing: tuple[str, ...] = ()
    user: int = 0
    username: str = ""
    is_administrator: bool = False
    rights: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    sees_members: bool = False
    sees_users: bool = False
    expires: str = ""
    seconds: float = 0.0
    counts: Mapping[str, int] = {}

    @property
    def is_known(self) -> bool:
        """Whether anything was ever found out."""
        return bool(self.profile)

    def encode(self) -> str:
        """As it is kept."""
        return msgspec.json.encode(self, order="sorted").decode()


def decode(text: str) -> Facts:
    """What was kept; nothing is known where that is none, as an older or newer version may have written it."""
    try:
        return msgspec.json.decode(text.encode(), type=Facts)
    except (msgspec.DecodeError, RecursionError):
        return Facts()
