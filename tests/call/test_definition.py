"""`call --definition`: the connector as git declares it, applied or not; nothing of it is stored."""

import json

import pytest
from call_world import SECRETS, assert_error, call_json, connector
from conftest import CATEGORY, Workspace
from live_state import sql
from schema_checks import fits

OWNERS = (
    "apiVersion: reconciler/v1\nkind: PermissionPolicy\nmetadata: {name: owners}\n"
    "spec: {subjects: [{user: margaret}], superAdmin: true}\n---\n"
    "apiVersion: reconciler/v1\nkind: PermissionPolicy\nmetadata: {name: callers}\nspec:\n  subjects: [{user: ada}]\n"
    "  grants: [{permissions: [connectors:view, connectors:call], on: {categories: [crm]}}]\n"
)
OTHERS = CATEGORY.replace("name: crm", "name: hr").replace("displayName: Customer data", "displayName: HR")
PROJECT = "apiVersion: reconciler/v1\nkind: Project\n"
ENDPOINTS = """\
    get:
      method: GET
      url: URL/anything/{{account}}
      params: [{name: key, value: {env: KEY}}]
      headers: [{name: X-Api-Key, value: {env: HEADER_KEY}}]
      sample: {account: "42"}
    plain: {method: GET, url: URL/anything/plain}
    absent: {method: GET, url: URL/anything, headers: [{name: X-Key, value: {env: NOT_SET}}]}
    post: {method: POST, url: URL/anything, body: '{"name": "{{name}}", "password": "{{word}}"}', sample: {name: Ada, word: geheim}}
"""


@pytest.fixture
def declared(empty: Workspace, front) -> Workspace:
    """A connector that nobody has applied."""
    empty.write("connectors/all.yaml", CATEGORY + "---\n" + connector(front.url, ENDPOINTS))
    empty.env = {**empty.env, **SECRETS}
    return empty


def test_it_is_called_without_a_store(declared: Workspace) -> None:
    """With secrets of the environment, masked; no store, no key and no state is made."""
    before = sorted(path.name for path in declared.root.rglob("*") if ".git/" not in str(path))
    content = call_json(declared, "bin", "get", "--definition")
    fits(content, "call.schema.json")
    assert content["definition"] is True and content["references"] is None
    body = json.loads(content["response"]["body"])
    assert body["url"].endswith("/anything/42?key=********")
    assert body["headers"]["X-Api-Key"] == "********" and body["headers"]["Authorization"] == "Basic ********"
    assert sorted(path.name for path in declared.root.rglob("*") if ".git/" not in str(path)) == before
    assert_error(declared.run("call", "bin", "get"), 64, "not live yet", "--definition")


def test_what_was_sent_is_what_is_referred_to(declared: Workspace, front) -> None:
    """From the environment, and from an env file that is a pipe."""
    declared.ok("call", "bin", "get", "--definition")
    assert front.requests[-1].header("x-api-key") == SECRETS["HEADER_KEY"]
    declared.env = {key: value for key, value in declared.env.items() if key not in SECRETS}
    file = declared.root.parent / "values.env"
    file.write_text("PASSWORD=p\nKEY=k\nHEADER_KEY=from-the-file\n")
    declared.ok("call", "bin", "get", "--definition", "--env-file", str(file))
    assert front.requests[-1].header("x-api-key") == "from-the-file"


def test_only_what_the_endpoint_takes_is_looked_up(declared: Workspace) -> None:
    """The secret that another endpoint takes may be missing."""
    declared.ok("call", "bin", "plain", "--definition")
    result = declared.run("call", "bin", "absent", "--definition")
    assert_error(
        result,
        10,
        "a secret cannot be resolved; nothing was sent",
        "NOT_SET is not set",
        "set NOT_SET, or name a file with --env-file",
    )


def test_a_dry_run_looks_nothing_up(declared: Workspace) -> None:
    """It shows the whole request, and the references."""
    declared.env = {key: value for key, value in declared.env.items() if key not in SECRETS}
    shown = declared.ok("call", "bin", "get", "--definition", "--dry-run").stdout
    assert shown.splitlines()[1:] == [
        "Accept: application/json",
        "X-Api-Key: ********",
        "Authorization: ********",
        "",
        "secrets, which were not looked up:",
        "  authorization.password: {env: PASSWORD}",
        "  endpoints.get.headers.X-Api-Key.value: {env: HEADER_KEY}",
        "  endpoints.get.params.key.value: {env: KEY}",
    ]
    content = call_json(declared, "bin", "post", "--definition", "--dry-run")
    fits(content, "call.schema.json")
    assert content["references"] == {"authorization.password": "{env: PASSWORD}"}
    assert content["request"]["body"] == '{"name": "Ada", "password": "********"}'


def test_a_helper_is_started_by_a_call_and_not_by_a_dry_run(declared: Workspace) -> None:
    marker = declared.root.parent / "started"
    program = declared.root.parent / "helper"
    program.write_text(f"#!/bin/sh\ntouch {marker}\necho from-helper\n")
    program.chmod(0o755)
    declared.write(
        "reconciler.yaml", f"{PROJECT}secrets: {{helpers: {{mine: {{command: [{program}, '{{name}}']}}}}}}\n"
    )
    declared.edit("connectors/all.yaml", "{env: HEADER_KEY}", "{exec: mine:x}")
    declared.ok("call", "bin", "get", "--definition", "--dry-run")
    assert not marker.exists()
    declared.ok("call", "bin", "get", "--definition", "--yes")
    assert marker.exists()


def test_the_bounds_of_the_target_hold(declared: Workspace) -> None:
    result = declared.run("call", "bin", "get", "--definition", "--secrets-allowed", "env:OTHER_*")
    assert_error(result, 4, "lead where none may lead; nothing was sent")
    declared.write(
        "reconciler.yaml",
        PROJECT + "targets: {live: {store: 'sqlite:.reconciler/store.db', secretsAllowed: ['env:K*']}}\n",
    )
    assert declared.run("call", "bin", "get", "--definition").exit_code == 4


def test_definitions_that_are_not_valid_are_not_called(declared: Workspace, front) -> None:
    declared.edit("connectors/all.yaml", "method: GET", "method: FETCH")
    result = declared.run("call", "bin", "plain", "--definition")
    assert_error(result, 3, "the definitions are not valid; nothing was sent", "connectors/all.yaml:")
    assert front.requests == ()


def test_a_revision_is_called(declared: Workspace, front) -> None:
    declared.commit("first")
    declared.edit("connectors/all.yaml", "/anything/plain", "/anything/edited")
    declared.ok("call", "bin", "plain", "--definition", "--ref", "HEAD")
    declared.ok("call", "bin", "plain", "--definition")
    assert [request.path for request in front.requests] == ["/anything/plain", "/anything/edited"]
    assert_error(declared.run("call", "bin", "plain", "--ref", "HEAD"), 64, "--ref goes with --definition")
    assert_error(
        declared.run("call", "bim", "plain", "--definition"),
        64,
        "the definitions have no connector 'bim'",
        "did you mean 'bin'?",
    )
    assert_error(
        declared.run("call", "bin", "plane", "--definition"), 64, "has no endpoint 'plane'", "did you mean 'plain'?"
    )


def test_the_live_record_is_left_alone(declared: Workspace, front) -> None:
    """What is declared is sent, and no record, token or run comes of it."""
    declared.edit("connectors/all.yaml", "{env: NOT_SET}", "{env: KEY}")
    declared.ok("apply", "--yes", "-q")
    before = sql(declared.store, "SELECT * FROM records") + sql(declared.store, "SELECT count(*) FROM runs")
    declared.edit("connectors/all.yaml", "/anything/plain", "/anything/edited")
    declared.ok("call", "bin", "plain", "--definition")
    declared.ok("call", "bin", "plain")
    assert [request.path for request in front.requests] == ["/anything/edited", "/anything/plain"]
    assert sql(declared.store, "SELECT * FROM records") + sql(declared.store, "SELECT count(*) FROM runs") == before


def test_tokens_are_fetched_and_not_stored(empty: Workspace, oauth_server) -> None:
    """Once for all endpoints, again when it is refused; none is written anywhere."""
    server = oauth_server
    authorization = (
        f"{{method: oauth2-password, tokenUrl: '{server.token_url}', clientId: {server.client_id}, clientSecret: {{env: SECRET}},"
        f" username: {server.user}, password: {{env: WORD}}, scopes: [{server.scope}]}}"
    )
    tls = f"  tls: {{ca: {{file: {server.ca}}}}}\n"
    gets = "".join(f"    get{number}: {{method: GET, url: '{server.resource_url}'}}\n" for number in range(3))
    empty.env = {"SECRET": server.client_secret, "WORD": server.password}
    empty.write("connectors/all.yaml", CATEGORY + "---\n" + connector("", gets, authorization=authorization, extra=tls))
    fetched = len(server.token_requests)
    assert call_json(empty, "bin", "get0", "--definition")["response"]["status"] == 200
    assert len(server.token_requests) == fetched + 1
    assert empty.ok("call", "--all", "--definition").stdout.splitlines()[-1] == "3 ok"
    assert len(server.token_requests) == fetched + 2
    assert not (empty.root / ".reconciler").exists()


def test_all_that_are_declared(declared: Workspace) -> None:
    """A connector whose secret is missing fails alone, and says why."""
    other = connector("URL", "    get: {method: GET, url: URL/x}\n", name="other", authorization="{method: none}")
    declared.write("connectors/other.yaml", other.replace("URL/x", "http://127.0.0.1:9/x"))
    result = declared.run("call", "--all", "--definition", "-l", "team=bin")
    assert result.exit_code == 10
    assert result.stdout.count("a secret cannot be resolved") == 3
    declared.edit("connectors/all.yaml", "{env: NOT_SET}", "{env: KEY}")
    shown = declared.ok("call", "--all", "--definition", "-l", "team=bin").stdout
    assert shown.splitlines()[-1] == "3 ok" and "other" not in shown


@pytest.fixture
def ruled(declared: Workspace) -> Workspace:
    """The connector is live, ada may call those of its category, and there is a super admin."""
    declared.edit("connectors/all.yaml", "{env: NOT_SET}", "{env: KEY}")
    declared.write("connectors/hr.yaml", OTHERS)
    declared.write("policies/all.yaml", OWNERS)
    declared.ok("apply", "--yes", "-q")
    return declared


def refused(workspace: Workspace, actor: str, *more: str, name: str = "bin") -> bool:
    result = workspace.run("call", name, "plain", "--definition", *(("--as", actor) if actor else ()), *more)
    assert result.exit_code in (0, 4), result.output
    return result.exit_code == 4


def test_it_takes_the_permission_to_call_the_live_one(ruled: Workspace, front) -> None:
    assert not refused(ruled, "ada") and not refused(ruled, "margaret")
    assert refused(ruled, "eve") and refused(ruled, "")
    ruled.ok("call", "bin", "plain", "--definition", "--dry-run")
    assert len(front.requests) == 2


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("policies/all.yaml", "user: ada", "user: eve"),
        ("policies/all.yaml", "user: margaret", "user: eve"),
        ("connectors/all.yaml", "categories: [crm]", "categories: [hr]"),
        ("connectors/all.yaml", "name: bin,", "name: newer, previously: [bin],"),
    ],
)
def test_no_edit_of_the_working_tree_gives_a_permission(ruled: Workspace, file: str, old: str, new: str) -> None:
    """eve may call what is in hr, and nothing of crm; the policies of the working tree count for nothing."""
    grant = OWNERS.replace("user: ada", "user: eve").replace("[crm]", "[hr]").replace("callers", "hr-callers")
    ruled.write("policies/hr.yaml", grant.partition("---\n")[2])
    ruled.ok("apply", "--yes", "-q", "--as", "margaret")
    ruled.edit(file, old, new)
    assert refused(ruled, "eve", name="newer" if "newer" in new else "bin")


def test_a_new_connector_is_judged_by_all_its_categories(ruled: Workspace) -> None:
    text = (ruled.root / "connectors/all.yaml").read_text().partition("---\n")[2].replace("name: bin,", "name: new,")
    ruled.write("connectors/new.yaml", text.replace("The bin", "New"))
    assert not refused(ruled, "ada", name="new") and refused(ruled, "eve", name="new")
    ruled.edit("connectors/new.yaml", "[crm]", "[hr]")
    assert refused(ruled, "ada", name="new") and not refused(ruled, "margaret", name="new")
    ruled.edit("connectors/new.yaml", "[hr]", "[crm, hr]")
    assert refused(ruled, "ada", name="new")
    result = ruled.run("call", "--all", "--definition", "--as", "ada")
    assert_error(result, 4, "'ada' may not call these connectors", "call connector/new takes connectors:call")
