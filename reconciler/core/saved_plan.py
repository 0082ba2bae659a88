"""A plan that was saved: what was reviewed, and what has to be so still when it is carried out."""

from collections.abc import Mapping

from msgspec import Struct

from reconciler.core.diff import FieldChange
from reconciler.core.model import Content, Key, Resource
from reconciler.core.plan import Action, Revision
from reconciler.core.quarantine import Revival


class Precondition(Struct, frozen=True):
    """A live record as it was when the plan was made.

    Attributes:
        leaves: digest of each field, by dotted path.
    """

    key: Key
    uid: str
    fingerprint: str
    applied: str
    owner: str
    leaves: Mapping[str, str]


class SavedStep(Struct, frozen=True):
    """One change of it.

    Attributes:
        resource: what git declared; None for a delete.
        record: None for a create.
        revival: the deleted record that comes back; None for all else.
        written: what it comes back with, where that is not what was declared.
        unwritten: fields that stand in no body: secrets with new values, tokens.
        notes: what a reviewer saw beside it.
    """

    action: Action
    key: Key
    resource: Resource | None
    record: Precondition | None
    unwritten: tuple[FieldChange, ...]
    notes: tuple[str, ...]
    revival: Revival | None = None
    written: Content | None = None


class Referred(Struct, frozen=True):
    """A record that the plan refers to and does not touch."""

    key: Key
    uid: str
    fingerprint: str


class SavedPlan(Struct, frozen=True):
    """All of it.

    Attributes:
        tool: version of the program that made it.
        created, expires: RFC 3339 in UTC.
        verb: the command that made it.
        store: identity of the store; "" when there was none yet.
        adopt: whether records of other owners may be taken over.
        fingerprint: of the plan; see `core.plan.fingerprint_of`.
        digest: SHA-256 of the whole file but for its signature, in hexadecimal.
        signature: in Base64, "" for none.
        signed_by: what the file says names the key.
    """

    tool: str
    created: str
    expires: str
    verb: str
    store: str
    adopt: bool
    target: str
    owner: str
    revision: Revision
    kept: int
    fingerprint: str
    steps: tuple[SavedStep, ...]
    refers: tuple[Referred, ...]
    digest: str
    signature: str
    signed_by: str
