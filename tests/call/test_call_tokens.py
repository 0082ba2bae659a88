"""Calls with tokens of real OAuth 2.0 servers."""

import json

from call_world import call_json, connector
from conftest import CATEGORY, Workspace
from servers import faults


def test_a_refused_token_is_renewed_once(empty: Workspace, oauth_server) -> None:
    """A 401 although the token is kept: one fresh token, one further request; the second 401 is the answer."""
    server = oauth_server
    authorization = (
        f"{{method: oauth2-password, tokenUrl: '{server.token_url}', clientId: {server.client_id}, clientSecret: {{env: SECRET}},"
        f" username: {server.user}, password: {{env: WORD}}, scopes: [{server.scope}]}}"
    )
    tls = f"  tls: {{ca: {{file: {server.ca}}}}}\n"
    get = f"    get: {{method: GET, url: '{server.resource_url}'}}\n"
    empty.env = {"SECRET": server.client_secret, "WORD": server.password}
    empty.write("connectors/all.yaml", CATEGORY + "---\n" + connector("", get, authorization=authorization, extra=tls))
    empty.ok("apply", "--yes", "-q")
    fetched = len(server.token_requests)
    content = call_json(empty, "bin", "get")
    assert (content["response"]["status"], content["attempts"], len(server.token_requests)) == (200, 1, fetched)
    token = server.front.requests[-1].header("authorization").removeprefix("Bearer ")
    assert token not in json.dumps(content)
    refusal = faults.Answer("401 Unauthorized", token.encode(), {"WWW-Authenticate": 'Bearer error="invalid_token"'})
    server.front.play(refusal)
    content = call_json(empty, "bin", "get", "--fail")
    assert (content["response"]["status"], content["attempts"], len(server.token_requests)) == (200, 2, fetched + 1)
    token = server.front.requests[-1].header("authorization").removeprefix("Bearer ")
    refusal = faults.Answer("401 Unauthorized", token.encode())
    server.front.play(refusal, faults.Pass(), refusal)
    result = empty.run("call", "bin", "get", "--fail")
    assert (result.exit_code, result.stdout[:3]) == (10, "401")
    assert token not in result.output
    server.front.play(refusal)
    assert empty.ok("call", "--all").stdout.splitlines()[-1] == "1 ok"
