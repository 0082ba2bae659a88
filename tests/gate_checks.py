"""What the gate says, as data."""

import json
from typing import Any

from conftest import Result
from schema_checks import fits


def verdict_in(result: Result) -> dict[str, Any]:
    """The verdict that `authorize -o json` gave, which its schema and its exit code allow."""
    assert result.exit_code in (0, 4), result.output
    content: dict[str, Any] = json.loads(result.stdout)
    fits(content, "authorize.schema.json")
    assert content["allowed"] is (result.exit_code == 0)
    return content


def refused(content: dict[str, Any]) -> list[tuple[str, str]]:
    """(address or file, permission) of all that is refused."""
    return [
        (change["address"] or change["file"], wanted["permission"])
        for change in content["changes"]
        for wanted in change["wanted"]
        if not wanted["granted"]
    ]
