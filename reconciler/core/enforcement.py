"""What a permission to apply rests on, and the grants that end soon."""

from msgspec import Struct

from reconciler.core.model import Key


class Basis(Struct, frozen=True):
    """The policies and groups that a plan was judged by. The apply makes sure that they are so still.

    Attributes:
        enforced: whether the store has a super admin, so that every change takes a permission.
        actor: whose permissions were looked at; "" where nobody was named.
        approvals: who else was said to stand for the changes.
        kinds: of which kinds there are to be just the records named, and no others.
        records: (key, uid, version) of those records.
        until: RFC 3339, when the next grant ends that may have been counted; "" for never.
    """

    enforced: bool
    actor: str
    kinds: tuple[str, ...]
    records: frozenset[tuple[Key, str, str]]
    until: str = ""
    approvals: tuple[str, ...] = ()


class Expiring(Struct, frozen=True):
    """A grant that ends soon.

    Attributes:
        policy: its name.
        index: the grant's position in the policy.
        expires: as it is written in the policy.
        days: whole days that are left.
    """

    policy: str
    file: str
    index: int
    permissions: tuple[str, ...]
    expires: str
    days: int
