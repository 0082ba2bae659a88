"""A rename that nobody declared is a record that goes and another that comes: the plan says that it looks like one."""

import json

from conftest import Workspace

NOTE = (
    "connector/crm-contacts is deleted and looks like this under another name;"
    " to rename it instead, write  previously: [crm-contacts]  below metadata"
)


def notes(workspace: Workspace) -> list[str]:
    plan = json.loads(workspace.run("plan", "-o", "json").stdout)
    return [note for change in plan["changes"] for note in change["notes"]]


def test_the_same_display_name(workspace: Workspace) -> None:
    """Whatever else is new; in all formats."""
    workspace.ok("apply", "--yes")
    workspace.edit("connectors/crm.yaml", "name: crm-contacts", "name: contacts")
    workspace.edit("connectors/crm.yaml", "method: GET", "method: POST")
    assert notes(workspace) == [NOTE]
    assert f"    ! {NOTE}\n" in workspace.ok("plan").stdout
    assert "looks like this under another name" in workspace.ok("plan", "-o", "markdown").stdout
    workspace.edit("connectors/crm.yaml", "  name: contacts", "  name: contacts\n  previously: [crm-contacts]")
    assert notes(workspace) == []
    assert "1 to rename" in workspace.ok("plan").stdout


def test_the_same_endpoints(workspace: Workspace) -> None:
    """Under another display name as well."""
    workspace.ok("apply", "--yes")
    workspace.edit("connectors/crm.yaml", "name: crm-contacts", "name: contacts")
    workspace.edit("connectors/crm.yaml", "Sales team's contacts", "Contacts")
    assert notes(workspace) == [NOTE]


def test_two_that_look_alike_are_no_answer(workspace: Workspace) -> None:
    """Nobody can tell which was meant; nor is anything said where all is new."""
    workspace.ok("apply", "--yes")
    text = (workspace.root / "connectors/crm.yaml").read_text("utf-8").partition("---\n")[2]
    for name in ("one", "two"):
        new = text.replace("crm-contacts", name).replace("Sales team's contacts", name)
        workspace.write(f"connectors/{name}.yaml", new)
    assert notes(workspace) == []
    workspace.edit("connectors/crm.yaml", "---\n" + text, "")
    assert notes(workspace) == []
