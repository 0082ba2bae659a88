"""Who changed what, when, from which commit: runs, versions, and differences between any two."""

import sqlite3

import pytest
from conftest import CATEGORY, CONNECTOR, Workspace
from history_world import answer, describe
from live_state import drift, sql

from reconciler.stores.sqlite.schema import VERSION

CANARY = "Qcanary7k2m9x4w8"


def versions(workspace: Workspace, address: str, *arguments: str) -> list[tuple[int, str, str]]:
    """Number, action and address of each version, the latest first."""
    found = answer(workspace, "history", address, *arguments)["versions"]
    return [(version["number"], version["action"], version["address"]) for version in found]


def test_runs_say_who_when_and_from_which_commit(workspace: Workspace) -> None:
    """The latest first, with what they did."""
    commit = workspace.commit()
    workspace.ok("apply", "--yes", "-q", "--as", "grace")
    workspace.edit("connectors/crm.yaml", "method: GET", "method: PUT")
    workspace.ok("apply", "--yes", "-q", "--as", "ada")
    last, first = answer(workspace, "history")["runs"]
    assert (first["id"], first["actor"], first["commit"], first["target"]) == (1, "grace", commit, "local")
    assert (last["id"], last["actor"], last["commit"]) == (2, "ada", f"{commit}-dirty")
    assert (first["counts"], last["counts"]) == ({"create": 4}, {"update": 1})
    table = workspace.ok("history").stdout.splitlines()
    assert table[0].split() == ["RUN", "WHEN", "TIME", "TOOK", "ACTOR", "COMMAND", "COMMIT", "TARGET", "OUTCOME"]
    assert table[1].split()[0] == "2" and f"ada    apply    {commit[:12]}-dirty  local   1 updated" in table[1]
    assert "4 created" in table[2] and table[3] == "2 runs"


def test_limit_and_since(workspace: Workspace) -> None:
    """Both for runs and for versions; it is said when there are more."""
    workspace.ok("apply", "--yes", "-q")
    for text in ("one", "two"):
        describe(workspace, text)
    runs = answer(workspace, "history")["runs"]
    assert [run["id"] for run in answer(workspace, "history", "--limit", "2")["runs"]] == [3, 2]
    assert workspace.ok("history", "--limit", "2").stdout.endswith("2 runs; older ones with --limit\n")
    assert [run["id"] for run in answer(workspace, "history", "--since", runs[1]["finished"])["runs"]] == [3, 2]
    assert answer(workspace, "history", "--since", "2999-01-01")["runs"] == []
    assert len(versions(workspace, "connector/crm-contacts", "--limit", "1")) == 1
    assert versions(workspace, "connector/crm-contacts", "--since", runs[0]["finished"])[0][0] == 3


def test_each_version_shows_what_changed(workspace: Workspace) -> None:
    """Field by field, as a plan does; a new record with what it holds."""
    workspace.ok("apply", "--yes", "-q")
    workspace.edit("connectors/crm.yaml", "method: GET", "method: PUT")
    workspace.edit("connectors/crm.yaml", "{env: CRM_PASSWORD}", "{env: CRM_PASSWORD_2}")
    workspace.ok("apply", "--yes", "-q", env={"CRM_PASSWORD_2": CANARY})
    text = workspace.ok("history", "connector/crm-contacts").stdout
    last, first, _ = text.split("\n\n")
    assert last.splitlines()[0].startswith("2  20") and "updated by ada (run 2)" in last
    assert last.splitlines()[1:] == [
        "    ~ authorization.password: {env: CRM_PASSWORD} -> {env: CRM_PASSWORD_2}",
        '    ~ endpoints.list.method: "GET" -> "PUT"',
    ]
    assert "created by ada (run 1)" in first and "    + authorization.password: {env: CRM_PASSWORD}" in first
    found = answer(workspace, "history", "connector/crm-contacts")["versions"]
    assert [version["body"]["spec"]["endpoints"]["list"]["method"] for version in found] == ["PUT", "GET"]


def test_any_two_versions_can_be_compared(workspace: Workspace) -> None:
    """In either direction."""
    workspace.ok("apply", "--yes", "-q")
    for text in ("one", "two"):
        describe(workspace, text)
    shown = workspace.ok("history", "connector/crm-contacts", "--diff", "1", "3").stdout
    assert (
        shown
        == 'connector/crm-contacts: from version 1 to version 3\n    ~ description: "Contacts of the CRM." -> "two"\n'
    )
    (field,) = answer(workspace, "history", "connector/crm-contacts", "--diff", "3", "2")["fields"]
    assert (field["before"], field["after"]) == ("two", "one")
    assert "nothing differs" in workspace.ok("history", "connector/crm-contacts", "--diff", "2", "2").stdout


def test_renamed_deleted_and_made_anew(workspace: Workspace) -> None:
    """One history by any of the names; a record that took an old name belongs to it."""
    workspace.ok("apply", "--yes", "-q")
    workspace.edit("connectors/crm.yaml", "name: crm-contacts", "name: people\n  previously: [crm-contacts]")
    workspace.ok("apply", "--yes", "-q")
    renamed = [(2, "rename", "connector/people"), (1, "create", "connector/crm-contacts")]
    assert versions(workspace, "connector/people") == versions(workspace, "connector/crm-contacts") == renamed
    assert "renamed, was connector/crm-contacts by ada (run 2)" in workspace.ok("history", "connector/people").stdout
    workspace.write("connectors/crm.yaml", CATEGORY)
    workspace.ok("apply", "--yes", "-q", "--max-deletes", "9")
    assert versions(workspace, "connector/people")[0] == (3, "delete", "connector/people")
    assert workspace.run("history", "connector/people", "--diff", "1", "3").exit_code == 64
    workspace.write("connectors/crm.yaml", CATEGORY + "---\n" + CONNECTOR)
    workspace.ok("apply", "--yes", "-q")
    assert versions(workspace, "connector/crm-contacts") == [
        (4, "create", "connector/crm-contacts"),
        (3, "delete", "connector/people"),
        *renamed,
    ]
    assert versions(workspace, "connector/people") == [(3, "delete", "connector/people"), *renamed]


def test_what_others_wrote_is_a_version_of_its_own(workspace: Workspace) -> None:
    """With its time, before and after the next apply; what had been applied is not lost."""
    workspace.ok("apply", "--yes", "-q")
    drift(workspace, "crm-contacts", "$.spec.description", '"others"')
    drift(workspace, "crm-contacts", "$.spec.description", '"others again"')
    live = answer(workspace, "history", "connector/crm-contacts")["versions"]
    assert [version["action"] for version in live] == ["drift", "create"]
    assert live[0]["time"] > live[1]["time"] and live[0]["run"] is None
    assert [version["body"]["spec"]["description"] for version in live] == ["others again", "Contacts of the CRM."]
    shown = workspace.ok("history", "connector/crm-contacts").stdout
    assert "drifted\n" in shown
    assert '    ~ description: "Contacts of the CRM." -> "others again"  (drift)' in shown
    describe(workspace, "mine")
    after = answer(workspace, "history", "connector/crm-contacts")["versions"]
    assert [version["action"] for version in after] == ["update", "drift", "create"]
    assert after[1:] == live
    assert (after[0]["fields"][0]["before"], after[0]["fields"][0]["after"]) == ("others again", "mine")
    assert answer(workspace, "store", "check")["fine"]


def test_what_others_made_renamed_and_deleted(workspace: Workspace) -> None:
    """All of it shows, and the chain is whole."""
    workspace.ok("apply", "--yes", "-q")
    sql(workspace.store, "UPDATE records SET name = 'theirs' WHERE name = 'crm-contacts'")
    assert versions(workspace, "connector/crm-contacts")[0] == (2, "drift", "connector/theirs")
    sql(workspace.store, "DELETE FROM records WHERE name = 'theirs'")
    assert "deleted outside of a run" in workspace.ok("history", "connector/crm-contacts").stdout
    body = '{"spec":{"displayName":"X","categories":["crm"],"endpoints":{}}}'
    sql(workspace.store, "INSERT INTO records (uid, kind, name) VALUES ('u', 'Connector', 'x')")
    sql(workspace.store, "INSERT INTO documents VALUES ('u', ?)", body)
    assert versions(workspace, "connector/x") == [(1, "drift", "connector/x")]
    workspace.write("connectors/x.yaml", CONNECTOR.replace("crm-contacts", "x").replace("Sales team's contacts", "X"))
    workspace.ok("apply", "--yes", "-q", "--adopt")
    assert versions(workspace, "connector/x") == [(2, "adopt", "connector/x"), (1, "drift", "connector/x")]
    assert answer(workspace, "history", "connector/x")["versions"][1]["time"]
    assert answer(workspace, "store", "check")["fine"]


def test_literal_secrets_that_others_wrote_are_masked(workspace: Workspace) -> None:
    """In every form of the history; and no value of a reference was ever in it."""
    workspace.ok("apply", "--yes", "-q", env={"CRM_PASSWORD": CANARY})
    drift(workspace, "crm-contacts", "$.spec.authorization.password", f'"{CANARY}"')
    describe(workspace, "mine")
    with sqlite3.connect(workspace.store) as connection:
        (kept,) = connection.execute("SELECT group_concat(before) FROM history").fetchone()
    connection.close()
    assert CANARY in kept, "the store keeps what others wrote, as it did before; it is not shown"
    for line in ("history", "history connector/crm-contacts", "history connector/crm-contacts --diff 1 2",
                 "history connector/crm-contacts --diff 2 3", "store check"):  # fmt: skip
        for form in ("text", "json"):
            assert CANARY not in workspace.ok(*line.split(), "-o", form).output


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("history crm-contacts", "is not an address"),
        ("history connector/", "is not an address"),
        ("history gizmo/x", "there is no kind 'gizmo'"),
        ("history connector/nowhere", "the store does not know connector/nowhere"),
        ("history connector/crm-contacts --diff 1 9", "there is no version 9"),
        ("history connector/crm-contacts --diff 0 1", "there is no version 0"),
        ("history --diff 1 2", "--diff compares two versions of one record"),
        ("history --at 2026-01-01", "--at goes with --can or with --who-can"),
        ("history --can ada connectors:edit", "--at goes with"),
        ("history --at 2026-01-01 --can ada connectors:edit --who-can connectors:edit", "--at goes with"),
        ("history --since yesterday", "--since yesterday is no time"),
        ("history --since 2026-01-01T00:00:00", "is without a time zone"),
        ("history --at 0001-01-01T00:00:00+14:00 --who-can connectors:edit", "is no time"),
        ("history --at 2999-01-01 --who-can connectors:edit", "is in the future"),
        ("history --at 2026-01-01 --who-can connectors:edti", "did you mean 'connectors:edit'?"),
        ("history --at 2026-01-01 --who-can groups:edit connector/crm-contacts", "groups:edit is not about connector/crm-contacts"),
        ("history --at 2020-01-01 --who-can connectors:edit connector/crm-contacts", "was not there at 2020-01-01T00:00:00.000Z"),
        ("history -o yaml", "'yaml' is not one of text, json"),
        ("history --limit 0", "0 is not in the range"),
    ],
)  # fmt: skip
def test_wrong_usage(workspace: Workspace, line: str, message: str) -> None:
    """Says what to write instead."""
    workspace.ok("apply", "--yes", "-q")
    result = workspace.run(*line.split())
    assert result.exit_code == 64, result.output
    assert message in result.stderr and "hint: " in result.stderr


def test_runs_say_what_they_were_and_how_long_they_took(workspace: Workspace) -> None:
    """The command, the outcome, the plan and the guards that were overridden."""
    workspace.ok("apply", "--yes", "-q")
    workspace.write("connectors/crm.yaml", CATEGORY)
    stopped = workspace.run("apply", "--yes", "--max-deletes", "0")
    override = stopped.stderr.partition("--override ")[2].split()[0]
    workspace.ok("apply", "--yes", "-q", "--max-deletes", "0", "--override", override)
    workspace.ok("restore", "connector/crm-contacts", "--yes", "-q")
    restored, deleted, first = answer(workspace, "history")["runs"]
    assert [(run["verb"], run["outcome"]) for run in (restored, deleted)] == [
        ("restore", "applied"),
        ("apply", "applied"),
    ]
    assert deleted["overrides"] == ["deletes=1"] and override.startswith(deleted["plan"][:12])
    assert 0 <= first["seconds"] < 60 and first["overrides"] == []
    table = workspace.ok("history").stdout.splitlines()
    assert " restore " in table[1] and table[1].endswith("1 restored")
    assert table[2].endswith("1 deleted, override deletes=1") and " s  ada" in table[2]


def test_runs_that_changed_nothing_are_listed_with_all(workspace: Workspace) -> None:
    """Those that failed or died, among the others; an apply of nothing is none."""
    workspace.ok("apply", "--yes", "-q")
    workspace.ok("apply", "--yes", "-q")
    workspace.edit("connectors/crm.yaml", "{env: CRM_PASSWORD}", "{env: NOWHERE}")
    assert workspace.run("apply", "--yes", "--as", "grace").exit_code == 10
    assert [run["id"] for run in answer(workspace, "history")["runs"]] == [1]
    found = answer(workspace, "history", "--all")
    (failed,) = found["futile"]
    assert (failed["outcome"], failed["actor"], failed["verb"]) == ("failed: world", "grace", "apply")
    assert failed["host"] and failed["finished"] and failed["seconds"] >= 0
    sql(workspace.store, "INSERT INTO attempts (started, verb, actor, holder, owner, target, git_commit, outcome)"
        " SELECT '2999-01-01T00:00:00.000Z', verb, 'ada', holder, owner, target, '', 'running' FROM attempts LIMIT 1")  # fmt: skip
    table = [line.split() for line in workspace.ok("history", "--all").stdout.splitlines()]
    assert [line[0] for line in table[1:4]] == ["-", "-", "1"] and table[1][-1] == "running"
    assert workspace.ok("history", "--all", "--limit", "1").stdout.endswith("1 run; older ones with --limit\n")
    assert workspace.run("history", "connector/crm-contacts", "--all").exit_code == 64
