"""A token's life: expiry, renewal, rotation, several processes at once, and what goes wrong on the way."""

import json
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import Workspace, clean_environment
from servers.faults import Answer, Delay, Reset, empty, html_error, too_many, unavailable
from servers.oauth import OAuthServer
from test_grants import CATEGORY, connector, machine_grant, password_grant, statuses


@pytest.fixture
def place(empty: Workspace) -> Workspace:
    """A repository with a category."""
    empty.write("connectors/category.yaml", CATEGORY)
    return empty


def with_password_grant(place: Workspace, server: OAuthServer, name: str = "one") -> Workspace:
    """The repository with a connector whose token comes from `server`."""
    place.env |= {"SECRET": server.client_secret, "PASSWORD": server.password}
    place.write(f"connectors/{name}.yaml", connector(name, server, password_grant(server)))
    return place


def grants(server: OAuthServer) -> list[str]:
    """The grant types that were asked for."""
    return [request.body.decode().split("grant_type=")[1].split("&")[0] for request in server.token_requests]


def let_expire(place: Workspace) -> None:
    """Move the times of what is stored two hours back."""
    back = "strftime('%Y-%m-%dT%H:%M:%fZ', {}, '-2 hours')"
    with sqlite3.connect(place.store) as connection:
        connection.execute(
            f"UPDATE tokens SET obtained = {back.format('obtained')}, expires = {back.format('expires')}"
        )
    connection.close()


def test_an_expired_token_is_a_change_and_is_renewed_by_its_refresh_token(
    place: Workspace, oauth_server_short: OAuthServer
) -> None:
    """Rotation of refresh tokens is survived: the third renewal still uses one."""
    server = oauth_server_short
    with_password_grant(place, server).ok("apply", "--yes")
    for round_ in range(1, 4):
        if round_ == 1:
            time.sleep(3.1)
        else:
            let_expire(place)
        assert statuses(place)["one"]["condition"] == "expired"
        planned = json.loads(place.ok("plan", "-o", "json").stdout)
        (change,) = planned["changes"]
        assert (change["action"], change["origin"]) == ("update", "token")
        assert change["fields"][0]["path"] == ["spec", "authorization", "accessToken"]
        text = place.ok("plan").stdout
        assert "~ authorization.accessToken: (expired " in text and "-> (renewed)" in text, text
        applied = place.ok("apply", "--yes", env={"SECRET": "", "PASSWORD": ""})
        assert "1 access token fetched" in applied.stdout, "what is stored is enough"
        assert grants(server) == ["password"] + ["refresh_token"] * round_
    before = json.loads(place.ok("get", "connector", "one", "-o", "json").stdout)["records"][0]["changedAt"]
    assert before


def test_a_refresh_token_that_is_no_good_any_more(place: Workspace, django_oauth: OAuthServer) -> None:
    """The credentials still are."""
    with_password_grant(place, django_oauth).ok("apply", "--yes")
    let_expire(place)
    django_oauth.front.play(Answer("400 Bad Request", b'{"error": "invalid_grant"}'))  # fmt: skip
    result = place.ok("token", "renew")
    assert result.stdout == "Fetched 1 access token: one.\n"
    assert grants(django_oauth) == ["password", "refresh_token", "password"]


def test_two_processes_make_one_request(place: Workspace, django_oauth: OAuthServer) -> None:
    """Whoever comes second waits for the first one's token."""
    with_password_grant(place, django_oauth).ok("apply", "--yes")
    let_expire(place)
    django_oauth.front.clear()
    django_oauth.front.play(Delay(3.0))  # until all of them have begun
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _: place.run("token", "renew", "-v"), range(4)))
    assert [result.exit_code for result in results] == [0] * 4, [result.output for result in results]
    assert len(django_oauth.token_requests) == 1


def test_a_process_that_dies_keeps_nobody_waiting_for_long(place: Workspace, django_oauth: OAuthServer) -> None:
    """Its lease ends by itself; until then the others wait."""
    with_password_grant(place, django_oauth).ok("apply", "--yes")
    with sqlite3.connect(place.store) as connection:
        (uid,) = connection.execute("SELECT uid FROM tokens").fetchone()
        connection.execute(
            "INSERT INTO leases (name, holder, expires) VALUES (?, 'dead', ?)", (f"token/{uid}", time.time() + 2)
        )
    connection.close()
    began = time.monotonic()
    assert "Fetched 1 access token" in place.ok("token", "fetch", "one").stdout
    assert 1 < time.monotonic() - began < 15


def test_apply_continues_without_what_has_no_token(place: Workspace, django_oauth: OAuthServer) -> None:
    """With --on-error continue the others are applied, and the exit code says so; by default nothing is."""
    with_password_grant(place, django_oauth)
    grant = machine_grant(django_oauth).replace("SECRET", "WRONG")
    place.env["WRONG"] = "wrong-canary"
    place.write("connectors/two.yaml", connector("two", django_oauth, grant))
    stopped = place.run("apply", "--yes")
    assert stopped.exit_code == 10
    assert "connector/two: " in stopped.stderr and " answered 401 invalid_client: credentials refused" in stopped.stderr
    assert place.ok("get").stdout == "The store holds no records.\n"
    result = place.run("apply", "--yes", "--on-error", "continue", "-o", "json")
    assert result.exit_code == 7, result.output
    report = json.loads(result.stdout)
    assert [change["address"] for change in report["changes"]] == ["category/crm", "connector/one"]
    assert report["run"]["leftOut"][0]["address"] == "connector/two"
    assert "connector/two was left out: " in result.stderr
    assert list(statuses(place)) == ["one"]
    assert "wrong-canary" not in stopped.output + result.output


def test_tokens_on_demand(place: Workspace, django_oauth: OAuthServer) -> None:
    """apply leaves them alone; the first call fetches one, the second uses it."""
    with_password_grant(place, django_oauth)
    place.ok("apply", "--yes", "--tokens", "demand")
    assert "Nothing to do" in place.ok("plan", "--tokens", "demand").stdout
    assert "(none) -> (fetched)" in place.ok("plan").stdout
    assert statuses(place)["one"]["condition"] == "missing"
    assert place.run("token", "status", "--check").exit_code == 10
    assert not django_oauth.token_requests
    for _ in range(2):
        place.ok("call", "one", "get", "--fail")
    assert len(django_oauth.token_requests) == 1
    assert place.run("token", "status", "--check").exit_code == 0


def test_another_authorization_makes_the_token_worthless(place: Workspace, django_oauth: OAuthServer) -> None:
    """A new value of a secret, or another client, asks for a new token; another description does not."""
    with_password_grant(place, django_oauth).ok("apply", "--yes")
    place.edit("connectors/one.yaml", "displayName: The one", "displayName: The first")
    place.ok("apply", "--yes")
    assert len(django_oauth.token_requests) == 1
    place.write("connectors/one.yaml", connector("one", django_oauth, machine_grant(django_oauth)))
    place.env["SECRET"] = django_oauth.machine_secret
    place.ok("apply", "--yes")
    assert len(django_oauth.token_requests) == 2
    place.write("connectors/one.yaml", connector("one", django_oauth, "    method: none\n"))
    place.ok("apply", "--yes")
    with sqlite3.connect(place.store) as connection:
        assert connection.execute("SELECT count(*) FROM tokens").fetchone() == (0,)
    connection.close()


def test_tokens_of_deleted_connectors_are_destroyed(place: Workspace, django_oauth: OAuthServer) -> None:
    """With the record."""
    with_password_grant(place, django_oauth).ok("apply", "--yes")
    (place.root / "connectors/one.yaml").unlink()
    place.ok("apply", "--yes", "--max-deletes", "5")
    with sqlite3.connect(place.store) as connection:
        assert connection.execute("SELECT count(*) FROM tokens").fetchone() == (0,)
    connection.close()


@pytest.mark.parametrize(
    ("step", "exit_code", "words", "requests"),
    [
        (too_many(1), 0, "", 2),
        (unavailable(1), 0, "", 2),
        (Reset(), 0, "", 2),
        (html_error("503 Service Unavailable"), 0, "", 2),
        (html_error("403 Forbidden"), 10, "answered 403: credentials refused", 1),
        (empty("200 OK"), 10, "answered 200: the answer has no access token", 1),
        (empty("400 Bad Request"), 10, "answered 400: credentials refused", 1),
        (too_many(3600), 10, "answered 429: too many requests", 1),
    ],
    ids=lambda value: getattr(value, "status", None),
)
def test_faults_on_the_way(
    place: Workspace, django_oauth: OAuthServer, step: object, exit_code: int, words: str, requests: int
) -> None:
    """What passes is tried again, as the server asks; what does not is said in words."""
    with_password_grant(place, django_oauth)
    django_oauth.front.play(step)
    result = place.run("apply", "--yes", timeout=60)
    assert result.exit_code == exit_code, result.output
    assert words in result.stderr
    assert len(django_oauth.token_requests) == requests


def test_an_interrupted_fetch_ends_at_once(place: Workspace, django_oauth: OAuthServer) -> None:
    """Ctrl-C does not wait for a server that does not answer."""
    import signal

    with_password_grant(place, django_oauth)
    django_oauth.front.play(Delay(20))
    process = subprocess.Popen(
        [sys.executable, "-m", "reconciler", "apply", "--yes"],
        cwd=place.root, env=clean_environment(place.env), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    until = time.monotonic() + 15
    while not django_oauth.token_requests and time.monotonic() < until:
        time.sleep(0.05)
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=20)
    assert process.returncode == 130, stderr
    assert time.monotonic() - began < 5
    assert "interrupted" in stderr and "Traceback" not in stderr
    assert not place.store.exists() or "no records" in place.ok("get").stdout
