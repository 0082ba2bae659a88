"""What an instance says of its records, as far as we look at it, and what all of them together are."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

USER, GROUP = r"ProcessMaker\Models\User", r"ProcessMaker\Models\Group"
"""Types of members."""


class CategoryRow(Struct, frozen=True):
    """A category of connectors.

    Attributes:
        is_system: whether lists leave out what is filed under it.
    """

    id: int
    name: str
    status: str
    is_system: bool = False
    created: str = ""


class ConnectorRow(Struct, frozen=True):
    """A connector.

    Attributes:
        endpoints: as they were read, with whatever keys they have; None, a list or a text where somebody made them so.
        categories: ids, sorted.
        seal: SHA-256 of the ciphertext of its credentials, in hexadecimal; "" where it has none or does not show it.
        others: all other fields that say something, to be sent back as they are.
    """

    id: int
    name: str
    description: str | None
    authtype: str
    status: str
    categories: tuple[int, ...]
    endpoints: Any
    seal: str = ""
    type: str = "REST"
    created: str = ""
    updated: str = ""
    others: Mapping[str, Any] = {}


class GroupRow(Struct, frozen=True):
    """A group.

    Attributes:
        permissions: names, sorted; of a double row one. Whole only where the list was read with them.
        doubled: names that are there twice.
        users, groups: ids of its direct members with those of their memberships; None where they were not read.
    """

    id: int
    name: str
    description: str | None
    status: str
    permissions: tuple[str, ...] = ()
    doubled: tuple[str, ...] = ()
    users: Mapping[int, int] | None = None
    groups: Mapping[int, int] | None = None
    created: str = ""


class UserRow(Struct, frozen=True):
    """A user."""

    id: int
    username: str
    is_administrator: bool = False
    status: str = "ACTIVE"


class Picture(Struct, frozen=True):
    """All that was read of an instance, by id.

    Attributes:
        left_alone: how many records of which sort are nobody's to manage, in words: "2 SOAP connectors".
        is_whole: whether members and administrators could be seen of all groups and users.
    """

    categories: Mapping[int, CategoryRow]
    connectors: Mapping[int, ConnectorRow]
    groups: Mapping[int, GroupRow]
    users: Mapping[int, UserRow]
    left_alone: Mapping[str, int] = {}
    is_whole: bool = True
