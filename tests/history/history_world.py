"""What the tests of the history share: answers as data, and changes."""

import json
from typing import Any

import jsonschema
from schema_checks import fits
from conftest import Workspace

from reconciler.kinds import registry


def answer(workspace: Workspace, *arguments: str, code: int = 0) -> dict[str, Any]:
    """A command's JSON, held against its schema."""
    result = workspace.run(*arguments, "-o", "json")
    assert result.exit_code == code, result.output
    content: dict[str, Any] = json.loads(result.stdout)
    fits(content, "history.schema.json")
    return content


def describe(workspace: Workspace, text: str) -> None:
    """Give the connector a description, and apply."""
    lines = (workspace.root / "connectors/crm.yaml").read_text("utf-8").splitlines()
    lines = [f"  description: {text}" if line.startswith("  description:") else line for line in lines]
    workspace.write("connectors/crm.yaml", "\n".join(lines) + "\n")
    workspace.ok("apply", "--yes", "-q")
