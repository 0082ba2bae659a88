"""The lease of a run: who gets it when, by which clock, and that whoever lost it writes nothing."""

import re
from pathlib import Path

import pytest
from live_state import sql
from lock_world import RUN, FakeHost, Place, left

from reconciler.core.lease import Holder, holder_of
from reconciler.errors import ExitCode, NetworkFailure, ReconcilerError, RecordConflict, StoreLocked
from reconciler.stores.host import LocalHost


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A store that is not there yet."""
    return Place(tmp_path / "repo")


def test_a_live_holder_keeps_others_away_and_is_named(place: Place) -> None:
    """With host, process, actor, since when, and until when; and what to do."""
    host = FakeHost()
    with place.lease(host, "grace"), pytest.raises(StoreLocked) as caught, place.lease(host):
        pass
    failure = caught.value
    assert failure.exit_code == 8 and "is locked by another run; waited 0 s" in failure.message
    assert re.fullmatch(r"apply by grace \(process 101 on here\) since \S+Z", failure.details[0])
    assert "ends at 2033-05-18T03:33:50.000Z, unless it is heard of before" in failure.details[1]
    assert "--lock-timeout" in failure.hint and "reconciler lock show" in failure.hint
    assert place.attempts() == [("grace", "applied")] and place.leases() == []


def test_one_that_is_dead_on_this_host_is_succeeded_at_once(place: Place) -> None:
    """Without a second having passed; what it began is marked, and the fence grows."""
    host = FakeHost()
    with left(place.lease(host, "grace")) as lost:
        host.dead.add(101)
        with place.lease(host):
            assert place.attempts() == [("grace", "died"), ("ada", "running")]
            assert place.leases() == [("apply/local", 2)] and lost._claim.fence == 1


def test_one_that_stands_still_is_succeeded_when_its_time_is_over(place: Place) -> None:
    """Not a moment before; and it says so, having written nothing."""
    host = FakeHost()
    with left(place.lease(host, "grace")) as stalled:
        host.passes(29.9)
        with pytest.raises(StoreLocked), place.lease(host):
            pass
        host.passes(0.2)
        with place.lease(host) as lease:
            before = sql(place.path, "SELECT * FROM attempts"), sql(place.path, "SELECT * FROM leases")
            with pytest.raises(StoreLocked) as caught:
                stalled.carry_out(RUN, lambda session: pytest.fail("it must not come to write"))
            assert caught.value.exit_code == 8
            assert "this run lost its lease" in caught.value.message
            assert "ada (process 103 on here) has it now; nothing was changed" in caught.value.message
            assert before == (sql(place.path, "SELECT * FROM attempts"), sql(place.path, "SELECT * FROM leases"))
            lease.carry_out(RUN, lambda session: None)
    assert place.attempts() == [("grace", "died"), ("ada", "applied")]


def test_one_that_wakes_up_in_time_goes_on(place: Place) -> None:
    """Its lease is over, but nobody took it."""
    host = FakeHost()
    with left(place.lease(host)) as stalled:
        host.passes(3600)
        stalled.carry_out(RUN, lambda session: None)
    assert place.attempts() == [("ada", "applied")] and place.leases() == []


@pytest.mark.parametrize("jump", [-10_000_000.0, -3_600.0, 3_600.0, 10_000_000.0])
def test_wall_clocks_may_jump_under_one_boot(place: Place, jump: float) -> None:
    """The clock that counts from the boot is the one that counts."""
    host = FakeHost()
    with left(place.lease(host)):
        host.wall += jump
        with pytest.raises(StoreLocked), place.lease(host):
            pass
        host.passes(30.1)
        with place.lease(host):
            pass


@pytest.mark.parametrize("jump", [-10_000_000.0, -3_600.0, 31.0])
def test_a_clock_that_jumped_between_two_boots_locks_nobody_out(place: Place, jump: float) -> None:
    """An end further away than any holder would set it is none."""
    host = FakeHost()
    with left(place.lease(host)):
        other = FakeHost("there", wall=host.wall + jump, boot="boot-2", uptime=5.0)
        with place.lease(other):
            assert place.leases() == [("apply/local", 2)]


def test_another_host_goes_by_the_wall_clock(place: Place) -> None:
    """Within what clocks may differ."""
    host = FakeHost()
    with left(place.lease(host)):
        for apart in (-29.0, 0.0, 29.0):
            with pytest.raises(StoreLocked), place.lease(FakeHost("there", wall=host.wall + apart, boot="boot-2")):
                pass


def test_a_heartbeat_puts_the_end_off(place: Place) -> None:
    """And notices when the lease is another's."""
    host = FakeHost()
    with place.lease(host) as lease:
        host.passes(25)
        assert lease._heartbeat._beat()
        host.passes(25)
        with pytest.raises(StoreLocked), place.lease(host):
            pass
        sql(place.path, "UPDATE leases SET holder = 'somebody'")
        assert not lease._heartbeat._beat()
        lease._heartbeat.lost = True
        with pytest.raises(StoreLocked, match="lost its lease"):
            lease.check()


@pytest.mark.parametrize(
    ("failure", "outcome"),
    [
        (RecordConflict("m"), "stale"),
        (NetworkFailure("a canary"), "failed: world"),
        (KeyboardInterrupt(), "interrupted"),
        (RuntimeError("a canary"), "failed: bug"),
    ],
)
def test_how_it_ended_is_noted_in_our_own_words(place: Place, failure: BaseException, outcome: str) -> None:
    """And the lease is free at once."""
    host = FakeHost()
    with pytest.raises(type(failure)), place.lease(host):
        raise failure
    assert place.attempts() == [("ada", outcome)] and place.leases() == []


def test_every_exit_code_has_an_outcome_of_one_or_two_words() -> None:
    """None is left out, and none holds a message."""
    from reconciler.core.lease import outcome_of

    for code in ExitCode:
        kind = type("Failure", (ReconcilerError,), {"exit_code": code})
        assert re.fullmatch(r"stale|refused|failed: [a-z ]+", outcome_of(kind("a canary")))


def test_this_host_knows_the_living_from_the_dead() -> None:
    """By process id and start; of other kernels it knows nothing."""
    host = LocalHost()
    me = host.holder()
    assert holder_of(str(me)) == me and not host.is_gone(me)
    assert me != host.holder(), "two leases of one process are two"
    if not me.kernel:
        pytest.skip("this system does not tell")
    assert host.is_gone(Holder(me.host, me.pid, "1", me.kernel, me.nonce)), "another process has its id now"
    assert host.is_gone(Holder(me.host, 2**22 + 1, "1", me.kernel, me.nonce))
    assert not host.is_gone(Holder(me.host, 2**22 + 1, "1", "another", me.nonce))
    assert not host.is_gone(holder_of("what is no holder"))
