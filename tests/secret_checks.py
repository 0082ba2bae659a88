"""What the tests of secret references share: definitions, and what an apply must do with them."""

import json

from engines import Placed
from conftest import Workspace
from live_state import holds_nothing

CATEGORY = "apiVersion: reconciler/v1\nkind: Category\nmetadata: {name: crm}\nspec: {displayName: Customer data}\n"
CANARY = "canary-4f1d0e7b9a-of-a-secret"


def connector(name: str, reference: str) -> str:
    """A connector with one secret."""
    return f"""\
---
apiVersion: reconciler/v1
kind: Connector
metadata: {{name: {name}}}
spec:
  displayName: The {name}
  categories: [crm]
  authorization: {{method: bearer, token: {reference}}}
  endpoints: {{get: {{method: GET, url: "https://example.com"}}}}
"""


def declare(workspace: Workspace, **references: str) -> None:
    """A connector for each reference."""
    workspace.write("connectors/all.yaml", CATEGORY + "".join(connector(*pair) for pair in references.items()))


def helpers(workspace: Workspace, **settings: dict[str, object]) -> None:
    """The project file allows these helpers."""
    content = {"apiVersion": "reconciler/v1", "kind": "Project", "secrets": {"helpers": settings}}
    workspace.write("reconciler.yaml", json.dumps(content))


def stored(workspace: Workspace) -> dict[str, str]:
    """What the store holds, decrypted."""
    from conftest import KEY
    from reconciler.settings import Overrides
    from reconciler.wiring.run import load_settings, open_store

    store = open_store(load_settings(workspace.root, Overrides()), {"RECONCILER_STORE_KEY": KEY})
    found = {item.name: item.secrets["authorization.token"].reveal() for item in store.connectors()}
    store.close()
    return found


def applied(workspace: Workspace) -> dict[str, str]:
    """Validate, apply and check; what is stored. The canary shows nowhere, not even in the store's bytes."""
    outputs = [workspace.ok("validate", "--strict").output, workspace.ok("plan").output]
    outputs.append(workspace.ok("apply", "--yes", "-v").output)
    outputs.append(workspace.ok("plan", "--secrets", "check", "-o", "json").output)
    assert json.loads(outputs[-1])["changes"] == []
    outputs.append(workspace.ok("get", "-o", "yaml").output)
    assert CANARY not in "".join(outputs)
    for file in [workspace.store] if isinstance(workspace.store, Placed) else workspace.store.parent.iterdir():
        assert CANARY.encode() not in file.read_bytes()
    return stored(workspace)


def refused(workspace: Workspace, *words: str) -> None:
    """Apply names what is missing, and changes nothing."""
    result = workspace.run("apply", "--yes")
    assert result.exit_code == 10, result.output
    for word in words:
        assert word in result.stderr, (word, result.stderr)
    assert CANARY not in result.output
    assert "nothing was changed" in result.stderr and holds_nothing(workspace.store)
