"""An apply of forty changes with every fault at every request, alone and followed by a second one, and killed at each.

After it: no record twice, no secret lost, nothing that the journal does not know. Then one apply, and all is as it was
to be. A few cases are run each time; all of them are `long`.
"""

import copy
import random
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pm_apply import (
    ADDRESS,
    AFTER,
    BEFORE,
    Book,
    Desired,
    Journal,
    apply,
    category,
    connector,
    doubles,
    group,
    held,
    planned,
    policy,
    settle,
)
from pm_stores import opened, visited
from servers.processmaker import Instance

from reconciler.core.model import Key
from reconciler.core.ports.live import Outcome, Result, Write
from reconciler.core.ports.requests import Answer, Carrying, Intent, Step, Unfinished
from reconciler.core.secret import Secret
from reconciler.errors import ReconcilerError, StoreUnavailable
from reconciler.stores.processmaker.wire.request import Patience
from reconciler.stores.processmaker.store import ProcessMakerStore
from reconciler.stores.processmaker.writes.run import Run

SECONDS = 0.25
"""After so long the instance is at work at nothing any more: what a target calls timeoutSeconds."""
FAULTS: dict[str, dict[str, Any]] = {
    "lost answer": {"action": "lose_reply"},
    "500, nothing done": {"action": "fail_before"},
    "500, all done": {"action": "error_after"},
    "429": {"action": "too_many", "retry_after": 0},
    "503, nothing done": {"action": "unavailable", "retry_after": 0},
    "503, all done": {"action": "unavailable", "retry_after": 0, "after": True},
    "502, nothing done": {"action": "bad_gateway"},
    "502, all done": {"action": "bad_gateway", "after": True},
    "504, all done": {"action": "gateway_timeout", "after": True},
    "half an answer": {"action": "truncate"},
    "a login page": {"action": "login_page", "status": 200},
    "a redirect to one": {"action": "login_page", "status": 302},
    "the server is killed": {"action": "kill"},
    "the server is killed, all done": {"action": "kill", "after": True},
    "too late": {"action": "delay", "seconds": 1.6 * SECONDS},
    "the token ends": {"action": "expire_token"},
}
REQUESTS, CHANGES = 128, 48
"""About so many an apply from BEFORE to AFTER takes; what comes later finds nothing to do."""


class Lab:
    """An instance as it is before an apply, again and again, and how it has to be afterwards."""

    def __init__(self, server: Instance) -> None:
        self.server = server
        self.book = Book()
        self.begin = copy.deepcopy(server.store.dump())
        store = self.store()
        apply(store, self.book, BEFORE, Journal())
        self.start = copy.deepcopy(server.store.dump())
        after = Book(dict(self.book.known), dict(self.book.secrets))
        apply(store, after, AFTER, Journal())
        self.wanted = held(server)

    def store(self, **options: Any) -> ProcessMakerStore:
        """The instance, asked without patience."""
        store = opened(self.server, **{"timeout_seconds": SECONDS, "in_flight": 8, **options})
        store._setting.client._patience = Patience(busy=3, refused=(0.01,), lost=(0.01, 0.02))
        return store

    def again(self) -> Book:
        """As before the apply."""
        server = self.server
        server.faults.replace([])
        server.store.load(copy.deepcopy(self.start))
        server.simulator.requests.clear()
        return Book(dict(self.book.known), dict(self.book.secrets))

    def mended(self) -> None:
        """The instance works again."""
        self.server.faults.replace([])
        self.server.store.tokens[self.server.token()] = self.server.tokens["admin"]["id"] or 1
        if self.server.killed:
            self.server.restart()

    def converges(self, book: Book) -> None:
        """By one apply; what became of the one before is found out by reading alone."""
        store = self.store()
        since = len(self.server.requests)
        settle(store, book)
        assert {one["method"] for one in self.server.requests[since:]} <= {"GET"}
        store.close()
        store = self.store(timeout_seconds=10)  # the machine may be busy
        outcomes = apply(store, book, AFTER, Journal())
        assert [one for one in outcomes if one.result is not Result.DONE] == []
        assert planned(store, book, AFTER)[0] == []
        assert held(self.server) == self.wanted
        assert doubles(self.server) == []
        store.close()


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with visited(contract=False) as server:  # a server that is killed reads half a request
        yield Lab(server)


@pytest.fixture
def server() -> Iterator[Instance]:
    with visited() as made:
        yield made


def taken(server: Instance, since: int) -> list[tuple[str, str]]:
    """The changes that an instance did not put off, or refuse for the token."""
    sent = (one for one in server.requests[since:] if one["method"] != "GET")
    return [(one["method"], one["path"]) for one in sent if one["status"] not in (401, 429, 503)]


def survive(lab: Lab, *faults: tuple[str, int]) -> None:
    """An apply with faults at requests, by their names, and one without."""
    book, since, store = lab.again(), 0, lab.store()

    def begins() -> None:
        nonlocal since
        since = len(lab.server.requests)
        for name, place in faults:
            lab.server.faults.add(nth=place, **FAULTS[name])

    journal = Journal()
    try:
        apply(store, book, AFTER, journal, begins=begins)
    except ReconcilerError:
        assert not taken(lab.server, since)  # it is an error only where nothing was
        book.open = None
    store.close()
    lab.mended()
    assert journal.lacks(lab.server, since) == []
    assert doubles(lab.server) == []
    lab.converges(book)


_DRAWN = random.Random(17)
FEW = [(name, _DRAWN.randrange(1, REQUESTS)) for name in FAULTS]


@pytest.mark.parametrize(("name", "place"), FEW)
def test_a_fault(lab: Lab, name: str, place: int) -> None:
    """Each one at some request, followed by another one."""
    survive(lab, (name, place), (_DRAWN.choice(list(FAULTS)), place + _DRAWN.choice((1, 2, 3, 5))))


@pytest.mark.long
@pytest.mark.parametrize("is_followed", [False, True], ids=["alone", "followed"])
@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_at_every_request(lab: Lab, name: str, is_followed: bool) -> None:
    """Alone, and with a second one soon after."""
    drawn = random.Random(name)
    for place in range(1, REQUESTS):
        second = (drawn.choice(list(FAULTS)), place + drawn.choice((1, 2, 3, 5)))
        survive(lab, (name, place), *([second] if is_followed else []))


class Killed(BaseException):
    """This process is no more."""


class Mortal:
    """Ends the process, as far as its client and its journal go, at one of the requests that change something."""

    def __init__(self, store: ProcessMakerStore, place: int, *, is_sent: bool) -> None:
        client = store._setting.client
        self.is_dead, self._place, self._is_sent = False, place, is_sent
        self._lock = threading.Lock()
        self._get, self._change = client.get, client.change
        client.get, client.change = self.get, self.change  # type: ignore[method-assign]

    def alive(self, intents: Any = ()) -> None:
        if self.is_dead:
            raise Killed

    def get(self, *arguments: Any, **more: Any) -> Any:
        self.alive()
        reply = self._get(*arguments, **more)
        self.alive()
        return reply

    def change(self, *arguments: Any) -> Any:
        with self._lock:
            self.alive()
            self._place -= 1
            self.is_dead = self._place == 0
            if self.is_dead and not self._is_sent:
                raise Killed
        reply = self._change(*arguments)
        self.alive()
        return reply


def die(lab: Lab, place: int, *, is_sent: bool) -> bool:
    """An apply that ends at a request, and one that does not; gives whether there was such a request."""
    book, since, store, mortal = lab.again(), 0, lab.store(in_flight=4), None

    def begins() -> None:
        nonlocal since, mortal
        since = len(lab.server.requests)
        mortal = Mortal(store, place, is_sent=is_sent)

    def before(intents: Any) -> None:
        assert mortal is not None
        mortal.alive()

    journal = Journal(before)
    try:
        apply(store, book, AFTER, journal, begins=begins)
    except Killed:
        pass
    else:
        return False
    assert journal.lacks(lab.server, since) == []
    assert doubles(lab.server) == []
    lab.converges(book)
    return True


@pytest.mark.parametrize("place", sorted(_DRAWN.sample(range(2, 44), 3)))
def test_a_kill(lab: Lab, place: int) -> None:
    """Just before a request is sent, and just after it was."""
    assert die(lab, place, is_sent=False)
    assert die(lab, place, is_sent=True)


@pytest.mark.long
@pytest.mark.parametrize("is_sent", [False, True])
def test_a_kill_at_every_request(lab: Lab, is_sent: bool) -> None:
    """All of them that change something."""
    died = [die(lab, place, is_sent=is_sent) for place in range(1, CHANGES + 1)]
    assert sum(died) > 40


# random histories

NAMES = ("a", "b", "c")
_TITLES = st.permutations(["One", "Two", "Three"])


@st.composite
def desires(draw: st.DrawFn) -> Desired:
    """Some records, with names that move about."""
    found: list[Any] = []
    categories = [name for name in NAMES if draw(st.booleans())] or ["a"]
    titles = dict(zip(NAMES, draw(_TITLES), strict=True))
    found += [category(name, titles[name]) for name in categories]
    for name in NAMES:
        if draw(st.booleans()):
            filed = sorted(draw(st.sets(st.sampled_from(categories), min_size=1)))
            found.append(connector(name, *filed, title=titles[name], password=draw(st.sampled_from(["", "p", "q"]))))
    groups = [name for name in NAMES if draw(st.booleans())]
    for name in groups:
        users = sorted(draw(st.sets(st.sampled_from(["ada", "grace"]))))
        inside = sorted(draw(st.sets(st.sampled_from(groups))) - {name})
        found.append(group(name, *users, groups=inside, title=titles[name]))
    for name in NAMES:
        if groups and draw(st.booleans()):
            subjects = sorted(draw(st.sets(st.sampled_from(groups), min_size=1)))
            permissions = draw(st.sets(st.sampled_from(["connectors:view", "groups:view", "groups:edit"]), min_size=1))
            found.append(policy(name, subjects, *sorted(permissions)))
    return dict(found)


STEPS = st.lists(
    st.tuples(desires(), st.lists(st.tuples(st.sampled_from(list(FAULTS)), st.integers(1, 40)), max_size=2)),
    min_size=2, max_size=3,
)  # fmt: skip


def check_history(lab: Lab, steps: Any) -> None:
    """Applies with faults, each followed by one without, after which a plan is empty."""
    lab.server.faults.replace([])
    lab.server.store.load(copy.deepcopy(lab.begin))
    book = Book()
    for desired, faults in steps:
        store = lab.store()
        journal = Journal()
        since = len(lab.server.requests)
        add = [{"nth": place, **FAULTS[name]} for name, place in faults]
        try:
            apply(store, book, desired, journal, begins=lambda add=add: [lab.server.faults.add(**one) for one in add])
        except ReconcilerError:
            assert not taken(lab.server, since)
            book.open = None
        store.close()
        lab.mended()
        assert journal.lacks(lab.server, since) == []
        assert doubles(lab.server) == []
        settle(store := lab.store(), book)
        store.close()
        store = lab.store(timeout_seconds=10)
        outcomes = apply(store, book, desired, Journal())
        assert [one for one in outcomes if one.result is not Result.DONE] == []
        assert planned(store, book, desired)[0] == []
        store.close()


_SETTINGS = {"deadline": None, "suppress_health_check": list(HealthCheck)}


@settings(max_examples=6, **_SETTINGS)
@given(STEPS)
def test_random_histories(lab: Lab, steps: Any) -> None:
    """Whatever is declared one after the other, and whatever goes wrong."""
    check_history(lab, steps)


@pytest.mark.long
@settings(max_examples=300, **_SETTINGS)
@given(STEPS)
def test_many_random_histories(lab: Lab, steps: Any) -> None:
    """The same, for long."""
    check_history(lab, steps)


# what nobody can know, or somebody else has done

HOW = Carrying(True, lambda _: None, lambda: False)


def new(title: str, **spec: Any) -> Write:
    body = connector("one", "crm", title=title, **spec)[1][0]
    return Write(Key("Connector", "one"), "", "", body, {ADDRESS: Secret("a-password")})


@pytest.fixture
def store(server: Instance) -> ProcessMakerStore:
    """With one category; asked without patience."""
    made = opened(server, timeout_seconds=SECONDS)
    (outcome,) = made.write([Write(Key("Category", "crm"), "", "", category("crm")[1][0], {})])
    assert outcome.result is Result.DONE
    return made


def test_what_comes_after_its_answer_was_given_up_is_waited_for(server: Instance, store: ProcessMakerStore) -> None:
    """Else there would be two: it is made while the list shows none."""
    server.faults.add(action="delay", method="POST", path="/data_sources", nth=1, seconds=1.6 * SECONDS)
    (outcome,) = store.carry_out([new("One")], Journal(), HOW)
    assert outcome.result is Result.DONE
    assert [row["name"] for row in server.store.connectors.rows.values()] == ["One"]
    assert [one["method"] for one in server.requests if one["path"] == "/data_sources"].count("POST") == 1


def test_what_a_killed_run_sent_is_waited_for(server: Instance, store: ProcessMakerStore) -> None:
    """As long as the run itself would have waited."""
    server.faults.add(action="delay", method="POST", path="/data_sources", seconds=1.4 * SECONDS)
    journal, write = Journal(), new("One")
    journal.keep([], [Intent(0, 0, "POST", "/data_sources")])
    sent = threading.Thread(target=lambda: server.call("POST", "/data_sources", _fields(store, write)))
    sent.start()
    (found,) = store.find_out([Unfinished(write, journal.of(0))], patiently=True)
    sent.join()
    assert (found.result, found.id) == (Result.DONE, "connector:1")


def _fields(store: ProcessMakerStore, write: Write) -> Any:
    return Run(store._sight(), [write]).told(write, "POST").body


def test_who_asks_to_stop_does_not_wait_for_that(server: Instance) -> None:
    """What came of it is unknown then, and found out by the next run."""
    store = opened(server, timeout_seconds=20)
    list(store.read())
    server.faults.add(action="bad_gateway", method="POST")
    asked = threading.Event()
    server.simulator.on_request.append(lambda request: asked.set() if request.method == "POST" else None)
    write = Write(Key("Category", "crm"), "", "", category("crm")[1][0], {})
    journal, begun = Journal(), time.monotonic()
    (outcome,) = store.carry_out([write], journal, Carrying(True, lambda _: None, asked.is_set))
    assert time.monotonic() - begun < 5
    assert outcome.result is Result.UNKNOWN
    server.faults.replace([])
    (found,) = store.find_out([Unfinished(write, journal.of(0))], patiently=False)
    assert found == Outcome(Result.FAILED, reason="it was not done")


def test_two_of_a_name_are_told_and_none_is_deleted(server: Instance, store: ProcessMakerStore) -> None:
    """The server lets two at once make them."""
    server.faults.add(action="lose_reply", method="POST", path="/data_sources", nth=1)
    server.simulator.on_request.append(_once(server, lambda: server.store.add_connector("One", [1], endpoints={})))
    (outcome,) = store.carry_out([new("One")], Journal(), HOW)
    assert (outcome.result, outcome.id) == (Result.CONFLICT, "")
    assert "connector 1 and connector 2 have its name now" in outcome.reason
    assert len(server.store.connectors.rows) == 2


def _once(server: Instance, do: Any) -> Any:
    """What somebody does just when the list is asked for a name."""
    done: list[None] = []

    def act(request: Any) -> None:
        if request.method == "GET" and "filter" in str(request.query) and not done:
            done.append(None)
            do()

    return act


def test_somebody_else_was_first(server: Instance, store: ProcessMakerStore) -> None:
    """With another content: it is not ours."""
    server.faults.add(action="bad_gateway", method="POST", path="/data_sources", nth=1)
    server.simulator.on_request.append(_once(server, lambda: server.store.add_connector("ONE", [1], endpoints={})))
    (outcome,) = store.carry_out([new("One")], Journal(), HOW)
    assert (outcome.result, outcome.id) == (Result.CONFLICT, "")
    assert "connector 1 has its name, and was made by somebody else" in outcome.reason


def test_an_instance_that_goes_away_for_good(server: Instance, store: ProcessMakerStore) -> None:
    """What was sent is unknown, what was not begun has failed; later it is found out."""
    store = opened(server, timeout_seconds=SECONDS, in_flight=1)
    store._setting.client._patience = Patience(busy=1, refused=(0.01,), lost=(0.01, 0.02))
    list(store.read())
    names = [f"c{number}" for number in range(8)]
    writes = [Write(Key("Category", name), "", "", category(name)[1][0], {}) for name in names]
    server.faults.add(action="kill", after=True, method="POST", path="/data_source_categories", nth=3)
    journal = Journal()
    outcomes = store.carry_out(writes, journal, HOW)
    results = [one.result for one in outcomes]
    assert results.count(Result.FAILED) >= 4
    assert results.count(Result.UNKNOWN) == 8 - results.count(Result.FAILED) >= 3
    unknown = [number for number, one in enumerate(outcomes) if one.result is Result.UNKNOWN]
    asked = [Unfinished(writes[number], journal.of(number)) for number in unknown]
    with pytest.raises(StoreUnavailable):
        store.find_out(asked, patiently=True)
    server.restart()
    found = store.find_out(asked, patiently=True)
    made = {row["name"]: f"category:{row['id']}" for row in server.store.categories.rows.values()}
    for number, outcome in zip(unknown, found, strict=True):
        assert outcome.id == made.get(names[number], "")
        assert (outcome.result is Result.DONE) == (names[number] in made)
    assert sum(one.result is Result.DONE for one in found) == 3


def steps(*requests: tuple[str, str, int | None], sent: str = "2020-01-01T00:00:00Z") -> list[Step]:
    """What a journal holds: verb, path, and the status of the answer, None for none."""
    return [
        Step(Intent(number, 0, verb, path), sent, None if status is None else Answer(number, status))
        for number, (verb, path, status) in enumerate(requests)
    ]


def test_a_record_of_an_older_time_is_not_ours(server: Instance, store: ProcessMakerStore) -> None:
    """However like it is."""
    (outcome,) = store.write([new("One")])
    assert outcome.result is Result.DONE
    (old, ours) = store.find_out(
        [
            Unfinished(new("One"), steps(("POST", "/data_sources", None), sent="2999-01-01T00:00:00Z")),
            Unfinished(new("One"), steps(("POST", "/data_sources", None))),
        ],
        patiently=False,
    )
    assert old.result is Result.CONFLICT
    assert (ours.result, ours.id, ours.version, ours.note) == (Result.DONE, outcome.id, outcome.version, outcome.note)


@pytest.mark.parametrize(("status", "told"), [(204, Result.DONE), (None, Result.FAILED)])
def test_whether_secrets_were_written(
    server: Instance, store: ProcessMakerStore, status: int | None, told: Result
) -> None:
    """Nobody can read them: what was not answered is written again."""
    (before,) = store.write([new("One")])
    (record,) = store.read([before.id])
    server.call("PUT", "/data_sources/1", {"name": "One", "authtype": "BASIC", "data_source_category_id": "1", "description": "changed", "credentials": {"username": "svc"}})  # fmt: skip
    body = connector("one", "crm", title="One", description="changed")[1][0]
    write = Write(Key("Connector", "one"), before.id, "", body, {})
    asked = Unfinished(write, steps(("PUT", "/data_sources/1", status)), record.body, before.note)
    (found,) = store.find_out([asked], patiently=False)
    assert found.result is told


def test_what_was_changed_without_secrets(server: Instance, store: ProcessMakerStore) -> None:
    """Is told by what is there: it is done, or it is not, or only a part of it."""
    (before,) = store.write([new("One")])
    (record,) = store.read([before.id])
    body = connector("one", "crm", title="One", description="changed")[1][0]
    asked = Unfinished(Write(Key("Connector", "one"), before.id, "", body, {}), steps(("PUT", "/data_sources/1", None)), record.body, before.note)  # fmt: skip
    fields = {"name": "One", "authtype": "BASIC", "data_source_category_id": "1"}
    found = []
    for description in (None, "changed", "theirs"):
        server.call("PUT", "/data_sources/1", {**fields, "description": description})
        found += store.find_out([asked], patiently=False)
    assert [one.result for one in found] == [Result.FAILED, Result.DONE, Result.FAILED]
    assert found[0].reason == "it was not done"
    assert "only a part" in found[2].reason


def test_a_delete_is_told_by_what_is_there(server: Instance, store: ProcessMakerStore) -> None:
    """Gone is done."""
    (before,) = store.write([new("One")])
    asked = Unfinished(Write(Key("Connector", "one"), before.id, "", None, {}), steps(("DELETE", "/data_sources/1", None)))  # fmt: skip
    assert store.find_out([asked], patiently=False) == [Outcome(Result.FAILED, reason="it was not done")]
    server.call("DELETE", "/data_sources/1")
    assert store.find_out([asked], patiently=False) == [Outcome(Result.DONE, before.id)]


def test_a_group_that_was_made_in_part_is_ours(server: Instance, store: ProcessMakerStore) -> None:
    """Its members are for the next apply: its version says that it has to be looked at again."""
    server.call("POST", "/groups", {"name": "team"})
    body = {"spec": {"displayName": "team", "members": {"mode": "authoritative", "users": ["ada"]}}}
    write = Write(Key("Group", "team"), "", "", body, {})
    (found,) = store.find_out([Unfinished(write, steps(("POST", "/groups", None)))], patiently=False)
    assert found == Outcome(Result.DONE, "group:1", "~")
