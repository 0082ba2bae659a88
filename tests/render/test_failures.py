"""Whoever asks for JSON gets JSON, also when there is no answer."""

import json

import pytest
from conftest import Workspace
from schema_checks import fits


@pytest.mark.parametrize(
    ("line", "code"),
    [("plan", 3), ("apply --yes", 3), ("adopt", 3), ("plan --target nope", 64), ("history psp", 64)],
)
def test_a_failure_is_json(workspace: Workspace, line: str, code: int) -> None:
    """One object on stdout, with what was found wrong; people read the same on stderr."""
    workspace.edit("connectors/crm.yaml", "method: GET", "method: get")
    result = workspace.run(*line.split(), "-o", "json")
    content = json.loads(result.stdout)
    fits(content, "failure.schema.json")
    assert content["exitCode"] == result.exit_code == code and content["message"] in result.stderr
    assert [found["code"] for found in content["diagnostics"]] == (["RC204"] if code == 3 else [])


def test_an_answer_is_not_followed_by_a_failure(workspace: Workspace) -> None:
    """What was answered stays one document."""
    result = workspace.run("plan", "-o", "json", "--max-deletes", "0")
    assert json.loads(result.stdout)["type"] == "plan"


def test_what_is_piped_is_utf8(workspace: Workspace) -> None:
    """Whatever the locale is: a difference is a patch, a plan a comment."""
    workspace.edit("connectors/crm.yaml", "Contacts of the CRM.", "Verträge 日本")
    for encoding in ("ascii", "latin-1"):
        env = {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0", "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0"}
        for line in (["plan"], ["plan", "-o", "markdown"]):
            assert "Verträge 日本" in workspace.ok(*line, env=env).stdout, (encoding, line)
