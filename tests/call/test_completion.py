"""Names that a shell completes: from the live store or the working tree; nothing is made, nothing fails loudly."""

import pytest
from conftest import CATEGORY, CONNECTOR, Workspace
from live_state import sql


def completed(workspace: Workspace, *words: str) -> list[str]:
    given = {"_RECONCILER_COMPLETE": "bash_complete", "COMP_WORDS": " ".join(["reconciler", *words]), "COMP_CWORD": str(len(words))}  # fmt: skip
    result = workspace.run(env=given)
    assert (result.exit_code, result.stderr) == (0, "")
    return [line.partition(",")[2] for line in result.stdout.splitlines() if line]


@pytest.fixture
def declared(empty: Workspace) -> Workspace:
    empty.write("connectors/crm.yaml", CATEGORY + "---\n" + CONNECTOR)
    return empty


def test_what_is_declared_completes_before_it_is_live(declared: Workspace) -> None:
    before = sorted(declared.root.iterdir())
    assert completed(declared, "call", "cr") == ["crm-contacts"]
    assert completed(declared, "call", "x") == []
    assert completed(declared, "call", "crm-contacts", "") == ["list"]
    assert completed(declared, "history", "con") == ["connector/crm-contacts"]
    assert sorted(declared.root.iterdir()) == before


def test_what_is_live_completes(declared: Workspace) -> None:
    """And what is declared, where definitions are asked for."""
    declared.ok("apply", "--yes", "-q", env={"CRM_PASSWORD": "x"})
    declared.edit("connectors/crm.yaml", "name: crm-contacts", "name: crm-people")
    declared.edit("connectors/crm.yaml", "    list:", "    all:")
    assert completed(declared, "call", "") == ["crm-contacts"]
    assert completed(declared, "call", "crm-contacts", "") == ["list"]
    assert completed(declared, "call", "--definition", "") == ["crm-people"]
    assert completed(declared, "call", "--definition", "crm-people", "") == ["all"]
    assert completed(declared, "token", "fetch", "") == ["crm-contacts"]
    assert completed(declared, "get", "con") == ["connector"]
    assert completed(declared, "get", "connector", "") == ["crm-contacts"]
    assert completed(declared, "can", "ada", "connectors:view", "") == ["category/crm", "connector/crm-contacts"]


def test_names_that_a_shell_would_run_do_not_complete(declared: Workspace) -> None:
    """Others may have written what is live."""
    declared.ok("apply", "--yes", "-q", env={"CRM_PASSWORD": "x"})
    sql(declared.store, "UPDATE records SET name = 'crm-$(reboot)' WHERE kind = 'Connector'")
    assert completed(declared, "call", "") == []


def test_nothing_is_said_where_nothing_can_be_had(declared: Workspace) -> None:
    declared.write("reconciler.yaml", "nonsense: [")
    assert completed(declared, "call", "") == []
    assert completed(declared, "-C", "/nowhere", "call", "") == []
    assert completed(declared, "--store", "what:ever", "call", "") == []
