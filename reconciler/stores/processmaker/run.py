"""One run of writes: what it goes by, what it has made until now, and what came of each write."""

from collections.abc import Mapping, Sequence
from threading import Lock
from typing import TYPE_CHECKING, Any

from reconciler.core.model import Key, encode
from reconciler.core.ports.live import Outcome, Result, Write
from reconciler.kinds.authorization_blocks import OWN
from reconciler.kinds.canonical import leaves
from reconciler.kinds.registry import address
from reconciler.stores.processmaker.answers import Refused
from reconciler.stores.processmaker.categories import category_body, category_fields
from reconciler.stores.processmaker.connectors import connector_body, connector_fields, seal
from reconciler.stores.processmaker.credentials import credentials, needs_credentials
from reconciler.stores.processmaker.crew import Change, Hand, NotDone
from reconciler.stores.processmaker.groups import group_body, group_fields
from reconciler.stores.processmaker.rows import ConnectorRow
from reconciler.stores.processmaker.sight import Sight
from reconciler.stores.processmaker.sorts import CATEGORY, CONNECTOR, SORTS, Sort, number_of

if TYPE_CHECKING:
    from reconciler.stores.processmaker.client import Client

_NOT_FOUND = 404
_FEW = 5
UNLIKE = "~"
"""The version of a record that did not come out as it was to: none has it, so it is looked at again."""


class Run:
    """Shared by the threads of a run.

    Attributes:
        versions: by id those of records that the run itself has changed.
        outcomes: by write, once it is done, or did not come out as it was to.
        new: by write the numbers of the records that were made.
    """

    def __init__(self, sight: Sight, writes: Sequence[Write]) -> None:
        self.sight = sight
        self.writes = writes
        self.versions: dict[str, str] = {}
        self.outcomes: dict[int, Outcome] = {}
        self.new: Mapping[int, int] = {}
        self._lock = Lock()
        moving = {write.id for write in writes}
        numbers = {record.key: number_of(record.id) for record in sight.records.values() if record.id not in moving}
        numbers |= {write.key: number_of(write.id) for write in writes if write.id and write.body is not None}
        self._numbers = {key: number for key, number in numbers.items() if number}
        self.user_names = {user.id: user.username for user in sight.picture.users.values()}

    @property
    def client(self) -> "Client":
        """Who is asked."""
        return self.sight.client

    def called(self, index: int) -> str:
        """A write in messages."""
        return address(*self.writes[index].key)

    def made(self, index: int, number: int) -> None:
        """Note the number of a new record."""
        with self._lock:
            self.new = {**self.new, index: number}
            self._numbers = {**self._numbers, self.writes[index].key: number}

    def number(self, key: Key) -> int:
        """The number of a record.

        Raises:
            NotDone: there is none of that name.
        """
        found = self._numbers.get(key)
        if found is None:
            raise NotDone(Result.CONFLICT, f"{address(*key)} is not there")
        return found

    def names(self, kind: str) -> dict[int, str]:
        """What records of a kind are called, by number."""
        return {number: key.name for key, number in self._numbers.items() if key.kind == kind}

    def expected(self, write: Write) -> str:
        """The version that the record of a write has to have."""
        return self.versions.get(write.id, write.version)

    # what the instance is told of a body, and whether it holds one

    def told(self, write: Write, verb: str, row: Any = None) -> Change:
        """The request that says what the record is to be.

        Args:
            row: what the instance has; None for a new record.

        Raises:
            NotDone: something that it needs is not there.
        """
        assert write.body is not None
        sort = SORTS[write.key.kind]
        path = f"{sort.path}/{row.id}" if row else sort.path
        if sort is not CONNECTOR:
            return Change(verb, path, (category_fields if sort is CATEGORY else group_fields)(write.body))
        ids = {name: self.number(Key("Category", name)) for name in write.body["spec"]["categories"]}
        try:
            whole = connector_fields(write.body, ids, row, write.secrets)
            if self.sends_credentials(write):
                whole["credentials"] = credentials(write.body, write.secrets, write.tokens.get(OWN))
        except KeyError as missing:
            raise NotDone(Result.FAILED, f"the value of its secret {missing} is not at hand") from None
        return Change(verb, path, whole, connector_fields(write.body, ids, row))

    def sends_credentials(self, write: Write) -> bool:
        """Whether the credentials of a connector are sent."""
        before = self.sight.records.get(write.id)
        assert write.body is not None
        return needs_credentials(write.body, before.body if before else None, is_sealed_anew=write.is_sealed_anew)

    def body(self, kind: str, row: Any, known: Any) -> Any:
        """The body of a row; `known` where it holds what that says."""
        match kind:
            case "Category":
                return category_body(row, known)
            case "Connector":
                return connector_body(row, known, self.names("Category"))
        return group_body(row, known, self.user_names, self.names("Group"))

    def holds(self, write: Write, row: Any) -> bool:
        """Whether a row holds what a write says."""
        return bool(self.body(write.key.kind, row, write.body) == write.body)

    def check(self, index: int, row: Any) -> None:
        """Note what came of a write by what the instance has now.

        Args:
            row: None where it has nothing.

        Raises:
            NotDone: it is gone.
        """
        write = self.writes[index]
        if row is None:
            raise NotDone(Result.FAILED, "it was gone right after it was written")
        sort = SORTS[write.key.kind]
        uid, version = sort.id(row.id), sort.version(row)
        self.versions[uid] = version
        unlike = differences(write.body, self.body(write.key.kind, row, write.body))
        if unlike:
            reason = f"the instance made something else of it: {unlike}"
            self.outcomes[index] = Outcome(Result.FAILED, uid, UNLIKE, reason)
            raise NotDone(Result.FAILED, reason)
        self.outcomes[index] = Outcome(Result.DONE, uid, version, note=note_of(row, write.body))


def note_of(row: Any, body: Any) -> str:
    """What is kept with a record."""
    return encode({"seal": seal(row, body)}).decode() if isinstance(row, ConnectorRow) else ""


def fetch(hand: "Hand | Client", sort: Sort, number: int) -> Any:
    """A row as it is now; None where there is none."""
    try:
        return sort.row(hand.get(f"{sort.path}/{number}").body)
    except Refused as refusal:
        if refusal.status != _NOT_FOUND:
            raise
        return None


def look(run: Run, hand: Hand, write: Write) -> Any:
    """The row of a write, which is still what it was.

    Raises:
        NotDone: it is not, or is gone.
    """
    sort = SORTS[write.key.kind]
    row = fetch(hand, sort, number_of(write.id))
    if row is None:
        raise NotDone(Result.CONFLICT, "it is gone")
    if sort.version(row) != run.expected(write):
        raise NotDone(Result.CONFLICT, "somebody else has written to it")
    return row


def differences(wanted: Mapping[str, Any] | None, held: Any) -> str:
    """Which fields of two bodies differ, without what they hold."""
    mine, theirs = (leaves(body) for body in (wanted, held))
    paths = sorted(path for path in mine.keys() | theirs.keys() if mine.get(path) != theirs.get(path))
    more = f" and {len(paths) - _FEW} more" if len(paths) > _FEW else ""
    return ", ".join(paths[:_FEW]) + more
