"""How often a command waits for the server, once it is connected: a pipeline may be far from its database."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from servers.postgresql import Database
from servers.wire import Wire
from team_world import NAMES, Repository, runs

DELAY = 0.01  # longer than what the client does between two messages that it sends without waiting
OF_CONNECTING = {"Startup", "Password", "SSLRequest", "GSSENCRequest"}


class Far:
    """A repository whose store is some way off."""

    def __init__(self, root: Path, database: Database, wire: Wire) -> None:
        self.wire, self.database = wire, database
        self.repository = Repository(root, wire.url(database), database.password)
        self.declare("first")
        self.repository.ok("apply", "--yes", "-q")

    def declare(self, text: str, *, names: tuple[str, ...] = NAMES) -> None:
        """The same in all of them, in files of their own, committed."""
        self.repository.declare(text, names)
        self.repository.commit()

    def trips(self, *arguments: str) -> int:
        """How often a command that does well waits, not counting what it takes to connect."""
        self.wire.clear()
        self.repository.ok(*arguments)
        waits = [message for message in self.wire.messages if message.kind == "Sync"]
        connecting = {
            (message.connection, message.turn) for message in self.wire.messages if message.kind in OF_CONNECTING
        }
        turns = {(message.connection, message.turn) for message in waits} - connecting
        only_farewell = {turn for turn in turns if self._said(turn) == ["ROLLBACK"]}
        assert self.wire.connections <= 1
        return len(turns - only_farewell)

    def _said(self, turn: tuple[int, int]) -> list[str]:
        mine = (message for message in self.wire.messages if (message.connection, message.turn) == turn)
        return [message.text for message in mine if message.text]


@pytest.fixture
def far(tmp_path: Path, database: Database, postgresql) -> Iterator[Far]:
    wire = Wire(postgresql.port, DELAY)
    yield Far(tmp_path / "repo", database, wire)
    wire.close()


def test_a_plan_waits_twice_and_an_apply_five_times(far: Far) -> None:
    assert far.trips("plan") <= 2  # nothing
    far.declare("second")
    assert far.trips("plan") == 2
    assert far.trips("apply", "--yes", "-q") == 5
    assert len(runs(far.database)) == 2


def test_a_plan_of_what_others_have_applied_meanwhile_waits_no_more(far: Far, tmp_path: Path) -> None:
    theirs = Repository(tmp_path / "theirs", far.repository.env["RECONCILER_STORE"], far.database.password, "them")
    theirs.declare("theirs", prefix="their-")
    theirs.commit()
    theirs.ok("apply", "--yes", "-q")
    far.declare("second")
    assert far.trips("plan") == 2


@pytest.mark.parametrize(
    "command", [("plan", "--full"), ("drift",), ("get",), ("history",), ("export", "--out", "all")]
)
def test_no_record_is_asked_for_by_itself(far: Far, command: tuple[str, ...]) -> None:
    few = far.trips(*command)
    far.declare("first", names=(*NAMES, *(f"more-{number}" for number in range(20))))
    far.repository.ok("apply", "--yes", "-q")
    again = (*command[:-1], "again") if command[0] == "export" else command
    assert far.trips(*again) == few <= 8


def test_an_apply_of_many_waits_as_often_as_one_of_few(far: Far) -> None:
    names = (*NAMES, *(f"more-{number}" for number in range(20)))
    far.declare("first", names=names)
    far.repository.ok("apply", "--yes", "-q")
    far.declare("second", names=names)
    assert far.trips("apply", "--yes", "-q") == 5
    far.declare("second")
    assert far.trips("apply", "--yes", "-q", "--max-deletes", "100%") <= 7
