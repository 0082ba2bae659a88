"""Who may apply, fetch tokens and call: judged by the policies that are live before the change."""

import json
import sqlite3
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import jsonschema
import pytest
from schema_checks import fits
from conftest import KEY, Result, Workspace, copy_of
from live_state import sql

from reconciler.errors import NotPermitted, RecordConflict
from reconciler.kinds import registry
from reconciler.services.apply import ApplyOptions, TokenOptions, apply_plan
from reconciler.services.plan import PlanOptions, make_plan
from reconciler.services.access_objections import AccessLimits
from reconciler.settings import Overrides
from reconciler.wiring.run import load_settings, now, open_secrets, open_source, open_store, open_tokens

from policies import CATEGORIES, CRM, INVOICES, OWNERS, TEAM, connector, fill

UNNAMED = "error: this store has a super admin, so who makes a change has to be known\n"
BAD_NAME = "error: the actor's name holds what no name holds\n"


@pytest.fixture
def ruled(empty: Workspace) -> Workspace:
    """A store with a super admin."""
    return copy_of(empty, "ruled", applied)


def applied(workspace: Workspace) -> None:
    fill(workspace)
    workspace.ok("apply", "--yes")


def live(workspace: Workspace) -> list[tuple[object, ...]]:
    """Everything that an apply may change."""
    found = sql(
        workspace.store,
        "SELECT r.kind, r.name, r.version, d.live FROM records r JOIN documents d USING (uid) ORDER BY 1, 2",
    )
    return found + sql(workspace.store, "SELECT count(*) FROM runs")


def refused(workspace: Workspace, *arguments: str, env: dict[str, str] | None = None) -> list[str]:
    """What an apply that is not permitted says; it changes nothing."""
    before = live(workspace)
    result = workspace.run("apply", "--yes", *arguments, env=env)
    assert result.exit_code == 4, result.output
    assert live(workspace) == before
    return result.stderr.splitlines()


# who acts


def test_the_first_apply_bootstraps_and_says_so(empty: Workspace) -> None:
    """Nobody can hold a permission before there is a policy. Who it is that becomes a super admin stands in the plan."""
    fill(empty)
    said = "note: the store has no super admin yet, so nobody's permission is looked at; this gives it margaret"
    assert said in empty.ok("plan").stdout
    assert said in empty.ok("apply", "--yes").stdout
    content = json.loads(empty.ok("plan", "-o", "json").stdout)
    assert "notices" not in content


def test_a_bootstrap_says_when_the_actor_will_be_none(empty: Workspace) -> None:
    fill(empty)
    assert "note: you, 'ada', will not be a super admin" in empty.ok("plan", "--as", "ada").stdout
    assert "you, 'margaret'" not in empty.ok("plan", "--as", "margaret").stdout


@pytest.mark.parametrize("env", [{}, {"USER": "margaret", "LOGNAME": "margaret"}, {"RECONCILER_AS": ""}])
def test_the_account_is_no_actor(ruled: Workspace, env: dict[str, str]) -> None:
    """Anybody can have an account of any name."""
    ruled.edit(CRM, "GET", "PUT")
    lines = refused(ruled, env=env)
    assert lines[0] + "\n" == UNNAMED
    assert "--as ACTOR" in lines[1] and "RECONCILER_AS" in lines[1]


@pytest.mark.parametrize("name", ["RECONCILER_AS", "GITHUB_ACTOR", "GITLAB_USER_LOGIN"])
def test_the_environment_names_the_actor(ruled: Workspace, name: str) -> None:
    ruled.edit(CRM, "GET", "PUT")
    refused(ruled, env={name: "katherine"})
    ruled.ok("apply", "--yes", env={name: "margaret"})


def test_what_is_said_wins_over_the_pipeline(ruled: Workspace) -> None:
    ruled.edit(CRM, "GET", "PUT")
    assert "'katherine' may not" in refused(ruled, "--as", "katherine", env={"GITHUB_ACTOR": "margaret"})[0]
    assert "'katherine' may not" in refused(ruled, env={"GITHUB_ACTOR": "margaret", "RECONCILER_AS": "katherine"})[0]


def test_nothing_to_do_takes_no_permission(ruled: Workspace) -> None:
    """So the same command can be given twice."""
    assert ruled.ok("apply", "--yes").stdout.startswith("Nothing to do")


def test_looking_stays_free(ruled: Workspace) -> None:
    ruled.edit(CRM, "GET", "PUT")
    ruled.ok("plan")
    ruled.ok("get", "connectors")
    ruled.ok("validate")
    ruled.ok("call", "crm-contacts", "list", "--dry-run")
    ruled.ok("token", "status")


def test_a_name_that_is_empty_names_nobody(ruled: Workspace) -> None:
    """A variable of a script that is not set must not let the pipeline's actor in its place."""
    ruled.edit(CRM, "GET", "PUT")
    result = ruled.run("apply", "--yes", "--as", "", env={"GITHUB_ACTOR": "margaret"})
    assert result.exit_code == 64 and result.stderr.startswith("error: --as names nobody\n")


@pytest.mark.parametrize(
    "name", ["mar\ngaret", "margaret\x1b[2J", "margaret\u202e", "margaret\u200b", "m" * 256, "margaret\udcff"]
)
def test_a_name_with_what_no_name_holds(ruled: Workspace, name: str) -> None:
    """It is not shown, kept or compared."""
    ruled.edit(CRM, "GET", "PUT")
    for variable in ("RECONCILER_AS", "GITHUB_ACTOR"):
        result = ruled.run("apply", "--yes", env={variable: name})
        assert result.exit_code == 64 and result.stderr.startswith(BAD_NAME)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("Margaret", "it looks like 'margaret', which is another name"),
        ("MARGARET", "it looks like 'margaret', which is another name"),
        ("m\u0430rgaret", "and holds U+0430; it looks like 'margaret', which is another name"),
        ("ma\u0301rgaret", "and holds U+0301; it looks like 'margaret', which is another name"),
        ("\uff4dargaret", "and holds U+FF4D; it looks like 'margaret', which is another name"),
        ("margaret ", "it looks like 'margaret', which is another name"),
        ("group:owners", "no policy or group names this actor"),
        ("owners", "no policy or group names this actor"),
        ("finance-team", "no policy or group names this actor"),
        ("*", "no policy or group names this actor"),
    ],
)
def test_a_name_that_looks_like_a_super_admins(ruled: Workspace, name: str, says: str) -> None:
    """Names are compared exactly: neither case, nor look-alikes, nor names of groups count."""
    ruled.edit(CRM, "GET", "PUT")
    for arguments, env in ((("--as", name), {}), ((), {"RECONCILER_AS": name}), ((), {"GITHUB_ACTOR": name})):
        lines = refused(ruled, *arguments, env=env)
        assert "no policy grants it; who may: group owners" in lines[1]
        assert says in lines[2]


# what is judged


CHANGES = {
    "create": ("connectors/new.yaml", connector("new", "crm"), "create connector/new takes connectors:create: it is granted on something else only"),
    "update": (CRM, connector("crm-contacts", "crm").replace("GET", "PUT"), "update connector/crm-contacts takes connectors:edit: it is granted on something else only"),
    "delete": (CRM, None, "delete connector/crm-contacts takes connectors:delete: it is granted on something else only"),
    "rename": (
        CRM,
        connector("contacts", "crm").replace("name: contacts}", "name: contacts, previously: [crm-contacts]}"),
        "rename connector/contacts from connector/crm-contacts takes connectors:edit of it as it is: it is granted on something else only",
    ),
    "take in": (CRM, connector("crm-contacts", "finance"), "update connector/crm-contacts takes connectors:edit of it as it is: it is granted on something else only"),
    "take out": (INVOICES, connector("invoices", "crm"), "update connector/invoices takes connectors:edit of what it becomes: it is granted on something else only"),
    "category": ("connectors/categories.yaml", CATEGORIES.replace("Finance", "Money"), "update category/finance takes categories:edit: no policy grants it"),
    "group": ("policies/team.yaml", TEAM.replace("[katherine]", "[katherine, ada]"), "update group/finance-team takes groups:edit: no policy grants it"),
    "own grant": ("policies/team.yaml", TEAM.replace("      on: {categories: [finance]}\n", ""), "update policy/finance-team takes policies:edit: no policy grants it"),
    "own super admin": ("policies/own.yaml", OWNERS.partition("---\n")[2].replace("owners}", "own}").replace("group: own}", "user: katherine}"), "create policy/own takes super admin: only super admins change who is one"),
    "super admin emptied": ("policies/owners.yaml", OWNERS.replace("[margaret]", "[]"), "update group/owners takes super admin: only super admins change who is one"),
    "super admin joined": ("policies/owners.yaml", OWNERS.replace("[margaret]", "[margaret, katherine]"), "update group/owners takes super admin: only super admins change who is one"),
    "policies gone": ("policies/owners.yaml", None, "delete policy/owners takes super admin: only super admins change who is one"),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_takes_its_permission(ruled: Workspace, name: str) -> None:
    """Of what was and of what becomes of it. A super admin may do all of it."""
    path, text, line = CHANGES[name]
    (ruled.root / path).unlink(missing_ok=True)
    if text is not None:
        ruled.write(path, text)
    lines = refused(ruled, "--as", "katherine")
    assert f"  {line}; who may: group owners" in lines
    plan = ruled.run("plan", "-o", "json", "--as", "katherine")
    assert plan.exit_code == 4
    content = json.loads(plan.stdout)
    fits(content, "plan.schema.json")
    assert content["problems"][0]["exitCode"] == 4
    assert f"{line}; who may: group owners" in content["problems"][0]["details"]
    stopped = json.loads(ruled.run("plan", "-o", "json", "--as", "margaret").stdout)
    plan_id = stopped["fingerprint"][:12]
    meant = [f"--override={plan_id}:{problem['guard']}={problem['count']}" for problem in stopped["problems"]]
    ruled.ok("apply", "--yes", "--as", "margaret", *meant)


def test_what_is_granted_can_be_done(ruled: Workspace) -> None:
    """And every other change of the same plan is named, none of it done."""
    ruled.edit(INVOICES, "GET", "PUT")
    ruled.write("connectors/new.yaml", connector("new", "finance"))
    ruled.ok("apply", "--yes", "--as", "katherine")
    ruled.edit(INVOICES, "PUT", "GET")
    ruled.edit(CRM, "GET", "PUT")
    ruled.write("connectors/new.yaml", connector("new", "crm"))
    lines = refused(ruled, "--as", "katherine")
    assert lines[0] == "error: 'katherine' may not make 2 of 3 changes"
    assert len([line for line in lines if " takes connectors:edit" in line]) == 2
    (ruled.root / "connectors/new.yaml").unlink()
    ruled.edit(CRM, "PUT", "GET")
    ruled.ok("apply", "--yes", "--as", "katherine")


def test_a_plan_is_not_judged_by_its_own_policies(ruled: Workspace) -> None:
    """Also when it brings policy, group and the change that they would allow at once."""
    ruled.write(
        "policies/own.yaml",
        TEAM.replace("finance-team", "own")
        .replace("Finance team", "Own")
        .replace("      on: {categories: [finance]}\n", "")
        .replace("[katherine]", "[eve]"),
    )
    ruled.edit(CRM, "GET", "PUT")
    lines = refused(ruled, "--as", "eve")
    assert lines[0] == "error: 'eve' may not make 3 of 3 changes"


def test_adopting_takes_edit(ruled: Workspace) -> None:
    sql(ruled.store, "UPDATE records SET owner = 'acme/other' WHERE name = 'crm-contacts'")
    lines = refused(ruled, "--adopt", "--as", "katherine")
    assert (
        "  adopt connector/crm-contacts takes connectors:edit: it is granted on something else only; who may: group owners"
        in lines
    )


def test_grants_that_have_ended_give_nothing(empty: Workspace) -> None:
    fill(empty)
    empty.write("policies/team.yaml", TEAM + '      expires: "2020-01-01T00:00:00Z"\n')
    empty.ok("apply", "--yes")
    empty.edit(INVOICES, "GET", "PUT")
    assert "no policy grants it" in refused(empty, "-q", "--as", "katherine")[1]


def test_an_empty_group_of_super_admins_does_not_open_the_store(ruled: Workspace) -> None:
    """Emptied outside of a run: it is closed, but for the way that the store's owner has."""
    sql(
        ruled.store,
        "UPDATE documents SET live = json_set(live, '$.spec.members.users', json('[]')) WHERE uid = (SELECT uid FROM records WHERE kind = 'Group' AND name = 'owners')",
    )
    ruled.edit(CRM, "GET", "PUT")
    assert "nobody may" in refused(ruled, "--as", "margaret")[1]
    assert refused(ruled)[0] + "\n" == UNNAMED


@pytest.mark.parametrize(
    "body",
    [
        '"x"',
        "[]",
        "{}",
        '{"spec": 1}',
        '{"spec": {"superAdmin": "no"}}',
        '{"spec": {"superAdmin": true}}',
        '{"spec": {"superAdmin": true, "subjects": {"user": "eve"}}}',
    ],
)
def test_an_unreadable_policy_of_super_admins_does_not_open_the_store(ruled: Workspace, body: str) -> None:
    """The last way back: the store's owner deletes the policy by SQL."""
    sql(
        ruled.store,
        "UPDATE documents SET live = ? WHERE uid = (SELECT uid FROM records WHERE kind = 'PermissionPolicy' AND name = 'owners')",
        body,
    )
    ruled.edit(CRM, "GET", "PUT")
    for name in ("margaret", "eve", "u"):
        refused(ruled, "--as", name)
    sql(ruled.store, "DELETE FROM records WHERE kind = 'PermissionPolicy' AND name = 'owners'")
    ruled.ok("apply", "--yes")
    refused_again = ruled.run("call", "crm-contacts", "list")
    assert refused_again.exit_code == 4


def test_an_unreadable_policy_that_made_no_super_admins_closes_nothing(empty: Workspace) -> None:
    fill(empty)
    (empty.root / "policies/owners.yaml").unlink()
    empty.ok("apply", "--yes")
    sql(
        empty.store,
        "UPDATE documents SET live = '7' WHERE uid = (SELECT uid FROM records WHERE kind = 'PermissionPolicy')",
    )
    empty.ok("apply", "--yes")


@pytest.mark.parametrize(
    "grant",
    [
        '{"permissions": ["connectors:edit", "connectors:view"], "on": {}}',
        '{"permissions": ["connectors:edit", "connectors:view"], "on": {"category": ["finance"]}}',
        '{"permissions": ["connectors:edit", "connectors:view"], "on": {"categories": "crm"}}',
        '{"permissions": ["connectors:edit", "connectors:view"], "expires": "2020-01-01T00:00:00"}',
        '{"permissions": ["connectors:edit", "connectors:view"], "expires": "soon"}',
        '{"permissions": ["connectors:edit", "connectors:view"], "expired": "2020-01-01T00:00:00Z"}',
        '{"permissions": "connectors:edit"}',
        "7",
    ],
)  # fmt: skip
def test_a_live_grant_that_cannot_be_read_gives_nothing(ruled: Workspace, grant: str) -> None:
    """Written outside of a run, it is not taken for one that is not narrowed."""
    sql(
        ruled.store,
        "UPDATE documents SET live = json_set(live, '$.spec.grants', json(?)) WHERE uid = (SELECT uid FROM records WHERE kind = 'PermissionPolicy' AND name = 'finance-team')",
        f"[{grant}]",
    )
    ruled.edit(CRM, "GET", "PUT")
    refused(ruled, "--as", "katherine")
    ruled.ok("apply", "--yes", "--as", "margaret")


def test_a_policy_written_around_the_tool_counts_while_it_is_live(ruled: Workspace) -> None:
    """What is live decides, whoever wrote it: the plan shows it as drift, and takes it back."""
    sql(
        ruled.store,
        "UPDATE documents SET live = json_remove(live, '$.spec.grants[0].on') WHERE uid = (SELECT uid FROM records WHERE kind = 'PermissionPolicy' AND name = 'finance-team')",
    )
    ruled.edit(CRM, "GET", "PUT")
    lines = refused(ruled, "--as", "katherine")
    assert lines[0] == "error: 'katherine' may not make 1 of 2 changes"
    assert "update policy/finance-team takes policies:edit" in lines[1]


# the transaction


def judged(workspace: Workspace, actor: str, moment: str = ""):
    """A plan, and what carries it out."""
    settings = load_settings(workspace.root, Overrides())
    environment = {"RECONCILER_STORE_KEY": KEY}
    store, source = open_store(settings, environment), open_source(workspace.root, "")
    options = PlanOptions(settings.target, settings.owner, actor=actor, now=moment or now(), limits=AccessLimits(actor))
    plan = make_plan(source.load(), source, store, options)

    def carry_out(by: str = actor, clock=now):
        tokens = TokenOptions(open_tokens(settings, store), fetch=False)
        return apply_plan(plan, store, ApplyOptions(open_secrets(settings, environment), tokens, by, clock))

    return plan, carry_out


MOVES = {
    "a policy changes": "UPDATE documents SET live = json_remove(live, '$.spec.superAdmin') WHERE uid = (SELECT uid FROM records WHERE kind = 'PermissionPolicy' AND name = 'owners')",
    "a group changes": "UPDATE documents SET live = json_set(live, '$.spec.members.users[0]', 'eve') WHERE uid = (SELECT uid FROM records WHERE kind = 'Group' AND name = 'owners')",
    "a policy goes": "DELETE FROM records WHERE kind = 'PermissionPolicy' AND name = 'owners'",
    "a policy comes": "INSERT INTO records (uid, kind, name) VALUES ('u', 'PermissionPolicy', 'more')",
    "a group comes": "INSERT INTO records (uid, kind, name) VALUES ('u', 'Group', 'more')",
}  # fmt: skip


@pytest.mark.parametrize("move", MOVES)
def test_policies_that_move_after_planning_make_the_plan_stale(ruled: Workspace, move: str) -> None:
    ruled.edit(CRM, "GET", "PUT")
    _, carry_out = judged(ruled, "margaret")
    sql(ruled.store, MOVES[move])
    before = live(ruled)
    with pytest.raises(RecordConflict, match="policies or groups that it was judged by moved after planning"):
        carry_out()
    assert live(ruled) == before


def test_a_super_admin_who_comes_after_planning_makes_the_plan_stale(empty: Workspace) -> None:
    """A plan that needed no permission when it was made needs one now."""
    fill(empty)
    (empty.root / "policies/owners.yaml").unlink()
    empty.ok("apply", "--yes")
    empty.edit(CRM, "GET", "PUT")
    plan, carry_out = judged(empty, "")
    assert plan.basis and not plan.basis.enforced
    empty.write("policies/owners.yaml", OWNERS)
    empty.ok("apply", "--yes")
    with pytest.raises(RecordConflict):
        carry_out("eve")


def test_what_moves_elsewhere_makes_nothing_stale(ruled: Workspace) -> None:
    ruled.edit(CRM, "GET", "PUT")
    _, carry_out = judged(ruled, "margaret")
    sql(
        ruled.store,
        "UPDATE documents SET live = json_set(live, '$.spec.description', 'moved') WHERE uid = (SELECT uid FROM records WHERE name = 'invoices')",
    )
    carry_out()


def test_a_grant_that_ends_after_planning_makes_the_plan_stale(empty: Workspace) -> None:
    """Somebody may take their time to answer whether to apply."""
    fill(empty)
    empty.write("policies/team.yaml", TEAM + '      expires: "2999-01-01T00:00:00Z"\n')
    empty.ok("apply", "--yes")
    empty.edit(INVOICES, "GET", "PUT")
    plan, carry_out = judged(empty, "katherine", "2998-12-31T23:59:59Z")
    assert not plan.problems
    with pytest.raises(RecordConflict, match="a grant has ended after planning"):
        carry_out(clock=lambda: "2999-01-01T00:00:00Z")
    plan, carry_out = judged(empty, "katherine", "2999-01-01T00:00:00Z")
    assert plan.problems[0].exit_code == 4


def test_a_plan_is_applied_for_whom_it_was_judged(ruled: Workspace) -> None:
    ruled.edit(CRM, "GET", "PUT")
    for actor, by in (("margaret", "katherine"), ("", "katherine")):
        plan, carry_out = judged(ruled, actor)
        assert not plan.problems
        with pytest.raises(NotPermitted):
            carry_out(by)


def test_without_a_time_no_grant_that_ends_counts(empty: Workspace) -> None:
    """A caller that forgets the time is no way around."""
    fill(empty)
    empty.write("policies/team.yaml", TEAM + '      expires: "2999-01-01T00:00:00Z"\n')
    empty.ok("apply", "--yes")
    empty.edit(INVOICES, "GET", "PUT")
    settings = load_settings(empty.root, Overrides())
    store, source = open_store(settings, {"RECONCILER_STORE_KEY": KEY}), open_source(empty.root, "")
    plan = make_plan(
        source.load(), source, store, PlanOptions(settings.target, settings.owner, limits=AccessLimits("katherine"))
    )
    assert plan.problems[0].exit_code == 4


# calls and tokens


BEARER = """\
apiVersion: reconciler/v1
kind: Connector
metadata: {name: NAME}
spec:
  displayName: NAME
  categories: [CATEGORY]
  authorization:
    method: oauth2-client-credentials
    tokenUrl: http://127.0.0.1:9/token
    clientId: id
    clientSecret: {env: CRM_PASSWORD}
  endpoints:
    list: {method: GET, url: "http://127.0.0.1:9/NAME"}
"""


class Refusing(BaseHTTPRequestHandler):
    """Gives nobody a token, and at once: without an answer the tool would try again for a while."""

    def do_POST(self) -> None:
        self.send_response(401)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def refusing() -> Iterator[str]:
    """Host and port."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def tokens(ruled: Workspace, refusing: str) -> Workspace:
    """Connectors that need tokens, which nobody gives."""
    text = BEARER.replace("127.0.0.1:9", refusing)
    for name, category in (("crm-token", "crm"), ("finance-token", "finance")):
        ruled.write(f"connectors/{name}.yaml", text.replace("NAME", name).replace("CATEGORY", category))
    ruled.ok("apply", "--yes", "--tokens", "demand", "--as", "margaret")
    return ruled


def said(result: Result) -> list[str]:
    assert result.exit_code == 4, result.output
    assert result.stdout == ""
    return result.stderr.splitlines()


@pytest.mark.parametrize(
    "line",
    [
        "token fetch",
        "token renew crm-token",
        "token fetch crm-token",
        "call crm-token list",
        "call crm-contacts list",
        "call --all",
    ],
)
def test_requests_take_call(tokens: Workspace, line: str) -> None:
    """With the credentials of a connector nothing is sent for somebody who may not call it."""
    assert (
        said(tokens.run(*line.split()))[0]
        == "error: this store has a super admin, so who sends requests has to be known"
    )
    lines = said(tokens.run(*line.split(), "--as", "katherine"))
    assert "takes connectors:call: it is granted on something else only; who may: group owners" in lines[1]
    assert lines[-1] == "  hint: ask somebody who may, or have a policy changed first"
    assert not any("finance" in found or "invoices" in found for found in lines), "what is granted is not named"


def test_whoever_may_call_gets_as_far_as_the_server(tokens: Workspace) -> None:
    for line in ("token fetch finance-token", "call finance-token list"):
        result = tokens.run(*line.split(), "--as", "katherine")
        assert result.exit_code == 10 and "127.0.0.1" in result.stderr
    assert tokens.run("token", "fetch", "crm-token", "--as", "margaret").exit_code == 10


def test_renewing_a_token_by_apply_takes_call(tokens: Workspace) -> None:
    """And not edit: nothing of the connector changes."""
    lines = refused(tokens, "--as", "katherine")
    assert lines[0] == "error: 'katherine' may not make 1 of 2 changes"
    assert "fetch the token of connector/crm-token takes connectors:call" in lines[1]
    assert tokens.run("apply", "--yes", "--as", "margaret").exit_code == 10


def test_a_token_is_judged_by_the_live_categories(tokens: Workspace) -> None:
    """Where `lifecycle.ignore` leaves them to the live side, those that git declares say nothing."""
    text = BEARER.replace("NAME", "crm-token").replace("CATEGORY", "crm") + "  lifecycle: {ignore: [categories]}\n"
    tokens.write("connectors/crm-token.yaml", text)
    tokens.ok("apply", "--yes", "--tokens", "demand", "--as", "margaret")
    tokens.edit("connectors/crm-token.yaml", "[crm]", "[finance]")
    assert "connector/crm-token" in refused(tokens, "--as", "katherine")[1]


def test_a_store_without_super_admin_asks_nobody(workspace: Workspace) -> None:
    workspace.ok("apply", "--yes")
    assert workspace.run("call", "crm-contacts", "list", "--set", "account=1").exit_code == 10


def test_the_database_is_not_locked_by_looking(ruled: Workspace) -> None:
    """A refused apply leaves no transaction behind."""
    ruled.edit(CRM, "GET", "PUT")
    refused(ruled, "--as", "katherine")
    with sqlite3.connect(ruled.store, timeout=0) as connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")
    connection.close()
