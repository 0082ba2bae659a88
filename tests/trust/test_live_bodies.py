"""Live records that others wrote hold anything that JSON can say: no command takes them for definitions, and none fails."""

import json
import random
import sqlite3
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from answering import CATEGORY, GOOD_TOKEN, Answering, Said, answering, client_credentials, connector
from engines import Placed
from conftest import Workspace
from live_state import sql

ODD = (
    "1e999", "-1e999", "-1", "1e308", "0", "30.5", "null", "true", "[]", "{}", "[[[1]]]", '"x"', '"inf"', '"nan"', '"1e999"',
    '"\\ud800"', '"\\u0000"', "99999999999999999999999999", "9" * 400, "[" * 900 + "]" * 900,
)  # fmt: skip
PATHS = (
    "spec", "spec.endpoints", "spec.endpoints.get", "spec.endpoints.get.timeoutSeconds", "spec.endpoints.get.retry",
    "spec.endpoints.get.retry.attempts", "spec.endpoints.get.url", "spec.endpoints.get.method", "spec.endpoints.get.params",
    "spec.endpoints.get.headers", "spec.endpoints.get.body", "spec.endpoints.get.sample", "spec.authorization",
    "spec.authorization.method", "spec.authorization.username", "spec.authorization.scopes", "spec.tls", "spec.tls.verify",
    "spec.status", "spec.categories", "spec.displayName", "spec.lifecycle", "metadata", "metadata.labels",
)  # fmt: skip
LINES = (
    ("plan",), ("plan", "--full"), ("plan", "-o", "json"), ("plan", "-o", "markdown"), ("drift",), ("get", "-o", "yaml"),
    ("get", "connector/two"), ("export",), ("adopt", "--dry-run"), ("history", "connector/two"), ("store", "check"),
    ("call", "two", "get"), ("call", "one", "get"), ("call", "--all"), ("token", "status"), ("token", "renew"),
    ("token", "fetch", "one"),
)  # fmt: skip


@pytest.fixture
def server() -> Iterator[Answering]:
    """A running server that gives tokens."""
    with answering() as running:
        running.says["/token"] = Said(GOOD_TOKEN)
        yield running


@pytest.fixture
def live(empty: Workspace, server: Answering) -> Workspace:
    """A connector with a token and one with a password, applied."""
    empty.env["SECRET"] = "a-secret"
    two = connector("two", server.url, "{method: basic, username: svc, password: {env: SECRET}}")
    one = connector("one", server.url, client_credentials(server.url))
    empty.write("connectors/a.yaml", "---\n".join((CATEGORY, one, two)))
    empty.commit()
    empty.ok("apply", "--yes")
    return empty


def is_text(body: str) -> bool:
    """Whether no escape in a JSON text is half a character."""
    try:
        json.dumps(json.loads(body), ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return "\\u0000" not in body


def write_live(place: Workspace, text: str, name: str) -> None:
    """Set the whole body of a live connector."""
    if isinstance(place.store, Placed) and not is_text(text):
        return  # PostgreSQL takes no such JSON
    sql(place.store, "UPDATE documents SET live = ? WHERE uid = (SELECT uid FROM records WHERE name = ?)", text, name)


def bodies(place: Workspace) -> dict[str, Any]:
    """The bodies of all connectors, by name."""
    rows = sql(
        place.store, "SELECT r.name, d.live FROM records r JOIN documents d USING (uid) WHERE r.kind = 'Connector'"
    )
    return {name: json.loads(live) for name, live in rows}


def with_odd(body: dict[str, Any], path: str, odd: str) -> str:
    """The body with the JSON text `odd` at a path."""
    copied = json.loads(json.dumps(body))
    at = copied
    *steps, last = path.split(".")
    for step in steps:
        at = at.setdefault(step, {})
    at[last] = "MARK"
    return json.dumps(copied).replace('"MARK"', odd)


@pytest.mark.parametrize("path", PATHS)
def test_no_command_fails_for_what_others_wrote(live: Workspace, path: str) -> None:
    """Numbers without end, halves of characters, and one sort of value where another belongs."""
    before, chance = bodies(live), random.Random(path)
    for odd in chance.sample(ODD, 5):
        for name in ("one", "two"):
            write_live(live, with_odd(before[name], path, odd), name)
        for line in [("call", "two", "get"), *chance.sample(LINES, 2)]:
            result = live.run(*line)
            assert result.exit_code in (0, 3, 4, 5, 6, 7, 10, 64), (odd, line, result.output)
            assert "Exception in thread" not in result.stderr, (odd, line)


@pytest.mark.parametrize(
    "write",
    [
        lambda body: body["spec"]["endpoints"]["get"].update(timeoutSeconds=-1),
        lambda body: body["spec"]["endpoints"]["get"].update(retry={"attempts": -1}),
        lambda body: body["spec"]["endpoints"]["get"].update(method="GET\r\nX: y"),
        lambda body: body["spec"].update(tls={"verify": []}),
        lambda body: body["spec"].update(unknown=1),
    ],
)
def test_what_is_no_definition_is_not_called(
    live: Workspace, server: Answering, write: Callable[[dict[str, Any]], None]
) -> None:
    """No request goes out for a record that no document could declare, by a call, by all calls or for a token."""
    for name, body in bodies(live).items():
        write(body)
        write_live(live, json.dumps(body), name)
    server.asked.clear()
    result = live.run("call", "two", "get")
    assert result.exit_code == 3
    assert (
        "error: the live connector/two is not as a connector should be\n  hint: run: reconciler plan" in result.stderr
    )
    live.run("call", "--all")
    assert "is not as a connector should be" in live.run("token", "fetch", "one").stderr
    assert server.asked == []


def test_what_is_no_whole_number_is_not_rounded(live: Workspace) -> None:
    """A number that the schema does not allow is drift."""
    body = bodies(live)["two"]
    body["spec"]["endpoints"]["get"]["timeoutSeconds"] = 20.5
    write_live(live, json.dumps(body), "two")
    plan = live.ok("plan").stdout
    assert "timeoutSeconds" in plan and "20.5" in plan, plan


@pytest.mark.parametrize("column", ["records", "warnings", "dated", "revision"])
@pytest.mark.parametrize("value", ["x", "[1]", "[[1]]", '{"a": 1e999}', '{"a": {}}', "[" * 3000, "1"])
def test_a_note_that_others_wrote_proves_nothing(live: Workspace, column: str, value: str) -> None:
    """What is recorded of the last apply cannot be read: everything is looked at, with the same plan."""
    with sqlite3.connect(live.store) as store:
        for (name,) in store.execute(
            "SELECT name FROM sqlite_master WHERE tbl_name = 'baselines' AND type = 'trigger'"
        ).fetchall():
            store.execute(f"DROP TRIGGER {name}")
        store.execute(f"UPDATE baselines SET {column} = ?", (value,))
    store.close()
    fast = live.run("plan", "-o", "json")
    assert fast.exit_code == 0, fast.output
    assert fast.stdout == live.ok("plan", "--full", "-o", "json").stdout
    assert live.run("store", "check", "--repair").exit_code == 0


@pytest.mark.parametrize(("table", "column"), [("records", "revision"), ("history", "run"), ("attempts", "run")])
def test_a_number_that_others_made_a_text_can_be_repaired(live: Workspace, table: str, column: str) -> None:
    """A repair counts on from the numbers that are left."""
    with sqlite3.connect(live.store) as store:
        for (name,) in store.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            store.execute(f"DROP TRIGGER {name}")
        store.execute("DELETE FROM meta")
        store.execute(f"UPDATE {table} SET {column} = 'x'")
    store.close()
    result = live.run("store", "check", "--repair")
    assert result.exit_code in (0, 10), result.output
