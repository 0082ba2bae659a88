"""Answers by which an instance that is not well, or wishes us ill, could bring a secret out or a command down."""

import json
from collections.abc import Iterator

import pytest
from conftest import Workspace
from pm_stores import filled, opened, visited
from servers.processmaker import Instance, instance
from simulator.messages import Answer, Request
from test_pm_write_cli import CATEGORY, HEAD, PASSWORD

CANARY = "canary-of-a-header-71c4"
CONNECTOR = HEAD.format(kind="Connector", name="crm-contacts") + (
    "  displayName: Contacts\n  categories: [crm]\n"
    "  authorization: {method: basic, username: svc, password: {env: CRM_PASSWORD}}\n"
    '  endpoints: {list: {method: GET, url: "https://crm.example.com/", headers: [{name: X-Api-Key, value: {env: KEY}}]}}\n'
)


@pytest.fixture
def server() -> Iterator[Instance]:
    with instance(contract=False) as server:
        yield server


@pytest.fixture
def repository(empty: Workspace, server: Instance) -> Workspace:
    """A connector with secrets of both sorts."""
    empty.env |= {"PM_TOKEN": server.token(), "CRM_PASSWORD": PASSWORD, "KEY": CANARY}
    empty.write(
        "reconciler.yaml",
        "apiVersion: reconciler/v1\nkind: Project\nowner: acme/crm\ntargets:\n  live:\n"
        f"    store: {server.url}\n    token: {{env: PM_TOKEN}}\n"
        "    processmaker: {timeoutSeconds: 1, allowSecretsInEndpoints: true}\n",
    )
    empty.write("connectors/all.yaml", CATEGORY.format(kind="Category", name="crm") + "---\n" + CONNECTOR)
    return empty


def test_a_refusal_that_repeats_what_was_sent(repository: Workspace, server: Instance) -> None:
    """Shows no secret: neither of the credentials, nor of a header, nor the token."""

    def echo(request: Request, answer: Answer) -> None:
        if request.method == "POST" and request.path == "/data_sources":
            sent = request.raw.decode()
            answer.status = 422
            heard = [part for part in (PASSWORD, CANARY, server.token()) if part in sent + server.token()]
            answer.body = json.dumps({"message": " ".join(heard), "errors": {"endpoints": heard}}).encode()

    server.simulator.on_answer.append(echo)
    found = repository.run("apply", "--yes", "-v")
    assert found.exit_code == 7, found.output
    assert "422" in found.output
    for secret in (PASSWORD, CANARY, server.token()):
        assert secret not in found.output


def test_times_that_no_calendar_has() -> None:
    """In a header or a row: they say nothing."""
    with visited(contract=False) as server:
        filled(server)

        def alter(request: Request, answer: Answer) -> None:
            answer.headers["Date"] = "Mon, 01 Jan 99999999999999 00:00:00 GMT"
            answer.body = answer.body.replace(b'"updated_at":"2', b'"updated_at":"9999-12-31T23:59:59-12:00","x":"2')

        server.simulator.on_answer.append(alter)
        store = opened(server)
        assert len(list(store.read())) == 5
        assert store.touches(["connector:1"]) == {}


@pytest.mark.parametrize("etag", ['"' + "x" * 40_000 + '"', '"\u00e9"'])
def test_an_etag_that_cannot_be_sent_back(etag: str) -> None:
    """Is not kept: what is read the next time is read as a whole."""
    with visited(contract=False) as server:
        filled(server)
        server.simulator.on_answer.append(lambda _, answer: answer.headers.update(ETag=etag))
        sent: list[str | None] = []
        server.simulator.on_request.append(lambda request: sent.append(request.headers.get("If-None-Match")))
        store = opened(server)
        for _ in range(2):
            assert len(list(store.read())) == 5
        assert not any(sent)
