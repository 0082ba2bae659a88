"""A connector that is live, and calls of it."""

import json

from conftest import CATEGORY, Result, Workspace

SECRETS = {"PASSWORD": "cnry-Pa55w+rd%1&x", "KEY": "cnry-key/77+x&y", "HEADER_KEY": "cnry-header-9"}
BASIC = "{method: basic, username: ada, password: {env: PASSWORD}}"


def connector(url: str, endpoints: str, *, name: str = "bin", authorization: str = BASIC, extra: str = "") -> str:
    """A connector; `URL` in its endpoints becomes `url`."""
    return (
        f"apiVersion: reconciler/v1\nkind: Connector\nmetadata: {{name: {name}, labels: {{team: {name}}}}}\nspec:\n"
        f"  displayName: The {name}\n  categories: [crm]\n  authorization: {authorization}\n{extra}"
        f"  endpoints:\n{endpoints.replace('URL', url)}"
    )


def make_live(workspace: Workspace, *connectors: str) -> Workspace:
    """Apply the connectors."""
    workspace.write("connectors/all.yaml", "---\n".join([CATEGORY, *connectors]))
    workspace.env = {**workspace.env, **SECRETS}
    workspace.ok("apply", "--yes", "-q")
    return workspace


def call_json(workspace: Workspace, *arguments: str, exit_code: int = 0) -> dict:
    """What `call -o json` prints."""
    result = workspace.run("call", *arguments, "-o", "json")
    assert result.exit_code == exit_code, result.output
    return json.loads(result.stdout)


def echoed(workspace: Workspace, *arguments: str) -> dict:
    """What httpbin says that it was sent."""
    return json.loads(call_json(workspace, *arguments)["response"]["body"])


def assert_error(result: Result, exit_code: int, *words: str) -> None:
    """It failed so, and said why."""
    assert result.exit_code == exit_code, result.output
    for word in words:
        assert word in result.stderr, result.stderr
