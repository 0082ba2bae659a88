"""One run of writes: what it goes by, what it has made until now, and what came of each write."""

from collections.abc import Mapping, Sequence
from threading import Lock
from typing import TYPE_CHECKING, Any

from reconciler.core.model import Key
from reconciler.core.ports.live import Outcome, Result, Write
from reconciler.kinds.canonical import leaves
from reconciler.kinds.registry import address
from reconciler.stores.processmaker.answers import Refused
from reconciler.stores.processmaker.categories import category_body, category_fields
from reconciler.stores.processmaker.connectors import connector_body, connector_fields
from reconciler.stores.processmaker.credentials import credentials, needs_credentials
from reconciler.stores.processmaker.crew import Hand, NotDone
from reconciler.stores.processmaker.groups import group_body, group_fields
from reconciler.stores.processmaker.sight import Sight
from reconciler.stores.processmaker.sorts import SORTS, Sort, number_of

if TYPE_CHECKING:
    from reconciler.stores.processmaker.client import Client

_NOT_FOUND = 404
_FEW = 5


class Run:
    """Shared by the threads of a run.

    Attributes:
        versions: by id those of records that the run itself has changed.
        outcomes: by write, once it is done, or has failed after something of it was.
    """

    def __init__(self, sight: Sight, writes: Sequence[Write]) -> None:
        self.sight = sight
        self.writes = writes
        self.versions: dict[str, str] = {}
        self.outcomes: dict[int, Outcome] = {}
        self._made = Lock()
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

    def made(self, key: Key, number: int) -> None:
        """Note the number of a new record."""
        with self._made:
            self._numbers = {**self._numbers, key: number}

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

    def fields(self, write: Write, row: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """What is sent, with the secrets, and the same without them.

        Args:
            row: what the instance has; None for a new record.
        """
        assert write.body is not None
        if write.key.kind != "Connector":
            made = (category_fields if write.key.kind == "Category" else group_fields)(write.body)
            return made, made
        ids = {name: self.number(Key("Category", name)) for name in write.body["spec"]["categories"]}
        try:
            whole = connector_fields(write.body, ids, row, write.secrets)
            if self.sends_credentials(write):
                whole["credentials"] = credentials(write.body, write.secrets, write.tokens.get(""))
        except KeyError as missing:
            raise NotDone(Result.FAILED, f"no value is at hand for its secret {missing}") from None
        return whole, connector_fields(write.body, ids, row)

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
