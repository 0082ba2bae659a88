"""A target that is a ProcessMaker instance: who may connect to it, with what, and what is found out there."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import CATEGORY, CONNECTOR, Workspace
from pm_stores import opened, visited
from schema_checks import fits
from servers.authority import Authority
from servers.processmaker import Instance, instance
from simulator.profiles import GROUP_TYPE, USER_TYPE

from reconciler.core.ports.state import KeepsFacts
from reconciler.core.store_urls import holds_password, strangers
from reconciler.errors import StoreUnavailable
from reconciler.settings import Overrides
from reconciler.stores.processmaker.facts import Facts, decode
from reconciler.stores.processmaker.probe import probe
from reconciler.wiring.run import load_settings, open_state

CANARY = "canary-44d1-of-the-instance"
FAR = "processmaker+https://pm.example.com"


def target(workspace: Workspace, store: str, **more: Any) -> None:
    """A project whose store is at a URL."""
    targets = {"prod": {"store": store, **more}}
    content = {"apiVersion": "reconciler/v1", "kind": "Project", "owner": "acme/crm", "targets": targets}
    workspace.write("reconciler.yaml", json.dumps(content, indent=2))


@pytest.fixture
def server() -> Iterator[Instance]:
    """An instance with a connector that has credentials."""
    with instance() as started:
        started.store.add_category("CRM systems")
        started.store.add_connector("CRM", [1], authtype="BASIC", credentials={"username": "u"})
        yield started


@pytest.fixture
def managed(workspace: Workspace, server: Instance) -> Workspace:
    """A repository whose target is that instance, with the token of its super admin."""
    target(workspace, server.url, token={"env": "PM_TOKEN"})
    workspace.env["PM_TOKEN"] = server.token()
    return workspace


def test_a_server_that_the_project_file_alone_names(workspace: Workspace) -> None:
    """A command that only reads does not connect to it, unless whoever runs it names its host."""
    target(workspace, FAR, token={"env": "PM_TOKEN"})
    for command in ("plan", "drift", "get", "store check"):
        found = workspace.run(*command.split(), env={"PM_TOKEN": CANARY, "PGHOST": "pm.example.com"})
        assert found.exit_code == 4, found.output
        assert "export RECONCILER_STORE_HOSTS='pm.example.com'" in found.stderr
    assert strangers(FAR, {"RECONCILER_STORE_HOSTS": "pm.example.com"}) == []
    assert (
        strangers("processmaker+http://127.0.0.1:8080", {}) == strangers("processmaker+https://localhost/pm", {}) == []
    )


@pytest.mark.parametrize(
    ("url", "holds"),
    [
        ("processmaker+https://u:p@pm.example.com", True),
        ("processmaker+https://token@pm.example.com", True),
        ("processmaker+https://pm.example.com?token=x", True),
        (FAR, False),
        ("processmaker+https://pm.example.com:8443/sub", False),
    ],
)
def test_which_urls_hold_a_secret(url: str, holds: bool) -> None:
    """A name alone too, as some put tokens there."""
    assert holds_password(url) is holds


def test_a_secret_in_the_url(workspace: Workspace) -> None:
    """Is refused at its line, and shown nowhere."""
    target(workspace, f"processmaker+https://{CANARY}@pm.example.com", token={"env": "PM_TOKEN"})
    found = workspace.run("validate", "-o", "json")
    (said,) = json.loads(found.stdout)["diagnostics"]
    assert (found.exit_code, said["code"]) == (3, "RC412") and "token: {env: NAME}" in said["hint"]
    everything = found.output + workspace.run("plan").output
    assert CANARY not in everything + workspace.run("plan", "--store", f"processmaker+https://{CANARY}@x").output


@pytest.mark.parametrize(
    ("more", "key"),
    [
        ({"token": {"env": "T"}, "login": {"clientId": "3", "clientSecret": {"env": "S"}, "username": "u", "password": {"env": "P"}}}, "login"),
        ({"store": "sqlite:x.db", "token": {"env": "T"}}, "token"),
        ({"store": "sqlite:x.db", "processmaker": {"inFlight": 2}}, "processmaker"),
        ({"token": CANARY}, "token"),
        ({"login": {"clientId": "3", "clientSecret": CANARY, "username": "u", "password": {"env": "P"}}}, "clientSecret"),
        ({"processmaker": {"inFlight": 33}}, "inFlight"),
        ({"processmaker": {"expiry": "never"}}, "expiry"),
        ({"processmaker": {"inflight": 3}}, "inflight"),
    ],
)  # fmt: skip
def test_settings_that_make_no_sense(workspace: Workspace, more: dict[str, Any], key: str) -> None:
    """Are told at their place: none is read and left aside."""
    target(workspace, **{"store": FAR, **more})
    found = workspace.run("validate", "-o", "json")
    (said,) = json.loads(found.stdout)["diagnostics"]
    line = workspace.root.joinpath("reconciler.yaml").read_text().splitlines()[said["range"]["start"]["line"] - 1]
    assert found.exit_code == 3 and f'"{key}"' in line, found.output
    assert CANARY not in found.output


def test_a_definition_cannot_name_what_proves_who_asks(workspace: Workspace) -> None:
    """By the same reference: it would be sent anywhere."""
    login = {"clientId": "3", "clientSecret": {"env": "S"}, "username": {"env": "U"}, "password": {"file": "pw"}}
    workspace.write("pw", CANARY)
    for proof, reference, what in (
        ({"token": {"env": "T"}}, "{env: T}", "the token of the store"),
        ({"login": login}, "{env: S}", "the client secret of the store's login"),
        ({"login": login}, "{file: ./pw}", "the store of target prod, or its key"),
    ):
        target(workspace, FAR, **proof)
        workspace.write("connectors/crm.yaml", CATEGORY + "---\n" + CONNECTOR.replace("{env: CRM_PASSWORD}", reference))
        found = workspace.run("validate")
        assert found.exit_code == 3 and f"it leads to {what}" in found.stdout, (reference, found.output)


def test_an_instance_in_the_clear_wants_a_reason(workspace: Workspace) -> None:
    """Which the target gives; one on this machine wants none."""
    for more, told in (({}, True), ({"processmaker": {"allowPlainHttp": "in the lab"}}, False)):
        target(workspace, "processmaker+http://pm.invalid", token={"env": "PM_TOKEN"}, **more)
        found = workspace.run("store", "check", env={"RECONCILER_STORE_HOSTS": "pm.invalid", "PM_TOKEN": CANARY})
        assert found.exit_code == (64 if told else 10), found.output
        assert ("in the clear" in found.output) is told and CANARY not in found.output


def test_a_command_that_reads_takes_the_token_from_a_variable(managed: Workspace, server: Instance) -> None:
    """And opens no file for it, unless whoever runs it allows that; a command that writes does."""
    managed.write("token", server.token())
    target(managed, server.url, token={"file": "token"})
    found = managed.run("store", "check")
    assert found.exit_code == 4 and "token of target prod is behind {file: token}" in found.stderr, found.output
    assert "allow it: --secrets-allowed 'file:token'" in found.stderr and "PGPASSWORD" not in found.stderr
    assert not server.requests
    managed.ok("store", "check", "--secrets-allowed", "file:token")


def test_another_store_is_not_told_the_token(managed: Workspace, server: Instance) -> None:
    """It is meant for the instance that the target names."""
    with instance(contract=False) as other:
        found = managed.run("store", "check", "--store", other.url)
        assert found.exit_code == 64 and "nothing says with which token" in found.stderr, found.output
        assert not other.requests
    missing = managed.run("store", "check", env={"PM_TOKEN": ""})
    assert missing.exit_code == 10 and "PM_TOKEN" in missing.stderr


def test_a_login_and_a_private_authority(workspace: Workspace, authority: Authority) -> None:
    """As the target has them, by references and texts, over TLS."""
    with instance(authority=authority) as server:
        given = server.login()
        login = {
            "clientId": given["clientId"],
            "clientSecret": {"env": "S"},
            "username": "admin",
            "password": {"env": "P"},
        }
        workspace.write("ca.pem", authority.ca.read_bytes())
        target(workspace, server.url, login=login, processmaker={"ca": "ca.pem"})
        proof = {"S": given["clientSecret"], "P": given["password"]}
        found = workspace.ok("store", "check", env=proof)
        assert "user         admin (id 1), a super admin" in found.stdout
        wrong = workspace.run("store", "check", env={**proof, "P": CANARY})
        assert wrong.exit_code == 10 and "grants no token: it answered 400 invalid_grant" in wrong.output
        assert CANARY not in wrong.output


def test_store_check_tells_what_the_instance_can(managed: Workspace) -> None:
    """For people and for programs, and the state keeps it."""
    text = managed.ok("store", "check").stdout
    assert "ok      the live store answers" in text and "instance     http://127.0.0.1:" in text
    for words in ("it sends ETags", "categories: 1, connectors: 1", "shown as ciphertext", "all users and members"):
        assert words in text
    found = json.loads(managed.ok("store", "check", "-o", "json").stdout)
    fits(found, "history.schema.json")
    assert {one["what"] for one in found["live"]} >= {"version", "user", "token", "secrets", "permissions"}
    state = open_state(load_settings(managed.root, Overrides(judged=True)), managed.env)
    assert isinstance(state, KeepsFacts)
    kept = decode(state.facts())
    assert (kept.profile, kept.username) == ("4.14", "admin")


def test_store_check_tells_what_the_user_lacks(managed: Workspace, server: Instance) -> None:
    """By name, and what to do."""
    text = managed.ok("store", "check", env={"PM_TOKEN": server.token("ada")}).stdout
    assert "lacking      it may not view users, which takes view-users" in text
    assert "no group of its gives it create-data-sources or edit-data-sources or delete-data-sources" in text
    assert "edit-users" in text and "hint: put it into a group that does" in text


def test_an_instance_that_does_not_answer(managed: Workspace, server: Instance) -> None:
    """Is a fault of the store, beside all others, and no secret is in what is said."""
    for fault, words in (
        ({"action": "login_page", "status": 302}, "a redirect to a login page"),
        ({"action": "login_page", "status": 200}, "a page of HTML"),
        ({"action": "expire_token"}, "does not take the token"),
    ):
        server.faults.replace([fault])
        found = managed.run("store", "check")
        assert found.exit_code == 10 and "BROKEN  not so: the live store answers" in found.stdout, found.output
        assert words in found.stdout and "ok      the database is whole" in found.stdout
        assert server.token() not in found.output
    fits(json.loads(managed.run("store", "check", "-o", "json").stdout), "history.schema.json")


def test_whoever_waits_is_told(managed: Workspace, server: Instance) -> None:
    """Why nothing happens, beside the answer."""
    server.faults.replace([{"action": "too_many", "nth": 1, "retry_after": 1}])
    found = managed.ok("store", "check")
    assert "answered 429 (too many requests); waiting 1 s" in found.stderr


def test_a_token_that_ends_soon(managed: Workspace, server: Instance) -> None:
    """Is told by each plan, for a token that somebody has to make; one that is granted is renewed by itself."""
    for days, told in ((3, True), (30, False)):
        token = server.store.new_token(server.store.users.rows[1], days * 86_400 + 60)
        found = managed.ok("plan", env={"PM_TOKEN": token})
        assert ("the token of the target ends on 20" in found.output) is told
        assert (f"in {days} days: make a new one" in found.output) is told
        checked = managed.ok("store", "check", env={"PM_TOKEN": token}).stdout
        assert ("hint: make a new one before that" in checked) is told


def test_nothing_of_the_token_is_kept(managed: Workspace, server: Instance) -> None:
    """In no file of the repository, of the state or of the cache."""
    managed.ok("plan")
    managed.ok("store", "check")
    managed.run("apply", "-y")
    token = server.token().encode()
    files = [path for path in managed.root.rglob("*") if path.is_file()]
    assert files and not any(token in path.read_bytes() or token[-40:] in path.read_bytes() for path in files)


USERS = {"admin": (True, True, True), "ada": (False, True, False), "grace": (False, False, False)}


@pytest.mark.parametrize("profile", ["4.14", "2020"])
def test_what_is_found_out(profile: str) -> None:
    """Of both sorts of instances, with three users; by reading alone, and no more than twelve requests."""
    with visited(profile) as server:
        server.store.add_category("CRM systems")
        server.store.add_connector("CRM", [1], authtype="BASIC", credentials={"username": "u"})
        group = server.store.add_group("Integrators")["id"]
        ada = server.store.users.where(username="ada")[0]["id"]
        member = {"group_id": group, "member_type": USER_TYPE, "member_id": ada}
        server.store.members.put({"id": 1, "created_at": "", "updated_at": "", **member})
        server.store.grant(GROUP_TYPE, group, ["edit-data-sources"])
        for user, (is_admin, sees_members, sees_users) in USERS.items():
            client = opened(server, user=user)._setting.client
            found = probe(client)
            assert client.requests <= 12 and decode(found.encode()) == found
            assert (found.is_administrator, found.sees_members, found.sees_users) == (
                is_admin,
                sees_members,
                sees_users,
            )
            assert found.username == user and found.expires.startswith("20")
            is_new = profile == "4.14"
            assert (found.profile, found.has_catalogue, found.has_etags) == (profile, is_new, is_new)
            assert found.shows_ciphertext is (None if user == "grace" else True)
            assert found.permissions["categories:edit"] == "edit-data-source-categories" and not found.missing
            if user != "grace":
                assert (found.has_group_routes, found.counts["connectors"]) == (is_new, 1)
            assert ("edit-data-sources" in found.rights) is (user == "ada")
            assert any("edit-data-sources" in lack for lack in found.lacks) is (user == "grace")
        assert not server.writes


def test_facts_of_another_version_are_none() -> None:
    """Rather than a bug."""
    for text in ("", "7", "{", '{"profile": 3}', "[" * 5000):
        assert decode(text) == Facts()


@pytest.mark.parametrize("profile", ["4.14", "2020"])
def test_an_instance_is_recognised(profile: str) -> None:
    """By each of its users, whatever each may see, and after records came and went."""
    with visited(profile) as server:
        server.store.add_group("Integrators")
        seen = {user: opened(server, user=user).identity() for user in USERS}
        server.store.groups.rows.clear()
        server.store.add_group("Others")
        for user in USERS:
            assert opened(server, user=user).is_same(seen[user])
        assert opened(server).is_same(seen["ada"]) and opened(server, user="ada").is_same(seen["admin"])
        with pytest.raises(StoreUnavailable, match="cannot be recognised"):
            opened(server, user="grace").is_same(seen["ada"].replace('"3":', '"99":').replace('"2":', '"98":'))


@pytest.mark.parametrize("profile", ["4.14", "2020"])
def test_another_instance_is_told_from_it(profile: str) -> None:
    """A copy at another URL, and another one that came to be behind the same URL."""
    with visited(profile) as server:
        noted = opened(server).identity()
        with visited(profile) as copy:
            copy.store.load(json.loads(json.dumps(server.store.dump())))
            assert opened(copy).is_same(noted) is False
        for row in server.store.users.rows.values():
            row.update(uuid=server.store.new_uuid(), created_at="2019-01-01 00:00:00")
        for user in USERS:
            assert opened(server, user=user).is_same(noted) is False


def test_an_instance_that_was_brought_up_to_date_is_the_same(tmp_path: Path) -> None:
    """Its users have got uuids, and kept the times at which they were made."""
    with visited("2020", state=str(tmp_path / "state.json")) as old:
        noted, port = opened(old).identity(), old.port
        dump = old.store.dump()
    with visited("4.14", port=port) as new:
        new.store.load(json.loads(json.dumps(dump)))
        assert opened(new).is_same(noted)


def test_a_plan_of_another_instance_is_refused(managed: Workspace, server: Instance) -> None:
    """Once the state is of one."""
    managed.ok("apply", "-y")
    for row in server.store.users.rows.values():
        row["uuid"] = server.store.new_uuid()
    found = managed.run("plan")
    assert found.exit_code == 10 and "of another live store" in found.stderr, found.output
