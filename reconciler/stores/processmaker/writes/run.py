"""One run of writes: what it goes by, what it has made until now, and what came of each write."""

from collections.abc import Iterable, Mapping, Sequence
from threading import Lock
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from reconciler.core.model import Key
from reconciler.core.ports.live import Outcome, Result, Write
from reconciler.kinds.authorization_blocks import OWN
from reconciler.kinds.canonical import leaves
from reconciler.kinds.registry import address
from reconciler.stores.processmaker.forms import categories, connectors, groups
from reconciler.stores.processmaker.forms.categories import category_body, category_fields
from reconciler.stores.processmaker.forms.connectors import connector_body, connector_fields
from reconciler.stores.processmaker.forms.credentials import credentials, is_token_ours, needs_credentials
from reconciler.stores.processmaker.forms.groups import group_body, group_fields
from reconciler.stores.processmaker.forms.notes import connector_note
from reconciler.stores.processmaker.forms.rows import ConnectorRow, GroupRow, UserRow
from reconciler.stores.processmaker.writes.change import Change, NotDone
from reconciler.stores.processmaker.writes.sight import Sight
from reconciler.stores.processmaker.writes.sorts import CATEGORY, CONNECTOR, SORTS, number_of

if TYPE_CHECKING:
    from reconciler.stores.processmaker.wire.client import Client

UNLIKE = "~"
"""The version of a record that did not come out as it was to: none has it, so it is looked at again."""
_FEW = 5
_IMAGES = {"Category": categories.image, "Connector": connectors.image, "Group": groups.image}


class Run:
    """Shared by the threads of a run.

    Attributes:
        new: by write the number of the record that was made.
        versions, titles: by id what the run itself has made of records, and of their names.
        outcomes: by write, once it is done, or did not come out as it was to.
        user_names, user_numbers: of users, as far as they matter.
    """

    def __init__(self, sight: Sight, writes: Sequence[Write]) -> None:
        """Ask for nothing."""
        self.sight = sight
        self.writes = writes
        self.new: dict[int, int] = {}
        self.versions: dict[str, str] = {}
        self.titles: dict[str, str] = {}
        self.outcomes: dict[int, Outcome] = {}
        self._lock = Lock()
        moving = {write.id for write in writes}
        keys = {record.id: record.key for record in sight.records.values() if record.id not in moving}
        keys |= {write.id: write.key for write in writes if write.id and write.body is not None}
        named = [(*key, number) for uid, key in keys.items() if (number := number_of(uid))]
        self._names = {sort: {number: name for kind, name, number in named if kind == sort} for sort in SORTS}
        self._numbers = {(kind, name): number for kind, name, number in named}
        self.user_names: dict[int, str] = {}
        self.user_numbers: dict[str, int] = {}
        self.meet(sight.picture.users.values())

    @property
    def client(self) -> "Client":
        """Who is asked."""
        return self.sight.client

    def called(self, index: int) -> str:
        """A write in messages."""
        return address(*self.writes[index].key)

    def uid(self, index: int) -> str:
        """The id of a write's record; "" while it has none."""
        write = self.writes[index]
        made = self.new.get(index)
        return SORTS[write.key.kind].id(made) if made is not None and not write.id else write.id

    def title(self, uid: str) -> str:
        """The name that a record has there, as far as is known; "" for unknown."""
        known = self.sight.records.get(uid)
        return self.titles.get(uid) or (str(known.body["spec"].get("displayName", "")) if known else "")

    def meet(self, users: Iterable[UserRow]) -> None:
        """Note what users are called."""
        for user in users:
            self.user_names[user.id] = user.username
            self.user_numbers[user.username] = user.id

    def made(self, index: int, number: int) -> None:
        """Note the number of a new record."""
        kind, name = self.writes[index].key
        self.new[index] = number
        self._numbers[kind, name] = number
        if kind != CONNECTOR.kind:  # nothing refers to connectors, of which there may be very many
            with self._lock:
                self._names[kind] = self._names[kind] | {number: name}

    def number(self, key: Key) -> int:
        """The number of a record.

        Raises:
            NotDone: there is none of that name.
        """
        found = self._numbers.get(key)
        if found is None:
            raise NotDone(Result.CONFLICT, f"{address(*key)} is not there")
        return found

    def names(self, kind: str) -> Mapping[int, str]:
        """What records of a kind are called, by number."""
        return self._names[kind]

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
        """Whether the credentials of a connector are sent. What nobody calls may have to wait for its token."""
        before = self.sight.records.get(write.id)
        assert write.body is not None
        spec = write.body["spec"]
        if spec.get("status") == "inactive" and OWN not in write.tokens and is_token_ours(spec):
            return False
        is_anew = write.is_sealed_anew or (before is not None and before.is_resealed)
        return needs_credentials(write.body, before.body if before else None, is_sealed_anew=is_anew)

    def body(self, kind: str, row: Any, known: Any) -> Any:
        """The body of a row; `known` where it holds what that says."""
        match kind:
            case "Category":
                return category_body(row, known)
            case "Connector":
                return connector_body(row, known, self.names("Category"))
        return group_body(row, known, self.user_names, self.names("Group"))

    def is_like(self, write: Write, row: Any) -> bool:
        """Whether a row holds what a write says of the record itself: of a group not who is in it."""
        if isinstance(row, GroupRow):
            row = replace(row, users=None, groups=None)
        return bool(self.body(write.key.kind, row, write.body) == write.body)

    def is_idle(self, write: Write) -> bool:
        """Whether a record holds already what a write says of the record itself."""
        before = self.sight.records.get(write.id)
        if before is None or write.body is None:
            return False
        if write.key.kind == CONNECTOR.kind and (write.is_sealed_anew or self.sends_credentials(write)):
            return False
        return _IMAGES[write.key.kind](write.body["spec"]) == _IMAGES[write.key.kind](before.body["spec"])

    # what came of it

    def note(self, uid: str, row: Any) -> None:
        """Note what a record is now by the run's own doing.

        Raises:
            NotDone: it is gone.
        """
        if row is None:
            raise NotDone(Result.FAILED, "it was gone right after it was written")
        kind = next(sort for sort in SORTS.values() if uid.startswith(f"{sort.word}:"))
        self.versions[uid] = kind.version(row)
        self.titles[uid] = row.name

    def check(self, index: int, row: Any) -> None:
        """Say what came of a write by what the instance has now.

        Args:
            row: None where it has nothing.

        Raises:
            NotDone: it is gone, or another one than it was to be.
        """
        write, uid = self.writes[index], self.uid(index)
        self.note(uid, row)
        unlike = differences(write.body, self.body(write.key.kind, row, write.body))
        if unlike:
            reason = f"the instance made something else of it: {unlike}"
            self.outcomes[index] = Outcome(Result.FAILED, uid, UNLIKE, reason)
            raise NotDone(Result.FAILED, reason)
        kept = connector_note(row, write.body, self.versions[uid]) if isinstance(row, ConnectorRow) else ""
        self.outcomes[index] = Outcome(Result.DONE, uid, self.versions[uid], note=kept)


def differences(wanted: Mapping[str, Any] | None, held: Any) -> str:
    """Which fields of two bodies differ, without what they hold; "" for none."""
    if wanted == held:
        return ""
    mine, theirs = leaves(wanted), leaves(held)
    paths = sorted(path for path in mine.keys() | theirs.keys() if mine.get(path) != theirs.get(path))
    more = f" and {len(paths) - _FEW} more" if len(paths) > _FEW else ""
    return ", ".join(paths[:_FEW]) + more
