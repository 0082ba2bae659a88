"""A plan of some records: those that are named, with what they cannot do without, and nothing else."""

import json
from pathlib import Path

import pytest
from conftest import CATEGORY, CONNECTOR, Workspace
from live_state import actions, plan_of


OTHER = CONNECTOR.replace("crm-contacts", "other").replace("Sales team's contacts", "Other").replace("[crm]", "[ops]")
OPS = CATEGORY.replace("crm", "ops").replace("Customer data", "Operations")


@pytest.fixture
def two(workspace: Workspace) -> Workspace:
    """Two connectors, each in a category of its own; nothing is live."""
    workspace.write("connectors/other.yaml", OPS + "---\n" + OTHER)
    return workspace


def test_one_connector_and_what_it_refers_to(two: Workspace) -> None:
    """The rest is left out, said, and still to be done afterwards."""
    plan = plan_of(two, "connector/other")
    assert actions(plan) == [("create", "category/ops"), ("create", "connector/other")]
    assert plan["only"] == ["connector/other"] and plan["summary"]["left"] == 4
    assert two.ok("plan", "connector/other").stdout.endswith("2 to create; 4 other changes left out.\n")
    two.ok("apply", "connector/other", "--yes", "-q")
    assert two.ok("plan", "connector/other").stdout == "Nothing to do for connector/other; 4 other changes left out.\n"
    assert {address for _, address in actions(plan_of(two))} == {
        "category/crm", "connector/crm-contacts", "group/integrators", "policy/integration-team",
    }  # fmt: skip
    assert plan_of(two)["only"] == []


def test_the_rest_is_not_forgotten(two: Workspace) -> None:
    """An apply of a part proves nothing of the rest: the next plan, which looks at what moved alone, finds it."""
    two.git("init", "-q")
    two.commit()
    two.ok("apply", "--yes", "-q")
    two.edit("connectors/crm.yaml", "Contacts of the CRM.", "All contacts.")
    two.edit("connectors/other.yaml", "Contacts of the CRM.", "All others.")
    two.commit()
    two.ok("apply", "connector/other", "--yes", "-q")
    assert actions(plan_of(two)) == [("update", "connector/crm-contacts")]
    assert actions(plan_of(two, "connector/crm-contacts")) == [("update", "connector/crm-contacts")]


def test_a_saved_plan_of_a_part(two: Workspace, tmp_path: Path) -> None:
    """It is carried out as it is."""
    two.git("init", "-q")
    two.commit()
    saved = tmp_path / "part.json"
    two.ok("plan", "connector/other", "--out", saved, "-q")
    two.ok("apply", saved, "--yes", "-q")
    assert len(actions(plan_of(two))) == 4


def test_who_has_the_name_that_is_taken_comes_along(two: Workspace) -> None:
    """Connectors that trade their display names change together; a delete needs nobody."""
    two.ok("apply", "--yes", "-q")
    two.edit("connectors/other.yaml", "displayName: Other", "displayName: Sales team's contacts")
    two.edit("connectors/crm.yaml", "displayName: Sales team's contacts", "displayName: Other")
    assert len(actions(plan_of(two, "connector/other"))) == 2
    two.write("connectors/other.yaml", OPS)
    assert actions(plan_of(two, "connector/other")) == [("delete", "connector/other")]


def test_a_name_that_nobody_has(two: Workspace) -> None:
    """It is an error, with what may be meant; so is what is no address."""
    for verb in (("plan",), ("apply", "--yes")):
        result = two.run(*verb, "connector/othr")
        assert result.exit_code == 64 and "there is no connector/othr, neither declared nor live" in result.stderr
        assert "did you mean 'other'?" in result.stderr
        result = two.run(*verb, "other")
        assert result.exit_code == 64 and "'other' is not an address" in result.stderr
    result = two.run("apply", "plan.json", "connector/other")
    assert result.exit_code == 64 and "one saved plan, or addresses" in result.stderr


def test_what_new_records_send(workspace: Workspace) -> None:
    """Parameters, headers and bodies are shown, secrets by reference; also of an endpoint that is added later."""
    endpoint = """
    add:
      method: POST
      url: https://crm.example.com/contacts
      params: [{name: dry, value: "{{dry}}"}, {name: key, value: {env: CRM_KEY}}]
      headers: [{name: X-Team, value: sales, required: true}]
      bodyType: form-urlencoded
      body: |
        {"name": "{{name}}",
         "team": "sales"}
"""
    lines = [
        "endpoints.add: POST https://crm.example.com/contacts",
        "?dry={{dry}}",
        "?key={env: CRM_KEY}",
        "X-Team: sales",
        "body, form-urlencoded:",
        '{"name": "{{name}}",',
        '"team": "sales"}',
    ]
    before = (workspace.root / "connectors/crm.yaml").read_text()
    workspace.write("connectors/crm.yaml", before.rstrip("\n") + endpoint)
    for texts in (workspace.ok("plan").stdout, workspace.ok("plan", "-o", "markdown").stdout):
        assert [line for text in texts.splitlines() if (line := text.lstrip(" +")) in lines] == lines
    workspace.write("connectors/crm.yaml", before)
    workspace.ok("apply", "--yes", "-q")
    workspace.write("connectors/crm.yaml", before.rstrip("\n") + endpoint)
    for texts in (workspace.ok("plan").stdout, workspace.ok("plan", "-o", "markdown").stdout):
        assert [line for text in texts.splitlines() if (line := text.lstrip(" +")) in lines] == lines


def test_many_deletes_are_told_together(workspace: Workspace) -> None:
    """With every name; a few are told one by one."""
    names = [f"gone-{number}" for number in range(30)]
    documents = [CATEGORY.replace("crm", name).replace("Customer data", name.title()) for name in names]
    workspace.write("connectors/gone.yaml", "---\n".join(documents))
    workspace.ok("apply", "--yes", "-q")
    (workspace.root / "connectors/gone.yaml").unlink()
    text = workspace.ok("plan", "--max-deletes", "99").stdout
    assert "- 30 categories:\n" in text and all(f"{name}," in text or f"{name}\n" in text for name in names)
    assert max(map(len, text.splitlines())) <= 100
    markdown = workspace.ok("plan", "--max-deletes", "99", "-o", "markdown").stdout
    assert "delete 30 categories" in markdown and "<details><summary>30 lines</summary>" in markdown
    assert all(f"- category/{name}\n" in markdown for name in names)
    workspace.write("connectors/gone.yaml", "---\n".join(documents[3:]))
    assert workspace.ok("plan").stdout.count("\n- category/gone-") == 3


def test_the_summary(two: Workspace) -> None:
    """Counts by kind, deletes by name, what stands against it; no fields."""
    text = two.ok("plan", "--summary").stdout
    assert "  category: 2 to create\n  connector: 2 to create\n" in text and "endpoints" not in text
    two.ok("apply", "--yes", "-q")
    (two.root / "connectors/other.yaml").unlink()
    text = two.ok("plan", "--summary").stdout
    assert "- 1 connector:\n    other\n" in text and text.endswith("2 to delete.\n")
    assert two.run("plan", "--summary", "-o", "json").exit_code == 64


def test_no_comment_is_longer_than_forges_allow(two: Workspace) -> None:
    """Whatever there is to show; long changes are folded, and what is cut is told."""
    endpoints = "\n".join(
        f"    e{number}: {{method: POST, url: 'https://crm.example.com/{number}', body: '{json.dumps({'text': 'x' * 200})}'}}"
        for number in range(15)
    )
    for number in range(60):
        text = OTHER.replace("name: other", f"name: other-{number}").replace(
            "displayName: Other", f"displayName: N{number}"
        )
        two.write(f"connectors/more-{number}.yaml", text.rstrip("\n") + "\n" + endpoints + "\n")
    markdown = two.ok("plan", "-o", "markdown").stdout
    assert 30_000 < len(markdown) <= 65_536
    assert "<details><summary>" in markdown and "more; `reconciler plan` shows all of them." in markdown
    assert markdown.count("<details>") == markdown.count("</details>")
