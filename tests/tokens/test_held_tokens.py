"""A live store that sends requests itself is given the access tokens that it cannot fetch: by a driver of a few lines."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from conftest import Workspace
from schema_checks import fits
from servers.faults import Answer
from servers.oauth import OAuthServer
from test_grants import CATEGORY, connector, password_grant, statuses
from test_life import grants

DRIVER = '''
"""A driver that is given tokens, and writes down what; files beside it make it fail, or die before or after its work."""

import json
import os

from reconciler.core.ports.live import Outcome, Result
from reconciler.testing.memory import MemoryStore


def open_holder(url, context):
    return Holder(context.root / url.partition(":")[2])


class Holder(MemoryStore):
    def held_tokens(self, spec):
        return frozenset({""}) if spec.get("authorization", {}).get("method") == "oauth2-password" else frozenset()

    def objections(self, declared):
        return ()

    def secret_objections(self, body, secrets):
        return {place: "begins with a blank" for place, secret in secrets.items() if secret.reveal()[0] == " "}

    def unseen_access(self):
        return ""

    def read(self, ids=None):
        for record in super().read(ids):
            yield type(record)(record.id, record.key, record.body, record.version, "", self._is("resealed", record.key))

    def write(self, writes):
        failed = Outcome(Result.FAILED, reason="the server answers 500")
        if self._path.with_name("die-before").exists():
            os._exit(137)
        wanted = [write for write in writes if not self._is("hinder", write.key)]
        done = iter(super().write(wanted))
        with self._path.with_name("given.jsonl").open("a") as log:
            for write in wanted:
                tokens = {name: token.reveal() for name, token in write.tokens.items()}
                secrets = sorted(write.secrets)
                print(json.dumps([write.key.name, write.is_sealed_anew, tokens, secrets]), file=log)
        if self._path.with_name("die-after").exists():
            os._exit(137)
        return [next(done) if write in wanted else failed for write in writes]

    def _is(self, word, key):
        path = self._path.with_name(word)
        return path.exists() and key.name in path.read_text().split()
'''


@pytest.fixture
def place(empty: Workspace, tmp_path: Path, django_oauth: OAuthServer) -> Workspace:
    """A repository with a category and a connector, and a live store that is given tokens."""
    site = tmp_path / "site"
    (site / "holder-1.0.dist-info").mkdir(parents=True)
    (site / "holder.py").write_text(DRIVER)
    (site / "holder-1.0.dist-info/METADATA").write_text("Metadata-Version: 2.1\nName: holder\nVersion: 1.0\n")
    (site / "holder-1.0.dist-info/entry_points.txt").write_text("[reconciler.stores]\nholder = holder:open_holder\n")
    empty.env |= {"PYTHONPATH": str(site), "SECRET": django_oauth.client_secret, "PASSWORD": django_oauth.password}
    target(empty)
    empty.write("connectors/category.yaml", CATEGORY)
    empty.write("connectors/one.yaml", connector("one", django_oauth, password_grant(django_oauth)))
    return empty


def target(workspace: Workspace, more: str = "") -> None:
    """Set the target."""
    head = "apiVersion: reconciler/v1\nkind: Project\nowner: acme/crm\n"
    workspace.write("reconciler.yaml", f"{head}targets:\n  local: {{store: 'holder:live.json'{more}}}\n")


def given(workspace: Workspace) -> list[Any]:
    """What the live store was given since the last look: name, whether anew, tokens, addresses of secrets."""
    path = workspace.root / "given.jsonl"
    lines = path.read_text().splitlines() if path.exists() else []
    path.unlink(missing_ok=True)
    return [found for found in map(json.loads, lines) if found[0] != "crm"]


def changed(workspace: Workspace) -> list[tuple[Any, Any]]:
    """Before and after of all that a plan is about."""
    changes = json.loads(workspace.ok("plan", "-o", "json").stdout)["changes"]
    return [(field.get("before"), field.get("after")) for change in changes for field in change["fields"]]


def state(workspace: Workspace) -> Path:
    """The database beside the live store."""
    (found,) = workspace.root.glob(".reconciler/*.db")
    return found


def let_expire(workspace: Workspace) -> None:
    """Move the times of what is kept, and of what was given, two hours back."""
    back = "strftime('%Y-%m-%dT%H:%M:%fZ', {}, '-2 hours')"
    with closing(sqlite3.connect(state(workspace))) as connection, connection:
        connection.execute("INSERT INTO meta VALUES ('writing', '') ON CONFLICT DO NOTHING")
        connection.execute(
            f"UPDATE tokens SET obtained = {back.format('obtained')}, expires = {back.format('expires')}"
        )
        connection.execute(f"UPDATE held_tokens SET obtained = {back.format('obtained')}")
        connection.execute("DELETE FROM meta WHERE key = 'writing'")


def test_a_token_is_given_with_the_record_and_after_it_was_renewed(place: Workspace, django_oauth: OAuthServer) -> None:
    """Once with the record; then nothing is to be done until it is due; then alone, with all that is secret."""
    assert "1 access token fetched" in place.ok("apply", "--yes").stdout
    ((name, anew, tokens, secrets),) = given(place)
    assert (name, anew, secrets) == ("one", True, ["authorization.clientSecret", "authorization.password", "tls.ca"])
    assert changed(place) == [] and statuses(place)["one"]["given"] is True
    let_expire(place)
    assert [after for _, after in changed(place)] == ["renewed"]
    place.ok("apply", "--yes")
    ((_, anew, renewed, secrets_again),) = given(place)
    assert anew and renewed[""] != tokens[""] and secrets_again == secrets
    assert changed(place) == [] and grants(django_oauth) == ["password", "refresh_token"]


def test_a_token_that_is_good_goes_along_with_what_is_written(place: Workspace, django_oauth: OAuthServer) -> None:
    """It is not got anew; whether the secrets have to be sent is told by what they are, not by where they come from."""
    place.ok("apply", "--yes")
    ((_, _, tokens, _),) = given(place)
    text = connector("one", django_oauth, password_grant(django_oauth))
    place.write("connectors/one.yaml", text.replace("The one", "Number one"))
    place.ok("apply", "--yes")
    assert given(place) == [["one", False, tokens, ["authorization.clientSecret", "authorization.password", "tls.ca"]]]
    place.env["AGAIN"] = django_oauth.client_secret
    place.write("connectors/one.yaml", text.replace("tls: {ca", "tls: {verify: false, reason: a test, ca"))
    place.ok("apply", "--yes")
    assert given(place)[0][:3] == ["one", True, tokens]
    assert grants(django_oauth) == ["password"]


@pytest.mark.parametrize("when", ["die-before", "die-after"])
def test_a_run_that_dies_loses_no_refresh_token(place: Workspace, django_oauth: OAuthServer, when: str) -> None:
    """What was renewed is kept before the live store is told; the next run tells it, without another renewal."""
    place.ok("apply", "--yes")
    let_expire(place)
    given(place)
    (place.root / when).touch()
    assert place.run("token", "renew").exit_code not in (0, 7)
    (place.root / when).unlink()
    lost = given(place)
    assert statuses(place)["one"]["given"] is False and place.run("token", "status", "--check").exit_code == 10
    assert changed(place) == [("an older one", "written")]
    done = place.ok("token", "renew")
    assert done.stdout == "Gave the live store 1 access token: one.\n"
    ((_, anew, tokens, _),) = given(place)
    assert anew and (not lost or lost[0][2] == tokens)
    assert changed(place) == [] and grants(django_oauth) == ["password", "refresh_token"]
    assert "nothing" not in place.ok("history").stdout and "token renew" in place.ok("history", "--verbose").output


def test_tokens_that_cannot_be_given_are_kept(place: Workspace, django_oauth: OAuthServer) -> None:
    """Of two one: partly. The other is given by the next run, whichever that is."""
    place.write("connectors/two.yaml", connector("two", django_oauth, password_grant(django_oauth)))
    place.ok("apply", "--yes")
    let_expire(place)
    given(place)
    (place.root / "hinder").write_text("one")
    partly = place.run("token", "renew", "-o", "json")
    found = json.loads(partly.stdout)
    fits(found, "tokens.schema.json")
    assert (partly.exit_code, found["given"], found["fetched"]) == (7, ["two"], ["one", "two"])
    assert found["notGiven"] == [{"connector": "one", "reason": "the server answers 500"}]
    assert "connector/one: the live store was not given its access token: the server answers 500" in partly.stderr
    none = place.run("token", "renew")
    assert none.exit_code == 10 and "which are kept" in none.stderr
    (place.root / "hinder").unlink()
    assert [statuses(place)[name]["given"] for name in ("one", "two")] == [False, True]
    place.ok("apply", "--yes")
    assert [found[0] for found in given(place)] == ["two", "one"] and changed(place) == []
    assert "two  " in place.ok("token", "status").stdout and "GIVEN" in place.ok("token", "status").stdout


def test_a_token_that_is_not_to_be_had_leaves_the_live_store_alone(place: Workspace, django_oauth: OAuthServer) -> None:
    """It is told as elsewhere; the next run gets it."""
    place.ok("apply", "--yes")
    let_expire(place)
    given(place)
    refused = Answer("400 Bad Request", b'{"error": "invalid_grant"}')
    django_oauth.front.play(refused, refused)  # the refresh token, and the password
    failed = place.run("token", "renew")
    assert failed.exit_code == 10 and given(place) == []
    assert "400" in failed.stderr and "token renew" not in place.ok("history").stdout
    assert "Fetched 1 access token: one.\nGave the live store 1" in place.ok("token", "renew").stdout
    place.ok("token", "fetch", "one")
    assert len(given(place)) == 2 and grants(django_oauth)[-1] == "password"


def test_secrets_that_others_wrote_are_given_again(place: Workspace, django_oauth: OAuthServer) -> None:
    """The token is; what it was got with is none that the live store had, so that it can still be renewed."""
    place.ok("apply", "--yes")
    ((_, _, tokens, _),) = given(place)
    (place.root / "resealed").write_text("one")
    assert changed(place) == [("not there", "written")]
    (place.root / "resealed").rename(place.root / "unsealed")
    let_expire(place)
    place.ok("token", "renew")
    assert given(place)[0][2] != tokens and grants(django_oauth)[-1] == "refresh_token"


def test_values_that_the_live_store_does_not_keep_are_told_before_anything_is_sent(place: Workspace) -> None:
    """All of them, and none of their values; a try ahead of the apply tells them too."""
    place.env |= {"SECRET": " secret-one", "PASSWORD": " secret-two"}
    refused = place.run("apply", "--yes")
    assert refused.exit_code == 10 and "2 secrets cannot be resolved; nothing was changed" in refused.stderr
    assert "connector/one authorization.clientSecret: the value of {env: SECRET} begins with a blank" in refused.stderr
    assert "connector/one authorization.password: the value of {env: PASSWORD} begins with a blank" in refused.stderr
    tried = place.run("apply", "--yes", "--preflight")
    assert "begins with a blank" in tried.stderr and "secret-" not in refused.output + tried.output
    assert not (place.root / "live.json").exists()


def test_on_demand_the_live_store_is_given_tokens_all_the_same(place: Workspace, django_oauth: OAuthServer) -> None:
    """It calls at any time, and asks nobody."""
    target(place, ", tokens: demand")
    place.ok("apply", "--yes")
    assert given(place)[0][2] and changed(place) == []
    let_expire(place)
    assert [after for _, after in changed(place)] == ["renewed"]


def test_the_sum_of_a_run_is_kept_out_of_sight(place: Workspace, django_oauth: OAuthServer) -> None:
    """No token is in what is printed or kept in the clear."""
    said = place.ok("apply", "--yes", "--verbose").output
    ((_, _, tokens, _),) = given(place)
    for arguments in (["token", "status"], ["history", "-o", "json"], ["token", "fetch", "one", "-o", "json"]):
        said += place.ok(*arguments).output
    ((_, _, renewed, _),) = given(place)
    kept = state(place).read_bytes()
    for value in (tokens[""], renewed[""], django_oauth.password):
        assert value not in said and value.encode() not in kept


def test_a_schedule_renews_what_does_not_last_until_its_next_run(place: Workspace, django_oauth: OAuthServer) -> None:
    """A token of an hour lasts for another half; not for another two."""
    place.ok("apply", "--yes")
    given(place)
    assert place.ok("token", "renew", "--within", "30m").stderr == "no access token is about to expire\n"
    assert given(place) == [] and grants(django_oauth) == ["password"]
    assert "Gave the live store 1" in place.ok("token", "renew", "--within", "2h").stdout
    assert len(given(place)) == 1 and grants(django_oauth) == ["password", "refresh_token"]
    assert place.run("token", "renew", "--within", "soon").exit_code == 64
