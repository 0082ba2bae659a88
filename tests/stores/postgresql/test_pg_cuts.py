"""A connection may die at any moment of an apply: the run says applied, not applied or unconfirmed, and is right."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Result
from servers.pgbouncer import Pooler
from servers.postgresql import Database
from servers.wire import Cut, Message, Wire
from team_world import NAMES, UNCONFIRMED, Repository, live, runs, settle, whole

from reconciler.errors import ExitCode

CUTS = (Cut.BEFORE, Cut.AFTER, Cut.DURING)


class Sweep:
    """Applies that are cut off one after the other, in one store."""

    def __init__(self, root: Path, database: Database, wire: Wire) -> None:
        self.wire, self.database = wire, database
        self.repository = Repository(root, wire.url(database), database.password)
        self._number = 0
        self._change()
        self.repository.ok("apply", "--yes", "-q")

    def _change(self) -> str:
        self._number += 1
        self.repository.declare(f"v{self._number}")
        return f"v{self._number}"

    @property
    def _live(self) -> str:
        """The version that all of it has."""
        found = live(self.database)
        assert set(found) == {*NAMES, "contacts"} and len(set(found.values())) == 1, found
        return found["one"]

    def cut(self, how: Cut, **where: object) -> tuple[Result, bool]:
        """Cut one apply off, and look at what became of it; what it said, and whether it was applied."""
        before, count = self._live, len(runs(self.database))
        wanted = self._change()
        self.wire.clear()
        self.wire.cut(how, **where)  # type: ignore[arg-type]
        result = self.repository.run("apply", "--yes")
        self.wire.clear()
        settle(self.database)
        about = f"{how} {where}: {result.exit_code} {result.output}"
        is_applied = self._live == wanted
        assert is_applied or self._live == before, about
        assert len(runs(self.database)) == count + is_applied, about
        if result.exit_code != UNCONFIRMED:
            assert is_applied == (result.exit_code == 0), about
        again = self.repository.run("apply", "--yes")
        assert again.exit_code == 0 and self._live == wanted, f"{about}\n{again.output}"
        assert len(runs(self.database)) == count + 1, about
        return result, is_applied

    def whole_apply(self) -> list[Message]:
        """What the client says in one that nobody cuts off."""
        self._change()
        self.wire.clear()
        self.repository.ok("apply", "--yes", "-q")
        return list(self.wire.messages)


@pytest.fixture
def wire(postgresql) -> Iterator[Wire]:
    """A proxy before the server."""
    made = Wire(postgresql.port)
    yield made
    made.close()


@pytest.fixture
def sweep(tmp_path: Path, database: Database, wire: Wire) -> Sweep:
    """A store with a few records."""
    return Sweep(tmp_path / "repo", database, wire)


@pytest.fixture
def pooled_sweep(tmp_path: Path, database: Database, pgbouncer: Pooler) -> Iterator[Sweep]:
    """The same behind pgbouncer, where a transaction that is cut off is the pooler's to end."""
    made = Wire(pgbouncer.port)
    yield Sweep(tmp_path / "repo", database, made)
    made.close()


COMMIT = "UPDATE attempts SET outcome = $1, finished = $2, run"  # goes together with the commit of what was written
LEASE = "COMMIT"  # the first one
MIDDLE = 'INSERT INTO "history"'


@pytest.mark.parametrize("text", [LEASE, MIDDLE, COMMIT])
@pytest.mark.parametrize("how", CUTS)
def test_the_round_trips_that_matter(sweep: Sweep, how: Cut, text: str) -> None:
    """When the lease is taken, when it writes, and when it commits."""
    sweep.cut(how, text=text)
    whole(sweep.repository)


def test_a_server_that_is_gone_after_the_commit(sweep: Sweep, tmp_path: Path) -> None:
    """Whether it was applied is not known, and is said; the next command finds out, and applies nothing twice."""
    impatient = "import reconciler.stores.sql.lease as lease\nlease._SETTLE_SECONDS = 2.0\n"  # not 20
    (tmp_path / "sitecustomize.py").write_text(impatient)
    sweep.repository.env["PYTHONPATH"] = str(tmp_path)
    result, is_applied = sweep.cut(Cut.AFTER, text=COMMIT, refuse=True)
    assert (result.exit_code, is_applied) == (UNCONFIRMED, True)
    whole(sweep.repository)


def test_a_server_that_is_gone_before_the_commit(sweep: Sweep) -> None:
    """Nothing was changed, and that is said."""
    result, is_applied = sweep.cut(Cut.BEFORE, text=MIDDLE, refuse=True)
    assert (result.exit_code, is_applied) == (ExitCode.WORLD, False) and "nothing was changed" in result.stderr, result


@pytest.mark.long
@pytest.mark.parametrize("how", CUTS)
@pytest.mark.parametrize("through", ["sweep", "pooled_sweep"])
def test_every_round_trip_of_an_apply(through: str, how: Cut, request: pytest.FixtureRequest) -> None:
    """All of them, direct and behind a pooler."""
    sweep: Sweep = request.getfixturevalue(through)
    for turn in range(1, sweep.whole_apply()[-1].turn + 1):
        sweep.cut(how, turn=turn)
    whole(sweep.repository)


@pytest.mark.long
@pytest.mark.parametrize("through", ["sweep", "pooled_sweep"])
def test_every_message_of_an_apply(through: str, request: pytest.FixtureRequest) -> None:
    """Also in the middle of what is sent at once."""
    sweep: Sweep = request.getfixturevalue(through)
    for number in range(1, len(sweep.whole_apply()) + 1, 4):
        sweep.cut(CUTS[number % 3], number=number)
    whole(sweep.repository)
