"""Standbys that are lost and promoted: what was acknowledged is not lost, and what was not is never called applied."""

import signal
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import psycopg
import pytest
from servers.pair import Pair, pair, wait_until
from servers.patroni import DATABASE, Cluster, cluster
from servers.postgresql import Database
from team_world import UNCONFIRMED, Repository, ended, live, runs, whole

from reconciler.errors import ExitCode


@pytest.fixture(scope="module")
def _both(authority) -> Iterator[Pair]:
    with pair(authority) as made:
        yield made


@pytest.fixture
def both(_both: Pair) -> Pair:
    """A primary and the standby that it waits for."""
    _both.begin()
    return _both


class Applying:
    """A store that was applied to once, and a second apply that is about to write."""

    def __init__(self, both: Pair, root: Path) -> None:
        self._both = both
        self.database = both.primary.create()
        self.repository = Repository(root, both.url(self.database), self.database.password)
        self.repository.declare("first")
        self.repository.ok("apply", "--yes", "-q")
        self.repository.declare("second")

    @contextmanager
    def held(self) -> Iterator["subprocess.Popen[str]"]:
        """An apply that has its lease, and cannot go on to write before the block ends."""
        with suppress(psycopg.OperationalError), self.database.connect(autocommit=False) as outsider:
            outsider.execute("SELECT 1 FROM reconciler.documents FOR UPDATE")
            applying = self.repository.start("apply", "--yes")
            wait_until(lambda: self._both.primary_says(LOCKED, self.database.name))
            try:
                yield applying
            finally:
                outsider.rollback()  # to commit would wait for the standby

    @contextmanager
    def committing(self) -> Iterator["subprocess.Popen[str]"]:
        """An apply whose commit waits for the standby, which is lost."""
        with self.held() as applying:
            self._both.lose_standby()
        self.wait()
        yield applying

    def wait(self) -> None:
        """Until the commit waits for the standby."""
        wait_until(lambda: self._both.waiting(self.database))

    def live(self) -> str:
        """The one text that all records have on the server that is the primary now."""
        (found,) = set(live(self._now).values())
        return found

    def runs(self) -> int:
        """How many have changed something."""
        return len(runs(self._now))

    @property
    def _now(self) -> Database:
        return self.database if self._both.primary.running else self._both.promoted(self.database)


LOCKED = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = %s"
ENDS = {"nobody": "SELECT %s", "cancelled": "SELECT pg_cancel_backend(%s)", "terminated": "SELECT pg_terminate_backend(%s)"}  # fmt: skip


@pytest.mark.long
def test_a_commit_that_the_standby_never_had_is_unconfirmed(both: Pair, tmp_path: Path) -> None:
    """However the wait for it ends, also when the server says COMMIT then. What nobody can acknowledge stays so until
    a server does: the one that takes over has never heard of it, and the next apply does it there."""
    stores = {end: Applying(both, tmp_path / end) for end in ENDS}
    with ExitStack() as held:
        applying = {end: held.enter_context(store.held()) for end, store in stores.items()}
        both.lose_standby()
    for end, store in stores.items():
        store.wait()
        both.primary_says(ENDS[end], both.waiting(store.database)[0])
    said = {end: ended(process) for end, process in applying.items()}
    assert {code for code, _ in said.values()} == {UNCONFIRMED}, said
    visible = stores["cancelled"]
    assert visible.live() == "second", "the server shows what it may still lose"
    again = visible.repository.run("apply", "--yes")
    assert again.exit_code == UNCONFIRMED and "nothing is left to do, but" in again.stderr, again.output
    both.fail_over()
    for store in stores.values():
        assert (store.live(), store.runs()) == ("first", 1)
        store.repository.ok("apply", "--yes")
        assert (store.live(), store.runs()) == ("second", 2)
        whole(store.repository)


@pytest.mark.long
def test_a_commit_that_the_standby_gets_later_is_found_by_the_next_command(both: Pair, tmp_path: Path) -> None:
    """It was applied, and is not applied twice."""
    store = Applying(both, tmp_path / "repo")
    with store.committing() as applying:
        code, said = ended(applying)
    assert code == UNCONFIRMED, said
    both.bring_back_standby()
    store.repository.ok("apply", "--yes")
    both.fail_over()
    assert (store.live(), store.runs()) == ("second", 2)
    whole(store.repository)


def test_ctrl_c_tears_no_commit_apart(both: Pair, tmp_path: Path) -> None:
    """It waits until the commit is acknowledged, and says that it came too late."""
    store = Applying(both, tmp_path / "repo")
    with store.committing() as applying:
        applying.send_signal(signal.SIGINT)
        time.sleep(0.5)
        assert applying.poll() is None
        both.bring_back_standby()
        code, said = ended(applying)
    assert code == ExitCode.INTERRUPTED and "already applied" in said, said
    both.fail_over()
    assert store.live() == "second"


@pytest.mark.parametrize("level", ["off", "local"])
def test_a_role_that_waits_for_nobody_waits_all_the_same(both: Pair, tmp_path: Path, level: str) -> None:
    """What it is told lasts."""
    store = Applying(both, tmp_path / "repo")
    both.set_for_role(store.database, "synchronous_commit", level)
    with store.committing() as applying:
        both.bring_back_standby()
        code, said = ended(applying)
    assert code == 0, said
    both.fail_over()
    assert store.live() == "second"


def test_a_primary_that_is_killed_in_the_middle(both: Pair, tmp_path: Path) -> None:
    """The apply waits for what somebody has locked; it ends on the new primary, or says that nothing was changed."""
    store = Applying(both, tmp_path / "repo")
    with store.held() as applying:
        both.fail_over()
    code, said = ended(applying)
    assert store.live() == ("second" if code == 0 else "first") and code != UNCONFIRMED, (code, said)
    store.repository.ok("apply", "--yes")
    assert (store.live(), store.runs()) == ("second", 2)
    whole(store.repository)


class Round:
    """One apply of a thousand records, in the middle of which the primary is killed with its agent."""

    def __init__(self, made: Cluster, repository: Repository) -> None:
        self.made, self.repository = made, repository
        self.applied = runs_on(made)
        self.primary = made.primary()
        self.code, self.said, self.truth = -1, "", ""
        self.wrote = False
        self.writable = self.seconds = 0.0

    def play(self, moment: str, seconds: float) -> None:
        """Kill the primary so long after a moment of the apply, and wait for both."""
        self.wrote = moment != "reading"
        with self._stopped_at(moment) as applying:
            time.sleep(seconds)
            self.primary.kill()
            killed = time.monotonic()
        with ThreadPoolExecutor() as pool:
            done = pool.submit(lambda: (*ended(applying, 180), time.monotonic() - killed))
            self.made.wait_writable()
            self.writable = time.monotonic() - killed
            self.code, self.said, self.seconds = done.result()

    @contextmanager
    def _stopped_at(self, moment: str) -> Iterator["subprocess.Popen[str]"]:
        """An apply that has come to a moment."""
        if moment in ("reading", "acknowledged"):
            applying = self.repository.start("apply", "--yes", "-q")
            if moment == "acknowledged":
                applying.wait(60)
            yield applying
            return
        with self.primary.locking("SELECT 1 FROM reconciler.documents FOR UPDATE") as let_go:
            applying = self.repository.start("apply", "--yes", "-q")
            self._wait_for("Lock")
            if moment in ("committing", "losing"):
                with self.made.lagging(lose=moment == "losing"):
                    let_go()
                    self._wait_for("SyncRep")
                    yield applying
                return
            if moment == "writing":
                let_go()
            yield applying

    def _wait_for(self, event: str) -> None:
        waits = "SELECT 1 FROM pg_stat_activity WHERE datname = %s AND %s IN (wait_event, wait_event_type)"
        wait_until(lambda: self.primary.execute(waits, DATABASE, event), 30)

    def judge(self, wanted: str, before: str) -> None:
        """Compare what it said to what is so on the new primary."""
        found = set(texts_on(self.made))
        assert found in ({wanted}, {before}), found
        is_applied = found == {wanted}
        self.truth = "applied" if is_applied else "not applied"
        assert runs_on(self.made) == self.applied + is_applied, self
        if self.code != UNCONFIRMED:
            assert is_applied == (self.code == 0), self
        if self.code == ExitCode.WORLD and self.wrote:
            assert "nothing was changed" in self.said, self

    def __repr__(self) -> str:
        said = " ".join(self.said.split())[:300]
        return (
            f"exit {self.code} {self.seconds:.1f} s later, {self.truth}, writable after {self.writable:.1f} s: {said}"
        )


def runs_on(made: Cluster) -> int:
    """How many have changed something."""
    ((count,),) = made.primary().execute("SELECT count(*) FROM reconciler.runs")
    return int(count)


def texts_on(made: Cluster) -> list[str]:
    """The descriptions of all records."""
    descriptions = "SELECT DISTINCT description FROM reconciler.categories"
    return [text for (text,) in made.primary().execute(descriptions)]


MOMENTS = (
    ("reading", 0.4), ("locked", 0.0), ("writing", 0.0), ("writing", 0.05), ("writing", 0.1), ("writing", 0.2),
    ("writing", 0.4), ("committing", 0.0), ("losing", 0.0), ("acknowledged", 0.0),
)  # fmt: skip


@pytest.mark.long
def test_ten_failovers_in_the_middle_of_applies_of_a_thousand(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    """Nothing acknowledged is lost, nothing is half, the next apply converges, the chain holds."""
    names = [f"c{number:04}" for number in range(1000)]
    with cluster() as made:
        repository = Repository(tmp_path / "repo", made.url(), "")
        repository.declare_categories(names, "v0")
        repository.ok("apply", "--yes", "-q")
        for number, (moment, seconds) in enumerate(MOMENTS, 1):
            one = Round(made, repository)
            repository.declare_categories(names, f"v{number}")
            one.play(moment, seconds)
            one.judge(f"v{number}", f"v{number - 1}")
            begun = time.monotonic()
            again = repository.run("apply", "--yes", "-q", timeout=180)
            with capsys.disabled():
                print(f"\n{number}. killed {seconds} s after {moment}: {one!r}")
                print(f"   then: exit {again.exit_code} in {time.monotonic() - begun:.1f} s: {again.output.strip()}")
            assert again.exit_code == 0, again.output
            assert set(texts_on(made)) == {f"v{number}"} and runs_on(made) == one.applied + 1
            whole(repository)
            one.primary.start()
            made.wait_synchronous()
