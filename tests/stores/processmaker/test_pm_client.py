"""An instance is asked patiently, and what is refused is told from what nobody can know."""

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from servers.authority import Authority
from servers.processmaker import Instance, instance
from simulator.messages import Answer

from reconciler.core.calls import Trust
from reconciler.core.secret import Secret
from reconciler.errors import ReconcilerError, StoreUnavailable, UsageError
from reconciler.stores.processmaker.wire.address import read_url
from reconciler.stores.processmaker.wire.answers import Lost, Refused, Reply
from reconciler.stores.processmaker.wire.client import Client
from reconciler.stores.processmaker.wire.login import Login
from reconciler.stores.processmaker.wire.options import Options, trust_of
from reconciler.stores.processmaker.wire.request import Patience

SECRET = "canary-71c2 of a connector"
BODY = {"name": "CRM", "authtype": "BASIC", "data_source_category_id": "1", "credentials": {"username": "u", "password": SECRET}}  # fmt: skip
HASTY = Patience(busy=3.0, pause=0.05, refused=(0.05, 0.1), lost=(0.01, 0.01))


@pytest.fixture
def server() -> Iterator[Instance]:
    """An instance with one connector."""
    with instance(contract=False) as started:
        started.store.add_category("CRM systems")
        started.store.add_connector("CRM", [1], authtype="BASIC", credentials={"username": "u"})
        yield started


def client(
    server: Instance,
    credentials: Mapping[str, Callable[[], Secret]] | None = None,
    *,
    patience: Patience = HASTY,
    trust: Trust | None = None,
    say: Callable[[str], None] = lambda _: None,
    **options: Any,
) -> Client:
    """What asks the instance, by default with the token of its super admin."""
    settings = Options(**options)
    address = read_url(server.url, settings)
    named = {"token": lambda: Secret(server.token())} if credentials is None else credentials
    return Client(address, lambda post: Login(address, named, post), settings, trust=lambda: trust or Trust(), say=say, patience=patience)  # fmt: skip


def login_of(server: Instance, **wrong: str) -> dict[str, Callable[[], Secret]]:
    """A password grant of the instance, parts of which may be wrong."""
    return {f"login.{key}": lambda value=value: Secret(value) for key, value in {**server.login(), **wrong}.items()}


def outcome(ask: Callable[[], Reply]) -> str:
    """What came of a request, in a word or status."""
    try:
        return str(ask().status)
    except Refused as refused:
        return f"refused {refused.status}"
    except Lost as lost:
        return "lost, answered" if lost.is_answered else "lost"
    except StoreUnavailable:
        return "unavailable"


ONCE = [  # a fault, what a GET makes of it in how many requests, what a PUT does
    ({"action": "lose_reply"}, "200 in 2", "lost in 1"),
    ({"action": "fail_before"}, "200 in 2", "lost, answered in 1"),
    ({"action": "error_after"}, "200 in 2", "lost, answered in 1"),
    ({"action": "fail_before", "status": 403}, "refused 403 in 1", "refused 403 in 1"),
    ({"action": "fail_before", "status": 413}, "refused 413 in 1", "refused 413 in 1"),
    ({"action": "bad_gateway"}, "200 in 2", "lost in 1"),
    ({"action": "gateway_timeout", "after": True}, "200 in 2", "lost in 1"),
    ({"action": "truncate"}, "200 in 2", "204 in 1"),
    ({"action": "login_page", "status": 200}, "unavailable in 1", "lost in 1"),
    ({"action": "login_page", "status": 302}, "unavailable in 1", "lost in 1"),
    ({"action": "too_many", "retry_after": 0}, "200 in 2", "204 in 2"),
    ({"action": "unavailable", "retry_after": 0}, "200 in 2", "204 in 2"),
    ({"action": "unavailable", "retry_after": 0, "after": True}, "200 in 2", "204 in 2"),
    ({"action": "too_many", "retry_after": 3600}, "unavailable in 1", "unavailable in 1"),
    ({"action": "unavailable", "retry_after": 3600}, "unavailable in 1", "lost in 1"),
    ({"action": "expire_token"}, "unavailable in 1", "unavailable in 1"),
]


@pytest.mark.parametrize(("fault", "read", "changed"), ONCE, ids=[json.dumps(fault) for fault, _, _ in ONCE])
def test_what_becomes_of_a_fault(server: Instance, fault: dict[str, Any], read: str, changed: str) -> None:
    """A GET is tried again where that may help; a change only where nothing was done."""
    path = "/data_sources/1"
    for verb, expected in (("GET", read), ("PUT", changed)):
        server.faults.replace([{"method": verb, "path": path, "nth": 1, **fault}])
        with closing(client(server, {"token": partial(Secret, server.store.add_token("admin"))})) as asking:
            found = outcome(lambda: asking.get(path) if verb == "GET" else asking.change("PUT", path, BODY))  # noqa: B023
            assert f"{found} in {asking.requests}" == expected


def test_what_fails_for_good_is_told_after_some_tries(server: Instance) -> None:
    """A GET that is always lost three times, one that is always 500 twice."""
    for action, tries in (("lose_reply", 3), ("fail_before", 2), ("bad_gateway", 3)):
        server.faults.replace([{"action": action}])
        with closing(client(server)) as asking:
            assert outcome(lambda: asking.get("/groups")) == "unavailable"  # noqa: B023
            assert asking.requests == tries, action


def test_a_create_that_was_done_before_a_503_is_not_told_as_refused(server: Instance) -> None:
    """Its second try is told that the name is taken: by whom, nobody can know."""
    server.faults.replace([{"action": "unavailable", "after": True, "nth": 1, "method": "POST", "retry_after": 0}])
    with closing(client(server)) as asking:
        assert outcome(lambda: asking.change("POST", "/data_sources", {**BODY, "name": "New"})) == "lost, answered"
        assert outcome(lambda: asking.change("POST", "/data_sources", {**BODY, "name": "New"})) == "refused 422"


def test_what_is_refused_says_which_field(server: Instance) -> None:
    """And in the instance's words."""
    with closing(client(server)) as asking, pytest.raises(Refused) as told:
        asking.change("POST", "/data_sources", {**BODY, "status": "x"})
    assert told.value.fields.keys() == {"name", "status"}
    assert told.value.fields["name"] == ("The Name has already been taken.",)
    assert "POST /data_sources with 422: " in told.value.message
    with closing(client(server)) as asking, pytest.raises(Refused) as told:
        asking.change("DELETE", "/data_source_categories/1")
    assert told.value.fields == {"datasources": ("1",)}


def test_an_answer_that_is_known_already(server: Instance) -> None:
    """Is not sent again."""
    with closing(client(server)) as asking:
        first = asking.get("/data_sources", {"order_by": "id"})
        assert first.body["data"][0]["id"] == 1 and first.etag and first.date is not None
        again = asking.get("/data_sources", {"order_by": "id"}, first.etag)
        assert (again.status, again.body, again.etag) == (304, None, first.etag)


def test_all_threads_wait_together(server: Instance) -> None:
    """One that is told to wait holds the others back, and whoever watches is told."""
    server.faults.replace([{"action": "too_many", "nth": 1, "retry_after": 1}])
    told: list[str] = []
    asking = client(server, say=told.append)
    asking.get("/groups")
    assert told == [f"{asking.address.host} answered 429 (too many requests); waiting 1 s"]
    with closing(asking), ThreadPoolExecutor(4) as crew:
        began = time.monotonic()
        assert [reply.status for reply in crew.map(lambda _: asking.get("/groups"), range(4))] == [200] * 4
        assert time.monotonic() - began < 1
    later = [one["at"] for one in server.requests[1:]]
    assert later[0] - server.requests[0]["at"] >= 1


@pytest.mark.parametrize(("verb", "expected"), [("GET", "unavailable"), ("DELETE", "lost")])
def test_a_wait_ends_when_somebody_stops_it(server: Instance, verb: str, expected: str) -> None:
    """Soon, and nothing more is sent. What was answered by 503 may have been done."""
    server.switches.maintenance, server.switches.retry_after = True, 2
    with closing(client(server)) as asking:
        began = time.monotonic()
        asking.is_ending = lambda: time.monotonic() - began > 0.2
        path = "/data_sources/1"
        assert outcome(lambda: asking.get(path) if verb == "GET" else asking.change(verb, path)) == expected
        assert outcome(lambda: asking.change("DELETE", path)) == "unavailable"
        assert time.monotonic() - began < 1 and asking.requests == 1


def test_a_slow_answer_is_given_up(server: Instance) -> None:
    """A change then is lost."""
    server.faults.replace([{"action": "delay", "seconds": 1.5}])
    with closing(client(server, timeout_seconds=1)) as asking:
        with pytest.raises(Lost) as told:
            asking.change("DELETE", "/data_sources/1")
        assert "within 1 s" in told.value.message and "timeoutSeconds of the target" in told.value.hint


def test_a_server_that_comes_back_is_waited_for(server: Instance) -> None:
    """A refused connection is tried again, also for a change, as nothing was done."""
    with closing(client(server, patience=Patience(refused=(0.3, 0.5, 1.0)))) as asking:
        asking.get("/groups")
        server.stop()
        threading.Timer(0.4, server.restart).start()
        assert outcome(lambda: asking.change("DELETE", "/data_sources/1")) == "204"


def test_an_address_where_nobody_is(server: Instance) -> None:
    """Is told soon."""
    asking = client(server)
    server.stop()
    began = time.monotonic()
    with closing(asking), pytest.raises(StoreUnavailable, match="the connection was refused"):
        asking.change("POST", "/groups", {})
    assert time.monotonic() - began < 1


def test_a_login_is_one_grant(server: Instance) -> None:
    """However many threads ask, and the token is renewed once in the middle."""
    with closing(client(server, login_of(server))) as asking, ThreadPoolExecutor(4) as crew:
        assert {reply.status for reply in crew.map(lambda _: asking.get("/groups"), range(8))} == {200}
        server.faults.replace([{"action": "expire_token", "path": "/groups", "nth": 3}])
        assert {reply.status for reply in crew.map(lambda _: asking.get("/groups"), range(12))} == {200}
    grants = [one["body"]["grant_type"] for one in server.requests if "oauth" in one["path"]]
    assert grants == ["password", "refresh_token"]


def test_a_change_goes_on_after_a_renewal(server: Instance) -> None:
    """Once, and by the password where the refresh token has ended too."""
    with closing(client(server, login_of(server))) as asking:
        asking.get("/groups")
        server.store.refreshes.clear()
        server.faults.replace([{"action": "expire_token", "method": "PUT", "nth": 1}])
        assert asking.change("PUT", "/data_sources/1", BODY).status == 204
    assert [one["status"] for one in server.requests if one["method"] == "PUT"] == [401, 204]
    grants = [one["body"]["grant_type"] for one in server.requests if "oauth" in one["path"]]
    assert grants == ["password", "refresh_token", "password"]


def test_a_token_that_is_never_taken_is_renewed_no_more(server: Instance) -> None:
    """Neither one that was just granted, nor one that is renewed in vain."""
    server.faults.replace([{"action": "expire_token", "path": "/groups"}])
    with closing(client(server, login_of(server))) as asking, pytest.raises(StoreUnavailable) as told:
        asking.get("/groups")
    assert asking.requests == 2 and "just granted" in told.value.message
    server.faults.replace([{"action": "expire_token", "path": "/users"}])
    with closing(client(server, login_of(server))) as asking, pytest.raises(StoreUnavailable):
        asking.get("/groups")
        asking.get("/users")
    assert asking.requests == 5  # a grant, a list, a refusal, another grant, another refusal


def test_a_token_that_is_issued_anew_is_read_anew(server: Instance) -> None:
    """From where the target says; one that is the same is not sent again."""
    given = [server.store.add_token("admin"), server.store.add_token("admin")]
    server.store.tokens[given[0]] = None
    with closing(client(server, {"token": lambda: Secret(given.pop(0) if len(given) > 1 else given[0])})) as asking:
        assert asking.get("/groups").status == 200
    with closing(client(server, {"token": lambda: Secret("bad")})) as asking, pytest.raises(StoreUnavailable) as told:
        asking.get("/groups")
    assert asking.requests == 1 and "expired, revoked" in told.value.message and "API Tokens" in told.value.hint


@pytest.mark.parametrize(
    ("wrong", "words", "hint"),
    [
        ({"password": SECRET}, "400 invalid_grant", "login.password"),
        ({"clientSecret": SECRET}, "401 invalid_client", "login.clientSecret"),
    ],
)
def test_a_login_that_is_refused(server: Instance, wrong: dict[str, str], words: str, hint: str) -> None:
    """Says which part."""
    with closing(client(server, login_of(server, **wrong))) as asking, pytest.raises(StoreUnavailable) as told:
        asking.get("/groups")
    assert words in told.value.message and hint in told.value.hint and SECRET not in repr(told.value.args)


def test_something_before_the_instance_asks_for_a_password(server: Instance) -> None:
    """Then the token is not to blame, and none is asked for anew."""
    asks = {"WWW-Authenticate": 'Basic realm="staging"'}
    server.simulator.serve = lambda request, reply: reply(Answer(401, b"", headers=asks), None)  # type: ignore[method-assign]
    with closing(client(server)) as asking, pytest.raises(StoreUnavailable, match="something before the instance asks"):
        asking.get("/groups")
    assert asking.requests == 1


@pytest.mark.parametrize("token", ["", "two\nlines", "ünsendable"])
def test_a_token_that_cannot_be_sent(server: Instance, token: str) -> None:
    """Is told, and not shown."""
    with closing(client(server, {"token": lambda: Secret(token)})) as asking, pytest.raises(StoreUnavailable) as told:
        asking.get("/groups")
    assert "cannot be sent" in told.value.message and asking.requests == 0
    assert not token or token not in told.value.message


def test_nobody_says_with_which_token(server: Instance) -> None:
    """Then nothing is sent."""
    with closing(client(server, {})) as asking, pytest.raises(UsageError) as told:
        asking.get("/groups")
    assert "token: {env:" in told.value.hint and not server.requests


HOSTILE = [
    b"", b"null", b"7", b'"text"', b"{" * 100_000, b"[" * 100_000, b'{"id": 1e999999}', b"\xff\xfe{}", b"{} trailing",
    b'{"message": ' + b'"' + b"\x1b[31m##[error]" + b"x" * 5000 + b'"}', b'{"message": {"a": []}, "errors": [1, {"x": 2}]}',
    b'{"errors": {"name": [["deep"]], "\xe2\x80\xae": null, "b": {"c": 1}}, "message": 9}',
]  # fmt: skip


@pytest.mark.parametrize("status", [200, 201, 304, 302, 401, 418, 422, 500, 599])
def test_whatever_a_server_says_is_one_of_our_outcomes(server: Instance, status: int) -> None:
    """And no text of it can do harm."""
    asking = client(server, patience=Patience(lost=(), refused=()))
    said = [b""]
    server.simulator.serve = lambda request, reply: reply(Answer(status, said[0]), None)  # type: ignore[method-assign]
    with closing(asking):
        for body in HOSTILE:
            said[0] = body
            for ask in (lambda: asking.get("/x"), lambda: asking.change("POST", "/x", BODY)):
                try:
                    ask()
                except ReconcilerError as told:
                    words = " ".join((told.message, told.hint, *told.details, *map(str, getattr(told, "fields", ()))))
                    assert words.isprintable() and "##[" not in words and len(words) < 1000


@pytest.mark.parametrize("status", [200, 302, 401, 403, 422, 500, 503])
def test_no_secret_comes_back_in_words(server: Instance, status: int) -> None:
    """Whatever the server repeats: the token, the credentials, and those of a login."""
    token, password = server.token(), server.login()["password"]
    said = json.dumps(
        {"message": f"{token} {SECRET} {password}", "errors": {SECRET: [token, password]}, "error": SECRET}
    )
    location = {"Location": f"https://{SECRET.partition(' ')[0]}/{token}", "Retry-After": "3600"}
    server.simulator.serve = lambda request, reply: reply(Answer(status, said.encode(), headers=location), None)  # type: ignore[method-assign]
    for credentials in (None, login_of(server)):
        for verb in ("GET", "POST"):
            with closing(client(server, credentials)) as asking:
                try:
                    asking.get("/x") if verb == "GET" else asking.change(verb, "/x", BODY)
                except ReconcilerError as told:
                    causes = [told, told.__cause__, told.__context__]
                    words = " ".join(f"{one!r} {vars(one) if one else ''}" for one in causes)
                    assert token not in words and (credentials is None or password not in words)
                    assert verb == "GET" or status == 302 or "canary-71c2" not in words  # a GET does not send it


def test_an_answer_that_is_too_long(server: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is not read to its end."""
    monkeypatch.setattr("reconciler.stores.processmaker.wire.client.LARGEST", 2**20)
    server.simulator.serve = lambda request, reply: reply(Answer(200, b" " * (3 * 2**20)), None)  # type: ignore[method-assign]
    with closing(client(server)) as asking, pytest.raises(StoreUnavailable) as told:
        asking.get("/data_sources")
    assert "with more than 1 MiB" in told.value.message and "pageSize" in told.value.hint


def test_connections_that_the_server_ends_are_let_go(server: Instance) -> None:
    """However many requests there are, few files are open."""
    server.simulator.serve = lambda request, reply: reply(Answer(200, b"{}", headers={"Connection": "close"}), None)  # type: ignore[method-assign]
    with closing(client(server)) as asking:
        for _ in range(30):
            asking.get("/groups")
        assert asking._pool is not None
        (sender,) = asking._pool._all
        assert len(sender._deadline._connections) < 5


def test_few_connections_serve_many_threads(server: Instance) -> None:
    """Those that come later go on with those that are there."""
    with closing(client(server)) as asking:
        for _ in range(5):
            with ThreadPoolExecutor(3) as crew:
                assert {reply.status for reply in crew.map(lambda _: asking.get("/groups"), range(6))} == {200}
        assert asking._pool is not None and len(asking._pool._all) <= 3


def test_a_private_authority(authority: Authority, tmp_path: Path) -> None:
    """Is trusted where the target names its file; without it the message says how."""
    with instance(authority=authority, contract=False) as server:
        trust = trust_of(Options(ca=str(authority.ca)), tmp_path)
        with closing(client(server, trust=trust)) as asking:
            assert asking.get("/groups").status == 200
        with closing(client(server)) as asking, pytest.raises(StoreUnavailable) as told:
            asking.get("/groups")
        assert "not from a trusted authority" in told.value.message
        assert "processmaker: {ca: PATH}" in told.value.hint
        with closing(client(server, trust=Trust(authority=Secret("none")))) as asking, pytest.raises(UsageError) as odd:
            asking.get("/groups")
        assert odd.value.message.startswith("processmaker.ca of the target: no certificate")
    for path in ("absent.pem", ".", "/dev/zero"):
        with pytest.raises(UsageError, match="names no file of certificates"):
            trust_of(Options(ca=path), tmp_path)


URLS = [
    ("https://PM.example.com", "https://pm.example.com"),
    ("https://pm.example.com:443/", "https://pm.example.com"),
    ("https://pm.example.com:0444/sub/", "https://pm.example.com:444/sub"),
    ("https://pm.example.com/api/1.0", "https://pm.example.com"),
    ("https://[::1]:8443/pm", "https://[::1]:8443/pm"),
    ("http://127.0.0.1:80", "http://127.0.0.1"),
    ("http://localhost:8080", "http://localhost:8080"),
    ("http://pm.example.com", ""),
    ("https://u:p@pm.example.com", ""),
    ("https://u@pm.example.com", ""),
    ("https://pm.example.com?x=y", ""),
    ("https://evil.example#@localhost", ""),
    ("https://evil.example\\@localhost", ""),
    ("https://pm.example.com:70000", ""),
    ("https://pm.example.com:0", ""),
    ("https://", ""),
    ("ftp://pm.example.com", ""),
    ("https://pm.example.com/a b", ""),
    ("https://pm.example.com/\n", ""),
]


@pytest.mark.parametrize(("url", "root"), URLS)
def test_which_urls_name_an_instance(url: str, root: str) -> None:
    """Two ways to write one are one; none goes in the clear over a network without a reason."""
    if root:
        assert read_url(f"processmaker+{url}", Options()).root == root
        return
    with pytest.raises(UsageError):
        read_url(f"processmaker+{url}", Options())


def test_a_reason_lets_it_go_in_the_clear() -> None:
    """For a test instance behind a VPN."""
    found = read_url("processmaker+http://pm.example.com", Options(allow_plain_http="behind a VPN"))
    assert found.root == "http://pm.example.com"
