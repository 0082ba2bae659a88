"""How a plan shows a list of mappings, such as the grants of a policy."""

from conftest import Workspace


def test_grants_are_told_line_by_line(workspace: Workspace) -> None:
    """What stays as it is is left out; in Markdown too."""
    workspace.ok("apply", "--yes")
    workspace.edit(
        "policies/team.yaml",
        "  grants:\n",
        "  grants:\n    - permissions: [categories:view]\n      on: {categories: [crm]}\n",
    )
    shown = workspace.ok("plan").stdout
    assert (
        "~ policy/integration-team  policies/team.yaml\n    ~ grants:\n"
        '        + permissions: [categories:view], on: {"categories": ["crm"]}\n\n' in shown
    )
    markdown = workspace.ok("plan", "-o", "markdown").stdout
    assert '  grants:\n+     permissions: [categories:view], on: {"categories": ["crm"]}\n' in markdown
    workspace.ok("apply", "--yes")
    workspace.edit("policies/team.yaml", "on: {categories: [crm]}", "on: {labels: {team: sales}}")
    assert (
        '        - permissions: [categories:view], on: {"categories": ["crm"]}\n'
        '        + permissions: [categories:view], on: {"labels": {"team": "sales"}}\n' in workspace.ok("plan").stdout
    )
