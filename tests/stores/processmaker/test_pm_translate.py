"""Our definitions and what an instance holds become each other, whatever the server makes of texts, lists and keys."""

import re
from typing import Any

import pytest
from hypothesis import given, settings
from pm_bodies import CATEGORIES, Body, connectors
from pm_desk import Desk, Fields

from reconciler.core.model import content_of, encode
from reconciler.core.secret import Secret
from reconciler.kinds.canonical import readable
from reconciler.kinds.connector import secret_fields
from reconciler.kinds.registry import is_definition
from reconciler.stores.processmaker.forms.canonical import connector_digest
from reconciler.stores.processmaker.forms.connectors import connector_body, connector_fields, connector_row, image
from reconciler.stores.processmaker.forms.rows import ConnectorRow

SERVERS = [
    pytest.param("4.14", {}, id="4.14"),
    pytest.param("2020", {}, id="2020"),
    pytest.param("4.14", {"reorder_keys": True, "category_order": "given"}, id="MySQL"),
]
SOME = settings(max_examples=40, deadline=None)


class Bench:
    """An instance with categories, and connectors written to it as a run does."""

    def __init__(self, profile: str, **switches: Any) -> None:
        """With categories that have the names that we call them."""
        self.desk = Desk(profile, **switches)
        rows = [
            self.desk.ask("POST", "/data_source_categories", {"name": name, "status": "ACTIVE"}) for name in CATEGORIES
        ]
        self.ids = {row["name"]: row["id"] for row in rows}
        self.names = {number: name for name, number in self.ids.items()}

    def write(self, body: Body, row: ConnectorRow | None = None) -> ConnectorRow:
        """Make a connector, or change one; gives its row as it is read then."""
        secrets = {field.address: Secret("s3cret") for field in secret_fields(body["spec"])}
        fields = connector_fields(body, self.ids, row, secrets)
        if row is None:
            number = self.desk.ask("POST", "/data_sources", fields)["id"]
        else:
            number = row.id
            self.desk.ask("PUT", f"/data_sources/{number}", fields)
        return self.read(number)

    def read(self, number: int) -> ConnectorRow:
        """A row, which list and single answer tell alike."""
        listed = [raw for raw in self.desk.listed("/data_sources") if raw["id"] == number]
        row = connector_row(listed[0])
        assert connector_digest(row) == connector_digest(connector_row(self.desk.ask("GET", f"/data_sources/{number}")))
        return row

    def clear(self) -> None:
        """Delete all connectors."""
        self.desk.simulator.store.connectors.rows.clear()


def visible(body: Body) -> str:
    """What the instance is to hold, but for which secret stands in an endpoint: its value cannot be compared."""
    return re.sub(r'"value":\{[^}]*\}', '"value":{}', encode(image(body["spec"])).decode())


@pytest.mark.parametrize(("profile", "switches"), SERVERS)
def test_what_is_written_comes_back_as_it_was_declared(profile: str, switches: Fields) -> None:
    """So that a plan after an apply is empty; also when it is written over another connector."""
    bench = Bench(profile, **switches)

    @SOME
    @given(connectors(), connectors())
    def check(first: Body, second: Body) -> None:
        bench.clear()
        row = bench.write(first)
        assert connector_body(row, first, bench.names) is first
        told = connector_body(row, second, bench.names)
        if visible(first) == visible(second):
            assert told is second
        changed = bench.write(second, row)
        assert connector_body(changed, second, bench.names) is second
        again = bench.write(second, changed)
        assert connector_digest(again) == connector_digest(changed)

    check()


@pytest.mark.parametrize(("profile", "switches"), SERVERS)
def test_a_change_by_hand_is_told_and_the_rest_carried_over(profile: str, switches: Fields) -> None:
    """What the instance holds is as it is live, all else as it was known; and the body is canonical."""
    bench = Bench(profile, **switches)

    @SOME
    @given(connectors(), connectors())
    def check(known: Body, live: Body) -> None:
        bench.clear()
        row = bench.write(live)
        told = connector_body(row, known, bench.names)
        assert told.get("metadata") == known.get("metadata")
        for key in ("lifecycle", "tls", "contract"):
            assert told["spec"].get(key) == known["spec"].get(key)
        assert readable("Connector", told)[0].body == content_of(told).body
        assert connector_body(row, told, bench.names) is told

    check()


@pytest.mark.parametrize(("profile", "switches"), SERVERS)
def test_what_nobody_declares_becomes_a_definition(profile: str, switches: Fields) -> None:
    """It is valid, canonical, stays the same when it is known, and writing it back changes nothing."""
    bench = Bench(profile, **switches)

    @SOME
    @given(connectors())
    def check(made: Body) -> None:
        bench.clear()
        row = bench.write(made)
        found = connector_body(row, None, bench.names)
        assert is_definition("Connector", found["spec"], None)
        assert readable("Connector", found)[0].body == content_of(found).body
        assert connector_body(row, found, bench.names) is found
        fields = connector_fields(found, bench.ids, row, {field.address: Secret("s3cret") for field in secret_fields(found["spec"])})  # fmt: skip
        bench.desk.ask("PUT", f"/data_sources/{row.id}", fields)
        assert connector_digest(bench.read(row.id)) == connector_digest(row)

    check()
