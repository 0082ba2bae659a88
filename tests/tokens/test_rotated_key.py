"""Access tokens outlive a change of the store's key."""

import pytest
from conftest import Workspace
from live_state import sql
from servers.oauth import OAuthServer
from test_grants import CATEGORY, connector, password_grant


@pytest.mark.store_file  # its key is in a file beside it
def test_tokens_are_used_without_being_fetched_again(empty: Workspace, django_oauth: OAuthServer) -> None:
    """Plans, calls and renewals go on as before; one that was made with other credentials is still fetched anew."""
    server = django_oauth
    empty.env |= {"SECRET": server.client_secret, "PASSWORD": server.password, "RECONCILER_STORE_KEY": ""}
    empty.write("connectors/category.yaml", CATEGORY)
    for name in ("one", "two"):
        empty.write(f"connectors/{name}.yaml", connector(name, server, password_grant(server)))
    empty.ok("apply", "--yes")
    uid = "(SELECT uid FROM records WHERE name = 'two')"
    sql(empty.store, f"UPDATE tokens SET made_with = '0123456789abcdef' WHERE uid = {uid}")
    states = "SELECT made_with, access, refresh FROM tokens ORDER BY uid"
    before = sql(empty.store, states)
    said = empty.ok("store", "rotate-key")
    assert said.stdout.startswith("Changed the key of local: 6 secrets and 2 access tokens sealed anew.\n")
    for secret in (server.client_secret, server.password):
        assert secret not in said.output
    assert not {cell for row in before for cell in row} & {cell for row in sql(empty.store, states) for cell in row}
    assert "Nothing to do" in empty.ok("plan").stdout
    assert "Nothing to do" in empty.ok("plan", "--secrets", "check").stdout
    assert len(server.token_requests) == 2
    empty.ok("call", "one", "get", "--fail")
    assert len(server.token_requests) == 2
    empty.ok("call", "two", "get", "--fail")
    assert len(server.token_requests) == 3
    sql(empty.store, "UPDATE tokens SET expires = '2026-01-01T01:00:00Z'")
    empty.ok("token", "renew", "one")
    assert b"grant_type=refresh_token" in server.token_requests[-1].body
