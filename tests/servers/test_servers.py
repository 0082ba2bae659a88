"""The servers do what the tests of the program take for granted."""

import socket
import ssl
import time
from urllib.parse import quote

import httpx
import psycopg
import pytest

from servers import faults
from servers.postgresql import NEWEST, on_both_majors
from servers.process import listens
from servers.sops import FORMATS


def get(url, *, verify=True, timeout=5.0, **options):
    with httpx.Client(verify=verify, trust_env=False, timeout=timeout) as client:
        return client.get(url, **options)


def careless():
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def ask(server, *, client_id=None, client_secret=None, url=None, **form):
    """One token request, with the client's name and secret in a Basic header."""
    with httpx.Client(verify=ssl.create_default_context(cafile=server.ca), trust_env=False) as client:
        login = (client_id or server.client_id, client_secret or server.client_secret)
        return client.post(url or server.token_url, data=form, auth=login)


def ask_password(server, **changes):
    form = {"grant_type": "password", "username": server.user, "password": server.password, "scope": server.scope}
    return ask(server, **{**form, **changes})


# httpbin


def test_basic_authentication(httpbin):
    url = f"{httpbin.url}/basic-auth/u/p"
    assert get(url, auth=("u", "p")).status_code == 200
    assert get(url, auth=("u", "wrong")).status_code == 401


@pytest.mark.parametrize("kind", ["good", "expired", "wrong_host", "unknown_ca", "client_certificate"])
@pytest.mark.parametrize("trust", ["ours", "none", "off", "ours and client", "ours and stranger"])
def test_tls_matrix(httpbin_tls, httpbin_bad_tls, authority, kind, trust):
    site = httpbin_tls if kind == "good" else getattr(httpbin_bad_tls, kind)
    context = {
        "ours": authority.trusting(),
        "none": ssl.create_default_context(),
        "off": careless(),
        "ours and client": authority.trusting(authority.client),
        "ours and stranger": authority.trusting(authority.other_client),
    }[trust]
    passes = {
        "good": {"ours", "off", "ours and client", "ours and stranger"},
        "expired": {"off"},
        "wrong_host": {"off"},
        "unknown_ca": {"off"},
        "client_certificate": {"ours and client"},
    }[kind]
    if trust in passes:
        assert get(site.url + "/status/204", verify=context).status_code == 204
    else:
        with pytest.raises((httpx.ConnectError, httpx.ReadError, httpx.RemoteProtocolError)):
            get(site.url + "/status/204", verify=context)


def test_unknown_authority_is_an_authority_all_the_same(httpbin_bad_tls, authority):
    context = ssl.create_default_context(cafile=authority.other_ca)
    assert get(httpbin_bad_tls.unknown_ca.url + "/status/204", verify=context).status_code == 204


# OAuth 2.0


def test_password_grant_gives_a_token_that_works(oauth_server):
    answer = ask_password(oauth_server)
    assert answer.status_code == 200, answer.text
    token = answer.json()
    assert token["expires_in"] == oauth_server.lifetime
    assert token["token_type"].lower() == "bearer"
    assert token["refresh_token"]
    context = ssl.create_default_context(cafile=oauth_server.ca)
    good = get(oauth_server.resource_url, verify=context, headers={"Authorization": "Bearer " + token["access_token"]})
    bad = get(oauth_server.resource_url, verify=context, headers={"Authorization": "Bearer nonsense"})
    assert (good.status_code, bad.status_code // 100) == (200, 4)


def test_client_credentials(oauth_server):
    answer = ask(
        oauth_server, client_id=oauth_server.machine_id, client_secret=oauth_server.machine_secret,
        grant_type="client_credentials", scope=oauth_server.scope,
    )  # fmt: skip
    assert answer.status_code == 200, answer.text
    assert answer.json()["access_token"]


def test_the_server_itself_speaks_tls_with_our_certificate(oauth_server):
    assert ask_password(oauth_server, url=oauth_server.direct_token_url).status_code == 200
    with pytest.raises(httpx.ConnectError):
        get(oauth_server.direct_token_url)
    assert oauth_server.token_requests == ()


REFUSALS = {
    "django-oauth-toolkit": {
        "password": (400, "invalid_grant"), "client_secret": (401, "invalid_client"), "scope": (400, "invalid_scope"),
    },
    "glewlwyd": {"password": (403, ""), "client_secret": (400, ""), "scope": (403, "")},
    "nanoidp": {
        "password": (400, "invalid_grant"), "client_secret": (401, "invalid_client"), "scope": (400, "invalid_scope"),
    },
}  # fmt: skip


@pytest.mark.parametrize("wrong", ["password", "client_secret", "scope"])
def test_refusals_differ(oauth_server, wrong):
    answer = ask_password(oauth_server, **{wrong: getattr(oauth_server, f"wrong_{wrong}")})
    error = answer.json()["error"] if answer.content else ""
    assert (answer.status_code, error) == REFUSALS[oauth_server.name][wrong]


def test_servers_disagree_on_encoding_inside_basic(oauth_server):
    plain = ask_password(oauth_server, client_id=oauth_server.odd_id, client_secret=oauth_server.odd_secret)
    encoded = ask_password(
        oauth_server, client_id=oauth_server.odd_id, client_secret=quote(oauth_server.odd_secret, safe="")
    )
    assert (plain.status_code == 200, encoded.status_code == 200) == (
        not oauth_server.decodes_basic,
        oauth_server.decodes_basic,
    )


def test_servers_disagree_on_secrets_in_the_body(oauth_server):
    def status(secret):
        with httpx.Client(verify=ssl.create_default_context(cafile=oauth_server.ca), trust_env=False) as client:
            form = {"grant_type": "password", "username": oauth_server.user, "password": oauth_server.password}
            named = {"client_id": oauth_server.client_id, "client_secret": secret, "scope": oauth_server.scope}
            return client.post(oauth_server.token_url, data={**form, **named}).status_code

    right, wrong = status(oauth_server.client_secret), status(oauth_server.wrong_client_secret)
    outcome = {(True, False): "checked", (True, True): "ignored", (False, False): "refused"}
    assert outcome[right == 200, wrong == 200] == oauth_server.secret_in_body


def test_a_grant_type_that_the_client_may_not_use(django_oauth, glewlwyd):
    form = {"grant_type": "client_credentials"}
    answer = ask(django_oauth, **form)
    assert (answer.status_code, answer.json()["error"]) == (400, "unauthorized_client")
    assert ask(glewlwyd, **form).status_code == 403


def test_refresh_tokens_rotate_where_the_record_says_so(oauth_server):
    first = ask_password(oauth_server).json()
    form = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    second = ask(oauth_server, **form)
    assert second.status_code == 200, second.text
    assert second.json()["access_token"] != first["access_token"]
    assert ask(oauth_server, **form).status_code == (400 if oauth_server.rotates else 200)


def test_short_tokens_end(oauth_server_short):
    token = ask_password(oauth_server_short).json()
    assert token["expires_in"] == 3
    headers = {"Authorization": "Bearer " + token["access_token"]}
    context = ssl.create_default_context(cafile=oauth_server_short.ca)
    assert get(oauth_server_short.resource_url, verify=context, headers=headers).status_code == 200
    time.sleep(4.1)
    assert get(oauth_server_short.resource_url, verify=context, headers=headers).status_code in {401, 403}


def test_token_requests_are_counted_with_what_they_carried(oauth_server):
    assert oauth_server.token_requests == ()
    ask_password(oauth_server)
    ask_password(oauth_server)
    assert len(oauth_server.token_requests) == 2
    request = oauth_server.token_requests[0]
    assert (request.method, request.header("authorization")[:6]) == ("POST", "Basic ")
    assert b"grant_type=password" in request.body


def test_token_requests_can_be_made_to_fail(oauth_server):
    oauth_server.front.play(faults.too_many(7), faults.html_error())
    assert [ask_password(oauth_server).status_code for _ in range(3)] == [429, 502, 200]


# faults


def test_requests_pass_and_are_recorded(front, front_tls, authority):
    for proxy, verify in ((front, True), (front_tls, authority.trusting())):
        answer = get(proxy.url + "/get?a=1", verify=verify, headers={"X-Token": "t"})
        assert answer.json()["headers"]["X-Token"] == "t"
        assert [(r.method, r.target, r.header("x-token")) for r in proxy.requests] == [("GET", "/get?a=1", "t")]


def test_bodies_pass_with_a_length_and_in_chunks(front):
    with httpx.Client(trust_env=False) as client:
        assert client.post(front.url + "/post", content=b"plain").json()["data"] == "plain"
        client.post(front.url + "/post", content=iter([b"in ", b"chunks"]))
    assert [request.body for request in front.requests] == [b"plain", b"in chunks"]


def test_statuses_then_pass(front):
    front.play(faults.too_many(1), faults.unavailable(2), faults.unavailable(None), faults.html_error(), faults.empty())
    answers = [get(front.url + "/json") for _ in range(6)]
    assert [answer.status_code for answer in answers] == [429, 503, 503, 502, 200, 200]
    assert [answer.headers.get("retry-after") for answer in answers[:3]] == ["1", "2", None]
    assert (answers[3].text[:15], answers[4].content, answers[5].json() != {}) == ("<!DOCTYPE html>", b"", True)


def test_redirect_to_another_port(front, front_tls, authority):
    front_tls.play(faults.redirect(front.url + "/get"))
    answer = get(front_tls.url + "/get", verify=authority.trusting(), follow_redirects=True)
    assert (answer.status_code, len(front_tls.requests), len(front.requests)) == (200, 1, 1)


# Under TLS, Python tells a reset from a close no more: both read as the end.
LOST = (httpx.ReadError, httpx.RemoteProtocolError)


@pytest.mark.parametrize("encrypted", [False, True])
@pytest.mark.parametrize(
    ("step", "error"),
    [
        (faults.Delay(2), httpx.ReadTimeout),
        (faults.Reset(), LOST),
        (faults.ResetAfter(), LOST),
        (faults.Close(), LOST),
        (faults.Silent(), httpx.ReadTimeout),
        (faults.HalfThenClose(), LOST),
        (faults.HalfThenReset(), LOST),
        (faults.HalfThenStall(), httpx.ReadTimeout),
        (faults.Raw(b"\x00\xff nonsense\r\n\r\n"), httpx.RemoteProtocolError),
    ],
)
def test_connection_faults(front, front_tls, authority, step, error, encrypted):
    proxy, verify = (front_tls, authority.trusting()) if encrypted else (front, True)
    proxy.play(step)
    with pytest.raises(error):
        get(proxy.url + "/json", verify=verify, timeout=0.5 if error is httpx.ReadTimeout else 10)
    assert get(proxy.url + "/json", verify=verify).status_code == 200
    assert len(proxy.requests) == 2


def test_a_reset_without_tls_is_a_reset(front):
    front.play(faults.Reset(), faults.Close())
    with pytest.raises(httpx.ReadError, match="reset"):
        get(front.url + "/json")
    with pytest.raises(httpx.RemoteProtocolError, match="disconnected"):
        get(front.url + "/json")


def test_drip_outlasts_a_limit_on_single_reads(front):
    front.play(faults.Drip(2))
    began = time.monotonic()
    assert get(front.url + "/json", timeout=1).json()
    assert time.monotonic() - began > 1


def test_endless_body_ends_when_the_client_leaves(front):
    front.play(faults.Endless())
    with httpx.stream("GET", front.url + "/json", trust_env=False) as answer:
        read = 0
        for data in answer.iter_bytes():
            read += len(data)
            if read > 1_000_000:
                break
    assert front.bytes_sent > 1_000_000


def test_ports_without_a_server(closed_port, mute_port):
    with pytest.raises(httpx.ConnectError):
        get(f"http://127.0.0.1:{closed_port}/")
    with pytest.raises(httpx.ReadTimeout):
        get(f"http://127.0.0.1:{mute_port}/", timeout=0.3)
    with pytest.raises(httpx.ConnectTimeout):
        get(f"https://127.0.0.1:{mute_port}/", timeout=0.3)


def test_true_rate_limit(rate_limited):
    answers = [get(rate_limited + "/status/204")]
    while answers[-1].status_code == 204 and len(answers) < 50:
        answers.append(get(rate_limited + "/status/204"))
    assert len(answers) > 2
    assert (answers[-1].status_code, answers[-1].headers["retry-after"]) == (429, "1")
    time.sleep(2.1)
    assert get(rate_limited + "/status/204").status_code == 204


# secrets


def test_secrets_manager_keeps_stages(aws):
    aws.create("crm", "one")
    aws.change("crm", "two")
    assert aws.call("GetSecretValue", SecretId="crm")["SecretString"] == "two"
    assert aws.call("GetSecretValue", SecretId="crm", VersionStage="AWSPREVIOUS")["SecretString"] == "one"
    with pytest.raises(AssertionError, match="ResourceNotFoundException"):
        aws.call("GetSecretValue", SecretId="other")


def test_secrets_manager_begins_empty(aws):
    assert aws.call("ListSecrets")["SecretList"] == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("s.yaml", "db:\n    password: canary\n"),
        ("s.json", '{\n\t"db": {\n\t\t"password": "canary"\n\t}\n}\n'),
        ("s.env", "DB_PASSWORD=canary\n"),
    ],
)
def test_sops_encrypts_for_one_key_only(age_key, other_age_key, tmp_path, name, text):
    file = age_key.encrypt(tmp_path / name, text)
    assert "canary" not in file.read_text()
    assert age_key.decrypt(file).split() == text.split()
    with pytest.raises(AssertionError, match="sops"):
        other_age_key.decrypt(file)
    assert file.suffix in FORMATS


# processes


def test_a_server_leaves_nothing_behind(server_folder):
    from servers.httpbin import plain_site

    with plain_site(server_folder) as site:
        assert get(site.url + "/status/204").status_code == 204
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", site.port), 1)


def test_a_server_that_cannot_start_says_why(server_folder):
    from servers.gunicorn import launch_gunicorn
    from servers.process import DidNotStart, answers, wait

    with pytest.raises(DidNotStart, match="no_such_module"):
        wait(launch_gunicorn("no_such_module:app", server_folder), answers())


# PostgreSQL


@on_both_majors
def test_a_database_belongs_to_a_role_that_is_no_superuser(postgresql, database, major):
    with database.connect(application_name="mine") as connection:
        connection.execute(
            "CREATE SCHEMA mine; CREATE TABLE mine.things (name text); INSERT INTO mine.things VALUES ('é')"
        )
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("CREATE ROLE another SUPERUSER")
    assert database.sql("SELECT name FROM mine.things WHERE name = %s", "é") == [("é",)]
    assert database.sql("SHOW server_encoding") == [("UTF8",)]
    assert postgresql.major >= 18 if major == NEWEST else postgresql.major >= 15
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(database.url, password="wrong")
    with database.login("NOINHERIT").connect() as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("SELECT * FROM mine.things")


def test_postgresql_with_tls_is_checked_by_our_authority_alone(database_tls, authority):
    with psycopg.connect(database_tls.tls_url, password=database_tls.password) as connection:
        assert connection.pgconn.ssl_in_use
    with pytest.raises(psycopg.OperationalError, match="certificate verify failed"):
        psycopg.connect(database_tls.tls_url, password=database_tls.password, sslrootcert=str(authority.other_ca))


def test_a_frozen_server_accepts_and_never_answers(postgresql, database):
    with postgresql.frozen():
        listens(postgresql.port)
        with pytest.raises(psycopg.errors.ConnectionTimeout):
            psycopg.connect(database.url, password=database.password, connect_timeout=2)
    assert database.sql("SELECT 1") == [(1,)]


def test_a_server_that_was_killed_or_restarted_keeps_what_was_committed(postgresql, database):
    database.sql("CREATE TABLE public.things AS SELECT 1 AS number")
    postgresql.kill()
    with pytest.raises(psycopg.OperationalError, match="refused"):
        database.connect()
    postgresql.start()
    postgresql.restart()
    assert database.sql("SELECT number FROM things") == [(1,)]


def test_a_synchronous_standby_has_what_was_committed_when_it_is_promoted(postgresql, database):
    standby = postgresql.standby(synchronous=True)
    try:
        database.sql("CREATE TABLE public.things AS SELECT 1 AS number")
        with standby.superuser(database.name) as connection:
            with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
                connection.execute("DELETE FROM things")
        standby.promote()
        with standby.superuser(database.name) as connection:
            assert connection.execute("DELETE FROM things").rowcount == 1
    finally:
        postgresql.reload(synchronous_standby_names="")
        standby.discard()


def test_a_standby_follows(database, standby):
    database.sql("CREATE TABLE public.things AS SELECT 1 AS number")
    with standby.superuser() as connection:
        assert connection.execute("SELECT pg_is_in_recovery()").fetchone() == (True,)


def test_pgbouncer_gives_each_transaction_another_connection(pgbouncer, database):
    def connect():
        return psycopg.connect(pgbouncer.url(database), password=database.password, autocommit=True)

    with connect() as one, connect() as other:
        for connection in (one, other):  # a lock of a session is none: both get it
            assert connection.execute("SELECT pg_try_advisory_lock(42)").fetchone() == (True,)
        with one.transaction(), other.transaction():
            process = "SELECT pg_backend_pid()"
            assert one.execute(process).fetchone() != other.execute(process).fetchone()
