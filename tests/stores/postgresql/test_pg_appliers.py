"""Many who apply to one store at once, from machines of their own, with programs of others writing in between."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from psycopg import errors
from servers.namespaces import Machine, machines, reached_from
from servers.pair import wait_until
from servers.postgresql import Database
from team_world import UNCONFIRMED, Repository, category, connector, ended, live, runs, settle, whole

STALE, LOCK_HELD, WORLD = 6, 8, 10
LOCKED = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
WRITE = """
UPDATE reconciler.documents SET live = regexp_replace(live, '"description":"[^"]*"', '"description":"' || %s || '"')
WHERE uid = (SELECT uid FROM reconciler.records WHERE name = %s)
"""


@contextmanager
def until_done(work: Callable[[], None]) -> Iterator[None]:
    """Do something again and again, in a thread; what fails there fails here."""
    done, failures = threading.Event(), []

    def again() -> None:
        try:
            while not done.is_set():
                work()
        except BaseException as failure:
            failures.append(failure)

    thread = threading.Thread(target=again)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join(30)
    assert not failures, failures


class Outsider:
    """A program that writes around the tool, each time in a transaction that stays open for a while."""

    def __init__(self, database: Database, name: str, seconds: float) -> None:
        self.said = 0
        self._database, self._name, self._seconds = database, name, seconds

    def write(self) -> None:
        """Once."""
        with self._database.connect(autocommit=False, application_name="outsider") as connection:
            connection.execute(WRITE, (f"outsider {self.said + 1}", self._name))
            time.sleep(self._seconds)
            connection.commit()
        self.said += 1
        time.sleep(self._seconds)


class Reader:
    """A program that reads the views; nobody makes it wait."""

    def __init__(self, database: Database) -> None:
        self._connection = database.connect(options="-c lock_timeout=200ms")
        self.slowest, self.reads = 0.0, 0

    def read(self) -> None:
        """Once."""
        begun = time.monotonic()
        self._connection.execute("SELECT * FROM reconciler.connectors, reconciler.effective_grants").fetchall()
        self._connection.execute("SELECT * FROM reconciler.categories").fetchall()
        self.slowest = max(self.slowest, time.monotonic() - begun)
        self.reads += 1
        time.sleep(0.01)

    def close(self) -> None:
        """Read no more."""
        self._connection.close()


def far(database: Database, place: Machine) -> str:
    """The address of a database as a machine of its own reaches it."""
    server = database.server
    url = server.url(database=database.name, user=database.user, sslmode="disable", timeout="2")
    return url.replace("127.0.0.1", place.server)


def test_sixteen_appliers_in_four_networks(authority, tmp_path: Path) -> None:
    """Half with saved plans; two for each record and two for all, and four of other owners. They end as a serial order."""
    names = [f"c{number}" for number in range(5)]
    with machines(4) as places, reached_from(authority, places) as server:
        database = server.create()
        first = Repository(tmp_path / "first", database.url, database.password)
        first.write("connectors/all.yaml", "---\n".join(category(name, "first") for name in names))
        first.ok("apply", "--yes", "-q")
        spaces = []
        for number in range(16):
            place = places[number % 4]
            owner = f"team{number}" if number >= 12 else "us"
            space = Repository(tmp_path / f"repo{number}", far(database, place), database.password, owner)
            mine = [f"team{number}"] if number >= 12 else names if number >= 10 else [names[number // 2]]
            space.write("connectors/all.yaml", "---\n".join(category(name, f"by{number}") for name in mine))
            if number % 2:
                space.ok("plan", "--no-prune", "--out", "plan.json", env={"RECONCILER_STORE": database.url})
            spaces.append((space, place, mine))
        outsider, reader = Outsider(database, "c0", 0.3), Reader(database)
        with closing(reader), until_done(outsider.write), until_done(reader.read):
            processes = []
            for number, (space, place, _) in enumerate(spaces):
                asked = ["plan.json"] if number % 2 else ["--no-prune"]
                line = ["apply", *asked, "--yes", "-q", "--as", f"by{number}", "--lock-timeout", "60"]
                processes.append(place.start(*line, cwd=space.root, env=space.env))
            ends = [ended(process) for process in processes]
        assert {code for code, _ in ends} <= {0, STALE}, ends
        order = [actor for actor in runs(database) if actor.startswith("by")]
        assert sorted(order) == sorted(f"by{number}" for number, (code, _) in enumerate(ends) if code == 0)
        assert {"by12", "by13", "by14", "by15"} <= set(order)
        expected = dict.fromkeys(names, "first")
        for actor in order:
            expected |= dict.fromkeys(spaces[int(actor[2:])][2], actor)
        found = live(database)
        assert found.pop("c0") in {expected.pop("c0"), f"outsider {outsider.said}"}
        assert found == expected
        assert database.sql("SELECT * FROM leases WHERE fence IS NOT NULL") == []
        assert reader.reads > 20 and reader.slowest < 1, (reader.reads, reader.slowest)
        whole(first)


@pytest.mark.long
def test_a_machine_that_is_cut_off_in_the_middle(authority, tmp_path: Path) -> None:
    """Nobody is told that it is: the run gives up and says so, the server forgets it, and it may try again."""
    with machines(1) as (place,), reached_from(authority, (place,)) as server:
        database = server.create()
        space = Repository(tmp_path / "repo", far(database, place), database.password)
        space.declare("first")
        first = place.start("apply", "--yes", "-q", cwd=space.root, env=space.env)
        assert ended(first)[0] == 0
        space.declare("second")
        with database.connect(autocommit=False) as outsider:
            outsider.execute("SELECT 1 FROM reconciler.documents FOR UPDATE")
            applying = place.start("apply", "--yes", "-q", "--lock-timeout", "2", cwd=space.root, env=space.env)
            wait_until(lambda: database.sql(LOCKED))
            place.unplug()
        code, said = ended(applying)
        assert code in (WORLD, UNCONFIRMED), said
        settle(database)
        assert set(live(database).values()) == {"first"}
        place.plug()
        again = place.start("apply", "--yes", "-q", cwd=space.root, env=space.env)
        assert ended(again)[0] == 0
        assert set(live(database).values()) == {"second"} and len(runs(database)) == 2
        checked = place.start("store", "check", cwd=space.root, env=space.env)
        assert ended(checked)[0] == 0


@pytest.fixture
def repository(database: Database, tmp_path: Path) -> Repository:
    """Three categories and a connector, applied."""
    made = Repository(tmp_path / "repo", database.url, database.password)
    made.declare("first")
    made.ok("apply", "--yes", "-q")
    return made


def test_an_open_transaction_blocks_only_what_it_touches(repository: Repository, database: Database) -> None:
    """What it has written to cannot be applied until it ends, and the apply says so; nothing else waits."""
    with database.connect(autocommit=False) as outsider:
        outsider.execute(WRITE, ("outsider", "one"))
        repository.edit("connectors/all.yaml", "The two, description: first", "The two, description: second")
        begun = time.monotonic()
        for line in (["plan"], ["get", "categories"], ["drift"], ["history"], ["apply", "--yes"]):
            result = repository.run(*line)
            assert result.exit_code in (0, 5), result.output
        assert time.monotonic() - begun < 8
        assert live(database)["two"] == "second"
        repository.edit("connectors/all.yaml", "The one, description: first", "The one, description: second")
        result = repository.run("apply", "--yes", "--lock-timeout", "2")
        assert result.exit_code == LOCK_HELD, result.output
        outsider.commit()
    assert live(database)["one"] == "outsider"
    assert "outsider" in repository.run("plan").output
    repository.ok("apply", "--yes")
    assert live(database)["one"] == "second"
    whole(repository)


def test_a_deadlock_is_tried_again(repository: Repository, database: Database) -> None:
    """A program that locks records in another order; whoever is given up, the apply is done once."""
    uids = [uid for (uid,) in database.sql("SELECT uid FROM documents ORDER BY uid")]
    lock = "SELECT 1 FROM reconciler.documents WHERE uid = %s FOR UPDATE"
    repository.declare("second")
    with database.connect(autocommit=False) as outsider:
        outsider.execute(lock, (uids[-1],))
        applying = repository.start("apply", "--yes")
        wait_until(lambda: database.sql(LOCKED))
        try:
            outsider.execute(lock, (uids[0],))
        except errors.DeadlockDetected:
            pytest.fail("the apply had waited for longer, and was to be given up")
        outsider.commit()
    code, said = ended(applying)
    assert code == 0, said
    assert set(live(database).values()) == {"second"} and len(runs(database)) == 2
    assert database.sql("SELECT deadlocks > 0 FROM pg_stat_database WHERE datname = current_database()") == [(True,)]


class Fleet:
    """Repositories of different owners in one store."""

    def __init__(self, root: Path, database: Database, repositories: int, connectors: int) -> None:
        self.database, self.connectors = database, connectors
        self.repositories = []
        for number in range(repositories):
            space = Repository(root / f"repo{number}", database.url, database.password, f"team{number}")
            self.repositories.append(space)
        self.declare("v1")

    def declare(self, text: str) -> None:
        """Everything anew, with one description."""
        for number, space in enumerate(self.repositories):
            own = [category(f"team{number}", text)]
            own += [connector(f"team{number}-{at}", text, [f"team{number}"]) for at in range(self.connectors)]
            space.write("connectors/all.yaml", "---\n".join(own))

    def apply(self, at_once: int) -> float:
        """All of them, so many at a time; returns the seconds."""
        begun = time.monotonic()
        with ThreadPoolExecutor(at_once) as pool:
            done = list(pool.map(lambda space: space.run("apply", "--yes", "-q", timeout=600), self.repositories))
        assert all(result.exit_code == 0 for result in done), [result.output for result in done if result.exit_code]
        return time.monotonic() - begun

    def check(self, text: str, applies: int) -> None:
        """All has this description, and nothing was applied twice."""
        found = live(self.database)
        assert set(found.values()) == {text} and len(found) == len(self.repositories) * (self.connectors + 1)
        assert len(runs(self.database)) == applies * len(self.repositories)
        own = self.database.sql("SELECT owner, count(*) FROM records GROUP BY owner")
        assert {count for _, count in own} == {self.connectors + 1} and len(own) == len(self.repositories)
        assert "nothing to do" in self.repositories[-1].ok("plan").output.lower()
        whole(self.repositories[0])


def test_eight_repositories_in_turn_and_at_once(database: Database, tmp_path: Path) -> None:
    """Each with ten connectors; no owner touches what another has."""
    fleet = Fleet(tmp_path, database, 8, 10)
    fleet.apply(1)
    fleet.check("v1", 1)
    fleet.declare("v2")
    fleet.apply(8)
    fleet.check("v2", 2)


@pytest.mark.long
def test_a_hundred_repositories_in_turn_and_at_once(database: Database, tmp_path: Path) -> None:
    """Each with a hundred connectors."""
    fleet = Fleet(tmp_path, database, 100, 100)
    print("created in turn:", fleet.apply(1))
    fleet.check("v1", 1)
    fleet.declare("v2")
    print("changed at once:", fleet.apply(16))
    fleet.check("v2", 2)
