"""A restored connector gets its access token anew, by the sealed secrets that came back with it."""

import pytest
from conftest import Workspace
from live_state import sql
from servers.oauth import OAuthServer

from test_grants import CATEGORY, connector, machine_grant, statuses


@pytest.mark.parametrize("line", ["restore connector/one --yes", "rollback 1 --yes"])
def test_the_token_is_fetched_by_the_sealed_secrets(empty: Workspace, nanoidp: OAuthServer, line: str) -> None:
    """Which nobody has to provide; the token of before is not used again."""
    empty.write("connectors/category.yaml", CATEGORY)
    empty.write("connectors/one.yaml", connector("one", nanoidp, machine_grant(nanoidp)))
    empty.ok("apply", "--yes", "-q", env={"SECRET": nanoidp.machine_secret})
    (before,) = sql(empty.store, "SELECT uid, access FROM tokens")
    (empty.root / "connectors/one.yaml").unlink()
    empty.ok("apply", "--yes", "-q")
    assert statuses(empty) == {} and not sql(empty.store, "SELECT * FROM tokens")
    asked = len(nanoidp.token_requests)
    done = empty.ok(*line.split())
    assert "1 restored; 1 access token fetched" in done.stdout, done.stdout
    assert len(nanoidp.token_requests) == asked + 1
    (after,) = sql(empty.store, "SELECT uid, access FROM tokens")
    assert after[0] == before[0] and after[1] != before[1]
    assert statuses(empty)["one"]["condition"] == "valid"
